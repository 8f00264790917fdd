//! The journal as the server sees it: a thread that commits, and a handle that never waits for it.
//!
//! The thread is only the driver of [`Commit`]: it waits for one event, applies it, and carries out
//! the flush. How far it has come can be read at any time and from any thread. Code that must wait
//! registers a [`Listener`] and is called.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::backlog::Backlog;
use crate::commit::{Commit, Counters, Elapsed, Event, Flush, Position, SyncPolicy, Times};
use crate::fatal::PanicEndsProcess;
use crate::health::{Fault, Health, Operation};
use crate::log::{Log, LogSize, SnapshotError, SyncJob};
use crate::rewrite::PendingRewrite;
use batch::{Encoded, Lsn};

/// A journal with its threads. Dropping it closes it.
pub struct Journal<L: Log> {
    shared: Arc<Shared<L>>,
    thread: Mutex<Option<JoinHandle<Result<(), Fault>>>>,
}

/// Somebody who must know how far the journal has come. Called from the journal's thread, which
/// does nothing else meanwhile, and from [`Journal::look_for_stall`]. Implementations wake whoever
/// waits, and return.
pub trait Listener: Send + Sync {
    /// The replies that depend on this LSN, or an earlier one, may leave.
    fn released(&self, up_to: Lsn);

    /// Replies that wait will come soon, or they will not ([`Health::releases`]).
    fn health_changed(&self, health: &Health);

    /// A [`Lease`](crate::Lease) runs again that was found to have run out.
    fn lease_renewed(&self) {}
}

/// What the journal reports of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// What was done so far.
    pub counters: Counters,
    /// The size of the log.
    pub size: LogSize,
    /// A sync runs while writes go on.
    pub syncing: bool,
    /// How long the last group took, with its sync if the policy wants one.
    pub commit_last: Duration,
    /// How long the slowest group took.
    pub commit_slowest: Duration,
}

pub(crate) struct Shared<L: Log> {
    pub(crate) backlog: Backlog<L>,
    written: AtomicU64,
    durable: AtomicU64,
    released: AtomicU64,
    syncs_first: AtomicBool,
    ended: AtomicBool,
    health_kind: AtomicU8,
    health: Mutex<Health>,
    stall: Mutex<Stall>,
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
    stats: Mutex<Stats>,
    times: Mutex<Times>,
    pub(crate) replies: Mutex<Replies<L>>,
}

/// The channels that wait for the journal's answers during a rewrite.
pub(crate) struct Replies<L: Log> {
    pub(crate) begun: Option<SyncSender<Result<L::Sink, SnapshotError>>>,
    pub(crate) stored: Option<SyncSender<Result<L::Trimmed, SnapshotError>>>,
}

/// How long nothing was released.
struct Stall {
    released: Lsn,
    since: Instant,
}

/// The kinds of [`Health`], for a look without a lock.
const GOOD: u8 = 0;
const SLOW: u8 = 1;
const ON_RESERVE: u8 = 2;
const FULL: u8 = 3;
const POISONED: u8 = 4;
const FENCED: u8 = 5;

