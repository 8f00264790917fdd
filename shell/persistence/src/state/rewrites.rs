//! Rewrites of the journal: when one is due, how it is begun, and what became of it.

use engine::server::Order;
use engine::{Engine, Now};
use journal::LogSize;

use super::{Persistence, took_s};
use crate::background::Ended;
use crate::rewrite;

impl Persistence {
    /// Begins a rewrite with the state of this moment, unless the journal was turned off meanwhile.
    /// The journal must have been given everything that the engine did.
    pub fn begin_rewrite(&mut self, engine: &mut Engine, now: Now) {
        let Some(journal) = self.journal.whole() else {
            return;
        };
        self.figures.rewriting = true;
        self.figures.rewrite_begun = Some(now.mono);
        self.tell(engine);
        self.rewrite_pace.begun(now.mono);
        let begun = rewrite::begin_rewrite(&journal, engine, &self.background, now);
        if let Err(error) = begun {
            self.background.note(Ended::Rewrite(Err(error)));
        }
    }

    pub(super) fn rewrite_ended(&mut self, result: Result<u64, String>, now: Now) {
        self.base_ended(result.is_err(), now);
        self.rewrite_pace.ended(result.is_ok(), now.mono);
        match result {
            Ok(bytes) => {
                self.figures.rewrites += 1;
                self.figures.rewrite_failures = 0;
                tracing::info!(bytes, "journal rewritten");
            }
            Err(error) => {
                self.figures.rewrite_failures += 1;
                tracing::error!(error, "the journal was not rewritten; it is as it was");
            }
        }
    }

    /// The writing of a base has ended.
    pub(super) fn base_ended(&mut self, failed: bool, now: Now) {
        self.background.rewrite.end();
        self.figures.rewriting = false;
        self.figures.rewrite_failed = failed;
        self.figures.rewrite_took_s = took_s(self.figures.rewrite_begun.take(), now);
    }

    /// Orders a rewrite if the journal has grown.
    pub(super) fn look_at_growth(&mut self, engine: &mut Engine, size: LogSize, now: Now) {
        let growth = engine.server.config.rewrite_growth_percent;
        let limit = size
            .base_bytes
            .saturating_add(size.base_bytes / 100 * growth);
        let limit = limit.max(engine.server.config.rewrite_bytes_min);
        let has_grown = growth > 0 && size.base_bytes + size.log_bytes > limit;
        let is_rewriting = self.figures.rewriting || engine.server.is_rewriting();
        if has_grown && !is_rewriting && self.rewrite_pace.may_begin(now.mono) {
            engine.server.orders.push(Order::RewriteJournal);
        }
    }
}
