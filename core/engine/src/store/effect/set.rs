//! Changes of sets.

use collections::hash::NameHasher;
use resp::Argv;
use values::{Growth, Set};

use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};

/// A set changes.
#[derive(Debug, Clone)]
pub enum SetChange<'a> {
    /// `SADD key member ...`; a set that is missing is made.
    Add {
        /// The members; some may be there or come twice.
        members: Argv<'a>,
    },
    /// `SREM key member ...`: the key goes with its last member.
    Remove {
        /// The members; some may be missing or come twice.
        members: Argv<'a>,
    },
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Set)
    }

    const DEL_NAME: Name = Name::new("del", Class::Generic);

    /// Members were added.
    pub const SADD: &Event = &named(&[name("sadd")]);
    /// Members were removed, but not all.
    pub const SREM: &Event = &named(&[name("srem")]);
    /// All members were removed, and so the key.
    pub const SREM_ALL: &Event = &named(&[name("srem"), DEL_NAME]);
}

impl Family for SetChange<'_> {}

impl SetChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match *self {
            SetChange::Add { members } => store.add_members(key, members),
            SetChange::Remove { members } => store.remove_members(key, members),
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            SetChange::Add { members } => encode_all("SADD", key, members, out),
            SetChange::Remove { members } => encode_all("SREM", key, members, out),
        }
    }
}

fn encode_all(name: &str, key: &[u8], members: Argv<'_>, out: &mut Out<'_>) -> u32 {
    let mut line = Line::new(out, 2 + members.len(), name);
    line.arg(key);
    members.iter().for_each(|member| {
        line.arg(member);
    });
    line.end()
}

impl Store<'_> {
    /// Returns how many members are new.
    fn add_members(&mut self, key: &[u8], members: Argv<'_>) -> u64 {
        let thresholds = self.data.thresholds;
        let growth = Growth {
            hasher: NameHasher::new([self.data.producer_seed, 0]),
            thresholds: &thresholds,
        };
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut longs = OfRequest::new(&self.larges);
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                let set: &mut Set = record.value.get_mut().expect(DECIDED);
                set.expect(members.iter(), growth);
                let is_new = |member: &&[u8]| set.add_with(member, growth, &mut longs);
                let added = members.iter().filter(is_new).count() as u64;
                if added > 0 {
                    record.changed = lsn;
                }
                let to = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, to);
                added
            }
            found => {
                let is_overdue = found.is_some();
                let Some(first) = members.iter().next() else {
                    return 0;
                };
                let mut set = Set::begin(first, members.len(), growth, &mut longs);
                for member in members.iter().skip(1) {
                    set.add_with(member, growth, &mut longs);
                }
                if is_overdue {
                    self.expire(key);
                }
                let added = set.len() as u64;
                let now = self.now.unix();
                let record = Record::new(self.key(key), set.into(), None, lsn, now);
                self.put_record(self.database, hash, record);
                added
            }
        }
    }

    /// Returns how many members were removed.
    fn remove_members(&mut self, key: &[u8], members: Argv<'_>) -> u64 {
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
        let set: &mut Set = record.value.get_mut().expect(DECIDED);
        let mut longs = OfRequest::new(&self.larges);
        let is_removed = |member: &&[u8]| set.remove(member, &mut longs);
        let removed = members.iter().filter(is_removed).count() as u64;
        let is_empty = set.is_empty();
        if removed > 0 {
            record.changed = lsn;
        }
        let to = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, to);
        longs.drop_later(&mut self.data.dropped);
        if is_empty {
            let gone = self.data.keyspace.remove(self.database, hash, key, lsn);
            self.data.dropped.take(What::Record(gone.expect(DECIDED)));
        }
        removed
    }
}
