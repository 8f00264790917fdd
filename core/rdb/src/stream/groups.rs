//! The groups of a stream.
//!
//! | part | form | in types |
//! |---|---|---|
//! | name | string | all |
//! | last-delivered ID | two numbers | all |
//! | entries read | number; 2^64 - 1 for unknown | from 19 on |
//! | pending entries | number; per entry, in ID order: ID (16 bytes), delivery time (8 bytes), delivery count (number) | all |
//! | consumers | number; per consumer: name, time last seen (8 bytes), time last active (8 bytes, -1 for never; from 21 on), number of pending entries, their IDs (16 bytes each) | all |
//! | given back | number; IDs (16 bytes each), first in first | 27 |
//!
//! An entry that was given back is among the pending ones, with delivery time 0, and no consumer
//! has it. (Type 27: that the zone follows the consumers and is a number and IDs is told by the
//! release notes of `librdb` 2.3; weir has not met such a file.)

use stream::{Group, GroupRestorer, RestoreError, Stream, StreamId};

use super::{id_bytes, read_id, read_raw_id, write_id};
use crate::code;
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::source::{Sink, Source};

/// Stands for a number of entries read that is not known.
const UNKNOWN: u64 = u64::MAX;

/// What Redis' form of a group does not say of its pending entries.
pub(super) struct OwnPending {
    /// They go behind others of the same delivery time.
    pub(super) latecomers: Vec<StreamId>,
    /// They have a pause, until that time in Unix milliseconds.
    pub(super) paused: Vec<(StreamId, u64)>,
}

/// Writes a group.
pub(super) fn write<K: Sink>(
    code: u8,
    name: &[u8],
    group: &Group,
    out: &mut Encoder<K>,
) -> Result<(), K::Error> {
    out.string(name);
    write_id(out, group.last_delivered());
    out.number(group.entries_read().unwrap_or(UNKNOWN));
    out.number(group.pending_count() as u64);
    for entry in group.pending_range(StreamId::MIN, StreamId::MAX) {
        let delivered_ms = entry.holder.map_or(0, |holder| holder.delivered_ms);
        out.bytes(&id_bytes(entry.id));
        out.bytes(&delivered_ms.to_le_bytes());
        out.number(entry.delivery_count);
        out.drain()?;
    }
    out.number(group.consumer_count() as u64);
    for (_, consumer) in group.consumers() {
        out.string(consumer.name());
        out.bytes(&consumer.seen_ms().to_le_bytes());
        let active_ms = consumer.active_ms().map_or(-1, u64::cast_signed);
        out.bytes(&active_ms.to_le_bytes());
        out.number(consumer.pending_count() as u64);
        for id in consumer.pending_ids(StreamId::MIN) {
            out.bytes(&id_bytes(id));
            out.drain()?;
        }
    }
    if code >= code::STREAM_5 {
        out.number(group.given_back_count() as u64);
        for id in group.given_back() {
            out.bytes(&id_bytes(id));
            out.drain()?;
        }
    }
    out.drain()
}

/// Reads a group of a stream that has everything but its groups: its name and all of it.
/// `own` is what the auxiliary fields say of its pending entries.
pub(super) fn read<S: Source>(
    code: u8,
    from: &mut Decoder<S>,
    stream: &Stream,
    own: &OwnPending,
    context: &Context,
) -> Read<(Vec<u8>, Group), S> {
    let name = from.with_string(STRING_BYTES_MAX, "the name of a group", <[u8]>::to_vec)?;
    let last_delivered = read_id(from, "the last-delivered ID of a group")?;
    let entries_read = if code >= code::STREAM_2 {
        let number = from.number("the number of entries that a group has read")?;
        // A number above what a reply can hold means unknown too.
        (number <= i64::MAX as u64).then_some(number)
    } else {
        // As Redis does for files that do not say it.
        stream.counters().entries_up_to(last_delivered)
    };
    let mut group = GroupRestorer::new(last_delivered, entries_read);
    for _ in 0..from.number("the number of pending entries of a group")? {
        let id = read_raw_id(from, "a pending entry")?;
        let delivered_ms = read_time(from, "the delivery time of a pending entry")?;
        let delivery_count = from.number("the delivery count of a pending entry")?;
        let added = group.pending(id, delivered_ms.unwrap_or(0), delivery_count);
        added.map_err(|error| from.fault(fault_of(error)))?;
    }
    for _ in 0..from.number("the number of consumers")? {
        read_consumer(code, from, &mut group, context)?;
    }
    if code >= code::STREAM_5 {
        for _ in 0..from.number("the number of entries given back")? {
            let id = read_raw_id(from, "an entry given back")?;
            group
                .give_back(id)
                .map_err(|error| from.fault(fault_of(error)))?;
        }
    }
    let group = group
        .finish(&own.latecomers, &own.paused)
        .map_err(|error| from.fault(fault_of(error)))?;
    Ok((name, group))
}

fn read_consumer<S: Source>(
    code: u8,
    from: &mut Decoder<S>,
    group: &mut GroupRestorer,
    context: &Context,
) -> Read<(), S> {
    let name = from.with_string(STRING_BYTES_MAX, "the name of a consumer", <[u8]>::to_vec)?;
    let seen_ms = read_time(from, "the time at which a consumer was seen")?;
    let seen_ms = seen_ms.unwrap_or(context.now_ms);
    let active_ms = if code >= code::STREAM_3 {
        read_time(from, "the time at which a consumer was active")?
    } else {
        Some(seen_ms)
    };
    let consumer = group.consumer(&name, seen_ms, active_ms);
    let consumer = consumer.map_err(|error| from.fault(fault_of(error)))?;
    for _ in 0..from.number("the number of pending entries of a consumer")? {
        let id = read_raw_id(from, "a pending entry of a consumer")?;
        group
            .hold(consumer, id)
            .map_err(|error| from.fault(fault_of(error)))?;
    }
    Ok(())
}

/// A time in milliseconds since the epoch; `None` for one before, which stands for never.
fn read_time<S: Source>(from: &mut Decoder<S>, expected: &'static str) -> Read<Option<u64>, S> {
    let time = i64::from_le_bytes(from.array(expected)?);
    Ok(u64::try_from(time).ok())
}

fn fault_of(error: RestoreError) -> Fault {
    Fault::Contradiction(match error {
        RestoreError::OutOfOrder(_) => "a pending entry is not above the one before it",
        RestoreError::ConsumerTwice => "two consumers of a group have the same name",
        RestoreError::NotPending(_) => "an entry of a consumer is not pending in the group",
        RestoreError::HeldTwice(_) => "a pending entry is held twice",
        RestoreError::NotHeld(_) => "a pending entry is held by no consumer",
    })
}
