//! `CONFIG`: looks at settings and changes them.

mod get;
mod help;
mod resetstat;
mod rewrite;
mod set;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

/// The row of `CONFIG`.
pub(super) const CONFIG: Entry = container(
    SPEC,
    &[
        entry::<get::Get>(),
        entry::<help::Help>(),
        entry::<resetstat::ResetStat>(),
        entry::<rewrite::Rewrite>(),
        entry::<set::Set>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands about settings.",
    since: "2.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    ..Spec::named("config")
};
