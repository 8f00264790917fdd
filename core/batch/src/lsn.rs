//! The log sequence number.
//!
//! An LSN counts atomic batches of effects: what one command, or one transaction, did. The first
//! batch of a data set is 1, and there are no gaps. An LSN serves for one question to the log: "is
//! this durable?". LSNs are compared only with each other; they say nothing about bytes or time.

use std::fmt;

/// The number of an atomic batch of effects; [`Lsn::ZERO`] is the state before the first batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// Before the first batch: what an empty data set is at. What depends on it depends on nothing.
    pub const ZERO: Lsn = Lsn(0);

    /// The greatest that a record has room for, and so the last that a log may have: a million
    /// batches a second get there in two thousand years.
    pub const MAX: Lsn = Lsn((1 << 56) - 1);

    /// The batch with this number; 0 is [`Lsn::ZERO`].
    #[inline]
    pub const fn new(number: u64) -> Self {
        Lsn(number)
    }

    /// The number itself.
    #[inline]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The LSN of the batch after this one.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Lsn(self.0.saturating_add(1))
    }

    /// The LSN that is `batch_count` batches later.
    #[inline]
    #[must_use]
    pub const fn plus(self, batch_count: u64) -> Self {
        Lsn(self.0.saturating_add(batch_count))
    }

    /// Returns how many batches come after `earlier`, up to and including this one; 0 if `earlier`
    /// is not earlier.
    #[inline]
    pub const fn since(self, earlier: Lsn) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Lsn;

    #[test]
    fn lsns_count_batches() {
        assert_eq!(Lsn::ZERO.next(), Lsn::new(1));
        assert_eq!(Lsn::new(5).since(Lsn::new(2)), 3);
        assert_eq!(Lsn::new(2).since(Lsn::new(5)), 0);
        assert_eq!(Lsn::new(2).plus(3), Lsn::new(5));
    }
}
