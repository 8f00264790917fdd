//! String commands.

mod condition;
mod counter;
mod delex;
mod expiration;
mod get;
mod incr;
mod increx;
mod lcs;
mod many;
mod range;
mod reply;
mod set;

use engine::command::{Entry, entry};

pub(crate) use reply::reply_string;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<range::Append>(),
    entry::<incr::Decr>(),
    entry::<incr::DecrBy>(),
    entry::<delex::DelEx>(),
    entry::<get::Digest>(),
    entry::<get::Get>(),
    entry::<get::GetDel>(),
    entry::<get::GetEx>(),
    entry::<range::GetRange>(),
    entry::<set::GetSet>(),
    entry::<incr::Incr>(),
    entry::<incr::IncrBy>(),
    entry::<incr::IncrByFloat>(),
    entry::<increx::IncrEx>(),
    entry::<lcs::Lcs>(),
    entry::<many::MGet>(),
    entry::<many::MSet>(),
    entry::<many::MSetEx>(),
    entry::<many::MSetNx>(),
    entry::<set::PSetEx>(),
    entry::<set::Set>(),
    entry::<set::SetEx>(),
    entry::<set::SetNx>(),
    entry::<range::SetRange>(),
    entry::<get::StrLen>(),
    entry::<range::SubStr>(),
];
