//! Snapshots of the group: this server makes one when it is due, trims the log behind them, and
//! begins with one.
//!
//! A thread looks after the place where they are kept, every few seconds. If a snapshot is due, it
//! wants a [`View`] of the data. Only between two steps of the driver do the engine and the
//! position in the log belong together, so the [`Member`](super::Member) takes the view there; that
//! copies nothing. Another thread, of lower priority, writes it and reads it back.
//!
//! Nothing here ends the service. What goes wrong is logged and shown by `INFO`, and tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use cluster::{Driver, ServiceConfig, SnapshotStore, Standing, StoreError};
use engine::server::LogSnapshotFigures;
use engine::store::keyspace::Frozen;
use engine::{Engine, Now};
use journal::contained;
use parking_lot::Mutex;
use persistence::background;
use persistence::snapshot::Progress;
use replication::{Mark, NodeId, Position, Seq, Snapshots};

use crate::shard::Shard;

/// How often the place is looked at, and how often a node says there how far it has read.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How soon the place is looked at again while this node does not know where in the log it is.
const LOOK_SOON: Duration = Duration::from_secs(1);

/// After how much silence a node is not waited for when the log is trimmed.
const SILENT_AFTER: Duration = Duration::from_secs(30);

/// How long after a failed snapshot the next one is not begun.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The pause between two attempts to load a snapshot that is needed.
const LOAD_PAUSE: Duration = Duration::from_secs(1);

/// What the threads of this server share about the snapshots of its group.
pub(super) struct GroupSnapshots {
    store: Box<dyn SnapshotStore>,
    /// A view is to be taken.
    is_wanted: AtomicBool,
    /// The last record of the snapshot that is being loaded, or [`NONE`]: this node has read that
    /// far, whatever its driver says.
    loading: AtomicU64,
    /// The nodes that were heard of late.
    heard: Mutex<Vec<NodeId>>,
    /// The server leaves the group: nothing is waited for any more.
    leaves: AtomicBool,
    news: Sender<News>,
}

const NONE: u64 = u64::MAX;

/// What the data were at a position of the log.
pub(super) struct View {
    pub(super) frozen: Frozen,
    pub(super) at: Position,
    /// An engine to load the snapshot into, to compare.
    pub(super) empty: Engine,
    pub(super) now: Now,
}

/// What the thread that looks after the place is told.
enum News {
    View(Box<View>),
    Made {
        at: Seq,
        /// The size in bytes.
        result: io::Result<u64>,
        took: Duration,
    },
    Stop,
}

impl GroupSnapshots {
    /// The snapshots at a place; [`look_after`] is to be called with what else is returned.
    pub(super) fn new(store: Box<dyn SnapshotStore>) -> (Arc<GroupSnapshots>, Errands) {
        let (news, told) = mpsc::channel();
        let snapshots = Arc::new(GroupSnapshots {
            store,
            is_wanted: AtomicBool::new(false),
            loading: AtomicU64::new(NONE),
            heard: Mutex::default(),
            leaves: AtomicBool::new(false),
            news,
        });
        (snapshots, Errands(told))
    }

    /// Whether a view is to be taken now.
    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    /// Hands in a view that was wanted.
    pub(super) fn hand_in(&self, view: View) {
        self.is_wanted.store(false, Ordering::Relaxed);
        // If the thread is gone, the server stops.
        self.news.send(News::View(Box::new(view))).ok();
    }

    /// Takes note of the nodes that were heard of late.
    pub(super) fn note_heard(&self, nodes: Vec<NodeId>) {
        *self.heard.lock() = nodes;
    }

    /// The driver follows from where the snapshot was.
    pub(super) fn note_followed(&self) {
        self.loading.store(NONE, Ordering::Relaxed);
    }

    /// Where the oldest snapshot is that a log which begins at `first` follows. `None` if there is
    /// none, or the place cannot be read.
    pub(super) fn beginning_of(&self, first: Seq) -> Option<Position> {
        let mut found = self.store.snapshots().ok()?;
        let mut oldest = None;
        while let Some(seq) = found.newest().filter(|seq| seq.next() >= first) {
            oldest = Some(seq);
            found = found.without(seq);
        }
        self.store.position(oldest?).ok()
    }

    /// Ends the thread, and whoever waits for a snapshot.
    pub(super) fn leave(&self) {
        self.leaves.store(true, Ordering::Relaxed);
        self.news.send(News::Stop).ok();
    }

