//! What happens to writes while the journal is not healthy, and when it is rewritten automatically.

use std::time::Duration;

use engine::Now;
use engine::observe::stages::Stage;
use engine::server::{JournalFigures, Node, Order, Writes};
use engine::store::log::Journalling;
use journal::Health;

use super::{Shard, State};
use crate::limits::JOURNAL_BACKLOG_BYTES_MAX;

impl Shard {
    /// Lets the engine know how the journal is, and rewrites a journal that has grown.
    pub(crate) fn look_at_journal(&self, state: &mut State, now: Now) {
        let Some(journal) = self.journal.whole() else {
            self.look_at_begin(state);
            if self.journal.awaited().is_none() {
                state.health_kind = 0;
                state.engine.node.writes = writes_without_journal(&state.engine.node);
            }
            return;
        };
        self.tell_times(state, now);
        let stats = journal.stats();
        let size = stats.size;
        let health = journal.health();
        let node = &mut state.engine.node;
        let persistence = &mut node.shell.persistence;
        persistence.journalling = true;
        persistence.journal = JournalFigures {
            groups: stats.counters.groups,
            batches: stats.counters.batches,
            bytes: stats.counters.bytes,
            syncs: stats.counters.syncs,
            delayed_syncs: stats.counters.delayed_syncs,
            syncing: stats.syncing,
            backlog_bytes: journal.backlog_bytes() as u64,
        };
        persistence.journal_bytes = size.base_bytes + size.log_bytes;
        persistence.journal_base_bytes = size.base_bytes;
        let growth = node.config.rewrite_growth_percent;
        let limit = size
            .base_bytes
            .saturating_add(size.base_bytes / 100 * growth);
        let limit = limit.max(node.config.rewrite_bytes_min);
        let has_grown = growth > 0 && persistence.journal_bytes > limit;
        // On an unhealthy disk it takes the room or the time that is missing, so it happens only on
        // request.
        if has_grown
            && !persistence.rewriting
            && health.is_good()
            && state.rewrite_pace.may_begin(now.mono)
        {
            persistence.rewriting = true;
            node.orders.push(Order::RewriteJournal);
        }
        self.tell_health(state, &health);
    }

    /// Gives up a journal that begins if more waits for it than it writes: no reply waits for it
    /// yet, so that nothing else would end that.
    fn look_at_begin(&self, state: &mut State) {
        let begins = self.journal.taking();
        if begins.is_some_and(|journal| journal.backlog_bytes() > JOURNAL_BACKLOG_BYTES_MAX) {
            self.journal.end();
            state.engine.set_journalling(Journalling::Off);
        }
    }

    /// Tells the engine how long the journal's writes and syncs took.
    fn tell_times(&self, state: &mut State, now: Now) {
        let Some(journal) = self.journal.whole() else {
            return;
        };
        let times = journal.take_times();
        let kinds = [
            (Stage::JournalWrite, times.writes),
            (Stage::JournalSync, times.syncs),
            (Stage::BackgroundSync, times.background_syncs),
        ];
        for (stage, times) in kinds {
            for took in times {
                state.engine.stage_took(stage, took, now);
            }
        }
    }

    /// Tells the engine if the journal's health has changed, as soon as somebody is served.
    #[inline]
    pub(crate) fn follow_health(&self, state: &mut State) {
        if let Some(journal) = self.journal.whole()
            && journal.health_kind() != state.health_kind
        {
            let health = journal.health();
            self.tell_health(state, &health);
        }
    }

    /// Checks whether the disk still answers. Not under the lock, because threads are woken if it
    /// does not.
    pub(crate) fn look_for_stall(&self, wait_ms: u64) {
        if let Some(journal) = self.journal.awaited() {
            let patience = (wait_ms > 0).then(|| Duration::from_millis(wait_ms));
            journal.look_for_stall(patience);
        }
    }

    /// Why replies cannot wait for the journal, in a sentence.
    pub(crate) fn why_not_durable(&self) -> &'static str {
        match self.journal.awaited().map(|journal| journal.health()) {
            Some(Health::Full(_)) => "The disk is full.",
            Some(Health::Slow(_)) => "The disk does not answer.",
            Some(Health::Poisoned(_)) => "The journal failed.",
            // It has just become good, but the batch came later than that.
            Some(Health::Good | Health::OnReserve(_)) | None => "The disk was not ready.",
        }
    }

    fn tell_health(&self, state: &mut State, health: &Health) {
        state.health_kind = self
            .journal
            .whole()
            .map_or(0, |journal| journal.health_kind());
        let node = &mut state.engine.node;
        node.shell.persistence.journal_health = health.name();
        node.writes = match health {
            Health::Good => Writes::Accepted,
            Health::Slow(_) => Writes::Refused(
                "The journal cannot be written: the disk does not answer. Writes are refused until it does."
                    .to_owned(),
            ),
            Health::OnReserve(fault) | Health::Full(fault) => Writes::Freeing(format!(
                "The journal cannot be written: {fault}. Until there is room, only BGREWRITEAOF and what frees memory \
                 (DEL, XTRIM and the like) are accepted."
            )),
            Health::Poisoned(fault) => Writes::Freeing(format!(
                "The journal cannot be trusted: {fault}. Writes are refused until BGREWRITEAOF has succeeded."
            )),
        };
    }
}

/// Which writes are accepted if only snapshots keep them.
fn writes_without_journal(node: &Node) -> Writes {
    let config = &node.config;
    let refused = node.shell.persistence.snapshot_failed
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
