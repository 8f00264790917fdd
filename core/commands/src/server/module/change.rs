//! `MODULE LOAD`, `MODULE LOADEX` and `MODULE UNLOAD`, which are refused.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

const SPEC: Spec = Spec {
    since: "4.0.0",
    group: Group::Server,
    complexity: "O(1)",
    arity: Arity::AtLeast(3),
    flags: Flags::ADMIN
        .and(Flags::NO_ASYNC_LOADING)
        .and(Flags::NO_SCRIPT),
    compat: Compat::Differs("Modules cannot be loaded, whatever enable-module-command says."),
    ..Spec::named("load")
};

/// Reads and runs a command that is refused.
macro_rules! refused {
    ($command:ty, $spec:expr) => {
        impl Command for $command {
            const SPEC: Spec = $spec;
            type Parsed<'a> = ();

            fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
                let _ = args.rest();
                Ok(())
            }

            fn execute((): (), _ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
                Err(CmdError::NoModules)
            }
        }
    };
}

/// `MODULE LOAD path [arg …]`
pub(super) struct Load;

refused!(
    Load,
    Spec {
        summary: "Would load a module.",
        args: &[
            Arg::string("path"),
            Arg::string("arg").optional().multiple(),
        ],
        ..SPEC
    }
);

/// `MODULE LOADEX path [CONFIG name value …] [ARGS arg …]`
pub(super) struct LoadEx;

refused!(
    LoadEx,
    Spec {
        name: "loadex",
        summary: "Would load a module, with settings.",
        since: "7.0.0",
        args: &[
            Arg::string("path"),
            Arg::block("configs", &[Arg::string("name"), Arg::string("value")])
                .token("CONFIG")
                .optional()
                .multiple()
                .multiple_token(),
            Arg::string("args").token("ARGS").optional().multiple(),
        ],
        ..SPEC
    }
);

/// `MODULE UNLOAD name`
pub(super) struct Unload;

refused!(
    Unload,
    Spec {
        name: "unload",
        summary: "Would unload a module.",
        arity: Arity::Exactly(3),
        args: &[Arg::string("name")],
        ..SPEC
    }
);
