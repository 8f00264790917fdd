//! The commit state machine: what the journal does, without threads and without a clock.
//!
//! A driver waits for one [`Event`], applies it, and carries out what the [`Flush`] asks for. The
//! driver of the product is a thread ([`Journal`](crate::Journal)), that of the simulator is a
//! loop. Batches pass four stages, each an LSN that never goes back: submitted, written (survives
//! the process), durable (survives the machine), released. A reply may leave when the LSN that it
//! depends on is released; the [`SyncPolicy`] says what that takes.
//!
//! Four rules. There is one sync at a time (see [`Log::sync_job`]). Bytes leave [`Commit`] in the
//! order in which they came, and only a log that is not trusted drops any, which needs a snapshot
//! of the state after them anyway. While the log is not trusted, nothing is released. If the disk
//! is full, what is held is written before the reserve is made again ([`Room`]).

use std::io;
use std::time::Duration;

use crate::health::{Fault, Health};
use crate::log::{AppendError, Group, Log, LogSize, Pace, SnapshotError, SnapshotSink};
use crate::unwritten::Unwritten;
use batch::{GroupSizes, Lsn};

use self::room::Room;
pub use self::times::Times;

mod room;
mod times;

/// How long the driver has run: a moment, by a clock that never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(Duration);

/// When written batches are made durable: the setting `appendfsync`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before they are released. Whatever arrives during one sync shares the next one.
    #[default]
    Always,
    /// Once a second, or sooner if there are many. They are released when they are written, unless
    /// the last sync is so late that more than [`UNSYNCED_AGE_MAX`] could be lost.
    EverySecond,
    /// When the operating system decides. They are released when they are written.
    Never,
}

/// Oldest batch that may be released without being durable under [`SyncPolicy::EverySecond`];
/// Redis' figure.
pub const UNSYNCED_AGE_MAX: Duration = Duration::from_secs(2);

const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// With this many bytes, a sync begins before its second has passed: a disk that gets a second's
/// worth at once is busy with nothing else meanwhile.
const SYNC_BYTES: u64 = 4 << 20;

/// What producers handed over since the last time.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The batches.
    pub batches: Unwritten,
    /// The LSN of the last of them.
    pub last: Lsn,
    /// Where among them a snapshot begins, if one does.
    pub cut: Option<Cut>,
}

/// The place of a snapshot among the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many of the bytes belong to batches that the snapshot includes.
    pub bytes: usize,
    /// The LSN of the last batch that the snapshot includes.
    pub at: Lsn,
}

/// Everything that can happen to the journal.
pub enum Event<L: Log> {
    /// Producers submitted batches, or asked for a snapshot.
    Gathered(Gathered),
    /// A sync that a [`Flush`] gave out has ended.
    Synced(L::Sync, io::Result<()>),
    /// The snapshot is whole and durable.
    SnapshotWritten(<L::Sink as SnapshotSink>::Snapshot),
    /// There will be no snapshot.
    SnapshotAbandoned,
    /// What a snapshot had made superfluous is gone.
    Trimmed,
    /// The setting changed.
    Policy(SyncPolicy),
    /// The moment that the last [`Flush`] named has come.
    Tick,
    /// Nothing more will be submitted.
    Close,
}

impl<L: Log> Event<L> {
    /// What happened, for a trace.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Gathered(_) => "gathered",
            Event::Synced(..) => "synced",
            Event::SnapshotWritten(_) => "snapshot written",
            Event::SnapshotAbandoned => "snapshot abandoned",
            Event::Trimmed => "trimmed",
            Event::Policy(_) => "policy",
            Event::Tick => "tick",
            Event::Close => "close",
        }
    }
}

