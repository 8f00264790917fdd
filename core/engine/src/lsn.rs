//! Log sequence numbers.

/// The number of an atomic batch of effects in a shard's log. The first batch of a data set is 1; 0
/// stands for "depends on nothing".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Depends on nothing.
    pub const NONE: Lsn = Lsn(0);

    /// The number of the batch after this one.
    #[must_use]
    pub const fn next(self) -> Lsn {
        Lsn(self.0 + 1)
    }
}
