//! `MONITOR`: clients that see all commands.
//!
//! Lines are collected until the shell takes the output, and then they are one piece of memory for
//! all clients that see them: many clients that do not read cost little more than one.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use crate::clients::delivery::{Broadcast, Outgoing, Shared};
use crate::clients::session::SessionId;
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
    pub(crate) fn hand_out(&mut self, outbox: &mut Vec<Outgoing>) {
        if self.lines.is_empty() {
            return;
        }
        outbox.push(Outgoing::Many(Broadcast {
            to: Arc::from(mem::take(&mut self.shown_to)),
            bytes: Shared(Arc::new(mem::take(&mut self.lines))),
            depends_on: Lsn::ZERO,
        }));
    }
}
