//! What a stream keeps of its producers beside their windows, and only where it was told to or
//! somebody asked for it: Redis has none of this. It is in one place, so an append to a stream that
//! has none of it looks once.

use triomphe::Arc;

use super::activity::Activity;
use super::calendar::Calendar;
use super::counts::{Counted, Counts, Tally};
use super::epochs::Epochs;
use super::messages::{self, Messages};
use super::numbers::{Numbers, Reached, Stand, number_of_iid};
use super::{Forgotten, Idempotence, Producer, hash_bytes, hash_of};
use crate::StreamId;
use crate::settings::{IidMode, OnConflict, StreamSettings};

/// What is kept beside the windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// What the messages of iids were, if that is kept.
    pub(super) messages: Option<Messages>,
    /// The epochs of producers.
    pub(super) epochs: Epochs,
    /// What happened to the appends of producers, if that is counted.
    pub(super) counts: Option<Counts>,
    /// What producers have reached, if their iids are numbers.
    pub(super) numbers: Option<Numbers>,
    /// Who was active when, if only some producers are to be known.
    pub(super) activity: Option<Activity>,
}

impl Own {
    /// Returns whether nothing is kept, nor is to be kept.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_none()
            && self.epochs.is_empty()
            && self.counts.is_none()
            && self.numbers.is_none()
            && self.activity.is_none()
    }

    /// About how many bytes of memory it takes, if this many iids are remembered.
    pub(super) fn allocated_bytes(&self, iids: usize) -> usize {
        let messages = self.messages.as_ref();
        let counts = self.counts.as_ref();
        let numbers = self.numbers.as_ref();
        let activity = self.activity.as_ref();
        messages.map_or(0, |messages| messages.allocated_bytes(iids))
            + self.epochs.allocated_bytes()
            + counts.map_or(0, Counts::allocated_bytes)
            + numbers.map_or(0, Numbers::allocated_bytes)
            + activity.map_or(0, Activity::allocated_bytes)
    }
}

impl Idempotence {
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
        let calendar = self.calendar.as_mut().map(Arc::make_mut);
        match (settings.producers_max, &mut own.activity) {
            (None, activity) => {
                if let Some(activity) = activity.take() {
                    forgotten._order = activity.into_rows();
                    calendar.into_iter().for_each(Calendar::schedule_again);
                }
            }
            (Some(producers_max), Some(activity)) => activity.set_max(producers_max),
            (Some(producers_max), activity @ None) => {
                *activity = Some(Activity::new(producers_max));
                forgotten._wheel = calendar.and_then(Calendar::leave_to_order);
            }
        }
        if let Some(activity) = &mut own.activity
            && forgotten._numbers.is_some()
        {
            forgotten._order = activity.reset();
        }
        let messages = forgotten._messages.as_ref();
        let counts = forgotten._counts.as_ref();
        let numbers = forgotten._numbers.as_ref();
        forgotten.bytes = messages.map_or(0, |gone| gone.allocated_bytes(self.record_count))
            + counts.map_or(0, Counts::allocated_bytes)
            + numbers.map_or(0, Numbers::allocated_bytes)
            + forgotten._order.heap_bytes();
        if own.is_empty() {
            self.own = None;
        }
        forgotten
    }

    /// Forgets all that is kept beside the windows.
    pub(crate) fn forget_own(&mut self) {
        let is_ordered = self.activity().is_some();
        if let Some(calendar) = self.calendar.as_mut().filter(|_| is_ordered) {
            Arc::make_mut(calendar).schedule_again();
        }
        self.own = None;
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
        let from = self.row(hash, producer);
        if let Some(numbers) = self.own_mut().and_then(|own| own.numbers.as_mut()) {
            numbers.set(hash, producer, reached);
            self.reorder(from, Some(reached.row(hash)));
        }
    }

    /// Returns whether iids are numbers, and then notes that a producer has reached this one.
    #[cold]
    pub(super) fn record_number(
        &mut self,
        producer: &[u8],
        iid: &[u8],
        id: StreamId,
        now_ms: u64,
    ) -> bool {
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
        let from = self.row(hash, producer);
        let own = self.own_mut();
        let set = own.and_then(|own| own.numbers.as_mut()).map(|numbers| {
            let reached = Reached { number, id };
            numbers.set(hash, producer, reached)
        });
        self.reorder(from, Some(Reached { number, id }.row(hash)));
        if set == Some(None) {
            self.forget_window(hash, producer);
        }
        true
    }

    /// Forgets the iids of a producer of which it is known now what it has reached.
    pub(super) fn forget_window(&mut self, hash: u64, producer: &[u8]) {
        let is_it = |p: &Producer| p.is(hash, producer);
        let Some(gone) = self.producers.remove(hash, is_it, hash_of, 0) else {
            return;
        };
        self.forget_beside(&gone);
    }

    /// Forgets what belongs to a window that is gone.
    pub(super) fn forget_beside(&mut self, gone: &Producer) {
        self.record_count -= gone.window.len();
        if let Some(calendar) = self.calendar.as_mut().map(Arc::make_mut) {
            // Its place in the wheel stays until it is due, and then there is no such producer.
            gone.window
                .for_each(|record| calendar.remove_iid(record.added_at_ms));
            calendar.move_producer(Some(gone.window.newest_at_ms()), None);
        }
        self.forget_messages(gone.hash);
    }

    /// Counts what happened to an append of a producer, if such things are counted.
    #[inline]
    pub fn count(&mut self, producer: &[u8], what: Counted, times: u64) {
        if self.own.is_some() {
            self.count_in_own(producer, what, times);
        }
    }

    #[cold]
    pub(super) fn count_in_own(&mut self, producer: &[u8], what: Counted, times: u64) {
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

    pub(super) fn own_mut(&mut self) -> Option<&mut Own> {
        self.own.as_mut().map(Arc::make_mut)
    }

    pub(super) fn messages(&self) -> Option<&Messages> {
        self.own.as_deref()?.messages.as_ref()
    }

    pub(super) fn counts(&self) -> Option<&Counts> {
        self.own.as_deref()?.counts.as_ref()
    }

    pub(super) fn numbers(&self) -> Option<&Numbers> {
        self.own.as_deref()?.numbers.as_ref()
    }
}
