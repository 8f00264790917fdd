//! RESP2 and RESP3: requests in, replies out.
//!
//! [`Parser`] reads requests from the front of a connection's input and hands them out as [`Argv`]:
//! slices of that input, nothing copied and nothing allocated per request. [`Reply`] writes replies
//! straight into the connection's output and knows which protocol the client speaks. There is no tree
//! of values in either direction, and no socket: where bytes come from and go to is the caller's matter.

mod ahead;
mod argv;
mod double;
mod inline;
mod limits;
mod reply;
mod request;

pub use ahead::KeysAhead;
pub use argv::{Argv, ArgvBuf, ArgvIter, Span};
pub use double::{DOUBLE_TEXT_BYTES_MAX, double_text};
pub use inline::split_line;
pub use limits::{
    ARGS_MAX, BULK_BYTES_MAX, INLINE_BYTES_MAX, Limits, REQUEST_BYTES_MAX, Sender,
    UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_BYTES_MAX,
};
pub use reply::{Mark, Protocol, Reply};
pub use request::{Parser, ProtocolError, Request};
