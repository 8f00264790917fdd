//! Streams that have more producers than they may forget some of them.

use crate::Engine;
use crate::limits::PRODUCERS_EVICTED_PER_TURN_MAX;
use crate::store::keyspace::Due;
use crate::time::Now;

impl Engine {
    /// Lets a stream forget producers, a bounded number; then others get their turn.
    pub(super) fn evict_producers(&mut self, due: Due, budget: &mut usize, now: Now) {
        let key = self.data.keyspace.find_due(due).name().clone();
        let steps = PRODUCERS_EVICTED_PER_TURN_MAX.min(*budget);
        let mut store = self.store_for(due.database, now);
        store.by_nobody(|store| store.evict_producers(&key, steps));
        *budget -= steps;
        self.data.log.commit();
        self.data.keyspace.postpone(due, now.unix());
    }
}
