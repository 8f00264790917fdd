//! What the rows of the orders hold.
//!
//! An entry's place in the order by age is its *rank* (0 if it was given back, otherwise the
//! millisecond of its delivery plus one), then a *tie* number, then its ID. The tie grows only when
//! entries of one rank arrive against the order of their IDs, so it is nearly always 0, and takes
//! no memory then.

use super::{DELIVERY_COUNT_MAX, Holder, IdleAtLeast, PendingEntry};
use crate::StreamId;
use crate::consumer::ConsumerHandle;

/// An entry in the order by ID: time and sequence of its ID, rank, tie, delivery count, owner.
pub(super) type EntryRow = [u64; 6];
/// An entry in the order by age: rank, tie, time and sequence of its ID.
pub(super) type AgeRow = [u64; 4];
/// The time and sequence of an ID: how an entry row begins, and the order of a consumer.
pub(crate) type IdKey = [u64; 2];

/// Where an [`EntryRow`] has its rank.
pub(super) const RANK: usize = 2;
const TIE: usize = 3;
const COUNT: usize = 4;
/// Where an [`EntryRow`] has its owner.
pub(super) const OWNER: usize = 5;

/// The rank of what was given back.
pub(super) const GIVEN_BACK: u64 = 0;
/// The owner of what was given back.
const NOBODY: u64 = 0;

#[inline]
pub(crate) fn id_key(id: StreamId) -> IdKey {
    [id.ms, id.seq]
}

/// The ID that a row begins with.
#[inline]
pub(crate) fn id_of<const N: usize>(row: &[u64; N]) -> StreamId {
    const { assert!(N >= 2) };
    StreamId::new(row[0], row[1])
}

/// The ID of an entry in the order by age.
#[inline]
pub(super) fn age_id(row: &AgeRow) -> StreamId {
    StreamId::new(row[2], row[3])
}

/// The ID of an entry as a key.
#[inline]
pub(super) fn entry_key(row: &EntryRow) -> IdKey {
    [row[0], row[1]]
}

/// Returns where an entry stands in the order by age.
#[inline]
pub(super) fn age_of(row: &EntryRow) -> AgeRow {
    [row[RANK], row[TIE], row[0], row[1]]
}

/// Who holds an entry.
#[inline]
pub(super) fn owner_of(row: &EntryRow) -> Option<ConsumerHandle> {
    ConsumerHandle::from_owner(row[OWNER])
}

#[inline]
pub(super) fn rank_of(holder: Option<Holder>) -> u64 {
    holder.map_or(GIVEN_BACK, |holder| holder.delivered_ms.saturating_add(1))
}

/// The greatest rank that is idle enough.
pub(super) fn rank_max(idle: IdleAtLeast) -> u64 {
    match (idle.idle_ms_min, idle.now_ms.checked_sub(idle.idle_ms_min)) {
        (0, _) => u64::MAX,
        (_, Some(delivered_ms_max)) => delivered_ms_max.saturating_add(1),
        (_, None) => GIVEN_BACK,
    }
}

/// The row of an entry.
#[inline]
pub(super) fn entry_row(key: IdKey, holder: Option<Holder>, tie: u64, count: u64) -> EntryRow {
    let owner = holder.map_or(NOBODY, |holder| holder.consumer.to_owner());
    let count = count.min(DELIVERY_COUNT_MAX);
    [key[0], key[1], rank_of(holder), tie, count, owner]
}

/// The delivery count of an entry.
#[inline]
pub(super) fn count_of(row: &EntryRow) -> u64 {
    row[COUNT]
}

#[inline]
pub(super) fn entry_of(row: &EntryRow) -> PendingEntry {
    PendingEntry {
        id: id_of(row),
        delivery_count: row[COUNT],
        holder: owner_of(row).map(|consumer| Holder {
            consumer,
            delivered_ms: row[RANK].saturating_sub(1),
        }),
    }
}

/// A pending entry from a file, before it has its place in the orders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unplaced(EntryRow);

impl Unplaced {
    /// An entry that no consumer holds yet.
    pub(crate) fn new(id: StreamId, delivered_ms: u64, delivery_count: u64) -> Self {
        let mut row = entry_row(id_key(id), None, 0, delivery_count);
        row[RANK] = delivered_ms.saturating_add(1);
        Unplaced(row)
    }

    pub(crate) fn id(&self) -> StreamId {
        id_of(&self.0)
    }

    /// Returns whether it is neither held nor given back.
    pub(crate) fn is_free(&self) -> bool {
        self.0[OWNER] == NOBODY && self.0[RANK] != GIVEN_BACK
    }

    pub(crate) fn hold(&mut self, consumer: ConsumerHandle) {
        self.0[OWNER] = consumer.to_owner();
    }

    pub(crate) fn give_back(&mut self) {
        self.0[RANK] = GIVEN_BACK;
    }

    pub(super) fn row(&self) -> EntryRow {
        self.0
    }
}
