//! Bounds on what waits to be kept, or to be counted.

/// How many bytes may wait for the journal's thread. Beyond this, clients that take no replies wait
/// until what they did is durable, as other clients do anyway.
pub const JOURNAL_BACKLOG_BYTES_MAX: usize = 64 << 20;

/// How many times of commits to a log that several machines share are kept while nobody asks for
/// them; further ones are dropped.
pub const COMMIT_TIMES_MAX: usize = 1 << 14;
