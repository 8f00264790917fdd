//! Set commands.

mod sadd;
mod scard;
mod sismember;
mod smembers;
mod srem;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<sadd::SAdd>(),
    entry::<scard::SCard>(),
    entry::<sismember::SIsMember>(),
    entry::<smembers::SMembers>(),
    entry::<sismember::SMIsMember>(),
    entry::<srem::SRem>(),
];
