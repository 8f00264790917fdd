//! The bounds of a request. Each is checked before memory is reserved for what it bounds.
//!
//! The defaults are those of Redis 8.6, found by sending requests at each bound and one above.

/// Longest single argument (`proto-max-bulk-len`).
pub const BULK_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Most arguments in a request.
pub const ARGS_MAX: usize = i32::MAX as usize;

/// Longest inline request and longest header line (`*…` or `$…`), without its line feed.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// Longest request as a whole (`client-query-buffer-limit`).
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Most arguments in a request of a client that has yet to authenticate.
pub const UNAUTHENTICATED_ARGS_MAX: usize = 10;

/// Longest single argument of a client that has yet to authenticate.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: usize = 16 * 1024;

/// From this length on an argument gets a buffer of its own, unless it arrives together with what
/// is around it.
pub const LARGE_BYTES_MIN: usize = 128 * 1024;

/// A reply refers to a text of this length or more instead of copying it. Below this, copying is
/// cheaper.
pub const SHARED_BYTES_MIN: usize = 16 * 1024;

/// The same for a reply that has already copied [`SHARED_LATE_BYTES`].
pub const SHARED_BYTES_MIN_LATE: usize = 512;

/// See [`SHARED_BYTES_MIN_LATE`]. Replies that are read without delay stay below it.
pub const SHARED_LATE_BYTES: usize = 1 << 20;

/// The bytes that a reply, or all replies that a client gets at once, may copy. What only the reply
/// still refers to, because it was changed or removed since, counts as copied. Beyond this the
/// client is disconnected, whatever the settings say. It takes very many short texts to get there.
pub const REPLY_COPIED_BYTES_MAX: usize = 1 << 30;

/// When a reply refers to this many bytes more, it is checked how many of them only it refers to.
pub(crate) const LEFT_BEHIND_STEP_BYTES: usize = 128 << 20;

/// Capacity that the parser keeps for the next request, in arguments. Anything beyond it that one
/// huge request needed is freed, so that a connection costs only what it uses.
pub(crate) const SPANS_KEPT_MAX: usize = 4096;

/// Arguments of a request whose form is remembered.
pub(crate) const FORM_ARGS_MAX: usize = 32;

/// Capacity that the parser keeps for the arguments of inline requests, in bytes.
pub(crate) const SCRATCH_KEPT_BYTES_MAX: usize = 1024;

/// Whether a client has authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// It may send anything: it has authenticated, or does not have to.
    Trusted,
    /// It gets just enough room to authenticate.
    Unauthenticated,
}

/// The bounds that a request is read under. They may change between two calls of the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest single argument, in bytes.
    pub bulk_bytes_max: usize,
    /// Most arguments in a request, the command's name included.
    pub args_max: usize,
    /// Longest inline request and longest header line, in bytes without the line feed. Headers of
    /// up to a dozen bytes are read in any case.
    pub inline_bytes_max: usize,
    /// Longest request as a whole, in bytes; beyond 4 GiB it has no effect.
    pub request_bytes_max: usize,
    /// What the client may send, by whether it has authenticated.
    pub sender: Sender,
}

impl Default for Limits {
    /// The defaults of Redis 8.6, for a client that need not authenticate.
    fn default() -> Limits {
        Limits {
            bulk_bytes_max: BULK_BYTES_MAX,
            args_max: ARGS_MAX,
            inline_bytes_max: INLINE_BYTES_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            sender: Sender::Trusted,
        }
    }
}
