//! The journal alone, on a simulated disk: random batches, rewrites, faults and crashes. After
//! every restart it checks whether what came back is right.
//!
//! A run is one seed. Its [`Driver`](World) does what the journal's thread does, one random step at
//! a time, and keeps the batches that it submitted. After a crash the recovered batches must be a
//! prefix of those, bit by bit; they must include every batch that was reported durable, and every
//! batch that was released, unless the policy allows losing it and the power failed. Batches that
//! were lost after their release must have been released within the last two seconds.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use journal::{
    BaseWriter, Commit, Cut, Elapsed, Encoded, Event, FileSync, Gathered, Health, History,
    LocalLog, Lsn, Position, SnapshotFormat, SnapshotSink, SyncJob, SyncPolicy, Trimmed,
};

use crate::clock::Clock;
use crate::disk::{Failure, SimDisk, Syncs};
use crate::rng::Rng;

mod recovery;

type Log = LocalLog<SimDisk>;

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything else.
    pub seed: u64,
    /// How many steps the run has.
    pub steps: u64,
    /// Cut the power at the disk operation with this number.
    pub power_cut_at: Option<u64>,
    /// Faults that the run draws: crashes, errors, a full disk.
    pub chaos: Chaos,
    /// A bug, for the checkers to find.
    pub bug: Option<Bug>,
}

/// Whether a run draws faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chaos {
    /// It does.
    Drawn,
    /// Only what the plan says happens.
    Planned,
}

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Syncs report success and do nothing.
    SyncDropped,
    /// Replies leave when their batch is submitted.
    ReleasedEarly,
    /// A rewrite leaves a batch out of the snapshot.
    SnapshotStale,
    /// Recovered batches are applied twice.
    AppliedTwice,
    /// Replies leave while the disk is full and their batches are in no file.
    ReleasedWhenFull,
}

/// What happened in a run that found nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Operations of the disk that changed something.
    pub operations: u64,
    /// Batches submitted.
    pub batches: u64,
    /// Restarts after a crash of the machine or of the process.
    pub crashes: u64,
    /// Snapshots that became the start of the log.
    pub rewrites: u64,
    /// How often the log was not trusted.
    pub poisonings: u64,
    /// Torn ends that were cut off.
    pub cuts: u64,
    /// How often batches went to the reserve.
    pub reserves_used: u64,
    /// How often the reserve was not enough.
    pub full: u64,
    /// How often all was good again without a rewrite, after the disk had been full.
    pub mended: u64,
    /// Rewrites that covered batches for which there had been no room.
    pub rewrites_ahead: u64,
}

/// Runs a plan.
///
/// # Errors
/// What the checkers found.
pub fn run(plan: Plan) -> Result<Outcome> {
    let mut world = World::new(plan);
    world.run().with_context(|| {
        format!(
            "{plan:?}\nthe end of the trace:\n{}\n",
            world.disk.trace().join("\n")
        )
    })
}

/// The simulated machine with a journal on it.
struct World {
    plan: Plan,
    rng: Rng,
    clock: Clock,
    disk: SimDisk,
    commit: Option<Commit<Log>>,
    policy: SyncPolicy,
    /// Every batch since the start of the run, with the moment when it was released.
    batches: Vec<Batch>,
    gathered: Gathered,
    /// The last batch that the journal has.
    delivered: Lsn,
    position: Position,
    sync: Option<FileSync<<SimDisk as journal::Disk>::File>>,
    rewrite: Rewrite,
    wake_at: Option<Elapsed>,
    outcome: Outcome,
    /// The weakest policy since the last restart. All but the strongest may lose what was released.
    weakest: SyncPolicy,
}

struct Batch {
    bytes: Vec<u8>,
    released_at: Option<Elapsed>,
}

enum Rewrite {
    None,
    Asked,
    Writing(BaseWriter<SimDisk>),
    Trimming(History<SimDisk>),
}

impl World {
    fn new(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let disk = SimDisk::new(rng.fork());
        if let Some(operation) = plan.power_cut_at {
            disk.plan(operation, Failure::PowerCut);
        }
        if plan.bug == Some(Bug::SyncDropped) {
            disk.set_syncs(Syncs::Dropped);
        }
        let policy = draw_policy(&mut rng);
        World {
            plan,
            rng,
            clock: Clock::new(1_700_000_000_000),
            disk,
            commit: None,
            policy,
            batches: Vec::new(),
            gathered: Gathered::default(),
            delivered: Lsn::ZERO,
            position: Position::default(),
            sync: None,
            rewrite: Rewrite::None,
            wake_at: None,
            outcome: Outcome::default(),
            weakest: policy,
        }
    }

