//! `CLUSTER SLOT-STATS`: how many keys slots have.

use std::cmp::Reverse;

use engine::args::{Args, parse_i64};
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::topology::{SLOTS, Slot};

/// `CLUSTER SLOT-STATS SLOTSRANGE start end`
/// `CLUSTER SLOT-STATS ORDERBY key-count [LIMIT limit] [ASC | DESC]`
pub(super) fn answer(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    if args.left() == 3 && args.keyword("SLOTSRANGE") {
        let (first, last) = (slot(args)?, slot(args)?);
        if first > last {
            return Err(TopologyError::SlotsReversed(first, last).into());
        }
        let keys = keys_by_slot(ctx);
        let chosen = (first..=last).map(|slot| (slot, keys[usize::from(slot)]));
        write(ctx, chosen);
        return Ok(());
    }
    if !args.keyword_with_value("ORDERBY") {
        return Err(CmdError::SubcommandUsage {
            sub: "SLOT-STATS".to_owned(),
            command: "CLUSTER",
        });
    }
    if !args.keyword("KEY-COUNT") {
        return Err(TopologyError::SlotMetric.into());
    }
    let (limit, ascending) = options(args)?;
    let keys = keys_by_slot(ctx);
    let mut slots: Vec<(u16, u64)> = (0..SLOTS).zip(keys).collect();
    match ascending {
        true => slots.sort_by_key(|(_, keys)| *keys),
        false => slots.sort_by_key(|(_, keys)| Reverse(*keys)),
    }
    slots.truncate(limit);
    write(ctx, slots.into_iter());
    Ok(())
}

fn slot(args: &mut Args<'_>) -> Result<u16, CmdError> {
    let slot = parse_i64(args.required()?).and_then(Slot::new);
    Ok(slot.ok_or(TopologyError::SlotOutOfRange)?.number())
}

fn options(args: &mut Args<'_>) -> Result<(usize, bool), CmdError> {
    let (mut limit, mut ascending) = (usize::from(SLOTS), false);
    while args.left() > 0 {
        if args.keyword_with_value("LIMIT") {
            let said = parse_i64(args.required()?).and_then(|said| usize::try_from(said).ok());
            limit = said
                .filter(|said| (1..=usize::from(SLOTS)).contains(said))
                .ok_or(TopologyError::SlotLimit)?;
        } else if args.keyword("ASC") {
            ascending = true;
        } else if args.keyword("DESC") {
            ascending = false;
        } else {
            return Err(CmdError::Syntax);
        }
    }
    Ok((limit, ascending))
}

/// How many keys each slot has. Keys are not kept by slot: this goes through all of them.
fn keys_by_slot(ctx: &mut Ctx<'_>) -> Vec<u64> {
    ctx.store.depend_on_all();
    let now = ctx.now.unix();
    let mut keys = vec![0; usize::from(SLOTS)];
    let records = ctx.store.keyspace().records(ctx.store.database);
    for record in records.filter(|record| !record.is_expired(now)) {
        keys[usize::from(Slot::of(record.key()).number())] += 1;
    }
    keys
}

fn write(ctx: &mut Ctx<'_>, slots: impl ExactSizeIterator<Item = (u16, u64)>) {
    ctx.reply.array(slots.len());
    for (slot, keys) in slots {
        ctx.reply.array(2);
        ctx.reply.int(i64::from(slot));
        ctx.reply.map(1);
        ctx.reply.bulk(b"key-count");
        ctx.reply.int(keys.cast_signed());
    }
}
