//! What happens to writes while the journal is not healthy.

use engine::observe::stages::Stage;
use engine::server::{JournalFigures, Writes};
use engine::store::log::Journalling;
use engine::{Engine, Now};
use journal::Health;

use super::Persistence;
use crate::config::Config;
use crate::shard_log::ShardJournal;
use crate::shared_log::SharedLog;

impl Persistence {
    /// Tells the engine, before the next client is served, if the journal's health has changed.
    #[inline]
    pub fn follow_health(&mut self, engine: &mut Engine, now: Now) {
        let kind = self.journal.health_kind();
        if kind.is_some_and(|kind| kind != self.health_kind) {
            self.take_news_of_health(engine, now);
        }
    }

    #[cold]
    fn take_news_of_health(&mut self, engine: &mut Engine, now: Now) {
        if let Some(log) = self.journal.shared() {
            self.tell_of_shared(engine, &log, now);
            self.tell(engine);
        } else if let Some(journal) = self.journal.whole() {
            self.tell_health(engine, &journal, now);
            self.tell(engine);
        }
    }

    /// Returns whether the data has to be loaded from the journal again, once for each time that it
    /// has: somebody else wrote to it.
    pub fn takes_reload(&mut self) -> bool {
        std::mem::take(&mut self.is_reload_due)
    }

    /// How to load it.
    pub fn reload_config(&self) -> Config {
        Config {
            journalling: true,
            ..self.config.clone()
        }
    }

    /// Sees how the journal is, and orders that a journal that has grown be rewritten.
    pub(super) fn look_at_journal(&mut self, engine: &mut Engine, now: Now) {
        if let Some(log) = self.journal.shared() {
            return self.tell_of_shared(engine, &log, now);
        }
        let Some(journal) = self.journal.whole() else {
            if self.journal.give_up_begin_that_falls_behind() {
                engine.set_journalling(Journalling::Off);
            }
            if self.journal.awaited().is_none() {
                self.health_kind = 0;
                engine.server.writes = self.writes_without_journal(engine);
            }
            return;
        };
        tell_times(engine, &journal, now);
        let stats = journal.stats();
        let (size, counters) = (stats.size, stats.counters);
        self.figures.journalling = true;
        self.figures.journal = JournalFigures {
            groups: counters.groups,
            batches: counters.batches,
            group_sizes: counters.group_sizes,
            bytes: counters.bytes,
            syncs: counters.syncs,
            delayed_syncs: counters.delayed_syncs,
            syncing: stats.syncing,
            backlog_bytes: journal.backlog_bytes() as u64,
            durable: journal.durable(),
        };
        self.figures.journal_bytes = size.base_bytes + size.log_bytes;
        self.figures.journal_base_bytes = size.base_bytes;
        // On an unhealthy disk a rewrite takes the room or the time that is missing, so it happens
        // only on request.
        if self.tell_health(engine, &journal, now).is_good() {
            self.look_at_growth(engine, size, now);
        }
    }

    fn tell_of_shared(&mut self, engine: &mut Engine, log: &SharedLog, now: Now) {
        // As below: what is old is told again.
        self.health_kind = log.part() as u8;
        let (commits, times) = log.take_commits();
        for took in times {
            engine.stage_took(Stage::LogCommit, took, now);
        }
        self.figures.journal = JournalFigures {
            groups: commits.groups,
            batches: commits.batches,
            group_sizes: commits.group_sizes,
            bytes: commits.bytes,
            backlog_bytes: log.backlog_bytes() as u64,
            durable: log.durable(),
            ..JournalFigures::default()
        };
        engine.server.writes = log.writes();
    }

    fn tell_health(&mut self, engine: &mut Engine, journal: &ShardJournal, now: Now) -> Health {
        // The journal changes its health first and then the kind. If it does so between these two
        // lines, the kind is old, and all of this is done again before the next client is served.
        let kind = journal.health_kind();
        let health = journal.health();
        if matches!(health, Health::Fenced(_)) && self.health_kind != kind {
            engine.drop_data(now);
            self.is_reload_due = true;
        }
        self.health_kind = kind;
        self.figures.journal_health = health.name();
        engine.server.writes = match &health {
            Health::Good => Writes::Accepted,
            Health::Slow(_) => Writes::Refused(
                "The journal cannot be written: the disk does not answer. Writes are refused until it does."
                    .to_owned(),
            ),
            Health::OnReserve(fault) | Health::Full(fault) => Writes::Freeing(format!(
                "The journal cannot be written: {fault}. Until there is room, only BGREWRITEAOF and what frees memory \
                 (DEL, XTRIM and the like) are accepted."
            )),
            // Clients are told to wait for the load.
            Health::Fenced(fault) => Writes::Refused(fault.to_string()),
            Health::Poisoned(fault) => Writes::Freeing(format!(
                "The journal cannot be trusted: {fault}. Writes are refused until BGREWRITEAOF has succeeded."
            )),
        };
        health
    }

    /// Which writes are accepted if only snapshots keep them.
    fn writes_without_journal(&self, engine: &Engine) -> Writes {
        let config = &engine.server.config;
        let refused = self.figures.snapshot_failed
            && config.stop_writes_on_snapshot_error
            && !config.save_points.is_empty();
        if !refused {
            return Writes::Accepted;
        }
        Writes::Refused(
            "Snapshots are due by themselves (save), and the last one could not be written; the log says \
             why. Writes are refused until one has succeeded (BGSAVE), or stop-writes-on-bgsave-error is no."
                .to_owned(),
        )
    }
}

/// Tells the engine how long the journal's writes and syncs took.
fn tell_times(engine: &mut Engine, journal: &ShardJournal, now: Now) {
    let times = journal.take_times();
    let kinds = [
        (Stage::JournalWrite, times.writes),
        (Stage::JournalSync, times.syncs),
        (Stage::BackgroundSync, times.background_syncs),
    ];
    for (stage, times) in kinds {
        for took in times {
            engine.stage_took(stage, took, now);
        }
    }
}
