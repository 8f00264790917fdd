//! List commands.

mod blmove;
mod blmovem;
mod blmpop;
mod blpop;
mod lindex;
mod linsert;
mod llen;
mod lmove;
mod lmovem;
mod lmpop;
mod lpop;
mod lpos;
mod lpush;
mod lrange;
mod lrem;
mod lset;
mod ltrim;
mod place;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<blmove::BLMove>(),
    entry::<blmovem::BLMoveM>(),
    entry::<blmpop::BLMPop>(),
    entry::<blpop::BLPop>(),
    entry::<blpop::BRPop>(),
    entry::<blmove::BRPopLPush>(),
    entry::<lindex::LIndex>(),
    entry::<linsert::LInsert>(),
    entry::<llen::LLen>(),
    entry::<lmove::LMove>(),
    entry::<lmovem::LMoveM>(),
    entry::<lmpop::LMPop>(),
    entry::<lpop::LPop>(),
    entry::<lpos::LPos>(),
    entry::<lpush::LPush>(),
    entry::<lpush::LPushX>(),
    entry::<lrange::LRange>(),
    entry::<lrem::LRem>(),
    entry::<lset::LSet>(),
    entry::<ltrim::LTrim>(),
    entry::<lpop::RPop>(),
    entry::<lmove::RPopLPush>(),
    entry::<lpush::RPush>(),
    entry::<lpush::RPushX>(),
];
