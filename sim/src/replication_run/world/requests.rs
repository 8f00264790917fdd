//! The requests of the clients, and the replies to them.

use anyhow::Result;

use super::{CLIENT_TIMEOUT_MS, FAULTS_MS, Happening, MACHINES, SETTLE_MS, World};
use crate::replication_run::clients::{Asked, Phase, Reply, Request};
use crate::replication_run::machine::Before;

impl World {
    /// A request reaches a machine.
    pub(super) fn asked(&mut self, asked: Asked, request: Request) -> Result<()> {
        let machine = self.clients[asked.client].machine;
        let it = &mut self.machines[machine];
        let wall = it.wall(self.now);
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
        let before = process.execute(asked, &request, wall)?;
        self.counts.duplicates += u64::from(before != Before::Nobody);
        self.counts.duplicates_of_others += u64::from(before == Before::AnotherLeader);
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
    pub(super) fn replied(&mut self, asked: Asked, reply: Reply) -> Result<()> {
        let client = &mut self.clients[asked.client];
        if client.attempt != asked.attempt || client.waits_for.is_none() {
            return Ok(());
        }
        match reply {
            Reply::NotLeading => client.machine = self.rng.index(MACHINES),
            Reply::Answers(bytes) => client.answered(
                &bytes,
                &self.plan,
                self.now,
                &mut self.audit,
                &mut self.counts,
            )?,
        }
        client.attempt += 1;
        let asked = Asked {
            attempt: client.attempt,
            ..asked
        };
        let pause_ms = if self.rng.once_in(10) { 2000 } else { 100 };
        self.at_ms(1, pause_ms, Happening::ClientTimer { asked });
        Ok(())
    }

    /// A client asks, for the first time or again.
    pub(super) fn client_timer(&mut self, asked: Asked) {
        let client = &mut self.clients[asked.client];
        if client.attempt != asked.attempt {
            return;
        }
        let settled_ms = self.now.0 / 1000;
        let phase = match settled_ms.saturating_sub(FAULTS_MS) * 6 / SETTLE_MS {
            0 | 1 => Phase::All,
            2 => Phase::Draining,
            _ => Phase::Over,
        };
        let was_waiting = client.waits_for.is_some();
        if was_waiting && self.rng.once_in(2) {
            client.machine = self.rng.index(MACHINES);
        }
        let (now, rng) = (self.now, &mut self.rng);
        let asks = client.ask(now, phase, &mut self.audit, &mut self.counts, rng);
        let asked = Asked {
            attempt: client.attempt,
            ..asked
        };
        if let Some(request) = asks {
            let at = self.now.plus_us(100 + self.rng.below(2000));
            self.at(at, Happening::Asked { asked, request });
        }
        let at = self.now.plus_ms(CLIENT_TIMEOUT_MS);
        self.at(at, Happening::ClientTimer { asked });
    }
}
