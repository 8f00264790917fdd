//! Reads of many streams by a pattern: streams are found, come later, or are of no more interest.

use crate::Engine;
use crate::limits::PATTERN_KEYS_PER_STEP_MAX;
use crate::store::dropped::What;
use crate::store::pattern_reads::Looking;
use crate::time::{Mono, Now};

impl Engine {
    /// Looks for streams, and forgets what nobody uses. Whoever waits for a stream is served
    /// afterwards.
    pub(super) fn look_after_pattern_reads(&mut self, now: Now) {
        if !self.data.pattern_reads.is_anyone_reading() || !self.changes_keys(now) {
            return;
        }
        let (reads, blocking) = (&mut self.data.pattern_reads, &mut self.data.blocking);
        if let Some(turns) = reads.forget_idle(|id| blocking.waits_for_pattern(id), now.mono) {
            self.data.dropped.take(What::Turns(turns));
        }
        let mut keys = PATTERN_KEYS_PER_STEP_MAX;
        for id in reads.ids() {
            let mut looking = Looking {
                keyspace: &self.data.keyspace,
                reads,
                blocking,
            };
            looking.look(id, &mut keys, now.mono);
        }
    }

    /// When that has something to do. While nothing may change keys, nobody is served.
    pub(super) fn next_look_after_pattern_reads(&self, now: Now) -> Option<Mono> {
        let reads = &self.data.pattern_reads;
        if !reads.is_anyone_reading() || !self.changes_keys(now) {
            return None;
        }
        let blocking = &self.data.blocking;
        reads.next_deadline(|id| blocking.waits_for_pattern(id), now.mono)
    }
}
