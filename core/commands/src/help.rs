//! The `HELP` of commands that hold subcommands, made of their rows.

use engine::command::Ctx;
use engine::error::CmdError;
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arg, ArgKind, Spec};
use resp::Argv;

/// Answers the usage and summary of each subcommand of a command.
pub(super) fn answer(ctx: &mut Ctx<'_>, command: &str) {
    let commands = &ctx.server.commands;
    let subcommands = commands
        .find(command.as_bytes())
        .map_or(&[][..], |found| commands.subcommands(found));
    let title = format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        command.to_ascii_uppercase()
    );
    ctx.reply.array(1 + 2 * subcommands.len());
    ctx.reply.simple(&title);
    for row in subcommands {
        ctx.reply.simple(&usage(row.spec));
        ctx.reply.simple(&format!("    {}", row.spec.summary));
    }
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
