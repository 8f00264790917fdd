//! The `HELP` of commands that hold subcommands, made from their rows.

use std::marker::PhantomData;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arg, ArgKind, Arity, Categories, Flags, Group, Spec};
use resp::Argv;

/// A command that holds subcommands, among them `HELP`.
pub(super) trait Helped {
    /// The Redis version that introduced its `HELP`.
    const SINCE: &'static str;
    /// The family in the documentation.
    const GROUP: Group;
    /// ACL categories beside those that flags and family imply.
    const CATEGORIES: Categories = Categories::NONE;
    /// The lines of Redis, where tools compare them; if empty, the reply is made from the rows of
    /// the subcommands.
    const LINES: &'static [&'static str] = &[];
}

/// The `HELP` of a command.
pub(super) struct Help<H>(PhantomData<H>);

impl<H: Helped> Command for Help<H> {
    const SPEC: Spec = Spec {
        summary: "Lists the subcommands.",
        since: H::SINCE,
        group: H::GROUP,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: H::CATEGORIES,
        ..Spec::named("help")
    };
    /// The name of the command that holds it.
    type Parsed<'a> = &'a [u8];

    fn parse<'a>(args: &mut Args<'a>) -> Result<&'a [u8], CmdError> {
        Ok(args.whole().get(0).unwrap_or_default())
    }

    fn execute(command: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match H::LINES {
            [] => list_subcommands(ctx, command)?,
            lines => {
                ctx.reply.array(lines.len());
                let row = ctx.server.commands.find(command);
                let own = row.map(|row| row.spec.name.to_ascii_uppercase());
                let called = row.map_or("", |row| row.name).to_ascii_uppercase();
                for line in lines {
                    // The title begins with the name by which the command is called.
                    let rest = own.as_deref().and_then(|own| line.strip_prefix(own));
                    match rest.filter(|rest| rest.starts_with(" <subcommand>")) {
                        Some(rest) => ctx.reply.simple(&format!("{called}{rest}")),
                        None => ctx.reply.simple(line),
                    }
                }
            }
        }
        Ok(Flow::Done)
    }
}

/// Answers the usage and summary of each subcommand of a command.
fn list_subcommands(ctx: &mut Ctx<'_>, command: &[u8]) -> Result<(), CmdError> {
    let commands = &ctx.server.commands;
    let row = commands.find(command);
    let row = row.ok_or(CmdError::Internal(
        "the command that runs is not in the table",
    ))?;
    let subcommands = commands.subcommands(row);
    let title = format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        row.name.to_ascii_uppercase()
    );
    ctx.reply.array(1 + 2 * subcommands.len());
    ctx.reply.simple(&title);
    for row in subcommands {
        ctx.reply.simple(&usage(row.spec));
        ctx.reply.simple(&format!("    {}", row.spec.summary));
    }
    Ok(())
}

/// The name in capitals and the arguments as the documentation writes them.
pub(super) fn usage(spec: &Spec) -> String {
    let mut text = spec.name.to_ascii_uppercase();
    for arg in spec.args {
        text.push(' ');
        write_arg(&mut text, arg);
    }
    text
}

fn write_arg(text: &mut String, arg: &Arg) {
    if arg.optional {
        text.push('[');
    }
    write_once(text, arg);
    if arg.multiple {
        text.push_str(" [");
        if arg.multiple_token || arg.token.is_empty() {
            write_once(text, arg);
            text.push(' ');
        }
        text.push_str("...]");
    }
    if arg.optional {
        text.push(']');
    }
}

fn write_once(text: &mut String, arg: &Arg) {
    text.push_str(arg.token);
    let gap = if arg.token.is_empty() { "" } else { " " };
    match arg.kind {
        ArgKind::PureToken => {}
        ArgKind::OneOf(choices) => {
            text.push_str(gap);
            text.push('<');
            write_list(text, choices, "|");
            text.push('>');
        }
        ArgKind::Block(parts) => {
            text.push_str(gap);
            write_list(text, parts, " ");
        }
        ArgKind::String
        | ArgKind::Integer
        | ArgKind::Double
        | ArgKind::Key(_)
        | ArgKind::Pattern
        | ArgKind::KeyPattern(_)
        | ArgKind::UnixTime => {
            text.push_str(gap);
            text.push('<');
            text.push_str(arg.display);
            text.push('>');
        }
    }
}

fn write_list(text: &mut String, args: &[Arg], separator: &str) {
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        write_arg(text, arg);
    }
}

/// The error for arguments that a subcommand does not have.
pub(super) fn usage_error(request: Argv<'_>, command: &'static str) -> CmdError {
    let sub = request.get(1).unwrap_or_default();
    let sub = &sub[..sub.len().min(ERROR_ECHO_BYTES_MAX)];
    CmdError::SubcommandUsage {
        sub: String::from_utf8_lossy(sub).into_owned(),
        command,
    }
}