impl<L: Log> Journal<L> {
    /// Starts the thread of a journal that continues `log`.
    ///
    /// # Errors
    /// What the operating system says if it cannot start a thread.
    pub fn start(log: L, policy: SyncPolicy) -> io::Result<Self> {
        let commit = Commit::new(log, policy);
        let Position {
            written,
            durable,
            released,
        } = commit.position();
        let shared = Arc::new(Shared {
            backlog: Backlog::new(written),
            written: AtomicU64::new(written.number()),
            durable: AtomicU64::new(durable.number()),
            released: AtomicU64::new(released.number()),
            syncs_first: AtomicBool::new(policy == SyncPolicy::Always),
            ended: AtomicBool::new(false),
            health_kind: AtomicU8::new(kind_of(commit.health())),
            stall: Mutex::new(Stall {
                released,
                since: Instant::now(),
            }),
            health: Mutex::new(commit.health().clone()),
            listeners: Mutex::new(Vec::new()),
            stats: Mutex::new(Stats {
                size: commit.size(),
                ..Stats::default()
            }),
            times: Mutex::new(Times::default()),
            replies: Mutex::new(Replies {
                begun: None,
                stored: None,
            }),
        });
        let origin = Instant::now();
        let driver = Driver {
            shared: Arc::clone(&shared),
            kind: kind_of(commit.health()),
            commit: commit.timed_by(move || Elapsed::new(origin.elapsed())),
            origin,
            syncer: None,
            spare: Encoded::default(),
        };
        let thread = thread::Builder::new()
            .name("weir-journal".to_owned())
            .spawn(|| driver.run())?;
        Ok(Journal {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands over batches; `last` is the LSN of the last one, and `batches` is empty afterwards.
    /// Calls must be in the order of the LSNs, which the shard's lock ensures. It never waits for
    /// the disk, and copies no more than a part of bounded size. A sleeping thread learns of it by
    /// [`Journal::kick`].
    #[inline]
    pub fn submit(&self, batches: &mut Encoded, last: Lsn) {
        self.shared.backlog.submit(batches, last);
    }

    /// Wakes the thread, so that what was submitted is written. Best called without the shard's
    /// lock, and once for everything that is submitted at about the same time, so that it shares
    /// one write and one sync.
    #[inline]
    pub fn kick(&self) {
        self.shared.backlog.kick();
    }

    /// Returns whether batches are released only when they are durable ([`SyncPolicy::Always`]).
    /// Then it pays to kick early: a sync lasts longer than many requests, and what is submitted
    /// meanwhile shares the next one.
    #[inline]
    pub fn syncs_first(&self) -> bool {
        self.shared.syncs_first.load(Ordering::Relaxed)
    }

    /// The last batch whose reply may leave.
    #[inline]
    pub fn released(&self) -> Lsn {
        Lsn::new(self.shared.released.load(Ordering::Acquire))
    }

    /// The last batch that survives a power cut.
    #[inline]
    pub fn durable(&self) -> Lsn {
        Lsn::new(self.shared.durable.load(Ordering::Acquire))
    }

    /// The last batch that survives the end of the process.
    #[inline]
    pub fn written(&self) -> Lsn {
        Lsn::new(self.shared.written.load(Ordering::Acquire))
    }

    /// Returns whether writes may be accepted: [`Journal::health`], without a lock.
    #[inline]
    pub fn accepts_writes(&self) -> bool {
        self.shared.health_kind.load(Ordering::Acquire) == GOOD
    }

    /// Changes when [`Journal::health`] does, for a look without a lock.
    #[inline]
    pub fn health_kind(&self) -> u8 {
        self.shared.health_kind.load(Ordering::Acquire)
    }

    /// Returns whether writes may be accepted, and if not, why.
    pub fn health(&self) -> Health {
        if self.health_kind() == SLOW {
            return Health::Slow(self.shared.stall.lock().since.elapsed());
        }
        self.shared.health.lock().clone()
    }

    /// Calls the journal [`Health::Slow`] if something waits and nothing has been released for
    /// longer than `patience`, and takes that back when releases continue. Must be called now and
    /// then: the thread itself cannot notice, because it waits for the disk then.
    pub fn look_for_stall(&self, patience: Option<Duration>) {
        let shared = &*self.shared;
        let (submitted, released) = (shared.backlog.submitted(), self.released());
        let mut stall = shared.stall.lock();
        if submitted <= released || stall.released != released {
            *stall = Stall {
                released,
                since: Instant::now(),
            };
        }
        let stalled = stall.since.elapsed();
        let is_slow = submitted > released && patience.is_some_and(|patience| stalled >= patience);
        drop(stall);
        let (from, to) = if is_slow { (GOOD, SLOW) } else { (SLOW, GOOD) };
        let swapped =
            shared
                .health_kind
                .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            return;
        }
        if is_slow {
            tracing::warn!(?stalled, "the disk does not answer: writes are refused");
        } else {
            tracing::info!("the disk answers again");
        }
        // The journal's thread may have other news meanwhile. Whoever has the listeners says what
        // holds then, so that the last word is the latest.
        let listeners = shared.listeners.lock();
        let health = self.health();
        for listener in &*listeners {
            listener.health_changed(&health);
        }
    }

    /// Returns how many bytes were submitted that the thread has not taken yet. If clients may send
    /// more while this grows, they can fill the memory.
    pub fn backlog_bytes(&self) -> usize {
        self.shared.backlog.backlog_bytes()
    }

    /// What the journal reports of itself.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.lock()
    }

    /// Takes what was measured since the last time. Must be called now and then, because only a
    /// limited number of measurements is kept.
    pub fn take_times(&self) -> Times {
        std::mem::take(&mut self.shared.times.lock())
    }

    /// Adds a listener, and calls it with the current state.
    pub fn notify(&self, listener: Arc<dyn Listener>) {
        let mut listeners = self.shared.listeners.lock();
        listener.released(self.released());
        listener.health_changed(&self.health());
        listeners.push(listener);
    }

    /// Changes when batches are made durable.
    pub fn set_policy(&self, policy: SyncPolicy) {
        let always = policy == SyncPolicy::Always;
        self.shared.syncs_first.store(always, Ordering::Relaxed);
        // A journal that has ended has no use for it.
        let _ = self.shared.backlog.send(Event::Policy(policy));
    }

    /// Begins a rewrite: the owner of the shard calls this with the LSN of its last batch, and
    /// keeps a frozen view of the state at that moment. It does not wait.
    ///
    /// # Errors
    /// [`SnapshotError::InProgress`], [`SnapshotError::GivenUp`] after a close.
    pub fn begin_rewrite(&self, at: Lsn) -> Result<PendingRewrite<L>, SnapshotError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let mut replies = self.shared.replies.lock();
        self.shared.backlog.cut(at)?;
        replies.begun = Some(sender);
        drop(replies);
        Ok(PendingRewrite::new(Arc::clone(&self.shared), receiver))
    }

