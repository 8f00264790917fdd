//! The world of a run: a machine with a server on it, its clients, and what goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use engine::{Mono, Next, Now};
use journal::{Lsn, RecoveryError};
use persistence::OpenError;
use resp::{Protocol, Reply};
use stream::StreamId;
use values::StringValue;

use super::bystander::{self, stream_of};
use super::client::{Asked, Client, Look, Role, Sent};
use super::consumer::Consumer;
use super::counts::Counts;
use super::follower::Follower;
use super::functions;
use super::ledger::{Ledger, Turn};
use super::lists;
use super::picture::Picture;
use super::process::{Follow, Process};
use super::producer::{Producer, name_of};
use super::request::{Purpose, Request, request};
use super::scripts;
use super::setting::{self, Setting};
use super::{Bug, Plan};
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
        let setting = Setting::draw(&mut rng, plan.bug)?;
        if plan.bug == Some(Bug::SyncDropped) {
            disk.set_syncs(Syncs::Dropped);
        }
        let clock = Clock::new(1_700_000_000_000);
        let none = BTreeMap::new();
        let process = Process::start(&disk, &setting, &none, Follow::Yes, now(&clock))?;
        let producers = (0..4).map(|id| Producer::new(id, id as usize % STREAMS));
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
            .chain((0..3).map(|_| Role::Other));
        Ok(World {
            clients: roles.map(Client::new).collect(),
            plan,
            rng,
            clock,
            disk,
            setting,
            process,
            ledger: Ledger::new(STREAMS, GROUPS),
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
        self.replies = Replies::Arrive;
        self.drain()?;
        self.settle()?;
        self.audit()?;
        for stream in &self.ledger.streams {
            stream.audit_groups()?;
        }
        self.process.compare_with_follower(self.now())?;
        self.restart(Crash::Stop)?;
        self.counts.disk_operations = self.disk.operations();
        Ok(self.counts)
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
        self.finish()
    }

    /// For a moment too much memory is used: keys that expire are evicted.
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
        self.process.engine.timer(self.now());
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
                Role::Produces(_) | Role::Consumes(_) => Ok(()),
            };
        }
        let requests = match &mut client.role {
            Role::Produces(producer) => {
                producer.requests(now.stream_ms(), &mut self.counts, &mut self.rng)
            }
            Role::Consumes(consumer) => consumer.requests(&self.ledger, &mut self.rng),
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
        for delivery in self.process.finish(self.now())? {
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

    fn stop(&mut self) -> Result<()> {
        let is_durable = self.process.close(&self.disk, self.clock.elapsed())?;
        let last = self.process.last();
        if is_durable {
            self.told = self.told.max(last);
            self.counts.stops += 1;
            return self.restart(Crash::Stop);
        }
        self.restart(self.some_crash())
    }

    /// The server ends in some way, and starts again.
    fn restart(&mut self, crash: Crash) -> Result<()> {
        self.counts.crashes += u64::from(crash != Crash::Stop);
        self.counts.rewrites += self.process.rewrites;
        self.counts.packed += self.process.packed;
        self.counts.poisonings += self.process.poisonings;
        self.counts.suspended += self.process.suspended;
        self.disk.kill();
        for client in &mut self.clients {
            client.lose_connection();
        }
        if crash == Crash::Machine || (crash == Crash::Stop && self.setting.has_power_cuts()) {
            self.counts.power_cuts += u64::from(crash == Crash::Machine);
            self.disk.power_cycle();
        }
        if self.rng.once_in(2) {
            let ms = if self.rng.once_in(40) { 50_000 } else { 2000 };
            self.clock
                .advance(Duration::from_millis(self.rng.below(ms)));
        }
        let process = self.recover()?;
        let old = std::mem::replace(&mut self.process, process);
        self.check_recovered(&old).context("after a restart")
    }

    /// Somebody else writes to the log. The server answers nothing any more from what it has in
    /// memory, and loads the log again.
    fn be_overtaken(&mut self) -> Result<()> {
        self.disk.forget_plan();
        self.disk.set_capacity(u64::MAX);
        let elapsed = self.clock.elapsed();
        self.process.deliver(&self.disk, elapsed)?;
        let is_busy = self.process.has_unfinished();
        if self.plan.bug.is_some() || !self.process.is_good() || is_busy {
            return Ok(());
        }
        let written = self.process.position.written;
        self.counts.overtaken += 1;
        let value = self.counts.overtaken.to_string();
        let foreign = format!(
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$7\r\nforeign\r\n${}\r\n{value}\r\n",
            value.len()
        );
        self.process.be_overtaken(foreign.as_bytes(), &self.disk)?;
        // The next write shows it. It is in no log, then.
        let now = self.now();
        let engine = &mut self.process.engine;
        let session = engine.connect(String::new(), String::new(), now);
        let request: resp::ArgvBuf = ["SET", "fenced", &value].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, request.as_argv(), now, &mut reply);
        engine.disconnect(session);
        self.finish()?;
        self.process.deliver(&self.disk, elapsed)?;
        // While a sync runs, the journal may gather what it writes next.
        self.process.finish_sync(&self.disk, elapsed)?;
        ensure!(self.process.is_fenced(), "nobody noticed another writer");
        // A rewrite would put what is in memory in the place of the log.
        self.process.begin_rewrite(now);
        self.process.deliver(&self.disk, elapsed)?;
        self.process
            .go_on_with_rewrite(|| false, &self.disk, elapsed)?;
        self.release()?;
        let waits = |client: &Client| client.asked.as_ref().is_some_and(|asked| !asked.is_blocked);
        ensure!(
            !self.clients.iter().any(waits),
            "somebody waits for a log that has another writer"
        );
        self.disk.kill();
        for client in &mut self.clients {
            client.lose_connection();
        }
        let process = self.recover()?;
        let old = std::mem::replace(&mut self.process, process);
        let recovered = self.process.report.last;
        // To whoever wrote it each request is a batch.
        ensure!(
            recovered == written.plus(2) && self.told <= written,
            "{written} were written, {} told, {recovered} are back",
            self.told
        );
        self.audit()?;
        self.repeat_looks(written)?;
        let view = old.views.get(&written);
        let view = view.with_context(|| format!("no batch ever ended at {written}"))?;
        let back = Picture::of(&self.process.engine.freeze(), now).without(0, "foreign");
        let before = Picture::of(view, now).without(0, "foreign");
        before.ensure_same(&back, "before and after another writer")?;
        functions::ensure_callable(&mut self.process.engine, now)?;
        let keyspace = self.process.engine.keyspace();
        let foreign = keyspace.find(0, keyspace.hash(b"foreign"), b"foreign");
        let foreign = foreign.and_then(|record| record.value().get::<StringValue>());
        ensure!(
            foreign.map(StringValue::to_vec) == Some(value.into_bytes()),
            "what the other one wrote is not there"
        );
        Ok(())
    }

    /// Starts the server until that succeeds, crashing on the way now and then.
    fn recover(&mut self) -> Result<Process> {
        for attempt in 0..ATTEMPTS_MAX {
            if attempt < 3 && self.rng.once_in(8) {
                let within = 1 + self.rng.below(8);
                let failure = self.some_failure();
                self.disk.plan(self.disk.operations() + within, failure);
            } else if attempt >= 3 {
                self.disk.forget_plan();
                self.disk.set_capacity(u64::MAX);
            }
            let follow = if self.rng.once_in(4) {
                Follow::Yes
            } else {
                Follow::No
            };
            let batches = &self.process.batches;
            let started = Process::start(&self.disk, &self.setting, batches, follow, self.now());
            match started {
                Ok(process) if !self.disk.is_off() => return Ok(process),
                _ if self.disk.is_off() => {
                    self.counts.crashes += 1;
                    self.counts.power_cuts += 1;
                    self.disk.power_cycle();
                }
                Err(OpenError::Recovery(RecoveryError::Disk(_))) => self.disk.kill(),
                Ok(_) => {}
                Err(error) => bail!("the server does not start: {error}"),
            }
        }
        bail!("the server does not start, however often it is tried")
    }

    /// What came back must be what was there, and include all that anybody was told.
    fn check_recovered(&mut self, old: &Process) -> Result<()> {
        let now = self.now();
        let (last, recovered) = (old.last(), self.process.report.last);
        self.disk.note(format!(
            "of {last} batches {recovered} are back, {} were told",
            self.told
        ));
        self.counts.batches_lost += last.since(recovered);
        self.counts.cuts += self.process.report.cuts.len() as u64;
        self.audit()?;
        self.repeat_looks(recovered)?;
        ensure!(
            recovered >= self.told,
            "a reply told of batch {}, but the journal ends at {recovered}",
            self.told
        );
        let view = old.views.get(&recovered);
        let view = view.with_context(|| format!("no batch ever ended at {recovered}"))?;
        let back = Picture::of(&self.process.engine.freeze(), now);
        Picture::of(view, now).ensure_same(&back, "before and after the restart")?;
        functions::ensure_callable(&mut self.process.engine, now)?;
        self.read_from_the_midst(old)
    }

    /// Who has the state after some batch and reads the log from there must come to the same state,
    /// wherever in a group that batch is.
    fn read_from_the_midst(&mut self, old: &Process) -> Result<()> {
        let now = self.now();
        let recovered = self.process.report.last;
        let views = old.earlier_views.iter().chain(&old.views);
        let views: Vec<_> = views.filter(|(at, _)| **at <= recovered).collect();
        let (at, view) = views[self.rng.index(views.len())];
        let mut follower = Follower::begin(view, *at, &self.setting, now)?;
        // The log may begin later.
        if follower.follow_disk(&self.disk)? {
            follower.compare_with(&self.process.engine, now)?;
            self.counts.followed += recovered.since(*at);
        }
        Ok(())
    }

    /// Reads that were answered before the crash must be answered in the same way now: what the
    /// crash took back cannot have touched them, or the replies would not have left.
    fn repeat_looks(&mut self, recovered: Lsn) -> Result<()> {
        let mut looks = std::mem::take(&mut self.looks);
        looks.retain(|look| look.at > recovered);
        for look in looks {
            let engine = &mut self.process.engine;
            let session = engine.connect(String::new(), String::new(), look.now);
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(session, look.argv.as_argv(), look.now, &mut reply);
            engine.disconnect(session);
            self.counts.looks_repeated += 1;
            ensure!(
                reply.as_bytes() == look.reply,
                "{:?} showed {:?}, which the crash took back: now it is {:?}",
                look.argv,
                String::from_utf8_lossy(&look.reply),
                String::from_utf8_lossy(reply.as_bytes()),
            );
        }
        Ok(())
    }

    /// What is there must fit what clients were told.
    fn audit(&self) -> Result<()> {
        let engine = &self.process.engine;
        for (index, known) in self.ledger.streams.iter().enumerate() {
            let stream = stream_of(engine, &name_of(index));
            known
                .audit(stream)
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

    /// Without further faults consumers get everything in the end.
    fn drain(&mut self) -> Result<()> {
        for index in 0..self.clients.len() {
            self.disconnect(index);
        }
        for index in 0..self.clients.len() {
            self.drain_consumer(index)?;
        }
        Ok(())
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
