//! Set commands.

mod card;
mod combined;
mod sadd;
mod scard;
mod sdiff;
mod sinter;
mod sismember;
mod smembers;
mod smove;
mod spop;
mod srandmember;
mod srem;
mod sscan;
mod sunion;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<sadd::SAdd>(),
    entry::<scard::SCard>(),
    entry::<sdiff::SDiff>(),
    entry::<card::SDiffCard>(),
    entry::<sdiff::SDiffStore>(),
    entry::<sinter::SInter>(),
    entry::<card::SInterCard>(),
    entry::<sinter::SInterStore>(),
    entry::<sismember::SIsMember>(),
    entry::<smembers::SMembers>(),
    entry::<sismember::SMIsMember>(),
    entry::<smove::SMove>(),
    entry::<spop::SPop>(),
    entry::<srandmember::SRandMember>(),
    entry::<srem::SRem>(),
    entry::<sscan::SScan>(),
    entry::<sunion::SUnion>(),
    entry::<card::SUnionCard>(),
    entry::<sunion::SUnionStore>(),
];
