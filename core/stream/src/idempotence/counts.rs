//! What happened to the appends of producers that did not go as they should, counted for each
//! producer and for all of them. Kept only where a stream was told to (`IDMP-STATS ON`): a producer
//! whose window is full would write here with each append.
//!
//! A producer has a row once there is something to count, so those without trouble cost nothing. A
//! row outlives what is remembered of its producer. There are [`COUNTED_PRODUCERS_MAX`] rows at
//! most; what happens to further producers counts in the sums.

use collections::directory::{Directory, Entry};
use triomphe::ThinArc;

use super::limits::COUNTED_PRODUCERS_MAX;

/// What is counted of the appends of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It was a duplicate, and answered as such.
    Duplicate,
    /// Its iid was used for another message, and it was refused.
    Conflict,
    /// It did not have the latest epoch, and was refused.
    Fenced,
    /// Its iid is lower than the last one, and it was refused.
    Stale,
    /// Its iid is not the next one, and it was refused.
    Gap,
    /// An iid was dropped before its duration was over, because the window was full.
    Dropped,
    /// It was forgotten, because the stream was to know no more producers.
    Evicted,
}

impl Counted {
    /// All of them, in the order in which they are shown. Files know each by its place.
    pub const ALL: [Counted; 7] = [
        Counted::Duplicate,
        Counted::Conflict,
        Counted::Fenced,
        Counted::Stale,
        Counted::Gap,
        Counted::Dropped,
        Counted::Evicted,
    ];

    /// The name of the count in replies.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Duplicate => "duplicates",
            Counted::Conflict => "conflicts",
            Counted::Fenced => "fenced",
            Counted::Stale => "stale",
            Counted::Gap => "gaps",
            Counted::Dropped => "dropped",
            Counted::Evicted => "evicted",
        }
    }
}

/// How often each of these happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; Counted::ALL.len()]);

impl Tally {
    /// How often that happened.
    pub fn get(&self, what: Counted) -> u64 {
        self.0[what as usize]
    }

    /// It happened some times more. The count stops at what clients read as a signed number.
    pub fn add(&mut self, what: Counted, times: u64) {
        let count = &mut self.0[what as usize];
        *count = count.saturating_add(times).min(i64::MAX as u64);
    }

    /// Returns whether nothing happened.
    pub fn is_zero(&self) -> bool {
        *self == Tally::default()
    }
}

/// The counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    sum: Tally,
    producers: Directory<OfProducer>,
}

#[derive(Clone, Debug)]
struct OfProducer {
    hash: u64,
    name: ThinArc<(), u8>,
    tally: Tally,
}

impl OfProducer {
    fn is(&self, hash: u64, name: &[u8]) -> bool {
        self.hash == hash && self.name.slice == *name
    }
}

fn hash_of(producer: &OfProducer) -> u64 {
    producer.hash
}

impl Counts {
    /// What happened to all producers.
    pub(super) fn sum(&self) -> &Tally {
        &self.sum
    }

    /// What happened to one of them.
    pub(super) fn of(&self, hash: u64, name: &[u8]) -> Tally {
        let found = self.producers.find(hash, |p| p.is(hash, name));
        found.map_or_else(Tally::default, |producer| producer.tally)
    }

    /// Counts what happened to a producer.
    pub(super) fn add(&mut self, hash: u64, name: &[u8], what: Counted, times: u64) {
        self.sum.add(what, times);
        if let Some(tally) = self.row(hash, name) {
            tally.add(what, times);
        }
    }

    /// Sets the sums, as a file has them.
    pub(super) fn restore_sum(&mut self, sum: Tally) {
        self.sum = sum;
    }

    /// Sets what happened to a producer, as a file has it.
    pub(super) fn restore(&mut self, hash: u64, name: &[u8], tally: Tally) {
        if let Some(row) = self.row(hash, name) {
            *row = tally;
        }
    }

    /// The row of a producer, made if need be; `None` if there are too many.
    fn row(&mut self, hash: u64, name: &[u8]) -> Option<&mut Tally> {
        let is_full = self.producers.len() >= COUNTED_PRODUCERS_MAX;
        match self.producers.entry(hash, |p| p.is(hash, name), hash_of) {
            Entry::Occupied(entry) => Some(&mut entry.into_mut().tally),
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(entry) => {
                let new = OfProducer {
                    hash,
                    name: ThinArc::from_header_and_slice((), name),
                    tally: Tally::default(),
                };
                Some(&mut entry.insert(new).tally)
            }
        }
    }

    /// All producers that have a row, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Tally)> {
        let producers = self.producers.iter();
        producers.map(|producer| (&producer.name.slice, &producer.tally))
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
