//! `maxmemory-clients`: bounds what all clients take together; those that take most are
//! disconnected.

use std::cmp::Reverse;

use crate::Engine;
use crate::clients::session::{IoFigures, Session, SessionId};
use crate::server::Order;

impl Engine {
    /// Reports the figures of a client's connection, for `CLIENT LIST`. Clients may be disconnected
    /// because of it, even this one.
    pub fn set_io_figures(&mut self, id: SessionId, io: IoFigures) {
        let Some(session) = self.node.sessions.find_mut(id) else {
            return;
        };
        if self.node.config.clients_bytes_max == 0 {
            session.io = io;
            return;
        }
        let before = session.counted_bytes;
        session.io = io;
        session.counted_bytes = session.memory_bytes();
        let grown = self.node.clients_bytes + session.counted_bytes as u64;
        self.node.clients_bytes = grown.saturating_sub(before as u64);
        self.evict_clients();
    }

    /// Counts again what all clients take, and disconnects some if that is too much.
    pub(crate) fn look_at_client_memory(&mut self) {
        if self.node.config.clients_bytes_max == 0 {
            return;
        }
        let mut total = 0;
        for session in self.node.sessions.iter_mut() {
            session.counted_bytes = session.memory_bytes();
            total += session.counted_bytes as u64;
        }
        self.node.clients_bytes = total;
        self.evict_clients();
    }

    /// Disconnects clients until all take no more than they may, those that take most first.
    fn evict_clients(&mut self) {
        let bytes_max = self.node.config.clients_bytes_max;
        if self.node.clients_bytes <= bytes_max {
            return;
        }
        let may_go = |session: &&Session| !session.no_evict;
        let sessions = self.node.sessions.iter().filter(may_go);
        let mut largest: Vec<(usize, SessionId)> = sessions
            .map(|session| (session.counted_bytes, session.id))
            .collect();
        largest.sort_unstable_by_key(|(bytes, id)| (Reverse(*bytes), id.client));
        for (bytes, id) in largest {
            if self.node.clients_bytes <= bytes_max {
                return;
            }
            self.node.clients_bytes = self.node.clients_bytes.saturating_sub(bytes as u64);
            self.node.shell.evicted_clients += 1;
            let client = id.client;
            self.node
                .orders
                .push(Order::ClientEvicted { client, bytes });
            self.disconnect_other(id);
        }
    }
}