    /// Returns whether a rewrite is in progress.
    pub fn is_rewriting(&self) -> bool {
        self.shared.backlog.is_rewriting()
    }

    /// Commits what was submitted, makes it durable, and ends the thread.
    ///
    /// # Errors
    /// The fault that left the log incomplete.
    pub fn close(&self) -> Result<(), Fault> {
        let Some(thread) = self.thread.lock().take() else {
            return Ok(());
        };
        // If nobody takes it, the thread has ended already.
        let _ = self.shared.backlog.send(Event::Close);
        thread.join().unwrap_or_else(|_| Err(ended_early()))
    }
}

impl<L: Log> Drop for Journal<L> {
    fn drop(&mut self) {
        if let Err(fault) = self.close() {
            tracing::error!(%fault, "the journal is not complete");
        }
    }
}

/// What runs on the journal's thread.
struct Driver<L: Log> {
    shared: Arc<Shared<L>>,
    commit: Commit<L>,
    /// The kind of health that was last announced.
    kind: u8,
    origin: Instant,
    syncer: Option<Sender<L::Sync>>,
    spare: Encoded,
}

/// Longest buffer that is kept for the next batches.
const SPARE_BYTES_MAX: usize = 4 << 20;

impl<L: Log> Driver<L> {
    fn run(mut self) -> Result<(), Fault> {
        let mut ended = Ended {
            shared: Arc::clone(&self.shared),
            was_closed: false,
        };
        let _fatal = PanicEndsProcess::with(FAILED);
        let mut deadline = None;
        loop {
            let event = self.shared.backlog.wait(deadline, &mut self.spare);
            let is_group = matches!(event, Event::Gathered(_));
            let begun = self.origin.elapsed();
            self.commit.apply(event, Elapsed::new(begun));
            let flush = self.commit.flush();
            let took = is_group.then(|| self.origin.elapsed().saturating_sub(begun));
            self.publish(took);
            deadline = flush
                .wake_at
                .map(|at| self.origin + at.since(Elapsed::default()));
            if let Some(result) = self.carry_out(flush) {
                ended.was_closed = true;
                return result;
            }
        }
    }

    fn publish(&mut self, took: Option<Duration>) {
        let Position {
            written,
            durable,
            released,
        } = self.commit.position();
        let shared = Arc::clone(&self.shared);
        // When a listener is called, everything else is already up to date.
        self.commit.move_times(&mut shared.times.lock());
        let mut stats = shared.stats.lock();
        stats.counters = self.commit.counters();
        stats.size = self.commit.size();
        stats.syncing = self.commit.is_syncing();
        if let Some(took) = took {
            stats.commit_last = took;
            stats.commit_slowest = stats.commit_slowest.max(took);
        }
        drop(stats);
        shared.written.store(written.number(), Ordering::Release);
        shared.durable.store(durable.number(), Ordering::Release);
        let before = shared.released.swap(released.number(), Ordering::AcqRel);
        let health = self.commit.health();
        let kind = kind_of(health);
        let changed = std::mem::replace(&mut self.kind, kind) != kind;
        if changed {
            shared.health.lock().clone_from(health);
            shared.health_kind.store(kind, Ordering::Release);
        }
        if changed || before != released.number() {
            for listener in &*shared.listeners.lock() {
                if before != released.number() {
                    listener.released(released);
                }
                if changed {
                    listener.health_changed(health);
                }
            }
        }
    }

