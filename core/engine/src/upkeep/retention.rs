//! Streams keep to the bounds in their settings, a step at a time.

use stream::Stream;

use crate::Engine;
use crate::limits::{RETAINED_PER_STEP_MAX, RETAINED_PER_TIMER_MAX};
use crate::store::keyspace::Due;
use crate::time::Now;

/// How many entries one call may remove.
pub(super) struct RetainBudget(u64);

impl RetainBudget {
    pub(super) fn of_call() -> RetainBudget {
        RetainBudget(RETAINED_PER_TIMER_MAX)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// What a step costs beside what it removes, in entries: whoever has nothing to remove has to be
/// asked too.
const STEP_ENTRIES: u64 = 100;

/// What a pending entry costs that is forgotten, or an entry that goes by itself because a group
/// needs its neighbours, in entries that go together.
const SINGLE_ENTRIES: u64 = 10;

impl Engine {
    /// Removes entries of a stream that are beyond its bounds; then others get their turn.
    pub(super) fn retain_due(&mut self, due: Due, budget: &mut RetainBudget, now: Now) {
        let record = self.data.keyspace.find_due(due);
        let key = record.name().clone();
        let stream = record.value().get::<Stream>();
        let each = match stream.is_some_and(Stream::asks_groups_for_retention) {
            true => SINGLE_ENTRIES,
            false => 1,
        };
        let mut store = self.store_for(due.database, now);
        let removed = store.by_nobody(|store| store.retain(&key, RETAINED_PER_STEP_MAX / each));
        self.data.log.commit();
        budget.0 = budget.0.saturating_sub(removed * each + STEP_ENTRIES);
        let keyspace = &mut self.data.keyspace;
        let hash = keyspace.hash(&key);
        keyspace.edit(due.database, hash, &key, |record| {
            if let Some(stream) = record.value.get_mut::<Stream>() {
                stream.rest_from_retention(removed > 0, now.stream_ms());
            }
        });
        keyspace.postpone(due, now.unix());
    }
}
