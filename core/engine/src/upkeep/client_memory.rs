//! `maxmemory-clients`: bounds what all clients take together; those that take most are
//! disconnected.

use std::cmp::Reverse;

use crate::Engine;
use crate::clients::session::{IoFigures, Session, SessionId};
use crate::server::Order;

impl Engine {
    /// Reports the figures of a client's connection, for `CLIENT LIST`. Clients may be disconnected
    /// because of it, even this one.
    #[inline]
    pub fn set_io_figures(&mut self, id: SessionId, io: IoFigures) {
        let Some(session) = self.server.sessions.find_mut(id) else {
            return;
        };
        if self.server.config.clients_bytes_max == 0 {
            session.io = io;
            return;
        }
        let before = session.counted_bytes;
        session.io = io;
        session.counted_bytes = session.memory_bytes();
        let grown = self.server.clients_bytes + session.counted_bytes as u64;
        self.server.clients_bytes = grown.saturating_sub(before as u64);
        self.evict_clients();
    }

    /// Counts again what all clients take, and disconnects some if that is too much.
    pub(crate) fn look_at_client_memory(&mut self) {
        if self.server.config.clients_bytes_max == 0 {
            return;
        }
        let mut total = 0;
        for session in self.server.sessions.iter_mut() {
            session.counted_bytes = session.memory_bytes();
            total += session.counted_bytes as u64;
        }
        self.server.clients_bytes = total;
        self.evict_clients();
    }

    /// Disconnects clients until all take no more than they may, those that take most first.
    fn evict_clients(&mut self) {
        let bytes_max = self.server.config.clients_bytes_max;
        if self.server.clients_bytes <= bytes_max {
            return;
        }
        let may_go = |session: &&Session| !session.no_evict;
        let sessions = self.server.sessions.iter().filter(may_go);
        let mut largest: Vec<(usize, SessionId)> = sessions
            .map(|session| (session.counted_bytes, session.id))
            .collect();
        largest.sort_unstable_by_key(|(bytes, id)| (Reverse(*bytes), id.client));
        for (bytes, id) in largest {
            if self.server.clients_bytes <= bytes_max {
                return;
            }
            self.server.clients_bytes = self.server.clients_bytes.saturating_sub(bytes as u64);
            self.server.shell.evicted_clients += 1;
            let client = id.client;
            self.server
                .orders
                .push(Order::ClientEvicted { client, bytes });
            self.disconnect_other(id);
        }
    }
}
