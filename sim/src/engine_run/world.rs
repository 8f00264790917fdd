//! The world of a run: a machine with a server on it, its clients, and what goes wrong.

mod restart;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use engine::store::log::Journalling;
use engine::{Mono, Next, Now};
use journal::Lsn;
use resp::{Protocol, Reply};
use stream::StreamId;
use values::StringValue;

use super::bystander::{self, stream_of};
use super::client::{Asked, Client, Look, Role, Sent};
use super::consumer::Consumer;
use super::counts::Counts;
use super::delayer::Delayer;
use super::evictable;
use super::ledger::{Ledger, Turn};
use super::lists;
use super::many;
use super::process::{Follow, Process};
use super::producer::{Producer, name_of};
use super::request::{Purpose, Request, request};
use super::retries;
use super::scripts;
use super::setting::{self, Setting};
use super::{Bug, Plan, Workload};
use crate::clock::Clock;
use crate::disk::{Failure, SimDisk, Syncs};
use crate::rng::Rng;

/// Everything.
pub(super) struct World {
    plan: Plan,
    rng: Rng,
    clock: Clock,
    disk: SimDisk,
    setting: Setting,
    process: Process,
    clients: Vec<Client>,
    ledger: Ledger,
    turn: Turn,
    /// The last batch that a reply told of.
    told: Lsn,
    looks: Vec<Look>,
    replies: Replies,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    MayBeLost,
    Arrive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Process,
    Machine,
    /// None: the server was stopped.
    Stop,
}

/// How many streams, and groups of each.
const STREAMS: usize = 2;
const GROUPS: usize = 2;

/// Attempts to recover, of which the first ones may crash again.
const ATTEMPTS_MAX: u64 = 20;

impl World {
    pub(super) fn new(plan: Plan, disk: SimDisk) -> Result<World> {
        let mut rng = Rng::new(plan.seed);
        let setting = Setting::draw(&mut rng, plan)?;
        if plan.bug == Some(Bug::SyncDropped) {
            disk.set_syncs(Syncs::Dropped);
        }
        let clock = Clock::new(1_700_000_000_000);
        let none = BTreeMap::new();
        let process = Process::start(&disk, &setting, &none, Follow::Yes, now(&clock))?;
        let producers = (0..4).map(|id| Producer::new(id, id as usize % STREAMS, plan.bug));
        let consumers = (0..6).map(|number| {
            Consumer::new(
                number as usize % STREAMS,
                (number as usize / 2) % GROUPS,
                number,
            )
        });
        let roles = producers
            .map(Role::Produces)
            .chain(consumers.map(Role::Consumes))
            .chain((0..STREAMS).map(|id| Role::Delays(Delayer::new(id as u64, id))))
            .chain((0..2).map(|_| Role::ByPattern))
            .chain((0..4).map(|_| Role::Other));
        let clients: Vec<Client> = match plan.workload {
            Workload::Relies => roles.map(Client::new).collect(),
            Workload::AnyKeyMayGo => (0..6).map(|_| Client::new(Role::Evictable)).collect(),
        };
        Ok(World {
            clients,
            plan,
            rng,
            clock,
            disk,
            setting,
            process,
            ledger: Ledger::new(STREAMS, GROUPS, plan.bug),
            turn: 0,
            told: Lsn::ZERO,
            looks: Vec::new(),
            replies: Replies::MayBeLost,
            counts: Counts::default(),
        })
    }

    pub(super) fn run(&mut self) -> Result<Counts> {
        for _ in 0..self.plan.steps {
            self.step()?;
            if self.disk.is_off() {
                self.restart(Crash::Machine)?;
            }
        }
        self.settle()?;
        if self.plan.workload == Workload::Relies {
            self.see_all_through()?;
        }
        self.process.compare_with_follower(self.now())?;
        self.restart(Crash::Stop)?;
        self.counts.disk_operations = self.disk.operations();
        Ok(self.counts)
    }

