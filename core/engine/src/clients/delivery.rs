//! What goes to clients that did not just ask for it.

use resp::Rope;

use crate::clients::session::SessionId;
use batch::Lsn;

/// Bytes for a client that did not just ask for them.
#[derive(Debug)]
pub struct Delivery {
    /// The client that gets them.
    pub session: SessionId,
    /// Encoded for its protocol.
    pub bytes: Rope,
    /// The batch that must be durable before it leaves.
    pub depends_on: Lsn,
    /// What happens to the client after them.
    pub then: Then,
}

/// What happens to a client with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Continue,
    /// It was blocked and goes on with its next request.
    Resume,
    /// Its connection is closed after the bytes.
    Close,
}