/// What the driver has to do after an event.
pub struct Flush<L: Log> {
    /// Run this, anywhere, and report [`Event::Synced`].
    pub sync: Option<L::Sync>,
    /// The answer to a cut: write the snapshot, then report [`Event::SnapshotWritten`] or
    /// [`Event::SnapshotAbandoned`].
    pub snapshot: Option<Result<L::Sink, SnapshotError>>,
    /// The answer to a snapshot that was written: remove this, then report [`Event::Trimmed`].
    pub stored: Option<Result<L::Trimmed, SnapshotError>>,
    /// Batches that are in the log, or will never be. Their memory may be used again.
    pub written: Unwritten,
    /// When to report [`Event::Tick`], if nothing happens before.
    pub wake_at: Option<Elapsed>,
    /// The log was closed; there is nothing more to do.
    pub closed: Option<Result<(), Fault>>,
}

/// How far the batches have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The last batch that survives the end of the process.
    pub written: Lsn,
    /// The last batch that survives a power cut.
    pub durable: Lsn,
    /// The last batch whose reply may leave.
    pub released: Lsn,
}

/// What the journal has done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Groups appended.
    pub groups: u64,
    /// Batches in them.
    pub batches: u64,
    /// How many batches each has.
    pub group_sizes: GroupSizes,
    /// Bytes in them, without annotations.
    pub bytes: u64,
    /// Syncs that succeeded, without those of files that a rewrite makes.
    pub syncs: u64,
    /// How often batches had to wait because a sync was late (Redis' `aof_delayed_fsync`).
    pub delayed_syncs: u64,
}

/// The clock while an event is applied, to measure what the log does meanwhile.
type Clock = Box<dyn Fn() -> Elapsed + Send>;

/// The journal's state.
pub struct Commit<L: Log> {
    log: L,
    policy: SyncPolicy,
    promised: Promised,
    health: Health,
    released: Lsn,
    counters: Counters,
    times: Times,
    clock: Option<Clock>,
    /// What is not appended yet. Empty between events, unless the disk is full or a cut waits for a
    /// sync to end.
    held: Unwritten,
    submitted: Lsn,
    cut: Option<Cut>,
    room: Room,
    sync: SyncState,
    closing: Closing,
    flush: Flush<L>,
}

/// What a policy that asked for more promised of batches that came before it was changed.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    /// Up to here they are synced without a further delay.
    synced: Lsn,
    /// Up to here they are released only when they are durable.
    durable: Lsn,
}

/// The syncs of batches that were appended.
#[derive(Clone, Copy, Debug, Default)]
struct SyncState {
    /// When the oldest batch was appended that no sync covers, finished or running.
    uncovered_since: Option<Elapsed>,
    uncovered_bytes: u64,
    /// The running sync, and when the oldest batch was appended that it covers.
    running: Option<Elapsed>,
    last_started: Elapsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    No,
    Asked,
    Done,
}

impl<L: Log> Commit<L> {
    /// A journal that continues `log`.
    pub fn new(mut log: L, policy: SyncPolicy) -> Self {
        Commit {
            room: Room::of(&mut log),
            policy,
            promised: Promised::default(),
            health: log.fault().cloned().map_or(Health::Good, Health::Poisoned),
            released: log.durable(),
            counters: Counters::default(),
            times: Times::default(),
            clock: None,
            held: Unwritten::default(),
            submitted: log.last(),
            cut: None,
            sync: SyncState::default(),
            closing: Closing::No,
            flush: Flush::nothing(),
            log,
        }
    }

