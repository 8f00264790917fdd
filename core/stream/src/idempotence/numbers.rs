//! The number that each producer has reached, for streams whose iids are numbers that grow
//! (`IDMP-MODE MONOTONE`): one number and one entry a producer say of every iid whether it was
//! used, however long ago. So nothing here expires.

use collections::directory::{Directory, Entry};
use collections::parse_integer;
use triomphe::ThinArc;

use super::activity::{Row, row};
use crate::StreamId;

/// The number that an iid is, if it is one: decimal, from 0 to 2^63 - 1, because clients read it as
/// a signed number, and without leading zeros.
pub fn number_of_iid(iid: &[u8]) -> Option<u64> {
    parse_integer(iid).and_then(|number| u64::try_from(number).ok())
}

/// Where a producer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The greatest iid that it has used.
    pub number: u64,
    /// The entry of that, which may be gone by now.
    pub id: StreamId,
}

impl Reached {
    /// The place of its producer in the order of activity.
    pub(super) fn row(self, hash: u64) -> Row {
        row(self.id.ms, self.id, hash)
    }
}

/// How the iid of an append stands to what its producer has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It is the next one, or the first of its producer.
    Next,
    /// It is greater than the next one after this.
    Beyond(Reached),
    /// It is the last one: a duplicate.
    Last(StreamId),
    /// It is lower than this.
    Stale(Reached),
}

impl Stand {
    /// How a number stands to what was reached.
    pub fn of(number: u64, reached: Option<Reached>) -> Stand {
        match reached {
            None => Stand::Next,
            Some(reached) if number < reached.number => Stand::Stale(reached),
            Some(reached) if number == reached.number => Stand::Last(reached.id),
            Some(reached) if number - reached.number > 1 => Stand::Beyond(reached),
            Some(_) => Stand::Next,
        }
    }
}

/// What producers have reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    producers: Directory<OfProducer>,
}

#[derive(Clone, Debug)]
struct OfProducer {
    hash: u64,
    name: ThinArc<(), u8>,
    reached: Reached,
}

impl OfProducer {
    fn is(&self, hash: u64, name: &[u8]) -> bool {
        self.hash == hash && self.name.slice == *name
    }
}

fn hash_of(producer: &OfProducer) -> u64 {
    producer.hash
}

impl Numbers {
    /// The number of producers.
    pub(super) fn len(&self) -> usize {
        self.producers.len()
    }

    /// What a producer has reached.
    #[inline]
    pub(super) fn of(&self, hash: u64, name: &[u8]) -> Option<Reached> {
        let found = self.producers.find(hash, |p| p.is(hash, name));
        found.map(|producer| producer.reached)
    }

    /// Sets what a producer has reached. Returns what it had reached before.
    #[inline]
    pub(super) fn set(&mut self, hash: u64, name: &[u8], reached: Reached) -> Option<Reached> {
        match self.producers.entry(hash, |p| p.is(hash, name), hash_of) {
            Entry::Occupied(mut entry) => {
                Some(std::mem::replace(&mut entry.get_mut().reached, reached))
            }
            Entry::Vacant(entry) => {
                let name = ThinArc::from_header_and_slice((), name);
                entry.insert(OfProducer {
                    hash,
                    name,
                    reached,
                });
                None
            }
        }
    }

    /// Forgets what a producer has reached. Returns whether it was known.
    pub(super) fn remove(&mut self, hash: u64, name: &[u8]) -> bool {
        let is_it = |p: &OfProducer| p.is(hash, name);
        self.producers.remove(hash, is_it, hash_of, 0).is_some()
    }

    /// The name of the producer with this place in the order of their activity.
    pub(super) fn name_at(&self, row: Row) -> Option<&[u8]> {
        let [.., hash] = row;
        let is_it = |p: &OfProducer| p.reached.row(p.hash) == row;
        self.producers.find(hash, is_it).map(|p| &p.name.slice)
    }

    /// One step of a scan, as of [`Directory::scan`], that shows places in that order.
    pub(super) fn scan_rows(&self, cursor: u64, count: usize, mut f: impl FnMut(Row)) -> u64 {
        let show = |p: &OfProducer| f(p.reached.row(p.hash));
        self.producers.scan(cursor, count, show)
    }

    /// All producers with what they have reached, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Reached)> {
        let producers = self.producers.iter();
        producers.map(|producer| (&producer.name.slice, producer.reached))
    }

    /// One step of a scan, as of [`Directory::scan`], that shows names.
    pub(super) fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(&[u8])) -> u64 {
        let show = |producer: &OfProducer| f(&producer.name.slice);
        self.producers.scan(cursor, count, show)
    }

    /// About how many bytes of memory it takes.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.producers.len() * (size_of::<OfProducer>() * 3 / 2 + 32)
    }
}
