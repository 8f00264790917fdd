//! A new view of the group: what clients are told, and which of them have to look for the leader.

use crate::Engine;
use crate::clients::session::{Session, SessionId};
use crate::clients::waiting::GiveUp;
use crate::config::ClientClass;
use crate::error::CmdError;
use crate::server::Server;
use crate::topology::{Topology, changes};

impl Engine {
    /// What this node knows of its group; `None` if the server is alone.
    pub fn topology(&self) -> Option<&Topology> {
        self.server.topology.as_deref()
    }

    /// Hands in what this node knows of its group from now on. Call it whenever something has
    /// changed, and a few times a second while others are heard of; then send what is in the
    /// outbox. `None` makes the server one that is alone.
    ///
    /// Clients that listen hear of a new leader as from a Sentinel. If this node leads no longer,
    /// the requests that wait end with an error, and ordinary clients are disconnected: they
    /// believe that they speak to the leader, and would read what may be out of date. Clients of a
    /// cluster stay, because they are told by a redirection.
    pub fn set_topology(&mut self, topology: Option<Topology>) {
        let old = self.server.topology.take();
        let led = old.as_ref().is_some_and(|old| old.leads());
        let leads = topology.as_ref().is_some_and(Topology::leads);
        if let Some(new) = &topology {
            for (channel, message) in changes(old.as_deref(), new) {
                let channels = &mut self.server.channels;
                channels.publish(channel.as_bytes(), message.as_bytes());
            }
        }
        self.server.topology = topology.map(Box::new);
        self.send_news_of_time();
        if led && !leads {
            self.leads_no_longer();
        }
        self.count_replicas();
    }

    /// Answers those who wait for replicas and have enough of them now.
    fn count_replicas(&mut self) {
        for id in std::mem::take(&mut self.server.wait_for_replicas) {
            let Server {
                sessions, topology, ..
            } = &mut self.server;
            let Some(session) = sessions.find_mut(id) else {
                continue;
            };
            let written = session.depends_on;
            let wait = session.wait.as_mut();
            let Some(replicas) = wait.and_then(|wait| wait.on_timeout.replicas_mut()) else {
                continue;
            };
            let have = topology.as_ref().map_or(0, |it| it.followers_with(written));
            replicas.have = have as i64;
            match replicas.are_enough() {
                true => drop(self.give_up(id, GiveUp::Timeout)),
                false => self.server.wait_for_replicas(id),
            }
        }
    }

    fn leads_no_longer(&mut self) {
        let is_ordinary = |session: &Session| session.class == ClientClass::Normal;
        let sessions = self.server.sessions.iter().filter(|it| is_ordinary(it));
        let ordinary: Vec<SessionId> = sessions.map(|session| session.id).collect();
        let are_redirected = self.server.config.cluster_protocol;
        for id in ordinary {
            self.give_up(id, GiveUp::Error(CmdError::RoleChanged));
            if !are_redirected {
                self.disconnect_other(id);
            }
        }
    }
}
