//! Bounds on what a connection can take.

/// Bytes read from a socket at once.
pub const READ_BYTES: usize = 64 * 1024;

/// Replies are written when so many bytes have gathered, even if more requests are there.
pub const REPLY_BATCH_BYTES: usize = 1 << 20;

/// Bytes that may wait for a client that does not read them (what others send it).
pub const MAILBOX_BYTES_MAX: usize = 256 << 20;

/// Buffers larger than this are given back when a connection has nothing to say.
pub const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// A command with a larger request or reply is measured on its own.
pub const LIGHT_BYTES_MAX: usize = 4096;
