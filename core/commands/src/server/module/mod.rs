//! `MODULE`: weir has no modules, and loads none.

mod change;
mod list;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `MODULE`.
pub(super) const MODULE: Entry = container(
    Spec {
        summary: "Holds the commands about modules.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        ..Spec::named("module")
    },
    &[
        entry::<Help<Module>>(),
        entry::<list::List>(),
        entry::<change::Load>(),
        entry::<change::LoadEx>(),
        entry::<change::Unload>(),
    ],
);

struct Module;

impl Helped for Module {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Server;
}
