//! Work on its own threads: snapshots and rewrites of the journal. Work that has ended is noted
//! here, and the timer tells the engine.

use std::io;
use std::sync::Arc;
use std::thread;

use engine::clients::session::SessionId;
use engine::error::CmdError;
use parking_lot::Mutex;
use rustix::process::{getpriority_process, setpriority_process};
use wakeup::Alarm;

use crate::snapshot::Progress;

/// Work that has ended.
#[derive(Debug)]
pub enum Ended {
    /// A snapshot, and who waits for it.
    Snapshot {
        /// Who waits.
        waiting: Option<SessionId>,
        /// How many bytes it has.
        result: Result<u64, String>,
        /// Changes made when it was begun.
        changes: u64,
    },
    /// A rewrite of the journal.
    Rewrite(Result<u64, String>),
    /// Work whose result only the waiting client gets.
    Answer {
        /// Who waits.
        waiting: SessionId,
        /// What it is told.
        result: Result<(), CmdError>,
    },
}

/// The progress of running work, and what has ended since the last look.
#[derive(Debug)]
pub struct Background {
    /// Of the snapshot, if one is being written.
    pub snapshot: Progress,
    /// Of the journal's new base, if it is being rewritten.
    pub rewrite: Progress,
    ended: Mutex<Vec<Ended>>,
    /// Wakes the timer, which looks at what has ended.
    alarm: Arc<Alarm>,
}

impl Background {
    /// Nothing runs.
    pub fn new(alarm: Arc<Alarm>) -> Background {
        Background {
            snapshot: Progress::default(),
            rewrite: Progress::default(),
            ended: Mutex::default(),
            alarm,
        }
    }

    /// Notes that work has ended.
    pub fn note(&self, ended: Ended) {
        self.ended.lock().push(ended);
        self.alarm.ring();
    }

    /// Takes what has ended.
    pub fn collect(&self) -> Vec<Ended> {
        std::mem::take(&mut *self.ended.lock())
    }
}

/// How much lower the priority of background work is (`nice`): if there are not enough cores,
/// clients are served first.
const NICENESS: i32 = 15;

/// Runs work on a separate thread, with a lower priority than those that serve clients.
///
/// # Errors
/// What the system says if it cannot start a thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let yielding = move || {
        // On Linux this is the priority of this thread. If it cannot be set, the work is done all
        // the same.
        if let Ok(priority) = getpriority_process(None) {
            setpriority_process(None, priority.saturating_add(NICENESS)).ok();
        }
        work();
    };
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(yielding);
    spawned.map(drop)
}
