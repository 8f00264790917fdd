//! `CONFIG`: looks at settings and changes them.

mod get;
mod resetstat;
mod rewrite;
mod set;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `CONFIG`.
pub(super) const CONFIG: Entry = container(
    SPEC,
    &[
        entry::<get::Get>(),
        entry::<Help<Config>>(),
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

struct Config;

impl Helped for Config {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Server;
}
