//! A machine: a node of the protocol, an engine, clients that wait, a clock of its own.

use std::time::Duration;

use anyhow::{Result, ensure};
use batch::{Encoded, Lsn};
use replication::{Group, Identity, Mark, Node, NodeId, Position, Settings, Status, Steady};

use crate::replication_run::clients::{Asked, Reply, Request};
use crate::replication_run::model::{Model, encode};
use crate::replication_run::world::Instant;
use crate::rng::Rng;

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) number: usize,
    clock: SteadyClock,
    /// Grows with each start.
    pub(super) life: u64,
    /// While it runs.
    pub(super) process: Option<Process>,
    pub(super) paused_until: Instant,
    /// The last mark on its disk.
    pub(super) kept: Option<Mark>,
    /// It has found the log wrong.
    pub(super) has_stopped: bool,
    /// Its links with the log service.
    pub(super) cannot_send: bool,
    pub(super) cannot_receive: bool,
    /// When it looks at its clock next.
    pub(super) wakes_next: Instant,
    /// When what it sent last arrives: later messages do not overtake it.
    pub(super) last_arrival: Instant,
}

/// What is gone when a machine crashes.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) node: Node,
    pub(super) model: Model,
    /// Appends that are not in a group yet.
    gathered: Vec<u8>,
    handed_in: u64,
    pub(super) durable: u64,
    pub(super) waiting: Vec<Waiting>,
}

/// A reply that may not leave yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) asked: Asked,
    pub(super) reply: Reply,
    depends_on: u64,
}

/// A clock that runs too fast or too slow.
#[derive(Clone, Copy, Debug)]
struct SteadyClock {
    zero: Duration,
    /// How many parts in a million it is too fast.
    ppm: i64,
}

impl SteadyClock {
    fn at(&self, now: Instant) -> Steady {
        let us = i128::from(now.0) * i128::from(1_000_000 + self.ppm) / 1_000_000;
        Steady(self.zero + Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX)))
    }

    /// The first moment at which the clock shows this.
    fn when(&self, at: Steady) -> Instant {
        let us = i128::try_from(at.0.saturating_sub(self.zero).as_micros()).unwrap_or(i128::MAX);
        let real = (us + 1) * 1_000_000 / i128::from(1_000_000 + self.ppm) + 1;
        Instant(u64::try_from(real).unwrap_or(u64::MAX))
    }
}

impl Machine {
    pub(super) fn new(number: usize, drift_ppm_max: u64, rng: &mut Rng) -> Machine {
        let drawn = rng.below(2 * drift_ppm_max + 1);
        let ppm = i64::try_from(drawn).unwrap_or(0) - i64::try_from(drift_ppm_max).unwrap_or(0);
        Machine {
            number,
            clock: SteadyClock {
                zero: Duration::from_secs(rng.below(1_000_000)),
                ppm,
            },
            life: 0,
            process: None,
            paused_until: Instant(0),
            kept: None,
            has_stopped: false,
            cannot_send: false,
            cannot_receive: false,
            wakes_next: Instant(0),
            last_arrival: Instant(0),
        }
    }

    /// Starts the process with the newest snapshot.
    pub(super) fn start(
        &mut self,
        now: Instant,
        settings: Settings,
        snapshot: &(Position, Model),
        entropy: u64,
    ) {
        let (at, model) = snapshot.clone();
        self.life += 1;
        self.wakes_next = now;
        let identity = Identity {
            id: NodeId(self.number as u64),
            entropy,
            greeting: format!("machine {}", self.number).into_bytes(),
        };
        let node = Node::new(settings, identity, at, self.kept, self.clock.at(now));
        let lsn = model.lsn();
        self.process = Some(Process {
            node,
            model,
            gathered: Vec::new(),
            handed_in: lsn,
            durable: lsn,
            waiting: Vec::new(),
        });
    }

    /// What its clock shows.
    pub(super) fn clock(&self, now: Instant) -> Steady {
        self.clock.at(now)
    }

    /// When the node wants to be told that time has passed.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let deadline = self.process.as_ref()?.node.next_deadline()?;
        Some(self.clock.when(deadline))
    }
}

impl Process {
    /// The epoch in which this machine leads.
    pub(super) fn leads(&self) -> Option<u64> {
        match self.node.status() {
            Status::Leading(epoch) | Status::InDoubt(epoch) => Some(epoch.number),
            Status::Following | Status::Candidate | Status::Ended => None,
        }
    }

    /// Executes a request; the reply waits. Returns whether an append was there already.
    pub(super) fn execute(&mut self, asked: Asked, request: Request) -> bool {
        let mut is_duplicate = false;
        let (reply, depends_on) = match request {
            Request::Append { key, id } => {
                let found = self.model.find(key, id);
                is_duplicate = found.is_some();
                let lsn = found.unwrap_or_else(|| {
                    self.model.append(key, id);
                    self.gathered.extend(encode(key, id));
                    self.model.lsn()
                });
                (Reply::Appended(id), lsn)
            }
            Request::Read { key } => {
                let list = self.model.list(key);
                (Reply::List(key, list), self.model.changed(key))
            }
        };
        self.waiting.push(Waiting {
            asked,
            reply,
            depends_on,
        });
        is_duplicate
    }

    /// Hands what has gathered to the node, if it wants it.
    pub(super) fn commit(&mut self, now: Steady, body_bytes_max: usize) -> Result<()> {
        match self.node.wants_commit() {
            true => self.hand_in(now, body_bytes_max),
            false => Ok(()),
        }
    }

    fn hand_in(&mut self, now: Steady, body_bytes_max: usize) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let batches = Encoded::from(std::mem::take(&mut self.gathered));
        let (first, last) = (Lsn::new(self.handed_in).next(), Lsn::new(self.model.lsn()));
        self.handed_in = last.number();
        let group = Group::cut(first, last, batches, body_bytes_max)?;
        self.node.commit(now, group)?;
        Ok(())
    }

    /// Hands over what has gathered, and then the lead.
    pub(super) fn hand_over(
        &mut self,
        now: Steady,
        body_bytes_max: usize,
        to: NodeId,
    ) -> Result<()> {
        let is_leading = matches!(self.node.status(), Status::Leading(_));
        if !is_leading || self.node.is_handing_over() {
            return Ok(());
        }
        self.hand_in(now, body_bytes_max)?;
        self.node.hand_over(now, to);
        Ok(())
    }

    /// The engine begins to execute.
    pub(super) fn lead(&mut self) -> Result<()> {
        ensure!(self.gathered.is_empty() && self.waiting.is_empty());
        self.handed_in = self.model.lsn();
        self.durable = self.model.lsn();
        Ok(())
    }

    /// The engine goes on as a follower's.
    pub(super) fn follow(&mut self) -> Result<()> {
        ensure!(
            self.gathered.is_empty() && self.handed_in == self.model.lsn(),
            "the lead was handed over before everything was durable"
        );
        self.waiting.clear();
        Ok(())
    }

    /// Takes the replies that may leave.
    pub(super) fn released(&mut self, may_answer: bool) -> Vec<Waiting> {
        if !may_answer {
            return Vec::new();
        }
        let durable = self.durable;
        self.waiting
            .extract_if(.., |waiting| waiting.depends_on <= durable)
            .collect()
    }
}
