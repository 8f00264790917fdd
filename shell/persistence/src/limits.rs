//! Bounds on what waits to be kept.

/// How many bytes may wait for the journal's thread. Beyond this, clients that take no replies wait
/// until what they did is durable, as other clients do anyway.
pub const JOURNAL_BACKLOG_BYTES_MAX: usize = 64 << 20;
