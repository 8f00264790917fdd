//! Streams.
//!
//! | part | form | in types |
//! |---|---|---|
//! | nodes | number; per node: the ID of its first entry (a string of 16 bytes), a listpack (`stream/nodes.rs`) | all |
//! | entries | number | all |
//! | last ID | two numbers | all |
//! | first ID | two numbers; 0-0 if there are no entries | from 19 on |
//! | greatest deleted ID | two numbers | from 19 on |
//! | entries added | number | from 19 on |
//! | groups | number; per group: `stream/groups.rs` | all |
//! | idempotence | `stream/idempotence.rs` | from 26 on |
//!
//! IDs in 16 bytes are milliseconds and sequence, both big endian; times are 8 bytes, little
//! endian. Redis writes type 15 up to 6.2, 19 in 7.0, 21 from 7.2 to 8.4, 26 in 8.6, and 27 in 8.8.
//! weir writes 26, and 27 only where a group has entries that were given back, which Redis 8.6
//! cannot read in any form. Deleted entries are left out.

mod delayed;
mod extras;
mod groups;
mod idempotence;
mod nodes;

use stream::{Groups, Idempotence, Stream, StreamId, StreamParts};
use values::Value;

use crate::code;
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{self, Hasher};
use crate::encode::Encoder;
use crate::limits::{VERSION_OF_GIVEN_BACK, VERSION_WRITTEN};
use crate::source::{Sink, Source};
use crate::value::Stored;

pub(crate) use delayed::push as push_delayed;
pub(crate) use extras::{Extras, Taken};

impl Stored for Stream {
    const CODES: &'static [u8] = &[
        code::STREAM_1,
        code::STREAM_2,
        code::STREAM_3,
        code::STREAM_4,
        code::STREAM_5,
    ];

    fn code(&self) -> u8 {
        code_of(self)
    }

    fn version(code: u8) -> u16 {
        match code {
            code::STREAM_5 => VERSION_OF_GIVEN_BACK,
            _ => VERSION_WRITTEN,
        }
    }

    fn needs_extras(&self) -> bool {
        self.is_beyond_redis()
    }

    fn write_extras<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        extras::write(self, out)
    }

    /// Here most of its chunks are compressed.
    fn expected_bytes(&self) -> usize {
        2 * self.weight()
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        write(self, out)
    }

    fn add_to_digest(&self, now_ms: u64, out: &mut Encoder<Hasher>) {
        digest::add_stream(self, now_ms, out);
    }

    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        extras: &Extras,
    ) -> Read<Value, S> {
        read(code, from, context, extras).map(Value::from)
    }
}

/// The type as which a stream is written.
fn code_of(stream: &Stream) -> u8 {
    if stream
        .groups()
        .iter()
        .any(|(_, group)| group.given_back_count() > 0)
    {
        code::STREAM_5
    } else {
        code::STREAM_4
    }
}

/// Writes the body of a stream.
fn write<K: Sink>(stream: &Stream, out: &mut Encoder<K>) -> Result<(), K::Error> {
    write_entries(stream, out)?;
    out.number(stream.groups().len() as u64);
    let code = code_of(stream);
    for (name, group) in stream.groups().iter() {
        groups::write(code, name, group, out)?;
    }
    idempotence::write(stream.idempotence(), out)
}

/// Writes the body of a stream up to the groups.
pub(crate) fn write_entries<K: Sink>(
    stream: &Stream,
    out: &mut Encoder<K>,
) -> Result<(), K::Error> {
    let entries = stream.entries();
    nodes::write(entries, out)?;
    out.number(entries.len());
    write_id(out, stream.last_id());
    write_id(out, stream.first_id());
    write_id(out, stream.max_deleted_id());
    out.number(stream.entries_added());
    Ok(())
}

