//! Changes of hashes.

use collections::hash::NameHasher;
use resp::Argv;
use values::{Hash, Key};

use super::Changed;
use super::encode::{Line, Out};
use crate::store::apply::{DECIDED, Store};
use crate::store::keyspace::Record;

/// A hash changes; one that is missing is made.
#[derive(Debug, Clone)]
pub enum HashChange<'a> {
    /// `HSET key field value ...`.
    Set {
        /// Fields and their values in turn.
        pairs: Argv<'a>,
    },
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    /// Fields were set.
    pub const HSET: &Event = &Event::named(&[Name::new("hset", Class::Hash)], Touch::ALL);
}

impl HashChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        match *self {
            HashChange::Set { pairs } => Changed::by_event(store.set_fields(key, pairs)),
        }
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            HashChange::Set { pairs } => {
                let mut line = Line::new(out, 2 + pairs.len(), "HSET");
                line.arg(key);
                pairs.iter().for_each(|part| {
                    line.arg(part);
                });
                line.end()
            }
        }
    }
}

impl Store<'_> {
    fn set_fields(&mut self, key: &[u8], pairs: Argv<'_>) -> u64 {
        let hasher = NameHasher::new([self.data.producer_seed, 0]);
        let hash = self.data.keyspace.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let set_all = |fields: &mut Hash| {
            let mut parts = pairs.iter();
            while let (Some(field), Some(value)) = (parts.next(), parts.next()) {
                fields.set(field, value, hasher);
            }
        };
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                set_all(record.value.get_mut().expect(DECIDED));
                record.changed = lsn;
            }
            found => {
                if found.is_some() {
                    self.expire(key);
                }
                let mut fields = Hash::new();
                set_all(&mut fields);
                let now = self.now.unix();
                let record = Record::new(Key::from(key), fields.into(), None, lsn, now);
                self.put_record(self.database, hash, record);
            }
        }
        pairs.len() as u64 / 2
    }
}