    fn run(&mut self) -> Result<Outcome> {
        self.recover(Crash::Process)?;
        for _ in 0..self.plan.steps {
            self.step()?;
            if self.disk.is_off() {
                self.restart(Crash::Machine)?;
            }
        }
        self.settle()?;
        self.outcome.operations = self.disk.operations();
        self.outcome.batches = self.batches.len() as u64;
        Ok(self.outcome)
    }

    fn step(&mut self) -> Result<()> {
        let chaos = self.plan.chaos == Chaos::Drawn;
        match self.rng.below(100) {
            0..40 => self.submit(),
            40..65 => self.deliver()?,
            65..75 => self.finish_sync()?,
            75..82 => self.go_on_with_rewrite()?,
            82..84 => self.ask_for_rewrite(),
            84..92 => {
                let ms = if self.rng.once_in(10) { 3000 } else { 300 };
                self.clock
                    .advance(Duration::from_millis(self.rng.below(ms)));
                if self.wake_at.is_some_and(|at| at <= self.clock.elapsed()) {
                    self.apply(Event::Tick)?;
                }
            }
            92 => {
                self.policy = draw_policy(&mut self.rng);
                self.weakest = weaker(self.weakest, self.policy);
                self.apply(Event::Policy(self.policy))?;
            }
            93 if chaos => self.restart(Crash::Process)?,
            94 if chaos => self.restart(Crash::Machine)?,
            95 if chaos => {
                let failure = if self.rng.once_in(2) {
                    Failure::Error
                } else {
                    Failure::PowerCut
                };
                let within = 1 + self.rng.below(20);
                self.disk.plan(self.disk.operations() + within, failure);
            }
            96 if chaos => {
                let bytes = match self.rng.below(4) {
                    0 | 1 => u64::MAX,
                    2 => self.rng.below(600_000),
                    _ => self.disk.used_bytes() + self.rng.below(3000),
                };
                self.disk.set_capacity(bytes);
            }
            97 => self.close_and_reopen()?,
            _ => {}
        }
        Ok(())
    }

    fn submitted(&self) -> Lsn {
        Lsn::new(self.batches.len() as u64)
    }

    /// A producer has done something, unless writes are refused.
    fn submit(&mut self) {
        let healthy = self
            .commit
            .as_ref()
            .is_some_and(|commit| commit.health().is_good());
        // Expiry and the like continue, and so do commands that make room.
        if !healthy && !self.rng.once_in(20) {
            if self.rng.once_in(8) {
                self.ask_for_rewrite();
            }
            return;
        }
        for _ in 0..1 + self.rng.below(4) {
            let mut encoded = draw_batch(&mut self.rng, self.batches.len() + 1);
            let bytes = encoded.to_vec();
            self.gathered
                .batches
                .add(&mut encoded, &mut Encoded::default());
            let early = self.plan.bug == Some(Bug::ReleasedEarly);
            let released_at = early.then(|| self.clock.elapsed());
            self.batches.push(Batch { bytes, released_at });
        }
        self.gathered.last = self.submitted();
        if self.plan.bug == Some(Bug::ReleasedEarly) {
            self.position.released = self.submitted();
        }
    }

    /// Somebody wants a rewrite, which does nothing while there is one.
    fn ask_for_rewrite(&mut self) {
        if matches!(self.rewrite, Rewrite::None) {
            self.rewrite = Rewrite::Asked;
            let (bytes, at) = (self.gathered.batches.len(), self.submitted());
            self.gathered.cut = Some(Cut { bytes, at });
            self.gathered.last = at;
        }
    }

