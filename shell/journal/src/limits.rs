//! Every bound of this crate. Each is checked before memory is reserved.

/// Longest annotation line, its line ending included. Redis reads such lines into 128 bytes; we
/// stay well below.
pub const LINE_BYTES_MAX: usize = 99;

/// Most batches in one group. Its decimal form has a fixed share of [`LINE_BYTES_MAX`].
pub const GROUP_BATCHES_MAX: u64 = u32::MAX as u64;

/// Longest body of one group, in bytes (4 TiB); 13 decimal digits.
pub const GROUP_BYTES_MAX: u64 = 1 << 42;

/// Longest manifest that is read, in bytes. Redis' own has one line for each file, of at most 1024
/// bytes.
pub const MANIFEST_BYTES_MAX: u64 = 4 << 20;

/// Longest line of a manifest, in bytes (Redis' limit).
pub const MANIFEST_LINE_BYTES_MAX: usize = 1024;

/// How much is read from a file at once, in bytes.
pub const READ_BYTES: usize = 1 << 20;

/// Most bulk strings in one command of a file that Redis wrote (Redis' limit for requests).
pub const COMMAND_ARGS_MAX: u64 = 1 << 20;

/// Longest number line (`*3`, `$17`) of a command, its line ending included.
pub const NUMBER_LINE_BYTES_MAX: usize = 32;

/// Longest foreign annotation line, in bytes (`redis-check-aof` allows as much).
pub const FOREIGN_LINE_BYTES_MAX: usize = 1024;

/// Batches that wait to be written are kept in parts, each of which has at most this many own bytes
/// unless one submission brought more.
pub const PART_BYTES_MAX: usize = 1 << 20;

/// Looking for whole groups after a damaged place checks at most this many times the size of the
/// file.
pub const RESYNC_FACTOR_MAX: u64 = 8;

/// How many times of one kind ([`Times`](crate::Times)) are kept while nobody asks for them;
/// further ones are dropped.
pub const TIMES_MAX: usize = 1 << 16;

const _: () = assert!(LINE_BYTES_MAX < 100, "Redis must be able to skip the line");
const _: () = assert!(READ_BYTES >= 4 * FOREIGN_LINE_BYTES_MAX);
