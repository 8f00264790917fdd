//! What is refused before memory is reserved, and how large our own pieces are.

/// The longest string that is read, in bytes: what Redis allows at most for one argument.
pub const STRING_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The newest version of the format that is read. Redis 8.6 writes 13, and 8.8 writes 14; one more is
/// let through, since each value names its type and an unknown one is refused by name.
pub const VERSION_READ_MAX: u16 = 15;

/// The version that is written: that of Redis 8.6.
pub const VERSION_WRITTEN: u16 = 13;

/// How much memory is reserved on the word of a length alone, in bytes; beyond it, memory follows the
/// bytes that have really come.
pub(crate) const TRUSTED_BYTES_MAX: usize = 64 * 1024;

/// Strings up to this length are not worth compressing, in bytes (as in Redis).
pub(crate) const UNCOMPRESSED_BYTES_MAX: usize = 20;

/// How much is gathered before it goes to the sink, in bytes.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;