    /// What clients rely on comes to its end: nothing waits, and everybody has got everything.
    fn see_all_through(&mut self) -> Result<()> {
        self.replies = Replies::Arrive;
        self.append_all()?;
        let (now_ms, kept) = (self.now().stream_ms(), &self.ledger.kept);
        kept.audit_at_rest(&self.process.engine, now_ms, &mut self.counts)?;
        let retries = &self.ledger.retries;
        retries.audit_at_rest(&self.process.engine, &mut self.counts)?;
        self.drain()?;
        self.settle()?;
        self.audit()?;
        for stream in &self.ledger.streams {
            stream.audit_groups()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let elapsed = self.clock.elapsed();
        match self.rng.below(100) {
            0..50 => {
                let client = self.rng.index(self.clients.len());
                self.act(client)?;
            }
            50..70 => self.process.deliver(&self.disk, elapsed)?,
            70..75 => self.process.finish_sync(&self.disk, elapsed)?,
            75..83 => {
                let rng = &mut self.rng;
                self.process
                    .go_on_with_rewrite(|| rng.once_in(8), &self.disk, elapsed)?;
            }
            83 => {
                let now = self.now();
                self.process.begin_rewrite(now);
            }
            84..86 if self.setting.evicts() => self.use_memory_up()?,
            84..89 => {
                let ms = match self.rng.below(100) {
                    0 => 60_000,
                    1..10 => 3000,
                    _ => 200,
                };
                let ms = self.rng.below(ms);
                self.pass(ms)?;
            }
            89..91 => {
                let client = self.rng.index(self.clients.len());
                self.disconnect(client);
            }
            91..94 => self.restart(Crash::Process)?,
            94 => self.restart(self.some_crash())?,
            95 => {
                let within = 1 + self.rng.below(12);
                let failure = self.some_failure();
                self.disk.plan(self.disk.operations() + within, failure);
            }
            96 => {
                let bytes = if self.rng.once_in(3) {
                    self.rng.below(100_000)
                } else {
                    u64::MAX
                };
                self.disk.set_capacity(bytes);
            }
            97 if self.rng.once_in(4) => self.stop()?,
            99 if self.rng.once_in(4) => self.be_overtaken()?,
            98 if self.rng.once_in(4) => self.process.compare_with_follower(self.now())?,
            _ => {}
        }
        self.release()
    }

    fn now(&self) -> Now {
        now(&self.clock)
    }

    fn some_crash(&self) -> Crash {
        if self.setting.has_power_cuts() {
            Crash::Machine
        } else {
            Crash::Process
        }
    }

    fn some_failure(&mut self) -> Failure {
        if self.setting.has_power_cuts() && !self.rng.once_in(4) {
            Failure::PowerCut
        } else {
            Failure::Error
        }
    }

    /// Lets time pass, and does what is due.
    fn pass(&mut self, ms: u64) -> Result<()> {
        self.clock.advance(Duration::from_millis(ms));
        let now = self.now();
        self.process.tick(&self.disk, self.clock.elapsed())?;
        self.process.look_at_journal();
        if self.process.is_poisoned() && self.rng.once_in(3) {
            self.process.begin_rewrite(now);
        }
        self.process.engine.timer(now);
        self.process.go_on_with_packing(now);
        if self.plan.bug == Some(Bug::LadenRemoved) && self.rng.once_in(8) {
            let engine = &mut self.process.engine;
            let session = engine.connect(String::new(), String::new(), now);
            let remove = retries::remove_some_worker(&mut self.rng);
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(session, remove.argv.as_argv(), now, &mut reply);
            engine.disconnect(session);
        }
        self.finish()
    }

    /// For a moment too much memory is used: keys are evicted, only those that expire where clients
    /// rely on others.
    fn use_memory_up(&mut self) -> Result<()> {
        // Who waits for a script would be refused, if no key can be evicted.
        if self.process.has_unfinished() {
            return Ok(());
        }
        let before = self.process.engine.stats().evicted;
        let surplus = self.rng.below(3000);
        self.process.engine.server.shell.used_memory = setting::MEMORY_BYTES_MAX + surplus;
        // Before a request as many keys go as are needed, and more of them when the timer runs.
        let index = self.clients.len() - 1;
        if self.clients[index].asked.is_none() {
            let key = format!("e:{}", self.rng.below(3));
            self.ask(index, vec![request!(Purpose::Look, "EXISTS", key)])?;
        }
        let is_unsaid = self.plan.bug == Some(Bug::EvictedUnsaid);
        if is_unsaid {
            self.process.engine.set_journalling(Journalling::Off);
        }
        self.process.engine.timer(self.now());
        if is_unsaid {
            self.process.engine.set_journalling(Journalling::On);
        }
        self.process.engine.server.shell.used_memory = 0;
        self.counts.evicted += self.process.engine.stats().evicted - before;
        self.finish()
    }

    /// A client does something, if it does not wait for an answer.
    fn act(&mut self, index: usize) -> Result<()> {
        let now = self.now();
        let client = &mut self.clients[index];
        if client.asked.is_some() {
            return Ok(());
        }
        if self.process.has_unfinished() {
            // What is due meanwhile must not take half of what the script does.
            if self.rng.once_in(20) {
                self.process.begin_rewrite(now);
            }
            // It goes on whenever the timer runs.
            if self.rng.once_in(2) {
                return self.pass(1);
            }
            return match client.role {
                Role::Other => {
                    let request = bystander::request_meanwhile(&mut self.rng);
                    self.ask(index, vec![request])
                }
                Role::Produces(_)
                | Role::Delays(_)
                | Role::Consumes(_)
                | Role::ByPattern
                | Role::Evictable => Ok(()),
            };
        }
        let requests = match &mut client.role {
            Role::Produces(producer) => {
                producer.requests(now.stream_ms(), &mut self.counts, &mut self.rng)
            }
            Role::Delays(delayer) => {
                delayer.requests(now.stream_ms(), &mut self.ledger, &mut self.rng)
            }
            Role::Consumes(consumer) => consumer.requests(&self.ledger, &mut self.rng),
            Role::ByPattern => self.ledger.many.requests(&mut self.rng),
            Role::Evictable => evictable::requests(&mut self.rng),
            Role::Other => {
                bystander::requests(&self.process.engine, &mut self.ledger, &mut self.rng)
            }
        };
        self.ask(index, requests)
    }

    /// Runs requests as one connection sends them.
    fn ask(&mut self, index: usize, requests: Vec<Request>) -> Result<()> {
        let now = self.now();
        let client = &mut self.clients[index];
        let engine = &mut self.process.engine;
        let session = *client
            .session
            .get_or_insert_with(|| engine.connect(format!("client:{index}"), String::new(), now));
        let mut reply = Reply::new(Protocol::Resp2);
        let mut asked = Asked {
            sent: Vec::with_capacity(requests.len()),
            bytes: Vec::new(),
            depends_on: Lsn::ZERO,
            is_blocked: false,
        };
        for request in requests {
            self.turn += 1;
            self.counts.requests += 1;
            self.disk
                .note(format!("client {index}: {:?}", request.argv));
            let outcome = engine.request(session, request.argv.as_argv(), now, &mut reply);
            let depends_on = outcome.depends_on;
            if self.plan.bug != Some(Bug::LookReleasedEarly) || !request.is_look() {
                asked.depends_on = asked.depends_on.max(depends_on);
            }
            asked.is_blocked = match outcome.then {
                Next::Continue => false,
                Next::Wait => true,
                Next::Close | Next::Abandon => bail!("the server closes a connection"),
            };
            asked.sent.push(Sent {
                request,
                turn: self.turn,
                now,
                at: engine.log().last(),
            });
        }
        asked.bytes = reply.into_bytes();
        let looks = match asked.sent.as_slice() {
            [Sent { request, .. }] if request.is_look() && !asked.is_blocked => {
                Some((request.argv.clone(), asked.bytes.clone()))
            }
            _ => None,
        };
        client.asked = Some(asked);
        self.finish()?;
        match looks.filter(|(_, reply)| !reply.starts_with(b"-BUSY")) {
            Some((argv, reply)) => self.process.ask_follower(&argv, &reply, now),
            None => Ok(()),
        }
    }

    /// Gives what the engine did to the journal, and what it says to other clients to them.
    fn finish(&mut self) -> Result<()> {
        let now = self.now();
        for delivery in self.process.finish(now)? {
            let session = Some(delivery.session);
            let Some(client) = self
                .clients
                .iter_mut()
                .find(|client| client.session == session)
            else {
                continue;
            };
            let asked = client.asked.as_mut().context("an answer to nothing")?;
            ensure!(asked.is_blocked, "an answer to somebody who does not wait");
            asked.is_blocked = false;
            asked.bytes.append(&mut delivery.bytes.into_bytes());
            asked.depends_on = asked.depends_on.max(delivery.depends_on);
            // It ran now, not when it began to wait.
            self.turn += 1;
            if let Some(sent) = asked.sent.last_mut() {
                sent.turn = self.turn;
                sent.now = now;
                // It may have waited for a script, and have run amid other requests.
                sent.at = Lsn::ZERO;
            }
        }
        Ok(())
    }

    /// Sends the replies that may leave.
    fn release(&mut self) -> Result<()> {
        if self.disk.is_off() {
            return Ok(());
        }
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            let Some(asked) = client.asked.take_if(|asked| !asked.is_blocked) else {
                continue;
            };
            let may_leave = asked.depends_on <= self.process.position.released
                || self.plan.bug == Some(Bug::ReleasedEarly)
                || self.plan.bug == Some(Bug::ReleasedWhenFull) && self.process.is_full();
            if may_leave && self.replies == Replies::MayBeLost && self.rng.once_in(20) {
                self.disk.note(format!("client {index}: the reply is lost"));
                self.disconnect(index);
            } else if may_leave {
                self.told = self.told.max(asked.depends_on);
                let looks = client.read(asked, &mut self.ledger, &mut self.counts)?;
                self.looks.extend(looks);
            } else if !self.process.releases() && self.rng.once_in(8) {
                self.disconnect(index);
            } else if !self.process.releases() {
                self.disk
                    .note(format!("client {index}: it is not known to be durable"));
                client.read_errors(&asked, &mut self.counts);
            } else {
                client.asked = Some(asked);
            }
        }
        if self.looks.len() > 64 {
            let released = self.process.position.released;
            self.looks.retain(|look| look.at > released);
        }
        Ok(())
    }

