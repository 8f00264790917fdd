//! Delayed entries of streams are appended once they are due.

use stream::Stream;

use crate::Engine;
use crate::limits::{APPENDED_BYTES_PER_TIMER_MAX, APPENDED_PER_TIMER_MAX, APPENDED_PER_TURN_MAX};
use crate::store::apply::Store;
use crate::store::effect::{DelayChange, Effect, event};
use crate::store::keyspace::Due;
use crate::time::Now;

/// What one call may append.
pub(super) struct AppendBudget {
    entries: usize,
    bytes: usize,
}

impl AppendBudget {
    pub(super) fn of_call() -> AppendBudget {
        AppendBudget {
            entries: APPENDED_PER_TIMER_MAX,
            bytes: APPENDED_BYTES_PER_TIMER_MAX,
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.entries == 0 || self.bytes == 0
    }

    fn spend(&mut self, bytes: usize) {
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Engine {
    /// Appends entries of a stream that are due, in their order; then others get their turn.
    pub(super) fn append_delayed(&mut self, due: Due, budget: &mut AppendBudget, now: Now) {
        let key = self.data.keyspace.find_due(due).name().clone();
        for _ in 0..APPENDED_PER_TURN_MAX {
            if budget.is_spent() {
                break;
            }
            let mut store = self.store_for(due.database, now);
            let Some(bytes) = append_next(&mut store, &key, now.stream_ms()) else {
                break;
            };
            budget.spend(bytes);
            self.data.log.commit();
        }
        self.data.keyspace.postpone(due, now.unix());
    }
}

/// Appends the next entry that is due, and trims as it says. Returns how many bytes it has; `None`
/// if none is due.
fn append_next(store: &mut Store<'_>, key: &[u8], now_ms: u64) -> Option<usize> {
    let stream = store.get::<Stream>(key).ok().flatten()?;
    let entry = stream.delayed()?.first()?;
    if entry.ticket.due_ms > now_ms {
        return None;
    }
    let id = stream.next_id(now_ms).ok()?;
    let (trim, references) = (entry.options.trim, entry.options.references);
    let (ticket, bytes) = (entry.ticket, entry.bytes);
    let append = DelayChange::Append { ticket, id };
    store.by_nobody(|store| {
        store.apply(&Effect::on(key, append), event::XADD);
        if let Some(trim) = trim {
            store.trim_stream(key, &trim, references);
        }
    });
    Some(bytes)
}
