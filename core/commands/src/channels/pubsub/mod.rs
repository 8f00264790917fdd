//! `PUBSUB`: which channels there are, and how many listen.

mod channels;
mod numpat;
mod numsub;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `PUBSUB`.
pub(super) const PUBSUB: Entry = container(
    Spec {
        summary: "Holds the commands about channels that clients listen to.",
        since: "2.8.0",
        group: Group::PubSub,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        ..Spec::named("pubsub")
    },
    &[
        entry::<channels::Channels>(),
        entry::<Help<PubSub>>(),
        entry::<numpat::NumPat>(),
        entry::<numsub::NumSub>(),
        entry::<channels::ShardChannels>(),
        entry::<numsub::ShardNumSub>(),
    ],
);

struct PubSub;

impl Helped for PubSub {
    const SINCE: &'static str = "6.2.0";
    const GROUP: Group = Group::PubSub;
}