    fn deliver(&mut self) -> Result<()> {
        if self.gathered.batches.is_empty() && self.gathered.cut.is_none() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered);
        self.gathered.last = gathered.last;
        self.apply(Event::Gathered(gathered))
    }

    fn finish_sync(&mut self) -> Result<()> {
        let Some(job) = self.sync.take() else {
            return Ok(());
        };
        let result = job.run();
        self.apply(Event::Synced(job, result))
    }

    fn go_on_with_rewrite(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.rewrite, Rewrite::None) {
            Rewrite::Writing(_) if self.rng.once_in(8) => self.apply(Event::SnapshotAbandoned),
            Rewrite::Writing(mut sink) => {
                let stale = u64::from(self.plan.bug == Some(Bug::SnapshotStale));
                let at = Lsn::new(sink.at().since(Lsn::new(stale)));
                let base = snapshot(at, self.digest(at));
                let written = sink.write_all(&base).is_ok();
                match sink.finish(SnapshotFormat::Rdb) {
                    Ok(snapshot) if written => self.apply(Event::SnapshotWritten(snapshot)),
                    Ok(_) | Err(_) => self.apply(Event::SnapshotAbandoned),
                }
            }
            Rewrite::Trimming(history) => {
                history.remove();
                self.apply(Event::Trimmed)
            }
            other => {
                self.rewrite = other;
                Ok(())
            }
        }
    }

    /// Does what the journal's thread does with an event.
    fn apply(&mut self, event: Event<Log>) -> Result<()> {
        let now = self.clock.elapsed();
        let Some(commit) = &mut self.commit else {
            return Ok(());
        };
        let was = Look::at(commit.health());
        let name = event.name();
        if let Event::Gathered(gathered) = &event {
            self.delivered = gathered.last;
        }
        let delivered = self.delivered;
        let written_before = commit.position().written;
        commit.apply(event, now);
        let flush = commit.flush();
        let position = commit.position();
        let is = Look::at(commit.health());
        self.outcome.poisonings += u64::from(!was.is_poisoned && is.is_poisoned);
        self.wake_at = flush.wake_at;
        if let Some(job) = flush.sync {
            ensure!(self.sync.is_none(), "two syncs at a time");
            self.sync = Some(job);
        }
        match flush.snapshot {
            Some(Ok(sink)) => self.rewrite = Rewrite::Writing(sink),
            Some(Err(_)) => self.rewrite = Rewrite::None,
            None => {}
        }
        match flush.stored {
            Some(Ok(history)) => {
                self.outcome.rewrites += 1;
                let is_ahead = was.is_full && position.written > written_before;
                self.outcome.rewrites_ahead += u64::from(is_ahead);
                self.rewrite = Rewrite::Trimming(history);
            }
            Some(Err(_)) => self.rewrite = Rewrite::None,
            None => {}
        }
        // What a machine reports after its power failed reaches nobody.
        if self.disk.is_off() {
            return Ok(());
        }
        let health = commit.health();
        self.disk
            .note(format!("at {now:?}: {name}: {position:?}, {health:?}"));
        let before = self.position;
        ensure!(
            position.durable >= before.durable && position.released >= before.released
                || matches!(
                    self.plan.bug,
                    Some(Bug::ReleasedEarly | Bug::ReleasedWhenFull)
                ),
            "a position went back: {before:?} {position:?}"
        );
        ensure!(position.durable <= self.submitted() && position.released <= self.submitted());
        self.position.durable = position.durable;
        self.position.written = position.written;
        self.position.released = before.released.max(position.released);
        if self.plan.bug == Some(Bug::ReleasedWhenFull) && was.is_full && is.is_full {
            self.position.released = self.gathered.last;
        }
        self.outcome.reserves_used += u64::from(is.is_on_reserve && was.is_good);
        self.outcome.full += u64::from(is.is_full && !was.is_full);
        self.outcome.mended += u64::from(is.is_good && (was.is_full || was.is_on_reserve));
        // Nobody waits for ever: either replies leave, or clients are told that they will not.
        ensure!(
            !is.releases || self.sync.is_some() || position.released == delivered,
            "released {} of {delivered} batches, and nothing goes on",
            position.released
        );
        let newly = before.released.number()..self.position.released.number();
        for number in newly {
            self.batches[index(number)].released_at = Some(now);
        }
        Ok(())
    }

    fn restart(&mut self, crash: Crash) -> Result<()> {
        self.outcome.crashes += 1;
        self.forget_process();
        match crash {
            Crash::Process => self.disk.kill(),
            Crash::Machine => self.disk.power_cycle(),
        }
        self.recover(crash)
    }

    /// Everything in the process is gone, without any clean-up.
    fn forget_process(&mut self) {
        self.disk.kill();
        self.commit = None;
        self.sync = None;
        self.rewrite = Rewrite::None;
        self.gathered = Gathered::default();
    }

    fn close_and_reopen(&mut self) -> Result<()> {
        self.deliver()?;
        self.finish_sync()?;
        let now = self.clock.elapsed();
        let Some(mut commit) = self.commit.take() else {
            return Ok(());
        };
        commit.apply(Event::Close, now);
        let flush = commit.flush();
        let mut closed = flush.closed;
        if let Some(job) = self.sync.take().or(flush.sync) {
            let result = job.run();
            commit.apply(Event::Synced(job, result), now);
            closed = commit.flush().closed;
        }
        let is_durable = matches!(closed, Some(Ok(()))) && !self.disk.is_off();
        drop(commit);
        if self.disk.is_off() {
            return self.restart(Crash::Machine);
        }
        ensure!(closed.is_some(), "the journal did not close");
        self.forget_process();
        let submitted = self.submitted();
        if is_durable {
            self.position = Position {
                written: submitted,
                durable: submitted,
                released: submitted,
            };
        }
        let crash = if self.rng.once_in(2) {
            Crash::Machine
        } else {
            Crash::Process
        };
        if crash == Crash::Machine {
            self.disk.power_cycle();
        }
        self.recover(crash)
    }

    /// Without further faults everything that was submitted must be released in the end.
    fn settle(&mut self) -> Result<()> {
        self.disk.forget_plan();
        self.disk.set_capacity(u64::MAX);
        for _ in 0..100 {
            self.deliver()?;
            self.finish_sync()?;
            self.go_on_with_rewrite()?;
            self.clock.advance(Duration::from_millis(1100));
            self.apply(Event::Tick)?;
            let look = self.commit.as_ref().map(|commit| Look::at(commit.health()));
            let healthy = look.is_some_and(|look| look.is_good);
            if healthy && self.position.released == self.submitted() {
                return Ok(());
            }
            // A disk that was full needs nothing but room.
            if look.is_some_and(|look| look.is_poisoned) {
                self.ask_for_rewrite();
            }
        }
        bail!(
            "released {}, submitted {}",
            self.position.released,
            self.submitted()
        )
    }

    /// Stands for the state after batch `at`.
    fn digest(&self, at: Lsn) -> u64 {
        self.batches[..index(at.number())]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |digest, batch| {
                batch.bytes.iter().fold(digest, |digest: u64, &byte| {
                    (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                })
            })
    }
}

