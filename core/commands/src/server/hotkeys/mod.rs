//! `HOTKEYS`: the keys on which commands spend the most time, or which move the most bytes.

mod get;
mod reset;
mod start;
mod stop;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Compat, Flags, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `HOTKEYS`.
pub(super) const HOTKEYS: Entry = container(
    Spec {
        summary: "Holds the commands that find the keys that take the most.",
        since: "8.6.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        compat: Compat::Differs(
            "The commands of a transaction share its time evenly. A script counts for the keys \
             that it was given; in Redis, within a transaction, for those that it uses too. Keys of \
             more than 1,024 bytes are not told.",
        ),
        ..Spec::named("hotkeys")
    },
    &[
        entry::<get::Get>(),
        entry::<Help<HotKeys>>(),
        entry::<reset::Reset>(),
        entry::<start::Start>(),
        entry::<stop::Stop>(),
    ],
);

/// What all of them are.
const SPEC: Spec = Spec {
    since: "8.6.0",
    group: Group::Server,
    complexity: "O(1)",
    arity: Arity::Exactly(2),
    flags: Flags::ADMIN.and(Flags::NO_SCRIPT),
    tips: &["request_policy:special"],
    ..Spec::named("start")
};

struct HotKeys;

impl Helped for HotKeys {
    const SINCE: &'static str = "8.6.1";
    const GROUP: Group = Group::Server;
}
