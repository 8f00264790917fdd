//! `COMMAND DOCS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, ArgKind, Arity, Categories, Deprecated, Flags, Group, Row, Rows, Spec};
use resp::{Argv, Reply};

use super::row::write_words;
use crate::server::written::{Keeping, write_rows};

/// `COMMAND DOCS [command …]`
pub(super) struct Docs;

impl PlainCommand for Docs {
    const SPEC: Spec = Spec {
        summary: "Answers the documentation of commands.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        arity: Arity::AtLeast(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        args: &[Arg::string("command-name").optional().multiple()],
        ..Spec::named("docs")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let commands = &ctx.server.commands;
        let found: Vec<&'static Row> = if names.is_empty() {
            commands.commands().collect()
        } else {
            let found = names.iter().filter_map(|name| commands.find_full(name));
            found.collect()
        };
        ctx.reply.map(found.len());
        let rows = commands.rows();
        write_rows(ctx.reply, found, Keeping::Nothing, move |reply, found| {
            write_row(reply, rows, found);
        });
        Ok(Flow::Done)
    }
}

fn write_row(reply: &mut Reply, rows: Rows, found: &Row) {
    reply.bulk(found.full_name().as_bytes());
    let spec = found.spec;
    let start = reply.mark();
    let mut fields = 0;
    let mut text = |reply: &mut Reply, name: &str, value: &str| {
        if !value.is_empty() {
            fields += 1;
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    };
    text(reply, "summary", spec.summary);
    text(reply, "since", spec.since);
    text(reply, "group", spec.group.name());
    text(reply, "complexity", spec.complexity);
    if let Some(Deprecated { since, replaced_by }) = spec.deprecated {
        reply.bulk(b"doc_flags");
        write_words(reply, ["deprecated"].into_iter());
        text(reply, "deprecated_since", since);
        text(reply, "replaced_by", replaced_by);
        fields += 1;
    }
    if !spec.history.is_empty() {
        fields += 1;
        reply.bulk(b"history");
        reply.set(spec.history.len());
        for (version, change) in spec.history {
            reply.array(2);
            reply.bulk(version.as_bytes());
            reply.bulk(change.as_bytes());
        }
    }
    if !spec.args.is_empty() {
        fields += 1;
        reply.bulk(b"arguments");
        write_args(reply, spec.args);
    }
    let subcommands = rows.subcommands(found);
    if !subcommands.is_empty() {
        fields += 1;
        reply.bulk(b"subcommands");
        reply.map(subcommands.len());
        for sub in subcommands {
            write_row(reply, rows, sub);
        }
    }
    reply.map_since(start, fields);
}

fn write_args(reply: &mut Reply, args: &[Arg]) {
    reply.array(args.len());
    for arg in args {
        write_arg(reply, arg);
    }
}

fn write_arg(reply: &mut Reply, arg: &Arg) {
    let start = reply.mark();
    let mut fields = 0;
    let mut text = |reply: &mut Reply, name: &str, value: &str| {
        if !value.is_empty() {
            fields += 1;
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    };
    let (kind, parts) = match arg.kind {
        ArgKind::String => ("string", None),
        ArgKind::Integer => ("integer", None),
        ArgKind::Double => ("double", None),
        ArgKind::Key(_) => ("key", None),
        ArgKind::Pattern | ArgKind::KeyPattern(_) => ("pattern", None),
        ArgKind::UnixTime => ("unix-time", None),
        ArgKind::PureToken => ("pure-token", None),
        ArgKind::OneOf(parts) => ("oneof", Some(parts)),
        ArgKind::Block(parts) => ("block", Some(parts)),
    };
    text(reply, "name", arg.name);
    text(reply, "type", kind);
    if parts.is_none() {
        text(reply, "display_text", arg.display);
    }
    let mut others = 0;
    if let ArgKind::Key(key_spec) | ArgKind::KeyPattern(key_spec) = arg.kind {
        others += 1;
        reply.bulk(b"key_spec_index");
        reply.int(i64::from(key_spec));
    }
    if arg.kind == ArgKind::PureToken && arg.token.is_empty() {
        // The word is the empty string.
        others += 1;
        reply.bulk(b"token");
        reply.bulk(b"");
    } else {
        text(reply, "token", arg.token);
    }
    text(reply, "since", arg.since);
    text(reply, "deprecated_since", arg.deprecated_since);
    fields += others;
    let flags = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set);
    let flags = flags.map(|(_, name)| name);
    if flags.clone().next().is_some() {
        fields += 1;
        reply.bulk(b"flags");
        write_words(reply, flags);
    }
    if let Some(parts) = parts {
        fields += 1;
        reply.bulk(b"arguments");
        write_args(reply, parts);
    }
    reply.map_since(start, fields);
}