    /// Loads the snapshot that a node with this mark begins with: an older one if that cannot be
    /// loaded. `None` if there is none.
    ///
    /// # Errors
    /// The place cannot be read.
    pub(super) fn load(
        &self,
        shard: &Shard,
        mark: Option<Mark>,
    ) -> Result<Option<(Engine, Position)>, StoreError> {
        let mut found = self.store.snapshots()?;
        while let Some(seq) = found.beginning(mark) {
            self.loading.store(seq.0, Ordering::Relaxed);
            let begun = Instant::now();
            let now = shard.clock.now();
            let mut engine = shard.lock().engine.empty_like(now);
            match self.store.take(seq, &mut engine, now) {
                Ok(at) => {
                    let took = begun.elapsed();
                    tracing::info!(seq = seq.0, ?took, "loaded a snapshot of the group");
                    return Ok(Some((engine, at)));
                }
                Err(error) => {
                    tracing::error!(%error, "a snapshot of the group is not used");
                    found = found.without(seq);
                }
            }
        }
        Ok(None)
    }

    /// The same for a node that finds that the log begins at `first` only. Tries until there is
    /// such a snapshot; `None` if the server stops.
    pub(super) fn load_from(&self, shard: &Shard, first: Seq) -> Option<(Engine, Position)> {
        let mut complaint = String::new();
        while !self.leaves.load(Ordering::Relaxed) {
            let error = match self.load(shard, None) {
                Ok(Some((engine, at))) if at.seq.next() >= first => return Some((engine, at)),
                Ok(_) => format!("there is none that the log follows, which begins at {first}"),
                Err(error) => error.to_string(),
            };
            if error != complaint {
                tracing::error!(error, "this node waits for a snapshot of the group");
                complaint = error;
            }
            thread::sleep(LOAD_PAUSE);
        }
        None
    }
}

impl fmt::Debug for GroupSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSnapshots").finish_non_exhaustive()
    }
}

/// What the thread of [`look_after`] is told.
pub(super) struct Errands(Receiver<News>);

/// Looks after the place on a thread of its own, until the server leaves the group.
///
/// # Errors
/// The system gives no thread.
pub(super) fn look_after(
    shard: &Arc<Shard>,
    snapshots: Arc<GroupSnapshots>,
    errands: Errands,
    service: ServiceConfig,
    (records, id): (u64, NodeId),
) -> io::Result<()> {
    let keeper = Keeper {
        shard: Arc::clone(shard),
        snapshots,
        service,
        records,
        id,
        look_at: Instant::now(),
        is_making: false,
        rests_until: None,
        is_trim_due: true,
        unseen_since: None,
        figures: LogSnapshotFigures::default(),
        complaints: Complaints::default(),
    };
    keeper.tell();
    let thread = thread::Builder::new().name("weir-snapshots".to_owned());
    // Nobody waits for its end: the place may not answer.
    let spawned = thread.spawn(move || keeper.run(&errands.0));
    spawned.map(drop)
}

/// The thread that looks after the place.
struct Keeper {
    shard: Arc<Shard>,
    snapshots: Arc<GroupSnapshots>,
    service: ServiceConfig,
    records: u64,
    id: NodeId,
    /// When the place is looked at next.
    look_at: Instant,
    is_making: bool,
    /// Until when no other snapshot is begun after one that failed.
    rests_until: Option<Instant>,
    /// The log may have records that the older snapshot has.
    is_trim_due: bool,
    /// Since when a node is heard of that is not seen at the place.
    unseen_since: Option<Instant>,
    figures: LogSnapshotFigures,
    complaints: Complaints,
}

/// What went wrong last and has not gone well since.
#[derive(Default)]
struct Complaints {
    place: Option<String>,
    making: Option<String>,
    trimming: Option<String>,
}

