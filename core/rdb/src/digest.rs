//! Digests of keys: comparing 20 bytes shows whether two keyspaces hold the same.
//!
//! A digest covers what outlives a restart, in the order of a snapshot. So it does not cover what
//! no journal has: counters of duplicates, and the times at which consumers were last seen.
//! Producers have no order: they are digested one by one and added up, and so may keys be. Time
//! counts only as far as it makes idempotent IDs expire. The digest is weir's own, and no defence
//! against forgery.

use std::convert::Infallible;

use stream::{
    Configured, Counted, Group, Idempotence, ProducerView, SettingValue, Settings, Stream,
    StreamId, Tally,
};
use values::Value;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::encode::{Compression, Encoder};
use crate::source::Sink;
use crate::value;

/// What a set of keys adds up to. The default is that of no keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    sum: u128,
    check: u32,
}

/// The size of a digest, in bytes.
const DIGEST_BYTES: usize = 20;

impl Digest {
    /// The digest of a value with its expiry, whatever its key. `now_ms` is the time, in
    /// milliseconds since the epoch, at which idempotent IDs count or have expired.
    pub fn of_value(value: &Value, expires_at_ms: Option<i64>, now_ms: u64) -> Digest {
        let mut out = hashing();
        let expires_at_ms = expires_at_ms.unwrap_or(i64::MIN);
        out.bytes(&expires_at_ms.to_le_bytes());
        out.byte(value::first_code_of(value));
        value::add_to_digest(value, now_ms, &mut out);
        hashed(out)
    }

    /// The digest of that value under a key of a database.
    #[must_use]
    pub fn under(self, database: u16, key: &[u8]) -> Digest {
        let mut out = hashing();
        out.bytes(&database.to_le_bytes());
        out.bytes(&self.bytes());
        out.bytes(key);
        hashed(out)
    }

    /// The digest of all keys of both.
    #[must_use]
    pub fn and(self, other: Digest) -> Digest {
        Digest {
            sum: self.sum.wrapping_add(other.sum),
            check: self.check.wrapping_add(other.check),
        }
    }

    /// As 40 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(crate) fn bytes(self) -> [u8; DIGEST_BYTES] {
        let mut bytes = [0; DIGEST_BYTES];
        let (sum, check) = bytes.split_at_mut(16);
        sum.copy_from_slice(&self.sum.to_be_bytes());
        check.copy_from_slice(&self.check.to_be_bytes());
        bytes
    }
}

/// Puts the content of a stream into a digest.
pub(crate) fn add_stream(stream: &Stream, now_ms: u64, out: &mut Encoder<Hasher>) {
    let Ok(()) = crate::stream::write_entries(stream, out);
    out.number(stream.groups().len() as u64);
    for (name, group) in stream.groups().iter() {
        out.string(name);
        add_group(group, out);
    }
    let idempotence = stream.idempotence();
    out.number(u64::from(idempotence.retention().duration_s));
    out.number(u64::from(idempotence.retention().maxsize));
    out.number(idempotence.iids_added());
    let producers = idempotence.producers(now_ms);
    let producers = producers.map(|producer| of_producer(producer, idempotence));
    out.bytes(&producers.fold(Digest::default(), Digest::and).bytes());
    add_settings(stream.settings(), out);
    if idempotence.has_epochs() {
        let epochs = idempotence.epochs().map(|(producer, epoch)| {
            digest_of(|out| {
                out.string(producer);
                out.number(epoch);
            })
        });
        out.bytes(&epochs.fold(Digest::default(), Digest::and).bytes());
    }
    if idempotence.is_monotone() {
        let producers = idempotence.all_reached().map(|(producer, reached)| {
            digest_of(|out| {
                out.string(producer);
                out.number(reached.number);
                add_id(reached.id, out);
            })
        });
        out.bytes(&producers.fold(Digest::default(), Digest::and).bytes());
    }
    if let Some(sum) = idempotence.counted() {
        add_tally(sum, out);
        let producers = idempotence.counted_producers().map(|(producer, tally)| {
            digest_of(|out| {
                out.string(producer);
                add_tally(tally, out);
            })
        });
        out.bytes(&producers.fold(Digest::default(), Digest::and).bytes());
    }
    if let Some(delayed) = stream.delayed() {
        out.number(delayed.last_number());
        let mut content = Vec::new();
        for entry in delayed.iter() {
            crate::stream::push_delayed(&entry, &mut content);
            out.bytes(&content);
            content.clear();
            let Ok(()) = out.drain();
        }
    }
}

fn add_tally(tally: &Tally, out: &mut Encoder<Hasher>) {
    for what in Counted::ALL {
        out.number(tally.get(what));
    }
}

/// Settings that are as by default add nothing.
fn add_settings<S: Settings>(settings: &Configured<S>, out: &mut Encoder<Hasher>) {
    settings.for_each(|row, value| {
        out.byte(row.tag);
        match value {
            SettingValue::Number(number) => out.number(number),
            SettingValue::Span(first, second) => {
                out.number(first);
                out.number(second);
            }
            SettingValue::Text(text) => out.string(text),
        }
    });
}

