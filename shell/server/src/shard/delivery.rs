//! What the engine has for clients that did not just ask, on its way to their threads.

use std::sync::Arc;

use super::{Caller, State};
use crate::inbox::{Inbox, Letter};

impl State {
    /// These are the threads that serve clients.
    pub(crate) fn set_inboxes(&mut self, inboxes: &[Arc<Inbox>]) {
        self.inboxes = inboxes.to_vec();
        self.bags = inboxes.iter().map(|_| Vec::new()).collect();
    }
}

/// Posts what the engine has for clients that did not just ask.
pub(super) fn deliver(state: &mut State, caller: Caller, letters: &mut Vec<Letter>) {
    for delivery in state.engine.take_outbox() {
        let Some(home) = state.homes.find(delivery.session) else {
            continue;
        };
        let letter = Letter::Delivery(home.place, delivery);
        if caller == Caller::Io(home.thread) {
            letters.push(letter);
        } else if let Some(bag) = state.bags.get_mut(home.thread) {
            bag.push(letter);
        }
    }
    for (inbox, bag) in state.inboxes.iter().zip(&mut state.bags) {
        if !bag.is_empty() {
            inbox.post_all(bag);
        }
    }
}