impl Keeper {
    fn run(mut self, told: &Receiver<News>) {
        loop {
            let wait = self.look_at.saturating_duration_since(Instant::now());
            match told.recv_timeout(wait) {
                Ok(News::View(view)) => self.make(*view),
                Ok(News::Made { at, result, took }) => self.made(at, result, took),
                Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= self.look_at {
                self.look_at = Instant::now() + LOOK_EVERY;
                let looked = self.look().map_err(|error| error.to_string());
                complain(&mut self.complaints.place, looked.err());
            }
            self.tell();
        }
    }

    /// Says how far this node has read, and begins what is due.
    fn look(&mut self) -> Result<(), StoreError> {
        let standing = self
            .shard
            .group
            .driver
            .lock()
            .as_ref()
            .map(Driver::standing);
        let at = standing.as_ref().map(|standing| standing.position);
        let read = match self.snapshots.loading.load(Ordering::Relaxed) {
            NONE => at.map(|at| at.seq),
            loading => Some(Seq(loading)),
        };
        let store = &self.snapshots.store;
        match read {
            Some(read) => store.say_read(read)?,
            None => self.look_at = Instant::now() + LOOK_SOON,
        }
        let found = store.snapshots()?;
        self.figures.newest_seq = found.newest().unwrap_or_default().0;
        let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
        let is_due = at.is_some_and(|at| found.is_due(&at, self.records, self.id));
        let is_wanted = is_due && !rests && !self.is_making;
        self.snapshots.is_wanted.store(is_wanted, Ordering::Relaxed);
        if self.is_trim_due && standing.as_ref().is_some_and(Standing::has_read_all) {
            let trimmed = self.trim(&found);
            complain(&mut self.complaints.trimming, trimmed.err());
        }
        Ok(())
    }

    fn make(&mut self, view: View) {
        self.is_making = true;
        let (snapshots, begun) = (Arc::clone(&self.snapshots), Instant::now());
        let at = view.at.seq;
        let write = move || {
            let result = contained(|| keep(&*snapshots.store, view));
            let took = begun.elapsed();
            snapshots.news.send(News::Made { at, result, took }).ok();
        };
        if let Err(error) = background::spawn("weir-snapshot", write) {
            self.made(at, Err(error), Duration::ZERO);
        }
    }

    fn made(&mut self, at: Seq, result: io::Result<u64>, took: Duration) {
        self.is_making = false;
        if let Ok(bytes) = &result {
            tracing::info!(seq = at.0, bytes, ?took, "made a snapshot of the group");
            self.figures.made += 1;
            self.figures.newest_seq = self.figures.newest_seq.max(at.0);
            self.figures.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            self.is_trim_due = true;
            // The log is trimmed now.
            self.look_at = Instant::now();
        } else {
            self.rests_until = Some(Instant::now() + RETRY_AFTER);
        }
        let error = result.err().map(|error| error.to_string());
        complain(&mut self.complaints.making, error);
    }

    /// Trims the log behind the older snapshot, as far as everybody has read that is there.
    fn trim(&mut self, found: &Snapshots) -> Result<(), String> {
        let Some(oldest) = found.oldest_kept() else {
            self.is_trim_due = false;
            return Ok(());
        };
        let store = &self.snapshots.store;
        let live = store.live(SILENT_AFTER).map_err(|it| it.to_string())?;
        let is_seen = |id: &NodeId| live.iter().any(|(seen, _)| seen == id);
        let unseen = self
            .snapshots
            .heard
            .lock()
            .iter()
            .copied()
            .find(|id| !is_seen(id));
        if let Some(NodeId(id)) = unseen {
            // It may have just begun.
            let since = *self.unseen_since.get_or_insert_with(Instant::now);
            return match since.elapsed() < SILENT_AFTER {
                true => Ok(()),
                false => Err(format!(
                    "the log is not trimmed: node {id} does not say where the snapshots are how \
                     far it has read; log-snapshots must name the same place on all servers"
                )),
            };
        }
        self.unseen_since = None;
        let Some(first) = found.trim_to(live.iter().map(|(_, seq)| *seq)) else {
            return Ok(());
        };
        let behind = store.position(oldest).map_err(|it| it.to_string())?;
        let first = cluster::trim(&self.service, &behind, first).map_err(|it| it.to_string())?;
        self.figures.trimmed_to = first.0;
        store.clean_up().map_err(|it| it.to_string())?;
        // A node that lags behind is waited for.
        self.is_trim_due = first <= oldest;
        Ok(())
    }

    /// Lets `INFO` show how it is.
    fn tell(&self) {
        let Complaints {
            place,
            making,
            trimming,
        } = &self.complaints;
        let error = [place, making, trimming].into_iter().flatten().next();
        let figures = LogSnapshotFigures {
            is_making: self.is_making,
            // A line of INFO is one line.
            error: error.map_or_else(String::new, |error| error.replace(['\r', '\n'], " ")),
            ..self.figures.clone()
        };
        self.shard.lock().engine.server.shell.log_snapshots = Some(figures);
    }
}

/// Keeps a view as a snapshot that counts.
fn keep(store: &dyn SnapshotStore, view: View) -> io::Result<u64> {
    let View {
        frozen,
        at,
        empty,
        now,
    } = view;
    let kept = store.keep(&frozen, &at, empty, now, &Progress::default());
    kept.map_err(io::Error::other)
}

/// Logs what went wrong, once.
fn complain(about: &mut Option<String>, error: Option<String>) {
    if let Some(error) = &error
        && about.as_ref() != Some(error)
    {
        tracing::error!(error, "the snapshots of the group");
    }
    *about = error;
}
