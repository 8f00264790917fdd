//! This server as one node of a group that shares a log (`log`): how it joins, and how it leaves.
//!
//! The driver of the log has a thread of its own (`shell/cluster`), and calls the [`Member`], which
//! brings the shard to what it says: a follower that applies what is in the log, or a leader that
//! executes. Clients are served by the same code as without a group; they wait for the
//! [`SharedLog`] as they would for a journal.

mod guard;
mod hand_over;
mod member;
mod node_file;
mod snapshots;
mod view;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cluster::{Driver, DriverConfig, Halt, ServiceConfig, SnapshotFolder, StartError, steady_now};
use engine::config::LogSnapshots;
use engine::topology;
use parking_lot::Mutex;
use persistence::SharedLog;
use replication::{NodeId, Settings};

use crate::memory::{Allocator, Meter};
use crate::shard::Shard;

use self::member::Member;
use self::node_file::NodeFile;
use self::snapshots::GroupSnapshots;
use self::view::View;

pub use self::node_file::NodeFileError;

/// What a server joins a group with.
#[derive(Debug, Clone)]
pub struct GroupConfig {
    /// The log that the group shares.
    pub service: ServiceConfig,
    /// How long what may take.
    pub settings: Settings,
    /// Where clients reach this server, as `HOST:PORT`: other nodes send them there.
    pub announce: String,
    /// The file in which this node keeps who it is and what it has seen of the log.
    pub file: PathBuf,
    /// The version that other nodes are told.
    pub version: String,
    /// Which snapshots are made; none if no place is named for them.
    pub snapshots: Option<LogSnapshots>,
    /// How many bytes of the log a follower reads again, each second, in the background; 0: none.
    pub verify_bytes_per_s: u64,
}

/// Why a server is no member of its group.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// This node does not know who it is.
    #[error(transparent)]
    File(#[from] NodeFileError),
    /// The log cannot be opened.
    #[error("the log cannot be opened: {0}")]
    Start(#[from] StartError),
    /// The system gives no thread.
    #[error("no thread can be started: {0}")]
    System(#[from] io::Error),
    /// The log or the state is not what it must be.
    #[error("this server serves nobody: {0}")]
    Halted(Halt),
    /// The server was told to stop.
    #[error("the server stops")]
    Stopped,
}

/// How often a node keeps what it has seen of the log, if that is more than before.
const MARK_EVERY: Duration = Duration::from_secs(1);

/// A server in its group, until it leaves.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// None before the log is open, and after the server has left.
    driver: Mutex<Option<Driver>>,
    marks: Mutex<Option<Worker<()>>>,
    hand_overs: Mutex<Option<Worker<NodeId>>>,
    /// Who could take the lead over, the best one first; of a leader only.
    successors: Mutex<Vec<Successor>>,
    snapshots: OnceLock<Arc<GroupSnapshots>>,
    halted: OnceLock<Halt>,
    /// The server leaves: nothing is looked after any more.
    leaves: AtomicBool,
}

/// Who could take the lead over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    /// How the log knows it.
    id: NodeId,
    /// How clients know it.
    name: topology::NodeId,
}

/// A thread that is asked for something now and then. It ends when nobody can ask any more.
#[derive(Debug)]
struct Worker<T> {
    orders: mpsc::Sender<T>,
    thread: JoinHandle<()>,
}

impl<T: Send + 'static> Worker<T> {
    fn start(
        name: &str,
        work: impl FnOnce(mpsc::Receiver<T>) + Send + 'static,
    ) -> io::Result<Worker<T>> {
        let (orders, asked) = mpsc::channel();
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || work(asked))?;
        Ok(Worker { orders, thread })
    }

    /// Returns whether the thread is there to do it.
    fn ask(&self, order: T) -> bool {
        self.orders.send(order).is_ok()
    }

    fn end(self) {
        let Worker { orders, thread } = self;
        let name = thread.thread().name().unwrap_or_default().to_owned();
        drop(orders);
        if thread.join().is_err() {
            tracing::error!(name, "a thread has panicked");
        }
    }
}

impl Shard {
    /// The same shard, whose log several servers share. [`Shard::join`] opens it.
    #[must_use]
    pub fn in_group(self) -> Shard {
        let log = SharedLog::new(|| steady_now().0);
        self.journal.share(Arc::new(log));
        self
    }