    fn disconnect(&mut self, index: usize) {
        if let Some(session) = self.clients[index].lose_connection() {
            self.process.engine.disconnect(session);
        }
    }

    /// What is there must fit what clients were told.
    fn audit(&mut self) -> Result<()> {
        let engine = &self.process.engine;
        for (index, known) in self.ledger.streams.iter().enumerate() {
            let stream = stream_of(engine, &name_of(index));
            known
                .audit(stream)
                .and_then(|()| known.audit_delayed(stream))
                .with_context(|| format!("stream {index}"))?;
        }
        let number = |key: &str| {
            let keyspace = engine.keyspace();
            let record = keyspace.find(0, keyspace.hash(key.as_bytes()), key.as_bytes())?;
            record.value().get::<StringValue>()?.as_integer()
        };
        lists::ensure_nothing_is_twice(engine)?;
        scripts::ensure_whole(engine)?;
        self.ledger.things.audit(engine)?;
        self.ledger.work.audit(engine, &mut self.counts)?;
        self.ledger.kept.audit(engine)?;
        self.ledger.many.audit(engine)?;
        self.ledger.retries.audit(engine)?;
        self.ledger.holds.audit(engine)?;
        let entries = stream_of(engine, "t:s").map_or(0, stream::Stream::len);
        let (a, b) = (number("t:a").unwrap_or(0), number("t:b").unwrap_or(0));
        ensure!(
            a == b && u64::try_from(a) == Ok(entries),
            "half a transaction: {a}, {b}, {entries}"
        );
        Ok(())
    }

