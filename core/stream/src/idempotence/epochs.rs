//! The epochs of a stream's producers: of several programs that take themselves for one producer,
//! only that with the latest epoch may append.
//!
//! An epoch is a number that a program is given when it begins, greater than any that its producer
//! had before. Who has an older one, or none although there is one, is fenced: it was thought dead,
//! and another took over. Epochs are never forgotten, or an old one would count again.

use collections::directory::{Directory, Entry};
use triomphe::ThinArc;

/// The greatest epoch, because clients read it as a signed 64-bit number.
pub const EPOCH_MAX: u64 = i64::MAX as u64;

/// The latest epoch of each producer that was given one.
#[derive(Clone, Debug, Default)]
pub(super) struct Epochs {
    producers: Directory<OfProducer>,
}

#[derive(Clone, Debug)]
struct OfProducer {
    hash: u64,
    name: ThinArc<(), u8>,
    epoch: u64,
}

impl OfProducer {
    fn is(&self, hash: u64, name: &[u8]) -> bool {
        self.hash == hash && self.name.slice == *name
    }
}

fn hash_of(producer: &OfProducer) -> u64 {
    producer.hash
}

impl Epochs {
    /// Returns whether no producer was given one.
    pub(super) fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// The latest epoch of a producer; 0 if it was given none.
    pub(super) fn latest(&self, hash: u64, name: &[u8]) -> u64 {
        let found = self.producers.find(hash, |p| p.is(hash, name));
        found.map_or(0, |producer| producer.epoch)
    }

    /// Sets the latest epoch of a producer.
    pub(super) fn set(&mut self, hash: u64, name: &[u8], epoch: u64) {
        match self.producers.entry(hash, |p| p.is(hash, name), hash_of) {
            Entry::Occupied(mut entry) => entry.get_mut().epoch = epoch,
            Entry::Vacant(entry) => {
                let name = ThinArc::from_header_and_slice((), name);
                entry.insert(OfProducer { hash, name, epoch });
            }
        }
    }

    /// All producers with their latest epochs, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let producers = self.producers.iter();
        producers.map(|producer| (&producer.name.slice, producer.epoch))
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
