//! What is going on with the data that a shard keeps, and what became of it.
//!
//! A [`Persistence`] changes under the shard's lock. It carries out what the engine ordered, looks
//! at what has ended, and lets the engine see the figures: the engine has a copy of them and never
//! changes it. What is needed without the lock is in the [`JournalSlot`].

mod health;
mod reload;
mod rewrites;
mod snapshots;
mod switch;

use std::sync::Arc;

use engine::server::PersistenceFigures;
use engine::{Engine, Mono, Now};
use wakeup::Alarm;

pub use self::switch::{BEING_LOADED, Beginning, Begun, Ending, Prepared, prepare};
use crate::background::{Background, Ended};
use crate::config::Config;
use crate::journal_slot::JournalSlot;
use crate::open::Loaded;
use crate::rewrite_pace::RewritePace;
use crate::snapshot::Written;

/// How the data of a shard is kept at the moment.
#[derive(Debug)]
pub struct Persistence {
    config: Config,
    journal: Arc<JournalSlot>,
    background: Arc<Background>,
    /// The engine has a copy of these.
    figures: PersistenceFigures,
    /// When the last snapshot failed.
    snapshot_failed: Option<Mono>,
    /// When the log last had a line about the progress of a snapshot or rewrite, or about the
    /// absence of one.
    progress_told: Mono,
    /// When the journal may be rewritten automatically.
    rewrite_pace: RewritePace,
    /// The kind of health of the journal that the engine was last told of.
    health_kind: u8,
    /// The data is not what the journal has, and nobody loads it yet.
    is_reload_due: bool,
}

/// How often the log has a line about the progress of a snapshot or rewrite, in milliseconds.
const PROGRESS_MS: u64 = 2000;

impl Persistence {
    /// Nothing is kept yet. `alarm` is rung when work in the background has ended.
    pub fn new(config: Config, journal: Arc<JournalSlot>, alarm: Arc<Alarm>) -> Persistence {
        Persistence {
            config,
            journal,
            background: Arc::new(Background::new(alarm)),
            figures: PersistenceFigures::default(),
            snapshot_failed: None,
            progress_told: Mono(0),
            rewrite_pace: RewritePace::default(),
            health_kind: 0,
            is_reload_due: false,
        }
    }

    /// Takes what was loaded, and lets the journal take what comes.
    pub fn loaded(&mut self, engine: &mut Engine, loaded: Loaded, now: Now) {
        match loaded.journal {
            Some(journal) => {
                journal.set_policy(self.config.policy);
                self.journal.set_whole(&Arc::new(journal));
            }
            None => self.journal.set_none(),
        }
        self.figures.recovery = loaded.recovery;
        engine.take_loaded(loaded.engine, now);
        self.look_at_journal(engine, now);
        self.tell(engine);
    }

    /// Takes the data of an engine that was filled from a log which several machines share. This
    /// node follows that log.
    pub fn take_over(&mut self, engine: &mut Engine, filled: Engine, now: Now) {
        engine.take_loaded(filled, now);
        self.look_at_journal(engine, now);
        self.tell(engine);
    }

    /// Applies settings that have changed.
    pub fn settings_changed(&mut self, config: Config) {
        self.config = config;
        if let Some(journal) = self.journal.taking() {
            journal.set_policy(self.config.policy);
        }
    }

    /// Looks at everything: what has ended, how far the rest is, how the journal is, and whether a
    /// snapshot or a rewrite is due, which is ordered then.
    pub fn look(&mut self, engine: &mut Engine, now: Now) {
        self.look_at_background(engine, now);
        self.look_at_progress(now);
        self.look_at_journal(engine, now);
        // An engine without its data is nothing to keep.
        if engine.server.loading.is_none() {
            self.look_at_save_points(engine, now);
        }
        self.tell(engine);
    }

    /// Returns whether what happens goes to a journal.
    #[inline]
    pub fn is_journalling(&self) -> bool {
        self.figures.journalling
    }

    /// Where work in the background is noted when it has ended.
    pub fn background(&self) -> &Arc<Background> {
        &self.background
    }

    /// Gives the engine a copy of the figures.
    fn tell(&self, engine: &mut Engine) {
        engine.server.shell.persistence = self.figures;
    }

    fn look_at_background(&mut self, engine: &mut Engine, now: Now) {
        for ended in self.background.collect() {
            match ended {
                Ended::Snapshot {
                    waiting,
                    result,
                    changes,
                } => self.snapshot_ended(engine, waiting, result, changes, now),
                Ended::Rewrite(result) => self.rewrite_ended(result, now),
                Ended::Answer { waiting, result } => engine.end_wait(waiting, result),
            }
        }
    }

    /// Logs, from time to time, how far snapshots and rewrites are.
    fn look_at_progress(&mut self, now: Now) {
        let (snapshot, rewrite) = (&self.background.snapshot, &self.background.rewrite);
        let (snapshot, rewrite) = (snapshot.written(), rewrite.written());
        self.figures.keys_written = snapshot.keys + rewrite.keys;
        self.figures.keys_to_write = snapshot.keys_total + rewrite.keys_total;
        if self.figures.keys_to_write == 0 {
            self.progress_told = now.mono;
        } else if now.mono >= self.progress_told.plus(PROGRESS_MS) {
            self.progress_told = now.mono;
            for (work, written) in [("snapshot", snapshot), ("rewrite", rewrite)] {
                let Written {
                    keys,
                    keys_total: of,
                    bytes,
                } = written;
                if of > 0 {
                    tracing::info!(work, keys, of, bytes, "writing");
                }
            }
        }
    }
}

/// How long work took that ends now.
fn took_s(begun: Option<Mono>, now: Now) -> Option<u64> {
    begun.map(|begun| now.mono.0.saturating_sub(begun.0) / 1000)
}

#[cfg(test)]
mod tests;
