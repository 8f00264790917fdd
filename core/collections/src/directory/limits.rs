//! How large and how deep the parts of a directory get.

/// How many values a table holds before it splits (unless it is [`super::PREFIX_BITS`] deep). It is
/// a little less than what 128 buckets hold, and as many records of keys fill five KiB.
pub const TABLE_LEN_MAX: usize = 106;

/// A table at or below this length looks whether it can merge with its neighbour, whenever its
/// length is a multiple of [`SPARSE_STEP`], so also when it becomes empty.
pub(crate) const SPARSE_LEN: usize = 24;

/// The number of removals between two such looks.
pub(crate) const SPARSE_STEP: usize = 4;

/// Two neighbours merge when they hold at most this many values together: far enough below
/// [`TABLE_LEN_MAX`] that adding and removing at the border does not split and merge again and
/// again.
pub(crate) const MERGED_LEN_MAX: usize = 48;

const _: () = assert!(SPARSE_LEN < MERGED_LEN_MAX && MERGED_LEN_MAX < TABLE_LEN_MAX);
