//! The network between the machines and the log service: what is late, comes twice or is lost.

use replication::{Event, Publish, Read, Seq, Source};

use super::{Happening, READ_RECORDS_MAX, World, bugs};
use crate::replication_run::service::{Append, Publisher};

impl World {
    /// A machine publishes.
    pub(super) fn send(&mut self, machine: usize, publish: Publish) {
        let life = self.machines[machine].life;
        let Publish {
            ticket,
            expected,
            bytes,
        } = publish;
        let by = Publisher {
            machine,
            life,
            ticket,
        };
        let expected = self.expectation(by, expected, &bytes);
        let mut delay_us = 100 + self.rng.below(1000);
        let is_wild = !self.faults_are_over();
        if self.machines[machine].cannot_send && is_wild {
            // A client library keeps some, and sends them when it is connected again.
            if self.rng.once_in(2) {
                return;
            }
            delay_us += 1_000_000 + self.rng.below(6_000_000);
            self.counts.late_publishes += 1;
        } else if is_wild && self.rng.once_in(300) {
            delay_us += self.rng.below(5_000_000);
            self.counts.late_publishes += u64::from(delay_us > 1_000_000);
        } else {
            // In one connection nothing overtakes.
            let last = self.machines[machine].last_arrival;
            let at = self.now.plus_us(delay_us).max(last.plus_us(1));
            self.machines[machine].last_arrival = at;
            delay_us = at.0 - self.now.0;
        }
        let published = Happening::Published {
            by,
            expected,
            bytes,
        };
        if is_wild && self.rng.once_in(200) {
            self.counts.doubled_publishes += 1;
            self.at_ms(0, 3000, published.clone());
        }
        self.at(self.now.plus_us(delay_us), published);
    }

    /// A publish reaches the service.
    pub(super) fn published(&mut self, by: Publisher, expected: Option<Seq>, bytes: Vec<u8>) {
        match self.service.append(by, expected, bytes) {
            Append::Proposed => {
                let slow = if self.rng.once_in(8) { 60_000 } else { 2000 };
                let us = 300 + self.rng.below(slow);
                let at = self.now.plus_us(us).max(self.last_commit.plus_us(1));
                self.last_commit = at;
                self.at(at, Happening::Commit);
            }
            Append::Refused => {
                let ticket = by.ticket;
                self.answer(by.machine, by.life, Event::Refused { ticket });
            }
            Append::NoLeader => {
                let ticket = by.ticket;
                if self.rng.once_in(2) {
                    self.answer(by.machine, by.life, Event::Failed { ticket });
                }
            }
        }
    }

    /// The service commits what was proposed first, and acknowledges it.
    pub(super) fn commit(&mut self) {
        let Some((by, seq)) = self.service.commit() else {
            return;
        };
        if !self.faults_are_over() && self.rng.once_in(150) {
            self.counts.acks_lost += 1;
            return;
        }
        let ticket = by.ticket;
        self.answer(by.machine, by.life, Event::Acked { ticket, seq });
    }

    /// Sends an answer of the service.
    pub(super) fn answer(&mut self, machine: usize, life: u64, event: Event) {
        let is_wild = !self.faults_are_over();
        if self.machines[machine].cannot_receive && is_wild {
            return;
        }
        let mut delay_us = 100 + self.rng.below(1000);
        if is_wild && self.rng.once_in(bugs::answers_per_late_one(self.plan.bug)) {
            delay_us += self.rng.below(3_000_000);
        }
        let told = Happening::Told {
            machine,
            life,
            event,
        };
        self.at(self.now.plus_us(delay_us), told);
    }

    /// A machine reads.
    pub(super) fn send_read(&mut self, machine: usize, read: Read) {
        if self.machines[machine].cannot_send && !self.faults_are_over() {
            return;
        }
        let life = self.machines[machine].life;
        let us = 100 + self.rng.below(1000);
        let reading = Happening::Reading {
            machine,
            life,
            read,
        };
        self.at(self.now.plus_us(us), reading);
    }

    /// A read reaches the service, which answers.
    pub(super) fn read(&mut self, machine: usize, life: u64, read: Read) {
        let Read {
            ticket,
            from,
            source,
        } = read;
        if self.service.has_no_leader && source == Source::Leader {
            return;
        }
        let behind = match source {
            Source::Leader => self.service.stale_records,
            Source::Any if self.faults_are_over() => 0,
            Source::Any => self.rng.below(4),
        };
        let last = Seq(self.service.last().0.saturating_sub(behind));
        let trimmed_to = self.service.first();
        let to = Seq(last.0.min(from.max(trimmed_to).0 + READ_RECORDS_MAX - 1));
        if self.machines[machine].cannot_receive && !self.faults_are_over() {
            return;
        }
        let at = self.now.plus_us(100 + self.rng.below(1000));
        let found = self.service.read(from, to);
        for (seq, bytes) in found {
            let event = Event::Found {
                ticket,
                seq,
                trimmed_to,
                bytes,
            };
            let told = Happening::Told {
                machine,
                life,
                event,
            };
            self.at(at, told);
        }
        let event = Event::End {
            ticket,
            last: to,
            trimmed_to,
        };
        let told = Happening::Told {
            machine,
            life,
            event,
        };
        self.at(at, told);
    }
}
