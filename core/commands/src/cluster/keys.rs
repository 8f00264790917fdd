//! `CLUSTER KEYSLOT`, `COUNTKEYSINSLOT` and `GETKEYSINSLOT`: keys and their slots.
//!
//! Keys are not kept by slot, since no slot ever moves: these go through all of them.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::topology::Slot;

/// `CLUSTER KEYSLOT key`
pub(super) fn slot(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let slot = Slot::of(args.required()?);
    ctx.reply.int(i64::from(slot.number()));
    Ok(())
}

/// `CLUSTER COUNTKEYSINSLOT slot`
pub(super) fn count(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let slot = Slot::new(args.integer()?).ok_or(TopologyError::InvalidSlot)?;
    ctx.store.depend_on_all();
    let now = ctx.now.unix();
    let records = ctx.store.keyspace().records(ctx.store.database);
    let there = records.filter(|record| !record.is_expired(now) && Slot::of(record.key()) == slot);
    ctx.reply.count(there.count());
    Ok(())
}

/// `CLUSTER GETKEYSINSLOT slot count`
pub(super) fn list(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let (slot, keys_max) = (args.integer()?, args.integer()?);
    let (Some(slot), Ok(keys_max)) = (Slot::new(slot), usize::try_from(keys_max)) else {
        return Err(TopologyError::InvalidSlotOrCount.into());
    };
    ctx.store.depend_on_all();
    let now = ctx.now.unix();
    let mark = ctx.reply.begin();
    let records = ctx.store.keyspace().records(ctx.store.database);
    let there = records.filter(|record| !record.is_expired(now) && Slot::of(record.key()) == slot);
    let len = ctx.reply.each(there.take(keys_max), |reply, record| {
        reply.bulk(record.key());
    });
    ctx.reply.array_since(mark, len);
    Ok(())
}
