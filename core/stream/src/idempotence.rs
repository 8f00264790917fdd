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
//! `ring` or `split`), `calendar` (what expires when), `fingerprint` (iids made from messages),
//! `own` (what only some streams keep: `messages`, what these were; `epochs`, who may append;
//! `counts`, what happened to producers; `numbers`, which they have reached), `producers` (what is
//! known of each).

use std::hash::{BuildHasher, Hasher};

use collections::directory::{Directory, Entry};
use collections::hash::is_same;
use foldhash::fast::FixedState;
use triomphe::Arc;

use crate::StreamId;
use crate::settings::{IidMode, OnConflict, StreamSettings};
use calendar::Calendar;
use counts::Counts;
use limits::{RECORDS_PER_WORK_UNIT, UNSORTED_RECORDS_MAX, UNSORTED_RECORDS_MIN};
use messages::Messages;
use numbers::Numbers;
use own::Own;
use record::Lifetime;
use window::{Bounds, Window};

mod calendar;
mod counts;
mod epochs;
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

/// Whether expiry has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing is due any more.
    Done,
    /// The budget ran out first.
    MoreIsDue,
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
                if let Some(messages) = self.own_mut().and_then(|own| own.messages.as_mut()) {
                    forgotten._messages = Some(std::mem::take(messages));
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

    /// The latest epoch of a producer; 0 if it was never given one.
    #[inline]
    pub fn epoch(&self, producer: &[u8]) -> u64 {
        match &self.own {
            None => 0,
            Some(own) => own.epochs.latest(hash_bytes(self.seed, producer), producer),
        }
    }

    /// Gives a producer an epoch. It outlives all iids.
    pub fn set_epoch(&mut self, producer: &[u8], epoch: u64) {
        let hash = hash_bytes(self.seed, producer);
        let own = self.own.get_or_insert_default();
        Arc::make_mut(own).epochs.set(hash, producer, epoch);
    }

    /// All producers that were given an epoch, with the latest one, in no particular order.
    pub fn epochs(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.own.iter().flat_map(|own| own.epochs.iter())
    }

    /// Returns whether any producer was given an epoch.
    pub fn has_epochs(&self) -> bool {
        self.own.as_ref().is_some_and(|own| !own.epochs.is_empty())
    }

    /// Returns whether it keeps anything beside the windows of producers, which Redis does not.
    #[inline]
    pub fn is_beyond_redis(&self) -> bool {
        self.own.is_some()
    }

    /// From now on keeps what the stream is told to keep, and nothing else. Returns what is
    /// forgotten because of that, to be dropped where nobody waits.
    pub fn follow(&mut self, settings: &StreamSettings) -> Forgotten {
        let mut forgotten = Forgotten::nothing();
        let own = Arc::make_mut(self.own.get_or_insert_default());
        match settings.on_conflict {
            OnConflict::Ignore => forgotten._messages = own.messages.take(),
            OnConflict::Error => drop(own.messages.get_or_insert_default()),
        }
        match settings.counts_producers {
            false => forgotten._counts = own.counts.take(),
            true => drop(own.counts.get_or_insert_default()),
        }
        match settings.iid_mode {
            IidMode::Window => forgotten._numbers = own.numbers.take(),
            IidMode::Monotone => drop(own.numbers.get_or_insert_default()),
        }
        let messages = forgotten._messages.as_ref();
        let counts = forgotten._counts.as_ref();
        let numbers = forgotten._numbers.as_ref();
        forgotten.bytes = messages.map_or(0, |gone| gone.allocated_bytes(self.record_count))
            + counts.map_or(0, Counts::allocated_bytes)
            + numbers.map_or(0, Numbers::allocated_bytes);
        if own.is_empty() {
            self.own = None;
        }
        forgotten
    }

    /// Returns whether iids are numbers that grow, of which only the last one is kept.
    pub fn is_monotone(&self) -> bool {
        self.numbers().is_some()
    }

    /// How an append stands to what its producer has reached at `now_ms`, where iids are numbers;
    /// `None` if this one is not.
    pub fn stand(&self, producer: &[u8], iid: &[u8], now_ms: u64) -> Option<Stand> {
        let number = number_of_iid(iid)?;
        Some(Stand::of(number, self.reached(producer, now_ms)))
    }

    /// The greatest number that a producer has used as an iid, as far as that is remembered at
    /// `now_ms`. Until its first append since iids are numbers, that is the greatest in its window.
    pub fn reached(&self, producer: &[u8], now_ms: u64) -> Option<Reached> {
        let hash = hash_bytes(self.seed, producer);
        let reached = self.numbers()?.of(hash, producer);
        reached.or_else(|| {
            let lifetime = self.lifetime(now_ms);
            let found = self.producers.find(hash, |p| p.is(hash, producer))?;
            let mut greatest: Option<Reached> = None;
            found.window.for_each(|record| {
                let number = number_of_iid(record.iid);
                let number = number.filter(|_| !lifetime.is_over(record.added_at_ms));
                if let Some(number) = number
                    && greatest.is_none_or(|known| known.number < number)
                {
                    let id = record.id;
                    greatest = Some(Reached { number, id });
                }
            });
            greatest
        })
    }

    /// All producers of which it is known what they have reached, in no particular order.
    pub fn all_reached(&self) -> impl Iterator<Item = (&[u8], Reached)> {
        self.numbers().into_iter().flat_map(Numbers::iter)
    }

    /// Sets what a producer has reached, for a stream that is read from a file, if iids are numbers
    /// there.
    pub fn restore_reached(&mut self, producer: &[u8], reached: Reached) {
        let hash = hash_bytes(self.seed, producer);
        if let Some(numbers) = self.own_mut().and_then(|own| own.numbers.as_mut()) {
            numbers.set(hash, producer, reached);
        }
    }

    /// Returns whether iids are numbers, and then notes that a producer has reached this one.
    #[cold]
    fn record_number(&mut self, producer: &[u8], iid: &[u8], id: StreamId, now_ms: u64) -> bool {
        if !self.is_monotone() {
            return false;
        }
        self.iids_added = self.iids_added.wrapping_add(1);
        let hash = hash_bytes(self.seed, producer);
        let before = self.reached(producer, now_ms);
        let number = number_of_iid(iid);
        let number = number.filter(|number| before.is_none_or(|before| before.number < *number));
        let Some(number) = number else {
            return true;
        };
        let own = self.own_mut();
        let set = own.and_then(|own| own.numbers.as_mut()).map(|numbers| {
            let reached = Reached { number, id };
            numbers.set(hash, producer, reached)
        });
        if set == Some(None) {
            self.forget_window(hash, producer);
        }
        true
    }

    /// Forgets the iids of a producer of which it is known now what it has reached.
    fn forget_window(&mut self, hash: u64, producer: &[u8]) {
        let is_it = |p: &Producer| p.is(hash, producer);
        let Some(gone) = self.producers.remove(hash, is_it, hash_of, 0) else {
            return;
        };
        self.record_count -= gone.window.len();
        if let Some(calendar) = self.calendar.as_mut().map(Arc::make_mut) {
            // Its place in the wheel stays until it is due, and then there is no such producer.
            gone.window
                .for_each(|record| calendar.remove_iid(record.added_at_ms));
            calendar.move_producer(Some(gone.window.newest_at_ms()), None);
        }
        self.forget_messages(hash);
    }

    /// Counts what happened to an append of a producer, if such things are counted.
    #[inline]
    pub fn count(&mut self, producer: &[u8], what: Counted, times: u64) {
        if self.own.is_some() {
            self.count_in_own(producer, what, times);
        }
    }

    #[cold]
    fn count_in_own(&mut self, producer: &[u8], what: Counted, times: u64) {
        let hash = hash_bytes(self.seed, producer);
        if let Some(counts) = self.own_mut().and_then(|own| own.counts.as_mut()) {
            counts.add(hash, producer, what, times);
        }
    }

    /// What happened to the appends of all producers; `None` if that is not counted.
    pub fn counted(&self) -> Option<&Tally> {
        self.counts().map(Counts::sum)
    }

    /// What happened to those of each producer that has had any trouble, in no particular order.
    pub fn counted_producers(&self) -> impl Iterator<Item = (&[u8], &Tally)> {
        self.counts().into_iter().flat_map(Counts::iter)
    }

    /// Sets what happened to all producers, for a stream that is read from a file.
    pub fn restore_counted(&mut self, sum: Tally) {
        if let Some(counts) = self.own_mut().and_then(|own| own.counts.as_mut()) {
            counts.restore_sum(sum);
        }
    }

    /// The same for one producer.
    pub fn restore_counted_producer(&mut self, producer: &[u8], tally: Tally) {
        let hash = hash_bytes(self.seed, producer);
        if let Some(counts) = self.own_mut().and_then(|own| own.counts.as_mut()) {
            counts.restore(hash, producer, tally);
        }
    }

    /// Returns whether it keeps what the messages of iids are.
    pub fn keeps_messages(&self) -> bool {
        self.messages().is_some()
    }

    /// A hash of the message that became an entry of a producer: of its fields and values, in any
    /// order. `None` if it is not known: the entry was added before such hashes were kept.
    pub fn message(&self, producer: &[u8], id: StreamId) -> Option<u64> {
        self.messages()?.find(hash_bytes(self.seed, producer), id)
    }

    /// Returns whether these fields are another message than the one that a producer's iid stands
    /// for, which became the entry `id`, as far as that is known.
    pub fn conflicts<'f>(
        &self,
        producer: &[u8],
        iid: &[u8],
        id: StreamId,
        fields: impl IntoIterator<Item = &'f [u8]>,
    ) -> bool {
        let known = self.message(producer, id);
        known.is_some_and(|known| known != messages::hash(producer, iid, fields))
    }

    /// Notes the message of the iid that was just recorded with the entry `id`.
    pub fn record_message<'f>(
        &mut self,
        producer: &[u8],
        iid: &[u8],
        id: StreamId,
        fields: impl IntoIterator<Item = &'f [u8]>,
    ) {
        let message = messages::hash(producer, iid, fields);
        self.restore_message(producer, id, Some(message));
    }

    /// Notes the hash of the message of the iid that was just recorded or restored with the entry
    /// `id`, if messages are kept; `None` if it is not known.
    pub fn restore_message(&mut self, producer: &[u8], id: StreamId, message: Option<u64>) {
        let hash = hash_bytes(self.seed, producer);
        let found = self.producers.find(hash, |p| p.is(hash, producer));
        let window_len = match found {
            Some(found) => found.window.len(),
            // It has reached a number, and the last iid is remembered.
            None if self
                .numbers()
                .is_some_and(|of| of.of(hash, producer).is_some()) =>
            {
                1
            }
            None => return,
        };
        if let Some(messages) = self.own_mut().and_then(|own| own.messages.as_mut()) {
            messages.push(hash, id, message, window_len);
        }
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

    /// The time (Unix, in milliseconds) before which [`Idempotence::expire`] finds nothing to do;
    /// `None` if nothing is remembered. Call it then, or up to a second later. If called early, it
    /// does nothing and gives the next time.
    #[inline]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        match &self.calendar {
            Some(calendar) => calendar.next_deadline_ms(),
            None => (!self.producers.is_empty()).then_some(self.earliest_ms),
        }
    }

    /// Frees the memory of producers whose iids have all expired by `now_ms`. Deducts its work from
    /// `budget`: one for each producer that it looks at (about half a microsecond if nothing is in
    /// a cache). If nothing is due, it takes no time.
    ///
    /// A producer that keeps appending loses its expired iids with its next append. One that
    /// stopped loses all of them when the youngest expires.
    pub fn expire(&mut self, now_ms: u64, budget: &mut usize) -> Expiry {
        if self.calendar.is_some() {
            self.expire_by_calendar(now_ms, budget)
        } else {
            if now_ms >= self.earliest_ms && !self.producers.is_empty() {
                *budget = budget.saturating_sub(self.producers.len());
                self.expire_all(now_ms);
            }
            Expiry::Done
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

    fn own_mut(&mut self) -> Option<&mut Own> {
        self.own.as_mut().map(Arc::make_mut)
    }

    fn messages(&self) -> Option<&Messages> {
        self.own.as_deref()?.messages.as_ref()
    }

    fn counts(&self) -> Option<&Counts> {
        self.own.as_deref()?.counts.as_ref()
    }

    fn numbers(&self) -> Option<&Numbers> {
        self.own.as_deref()?.numbers.as_ref()
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
        let mut calendar = self.calendar.as_mut().map(Arc::make_mut);
        let mut previous_newest_ms = None;
        let mut dropped = 0;
        self.record_count += 1;
        match self
            .producers
            .entry(hash, |p| p.is(hash, producer), hash_of)
        {
            Entry::Occupied(mut entry) => {
                let window = &mut entry.get_mut().window;
                let newest_at_ms = window.newest_at_ms();
                previous_newest_ms = Some(newest_at_ms);
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
            Entry::Vacant(entry) => {
                let window = Window::new(producer, record, sought.iid.hash);
                entry.insert(Producer { hash, window });
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
        dropped
    }

    /// Looks at all producers to make a calendar, or to know the earliest if they are few.
    #[cold]
    fn look_at_all(&mut self) {
        let deadlines = self
            .producers
            .iter()
            .map(|p| self.deadline_ms(p.window.newest_at_ms()));
        self.earliest_ms = deadlines.min().unwrap_or(u64::MAX);
        self.calendar = None;
        if self.record_count > UNSORTED_RECORDS_MAX {
            let mut calendar = Calendar::new(self.earliest_ms);
            for producer in self.producers.iter() {
                let newest_at_ms = producer.window.newest_at_ms();
                calendar.schedule(producer.hash, self.deadline_ms(newest_at_ms));
                calendar.move_producer(None, Some(newest_at_ms));
                producer
                    .window
                    .for_each(|record| calendar.add_iid(record.added_at_ms));
            }
            self.calendar = Some(Arc::new(calendar));
        }
    }

    /// Removes what has expired by looking at all producers, of which there are few.
    fn expire_all(&mut self, now_ms: u64) {
        let lifetime = self.lifetime(now_ms);
        let is_over = |p: &Producer| lifetime.is_over(p.window.newest_at_ms());
        let over = self.producers.iter().filter(|p| is_over(p));
        let hashes: smallvec::SmallVec<[u64; 8]> = over.map(hash_of).collect();
        for hash in hashes {
            let over = |p: &Producer| p.hash == hash && is_over(p);
            if let Some(gone) = self.producers.remove(hash, over, hash_of, 0) {
                self.record_count -= gone.window.len();
                self.forget_messages(hash);
            }
        }
        self.look_at_all();
    }

    fn forget_messages(&mut self, producer_hash: u64) {
        if let Some(messages) = self.own_mut().and_then(|own| own.messages.as_mut()) {
            messages.remove(producer_hash);
        }
    }

    fn expire_by_calendar(&mut self, now_ms: u64, budget: &mut usize) -> Expiry {
        let lifetime = self.lifetime(now_ms);
        let Some(shared) = self
            .calendar
            .as_mut()
            .filter(|calendar| calendar.is_due(now_ms))
        else {
            return Expiry::Done;
        };
        let calendar = Arc::make_mut(shared);
        let own = self.own.as_mut().map(Arc::make_mut);
        let mut messages = own.and_then(|own| own.messages.as_mut());
        while let Some(hash) = calendar.pop_due(now_ms, budget) {
            let over = |p: &Producer| p.hash == hash && lifetime.is_over(p.window.newest_at_ms());
            if let Some(gone) = self.producers.remove(hash, over, hash_of, 0) {
                let len = gone.window.len();
                self.record_count -= len;
                if let Some(messages) = &mut messages {
                    messages.remove(hash);
                }
                gone.window
                    .for_each(|record| calendar.remove_iid(record.added_at_ms));
                calendar.move_producer(Some(gone.window.newest_at_ms()), None);
                *budget = budget.saturating_sub(len / RECORDS_PER_WORK_UNIT);
            } else if let Some(p) = self.producers.find(hash, |p| p.hash == hash) {
                // It kept appending. (If two producers have this hash, each has its own place in
                // the calendar, whichever of them is found here.)
                let deadline_ms = p.window.newest_at_ms().saturating_add(lifetime.duration_ms);
                calendar.schedule(hash, deadline_ms);
            }
        }
        let is_due = calendar.is_due(now_ms);
        if self.record_count <= UNSORTED_RECORDS_MIN {
            self.look_at_all();
            return self.expire(now_ms, budget);
        }
        if is_due {
            Expiry::MoreIsDue
        } else {
            Expiry::Done
        }
    }
}
