//! Clients that send nothing for longer than `timeout` are disconnected.

use crate::Engine;
use crate::clients::session::{Session, SessionId};
use crate::time::{Mono, Now};

/// How often idle clients are looked for, in milliseconds.
const LOOK_PERIOD_MS: u64 = 1000;

impl Engine {
    /// Disconnects clients that were silent too long. Those that wait for something, or only
    /// listen, are not idle.
    pub(crate) fn disconnect_idle(&mut self, now: Now) {
        if self.next_idle_look().is_none_or(|at| now.mono < at) {
            return;
        }
        self.server.idle_looked = now.mono;
        let timeout_ms = self.server.config.client_timeout_s.saturating_mul(1000);
        let is_idle = |session: &Session| {
            now.mono.0.saturating_sub(session.last_request.0) > timeout_ms
                && session.wait.is_none()
                && session.held.is_none()
                && !session.monitor
                && session.subscriptions.is_empty()
        };
        let sessions = self.server.sessions.iter();
        let idle = sessions.filter(|session| is_idle(session));
        let idle: Vec<SessionId> = idle.map(|session| session.id).collect();
        for id in idle {
            self.disconnect_other(id);
        }
    }

    /// When to look for idle clients again; never if they may stay.
    pub(crate) fn next_idle_look(&self) -> Option<Mono> {
        let server = &self.server;
        (server.config.client_timeout_s > 0 && !server.sessions.is_empty())
            .then(|| server.idle_looked.plus(LOOK_PERIOD_MS))
    }
}
