//! The pending entries of a group: delivered, not yet acknowledged.
//!
//! They are kept in three orders, each a [`Tree`](collections::Tree) of packed rows: by ID with
//! everything known about an entry, by age for claiming what has been idle longest (both in
//! `orders`), and by ID for each consumer (in `consumer`). All three change together and hold
//! nothing that is gone. So the orders always agree, and no step takes longer than a walk of
//! logarithmic length.
//!
//! The order by age begins with the entries that were given back, first in, first out. Then come
//! the held ones by time of delivery; of those delivered in the same millisecond, the one that came
//! later is last, whatever its ID. `row` says what the rows of the orders hold.

mod orders;
mod row;

use crate::StreamId;
use crate::consumer::ConsumerHandle;

pub use orders::PendingLookup;
pub(crate) use orders::{Changes, Moved, Pending};
pub use row::PENDING_TIME_MS_MAX;
pub(crate) use row::{IdKey, Unplaced, id_key, id_of};

/// An entry that was delivered and is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// The entry; it may have been deleted from the stream since.
    pub id: StreamId,
    /// How often it was delivered, or what a consumer has set; at most [`DELIVERY_COUNT_MAX`].
    pub delivery_count: u64,
    /// Who has it; `None` if it was given back to the group.
    pub holder: Option<Holder>,
}

impl PendingEntry {
    /// Returns how long it has been idle at this time in Unix milliseconds; 0 if the clock was set
    /// back, `None` if it was given back.
    pub fn idle_ms(&self, now_ms: u64) -> Option<u64> {
        self.holder
            .map(|holder| now_ms.saturating_sub(holder.delivered_ms))
    }
}

/// The consumer that has a pending entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who it is.
    pub consumer: ConsumerHandle,
    /// Since when, in Unix milliseconds; a claim may set any time.
    pub delivered_ms: u64,
}

/// An entry that is given back to its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// The entry.
    pub id: StreamId,
    /// Its delivery count afterwards.
    pub delivery_count: u64,
    /// Before this time, in Unix milliseconds, nobody is to be given it; `None` if anybody may be
    /// at once.
    pub not_before_ms: Option<u64>,
}

impl GivenBack {
    /// Returns whether another entry is given back in the same way.
    pub fn is_like(&self, other: &GivenBack) -> bool {
        (self.delivery_count, self.not_before_ms) == (other.delivery_count, other.not_before_ms)
    }

    fn how(&self) -> (Standing, CountChange) {
        let standing = match self.not_before_ms {
            None => Standing::GivenBack,
            Some(until_ms) => Standing::Paused { until_ms },
        };
        (standing, CountChange::Set(self.delivery_count))
    }
}

/// Where a pending entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A consumer has it.
    Held(Holder),
    /// It was given back to the group.
    GivenBack,
    /// It was given back, and is not to be given to anybody before this time, in Unix milliseconds.
    Paused {
        /// When the pause is over.
        until_ms: u64,
    },
}

impl Standing {
    /// The consumer that has it.
    #[inline]
    pub(crate) fn consumer(self) -> Option<ConsumerHandle> {
        match self {
            Standing::Held(holder) => Some(holder.consumer),
            Standing::GivenBack | Standing::Paused { .. } => None,
        }
    }
}

/// The greatest delivery count: what fits the signed number of the protocol.
pub const DELIVERY_COUNT_MAX: u64 = i64::MAX as u64;

/// How a claim changes the delivery count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountChange {
    /// One more.
    Raise,
    /// As it was.
    Keep,
    /// To this number.
    Set(u64),
}

impl CountChange {
    /// The delivery count after one of `before`.
    pub(crate) fn of(self, before: u64) -> u64 {
        match self {
            CountChange::Raise => before.saturating_add(1),
            CountChange::Keep => before,
            CountChange::Set(count) => count,
        }
    }
}

/// What a claim does with an entry that is not pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Passes it over.
    Skip,
    /// Makes it pending, as if it had been delivered once before (as in Redis).
    Create,
}

/// How long a held entry must have been idle, and the time to measure at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleAtLeast {
    /// The least idle time in milliseconds; 0 admits all, whatever the clock says.
    pub idle_ms_min: u64,
    /// The present, in Unix milliseconds.
    pub now_ms: u64,
}

impl IdleAtLeast {
    /// Returns whether the entry has been idle for that long, or was given back.
    pub fn admits(self, entry: &PendingEntry) -> bool {
        let idle_ms = entry.idle_ms(self.now_ms);
        idle_ms.is_none_or(|idle_ms| idle_ms >= self.idle_ms_min)
    }
}
