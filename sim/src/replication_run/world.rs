//! The machines, the network between them and the log service, the clients, and what goes wrong.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::{Result, ensure};
use batch::Lsn;
use replication::{
    Action, Event, Kind, Position, Publish, Read, Record, Seq, Settings, Source, Status, Steady,
    Stop, StopReason,
};

use crate::replication_run::audit::{self, Audit, Knew};
use crate::replication_run::clients::{Asked, Client, Reply, Request};
use crate::replication_run::machine::Machine;
use crate::replication_run::model::{KEYS, Model};
use crate::replication_run::service::{Append, Publisher, Service};
use crate::replication_run::{Bug, Counts, Damage, Drift, Plan};
use crate::rng::Rng;

mod faults;

/// True time, in microseconds since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(pub(super) u64);

impl Instant {
    fn plus_ms(self, ms: u64) -> Instant {
        Instant(self.0 + 1000 * ms)
    }

    fn plus_us(self, us: u64) -> Instant {
        Instant(self.0 + us)
    }
}

const MACHINES: usize = 3;
const PRODUCERS: usize = 6;
const READERS: usize = 2;

/// How long there are faults.
const FAULTS_MS: u64 = 40_000;

/// How long the run goes on without: more than any timeout of the protocol after another.
const SETTLE_MS: u64 = 60_000;

/// How long a client waits.
const CLIENT_TIMEOUT_MS: u64 = 1000;

/// How many records one read gives.
const READ_RECORDS_MAX: u64 = 64;

const SETTINGS: Settings = Settings {
    poll: Duration::from_millis(40),
    body_bytes_max: 12,
    ..Settings::DEFAULT
};

/// What happens at some moment.
#[derive(Clone, Debug)]
enum Happening {
    /// A machine looks at its clock.
    Wake { machine: usize, life: u64 },
    /// Something reaches the process of a machine.
    Told {
        machine: usize,
        life: u64,
        event: Event,
    },
    /// A publish reaches the service.
    Published {
        by: Publisher,
        expected: Option<Seq>,
        bytes: Vec<u8>,
    },
    /// The service commits what was proposed first.
    Commit,
    /// A read reaches the service.
    Reading {
        machine: usize,
        life: u64,
        read: Read,
    },
    /// Somebody who publishes blindly has waited long enough.
    Again { by: Publisher, bytes: Vec<u8> },
    /// A request reaches a machine.
    Asked { asked: Asked, request: Request },
    /// A reply reaches a client.
    Replied { asked: Asked, reply: Reply },
    /// A client has waited for a while, or thought.
    ClientTimer { asked: Asked },
    /// Something goes wrong.
    Fault,
    /// A cut link is whole again.
    LinkMended { machine: usize },
    /// A machine starts.
    Start { machine: usize },
    /// The service has a leader again.
    ServiceElects,
    /// Its leader gives no old answers any more.
    ServiceCurrent,
    /// The log is damaged.
    Damage,
    /// A follower makes a snapshot, or answers a read.
    Follower,
}

/// Everything.
pub(super) struct World {
    plan: Plan,
    rng: Rng,
    now: Instant,
    queue: BTreeMap<(Instant, u64), Happening>,
    queued: u64,
    service: Service,
    last_commit: Instant,
    machines: Vec<Machine>,
    clients: Vec<Client>,
    snapshots: VecDeque<(Position, Model)>,
    audit: Audit,
    knew: Vec<Knew>,
    counts: Counts,
    /// Publishes of which the answer has not been delivered, for those who count out of order.
    outstanding: Vec<(Publisher, Seq)>,
    /// The lease as somebody sees it who counts from the acknowledgement.
    wrong_lease: [Option<Steady>; MACHINES],
    trace: VecDeque<String>,
}