    /// The same, measuring what the log does by this clock. Without a clock, what is done at once
    /// takes no time. No decision depends on it.
    #[must_use]
    pub fn timed_by(mut self, clock: impl Fn() -> Elapsed + Send + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Takes note of an event, and does what follows from it.
    pub fn apply(&mut self, event: Event<L>, now: Elapsed) {
        match event {
            Event::Gathered(gathered) => self.gather(gathered),
            Event::Synced(job, result) => {
                self.sync.running = None;
                if result.is_ok() {
                    self.counters.syncs += 1;
                    let took = now.since(self.sync.last_started);
                    self.times.note_background_sync(took);
                }
                if let Err(fault) = self.log.synced(job, result) {
                    self.poison(fault);
                }
            }
            // It is of a state that the log does not have.
            Event::SnapshotWritten(_) if matches!(self.health, Health::Fenced(_)) => {
                self.give_snapshot_up();
                self.flush.stored = Some(Err(SnapshotError::GivenUp));
            }
            Event::SnapshotWritten(snapshot) => {
                let result = self.log.put_snapshot(snapshot);
                match &result {
                    Ok(_) => self.snapshot_put(),
                    Err(_) => self.give_snapshot_up(),
                }
                self.flush.stored = Some(result);
                self.follow_trust();
            }
            Event::SnapshotAbandoned => self.give_snapshot_up(),
            Event::Trimmed => {
                self.log.trimmed();
                self.follow_trust();
                self.room.snapshot_ended();
            }
            Event::Policy(policy) => self.change_policy(policy),
            Event::Tick => {}
            Event::Close => {
                if self.closing == Closing::No {
                    self.closing = Closing::Asked;
                    self.room.retry_at = None;
                }
            }
        }
        self.append_held(now);
        self.sync_as_due(now);
        self.release(now);
        self.make_reserve(now);
        self.close_if_asked();
    }

    /// What the driver has to do now.
    pub fn flush(&mut self) -> Flush<L> {
        let mut flush = std::mem::replace(&mut self.flush, Flush::nothing());
        let due = [
            self.room.retry_at,
            self.next_sync(),
            self.next_look_for_room(),
        ];
        flush.wake_at = due.into_iter().flatten().min();
        flush
    }

    /// Returns how far the batches have come.
    pub fn position(&self) -> Position {
        Position {
            written: self.log.last(),
            durable: self.log.durable(),
            released: self.released,
        }
    }

    /// Returns whether the log takes writes.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns whether a sync runs that a [`Flush`] gave out.
    pub fn is_syncing(&self) -> bool {
        self.sync.running.is_some()
    }

    /// Adds to `times` what was measured since the last time.
    pub fn move_times(&mut self, times: &mut Times) {
        times.take_from(&mut self.times);
    }

    /// The size of the log.
    pub fn size(&self) -> LogSize {
        self.log.size()
    }

    /// The log itself.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// What was submitted before keeps what it was promised.
    fn change_policy(&mut self, policy: SyncPolicy) {
        match self.policy {
            SyncPolicy::Always => {
                self.promised.synced = self.submitted;
                self.promised.durable = self.submitted;
            }
            SyncPolicy::EverySecond => self.promised.synced = self.submitted,
            SyncPolicy::Never => {}
        }
        self.policy = policy;
    }

    fn gather(&mut self, gathered: Gathered) {
        assert!(gathered.last >= self.submitted, "LSNs never go back");
        let before = self.held.len();
        self.held.take_over(gathered.batches);
        self.submitted = gathered.last.max(self.submitted);
        match gathered.cut {
            Some(_) if self.cut.is_some() => {
                self.flush.snapshot = Some(Err(SnapshotError::InProgress));
            }
            Some(cut) => {
                self.cut = Some(Cut {
                    bytes: before + cut.bytes,
                    at: cut.at,
                })
            }
            None => {}
        }
    }

    /// Appends what is held: up to the cut, then, in the new increment, the rest.
    fn append_held(&mut self, now: Elapsed) {
        if let Health::Fenced(fault) = &self.health {
            if self.cut.take().is_some() {
                self.flush.snapshot = Some(Err(SnapshotError::Failed(fault.clone())));
            }
            self.drop_held();
            return;
        }
        while !self.room.is_behind_snapshot()
            && let Some(cut) = self.cut
        {
            let is_appended = self.append(cut.bytes, cut.at, now);
            if !is_appended && let Health::Poisoned(fault) = &self.health {
                self.flush.snapshot = Some(Err(SnapshotError::Full(fault.clone())));
                self.cut = None;
                return;
            }
            let bytes = if is_appended { 0 } else { cut.bytes };
            self.cut = Some(Cut { bytes, at: cut.at });
            if self.sync.running.is_some() {
                return;
            }
            self.cut = None;
            let begun = self.begin_snapshot(cut.at);
            if begun.is_ok() {
                self.room
                    .snapshot_begun((!is_appended).then_some(cut.bytes));
            }
            if begun.is_ok() && is_appended {
                // Everything before the cut was synced on the way, or will be covered by the
                // snapshot.
                self.sync.uncovered_since = None;
                self.sync.uncovered_bytes = 0;
            }
            self.flush.snapshot = Some(begun);
            self.follow_trust();
            if !is_appended {
                return;
            }
        }
        if !self.room.is_behind_snapshot() {
            self.append(self.held.len(), self.submitted, now);
        }
    }

    /// Appends the first `len` bytes of what is held; false if they must wait.
    fn append(&mut self, len: usize, last: Lsn, now: Elapsed) -> bool {
        if self.room.retry_at.is_some_and(|at| now < at) {
            return false;
        }
        self.room.retry_at = None;
        let first = self.log.last();
        if last > first {
            let inline = self.policy == SyncPolicy::Always && self.sync.running.is_none();
            // Nothing is written ahead if there is hardly room for what must be written.
            let pace = if inline && self.health.is_good() {
                Pace::SyncNext
            } else {
                Pace::SyncLater
            };
            let pieces = self.held.front(len);
            let pieces = pieces.as_slice();
            let begun = self.time(now);
            let mut appended = self.log.append(first, Group { pieces, last, pace });
            if let Err(AppendError::Full(fault)) = &appended
                && self.log.spend_reserve()
            {
                self.room.is_spent = true;
                if self.health.is_good() {
                    tracing::warn!(%fault, "the disk is full: the journal goes on in its reserve");
                    self.health = Health::OnReserve(fault.clone());
                }
                let pace = Pace::SyncLater;
                appended = self.log.append(first, Group { pieces, last, pace });
            }
            match appended {
                Ok(()) => {
                    self.counters.groups += 1;
                    let took = self.time(now).since(begun);
                    self.times.note_write(took);
                    self.counters.batches += last.since(first);
                    self.counters.group_sizes.note(last.since(first));
                    self.counters.bytes += len as u64;
                    self.sync.uncovered_since.get_or_insert(now);
                    self.sync.uncovered_bytes += len as u64;
                    self.wrote_again();
                }
                Err(AppendError::Full(fault)) => {
                    self.is_full(fault, now);
                    return false;
                }
                Err(AppendError::Failed(fault)) => self.poison(fault),
                Err(AppendError::Fenced(fault)) => self.fence(fault),
            }
        } else {
            assert!(len == 0, "batches without a number of their own");
        }
        let written = self.held.split_front(len);
        self.flush.written.take_over(written);
        true
    }

    fn sync_as_due(&mut self, now: Elapsed) {
        let Some(due) = self.next_sync().filter(|&due| due <= now) else {
            return;
        };
        debug_assert!(self.sync.running.is_none() && due <= now);
        let oldest = self.sync.uncovered_since.take();
        self.sync.uncovered_bytes = 0;
        self.sync.last_started = now;
        if self.policy == SyncPolicy::EverySecond {
            self.sync.running = oldest;
            self.flush.sync = Some(self.log.sync_job());
            return;
        }
        let begun = self.time(now);
        match self.log.sync() {
            Ok(_) => {
                self.counters.syncs += 1;
                let took = self.time(now).since(begun);
                self.times.note_sync(took);
            }
            Err(fault) => self.poison(fault),
        }
    }

    /// The time by the clock; without one, that of the event.
    fn time(&self, now: Elapsed) -> Elapsed {
        self.clock.as_ref().map_or(now, |clock| clock())
    }

    /// When the next sync has to begin.
    fn next_sync(&self) -> Option<Elapsed> {
        if self.sync.uncovered_since.is_none() || self.sync.running.is_some() {
            return None;
        }
        if self.log.durable() < self.promised.synced {
            return Some(Elapsed::default());
        }
        match self.policy {
            SyncPolicy::Always => Some(Elapsed::default()),
            SyncPolicy::EverySecond if self.sync.uncovered_bytes >= SYNC_BYTES => {
                Some(Elapsed::default())
            }
            SyncPolicy::EverySecond => Some(self.sync.last_started.plus(SYNC_INTERVAL)),
            SyncPolicy::Never => None,
        }
    }

    fn release(&mut self, now: Elapsed) {
        if matches!(self.health, Health::Poisoned(_) | Health::Fenced(_)) {
            return;
        }
        let oldest = self.sync.running.or(self.sync.uncovered_since);
        let late = oldest.is_some_and(|since| now >= since.plus(UNSYNCED_AGE_MAX));
        let is_promised = self.log.durable() < self.promised.durable;
        let released = match self.policy {
            SyncPolicy::EverySecond | SyncPolicy::Never if is_promised => self.log.durable(),
            SyncPolicy::EverySecond if !late => self.log.last(),
            SyncPolicy::Never => self.log.last(),
            SyncPolicy::EverySecond => {
                self.counters.delayed_syncs += u64::from(self.log.last() > self.released);
                self.log.durable()
            }
            SyncPolicy::Always => self.log.durable(),
        };
        self.released = self.released.max(released);
    }

    fn close_if_asked(&mut self) {
        if self.closing != Closing::Asked || self.sync.running.is_some() {
            return;
        }
        self.closing = Closing::Done;
        let result = match &self.health {
            Health::Good | Health::Slow(_) | Health::OnReserve(_) => self.log.close(),
            Health::Full(fault) | Health::Poisoned(fault) | Health::Fenced(fault) => {
                Err(fault.clone())
            }
        };
        if result.is_ok() {
            self.released = self.released.max(self.log.durable());
        }
        self.follow_trust();
        self.flush.closed = Some(result);
    }

    /// Brings the health in line with what the log says of itself.
    fn follow_trust(&mut self) {
        if matches!(self.health, Health::Fenced(_)) {
            return;
        }
        let poisoned = matches!(self.health, Health::Poisoned(_));
        match self.log.fault().cloned() {
            Some(fault) if !poisoned => self.poison(fault),
            None if poisoned => {
                tracing::info!("the log has a new base and is trusted");
                self.health = Health::Good;
            }
            Some(_) | None => {}
        }
    }

    /// Memory is not what the log has, and what memory wants to add is nothing that it may have.
    fn fence(&mut self, fault: Fault) {
        tracing::error!(%fault, "the journal has another writer: the data has to be loaded again");
        self.health = Health::Fenced(fault);
        self.sync.uncovered_since = None;
        self.sync.uncovered_bytes = 0;
    }

    fn drop_held(&mut self) {
        let dropped = self.held.split_front(self.held.len());
        self.flush.written.take_over(dropped);
    }

    fn poison(&mut self, fault: Fault) {
        if !matches!(self.health, Health::Poisoned(_) | Health::Fenced(_)) {
            tracing::error!(%fault, "the log is not trusted: writes are refused until a rewrite");
            self.health = Health::Poisoned(fault);
        }
        self.sync.uncovered_since = None;
        self.sync.uncovered_bytes = 0;
    }
}

impl<L: Log> Flush<L> {
    fn nothing() -> Self {
        Flush {
            sync: None,
            snapshot: None,
            stored: None,
            written: Unwritten::default(),
            wake_at: None,
            closed: None,
        }
    }
}

impl Elapsed {
    /// The moment that lies this long after the beginning.
    pub const fn new(since: Duration) -> Self {
        Elapsed(since)
    }

    /// The moment that lies `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Elapsed(self.0.saturating_add(duration))
    }

    /// Returns how long it is from `earlier` to here; zero where `earlier` is not earlier.
    pub fn since(self, earlier: Elapsed) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests;
