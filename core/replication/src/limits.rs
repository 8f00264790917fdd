//! Every bound of this crate. Each is checked before memory is reserved.

/// Largest body of one record, in bytes: the most that a log service takes as one message (64 MiB),
/// less the header of 96.
pub const BODY_BYTES_MAX: usize = (64 << 20) - 96;

/// Largest group of batches, in bytes (16 GiB). A reader keeps the parts of one group until it is
/// whole.
pub const GROUP_BYTES_MAX: u64 = 16 << 30;

/// Most records that one group is cut into.
pub const PARTS_MAX: u32 = 1 << 20;

/// Largest text that a node says of itself when it becomes the leader, in bytes.
pub const GREETING_BYTES_MAX: usize = 1024;

/// Most records that are on their way to the log at a time. So many may be in doubt after an error.
pub const IN_FLIGHT_MAX: usize = 64;

/// How many snapshots of a group are kept: if one turns out to be lost, there is another, and the
/// log behind it.
pub const SNAPSHOTS_KEPT: usize = 2;
