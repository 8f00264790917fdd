//! Work on threads of its own: snapshots and rewrites of the journal. What has ended is noted here, and the
//! timer tells the engine.

use engine::session::SessionId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Work that has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// A snapshot, and who waits for it.
    Snapshot {
        waiting: Option<SessionId>,
        result: Result<u64, String>,
        /// Changes made when it was begun.
        changes: u64,
    },
    /// A rewrite of the journal.
    Rewrite(Result<u64, String>),
}

/// What has ended since somebody looked.
#[derive(Debug, Default)]
pub(crate) struct Background {
    ended: Mutex<Vec<Ended>>,
    bell: Notify,
}

impl Background {
    /// Notes that work has ended.
    pub(crate) fn note(&self, ended: Ended) {
        self.ended.lock().push(ended);
        self.bell.notify_one();
    }

    /// Takes what has ended.
    pub(crate) fn collect(&self) -> Vec<Ended> {
        std::mem::take(&mut *self.ended.lock())
    }

    /// Waits until something may have ended.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}
