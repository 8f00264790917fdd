//! What goes to clients that did not just ask for it.

use resp::Rope;

use crate::clients::session::SessionId;
use batch::Lsn;

/// Bytes for a client that did not just ask for them.
#[derive(Debug)]
pub struct Delivery {
    /// To whom.
    pub session: SessionId,
    /// What, ready for the wire.
    pub bytes: Rope,
    /// The batch that must be durable before it leaves.
    pub depends_on: Lsn,
    /// What else happens to the client.
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
