//! The log is looked after in the background, and what comes of that.
//!
//! An alarm is logged and shown by `INFO`. A log that is not what it must be ends the server, as if
//! it had been read in passing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use cluster::{Driver, Halt, ServiceConfig, Ward};
use engine::server::LogGuardFigures;
use replication::{Position, Seq, Status, Stop};

use crate::shard::Shard;

/// Looks after the log on a thread of its own, until the server leaves the group.
///
/// # Errors
/// The system gives no thread.
pub(super) fn begin(shard: &Arc<Shard>, watched: (ServiceConfig, u64)) -> io::Result<()> {
    let guard = Guard(Arc::clone(shard));
    let (config, bytes_per_s) = watched;
    let thread = thread::Builder::new().name("weir-guard".to_owned());
    // Nobody waits for its end: the log may not answer.
    let spawned = thread.spawn(move || {
        if let Err(error) = cluster::watch(&config, bytes_per_s, &guard) {
            tracing::error!(%error, "nothing looks after the log");
        }
    });
    spawned.map(drop)
}

struct Guard(Arc<Shard>);

impl Guard {
    fn tell(&self, change: impl FnOnce(&mut LogGuardFigures)) {
        change(&mut self.0.lock().engine.server.shell.log_guard);
    }
}

impl Ward for Guard {
    fn is_over(&self) -> bool {
        self.0.group.leaves.load(Ordering::Relaxed)
    }

    fn may_verify(&self) -> bool {
        let driver = self.0.group.driver.lock();
        let standing = driver.as_ref().map(Driver::standing);
        standing.is_some_and(|it| it.status == Status::Following && it.has_caught_up)
    }

    fn beginning(&self, first: Seq) -> Option<Position> {
        match first <= Seq::ZERO.next() {
            true => Some(Position::default()),
            false => self.0.group.snapshots.get()?.beginning_of(first),
        }
    }

    fn alarm(&self, what: Option<String>) {
        if let Some(what) = &what {
            tracing::error!(what, "ALARM: the log may lose what it acknowledges");
        }
        // A line of INFO is one line.
        let alarm = what.unwrap_or_default().replace(['\r', '\n'], " ");
        self.tell(|figures| figures.alarm = alarm);
    }

    fn replica_differs(&self, stop: &Stop) {
        tracing::error!(
            %stop,
            "a NATS server has a record that is not what the others have: remove its store and let \
             it copy that of the others, one server at a time"
        );
    }

    fn verified(&self, up_to: Seq) {
        self.tell(|figures| figures.verified_seq = up_to.0);
    }

    fn broken(&self, stop: Stop) {
        tracing::error!(%stop, "this node serves nobody any more");
        self.0.halt(Halt::Log(stop));
    }
}
