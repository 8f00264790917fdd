//! What goes to clients that did not just ask for it.

use std::sync::Arc;

use batch::Lsn;
use resp::{Bytes, Kept, Rope};

use crate::clients::session::SessionId;

/// Something that goes out, to one client or to many.
#[derive(Debug)]
pub enum Outgoing {
    /// To one.
    One(Delivery),
    /// To many.
    Many(Broadcast),
}

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

/// The same bytes for many clients, to which nothing else happens. However many they are, the bytes
/// are there once.
#[derive(Debug)]
pub struct Broadcast {
    /// To whom.
    pub to: Arc<[SessionId]>,
    /// What, ready for the wire.
    pub bytes: Shared,
    /// The batch that must be durable before it leaves.
    pub depends_on: Lsn,
}

/// Bytes that many clients share.
#[derive(Debug, Clone)]
pub struct Shared(pub Arc<Vec<u8>>);

impl Shared {
    /// A rope that refers to them.
    pub fn rope(&self) -> Rope {
        let mut rope = Rope::default();
        rope.push_shared(Box::new(self.clone()));
        rope
    }
}

impl Bytes for Shared {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn kept(&self) -> Kept {
        Kept {
            address: self.0.as_ptr().addr(),
            bytes: self.0.len(),
            holders: Arc::strong_count(&self.0),
        }
    }
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

impl Outgoing {
    /// The clients one by one, each with what it gets.
    pub fn into_deliveries(self) -> Vec<Delivery> {
        match self {
            Outgoing::One(delivery) => vec![delivery],
            Outgoing::Many(broadcast) => {
                let to = broadcast.to.iter();
                let each = to.map(|session| Delivery {
                    session: *session,
                    bytes: broadcast.bytes.rope(),
                    depends_on: broadcast.depends_on,
                    then: Then::Continue,
                });
                each.collect()
            }
        }
    }
}
