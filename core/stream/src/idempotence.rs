//! The idempotent appends that a stream remembers: for each producer, the entries that its latest
//! iids stand for, with two settings and two counters.
//!
//! An iid counts for `duration_s` seconds after its entry was added, and until its producer has
//! added `maxsize` more. Whether it has expired is decided by the times that callers pass in, never
//! by whether it has been removed yet: removing what has expired only frees memory, can be
//! interrupted at any point, and is never a full scan. All of it is part of the stream's value: a
//! clone is a frozen view that costs a few pointers.
//!
//! Here: [`Idempotence`]. Below: `window` (one producer, in the form that suits its size: `small`,
//! `ring` or `split`), `expiry` and `calendar` (what expires when), `fingerprint` (iids made from
//! messages), `own` (what only some streams keep: `messages`, what these were; `epochs`, who may
//! append; `counts`, what happened to producers; `numbers`, which they have reached; `activity`, in
//! which order they were active), `eviction` (who goes if there are too many), `producers` (what is
//! known of each).

use std::hash::{BuildHasher, Hasher};

use collections::directory::Directory;
use collections::hash::is_same;
use collections::{Tree, Wheel};
use foldhash::fast::FixedState;
use triomphe::Arc;

use crate::StreamId;
use activity::{row, row_of_window};
use calendar::Calendar;
use counts::Counts;
use limits::UNSORTED_RECORDS_MAX;
use messages::Messages;
use numbers::Numbers;
use own::Own;
use record::Lifetime;
use window::{Bounds, Window};

mod activity;
mod calendar;
mod counts;
mod epochs;
mod eviction;
mod expiry;
mod fingerprint;
mod limits;
mod messages;
mod numbers;
mod own;
mod producers;
mod record;
mod ring;
mod small;
mod split;
#[cfg(test)]
mod tests;
mod view;
mod window;

pub use counts::{Counted, Tally};
pub use epochs::EPOCH_MAX;
pub use expiry::Expiry;
pub use fingerprint::{FINGERPRINT_BYTES, fingerprint};
pub use numbers::{Reached, Stand, number_of_iid};
pub use producers::{LastAppend, ProducerReport};
pub use record::Remembered;
pub use view::ProducerView;

/// How long iids are remembered and how many: what `XCFGSET` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How many seconds an iid is remembered, by the clock.
    pub duration_s: u32,
    /// How many iids are remembered for each producer.
    pub maxsize: u32,
}

impl Retention {
    /// What `duration_s` may be (`spec/beyond-8.6.md`, XCFGSET; one day at most).
    pub const DURATION_S: std::ops::RangeInclusive<u32> = 1..=86_400;
    /// What `maxsize` may be.
    pub const MAXSIZE: std::ops::RangeInclusive<u32> = 1..=10_000;
    /// What a stream has by default (`spec/idempotence.md`). A log does not record it for a stream,
    /// so it must never change.
    pub const DEFAULT: Retention = Retention {
        duration_s: 100,
        maxsize: 100,
    };
}

/// What becomes of the iids when the retention is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// They stay, under the new bounds from now on: what is beyond a smaller `maxsize` goes when
    /// its producer appends again, and what had expired does not come back.
    Nothing,
    /// All iids of all producers go. The counters stay.
    Everything,
}

/// How many producers and iids are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    /// Producers with at least one iid that has not expired.
    pub producers: usize,
    /// Iids that have not expired, of all producers.
    pub iids: usize,
}

/// What became of an iid that was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// It is remembered now, or it has expired already and need not be.
    Recorded,
    /// It was remembered before, with the same entry.
    Known,
    /// It is remembered with this other entry; nothing changed.
    Conflict(StreamId),
}

/// The result of a search for an iid, so that [`Idempotence::record_sought`] need not search again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The entry that the iid stands for, if it is remembered: then an append is a duplicate.
    pub known: Option<StreamId>,
    producer_hash: u64,
    iid: SoughtIid,
}

/// The result of the search for the iid itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SoughtIid {
    hash: u64,
    /// The producer has it, even if it has expired.
    is_stored: bool,
}

/// Iids that are no longer remembered but are still in memory: dropping this frees them. That may
/// take 100 ms for a million producers, so it is returned to be dropped where nobody waits.
#[derive(Debug)]
pub struct Forgotten {
    _producers: Directory<Producer>,
    _calendar: Option<Arc<Calendar>>,
    _messages: Option<Messages>,
    _counts: Option<Counts>,
    _numbers: Option<Numbers>,
    _order: Tree<4, 4>,
    _wheel: Option<Wheel<u64>>,
    bytes: usize,
}

impl Forgotten {
    fn nothing() -> Forgotten {
        Forgotten {
            _producers: Directory::new(),
            _calendar: None,
            _messages: None,
            _counts: None,
            _numbers: None,
            _order: Tree::new(),
            _wheel: None,
            bytes: 0,
        }
    }

