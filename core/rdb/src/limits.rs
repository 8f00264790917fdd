//! Bounds that are checked before memory is reserved, and the sizes of our own pieces.

/// The longest string that is read, in bytes: what Redis allows at most for one argument.
pub const STRING_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The longest node of a stream that is read, in bytes: the most that a listpack can express. A
/// large node that we write has a single entry, and that may be as long as a request.
pub const NODE_BYTES_READ_MAX: u64 = u32::MAX as u64;

/// The newest version of the format that is read. Redis 8.6 writes 13, and 8.8 writes 14; one more
/// is accepted, since each value names its type and an unknown type is refused by name.
pub const VERSION_READ_MAX: u16 = 15;

/// The version that is written: that of Redis 8.6.
pub const VERSION_WRITTEN: u16 = 13;

/// The first version that knows entries given back to their group (stream type 27).
pub(crate) const VERSION_OF_GIVEN_BACK: u16 = 14;

/// The memory that is reserved because a length claims so, in bytes. Beyond it, memory grows with
/// the bytes that have really arrived.
pub(crate) const TRUSTED_BYTES_MAX: usize = 64 * 1024;

/// Strings up to this length are not worth compressing, in bytes (as in Redis).
pub(crate) const UNCOMPRESSED_BYTES_MAX: usize = 20;

/// How much is gathered before it goes to the sink, in bytes.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// How many entries a node of a stream that we write has at most: `stream-node-max-entries` of
/// Redis.
pub(crate) const NODE_ENTRIES_MAX: usize = 100;

/// How many bytes a node that we write has at most, unless a single entry is larger:
/// `stream-node-max-bytes` of Redis.
pub(crate) const NODE_BYTES_MAX: usize = 4096;

/// Field names of a node that are longer than this together are not shared in memory, in bytes.
pub(crate) const NAMES_REPEATED_BYTES_MAX: usize = 8 * 1024;

/// How many times the bytes of a node the names of its fields may take if they are repeated for
/// each entry. With up to 100 entries in a node, as Redis has by default, it is never more than
/// 100.
pub(crate) const REPETITION_MAX: u64 = 256;

/// How many bytes a node of a list that we write has at most, unless a single element is longer:
/// `list-max-listpack-size -2` of Redis.
pub(crate) const LISTPACK_NODE_BYTES_MAX: usize = 8192;
