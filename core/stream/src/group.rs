//! A group of consumers: how far it has read, who reads, what is pending.
//!
//! A group is told what happens and when. Its mutators are total and keep its orders in agreement.
//! Which entries exist, what the lag is and what the reply says is decided above. Consumers go by
//! handle here ([`Group::consumer`]); a handle of a deleted consumer stands for nobody until it is
//! reused, so handles must not be kept. Rebuilding a group from a file is in `restore`.

mod pauses;
mod restore;

use crate::StreamId;
use crate::consumer::{Activity, Consumer, ConsumerHandle, Consumers, Created};
use crate::limits::{CONSUMER_BYTES, GROUP_BYTES, PENDING_BYTES};
use crate::pending::{
    Changes, CountChange, GivenBack, Holder, IdleAtLeast, Missing, Pending, PendingEntry,
    PendingLookup,
};
use crate::settings::{Configured, DeadLetterRule, GroupSettings};

pub use restore::{GroupRestorer, RestoreError};

/// Whether delivered entries wait for an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// They are pending until one comes.
    Awaited,
    /// They need none (`NOACK`).
    Waived,
}

/// A group of consumers that share the entries of a stream. Cheap to clone: a clone shares
/// everything large, and a later write copies the few KiB that it touches.
#[derive(Clone, Debug)]
pub struct Group {
    last_delivered: StreamId,
    entries_read: Option<u64>,
    consumers: Consumers,
    pending: Pending,
    settings: Configured<GroupSettings>,
}

impl Group {
    /// A group that has read up to `last_delivered`, the `entries_read`-th entry of the stream
    /// (`None`: not known).
    pub fn new(last_delivered: StreamId, entries_read: Option<u64>) -> Group {
        Group {
            last_delivered,
            entries_read,
            consumers: Consumers::default(),
            pending: Pending::new(),
            settings: Configured::default(),
        }
    }

    /// Sets what the group was told. Returns whether that changed a setting.
    pub fn set_settings(&mut self, settings: &GroupSettings) -> bool {
        self.settings.set(settings)
    }

    /// What the group was told beyond what Redis' groups can be.
    #[inline]
    pub fn settings(&self) -> &Configured<GroupSettings> {
        &self.settings
    }

    /// After how many milliseconds a pending entry is given to whoever reads next, if the group was
    /// told so.
    #[inline]
    pub fn claim_idle_ms(&self) -> Option<u64> {
        let told = self.settings.get()?.claim_idle_ms;
        (told > 0).then_some(told)
    }

    /// How many entries a consumer has pending at most by reading, if the group was told so.
    #[inline]
    pub fn pending_max(&self) -> Option<u64> {
        let told = self.settings.get()?.pending_max;
        (told > 0).then_some(told)
    }

    /// After how many milliseconds without a call a consumer goes that has nothing pending, if the
    /// group was told so.
    #[inline]
    pub fn idle_consumers_ms(&self) -> Option<u64> {
        let told = self.settings.get()?.idle_consumers_ms;
        (told > 0).then_some(told)
    }

