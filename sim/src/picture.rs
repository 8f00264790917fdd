//! What a keyspace holds, in a form in which two of them can be compared.
//!
//! It has everything that a client can ask for, except what no promise covers: when keys were used
//! and when consumers called that got nothing (reads have no effects), and everything that has
//! expired at the moment of the picture, since its memory is freed without an effect.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Result, ensure};
use engine::Now;
use engine::store::keyspace::Frozen;
use resp::{Protocol, Reply};
use stream::{Group, Stream, StreamId};
use values::{Fields, Hash, Set, SortedSet, StringValue};

/// The contents of each key, by database and name. The libraries of functions are there as keys of
/// one database more.
pub(crate) struct Picture(BTreeMap<(usize, Vec<u8>), Vec<u8>>);

impl Picture {
    /// The picture of a view at a moment.
    pub(crate) fn of(view: &Frozen, now: Now) -> Picture {
        let mut keys = BTreeMap::new();
        for (database, records) in view.databases.iter().enumerate() {
            for record in records
                .iter()
                .filter(|record| !record.is_expired(now.unix()))
            {
                let mut out = Vec::new();
                line(&mut out, format_args!("expires {:?}", record.expires_at()));
                let value = record.value();
                if let Some(stream) = value.get::<Stream>() {
                    draw_stream(&mut out, stream, now.stream_ms());
                } else if let Some(string) = value.get::<StringValue>() {
                    string.with_bytes(|bytes| out.extend_from_slice(bytes));
                } else if let Some(hash) = value.get::<Hash>() {
                    draw_hash(&mut out, hash.as_of(now.stream_ms()));
                } else if let Some(set) = value.get::<Set>() {
                    draw_set(&mut out, set);
                } else if let Some(set) = value.get::<SortedSet>() {
                    draw_sorted_set(&mut out, set);
                } else {
                    out.extend(rdb::dump(value));
                }
                keys.insert((database, record.key().to_vec()), out);
            }
        }
        for (name, code) in view.libraries.iter() {
            keys.insert((view.databases.len(), name.to_vec()), code.to_vec());
        }
        Picture(keys)
    }

    /// The same without a key.
    pub(crate) fn without(mut self, database: usize, key: &str) -> Picture {
        self.0.remove(&(database, key.as_bytes().to_vec()));
        self
    }

    /// Returns whether the other picture is the same.
    ///
    /// # Errors
    /// The first difference.
    pub(crate) fn ensure_same(&self, other: &Picture, what: &str) -> Result<()> {
        for (key, mine) in &self.0 {
            let theirs = other
                .0
                .get(key)
                .map_or(&b"(no such key)"[..], Vec::as_slice);
            if mine != theirs {
                let (mine, theirs) = (difference(mine, theirs), difference(theirs, mine));
                let name = String::from_utf8_lossy(&key.1);
                anyhow::bail!(
                    "{what}: key {name} of database {}: {mine} but {theirs}",
                    key.0
                );
            }
        }
        let extra = other.0.keys().find(|key| !self.0.contains_key(key));
        ensure!(
            extra.is_none(),
            "{what}: there is a key too many: {extra:?}"
        );
        Ok(())
    }
}

/// The part of a text in which it differs from another, with what comes before.
fn difference(text: &[u8], other: &[u8]) -> String {
    let same = text.iter().zip(other).take_while(|(a, b)| a == b).count();
    let begin = text[..same].iter().rposition(|&byte| byte == b'\n');
    let begin = begin.unwrap_or(same.saturating_sub(100));
    let end = text.len().min(same + 200);
    format!("{:?}", String::from_utf8_lossy(&text[begin..end]))
}

fn line(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A vector takes everything.
    out.write_fmt(text).ok();
    out.push(b'\n');
}

/// The order of the fields says how they came there.
fn draw_hash(out: &mut Vec<u8>, hash: Fields<'_>) {
    let fields = hash
        .iter()
        .map(|it| (it.name().to_vec(), it.value().to_vec(), it.date()));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    line(out, format_args!("hash of {}", hash.len()));
    for (field, value, at) in fields {
        let (field, value) = (field.escape_ascii(), value.escape_ascii());
        line(out, format_args!("{field}: {value}, until {at:?}"));
    }
}

