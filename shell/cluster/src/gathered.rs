//! Batches that wait until the log has room for another group.
//!
//! While as many records are on their way as may be, what the engine does gathers here, and then
//! becomes one group: the more there is to do, the larger are the groups, and the fewer the records
//! for the same work.

use batch::{Encoded, Lsn};
use replication::{Group, GroupError};

/// Batches in a row, not committed yet.
#[derive(Debug)]
pub(crate) struct Gathered {
    first: Lsn,
    last: Lsn,
    batches: Encoded,
}

impl Gathered {
    /// Nothing, behind this batch.
    pub(crate) fn behind(last: Lsn) -> Gathered {
        Gathered {
            first: last.next(),
            last,
            batches: Encoded::default(),
        }
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.batches.len()
    }

    /// Adds batches.
    ///
    /// # Errors
    /// They do not follow those before, or there are none. They are dropped.
    pub(crate) fn add(
        &mut self,
        first: Lsn,
        last: Lsn,
        mut more: Encoded,
    ) -> Result<(), GroupError> {
        if last < first {
            return Err(GroupError::Empty { first, last });
        }
        let before = self.last;
        if first != before.next() {
            return Err(GroupError::NotNext { first, before });
        }
        self.batches.append(&mut more);
        self.last = last;
        Ok(())
    }

    /// Takes everything as one group, if there is anything.
    ///
    /// # Errors
    /// [`GroupError`]; the batches are lost.
    pub(crate) fn take(&mut self, body_bytes_max: usize) -> Result<Option<Group>, GroupError> {
        if self.first > self.last {
            return Ok(None);
        }
        let batches = std::mem::take(&mut self.batches);
        let group = Group::cut(self.first, self.last, batches, body_bytes_max)?;
        self.first = self.last.next();
        Ok(Some(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(gathered: &mut Gathered, first: u64, last: u64) -> bool {
        let batches = Encoded::from(vec![b'x'; 3]);
        let added = gathered.add(Lsn::new(first), Lsn::new(last), batches);
        added.is_ok()
    }

    fn take(gathered: &mut Gathered) -> Option<(u64, u64, u32)> {
        let group = gathered.take(4).unwrap()?;
        let (first, last) = (group.first().number(), group.last().number());
        Some((first, last, group.parts()))
    }

    #[test]
    fn what_gathers_becomes_one_group() {
        let mut gathered = Gathered::behind(Lsn::new(4));
        assert_eq!(take(&mut gathered), None);
        assert!(add(&mut gathered, 5, 5));
        assert!(add(&mut gathered, 6, 9));
        assert_eq!(take(&mut gathered), Some((5, 9, 2)));
        assert_eq!(take(&mut gathered), None);
        assert!(add(&mut gathered, 10, 10));
        assert_eq!(take(&mut gathered), Some((10, 10, 1)));
    }

    #[test]
    fn what_does_not_follow_is_refused() {
        let mut gathered = Gathered::behind(Lsn::new(4));
        for (first, last) in [(4, 4), (6, 6), (5, 4)] {
            assert!(!add(&mut gathered, first, last), "{first} to {last}");
        }
        assert!(add(&mut gathered, 5, 5));
    }
}
