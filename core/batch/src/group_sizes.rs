//! How many batches a log wrote at once.

/// A histogram of the sizes of groups, by powers of two: the first counter is for groups of one
/// batch, the next for two, then up to four, up to eight and so on. Larger ones than its last bound
/// count with that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSizes([u64; COUNTERS]);

/// Enough for 65536 batches.
const COUNTERS: usize = 17;

impl GroupSizes {
    /// Notes a group. One of no batch at all is none.
    #[inline]
    pub fn note(&mut self, batches: u64) {
        if let Some(largest) = batches.checked_sub(1) {
            let index = (u64::BITS - largest.leading_zeros()) as usize;
            self.0[index.min(COUNTERS - 1)] += 1;
        }
    }

    /// Upper bounds (inclusive), each with how many groups have at most that many batches.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut sum = 0;
        self.0.iter().enumerate().map(move |(index, count)| {
            sum += count;
            (1 << index, sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_counts_for_the_first_bound_that_it_fits() {
        let mut sizes = GroupSizes::default();
        for batches in [0, 1, 2, 3, 4, 5, 65_536, 65_537, u64::MAX] {
            sizes.note(batches);
        }
        let counted: Vec<_> = sizes.cumulative().collect();
        assert_eq!(counted[..4], [(1, 1), (2, 2), (4, 4), (8, 5)]);
        assert_eq!(counted[COUNTERS - 2..], [(32_768, 5), (65_536, 8)]);
    }
}
