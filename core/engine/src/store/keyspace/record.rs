//! A key and everything kept with it.

use collections::{STAMP_MAX, Sought, Stamped, Timed, TimerId};
use values::{Key, Value};

use super::usage;
use crate::time::UnixMs;
use batch::Lsn;

/// A key, its value, when it was changed and used, and when it expires.
#[derive(Debug, Clone)]
pub struct Record {
    /// The key, with the batch that changed the record last, and when it expires.
    key: Stamped,
    /// The value. Its label says when or how often it was used ([`usage`]), so that a read does not
    /// copy a table that a frozen view shares.
    pub(crate) value: Value,
}

// There is one for each key.
const _: () = assert!(size_of::<Record>() == 48);
const _: () = assert!(STAMP_MAX == Lsn::MAX.number());

/// About what a timer takes, with what is kept of it beside the record.
const TIMER_BYTES: usize = 26;

/// An expiry as it is kept ([`Timed::at`]). A file may hold any number.
fn kept(at: UnixMs) -> i64 {
    at.0.max(i64::MIN + 1)
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
        let key = Stamped::new(key, changed.number());
        let mut record = Record { key, value };
        record.set_clock(now.seconds());
        if expires_at.is_some() {
            record.set_expiry(expires_at);
        }
        record
    }

    /// The key's bytes.
    #[inline]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Returns whether this is the record of that key.
    #[inline]
    pub(super) fn is_of(&self, key: &Sought<'_>) -> bool {
        self.key.is(key)
    }

    /// The key, to be kept elsewhere without a copy of a long one.
    #[inline]
    pub(crate) fn name(&self) -> Key {
        self.key.key()
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The time from which the key is gone.
    #[inline]
    pub fn expires_at(&self) -> Option<UnixMs> {
        self.key.at().map(UnixMs)
    }

    /// Returns whether the key has expired: its own time has come, or that of all parts of its
    /// value.
    #[inline]
    pub fn is_expired(&self, now: UnixMs) -> bool {
        self.is_past(now) || self.value.is_over(now.since_epoch())
    }

    /// Returns whether the key's own time has come.
    #[inline]
    pub fn is_past(&self, now: UnixMs) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// The batch that changed the record last.
    #[inline]
    pub fn changed(&self) -> Lsn {
        Lsn::new(self.key.stamp())
    }

    /// Notes the batch that changed the record last.
    #[inline]
    pub(crate) fn set_changed(&mut self, changed: Lsn) {
        self.key.set_stamp(changed.number());
    }

    /// Puts another value in the place of the one that it has, which is returned. How it was used
    /// stays.
    #[inline]
    pub(crate) fn replace_value(&mut self, value: Value) -> Value {
        value.label().set(self.clock());
        std::mem::replace(&mut self.value, value)
    }

    /// Seconds since the value was last used, or changed if that is tracked.
    pub fn idle_s(&self, now: UnixMs) -> u32 {
        usage::idle_s(self.clock(), now)
    }

    /// Bytes that the record takes, in the table and on the heap. For a large value it looks at
    /// about `samples` parts, or at all of them if that is 0.
    pub fn memory_bytes(&self, samples: usize) -> usize {
        size_of::<Record>() + self.heap_bytes(samples)
    }

    /// What of that is on the heap, with its timer.
    pub(super) fn heap_bytes(&self, samples: usize) -> usize {
        let of_timer = self.timer().map_or(0, |_| TIMER_BYTES);
        self.key.heap_bytes() + self.value.heap_bytes(samples) + of_timer
    }

    /// About how many bytes it takes, estimated without a walk over the value's parts.
    pub(crate) fn weight(&self) -> usize {
        self.key.heap_bytes() + self.value.weight()
    }

    /// Reads what every command looks at: the key's length, and the clock.
    #[inline]
    pub(crate) fn peek(&self) -> (bool, u32) {
        (self.key.is_empty(), self.clock())
    }

    /// When or how often the value was used, as [`usage`] has it.
    #[inline]
    pub(super) fn clock(&self) -> u32 {
        self.value.label().get()
    }

    #[inline]
    pub(super) fn set_clock(&self, clock: u32) {
        self.value.label().set(clock);
    }

    pub(super) fn set_expiry(&mut self, at: Option<UnixMs>) {
        let timer = self.timer();
        self.set_timed(at.map(kept), timer);
    }

    /// The timer that is set to the value's deadline.
    #[inline]
    pub(super) fn timer(&self) -> Option<TimerId> {
        self.key.timed()?.timer
    }

    /// Notes which timer is set to the value's deadline.
    pub(super) fn set_timer(&mut self, timer: Option<TimerId>) {
        self.set_timed(self.key.at(), timer);
    }

    fn set_timed(&mut self, at: Option<i64>, timer: Option<TimerId>) {
        let is_timed = at.is_some() || timer.is_some();
        self.key.set_timed(is_timed.then_some(Timed { at, timer }));
    }

    /// When the value has next something to do, of which it says only when.
    #[inline]
    pub(super) fn deadline(&self) -> Option<UnixMs> {
        let ms = self.value.next_deadline_ms()?;
        Some(UnixMs(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// The same value under another name.
    pub(crate) fn renamed(self, key: Key) -> Record {
        let mut renamed = Stamped::new(key, self.key.stamp());
        renamed.set_timed(self.key.timed());
        let key = renamed;
        Record { key, ..self }
    }
}