    /// About how many bytes are freed with it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The remembered idempotent appends of one stream.
#[derive(Clone, Debug)]
pub struct Idempotence {
    retention: Retention,
    iids_added: u64,
    iids_duplicates: u64,
    /// The seed of the hashes of producers and iids.
    seed: u64,
    producers: Directory<Producer>,
    /// The number of iids, those that have expired included.
    record_count: usize,
    /// No time before this one counts: what had expired when the retention changed stays so.
    counted_from_ms: u64,
    /// No producer is forgotten before this time. Kept only if there is no calendar.
    earliest_ms: u64,
    /// Exists once there are too many records to look at one by one.
    calendar: Option<Arc<Calendar>>,
    /// What only some streams keep; `None` if this one does not.
    own: Option<Arc<Own>>,
}

/// A producer in the directory.
#[derive(Clone, Debug)]
struct Producer {
    hash: u64,
    window: Window,
}

impl Producer {
    #[inline]
    fn is(&self, hash: u64, name: &[u8]) -> bool {
        self.hash == hash && is_same(self.window.name(), name)
    }
}

fn hash_of(producer: &Producer) -> u64 {
    producer.hash
}

/// The hash of a producer's name or an iid.
#[inline]
fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl Idempotence {
    /// Nothing remembered, under these bounds. `hash_seed` should be hard to guess, so that nobody
    /// can choose producers with equal hashes. Nothing that a client sees depends on it.
    pub const fn new(retention: Retention, hash_seed: u64) -> Self {
        Idempotence {
            retention,
            iids_added: 0,
            iids_duplicates: 0,
            seed: hash_seed,
            producers: Directory::new(),
            record_count: 0,
            counted_from_ms: 0,
            earliest_ms: u64::MAX,
            calendar: None,
            own: None,
        }
    }

    /// The bounds.
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// Returns how many idempotent appends added an entry, ever.
    pub fn iids_added(&self) -> u64 {
        self.iids_added
    }

    /// Returns how many were found to be duplicates, ever.
    pub fn iids_duplicates(&self) -> u64 {
        self.iids_duplicates
    }

    /// Sets both counters, for a stream that is read from a file.
    pub fn set_counters(&mut self, iids_added: u64, iids_duplicates: u64) {
        self.iids_added = iids_added;
        self.iids_duplicates = iids_duplicates;
    }

    /// The entry for which a producer used that iid, if it is remembered at `now_ms` (Unix time in
    /// milliseconds): then an append is a duplicate.
    #[inline]
    pub fn lookup(&self, producer: &[u8], iid: &[u8], now_ms: u64) -> Option<StreamId> {
        self.seek(producer, iid, now_ms).known
    }

    /// What a producer and one of its iids hash to together.
    pub(crate) fn hash_of(&self, producer: &[u8], iid: &[u8]) -> u64 {
        hash_bytes(hash_bytes(self.seed, producer), iid)
    }

    /// The same, with a result that [`Idempotence::record_sought`] can use.
    #[inline]
    pub fn seek(&self, producer: &[u8], iid: &[u8], now_ms: u64) -> Sought {
        let producer_hash = hash_bytes(self.seed, producer);
        let hash = hash_bytes(self.seed, iid);
        let found = self
            .producers
            .find(producer_hash, |p| p.is(producer_hash, producer));
        let record = found.and_then(|found| found.window.find(iid, hash));
        let lifetime = self.lifetime(now_ms);
        Sought {
            known: record
                .filter(|record| !lifetime.is_over(record.added_at_ms))
                .map(|record| record.id),
            producer_hash,
            iid: SoughtIid {
                hash,
                is_stored: record.is_some(),
            },
        }
    }

    /// Remembers that a producer added the entry `id` under that iid at `added_at_ms` (Unix time
    /// in milliseconds, by the clock), and counts it. Called once the entry has been added.
    ///
    /// Iids of that producer that have expired by then are removed, and so is the oldest beyond
    /// `maxsize`. An iid that is already remembered stands for the new entry from now on. An iid is
    /// never older than the ones before it: if the clock went back, it counts from their time.
    ///
    /// Returns how many iids were dropped before their duration was over.
    ///
    /// Where iids are numbers, the producer has reached this one; one that is no number, or lower,
    /// changes nothing but the count.
    #[inline]
    pub fn record(&mut self, producer: &[u8], iid: &[u8], id: StreamId, added_at_ms: u64) -> u64 {
        if self.own.is_some() && self.record_number(producer, iid, id, added_at_ms) {
            return 0;
        }
        let sought = self.seek(producer, iid, added_at_ms);
        self.record_sought(producer, iid, id, added_at_ms, &sought)
    }

    /// The same where iids are no numbers, after a search for this producer's iid. Nothing may have
    /// changed here since that search.
    #[inline]
    pub fn record_sought(
        &mut self,
        producer: &[u8],
        iid: &[u8],
        id: StreamId,
        added_at_ms: u64,
        sought: &Sought,
    ) -> u64 {
        debug_assert_eq!(sought.iid, self.seek(producer, iid, added_at_ms).iid);
        self.iids_added = self.iids_added.wrapping_add(1);
        let record = Remembered {
            iid,
            id,
            added_at_ms,
        };
        let maxsize = self.retention.maxsize;
        let dropped = self.remember(producer, record, added_at_ms, sought, maxsize);
        if dropped > 0 {
            self.count(producer, Counted::Dropped, dropped);
        }
        dropped
    }

    /// Counts an append of a producer that was found to be a duplicate.
    pub fn count_duplicate(&mut self, producer: &[u8]) {
        self.iids_duplicates = self.iids_duplicates.wrapping_add(1);
        self.count(producer, Counted::Duplicate, 1);
    }

    /// Remembers an iid from a file or a payload without counting it, because the value has the
    /// counters too. For each producer, the oldest comes first. `added_at_ms` is when its entry was
    /// added or, where the file does not say, the time part of its ID; a time after `now_ms` counts
    /// as `now_ms`, or the iid would live too long.
    pub fn restore_record(
        &mut self,
        producer: &[u8],
        record: Remembered<'_>,
        now_ms: u64,
    ) -> Restored {
        let sought = self.seek(producer, record.iid, now_ms);
        match sought.known {
            Some(id) if id == record.id => Restored::Known,
            Some(id) => Restored::Conflict(id),
            None => {
                let added_at_ms = record.added_at_ms.min(now_ms);
                if !self.lifetime(now_ms).is_over(added_at_ms) {
                    // It may have been kept from before a smaller bound.
                    let records_max = *Retention::MAXSIZE.end();
                    self.remember(
                        producer,
                        Remembered {
                            added_at_ms,
                            ..record
                        },
                        now_ms,
                        &sought,
                        records_max,
                    );
                }
                Restored::Recorded
            }
        }
    }

    /// Sets the bounds at `now_ms`. Returns what is forgotten because of them, to be dropped where
    /// nobody waits.
    ///
    /// Where iids stay, this takes no time in proportion to them. Those that a shorter duration
    /// leaves out count no more; their memory is freed when the former one is over, at the latest.
    pub fn configure(&mut self, retention: Retention, forget: Forget, now_ms: u64) -> Forgotten {
        let mut forgotten = Forgotten::nothing();
        let former = self.lifetime(now_ms);
        self.retention = retention;
        match forget {
            Forget::Everything => {
                forgotten.bytes = self.allocated_bytes();
                forgotten._producers = self.producers.clear(0);
                forgotten._calendar = self.calendar.take();
                if let Some(own) = self.own_mut() {
                    forgotten._messages = own.messages.as_mut().map(std::mem::take);
                    let activity = own.activity.as_mut();
                    forgotten._order = activity.map_or_else(Tree::new, activity::Activity::reset);
                }
                self.record_count = 0;
                self.counted_from_ms = 0;
                self.earliest_ms = u64::MAX;
            }
            Forget::Nothing if former.duration_ms != self.duration_ms() => {
                let over_ms = former.now_ms.checked_sub(former.duration_ms);
                self.counted_from_ms =
                    over_ms.map_or(0, |over_ms| over_ms.saturating_add(self.duration_ms()));
                if self.calendar.is_none() {
                    self.look_at_all();
                }
            }
            Forget::Nothing => {}
        }
        forgotten
    }

    /// What is remembered at `now_ms`, without what has expired but is not removed yet. With many
    /// iids, the count follows the clock in steps of a second and may be a second late. A producer
    /// whose iids are numbers has one of them.
    pub fn tracked(&self, now_ms: u64) -> Tracked {
        let numbers = self.numbers().map_or(0, Numbers::len);
        let windows = self.tracked_in_windows(now_ms);
        Tracked {
            producers: windows.producers + numbers,
            iids: windows.iids + numbers,
        }
    }

    fn tracked_in_windows(&self, now_ms: u64) -> Tracked {
        match &self.calendar {
            Some(calendar) => {
                let (producers, iids) = calendar.expired(self.lifetime(now_ms));
                Tracked {
                    producers: self.producers.len().saturating_sub(producers),
                    iids: self.record_count.saturating_sub(iids),
                }
            }
            None => self
                .producers(now_ms)
                .fold(Tracked::default(), |sum, producer| Tracked {
                    producers: sum.producers + 1,
                    iids: sum.iids + producer.len(),
                }),
        }
    }

    /// The producers that have iids at `now_ms`, in no particular order. With 0 for the time it is
    /// all that a copy must have, [`Idempotence::producer_count`] of them.
    pub fn producers(&self, now_ms: u64) -> impl Iterator<Item = ProducerView<'_>> {
        let lifetime = self.lifetime(now_ms);
        let views = self
            .producers
            .iter()
            .map(move |p| ProducerView::new(&p.window, lifetime));
        views.filter(ProducerView::is_tracked)
    }

