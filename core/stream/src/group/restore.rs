//! Rebuilding a group from what a file or a payload says of it.
//!
//! Foreign bytes may say anything, so everything is checked: each pending entry either is held by
//! one consumer or was given back, never both and never neither. The parts come in the order in
//! which RDB has them: pending entries, then each consumer with what it holds, then what was given
//! back.

use crate::StreamId;
use crate::consumer::{ConsumerHandle, Created};
use crate::group::Group;
use crate::pending::{GivenBack, Pending, Unplaced, id_key};

/// A group that is being rebuilt.
#[derive(Clone, Debug)]
pub struct GroupRestorer {
    group: Group,
    /// All pending entries by ID.
    entries: Vec<Unplaced>,
    given_back: Vec<StreamId>,
    /// Where the next held ID probably is: a consumer's IDs ascend.
    likely_index: usize,
}

/// Why the parts do not make a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The pending entries do not ascend.
    #[error("pending entry {0} is not above the one before")]
    OutOfOrder(StreamId),
    /// A consumer of that name was there already.
    #[error("two consumers have the same name")]
    ConsumerTwice,
    /// An entry is held or given back that is not pending in the group.
    #[error("entry {0} is not pending in the group")]
    NotPending(StreamId),
    /// Two consumers hold the entry, or one does and it was given back.
    #[error("pending entry {0} is held twice")]
    HeldTwice(StreamId),
    /// No consumer holds the entry, and it was not given back.
    #[error("nobody holds pending entry {0}")]
    NotHeld(StreamId),
}

impl GroupRestorer {
    /// Begins a group that has read up to `last_delivered`.
    pub fn new(last_delivered: StreamId, entries_read: Option<u64>) -> GroupRestorer {
        GroupRestorer {
            group: Group::new(last_delivered, entries_read),
            entries: Vec::new(),
            given_back: Vec::new(),
            likely_index: 0,
        }
    }

    /// Adds a pending entry. Entries come in the order of their IDs, before all consumers.
    ///
    /// # Errors
    /// [`RestoreError::OutOfOrder`].
    pub fn pending(
        &mut self,
        id: StreamId,
        delivered_ms: u64,
        delivery_count: u64,
    ) -> Result<(), RestoreError> {
        if self.entries.last().is_some_and(|last| id <= last.id()) {
            return Err(RestoreError::OutOfOrder(id));
        }
        self.entries
            .push(Unplaced::new(id, delivered_ms, delivery_count));
        Ok(())
    }

    /// Adds a consumer with the Unix times in milliseconds at which it was last seen and last
    /// active (`None`: never).
    ///
    /// # Errors
    /// [`RestoreError::ConsumerTwice`].
    pub fn consumer(
        &mut self,
        name: &[u8],
        seen_ms: u64,
        active_ms: Option<u64>,
    ) -> Result<ConsumerHandle, RestoreError> {
        match self.group.consumers.create(name, seen_ms) {
            Created::New(handle) => {
                if let Some(consumer) = self.group.consumers.find_mut(handle) {
                    consumer.restore_active_ms(active_ms);
                }
                self.likely_index = 0;
                Ok(handle)
            }
            Created::Before(_) => Err(RestoreError::ConsumerTwice),
        }
    }

    /// Lets a consumer hold a pending entry.
    ///
    /// # Errors
    /// [`RestoreError::NotPending`], [`RestoreError::HeldTwice`].
    pub fn hold(&mut self, consumer: ConsumerHandle, id: StreamId) -> Result<(), RestoreError> {
        let index = match self.entries.get(self.likely_index) {
            Some(entry) if entry.id() == id => self.likely_index,
            _ => self.index_of(id)?,
        };
        self.likely_index = index + 1;
        let (Some(entry), Some(consumer_here)) = (
            self.entries.get_mut(index),
            self.group.consumers.find_mut(consumer),
        ) else {
            return Err(RestoreError::NotPending(id));
        };
        if !entry.is_free() {
            return Err(RestoreError::HeldTwice(id));
        }
        entry.hold(consumer);
        consumer_here.hold([id_key(id)].into_iter());
        Ok(())
    }

    /// Records that no consumer holds a pending entry because it was given back. Entries come in
    /// the order in which they were given back.
    ///
    /// # Errors
    /// [`RestoreError::NotPending`], [`RestoreError::HeldTwice`].
    pub fn give_back(&mut self, id: StreamId) -> Result<(), RestoreError> {
        let index = self.index_of(id)?;
        match self.entries.get_mut(index) {
            Some(entry) if entry.is_free() => entry.give_back(),
            _ => return Err(RestoreError::HeldTwice(id)),
        }
        self.given_back.push(id);
        Ok(())
    }

    /// The group. Entries of equal delivery time are in the order of their IDs, but for those in
    /// `latecomers`, which come after the others in this order ([`Group::latecomers`]). Of those
    /// that were given back, some have a pause until a time ([`Group::paused`]).
    ///
    /// # Errors
    /// [`RestoreError::NotHeld`], [`RestoreError::NotPending`] for a latecomer or one with a pause,
    /// [`RestoreError::HeldTwice`] for one with a pause that was not given back.
    pub fn finish(
        self,
        latecomers: &[StreamId],
        paused: &[(StreamId, u64)],
    ) -> Result<Group, RestoreError> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.is_free()) {
            return Err(RestoreError::NotHeld(entry.id()));
        }
        let mut group = self.group;
        group.pending = Pending::restore(self.entries);
        let given_back = self.given_back;
        group.pending.come_back(&mut group.consumers, &given_back);
        for &id in latecomers {
            if !group.pending.come_last(&mut group.consumers, id) {
                return Err(RestoreError::NotPending(id));
            }
        }
        let paused = paused.iter().map(|&(id, until_ms)| {
            let entry = group.pending(id).ok_or(RestoreError::NotPending(id))?;
            match entry.holder {
                Some(_) => Err(RestoreError::HeldTwice(id)),
                None => Ok(GivenBack {
                    id,
                    delivery_count: entry.delivery_count,
                    not_before_ms: Some(until_ms),
                }),
            }
        });
        let paused = paused.collect::<Result<Vec<_>, _>>()?;
        group.give_back_each(&paused);
        Ok(group)
    }

    fn index_of(&self, id: StreamId) -> Result<usize, RestoreError> {
        let found = self.entries.binary_search_by_key(&id, Unplaced::id);
        found.map_err(|_| RestoreError::NotPending(id))
    }
}
