//! Scripts and functions: running them, and which are known. What runs them is not here
//! ([`engine::scripting::ScriptHost`]).

mod eval;
mod fcall;
mod function;
mod kill;
mod script;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};
use eval::RunScript;
use fcall::RunFunction;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<RunScript<eval::Eval>>(),
    entry::<RunScript<eval::EvalRo>>(),
    entry::<RunScript<eval::EvalSha>>(),
    entry::<RunScript<eval::EvalShaRo>>(),
    entry::<RunFunction<fcall::FCall>>(),
    entry::<RunFunction<fcall::FCallRo>>(),
    function::FUNCTION,
    SCRIPT,
];

const SCRIPT: Entry = container(
    Spec {
        summary: "Holds commands about scripts.",
        since: "2.6.0",
        group: Group::Scripting,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        ..Spec::named("script")
    },
    &[
        entry::<script::Debug>(),
        entry::<script::Exists>(),
        entry::<script::Flush>(),
        entry::<Help<OfScript>>(),
        entry::<kill::ScriptKill>(),
        entry::<script::Load>(),
    ],
);

/// The `HELP` of `SCRIPT`.
struct OfScript;

impl Helped for OfScript {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Scripting;
}