impl World {
    pub(super) fn new(plan: Plan) -> World {
        let mut rng = Rng::new(plan.seed);
        let drift_ppm_max = match plan.drift {
            Drift::WithinMargin => 100_000,
            Drift::BeyondMargin => 400_000,
        };
        let machines = (0..MACHINES).map(|number| Machine::new(number, drift_ppm_max, &mut rng));
        let machines = machines.collect();
        let producers = (0..PRODUCERS).map(Client::producer);
        let clients = producers.chain((0..READERS).map(|_| Client::reader()));
        World {
            plan,
            rng,
            now: Instant(0),
            queue: BTreeMap::new(),
            queued: 0,
            service: Service::default(),
            last_commit: Instant(0),
            machines,
            clients: clients.collect(),
            snapshots: VecDeque::from([(Position::default(), Model::default())]),
            audit: Audit::default(),
            knew: Vec::new(),
            counts: Counts::default(),
            outstanding: Vec::new(),
            wrong_lease: [None; MACHINES],
            trace: VecDeque::new(),
        }
    }

    pub(super) fn run(&mut self) -> Result<Counts> {
        for machine in 0..MACHINES {
            self.at_ms(0, 2000, Happening::Start { machine });
        }
        for client in 0..self.clients.len() {
            let asked = Asked { client, attempt: 0 };
            self.at_ms(0, 3000, Happening::ClientTimer { asked });
        }
        self.at_ms(1000, 5000, Happening::Fault);
        self.at_ms(1000, 2000, Happening::Follower);
        if self.plan.damage != Damage::None {
            self.at_ms(8000, FAULTS_MS, Happening::Damage);
        }
        let end = Instant(0).plus_ms(FAULTS_MS + SETTLE_MS);
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > end {
                break;
            }
            self.now = at;
            self.happen(happening)?;
        }
        self.check()?;
        Ok(self.counts)
    }

    /// What happened last.
    pub(super) fn trace(&self) -> Vec<String> {
        self.trace.iter().cloned().collect()
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.trace.len() == 200 {
            self.trace.pop_front();
        }
        let ms = self.now.0 / 1000;
        self.trace.push_back(format!("{ms} ms: {}", text()));
    }

    fn faults_are_over(&self) -> bool {
        self.now >= Instant(0).plus_ms(FAULTS_MS)
    }

    fn at(&mut self, at: Instant, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at, self.queued), happening);
    }

    /// Lets something happen so many milliseconds from now.
    fn at_ms(&mut self, min: u64, max: u64, happening: Happening) {
        let ms = min + self.rng.below(max - min);
        let us = self.rng.below(1000);
        self.at(self.now.plus_ms(ms).plus_us(us), happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<()> {
        match happening {
            // An earlier one has come in between.
            Happening::Wake { machine, .. } if self.machines[machine].wakes_next != self.now => {
                Ok(())
            }
            Happening::Wake { machine, life } => self.tell(machine, life, Event::Tick),
            Happening::Told {
                machine,
                life,
                event,
            } => self.tell(machine, life, event),
            Happening::Published {
                by,
                expected,
                bytes,
            } => {
                self.published(by, expected, bytes);
                Ok(())
            }
            Happening::Commit => {
                self.commit();
                Ok(())
            }
            Happening::Reading {
                machine,
                life,
                read,
            } => {
                self.read(machine, life, read);
                Ok(())
            }
            Happening::Again { by, bytes } => {
                self.publish_again(by, &bytes);
                Ok(())
            }
            Happening::Asked { asked, request } => self.asked(asked, request),
            Happening::Replied { asked, reply } => {
                self.replied(asked, reply);
                Ok(())
            }
            Happening::ClientTimer { asked } => {
                self.client_timer(asked);
                Ok(())
            }
            Happening::Fault => self.fault(),
            Happening::LinkMended { machine } => {
                self.mend(machine);
                Ok(())
            }
            Happening::Start { machine } => self.start(machine),
            Happening::ServiceElects => {
                self.elect();
                Ok(())
            }
            Happening::ServiceCurrent => {
                self.service.stale_records = 0;
                Ok(())
            }
            Happening::Damage => {
                self.damage();
                Ok(())
            }
            Happening::Follower => {
                self.follower();
                Ok(())
            }
        }
    }

    /// Something reaches a machine.
    fn tell(&mut self, machine: usize, life: u64, event: Event) -> Result<()> {
        let it = &self.machines[machine];
        if it.life != life || it.process.is_none() {
            return Ok(());
        }
        if it.paused_until > self.now {
            let again = Happening::Told {
                machine,
                life,
                event,
            };
            self.at(it.paused_until, again);
            return Ok(());
        }
        let events = self.as_the_bug_sees(machine, life, event);
        for event in events {
            let now = self.machines[machine].clock(self.now);
            if let Some(process) = &mut self.machines[machine].process {
                let was_leading = matches!(process.node.status(), Status::Leading(_));
                process.node.apply(now, event);
                let is_in_doubt = matches!(process.node.status(), Status::InDoubt(_));
                self.counts.doubts += u64::from(was_leading && is_in_doubt);
            }
            self.go_on(machine)?;
        }
        Ok(())
    }

    /// What a machine with a bug makes of an event.
    fn as_the_bug_sees(&mut self, machine: usize, life: u64, event: Event) -> Vec<Event> {
        let mut events = Vec::new();
        if let Event::Acked { ticket, .. } = &event {
            let (own, others) =
                std::mem::take(&mut self.outstanding)
                    .into_iter()
                    .partition(|(by, _)| {
                        by.machine == machine && by.life == life && by.ticket <= *ticket
                    });
            self.outstanding = others;
            let own: Vec<(Publisher, Seq)> = own;
            if self.plan.bug == Some(Bug::AcksOutOfOrder) {
                let earlier = own.iter().filter(|(by, _)| by.ticket < *ticket);
                events.extend(earlier.map(|(by, expected)| Event::Acked {
                    ticket: by.ticket,
                    seq: expected.next(),
                }));
            }
            let until = self.machines[machine].clock(self.now).plus(SETTINGS.lease);
            self.wrong_lease[machine] = Some(until);
        }
        if let Event::Found { bytes, .. } = &event
            && self.plan.bug == Some(Bug::OlderEpochApplied)
            && let Some(process) = &mut self.machines[machine].process
            && let Ok(record) = Record::decode(bytes)
            && record.epoch.number < process.node.position().epoch.number
            && matches!(record.kind, Kind::Batch { .. })
        {
            process.model.apply_unchecked(record.body);
        }
        if self.plan.bug == Some(Bug::ImpatientCandidate) && event == Event::Tick {
            self.hurry(machine);
        }
        events.push(event);
        events
    }

    /// A follower that has waited a quarter of what it should wait believes that it has waited.
    fn hurry(&mut self, machine: usize) {
        let now = self.machines[machine].clock(self.now);
        if let Some(process) = &mut self.machines[machine].process
            && process.node.status() == Status::Following
            && self.rng.once_in(20)
        {
            process
                .node
                .apply(now.plus(SETTINGS.patience() * 3 / 4), Event::Tick);
        }
    }

    /// Does what a machine wants to be done, until it wants nothing.
    fn go_on(&mut self, machine: usize) -> Result<()> {
        loop {
            let now = self.machines[machine].clock(self.now);
            let Some(process) = &mut self.machines[machine].process else {
                return Ok(());
            };
            process.commit(now, SETTINGS.body_bytes_max)?;
            let actions = process.node.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                self.act(machine, action)?;
            }
        }
        self.release(machine)?;
        self.keep_mark(machine);
        let it = &self.machines[machine];
        let life = it.life;
        if let Some(at) = it.wakes_at() {
            let at = at.max(self.now.plus_us(100));
            if it.wakes_next <= self.now || at < it.wakes_next {
                self.machines[machine].wakes_next = at;
                self.at(at, Happening::Wake { machine, life });
            }
        }
        Ok(())
    }

    fn act(&mut self, machine: usize, action: Action) -> Result<()> {
        match action {
            Action::Publish(publish) => {
                self.send(machine, publish);
                Ok(())
            }
            Action::Read(read) => {
                self.send_read(machine, read);
                Ok(())
            }
            Action::Apply(group) => match &mut self.machines[machine].process {
                Some(process) if self.plan.bug == Some(Bug::OlderEpochApplied) => {
                    process.model.apply_unchecked(&group.bytes);
                    Ok(())
                }
                Some(process) => process.model.apply(&group),
                None => Ok(()),
            },
            Action::Durable(lsn) => {
                if let Some(process) = &mut self.machines[machine].process {
                    process.durable = lsn.number();
                }
                Ok(())
            }
            Action::Lead(epoch) => {
                self.note(|| format!("machine {machine} leads in {epoch:?}"));
                match &mut self.machines[machine].process {
                    Some(process) => process.lead(),
                    None => Ok(()),
                }
            }
            Action::HandedOver => {
                self.counts.hand_overs += 1;
                self.note(|| format!("machine {machine} has handed over"));
                match &mut self.machines[machine].process {
                    Some(process) => process.follow(),
                    None => Ok(()),
                }
            }
            Action::StepDown(deposed) => {
                self.counts.depositions += 1;
                self.note(|| format!("machine {machine} steps down: {deposed:?}"));
                self.start(machine)
            }
            Action::Stop(stop) => self.stopped(machine, stop),
        }
    }

    fn stopped(&mut self, machine: usize, stop: Stop) -> Result<()> {
        self.note(|| format!("machine {machine} stops: {stop}"));
        if let StopReason::Trimmed { .. } = stop.reason {
            return self.start(machine);
        }
        ensure!(self.counts.damages > 0, "machine {machine} stopped: {stop}");
        if self.plan.bug == Some(Bug::GapSkipped)
            && let StopReason::Gap { .. } = stop.reason
            && self.skip_gap(machine, stop.seq)
        {
            return Ok(());
        }
        if self.plan.bug == Some(Bug::LostSuffixAccepted) {
            self.machines[machine].kept = None;
            return self.start(machine);
        }
        self.counts.stops += 1;
        let it = &mut self.machines[machine];
        it.has_stopped = true;
        it.process = None;
        it.life += 1;
        Ok(())
    }

    /// Goes on behind a missing record, as if it had never been there.
    fn skip_gap(&mut self, machine: usize, seq: Seq) -> bool {
        let behind = self.service.read(seq.next(), seq.next());
        let Some((next, bytes)) = behind.into_iter().next() else {
            return false;
        };
        let Some((record, process)) = Record::decode(&bytes)
            .ok()
            .zip(self.machines[machine].process.as_ref())
        else {
            return false;
        };
        let Kind::Batch { first, part: 0, .. } = record.kind else {
            return false;
        };
        let at = Position {
            seq: Seq(next.0 - 1),
            valid: Seq(next.0 - 1),
            lsn: Lsn::new(first.number() - 1),
            chain: record.prev,
            tip: record.prev,
            epoch: record.epoch,
        };
        let mut model = process.model.clone();
        model.pretend(first.number() - 1);
        let (entropy, now) = (self.rng.number(), self.now);
        let it = &mut self.machines[machine];
        it.kept = None;
        it.start(now, SETTINGS, &(at, model), entropy);
        self.at(
            now,
            Happening::Wake {
                machine,
                life: self.machines[machine].life,
            },
        );
        true
    }

    /// Lets replies go that may.
    fn release(&mut self, machine: usize) -> Result<()> {
        let now = self.machines[machine].clock(self.now);
        let Some(process) = &mut self.machines[machine].process else {
            return Ok(());
        };
        let Some(epoch) = process.leads() else {
            return Ok(());
        };
        let until = process.node.may_answer_until();
        let until = match self.plan.bug {
            Some(Bug::LeaseFromAck) => until.and(self.wrong_lease[machine]).max(until),
            Some(Bug::AnsweredAfterLease) => until.map(|_| now.plus(SETTINGS.lease)),
            Some(
                Bug::ExpectationDropped
                | Bug::OlderEpochApplied
                | Bug::AcksOutOfOrder
                | Bug::RepublishedBlindly
                | Bug::GapSkipped
                | Bug::LostSuffixAccepted
                | Bug::ImpatientCandidate,
            )
            | None => until,
        };
        let released = process.released(until.is_some_and(|until| now < until));
        for waiting in released {
            let asked = waiting.asked;
            self.audit.leader_answered(&self.plan, machine, epoch)?;
            let client = &self.clients[asked.client];
            if client.attempt == asked.attempt
                && let Reply::List(key, list) = &waiting.reply
            {
                self.counts.leader_reads += 1;
                let seen = client.seen[*key];
                self.audit
                    .leader_showed(&self.plan, *key, list.clone(), seen)?;
            }
            self.reply(asked, waiting.reply);
        }
        Ok(())
    }

    /// Now and then a machine keeps on its disk how far it has read.
    fn keep_mark(&mut self, machine: usize) {
        if self.rng.once_in(8) {
            let it = &mut self.machines[machine];
            if let Some(process) = &it.process {
                it.kept = Some(process.node.mark());
            }
        }
    }

    fn start(&mut self, machine: usize) -> Result<()> {
        if self.machines[machine].has_stopped {
            return Ok(());
        }
        let entropy = self.rng.number();
        // One that is not beyond what this machine has seen, so that it can compare.
        let kept = self.machines[machine].kept.map(|mark| mark.seq);
        let mut newest_first = self.snapshots.iter().rev();
        let comparable = newest_first.find(|(at, _)| kept.is_none_or(|kept| at.seq <= kept));
        let Some(snapshot) = comparable.or(self.snapshots.back()) else {
            return Ok(());
        };
        let at = snapshot.0.seq;
        self.knew
            .retain(|knew| knew.machine != machine || knew.life.is_some() || knew.mark.seq > at);
        self.wrong_lease[machine] = None;
        self.machines[machine].start(self.now, SETTINGS, snapshot, entropy);
        let life = self.machines[machine].life;
        self.tell(machine, life, Event::Tick)
    }

    fn send(&mut self, machine: usize, publish: Publish) {
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
        self.outstanding.push((by, expected));
        if self.plan.bug == Some(Bug::RepublishedBlindly) {
            let (at, bytes) = (self.now.plus_ms(300), bytes.clone());
            self.at(at, Happening::Again { by, bytes });
        }
        let expected = Some(expected).filter(|_| self.plan.bug != Some(Bug::ExpectationDropped));
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

    /// What was not acknowledged is published once more, at whatever the end of the log is now.
    fn publish_again(&mut self, by: Publisher, bytes: &[u8]) {
        let is_there = self.outstanding.iter().any(|(it, _)| *it == by);
        let Ok(record) = Record::decode(bytes) else {
            return;
        };
        if !is_there || self.machines[by.machine].life != by.life {
            return;
        }
        let end = self.service.last();
        let Some((_, last)) = self.service.read(end, end).pop() else {
            return;
        };
        let prev = replication::Chain::after(&last);
        let bytes = Record { prev, ..record }.encode();
        let published = Happening::Published {
            by,
            expected: Some(end),
            bytes,
        };
        self.at(self.now.plus_us(200), published);
    }

    fn published(&mut self, by: Publisher, expected: Option<Seq>, bytes: Vec<u8>) {
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

    fn commit(&mut self) {
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
    fn answer(&mut self, machine: usize, life: u64, event: Event) {
        let is_wild = !self.faults_are_over();
        if self.machines[machine].cannot_receive && is_wild {
            return;
        }
        let mut delay_us = 100 + self.rng.below(1000);
        if is_wild && self.rng.once_in(200) {
            delay_us += self.rng.below(3_000_000);
        }
        let told = Happening::Told {
            machine,
            life,
            event,
        };
        self.at(self.now.plus_us(delay_us), told);
    }

    fn send_read(&mut self, machine: usize, read: Read) {
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

    fn read(&mut self, machine: usize, life: u64, read: Read) {
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

    fn asked(&mut self, asked: Asked, request: Request) -> Result<()> {
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

    fn reply(&mut self, asked: Asked, reply: Reply) {
        if !self.faults_are_over() && self.rng.once_in(50) {
            return;
        }
        let at = self.now.plus_us(100 + self.rng.below(2000));
        self.at(at, Happening::Replied { asked, reply });
    }

    fn replied(&mut self, asked: Asked, reply: Reply) {
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
    fn client_timer(&mut self, asked: Asked) {
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

    /// A follower answers a read, or makes a snapshot.
    fn follower(&mut self) {
        self.at_ms(20, 400, Happening::Follower);
        let machine = self.rng.index(MACHINES);
        let it = &self.machines[machine];
        let Some(process) = it.process.as_ref().filter(|_| it.paused_until <= self.now) else {
            return;
        };
        if process.node.status() != Status::Following || !process.node.has_caught_up() {
            return;
        }
        let key = self.rng.index(KEYS);
        let list = process.model.list(key);
        self.counts.follower_reads += 1;
        self.audit.follower_showed(key, list);
        if self.rng.once_in(40) {
            let snapshot = (*process.node.position(), process.model.clone());
            self.keep_snapshot(snapshot);
        }
    }

    /// Keeps the two newest snapshots, and trims the log behind the older one.
    fn keep_snapshot(&mut self, snapshot: (Position, Model)) {
        let is_newer = |(at, _): &(Position, Model)| at.seq < snapshot.0.seq;
        if !self.snapshots.back().is_none_or(is_newer) {
            return;
        }
        self.snapshots.push_back(snapshot);
        if self.snapshots.len() > 2 {
            self.snapshots.pop_front();
        }
        if let Some((at, _)) = self.snapshots.front() {
            self.counts.trims += u64::from(at.seq > Seq::ZERO);
            let first = at.seq.next();
            self.service.trim(first);
        }
    }

    fn check(&mut self) -> Result<()> {
        if self.plan.damage == Damage::None {
            let waits = self
                .clients
                .iter()
                .find(|client| client.waits_for.is_some());
            ensure!(waits.is_none(), "{waits:?} waits, and nothing is wrong");
            let leaders = self
                .machines
                .iter()
                .filter_map(|it| it.process.as_ref()?.leads());
            ensure!(leaders.count() == 1, "one machine should lead");
        }
        for knew in &self.knew {
            let it = &self.machines[knew.machine];
            let knows = knew.life.is_none_or(|life| life == it.life) && !it.has_stopped;
            // A leader that appends to a log as long as it should be learns nothing from it. Then
            // its followers stop.
            let process = it.process.as_ref();
            let leads = process.is_some_and(|process| process.leads().is_some());
            ensure!(
                !knows
                    || (leads && self.counts.stops > 0)
                    || audit::has(&self.service, &knew.mark)?,
                "machine {} knew {:?} of the log, which has lost it, and did not stop",
                knew.machine,
                knew.mark
            );
        }
        let serving = self.machines.iter().filter_map(|it| {
            let process = it.process.as_ref()?;
            Some((it.number, &process.model))
        });
        let serving: Vec<_> = serving.collect();
        self.audit
            .check(&self.plan, &self.service, &serving, &mut self.counts)
    }
}
