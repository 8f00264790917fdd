//! `SCRIPT LOAD`, `SCRIPT EXISTS`, `SCRIPT FLUSH` and `SCRIPT DEBUG`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, PlainCommand};
use engine::error::{CmdError, ScriptError};
use engine::scripting::Sha;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};
use resp::Argv;

/// What all of them are.
const SPEC: Spec = Spec {
    since: "2.6.0",
    group: Group::Scripting,
    flags: Flags::NO_SCRIPT,
    ..Spec::named("load")
};

/// `SCRIPT LOAD script`
pub(super) struct Load;

impl PlainCommand for Load {
    const SPEC: Spec = Spec {
        summary: "Makes a script known.",
        complexity: "O(N) with N being the length in bytes of the script body.",
        arity: Arity::Exactly(3),
        flags: SPEC.flags.and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        args: &[Arg::string("script")],
        compat: Compat::Differs("What is loaded to stay may take 64 MiB in all."),
        ..SPEC
    };
    type Args<'a> = &'a [u8];

    fn execute(script: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let name = Sha::of(script);
        ctx.server.scripts.add(name, script, true)?;
        ctx.reply.bulk(name.as_bytes());
        Ok(Flow::Done)
    }
}

/// `SCRIPT EXISTS sha1 [sha1 …]`
pub(super) struct Exists;

impl PlainCommand for Exists {
    const SPEC: Spec = Spec {
        summary: "Tells which scripts are known.",
        complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
        arity: Arity::AtLeast(3),
        tips: &[
            "request_policy:all_shards",
            "response_policy:agg_logical_and",
        ],
        args: &[Arg::string("sha1").multiple()],
        ..Spec {
            name: "exists",
            ..SPEC
        }
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.array(names.len());
        for name in names {
            let is_known = Sha::parse(name).is_some_and(|name| ctx.server.scripts.contains(name));
            ctx.reply.int(i64::from(is_known));
        }
        Ok(Flow::Done)
    }
}

/// `SCRIPT FLUSH [ASYNC | SYNC]`
pub(super) struct Flush;

/// How something is emptied. It makes no difference here.
pub(super) const FLUSH_TYPES: &[Arg] = &[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")];

impl Command for Flush {
    const SPEC: Spec = Spec {
        summary: "Forgets all scripts.",
        complexity: "O(N) with N being the number of scripts in cache",
        arity: Arity::AtLeast(2),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: &[(
            "6.2.0",
            "Added the `ASYNC` and `SYNC` flushing mode modifiers.",
        )],
        args: &[Arg::one_of("flush-type", FLUSH_TYPES)
            .since("6.2.0")
            .optional()],
        ..Spec {
            name: "flush",
            ..SPEC
        }
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        let is_fine = args.left() == 0 || args.keyword("ASYNC") || args.keyword("SYNC");
        match is_fine && args.left() == 0 {
            true => Ok(()),
            false => Err(CmdError::Script(ScriptError::ScriptFlushMode)),
        }
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.scripts.clear();
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `SCRIPT DEBUG YES | SYNC | NO`
pub(super) struct Debug;

impl Command for Debug {
    const SPEC: Spec = Spec {
        summary: "Begins or ends the debugging of scripts, which weir does not do.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        args: &[Arg::one_of(
            "mode",
            &[
                Arg::word("yes", "YES"),
                Arg::word("sync", "SYNC"),
                Arg::word("no", "NO"),
            ],
        )],
        compat: Compat::Differs("Scripts are not debugged: only NO is accepted."),
        ..Spec {
            name: "debug",
            ..SPEC
        }
    };
    /// Whether debugging is asked for.
    type Parsed<'a> = bool;

    fn parse(args: &mut Args<'_>) -> Result<bool, CmdError> {
        if args.keyword("NO") {
            return Ok(false);
        }
        match args.keyword("YES") || args.keyword("SYNC") {
            true => Ok(true),
            false => Err(CmdError::Script(ScriptError::ScriptDebugMode)),
        }
    }

    fn execute(is_on: bool, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if is_on {
            return Err(CmdError::Script(ScriptError::NoScriptDebugger));
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
