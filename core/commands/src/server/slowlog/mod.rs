//! `SLOWLOG`: commands that took long.

mod get;
mod len;
mod reset;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `SLOWLOG`.
pub(super) const SLOWLOG: Entry = container(
    SPEC,
    &[
        entry::<get::Get>(),
        entry::<Help<SlowLog>>(),
        entry::<len::Len>(),
        entry::<reset::Reset>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands about the slow log.",
    since: "2.2.12",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    ..Spec::named("slowlog")
};

struct SlowLog;

impl Helped for SlowLog {
    const SINCE: &'static str = "6.2.0";
    const GROUP: Group = Group::Server;
}