/// The order of the members says how they came there.
fn draw_set(out: &mut Vec<u8>, set: &Set) {
    let mut members: Vec<_> = set.iter().map(|it| it.to_vec()).collect();
    members.sort();
    line(out, format_args!("set of {}", set.len()));
    for member in members {
        line(out, format_args!("{}", member.escape_ascii()));
    }
}

/// Whether it is called a listpack may change with a snapshot, as in Redis.
fn draw_sorted_set(out: &mut Vec<u8>, set: &SortedSet) {
    line(out, format_args!("sorted set of {}", set.len()));
    for it in set.iter() {
        let (score, member) = (it.score, it.member.escape_ascii());
        line(out, format_args!("{score:?}: {member}"));
    }
}

fn draw_stream(out: &mut Vec<u8>, stream: &Stream, now_ms: u64) {
    line(
        out,
        format_args!(
            "stream last {} deleted {} added {}",
            stream.last_id(),
            stream.max_deleted_id(),
            stream.entries_added()
        ),
    );
    let mut reply = Reply::with_buffer(Protocol::Resp2, std::mem::take(out));
    for entry in stream.entries().iter() {
        entry.write(&mut reply);
    }
    *out = reply.into_bytes();
    let mut groups: Vec<_> = stream.groups().iter().collect();
    groups.sort_by_key(|(name, _)| *name);
    for (name, group) in groups {
        draw_group(out, name, group);
        let lag = stream.lag(group);
        line(out, format_args!("lag {lag}"));
    }
    for entry in stream
        .delayed()
        .into_iter()
        .flat_map(|delayed| delayed.iter())
    {
        let fields: Vec<_> = entry.fields.map(<[u8]>::escape_ascii).collect();
        let (ticket, options) = (entry.ticket, entry.options);
        line(out, format_args!("waits {ticket} {options:?} {fields:?}"));
    }
    let idempotence = stream.idempotence();
    let retention = idempotence.retention();
    let (added, duplicates) = (idempotence.iids_added(), idempotence.iids_duplicates());
    line(
        out,
        format_args!("remembers {retention:?}, added {added}, duplicates {duplicates}"),
    );
    let mut producers: Vec<_> = idempotence.producers(now_ms).collect();
    producers.sort_by_key(stream::ProducerView::id);
    for producer in producers {
        line(out, format_args!("producer {:?}", producer.id()));
        producer.for_each(|record| line(out, format_args!("{record:?}")));
    }
    let mut epochs: Vec<_> = idempotence.epochs().collect();
    epochs.sort();
    line(out, format_args!("epochs {epochs:?}"));
    let mut numbers: Vec<_> = idempotence.all_reached().collect();
    numbers.sort_by_key(|(producer, _)| *producer);
    line(out, format_args!("numbers {numbers:?}"));
    let mut counted: Vec<_> = idempotence.counted_producers().collect();
    counted.sort_by_key(|(producer, _)| *producer);
    line(out, format_args!("{:?} {counted:?}", idempotence.counted()));
}

fn draw_group(out: &mut Vec<u8>, name: &[u8], group: &Group) {
    let name = String::from_utf8_lossy(name);
    let (last, read) = (group.last_delivered(), group.entries_read());
    line(out, format_args!("group {name} last {last} read {read:?}"));
    if let Some(settings) = group.settings().get() {
        line(out, format_args!("told {settings:?}"));
    }
    for (_, consumer) in group.consumers() {
        let name = String::from_utf8_lossy(consumer.name());
        line(
            out,
            format_args!(
                "consumer {name} has {}, active {:?}",
                consumer.pending_count(),
                consumer.active_ms()
            ),
        );
    }
    for entry in group.pending_range(StreamId::MIN, StreamId::MAX) {
        let holder = entry.holder.map(|holder| {
            let consumer = group.consumer_at(holder.consumer);
            (consumer.map(stream::Consumer::name), holder.delivered_ms)
        });
        let (id, count) = (entry.id, entry.delivery_count);
        line(out, format_args!("pending {id} {count} {holder:?}"));
    }
    group
        .given_back()
        .for_each(|id| line(out, format_args!("given back {id}")));
    group
        .latecomers()
        .for_each(|id| line(out, format_args!("late {id}")));
}
