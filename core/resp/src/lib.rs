//! RESP2 and RESP3: requests in, replies out.
//!
//! [`Parser`] reads requests from the front of a connection's input and hands them out as [`Argv`]:
//! slices of that input, nothing copied and nothing allocated per request; a large argument has a
//! buffer of its own ([`Large`]), which whoever keeps it shares. [`Reply`] writes replies
//! straight into the connection's output and knows which protocol the client speaks; it refers to
//! large values instead of copying them, and what goes out is a [`Rope`] of both. There is no tree
//! of values in either direction, and no socket: the caller decides where bytes come from and where
//! they go.

mod ahead;
mod argv;
mod double;
mod header;
mod inline;
mod large;
mod limits;
mod pen;
mod reply;
mod request;
mod rope;

pub use ahead::{Ahead, KeysAhead};
pub use argv::{Argv, ArgvBuf, ArgvIter, Span};
pub use double::{DOUBLE_TEXT_BYTES_MAX, double_text};
pub use header::write_header;
pub use inline::split_line;
pub use large::{Large, find_large};
pub use limits::{
    ARGS_MAX, BULK_BYTES_MAX, INLINE_BYTES_MAX, LARGE_BYTES_MIN, Limits, REPLY_COPIED_BYTES_MAX,
    REQUEST_BYTES_MAX, SHARED_BYTES_MIN, SHARED_BYTES_MIN_LATE, SHARED_LATE_BYTES, Sender,
    UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_BYTES_MAX,
};
pub use pen::{NoRoom, PEN_ROOM, Pen};
pub use reply::{GuessedArray, Mark, Part, Protocol, Reply, Texts};
pub use request::{Parser, ProtocolError, Request};
pub use rope::{Bytes, Kept, Parts, RUN_STEP_BYTES, Rope, Run};
