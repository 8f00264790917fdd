//! A group of batches: what is committed as a whole, and cut into records where it is too long for
//! one.

use batch::{Encoded, Lsn};

use crate::limits::{GROUP_BYTES_MAX, PARTS_MAX};

/// Batches that the engine hands to the log as one group, cut into the bodies of records. Whatever
/// becomes of the records, LSNs and bytes stay the same.
#[derive(Clone, Debug)]
pub struct Group {
    first: Lsn,
    last: Lsn,
    batches: Encoded,
    body_bytes_max: usize,
    parts: u32,
}

/// Why batches are no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// It ends before it begins.
    #[error("a group of batches from {first} to {last} has none")]
    Empty {
        /// The first batch.
        first: Lsn,
        /// The last batch.
        last: Lsn,
    },
    /// A number that no record has room for.
    #[error("{last} is beyond the last number of a batch")]
    LsnTooLarge {
        /// The last batch.
        last: Lsn,
    },
    /// See [`GROUP_BYTES_MAX`] and [`PARTS_MAX`].
    #[error("a group of {bytes} bytes is too large for the log")]
    TooLarge {
        /// Its length.
        bytes: u64,
    },
    /// Batches are numbered without gaps.
    #[error("batch {first} was handed in behind batch {before}")]
    NotNext {
        /// The first batch.
        first: Lsn,
        /// The last one before.
        before: Lsn,
    },
    /// Only a leader commits.
    #[error("this node does not lead")]
    NotLeading,
    /// Nothing more is committed.
    #[error("this node is handing over")]
    HandingOver,
}

impl Group {
    /// Cuts the batches from `first` to `last` into bodies of at most `body_bytes_max` bytes.
    ///
    /// # Errors
    /// [`GroupError`]; the batches are lost then.
    pub fn cut(
        first: Lsn,
        last: Lsn,
        batches: Encoded,
        body_bytes_max: usize,
    ) -> Result<Group, GroupError> {
        if first > last || first == Lsn::ZERO {
            return Err(GroupError::Empty { first, last });
        }
        if last > Lsn::MAX {
            return Err(GroupError::LsnTooLarge { last });
        }
        let bytes = batches.len() as u64;
        let body_bytes_max = body_bytes_max.max(1);
        let parts = bytes.div_ceil(body_bytes_max as u64).max(1);
        let parts = u32::try_from(parts)
            .ok()
            .filter(|&parts| parts <= PARTS_MAX);
        let Some(parts) = parts.filter(|_| bytes <= GROUP_BYTES_MAX) else {
            return Err(GroupError::TooLarge { bytes });
        };
        Ok(Group {
            first,
            last,
            batches,
            body_bytes_max,
            parts,
        })
    }

    /// The first batch.
    pub fn first(&self) -> Lsn {
        self.first
    }

    /// The last batch.
    pub fn last(&self) -> Lsn {
        self.last
    }

    /// How many records it takes.
    pub fn parts(&self) -> u32 {
        self.parts
    }

    /// The body of a part, piece by piece.
    pub(crate) fn body(&self, part: u32) -> impl Iterator<Item = &[u8]> {
        let mut skip = (part as usize).saturating_mul(self.body_bytes_max);
        let mut left = self.body_bytes_max;
        self.batches.slices().filter_map(move |slice| {
            let skipped = skip.min(slice.len());
            skip -= skipped;
            let (_, slice) = slice.split_at(skipped);
            let (piece, _) = slice.split_at(left.min(slice.len()));
            left -= piece.len();
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// A whole group, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadGroup {
    /// The first batch.
    pub first: Lsn,
    /// The last batch.
    pub last: Lsn,
    /// All their bytes.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_joined_are_the_group(
            pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            body_bytes_max in 1..50usize,
        ) {
            let mut batches = Encoded::default();
            for (is_shared, bytes) in &pieces {
                match is_shared {
                    true => batches.push_shared(bytes.clone().into()),
                    false => batches.push(bytes),
                }
            }
            let all = batches.to_vec();
            let group = Group::cut(Lsn::new(1), Lsn::new(3), batches, body_bytes_max).unwrap();
            let bodies: Vec<Vec<u8>> = (0..group.parts())
                .map(|part| group.body(part).flatten().copied().collect())
                .collect();
            prop_assert!(bodies.iter().all(|body| body.len() <= body_bytes_max));
            prop_assert_eq!(bodies.concat(), all);
        }
    }

    #[test]
    fn what_is_no_group_is_refused() {
        let cut = |first, last, bytes: usize, max| {
            let batches = Encoded::from(vec![0; bytes]);
            Group::cut(Lsn::new(first), Lsn::new(last), batches, max).map(|group| group.parts())
        };
        assert_eq!(cut(1, 1, 0, 10), Ok(1));
        assert!(matches!(cut(2, 1, 0, 10), Err(GroupError::Empty { .. })));
        assert!(matches!(cut(0, 1, 0, 10), Err(GroupError::Empty { .. })));
        let max = Lsn::MAX.number();
        assert_eq!(cut(max, max, 1, 1), Ok(1));
        assert!(matches!(
            cut(max, max + 1, 1, 1),
            Err(GroupError::LsnTooLarge { .. })
        ));
        let parts = PARTS_MAX as usize;
        assert_eq!(cut(1, 1, parts, 1), Ok(PARTS_MAX));
        assert!(matches!(
            cut(1, 1, parts + 1, 1),
            Err(GroupError::TooLarge { .. })
        ));
    }
}
