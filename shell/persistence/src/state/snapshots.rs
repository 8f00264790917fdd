//! Snapshots: when one is due, how it is begun, and what became of it.

use std::sync::Arc;

use engine::clients::session::SessionId;
use engine::error::CmdError;
use engine::server::Order;
use engine::{Engine, Now};
use journal::contained;

use super::switch::UNFINISHED;
use super::{Persistence, took_s};
use crate::background::{self, Ended};
use crate::snapshot::{self, Progress};

/// How long after a failed snapshot save points begin no other, in milliseconds; as in Redis.
const RETRY_MS: u64 = 5000;

impl Persistence {
    /// Begins a snapshot of this moment, which a separate thread writes. `waiting` is answered when
    /// it has ended.
    pub fn begin_snapshot(&mut self, engine: &mut Engine, waiting: Option<SessionId>, now: Now) {
        let frozen = engine.freeze();
        let changes = engine.stats().changes;
        self.figures.snapshotting = true;
        self.figures.snapshot_begun = Some(now.mono);
        self.tell(engine);
        let path = self.config.snapshot.clone();
        let ended = Arc::clone(&self.background);
        let write = move || {
            let result = contained(|| snapshot::write_file(&frozen, &path, now, &ended.snapshot));
            let result = result.map_err(|error| format!("{}: {error}", path.display()));
            ended.note(Ended::Snapshot {
                waiting,
                result,
                changes,
            });
        };
        if let Err(error) = background::spawn("weir-snapshot", write) {
            let result = Err(error.to_string());
            self.background.note(Ended::Snapshot {
                waiting,
                result,
                changes,
            });
        }
    }

    /// Writes a snapshot while all clients wait.
    ///
    /// # Errors
    /// [`CmdError::SaveFailed`]; the last snapshot is as it was.
    pub fn save(&mut self, engine: &mut Engine, now: Now) -> Result<(), CmdError> {
        if !engine.is_data_whole() {
            return Err(CmdError::SaveFailed(UNFINISHED.to_owned()));
        }
        let path = &self.config.snapshot;
        let changes = engine.stats().changes;
        let written = snapshot::write_file(&engine.freeze(), path, now, &Progress::default());
        let bytes = written
            .map_err(|error| CmdError::SaveFailed(format!("{}: {error}", path.display())))?;
        self.snapshot_written(bytes, changes, now);
        self.tell(engine);
        Ok(())
    }

    /// Returns whether a server that stops writes a snapshot first: there are save points, and
    /// changes that no snapshot has.
    pub fn saves_before_stop(&self, engine: &Engine) -> bool {
        engine.server.loading.is_none()
            && !engine.server.config.save_points.is_empty()
            && engine.stats().changes != self.figures.snapshot_changes
    }

    pub(super) fn snapshot_ended(
        &mut self,
        engine: &mut Engine,
        waiting: Option<SessionId>,
        result: Result<u64, String>,
        changes: u64,
        now: Now,
    ) {
        self.background.snapshot.end();
        self.figures.snapshotting = false;
        self.figures.snapshot_took_s = took_s(self.figures.snapshot_begun.take(), now);
        match &result {
            Ok(bytes) => self.snapshot_written(*bytes, changes, now),
            Err(error) => {
                self.figures.snapshot_failed = true;
                self.figures.snapshot_failures += 1;
                self.snapshot_failed = Some(now.mono);
                tracing::error!(error, "the snapshot was not written");
            }
        }
        if let Some(session) = waiting {
            engine.end_wait(session, result.map(drop).map_err(CmdError::SaveFailed));
        }
    }

    /// A snapshot with this many changes was written.
    fn snapshot_written(&mut self, bytes: u64, changes: u64, now: Now) {
        self.figures.snapshot_failed = false;
        self.figures.snapshot_failures = 0;
        self.figures.snapshots += 1;
        self.figures.snapshot_at_s = now.unix().0 / 1000;
        self.figures.snapshot_changes = changes;
        tracing::info!(bytes, "snapshot written");
    }

    /// Orders a snapshot if a save point was reached.
    pub(super) fn look_at_save_points(&mut self, engine: &mut Engine, now: Now) {
        let changes = engine.stats().changes - self.figures.snapshot_changes;
        let last_s = match self.figures.snapshot_at_s {
            0 => engine.server.started.unix().0 / 1000,
            at_s => at_s,
        };
        let elapsed_s = (now.unix().0 / 1000)
            .saturating_sub(last_s)
            .max(0)
            .unsigned_abs();
        let Some(point) = engine.server.config.save_points.reached(changes, elapsed_s) else {
            return;
        };
        let rests = self
            .snapshot_failed
            .is_some_and(|at| now.mono < at.plus(RETRY_MS));
        let is_writing = self.figures.snapshotting || engine.server.is_snapshotting();
        if is_writing || (self.figures.snapshot_failed && rests) {
            return;
        }
        tracing::info!(
            changes,
            seconds = point.seconds,
            "a save point was reached; a snapshot begins"
        );
        engine.server.orders.push(Order::Snapshot { waiting: None });
    }
}
