//! The sizes at which a producer's window and a stream's bookkeeping change their form.

/// A producer with at most this many iids lies in one block without an index.
pub(super) const SMALL_RECORDS_MAX: usize = 8;

/// The longest such block; offsets in it have 16 bits.
pub(super) const SMALL_BYTES_MAX: usize = 768;
const _: () = assert!(SMALL_BYTES_MAX <= u16::MAX as usize);

/// A larger window goes back to the small form when no more than this many iids are left: fewer
/// than [`SMALL_RECORDS_MAX`], so that it does not flip back and forth.
pub(super) const SHRINK_RECORDS_MAX: usize = 4;

/// The most iids in one ring: what a write after a freeze copies (some 6 KiB with short iids).
pub(super) const RING_RECORDS_MAX: usize = 128;

/// How many iids a part of a split window is meant to hold; their number varies by chance.
pub(super) const PART_RECORDS: usize = 80;

/// The most parts of a split window: a part's number has 8 bits.
pub(super) const PARTS_MAX: usize = 256;

/// With more records than this, a stream keeps a calendar; with fewer it looks at all of them.
pub(super) const UNSORTED_RECORDS_MAX: usize = 128;

/// With as few records as this, the calendar goes again.
pub(super) const UNSORTED_RECORDS_MIN: usize = 32;
const _: () = assert!(UNSORTED_RECORDS_MIN < UNSORTED_RECORDS_MAX);

/// How many records of a removed producer cost one unit of the budget of expiry or eviction.
pub(super) const RECORDS_PER_WORK_UNIT: usize = 16;

/// Producers that are put in the order of their activity in one step, about.
pub(super) const SORTED_PER_STEP: usize = 32;

/// Producers that are put in order before one is evicted, so that this ends before the stream has
/// grown much.
pub(super) const SORTED_PER_EVICTION: usize = 16;

/// Producers whose appends are counted one by one; some 8 MiB of counts.
pub(super) const COUNTED_PRODUCERS_MAX: usize = 65_536;