    /// Which entries go to a dead-letter stream, if the group was told so.
    #[inline]
    pub fn dead_letter(&self) -> Option<DeadLetterRule<'_>> {
        self.settings.get()?.dead_letter()
    }

    /// Sets how far the group has read, forwards or backwards. Pending entries stay pending.
    pub fn set_id(&mut self, last_delivered: StreamId, entries_read: Option<u64>) {
        self.last_delivered = last_delivered;
        self.entries_read = entries_read;
    }

    /// Makes a consumer that was seen now, unless there is one of that name, which is not touched.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: u64) -> Created {
        self.consumers.create(name, now_ms)
    }

    /// Deletes a consumer and what it has pending; returns how many entries that were, or `None`
    /// if there is no such consumer.
    pub fn delete_consumer(&mut self, consumer: ConsumerHandle) -> Option<usize> {
        let consumer = self.consumers.delete(consumer)?;
        self.pending.remove_held(consumer.held());
        Some(consumer.pending_count())
    }

    /// Notes that a consumer called, at this time in Unix milliseconds.
    pub fn touch(&mut self, consumer: ConsumerHandle, now_ms: u64, activity: Activity) {
        if let Some(consumer) = self.consumers.find_mut(consumer) {
            consumer.touch(now_ms, activity);
        }
    }

    /// Delivers entries for the first time (`XREADGROUP … >`), in ascending order, and moves the
    /// last-delivered ID to the last of them, unless it is above. `entries_read` is what the
    /// group has read after that. The consumer counts as active if there are entries that are
    /// pending now.
    ///
    /// An entry that is pending already, because the group was set back, moves to the consumer
    /// and has been delivered once.
    pub fn deliver(
        &mut self,
        consumer: ConsumerHandle,
        ids: &[StreamId],
        now_ms: u64,
        acknowledgement: Acknowledgement,
        entries_read: Option<u64>,
    ) {
        let Some(&last) = ids.last() else {
            return;
        };
        if acknowledgement == Acknowledgement::Awaited {
            self.pending
                .deliver(&mut self.consumers, consumer, ids, now_ms);
        }
        self.last_delivered = self.last_delivered.max(last);
        self.entries_read = entries_read;
        // Reading without acknowledgement does not count as activity in Redis.
        let activity = match acknowledgement {
            Acknowledgement::Awaited => Activity::Active,
            Acknowledgement::Waived => Activity::Seen,
        };
        self.touch(consumer, now_ms, activity);
    }

    /// Moves pending entries to `holder.consumer`, delivered at `holder.delivered_ms`; in the order
    /// by age they come after all others of that time, in this order. Returns how many of them the
    /// consumer now has: those that were pending, and with [`Missing::Create`] all.
    ///
    /// The consumer is not touched: the delivery time may be any time ([`Group::touch`]).
    pub fn claim(
        &mut self,
        holder: Holder,
        ids: &[StreamId],
        count: CountChange,
        missing: Missing,
    ) -> usize {
        self.pending
            .claim(&mut self.consumers, holder, ids, count, missing)
    }

    /// Gives an entry back to the group (`XNACK`): it has no holder, it has this delivery count,
    /// and it comes after the other given-back entries. An entry that is not pending becomes
    /// pending.
    pub fn give_back(&mut self, id: StreamId, delivery_count: u64) {
        self.give_back_each(&[GivenBack {
            id,
            delivery_count,
            not_before_ms: None,
        }]);
    }

    /// The same for entries in this order, with a pause or without.
    pub fn give_back_each(&mut self, entries: &[GivenBack]) {
        self.pending.give_back(&mut self.consumers, entries);
    }

    /// Acknowledges entries, or forgets entries that are no longer in the stream; returns how
    /// many of them were pending. Ascending IDs are the fastest.
    pub fn acknowledge(&mut self, ids: &[StreamId]) -> usize {
        if self.pending.len() == 0 {
            return 0;
        }
        self.pending.remove(&mut self.consumers, ids)
    }

    /// The greatest ID that was delivered, or what the group was set to.
    pub fn last_delivered(&self) -> StreamId {
        self.last_delivered
    }

    /// Returns how many entries of the stream the group has read up to the last-delivered ID;
    /// `None` if that is not known.
    pub fn entries_read(&self) -> Option<u64> {
        self.entries_read
    }

    /// The handle of the consumer of this name.
    pub fn consumer(&self, name: &[u8]) -> Option<ConsumerHandle> {
        self.consumers.named(name)
    }

    /// The consumer of this handle.
    pub fn consumer_at(&self, consumer: ConsumerHandle) -> Option<&Consumer> {
        self.consumers.find(consumer)
    }

    /// All consumers in the byte order of their names.
    pub fn consumers(&self) -> impl Iterator<Item = (ConsumerHandle, &Consumer)> + Clone + '_ {
        self.consumers.iter()
    }

    /// Consumers from a place on ([`Consumers::by_place`]).
    pub(crate) fn consumers_by_place(
        &self,
        from: usize,
    ) -> impl Iterator<Item = (usize, &Consumer)> {
        self.consumers.by_place(from)
    }

    /// The number of consumers.
    pub fn consumer_count(&self) -> usize {
        self.consumers.len()
    }

    /// From now on, records which entries become pending and which no longer are.
    pub(crate) fn note_changes(&mut self) {
        self.pending.note_changes();
    }

    /// What was recorded; nothing is from now on.
    pub(crate) fn take_changes(&mut self) -> Changes {
        self.pending.take_changes()
    }

    /// The IDs of all pending entries, ascending.
    pub(crate) fn pending_ids(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.pending.ids()
    }

    /// The pending entry of this ID.
    pub fn pending(&self, id: StreamId) -> Option<PendingEntry> {
        self.pending.find(id)
    }

    /// Looks pending entries up one after the other, for less than [`Group::pending`] where they
    /// are neighbours.
    pub fn look_up_pending(&self) -> PendingLookup<'_> {
        self.pending.look_up()
    }

    /// Returns how many entries are pending, given-back ones included.
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Returns how many entries were given back and have had no holder since, those with a pause
    /// included.
    pub fn given_back_count(&self) -> usize {
        self.pending.given_back_count()
    }

    /// The least and the greatest ID of the pending entries.
    pub fn pending_bounds(&self) -> Option<(StreamId, StreamId)> {
        self.pending.first_id().zip(self.pending.last_id())
    }

    /// Pending entries from `start` up to `end`, both included, by ID.
    pub fn pending_range(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        self.pending.range(start, end)
    }

    /// The same for the entries that were given back without a pause or are idle for at least that
    /// long. Costs little when few entries are, or most.
    pub fn pending_range_idle(
        &self,
        start: StreamId,
        end: StreamId,
        idle: IdleAtLeast,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        self.pending.idle_range(start, end, idle)
    }

    /// Pending entries of a consumer from `start` up to `end`, both included, by ID.
    /// [`Consumer::pending_ids`] gives the IDs alone, for less.
    pub fn pending_range_of(
        &self,
        consumer: ConsumerHandle,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let consumer = self.consumers.find(consumer).into_iter();
        let ids = consumer.flat_map(move |consumer| consumer.pending_ids(start));
        let mut look = self.pending.look_up();
        ids.take_while(move |&id| id <= end)
            .filter_map(move |id| look.find(id))
    }

    /// The same for those that have been idle for at least that long.
    pub fn pending_range_of_idle(
        &self,
        consumer: ConsumerHandle,
        start: StreamId,
        end: StreamId,
        idle: IdleAtLeast,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let few = self.pending.few_idle(start, end, idle);
        let many = few
            .is_none()
            .then(|| self.pending_range_of(consumer, start, end));
        let few = few
            .into_iter()
            .flatten()
            .filter_map(|id| self.pending.find(id));
        let few = few.filter(move |entry| entry.holder.is_some_and(|it| it.consumer == consumer));
        let many = many
            .into_iter()
            .flatten()
            .filter(move |entry| idle.admits(entry));
        few.chain(many)
    }

    /// Pending entries that were given back without a pause or are idle for at least that long:
    /// first those given back, first in, first out; then the longest idle first. Among equal times
    /// the one that was delivered first is first. Collect them before changing them.
    pub fn pending_by_age(&self, idle: IdleAtLeast) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.pending.by_age(idle)
    }

    /// The delivery time of the entry that has been idle longest, in Unix milliseconds; 0 if one
    /// was given back without a pause. It is idle for `t` milliseconds from that time plus `t` on.
    pub fn oldest_delivery_ms(&self) -> Option<u64> {
        self.pending.oldest_delivery_ms()
    }

    /// When the next of the entries that are not idle enough at `idle.now_ms` will be, in Unix
    /// milliseconds: until then [`Group::pending_by_age`] has nothing new.
    pub fn next_idle_ms(&self, idle: IdleAtLeast) -> Option<u64> {
        self.pending.next_idle_ms(idle)
    }

    /// The given-back entries, in the order in which they were given back, which a file has to
    /// keep; behind them those with a pause ([`Group::paused`]).
    pub fn given_back(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.pending.given_back()
    }

    /// The held entries whose place in the order by age does not follow from their delivery time
    /// and ID, in that order: among equal times, those after a greater ID and all that follow.
    /// [`GroupRestorer::finish`] takes them. Looks at all entries.
    pub fn latecomers(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.pending.latecomers()
    }

    /// Returns whether an entry was delivered to the group and is not pending in it.
    pub fn has_settled(&self, id: StreamId) -> bool {
        id <= self.last_delivered && self.pending(id).is_none()
    }

    /// Returns whether an entry up to this ID is pending.
    pub fn has_pending_through(&self, through: StreamId) -> bool {
        self.pending
            .first_id()
            .is_some_and(|first| first <= through)
    }

    /// All IDs below this one are settled in that sense.
    pub fn settled_below(&self) -> StreamId {
        let next = self.last_delivered.next().unwrap_or(StreamId::MAX);
        self.pending
            .first_id()
            .map_or(next, |first| first.min(next))
    }

    /// About how many bytes it takes, estimated without a walk.
    pub fn weight(&self) -> usize {
        GROUP_BYTES + self.consumer_count() * CONSUMER_BYTES + self.pending_count() * PENDING_BYTES
    }

    /// Bytes on the heap, shared ones included. Walks over all blocks.
    pub fn heap_bytes(&self) -> usize {
        self.consumers.heap_bytes() + self.pending.heap_bytes() + self.settings.heap_bytes()
    }
}

#[cfg(test)]
mod tests;