    /// Without further faults all replies leave in the end.
    fn settle(&mut self) -> Result<()> {
        self.disk.forget_plan();
        self.disk.set_capacity(u64::MAX);
        for _ in 0..100 {
            let elapsed = self.clock.elapsed();
            self.process.deliver(&self.disk, elapsed)?;
            self.process.finish_sync(&self.disk, elapsed)?;
            self.process
                .go_on_with_rewrite(|| false, &self.disk, elapsed)?;
            self.release()?;
            if self.process.is_settled() {
                self.process.look_at_journal();
                return Ok(());
            }
            self.pass(1100)?;
            // A disk that was full needs nothing but room.
            if self.process.is_poisoned() {
                let now = self.now();
                self.process.begin_rewrite(now);
            }
        }
        let (position, last) = (self.process.position, self.process.last());
        bail!("the journal is at {position:?}, the engine at {last}")
    }

    /// Everything that waits is appended in the end.
    fn append_all(&mut self) -> Result<()> {
        for _ in 0..30 {
            self.pass(1000)?;
            self.settle()?;
        }
        for index in 0..STREAMS {
            let stream = stream_of(&self.process.engine, &name_of(index));
            let waiting = stream.and_then(stream::Stream::delayed);
            ensure!(
                waiting.is_none_or(stream::Delayed::is_empty),
                "{waiting:?} still wait"
            );
        }
        Ok(())
    }