/// Reads the body of a stream of type `code`.
fn read<S: Source>(
    code: u8,
    from: &mut Decoder<S>,
    context: &Context,
    extras: &Extras,
) -> Read<Stream, S> {
    let entries = nodes::read(from, context.packing)?;
    if from.number("the number of entries")? != entries.len() {
        return Err(from.contradiction("the number of entries is not that of the nodes"));
    }
    let forgetful = Idempotence::new(context.retention, context.hash_seed);
    let last_id = read_id(from, "the last ID")?;
    let (mut max_deleted_id, mut entries_added) = (StreamId::MIN, entries.len());
    if code >= code::STREAM_2 {
        // The first ID is that of the first entry, which the nodes have already given.
        read_id(from, "the first ID")?;
        max_deleted_id = read_id(from, "the greatest deleted ID")?;
        entries_added = from.number("the number of entries added")?;
    }
    // Redis loads impossible counters, and some of its versions have written them. Here they are
    // raised to what the entries show.
    let mut stream = Stream::from_parts(StreamParts {
        entries,
        groups: Groups::new(),
        idempotence: forgetful,
        last_id,
        max_deleted_id,
        entries_added,
    });
    let mut order = extras.pending_order();
    let mut pauses = extras.pending_pauses();
    let mut group_settings = extras.group_settings();
    for _ in 0..from.number("the number of groups")? {
        let own = groups::OwnPending {
            latecomers: order.next().map_err(|damaged| from.fault(damaged.into()))?,
            paused: pauses
                .next()
                .map_err(|damaged| from.fault(damaged.into()))?,
        };
        let (name, mut group) = groups::read(code, from, &stream, &own, context)?;
        let settings = group_settings.next();
        group.set_settings(&settings.map_err(|damaged| from.fault(damaged.into()))?);
        if stream.groups().find(&name).is_some() {
            return Err(from.contradiction("two groups have the same name"));
        }
        stream.insert_group(&name, group);
    }
    let settings = extras.settings();
    let settings = settings.map_err(|damaged| from.fault(damaged.into()))?;
    drop(stream.set_settings(&settings));
    if code >= code::STREAM_4 {
        *stream.idempotence_mut() = idempotence::read(from, context, extras, &settings)?;
    }
    let idempotence = stream.idempotence_mut();
    let own = extras.epochs(|producer, epoch| idempotence.set_epoch(producer, epoch));
    own.map_err(|damaged| from.fault(damaged.into()))?;
    let own = extras.numbers(idempotence);
    own.map_err(|damaged| from.fault(damaged.into()))?;
    let own = extras.counts(idempotence);
    own.map_err(|damaged| from.fault(damaged.into()))?;
    let waits = extras.delay(&mut stream);
    waits.map_err(|damaged| from.fault(damaged.into()))?;
    Ok(stream)
}

fn write_id<K: Sink>(out: &mut Encoder<K>, id: StreamId) {
    out.number(id.ms);
    out.number(id.seq);
}

/// A counter that is never above what a signed number holds, since it goes into replies.
fn read_counter<S: Source>(from: &mut Decoder<S>, expected: &'static str) -> Read<u64, S> {
    Ok(from.number(expected)?.min(i64::MAX as u64))
}

fn read_id<S: Source>(from: &mut Decoder<S>, expected: &'static str) -> Read<StreamId, S> {
    Ok(StreamId {
        ms: from.number(expected)?,
        seq: from.number(expected)?,
    })
}

fn read_raw_id<S: Source>(from: &mut Decoder<S>, expected: &'static str) -> Read<StreamId, S> {
    from.array(expected).map(id_of_bytes)
}

/// How many bytes an ID takes that is not two numbers.
const ID_BYTES: usize = 16;

fn id_bytes(id: StreamId) -> [u8; ID_BYTES] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}

fn id_of_bytes(bytes: [u8; ID_BYTES]) -> StreamId {
    let both = u128::from_be_bytes(bytes);
    StreamId {
        ms: (both >> 64) as u64,
        seq: both as u64,
    }
}

#[cfg(test)]
mod tests;
