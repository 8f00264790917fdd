//! What the engine has for clients that did not just ask, on its way to their threads.

use std::sync::Arc;

use super::{Caller, State};
use crate::mailbox::{Mailbox, Message};

impl State {
    /// These are the threads that serve clients.
    pub(crate) fn set_mailboxes(&mut self, mailboxes: &[Arc<Mailbox>]) {
        self.mailboxes = mailboxes.to_vec();
        self.outgoing = mailboxes.iter().map(|_| Vec::new()).collect();
    }
}

/// Posts what the engine has for clients that did not just ask.
pub(super) fn deliver(state: &mut State, caller: Caller, messages: &mut Vec<Message>) {
    for delivery in state.engine.take_outbox() {
        let Some(location) = state.locations.find(delivery.session) else {
            continue;
        };
        let message = Message::Delivery(location.place, delivery);
        if caller == Caller::Io(location.thread) {
            messages.push(message);
        } else if let Some(outgoing) = state.outgoing.get_mut(location.thread) {
            outgoing.push(message);
        }
    }
    for (mailbox, outgoing) in state.mailboxes.iter().zip(&mut state.outgoing) {
        if !outgoing.is_empty() {
            mailbox.post_all(outgoing);
        }
    }
}
