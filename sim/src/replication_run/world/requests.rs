//! The requests of the clients, and the replies to them.

use anyhow::Result;

use super::{CLIENT_TIMEOUT_MS, FAULTS_MS, Happening, Instant, MACHINES, SETTLE_MS, World};
use crate::replication_run::clients::{Asked, Reply, Request};

impl World {
    /// A request reaches a machine.
    pub(super) fn asked(&mut self, asked: Asked, request: Request) -> Result<()> {
        let machine = self.clients[asked.client].machine;
        let it = &mut self.machines[machine];
        if it.paused_until > self.now {
            let until = it.paused_until;
            self.at(until, Happening::Asked { asked, request });
            return Ok(());
        }
        let process = it.process.as_mut();
        let leads =
            process.filter(|process| process.leads().is_some() && !process.node.is_handing_over());
        let Some(process) = leads else {
            if it.process.is_some() {
                self.reply(asked, Reply::NotLeading);
            }
            return Ok(());
        };
        self.counts.duplicates += u64::from(process.execute(asked, request));
        self.go_on(machine)
    }

    /// Sends a reply.
    pub(super) fn reply(&mut self, asked: Asked, reply: Reply) {
        if !self.faults_are_over() && self.rng.once_in(50) {
            return;
        }
        let at = self.now.plus_us(100 + self.rng.below(2000));
        self.at(at, Happening::Replied { asked, reply });
    }

    /// A reply reaches a client.
    pub(super) fn replied(&mut self, asked: Asked, reply: Reply) {
        let client = &mut self.clients[asked.client];
        if client.attempt != asked.attempt {
            return;
        }
        let request = client.waits_for;
        match (reply, request) {
            (Reply::Appended(id), Some(Request::Append { key, id: wanted })) if id == wanted => {
                client.waits_for = None;
                self.counts.acknowledged += 1;
                self.audit.acknowledged(key, id);
            }
            (Reply::List(..), Some(Request::Read { .. })) => client.waits_for = None,
            (Reply::NotLeading, Some(_)) => client.machine = self.rng.index(MACHINES),
            (Reply::Appended(_) | Reply::List(..) | Reply::NotLeading, _) => return,
        }
        client.attempt += 1;
        let asked = Asked {
            attempt: client.attempt,
            ..asked
        };
        let pause_ms = if self.rng.once_in(10) { 2000 } else { 60 };
        self.at_ms(1, pause_ms, Happening::ClientTimer { asked });
    }

    /// A client asks, for the first time or again.
    pub(super) fn client_timer(&mut self, asked: Asked) {
        let client = &mut self.clients[asked.client];
        if client.attempt != asked.attempt {
            return;
        }
        client.attempt += 1;
        client.seen = self.audit.seen();
        let request = match client.waits_for {
            Some(request) => {
                self.counts.retries += u64::from(client.is_producer());
                if self.rng.once_in(2) {
                    client.machine = self.rng.index(MACHINES);
                }
                request
            }
            None if self.now >= Instant(0).plus_ms(FAULTS_MS + SETTLE_MS * 2 / 3) => return,
            None => client.begin(&mut self.rng),
        };
        let asked = Asked {
            attempt: client.attempt,
            ..asked
        };
        let at = self.now.plus_us(100 + self.rng.below(2000));
        self.at(at, Happening::Asked { asked, request });
        let at = self.now.plus_ms(CLIENT_TIMEOUT_MS);
        self.at(at, Happening::ClientTimer { asked });
    }
}