fn add_group(group: &Group, out: &mut Encoder<Hasher>) {
    add_id(group.last_delivered(), out);
    out.number(group.entries_read().unwrap_or(u64::MAX));
    out.number(group.pending_count() as u64);
    for entry in group.pending_range(StreamId::MIN, StreamId::MAX) {
        add_id(entry.id, out);
        let delivered_ms = entry.holder.map_or(0, |holder| holder.delivered_ms);
        out.bytes(&delivered_ms.to_le_bytes());
        out.number(entry.delivery_count);
        let Ok(()) = out.drain();
    }
    out.number(group.consumer_count() as u64);
    for (_, consumer) in group.consumers() {
        out.string(consumer.name());
        add_ids(consumer.pending_ids(StreamId::MIN), out);
    }
    add_ids(group.given_back(), out);
    // The order among pending entries of one delivery time.
    add_ids(group.latecomers(), out);
    for (_, until_ms) in group.paused() {
        out.number(until_ms);
    }
    add_settings(group.settings(), out);
}

fn add_ids(ids: impl Iterator<Item = StreamId>, out: &mut Encoder<Hasher>) {
    let mut count = 0;
    for id in ids {
        count += 1;
        add_id(id, out);
        let Ok(()) = out.drain();
    }
    out.number(count);
}

fn add_id(id: StreamId, out: &mut Encoder<Hasher>) {
    out.number(id.ms);
    out.number(id.seq);
}

fn of_producer(producer: ProducerView<'_>, idempotence: &Idempotence) -> Digest {
    digest_of(|out| {
        out.string(producer.id());
        producer.for_each(|record| {
            out.string(record.iid);
            add_id(record.id, out);
            out.number(record.added_at_ms);
            if let Some(message) = idempotence.message(producer.id(), record.id) {
                out.number(message);
            }
        });
    })
}

/// What bytes hash to, as they come.
pub(crate) struct Hasher(Box<Xxh3>);

impl Sink for Hasher {
    type Error = Infallible;

    fn write(&mut self, piece: &[u8]) -> Result<(), Infallible> {
        self.0.update(piece);
        Ok(())
    }
}

/// The digest of what `write` writes: parts without an order are digested one by one and added up.
pub(crate) fn digest_of(write: impl FnOnce(&mut Encoder<Hasher>)) -> Digest {
    let mut out = hashing();
    write(&mut out);
    hashed(out)
}

fn hashing() -> Encoder<Hasher> {
    Encoder::new(Hasher(Box::new(Xxh3::new())), Compression::Off)
}

fn hashed(out: Encoder<Hasher>) -> Digest {
    // The checksum that ends what an encoder writes goes into the hash too.
    let Ok(hasher) = out.finish();
    let sum = hasher.0.digest128();
    Digest {
        sum,
        check: xxh3_64(&sum.to_be_bytes()) as u32,
    }
}

#[cfg(test)]
mod tests {
    use stream::{NodeLimits, Remembered, Retention};
    use values::StringValue;

    use super::*;

    fn string(text: &str) -> Value {
        StringValue::from_bytes(text.as_bytes()).into()
    }

    fn stream(seed: u64, producers: impl IntoIterator<Item = u64>) -> Stream {
        let retention = Retention {
            duration_s: 100,
            maxsize: 10,
        };
        let mut stream = Stream::new(retention, seed);
        let id = StreamId { ms: 1000, seq: 1 };
        stream
            .append(id, [b"f".as_slice(), b"v"].into_iter(), NodeLimits::DEFAULT)
            .unwrap();
        for producer in producers {
            let record = Remembered {
                iid: b"iid",
                id,
                added_at_ms: 1000 + producer,
            };
            let name = producer.to_string();
            stream
                .idempotence_mut()
                .restore_record(name.as_bytes(), record, 5000);
        }
        stream
    }

    fn digest(stream: Stream, now_ms: u64) -> Digest {
        Digest::of_value(&Value::from(stream), None, now_ms)
    }

    #[test]
    fn keys_add_up_to_the_same_in_any_order() {
        let key =
            |name: &str, text| Digest::of_value(&string(text), None, 0).under(0, name.as_bytes());
        let (a, b) = (key("a", "1"), key("b", "2"));
        assert_eq!(a.and(b), b.and(a));
        assert_ne!(a.and(b), key("a", "2").and(key("b", "1")));
        assert_eq!(Digest::default().to_hex(), "0".repeat(40));
    }

    #[test]
    fn key_database_expiry_and_value_count() {
        let plain = Digest::of_value(&string("1"), None, 0);
        assert_ne!(plain, Digest::of_value(&string("2"), None, 0));
        assert_ne!(plain, Digest::of_value(&string("1"), Some(1000), 0));
        assert_ne!(plain.under(0, b"a"), plain.under(0, b"b"));
        assert_ne!(plain.under(0, b"a"), plain.under(1, b"a"));
    }

    #[test]
    fn producers_count_without_order_until_they_expire() {
        let some = digest(stream(1, 0..50), 5000);
        assert_eq!(some, digest(stream(2, (0..50).rev()), 5000));
        assert_ne!(some, digest(stream(1, 0..49), 5000));
        assert_ne!(some, digest(stream(1, []), 5000));
        assert_eq!(
            digest(stream(1, 0..50), 200_000),
            digest(stream(1, []), 200_000)
        );
    }
}
