//! `FCALL` and `FCALL_RO`.

use std::marker::PhantomData;

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, LibraryError};
use engine::scripting::{Runs, ScriptCall, Shebang};
use engine::table::{Arg, KeyFlags, KeySpec, Spec};
use resp::Argv;

use super::eval::{READ_ONLY_SPEC, SPEC, arguments, keys, split_keys};

/// What a command is that runs a function.
pub(super) trait RunsFunction {
    /// The row.
    const SPEC: Spec;
    /// The command may not write.
    const READ_ONLY: bool;
}

/// A command that runs a function.
pub(super) struct RunFunction<N>(PhantomData<N>);

/// Which function is run, and with what.
pub(super) struct Run<'a> {
    name: &'a [u8],
    /// How many keys there are. The function is looked for before this is read.
    keys: &'a [u8],
    rest: Argv<'a>,
    request: Argv<'a>,
}

impl<N: RunsFunction> Command for RunFunction<N> {
    const SPEC: Spec = N::SPEC;
    type Parsed<'a> = Run<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Run<'a>, CmdError> {
        Ok(Run {
            request: args.whole(),
            name: args.required()?,
            keys: args.required()?,
            rest: args.rest(),
        })
    }

    fn execute(run: Run<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (session, now) = (&*ctx.session, ctx.now);
        ctx.server.show_script(session, &N::SPEC, run.request, now);
        let function = ctx.function(run.name)?;
        let keys = parse_i64(run.keys).ok_or(LibraryError::KeyCount)?;
        let (keys, args) = split_keys(keys, run.rest)?;
        ctx.run_script(ScriptCall {
            runs: Runs::Function(function.library, function.index),
            shebang: Shebang::Flags(function.flags),
            keys,
            args,
            read_only: N::READ_ONLY,
            request: run.request,
        })
    }
}

/// `FCALL function numkeys [key …] [arg …]`
pub(super) struct FCall;

impl RunsFunction for FCall {
    const SPEC: Spec = Spec {
        name: "fcall",
        summary: "Runs a function.",
        since: "7.0.0",
        complexity: "Depends on the function that is executed.",
        args: &arguments(Arg::string("function")),
        ..SPEC
    };
    const READ_ONLY: bool = false;
}

/// `FCALL_RO function numkeys [key …] [arg …]`
pub(super) struct FCallRo;

impl RunsFunction for FCallRo {
    const SPEC: Spec = Spec {
        name: "fcall_ro",
        summary: "Runs a function that may not write.",
        complexity: "Depends on the function that is executed.",
        keys: &[KeySpec {
            notes: "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
            ..keys(KeyFlags::RO.and(KeyFlags::ACCESS))
        }],
        args: &arguments(Arg::string("function")),
        ..READ_ONLY_SPEC
    };
    const READ_ONLY: bool = true;
}