    /// Opens the log, and follows it until all that is there was applied, or this server leads.
    ///
    /// # Errors
    /// [`JoinError`]
    pub fn join(
        self: &Arc<Shard>,
        config: GroupConfig,
        allocator: Allocator,
    ) -> Result<(), JoinError> {
        let log = self.journal.shared().ok_or(JoinError::Stopped)?;
        let file = NodeFile::open(&config.file, &config.service.group)?;
        let (id, mark) = (file.id(), file.mark());
        let (joined, has_joined) = mpsc::channel();
        let view = View::new(config.service.group.to_string(), id, &config.announce);
        let greeting = view.greeting();
        let snapshots = self.open_snapshots(&config, id)?;
        let log = (log, view);
        let guarded = (config.service.clone(), config.verify_bytes_per_s);
        let mut member = Member::new(Arc::clone(self), log, mark, snapshots, allocator, joined);
        let beginning = member.begin();
        let config = DriverConfig {
            service: config.service,
            settings: config.settings,
            id,
            greeting,
            version: config.version,
        };
        let driver = Driver::start(config, beginning, member)?;
        *self.group.driver.lock() = Some(driver);
        self.keep_marks(file)?;
        guard::begin(self, guarded)?;
        let shard = Arc::clone(self);
        let hand_overs = Worker::start("weir-hand-over", move |asked| {
            hand_over::run(&shard, &asked, Meter::new(allocator));
        })?;
        *self.group.hand_overs.lock() = Some(hand_overs);
        match has_joined.recv() {
            Ok(()) => Ok(()),
            // The member is gone.
            Err(_) => Err(self
                .why_halted()
                .map_or(JoinError::Stopped, JoinError::Halted)),
        }
    }

    /// Leaves the group: hands the lead over if this server has it and another one can take it, and
    /// ends the driver. Nothing becomes durable after that.
    pub(crate) fn leave(&self, allocator: Allocator) {
        if self.journal.shared().is_none() {
            return;
        }
        self.group.leaves.store(true, Ordering::Relaxed);
        if let Some(snapshots) = self.group.snapshots.get() {
            snapshots.leave();
        }
        self.hand_over_before_stop(&mut Meter::new(allocator));
        // Not under the lock of the slot: the thread may have much to do before it ends.
        let driver = self.group.driver.lock().take();
        drop(driver);
        let marks = self.group.marks.lock().take();
        let hand_overs = self.group.hand_overs.lock().take();
        if let Some(marks) = marks {
            marks.end();
        }
        if let Some(hand_overs) = hand_overs {
            hand_overs.end();
        }
    }

    /// Serves nobody any more, and has the server end.
    fn halt(&self, why: Halt) {
        if let Some(log) = self.journal.shared() {
            log.be_silent();
        }
        self.group.halted.get_or_init(|| why);
        self.end();
    }

    /// Why this server serves nobody any more, if that is so.
    pub(crate) fn why_halted(&self) -> Option<Halt> {
        self.group.halted.get().cloned()
    }

    /// Looks after the snapshots of the group from now on, if a place is named for them.
    fn open_snapshots(
        self: &Arc<Shard>,
        config: &GroupConfig,
        id: NodeId,
    ) -> io::Result<Option<Arc<GroupSnapshots>>> {
        let Some(LogSnapshots { folder, records }) = &config.snapshots else {
            return Ok(None);
        };
        let service = config.service.clone();
        let store = SnapshotFolder::new(folder, service.group.clone(), id);
        if let Err(error) = store.remove_unfinished() {
            tracing::warn!(%error, "an unfinished snapshot is left");
        }
        let (snapshots, errands) = GroupSnapshots::new(Box::new(store));
        let snapshots = Arc::clone(self.group.snapshots.get_or_init(|| snapshots));
        let looked = Arc::clone(&snapshots);
        snapshots::look_after(self, looked, errands, service, (*records, id))?;
        Ok(Some(snapshots))
    }

    /// Keeps from now on what this node has seen of the log, on a thread of its own: nothing else
    /// waits for that disk.
    fn keep_marks(self: &Arc<Shard>, mut file: NodeFile) -> io::Result<()> {
        let shard = Arc::clone(self);
        let keep = move |stopped: mpsc::Receiver<()>| {
            loop {
                let is_last = stopped.recv_timeout(MARK_EVERY) != Err(RecvTimeoutError::Timeout);
                let standing = shard.group.driver.lock().as_ref().map(Driver::standing);
                if let Some(standing) = standing
                    && let Err(error) = file.keep(standing.mark)
                {
                    tracing::warn!(%error, "how far the log was read cannot be kept");
                }
                if is_last {
                    return;
                }
            }
        };
        *self.group.marks.lock() = Some(Worker::start("weir-marks", keep)?);
        Ok(())
    }
}

/// A number that no other node of the group has.
fn new_id() -> io::Result<NodeId> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::from)?;
    Ok(NodeId(u64::from_le_bytes(bytes)))
}