    fn carry_out(&mut self, flush: Flush<L>) -> Option<Result<(), Fault>> {
        // What they refer to may be freed here, now that who waited for them is told.
        self.spare = flush.written.into_spare(SPARE_BYTES_MAX);
        if let Some(job) = flush.sync {
            self.run_sync(job);
        }
        if let Some(result) = flush.snapshot {
            let failed = result.is_err();
            let reply = self.shared.replies.lock().begun.take();
            let undelivered = reply.is_none_or(|reply| reply.send(result).is_err());
            if undelivered && !failed {
                // The one who asked has gone.
                let _ = self.shared.backlog.send(Event::SnapshotAbandoned);
            }
            if undelivered || failed {
                self.shared.backlog.end_rewrite();
            }
        }
        if let Some(result) = flush.stored {
            let failed = result.is_err();
            let reply = self.shared.replies.lock().stored.take();
            // The waiting side ends the rewrite when it has removed what is superfluous.
            if reply.is_none_or(|reply| reply.send(result).is_err()) || failed {
                self.shared.backlog.end_rewrite();
            }
        }
        flush.closed
    }

    /// Hands a sync to its own thread, so that writes go on meanwhile.
    fn run_sync(&mut self, job: L::Sync) {
        if self.syncer.is_none() {
            let (sender, receiver) = mpsc::channel();
            let shared = Arc::clone(&self.shared);
            let spawned = thread::Builder::new()
                .name("weir-sync".to_owned())
                .spawn(move || run_syncs(&shared, &receiver));
            self.syncer = spawned.is_ok().then_some(sender);
        }
        let unsent = match &self.syncer {
            Some(syncer) => syncer.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        if let Some(job) = unsent {
            let result = job.run();
            let _ = self.shared.backlog.send(Event::Synced(job, result));
        }
    }
}

fn run_syncs<L: Log>(shared: &Shared<L>, jobs: &Receiver<L::Sync>) {
    let _fatal = PanicEndsProcess::with(FAILED);
    while let Ok(job) = jobs.recv() {
        let result = job.run();
        if shared.backlog.send(Event::Synced(job, result)).is_err() {
            return;
        }
    }
}

/// What is printed when a thread of the journal panics. Without it nothing would be written any
/// more, not even by a rewrite.
const FAILED: &str = "\
    The journal failed by an error in this program, and the process ends: it could keep nothing \
    that is written from now on. What was acknowledged is in the journal: start the server \
    again, and please report what was logged before this line.";

impl<L: Log> Shared<L> {
    /// Returns whether the journal's thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// Tells everybody when the thread ends: nothing will be released any more. Who has it closed
/// knows.
struct Ended<L: Log> {
    shared: Arc<Shared<L>>,
    was_closed: bool,
}

impl<L: Log> Drop for Ended<L> {
    fn drop(&mut self) {
        let shared = &*self.shared;
        shared.ended.store(true, Ordering::Release);
        shared.backlog.end();
        *shared.replies.lock() = Replies {
            begun: None,
            stored: None,
        };
        let health = Health::Poisoned(ended_early());
        shared.health_kind.store(POISONED, Ordering::Release);
        if shared.health.lock().is_good() {
            shared.health.lock().clone_from(&health);
        }
        if self.was_closed {
            return;
        }
        for listener in &*shared.listeners.lock() {
            listener.health_changed(&health);
        }
    }
}

fn kind_of(health: &Health) -> u8 {
    match health {
        Health::Good => GOOD,
        Health::Slow(_) => SLOW,
        Health::OnReserve(_) => ON_RESERVE,
        Health::Full(_) => FULL,
        Health::Poisoned(_) => POISONED,
        Health::Fenced(_) => FENCED,
    }
}

fn ended_early() -> Fault {
    Fault::new(
        Operation::Write,
        "the log",
        io::Error::other("the journal has ended"),
    )
}

#[cfg(test)]
mod tests;
