//! A key and everything kept with it.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use values::{Key, Typed, Value};

use crate::store::packing::PackingTicket;
use crate::time::{Now, UnixMs};
use batch::Lsn;

/// A key, its value, when it was changed and read, and when it expires.
#[derive(Debug)]
pub struct Record {
    key: Key,
    /// The value.
    pub(crate) value: Value,
    expires_at: i64,
    /// The batch that changed the record last.
    pub(crate) changed: Lsn,
    /// When the value was last used, in seconds since the epoch. Atomic, so that a read does not
    /// copy a table that a frozen view shares.
    used_s: AtomicU32,
    /// The place of the stream in the queue of those that may have chunks to pack; 0 if it has
    /// none.
    packing: AtomicU16,
}

/// Stands for "never" in `expires_at`; no expiry is so early ([`earliest`]).
const NEVER: i64 = i64::MIN;

/// An expiry as it is kept. A file may hold any number.
fn earliest(at: UnixMs) -> i64 {
    at.0.max(NEVER + 1)
}

/// When there is next something to do for a value itself: the first of a stream's idempotent IDs is
/// to be forgotten.
#[inline]
pub(crate) fn forgets_at(value: &impl Typed) -> Option<UnixMs> {
    value.next_deadline_ms().map(time_of)
}

fn time_of(at_ms: u64) -> UnixMs {
    UnixMs(i64::try_from(at_ms).unwrap_or(i64::MAX))
}

impl Record {
    /// A record changed by the batch `changed`, used at `now`.
    pub fn new(
        key: Key,
        value: Value,
        expires_at: Option<UnixMs>,
        changed: Lsn,
        now: UnixMs,
    ) -> Record {
        Record {
            key,
            value,
            expires_at: expires_at.map_or(NEVER, earliest),
            changed,
            used_s: AtomicU32::new(seconds(now)),
            packing: AtomicU16::new(0),
        }
    }

    /// The key's bytes.
    #[inline]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key, to be kept elsewhere without a copy of a long one.
    #[inline]
    pub(crate) fn name(&self) -> &Key {
        &self.key
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The time from which the key is gone.
    #[inline]
    pub fn expires_at(&self) -> Option<UnixMs> {
        if self.expires_at == NEVER {
            None
        } else {
            Some(UnixMs(self.expires_at))
        }
    }

    /// Returns whether the key has expired.
    #[inline]
    pub fn is_expired(&self, now: UnixMs) -> bool {
        self.expires_at != NEVER && self.expires_at <= now.0
    }

    /// The batch that changed the record last.
    #[inline]
    pub fn changed(&self) -> Lsn {
        self.changed
    }

    /// Seconds since the value was last used.
    pub fn idle_s(&self, now: UnixMs) -> u32 {
        seconds(now).saturating_sub(self.used_s.load(Ordering::Relaxed))
    }

    /// Bytes that the record takes, in the table and on the heap. For a large value it looks at
    /// about `samples` parts, or at all of them if that is 0.
    pub fn memory_bytes(&self, samples: usize) -> usize {
        size_of::<Record>() + self.key.heap_bytes() + self.value.heap_bytes(samples)
    }

    /// About how many bytes it takes, estimated without a walk over the value's parts.
    pub(crate) fn weight(&self) -> usize {
        self.key.heap_bytes() + self.value.weight()
    }

    /// Reads what every command looks at: the key's length, and the time of the last use.
    #[inline]
    pub(crate) fn peek(&self) -> (bool, u32) {
        let used_s = self.used_s.load(Ordering::Relaxed);
        (self.key.is_empty(), used_s)
    }

    /// Notes that the value was used.
    #[inline]
    pub(crate) fn touch(&self, now: Now) {
        // As `seconds` of the milliseconds, by one division.
        let used_s = u32::try_from(now.unix_us / 1_000_000).unwrap_or(0);
        self.used_s.store(used_s, Ordering::Relaxed);
    }

    /// Notes that the value was last used this many seconds ago (`RESTORE … IDLETIME`).
    pub(crate) fn set_idle_s(&self, now: UnixMs, idle_s: u32) {
        self.used_s
            .store(seconds(now).saturating_sub(idle_s), Ordering::Relaxed);
    }

    pub(super) fn set_expiry(&mut self, at: Option<UnixMs>) {
        self.expires_at = at.map_or(NEVER, earliest);
    }

    /// When there is next something to do for the value itself.
    #[inline]
    pub(crate) fn forgets_at(&self) -> Option<UnixMs> {
        self.value.next_deadline_ms().map(time_of)
    }

    /// The place of the stream in the queue of those that may have chunks to pack.
    #[inline]
    pub(crate) fn packing_ticket(&self) -> Option<PackingTicket> {
        PackingTicket::new(self.packing.load(Ordering::Relaxed))
    }

    /// Sets that place.
    pub(crate) fn set_packing_ticket(&self, ticket: Option<PackingTicket>) {
        let ticket = ticket.map_or(0, PackingTicket::get);
        self.packing.store(ticket, Ordering::Relaxed);
    }

    /// The same value under another name.
    pub(crate) fn renamed(self, key: Key) -> Record {
        Record {
            key,
            packing: AtomicU16::new(0),
            ..self
        }
    }
}

impl Clone for Record {
    fn clone(&self) -> Record {
        Record {
            key: self.key.clone(),
            value: self.value.clone(),
            expires_at: self.expires_at,
            changed: self.changed,
            used_s: AtomicU32::new(self.used_s.load(Ordering::Relaxed)),
            packing: AtomicU16::new(self.packing.load(Ordering::Relaxed)),
        }
    }
}

fn seconds(now: UnixMs) -> u32 {
    u32::try_from(now.0 / 1000).unwrap_or(0)
}