/// The name of a health.
#[derive(Clone, Copy)]
struct Look {
    is_good: bool,
    is_on_reserve: bool,
    is_full: bool,
    is_poisoned: bool,
    releases: bool,
}

impl Look {
    fn at(health: &Health) -> Look {
        Look {
            is_good: health.is_good(),
            is_on_reserve: matches!(health, Health::OnReserve(_)),
            is_full: matches!(health, Health::Full(_)),
            is_poisoned: matches!(health, Health::Poisoned(_)),
            releases: health.releases(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Process,
    Machine,
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn draw_policy(rng: &mut Rng) -> SyncPolicy {
    match rng.below(4) {
        0 | 1 => SyncPolicy::Always,
        2 => SyncPolicy::EverySecond,
        _ => SyncPolicy::Never,
    }
}

fn weaker(one: SyncPolicy, other: SyncPolicy) -> SyncPolicy {
    match (one, other) {
        (SyncPolicy::Never, _) | (_, SyncPolicy::Never) => SyncPolicy::Never,
        (SyncPolicy::EverySecond, _) | (_, SyncPolicy::EverySecond) => SyncPolicy::EverySecond,
        (SyncPolicy::Always, SyncPolicy::Always) => SyncPolicy::Always,
    }
}

/// A base that says which state it is.
fn snapshot(at: Lsn, digest: u64) -> Vec<u8> {
    let mut bytes = b"REDIS".to_vec();
    bytes.extend(at.number().to_le_bytes());
    bytes.extend(digest.to_le_bytes());
    // Some have many sectors.
    bytes.resize(bytes.len() + index(digest % 5000), b'.');
    bytes
}

/// A batch; some of them contain what looks like an annotation, and some share their value.
fn draw_batch(rng: &mut Rng, number: usize) -> Encoded {
    let mut value = Vec::new();
    match rng.below(8) {
        0 => value.extend(b"\n#weir:1 lsn=9999 n=1 len=0 crc=00000000\r\n"),
        1 => value.extend(b"#".repeat(rng.index(200))),
        2 => value.resize(rng.index(3000), b'v'),
        3 if rng.once_in(8) => value.resize(rng.index(40_000), 0),
        _ => value.resize(rng.index(60), b'x'),
    }
    let mut batch = Encoded::default();
    let is_shared = rng.once_in(2);
    let set = |batch: &mut Encoded, value: &[u8]| {
        let key = format!("key:{number}");
        batch.push(
            format!(
                "*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n",
                key.len(),
                value.len()
            )
            .as_bytes(),
        );
        match is_shared {
            true => batch.push_shared(value.to_vec().into()),
            false => batch.push(value),
        }
        batch.push(b"\r\n");
    };
    if rng.once_in(4) {
        batch.push(b"#t:1700000000000\r\n*1\r\n$5\r\nMULTI\r\n");
        set(&mut batch, &value);
        set(&mut batch, b"second");
        batch.push(b"*1\r\n$4\r\nEXEC\r\n");
    } else {
        set(&mut batch, &value);
    }
    batch
}
