//! The idempotent appends that a stream remembers.
//!
//! | part | form |
//! |---|---|
//! | duration in seconds | number |
//! | how many ids are kept for each producer | number |
//! | producers | number; per producer: its ID, number of ids; per id, oldest first: the id (string), the ID of its entry (two numbers) |
//! | idempotent appends that added an entry | number |
//! | idempotent appends that were duplicates | number |
//!
//! Producers are in no particular order. The time at which an entry was added is not included.
//! Unless something else tells it, it is the time part of the entry's ID; `stream/extras.rs` has
//! what a snapshot of weir adds.

use stream::{Idempotence, Remembered, Restored, Retention, StreamSettings};

use super::{Extras, read_counter, read_id, write_id};
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::source::{Sink, Source};

/// Writes what is remembered.
pub(super) fn write<K: Sink>(
    idempotence: &Idempotence,
    out: &mut Encoder<K>,
) -> Result<(), K::Error> {
    let retention = idempotence.retention();
    out.number(u64::from(retention.duration_s));
    out.number(u64::from(retention.maxsize));
    out.number(idempotence.producer_count() as u64);
    for producer in idempotence.producers(0) {
        out.string(producer.id());
        out.number(producer.len() as u64);
        producer.for_each(|record| {
            out.string(record.iid);
            write_id(out, record.id);
        });
        out.drain()?;
    }
    out.number(idempotence.iids_added());
    out.number(idempotence.iids_duplicates());
    out.drain()
}

/// Reads what is remembered.
pub(super) fn read<S: Source>(
    from: &mut Decoder<S>,
    context: &Context,
    extras: &Extras,
    settings: &StreamSettings,
) -> Read<Idempotence, S> {
    let duration_s = read_setting(from, "how long ids are remembered", Retention::DURATION_S)?;
    let maxsize = read_setting(from, "how many ids are remembered", Retention::MAXSIZE)?;
    let retention = Retention {
        duration_s,
        maxsize,
    };
    let mut idempotence = Idempotence::new(retention, context.hash_seed);
    drop(idempotence.follow(settings));
    let (mut times, mut messages) = (extras.added_times(), extras.messages());
    for _ in 0..from.number("the number of producers")? {
        let producer = from.with_string(STRING_BYTES_MAX, "a producer", <[u8]>::to_vec)?;
        for _ in 0..from.number("the number of ids of a producer")? {
            let iid = from.with_string(STRING_BYTES_MAX, "an idempotent id", <[u8]>::to_vec)?;
            let id = read_id(from, "the entry of an idempotent id")?;
            let added_at_ms = times
                .next(id)
                .map_err(|damaged| from.fault(damaged.into()))?;
            let record = Remembered {
                iid: &iid,
                id,
                added_at_ms,
            };
            // An id that a producer has twice stands for the first entry, as in the running server.
            let restored = idempotence.restore_record(&producer, record, context.now_ms);
            let message = messages
                .next()
                .map_err(|damaged| from.fault(damaged.into()))?;
            match restored {
                Restored::Recorded => idempotence.restore_message(&producer, id, message),
                Restored::Known | Restored::Conflict(_) => {}
            }
        }
    }
    let iids_added = read_counter(from, "the number of idempotent appends")?;
    let iids_duplicates = read_counter(from, "the number of duplicates")?;
    idempotence.set_counters(iids_added, iids_duplicates);
    Ok(idempotence)
}

fn read_setting<S: Source>(
    from: &mut Decoder<S>,
    expected: &'static str,
    range: std::ops::RangeInclusive<u32>,
) -> Read<u32, S> {
    let found = from.number(expected)?;
    match u32::try_from(found) {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(from.fault(Fault::Unexpected { expected, found })),
    }
}
