//! Those who listen to one channel.

use std::collections::BTreeSet;
use std::sync::Arc;

use resp::Protocol;

use crate::clients::session::SessionId;

/// Clients that get the same, apart by the protocol that they speak. They are listed when a message
/// needs that, and the list stays until somebody comes or goes: a message to many costs a reference
/// to it.
#[derive(Debug, Default)]
pub(super) struct Line {
    clients: [BTreeSet<SessionId>; 2],
    listed: [Option<Arc<[SessionId]>>; 2],
}

/// The protocols, in the order of the parts of a line.
pub(super) const PROTOCOLS: [Protocol; 2] = [Protocol::Resp2, Protocol::Resp3];

const fn place(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Resp2 => 0,
        Protocol::Resp3 => 1,
    }
}

impl Line {
    pub(super) fn add(&mut self, client: SessionId, protocol: Protocol) {
        self.clients[place(protocol)].insert(client);
        self.listed[place(protocol)] = None;
    }

    pub(super) fn remove(&mut self, client: SessionId, protocol: Protocol) {
        self.clients[place(protocol)].remove(&client);
        self.listed[place(protocol)] = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.iter().all(BTreeSet::is_empty)
    }

    pub(super) fn len(&self) -> usize {
        self.clients.iter().map(BTreeSet::len).sum()
    }

    /// Those that speak a protocol, by their numbers; `None` if there is nobody.
    pub(super) fn list(&mut self, protocol: Protocol) -> Option<&Arc<[SessionId]>> {
        let clients = &self.clients[place(protocol)];
        if clients.is_empty() {
            return None;
        }
        let listed = &mut self.listed[place(protocol)];
        Some(listed.get_or_insert_with(|| clients.iter().copied().collect()))
    }
}
