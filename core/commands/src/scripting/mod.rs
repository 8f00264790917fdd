//! Scripts and functions. There are none yet; what is here ends a command that is not finished.

mod kill;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Compat, Group, Spec};

use crate::help::{Help, Helped};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[FUNCTION, SCRIPT];

const FUNCTION: Entry = container(
    Spec {
        summary: "Holds commands about functions.",
        since: "7.0.0",
        group: Group::Scripting,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        compat: Compat::Differs("There are no functions; only KILL is there."),
        ..Spec::named("function")
    },
    &[entry::<Help<OfFunction>>(), entry::<kill::FunctionKill>()],
);

const SCRIPT: Entry = container(
    Spec {
        summary: "Holds commands about scripts.",
        since: "2.6.0",
        group: Group::Scripting,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        compat: Compat::Differs("There are no scripts; only KILL is there."),
        ..Spec::named("script")
    },
    &[entry::<Help<OfScript>>(), entry::<kill::ScriptKill>()],
);

/// The `HELP` of `FUNCTION`.
struct OfFunction;

impl Helped for OfFunction {
    const SINCE: &'static str = "7.0.0";
    const GROUP: Group = Group::Scripting;
}

/// The `HELP` of `SCRIPT`.
struct OfScript;

impl Helped for OfScript {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Scripting;
}
