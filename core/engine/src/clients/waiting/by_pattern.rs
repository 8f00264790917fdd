//! Clients that wait for any stream that matches a pattern.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use super::{Blocking, Interest, Line, Ticket, Wait};
use crate::clients::pattern_reads::PatternReadId;
use crate::clients::session::SessionId;

/// The clients that wait for each read by a pattern.
#[derive(Debug, Default)]
pub(super) struct PatternLines {
    lines: BTreeMap<PatternReadId, Line>,
    /// Reads for which it is the turn of a stream, and which are waited for.
    pub(super) ready: Vec<PatternReadId>,
}

impl PatternLines {
    pub(super) fn add(&mut self, session: SessionId, wait: &Wait) {
        if let Interest::Streams { read, .. } = wait.interest {
            let line = self.lines.entry(read).or_default();
            line.insert(wait.ticket, session);
        }
    }

    pub(super) fn remove(&mut self, wait: &Wait) {
        if let Interest::Streams { read, .. } = wait.interest
            && let Some(line) = self.lines.get_mut(&read)
        {
            line.remove(&wait.ticket);
            if line.is_empty() {
                self.lines.remove(&read);
            }
        }
    }
}

impl Blocking {
    /// Returns how many clients wait for streams by a pattern.
    pub fn pattern_clients(&self) -> usize {
        self.by_pattern.lines.values().map(Line::len).sum()
    }

    /// Returns whether anybody waits for a read by a pattern.
    pub(crate) fn waits_for_pattern(&self, id: PatternReadId) -> bool {
        self.by_pattern.lines.contains_key(&id)
    }

    /// It is the turn of a stream for a read by a pattern.
    pub(crate) fn mark_pattern(&mut self, id: PatternReadId) {
        if self.waits_for_pattern(id) && !self.by_pattern.ready.contains(&id) {
            self.by_pattern.ready.push(id);
        }
    }

    /// The reads that were marked.
    pub(crate) fn take_ready_patterns(&mut self) -> Vec<PatternReadId> {
        std::mem::take(&mut self.by_pattern.ready)
    }

    /// The client that has waited longest for a read, of those behind `last`.
    pub(crate) fn next_for_pattern(
        &self,
        id: PatternReadId,
        last: Option<Ticket>,
    ) -> Option<(Ticket, SessionId)> {
        let line = self.by_pattern.lines.get(&id)?;
        let from = last.map_or(Unbounded, Excluded);
        let next = line.range((from, Unbounded)).next();
        next.map(|(ticket, session)| (*ticket, *session))
    }
}