    /// The number of producers that a copy must have.
    pub fn producer_count(&self) -> usize {
        match self.counted_from_ms {
            0 => self.producers.len(),
            _ => self.producers(0).count(),
        }
    }

    /// What is in memory, including what has expired but is not removed yet.
    pub fn stored(&self) -> Tracked {
        Tracked {
            producers: self.producers.len(),
            iids: self.record_count,
        }
    }

    /// About how many bytes of memory it takes, estimated from a sample of the producers.
    pub fn allocated_bytes(&self) -> usize {
        const SAMPLE: usize = 32;
        let sampled: usize = self
            .producers
            .iter()
            .take(SAMPLE)
            .map(|p| p.window.allocated_bytes())
            .sum();
        let len = self.producers.len();
        // A table is two thirds full on average, and a place in the calendar has 16 bytes.
        let places = len * (size_of::<Producer>() * 3 / 2 + 16);
        let own = self.own.as_deref();
        let own = own.map_or(0, |own| own.allocated_bytes(self.record_count));
        own + places + (sampled as u128 * len as u128 / SAMPLE.min(len).max(1) as u128) as usize
    }

    #[inline]
    fn lifetime(&self, now_ms: u64) -> Lifetime {
        Lifetime {
            duration_ms: self.duration_ms(),
            now_ms: now_ms.max(self.counted_from_ms),
        }
    }

