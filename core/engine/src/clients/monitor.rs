//! `MONITOR`: clients that see all commands.
//!
//! Lines are collected until the shell takes the output, and then they are one piece of memory for
//! all clients that see them: many clients that do not read cost little more than one.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use resp::{Bytes, Kept, Rope};

use crate::clients::delivery::{Delivery, Then};
use crate::clients::session::SessionId;
use crate::limits::LINES_SHARED_BYTES_MIN;
use batch::Lsn;

/// The clients that see all commands, and what they have to see.
#[derive(Debug, Default)]
pub struct Monitors {
    pub(crate) clients: BTreeSet<SessionId>,
    /// Lines that were not handed out yet.
    pub(crate) lines: Vec<u8>,
    /// The clients that see them.
    pub(crate) shown_to: Vec<SessionId>,
}

impl Monitors {
    /// A client sees all commands from now on, or does so already.
    pub fn add(&mut self, client: SessionId) {
        self.clients.insert(client);
    }

    /// A client sees no more commands.
    pub fn remove(&mut self, client: SessionId) {
        self.clients.remove(&client);
    }

    /// Returns whether there are lines to hand out.
    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Hands out the lines that were gathered.
    pub(crate) fn hand_out(&mut self, outbox: &mut Vec<Delivery>) {
        let lines = mem::take(&mut self.lines);
        let shared = (lines.len() >= LINES_SHARED_BYTES_MIN).then(|| Arc::<[u8]>::from(&*lines));
        for session in self.shown_to.drain(..) {
            let mut bytes = Rope::default();
            match &shared {
                Some(shared) => bytes.push_shared(Box::new(Lines(Arc::clone(shared)))),
                None => bytes.push(&lines),
            }
            outbox.push(Delivery {
                session,
                bytes,
                depends_on: Lsn::ZERO,
                then: Then::Continue,
            });
        }
    }
}

/// Lines for several clients.
#[derive(Debug)]
struct Lines(Arc<[u8]>);

impl Bytes for Lines {
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
