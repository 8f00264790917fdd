//! Changes of hashes.

use collections::hash::NameHasher;
use resp::Argv;
use values::Hash;

use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};

/// A hash changes.
#[derive(Debug, Clone)]
pub enum HashChange<'a> {
    /// `HSET key field value ...`; a hash that is missing is made.
    Set {
        /// Fields and their values in turn.
        pairs: Argv<'a>,
    },
    /// `HSET key field value`; likewise.
    SetField {
        /// The field.
        field: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// `HDEL key field ...`: the key goes with its last field.
    Delete {
        /// The fields; some may be missing or come twice.
        fields: Argv<'a>,
    },
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL)
    }

    const HDEL_NAME: Name = Name::new("hdel", Class::Hash);

    /// Fields were set.
    pub const HSET: &Event = &named(&[Name::new("hset", Class::Hash)]);
    /// A number was added to a field.
    pub const HINCRBY: &Event = &named(&[Name::new("hincrby", Class::Hash)]);
    /// The same with floating-point numbers.
    pub const HINCRBYFLOAT: &Event = &named(&[Name::new("hincrbyfloat", Class::Hash)]);
    /// Fields were deleted, but not all.
    pub const HDEL: &Event = &named(&[HDEL_NAME]);
    /// All fields were deleted, and so the key.
    pub const HDEL_ALL: &Event = &named(&[HDEL_NAME, Name::new("del", Class::Generic)]);
}

impl Family for HashChange<'_> {}

impl HashChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match *self {
            HashChange::Set { pairs } => {
                let values = pairs.skip(1).iter().step_by(2);
                store.set_fields(key, pairs.len() / 2, pairs.iter().step_by(2).zip(values))
            }
            HashChange::SetField { field, value } => {
                store.set_fields(key, 1, std::iter::once((field, value)))
            }
            HashChange::Delete { fields } => store.delete_fields(key, fields),
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            HashChange::Set { pairs } => encode_all("HSET", key, pairs, out),
            HashChange::SetField { field, value } => Line::new(out, 4, "HSET")
                .arg(key)
                .arg(field)
                .arg(value)
                .end(),
            HashChange::Delete { fields } => encode_all("HDEL", key, fields, out),
        }
    }
}

fn encode_all(name: &str, key: &[u8], args: Argv<'_>, out: &mut Out<'_>) -> u32 {
    let mut line = Line::new(out, 2 + args.len(), name);
    line.arg(key);
    args.iter().for_each(|arg| {
        line.arg(arg);
    });
    line.end()
}

impl Store<'_> {
    /// Returns how many fields were set.
    fn set_fields<'p>(
        &mut self,
        key: &[u8],
        len: usize,
        pairs: impl Iterator<Item = (&'p [u8], &'p [u8])>,
    ) -> u64 {
        let hasher = NameHasher::new([self.data.producer_seed, 0]);
        let hash = self.hash(key);
        let thresholds = self.data.thresholds;
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut longs = OfRequest::new(&self.larges);
        let mut count = 0;
        let set_all = |fields: &mut Hash, longs: &mut OfRequest<'_>| {
            fields.expect(len, hasher, &thresholds);
            for (field, value) in pairs {
                fields.set_with(field, value, hasher, &thresholds, longs);
                count += 1;
            }
        };
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                set_all(record.value.get_mut().expect(DECIDED), &mut longs);
                record.changed = lsn;
                let to = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, to);
                longs.drop_later(&mut self.data.dropped);
            }
            found => {
                let is_overdue = found.is_some();
                let mut fields = Hash::new();
                set_all(&mut fields, &mut longs);
                longs.drop_later(&mut self.data.dropped);
                if is_overdue {
                    self.expire(key);
                }
                let now = self.now.unix();
                let record = Record::new(self.key(key), fields.into(), None, lsn, now);
                self.put_record(self.database, hash, record);
            }
        }
        count
    }

    /// Returns how many fields were deleted.
    fn delete_fields(&mut self, key: &[u8], fields: Argv<'_>) -> u64 {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let Some(record) = record else {
            return 0;
        };
        let from = SizeClass::of(&record.value);
        let all: &mut Hash = record.value.get_mut().expect(DECIDED);
        let mut longs = OfRequest::new(&self.larges);
        let deleted = fields.iter().filter(|field| all.remove(field, &mut longs));
        let deleted = deleted.count() as u64;
        let is_empty = all.is_empty();
        if deleted > 0 {
            record.changed = lsn;
        }
        let to = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, to);
        longs.drop_later(&mut self.data.dropped);
        if is_empty {
            let gone = self.data.keyspace.remove(self.database, hash, key, lsn);
            self.data.dropped.take(What::Record(gone.expect(DECIDED)));
        }
        deleted
    }
}