    /// Without further faults consumers get everything in the end.
    fn drain(&mut self) -> Result<()> {
        for index in 0..self.clients.len() {
            self.disconnect(index);
        }
        for index in 0..self.clients.len() {
            self.drain_consumer(index)?;
        }
        self.drain_by_pattern()
    }

    /// Readers by a pattern find every stream in the end.
    fn drain_by_pattern(&mut self) -> Result<()> {
        let is_it = |client: &Client| matches!(client.role, Role::ByPattern);
        let index = self.clients.iter().position(is_it).context("no reader")?;
        for _ in 0..1000 {
            self.ask(index, vec![many::read_all()])?;
            self.settle()?;
            if self.ledger.many.received == 0 {
                let (many, counts) = (&self.ledger.many, &mut self.counts);
                return many.audit_end(&self.process.engine, counts);
            }
        }
        bail!("the readers by a pattern do not come to an end")
    }

    /// One consumer claims what others left, then reads what nobody was given, and acknowledges
    /// all.
    fn drain_consumer(&mut self, index: usize) -> Result<()> {
        let mut stage = Stage::MakesGroup;
        for _ in 0..1000 {
            let Role::Consumes(consumer) = &mut self.clients[index].role else {
                return Ok(());
            };
            let request = match (stage, consumer.holds()) {
                (_, held) if held > 0 => consumer.acknowledge(held),
                (Stage::MakesGroup, _) => consumer.create_group(),
                (Stage::Claims, _) => consumer.scan(0, 1000),
                (Stage::Reads, _) => consumer.read_new(1000, None),
            };
            let purpose = request.purpose.clone();
            self.ask(index, vec![request])?;
            self.settle()?;
            let Role::Consumes(consumer) = &mut self.clients[index].role else {
                return Ok(());
            };
            stage = match (stage, purpose) {
                (Stage::MakesGroup, _) => {
                    consumer.cursor = StreamId::MIN;
                    Stage::Claims
                }
                (Stage::Claims, Purpose::Scan) if consumer.cursor == StreamId::MIN => Stage::Reads,
                (Stage::Reads, Purpose::New) if consumer.received == 0 => return Ok(()),
                (stage, _) => stage,
            };
        }
        bail!("a consumer does not come to an end")
    }
}

/// How far a consumer has come in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    MakesGroup,
    Claims,
    Reads,
}

fn now(clock: &Clock) -> Now {
    let ms = u64::try_from(
        clock
            .elapsed()
            .since(journal::Elapsed::default())
            .as_millis(),
    );
    Now {
        unix_us: i64::try_from(clock.unix_ms())
            .unwrap_or(i64::MAX)
            .saturating_mul(1000),
        mono: Mono(ms.unwrap_or(u64::MAX)),
    }
}
