//! What the rows of the orders hold.
//!
//! An entry's place in the order by age is its *rank* (0 if it was given back, the millisecond of
//! its delivery plus one if it is held, and a number above all of these if it was given back with a
//! pause), then a *tie* number, then its ID. The tie grows only when entries of one rank arrive
//! against the order of their IDs, so it is nearly always 0, and takes no memory then.

use super::{DELIVERY_COUNT_MAX, Holder, IdleAtLeast, PendingEntry, Standing};
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
/// The greatest rank of what is held.
const HELD_MAX: u64 = PENDING_TIME_MS_MAX + 1;
/// The rank of what was given back with a pause is this number and the time at which that is over.
const PAUSED: u64 = HELD_MAX + 1;
/// The owner of what was given back.
pub(super) const NOBODY: u64 = 0;

/// The latest time of a pending entry, in Unix milliseconds. A later one counts as this.
pub const PENDING_TIME_MS_MAX: u64 = i64::MAX as u64 - 1;

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
pub(super) fn rank_of(standing: Standing) -> u64 {
    match standing {
        Standing::Held(holder) => held_rank(holder.delivered_ms),
        Standing::GivenBack => GIVEN_BACK,
        Standing::Paused { until_ms } => paused_rank(until_ms),
    }
}

#[inline]
fn held_rank(delivered_ms: u64) -> u64 {
    delivered_ms.min(PENDING_TIME_MS_MAX) + 1
}

/// The rank of what has its pause until then.
#[inline]
pub(super) fn paused_rank(until_ms: u64) -> u64 {
    until_ms.min(PENDING_TIME_MS_MAX) + PAUSED
}

/// Until when an entry of this rank has its pause, in Unix milliseconds; `None` if it has none.
#[inline]
pub(super) fn paused_until_ms(rank: u64) -> Option<u64> {
    rank.checked_sub(PAUSED)
}

/// The greatest rank that is idle enough, of those that have no pause.
pub(super) fn rank_max(idle: IdleAtLeast) -> u64 {
    match (idle.idle_ms_min, idle.now_ms.checked_sub(idle.idle_ms_min)) {
        (0, _) => HELD_MAX,
        (_, Some(delivered_ms_max)) => held_rank(delivered_ms_max),
        (_, None) => GIVEN_BACK,
    }
}

/// The row of an entry.
#[inline]
pub(super) fn entry_row(key: IdKey, standing: Standing, tie: u64, count: u64) -> EntryRow {
    let owner = standing.consumer();
    let owner = owner.map_or(NOBODY, |consumer| consumer.to_owner());
    let count = count.min(DELIVERY_COUNT_MAX);
    [key[0], key[1], rank_of(standing), tie, count, owner]
}

/// Where an entry stands.
#[inline]
pub(super) fn standing_of(row: &EntryRow) -> Standing {
    match (entry_of(row).holder, paused_until_ms(row[RANK])) {
        (Some(holder), _) => Standing::Held(holder),
        (None, Some(until_ms)) => Standing::Paused { until_ms },
        (None, None) => Standing::GivenBack,
    }
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
        let mut row = entry_row(id_key(id), Standing::GivenBack, 0, delivery_count);
        row[RANK] = held_rank(delivered_ms);
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