    #[inline]
    fn duration_ms(&self) -> u64 {
        u64::from(self.retention.duration_s) * 1_000
    }

    /// When a producer is forgotten whose youngest iid was added then.
    fn deadline_ms(&self, newest_at_ms: u64) -> u64 {
        newest_at_ms.saturating_add(self.duration_ms())
    }

    /// Adds an iid to its producer's window, and removes what has expired at `now_ms`. Returns how
    /// many were removed that had not.
    fn remember(
        &mut self,
        producer: &[u8],
        mut record: Remembered<'_>,
        now_ms: u64,
        sought: &Sought,
        records_max: u32,
    ) -> u64 {
        let seed = self.seed;
        let hash_iid = |iid: &[u8]| hash_bytes(seed, iid);
        let hash = sought.producer_hash;
        let bounds = Bounds {
            lifetime: self.lifetime(now_ms),
            records_max: records_max.max(1) as usize,
        };
        if bounds.lifetime.now_ms > now_ms {
            // The clock went back to before what has been forgotten: as for the iids of a producer.
            let least_ms = (bounds.lifetime.now_ms + 1).saturating_sub(bounds.lifetime.duration_ms);
            record.added_at_ms = record.added_at_ms.max(least_ms);
        }
        let is_ordered = self.activity().is_some();
        let mut calendar = self.calendar.as_mut().map(Arc::make_mut);
        let mut previous_row = None;
        let mut previous_newest_ms = None;
        let mut dropped = 0;
        self.record_count += 1;
        match self.producers.find_mut(hash, |p| p.is(hash, producer)) {
            Some(Producer { window, .. }) => {
                let newest_at_ms = window.newest_at_ms();
                previous_newest_ms = Some(newest_at_ms);
                if is_ordered {
                    previous_row = Some(row_of_window(hash, window));
                }
                record.added_at_ms = record.added_at_ms.max(newest_at_ms);
                let record_count = &mut self.record_count;
                window.record(record, sought.iid, bounds, hash_iid, |added_at_ms| {
                    *record_count -= 1;
                    dropped += u64::from(!bounds.lifetime.is_over(added_at_ms));
                    if let Some(calendar) = &mut calendar {
                        calendar.remove_iid(added_at_ms);
                    }
                });
            }
            None => {
                let window = Window::new(producer, record, sought.iid.hash);
                self.producers
                    .insert(hash, Producer { hash, window }, hash_of);
            }
        }
        let deadline_ms = record
            .added_at_ms
            .saturating_add(bounds.lifetime.duration_ms);
        if let Some(calendar) = calendar {
            calendar.add_iid(record.added_at_ms);
            calendar.move_producer(previous_newest_ms, Some(record.added_at_ms));
            if previous_newest_ms.is_none() {
                calendar.schedule(hash, deadline_ms);
            }
        } else {
            self.earliest_ms = self.earliest_ms.min(deadline_ms);
            if self.record_count > UNSORTED_RECORDS_MAX {
                self.look_at_all();
            }
        }
        if is_ordered {
            let row = row(record.added_at_ms, record.id, hash);
            self.reorder(previous_row, Some(row));
        }
        dropped
    }
}
