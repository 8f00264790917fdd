//! `EVAL` and `EVALSHA`, and their forms that only read.

use std::marker::PhantomData;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, ScriptError};
use engine::scripting::{Runs, ScriptCall, Sha, Shebang};
use engine::table::{Arg, Arity, FindKeys, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;

/// How a request names its script.
pub(super) trait NamesScript {
    /// The row.
    const SPEC: Spec;
    /// The command may not write.
    const READ_ONLY: bool;
    /// Finds the script, and reads it if it is not known yet.
    fn find(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError>;
}

/// A command that runs a script.
pub(super) struct RunScript<N>(PhantomData<N>);

/// What all of them are.
pub(super) const SPEC: Spec = Spec {
    since: "2.6.0",
    group: Group::Scripting,
    complexity: "Depends on the script that is executed.",
    arity: Arity::AtLeast(3),
    flags: Flags::NO_SCRIPT
        .and(Flags::STALE)
        .and(Flags::SKIP_MONITOR)
        .and(Flags::NO_MANDATORY_KEYS)
        .and(Flags::MOVABLE_KEYS)
        .and(Flags::RUNS_SCRIPT),
    keys: &[KeySpec {
        notes: "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
        ..keys(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))
    }],
    seeks: Seeks::CountedKeys,
    ..Spec::named("eval")
};

/// The same of those that only read.
pub(super) const READ_ONLY_SPEC: Spec = Spec {
    since: "7.0.0",
    flags: SPEC.flags.and(Flags::READONLY),
    ..SPEC
};

/// The keys behind their number.
pub(super) const fn keys(flags: KeyFlags) -> KeySpec {
    KeySpec {
        find: FindKeys::KeyNum {
            count: 0,
            first: 1,
            step: 1,
        },
        ..KeySpec::at(2, flags)
    }
}

/// The arguments behind the name of what is run.
pub(super) const fn arguments(name: Arg) -> [Arg; 4] {
    [
        name,
        Arg::integer("numkeys"),
        Arg::key("key", 0).optional().multiple(),
        Arg::string("arg").optional().multiple(),
    ]
}

/// What is run, and with what.
pub(super) struct Run<'a> {
    /// The script, or its name.
    pub(super) script: &'a [u8],
    /// The names of keys.
    pub(super) keys: Argv<'a>,
    /// The other arguments.
    pub(super) args: Argv<'a>,
    /// The whole request.
    pub(super) request: Argv<'a>,
}

impl<'a> Run<'a> {
    /// Reads the arguments.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Run<'a>, CmdError> {
        let request = args.whole();
        let script = args.required()?;
        let keys = args.integer()?;
        let (keys, args) = split_keys(keys, args.rest())?;
        Ok(Run {
            script,
            keys,
            args,
            request,
        })
    }
}

/// Keys, of which there are so many, and the other arguments behind them.
pub(super) fn split_keys(keys: i64, rest: Argv<'_>) -> Result<(Argv<'_>, Argv<'_>), CmdError> {
    let keys =
        usize::try_from(keys).map_err(|_| CmdError::Script(ScriptError::NegativeKeyCount))?;
    match keys <= rest.len() {
        true => Ok((rest.take(keys), rest.skip(keys))),
        false => Err(CmdError::KeysBeyondArguments),
    }
}

impl<N: NamesScript> Command for RunScript<N> {
    const SPEC: Spec = N::SPEC;
    type Parsed<'a> = Run<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Run<'a>, CmdError> {
        Run::parse(args)
    }

    fn execute(run: Run<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (session, now) = (&*ctx.session, ctx.now);
        ctx.server.show_script(session, &N::SPEC, run.request, now);
        let (name, shebang) = N::find(run.script, ctx)?;
        ctx.run_script(ScriptCall {
            runs: Runs::Script(name),
            shebang,
            keys: run.keys,
            args: run.args,
            read_only: N::READ_ONLY,
            request: run.request,
        })
    }
}

fn by_text(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
    let name = Sha::of(script);
    let shebang = ctx.server.scripts.add(name, script, false)?;
    Ok((name, shebang))
}

fn by_name(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
    let name = Sha::parse(script).ok_or(CmdError::Script(ScriptError::NoScript))?;
    let shebang = ctx.server.scripts.use_script(name);
    Ok((
        name,
        shebang.ok_or(CmdError::Script(ScriptError::NoScript))?,
    ))
}

/// `EVAL script numkeys [key …] [arg …]`
pub(super) struct Eval;

impl NamesScript for Eval {
    const SPEC: Spec = Spec {
        summary: "Runs a script.",
        args: &arguments(Arg::string("script")),
        ..SPEC
    };
    const READ_ONLY: bool = false;

    fn find(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
        by_text(script, ctx)
    }
}

/// `EVAL_RO script numkeys [key …] [arg …]`
pub(super) struct EvalRo;

impl NamesScript for EvalRo {
    const SPEC: Spec = Spec {
        name: "eval_ro",
        summary: "Runs a script that may not write.",
        keys: &[KeySpec {
            notes: "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
            ..keys(KeyFlags::RO.and(KeyFlags::ACCESS))
        }],
        args: &arguments(Arg::string("script")),
        ..READ_ONLY_SPEC
    };
    const READ_ONLY: bool = true;

    fn find(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
        by_text(script, ctx)
    }
}

/// `EVALSHA sha1 numkeys [key …] [arg …]`
pub(super) struct EvalSha;

impl NamesScript for EvalSha {
    const SPEC: Spec = Spec {
        name: "evalsha",
        summary: "Runs a script that is known, by its name.",
        keys: &[keys(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &arguments(Arg::string("sha1")),
        ..SPEC
    };
    const READ_ONLY: bool = false;

    fn find(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
        by_name(script, ctx)
    }
}

/// `EVALSHA_RO sha1 numkeys [key …] [arg …]`
pub(super) struct EvalShaRo;

impl NamesScript for EvalShaRo {
    const SPEC: Spec = Spec {
        name: "evalsha_ro",
        summary: "Runs a script that is known, by its name, and that may not write.",
        keys: &[keys(KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &arguments(Arg::string("sha1")),
        ..READ_ONLY_SPEC
    };
    const READ_ONLY: bool = true;

    fn find(script: &[u8], ctx: &mut Ctx<'_>) -> Result<(Sha, Shebang), CmdError> {
        by_name(script, ctx)
    }
}
