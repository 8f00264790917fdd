//! A machine: a node of the protocol, an engine, clients that wait, a clock of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use batch::Lsn;
use engine::{Mono, Now};
use replication::{Group, Identity, Mark, Node, NodeId, Position, Settings, Status, Steady};

use crate::replication_run::clients::{AppendId, Asked, Request};
use crate::replication_run::replica::{Executed, Replica};
use crate::replication_run::world::Instant;
use crate::rng::Rng;

/// A machine.
pub(super) struct Machine {
    pub(super) number: usize,
    clock: SteadyClock,
    /// How far its time of day is ahead, in microseconds.
    wall_ahead_us: i64,
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
pub(super) struct Process {
    pub(super) node: Node,
    pub(super) replica: Replica,
    handed_in: Lsn,
    pub(super) durable: Lsn,
    /// What it has executed as the leader.
    appends: BTreeSet<AppendId>,
    pub(super) waiting: Vec<Waiting>,
}

/// Replies that may not leave yet.
pub(super) struct Waiting {
    pub(super) asked: Asked,
    pub(super) executed: Executed,
}

/// Who had executed an append before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nobody,
    ThisLeader,
    AnotherLeader,
}

/// True time that a machine's time of day may be wrong by, in microseconds.
const WALL_ERROR_US: u64 = 2_000_000;

/// The time of day when a run begins, in microseconds since 1970.
const WALL_BEGIN_US: i64 = 1_700_000_000_000_000;

/// The right time of day.
pub(super) fn wall(now: Instant) -> Now {
    Now {
        unix_us: WALL_BEGIN_US + i64::try_from(now.0).unwrap_or(i64::MAX - WALL_BEGIN_US),
        mono: Mono(now.0 / 1000),
    }
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
        let ahead_us = i64::try_from(rng.below(2 * WALL_ERROR_US)).unwrap_or(0);
        Machine {
            number,
            clock: SteadyClock {
                zero: Duration::from_secs(rng.below(1_000_000)),
                ppm,
            },
            wall_ahead_us: ahead_us - i64::try_from(WALL_ERROR_US).unwrap_or(0),
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

    /// Starts the process with an engine that has everything up to `at`.
    pub(super) fn start(
        &mut self,
        now: Instant,
        settings: Settings,
        at: Position,
        replica: Replica,
        entropy: u64,
    ) {
        self.life += 1;
        self.wakes_next = now;
        let identity = Identity {
            id: NodeId(self.number as u64),
            entropy,
            greeting: format!("machine {}", self.number).into_bytes(),
        };
        let node = Node::new(settings, identity, at, self.kept, self.clock.at(now));
        self.process = Some(Process {
            node,
            replica,
            handed_in: at.lsn,
            durable: at.lsn,
            appends: BTreeSet::new(),
            waiting: Vec::new(),
        });
    }

    /// What it takes for the time.
    pub(super) fn wall(&self, now: Instant) -> Now {
        let Steady(mono) = self.clock.at(now);
        Now {
            unix_us: wall(now).unix_us + self.wall_ahead_us,
            mono: Mono(u64::try_from(mono.as_millis()).unwrap_or(u64::MAX)),
        }
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

    /// Executes what a client asks; the replies wait. Returns who had executed it before.
    pub(super) fn execute(&mut self, asked: Asked, request: &Request, now: Now) -> Result<Before> {
        // Who asks again has given its connection up.
        if self
            .waiting
            .iter()
            .any(|it| it.asked.client == asked.client)
        {
            self.replica.disconnect(asked.client);
            self.waiting.retain(|it| it.asked.client != asked.client);
        }
        let duplicates = self.replica.duplicates();
        let executed = self.replica.execute(asked.client, &request.commands, now)?;
        self.waiting.push(Waiting { asked, executed });
        let is_own = request.append().is_some_and(|it| !self.appends.insert(it));
        Ok(match self.replica.duplicates() > duplicates {
            false => Before::Nobody,
            true if is_own => Before::ThisLeader,
            true => Before::AnotherLeader,
        })
    }

    /// Does what the engine has to do by itself, and gives the replies to those who have waited for
    /// something to read.
    pub(super) fn work(&mut self, now: Now) -> Result<()> {
        if self.leads().is_none() || self.node.is_handing_over() {
            return Ok(());
        }
        self.replica.timer(now);
        for (client, delivered) in self.replica.take_deliveries() {
            let mut waiting = self
                .waiting
                .iter_mut()
                .map(|it| (it.asked, &mut it.executed));
            let found = waiting.find(|(asked, it)| asked.client == client && it.is_blocked);
            let (_, executed) = found.context("an answer to somebody who does not wait")?;
            executed.bytes.extend(delivered.bytes);
            executed.depends_on = executed.depends_on.max(delivered.depends_on);
            executed.is_blocked = false;
        }
        Ok(())
    }

    /// Hands what has gathered to the node, if it wants it.
    pub(super) fn commit(&mut self, now: Steady, body_bytes_max: usize) -> Result<()> {
        // No group is a small one here, so its length does not matter.
        match self.node.wants_commit(0) {
            true => self.hand_in(now, body_bytes_max),
            false => Ok(()),
        }
    }

    fn hand_in(&mut self, now: Steady, body_bytes_max: usize) -> Result<()> {
        let Some(batches) = self.replica.take_effects() else {
            return Ok(());
        };
        let (first, last) = (self.handed_in.next(), self.replica.lsn());
        self.handed_in = last;
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
        ensure!(self.waiting.is_empty(), "somebody waits for a follower");
        self.replica.lead();
        let last = self.replica.lsn();
        (self.handed_in, self.durable) = (last, last);
        self.appends.clear();
        Ok(())
    }

    /// The engine goes on as a follower's.
    pub(super) fn follow(&mut self, now: Now) -> Result<()> {
        ensure!(
            self.replica.take_effects().is_none() && self.handed_in == self.replica.lsn(),
            "the lead was handed over before everything was durable"
        );
        self.waiting.clear();
        self.replica.follow(now);
        Ok(())
    }

    /// Takes the replies that may leave.
    pub(super) fn released(&mut self, may_answer: bool) -> Vec<Waiting> {
        if !may_answer {
            return Vec::new();
        }
        let durable = self.durable;
        let leaves =
            |it: &mut Waiting| !it.executed.is_blocked && it.executed.depends_on <= durable;
        self.waiting.extract_if(.., leaves).collect()
    }
}
