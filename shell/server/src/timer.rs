//! Wakes the engine when something is due.

use std::sync::Arc;
use std::time::Duration;

use crate::figures;
use crate::shard::{Shard, Submitted};

/// The engine is looked at so often even if nothing is due, for figures that only the shell knows.
const PERIOD: Duration = Duration::from_millis(100);

/// Runs until the server stops.
pub(crate) async fn run(shard: Arc<Shard>, memory: fn() -> u64) {
    loop {
        let due = {
            let mut guard = shard.lock();
            let state = &mut *guard;
            let now = shard.clock.now();
            state.engine.timer(now);
            figures::update(&mut state.engine.node.shell, memory());
            shard.look_at_background(state, now);
            shard.look_at_progress(state, now);
            shard.look_at_journal(state);
            shard.look_at_save_points(state, now);
            let submitted = shard.finish(state, now);
            let due = state
                .engine
                .next_deadline(now)
                .unwrap_or(now.mono.plus(1000));
            let due = due.min(now.mono.plus(PERIOD.as_millis() as u64));
            shard.timer_sleeps_until(due);
            let dropped = state.engine.take_dropped();
            drop(guard);
            if submitted == Submitted::Batches {
                shard.kick_journal();
            }
            drop(dropped);
            due
        };
        let sleep = shard.clock.until(due);
        if sleep.is_zero() {
            // More is due at once: others get the lock first.
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = shard.earlier_deadline() => {}
            () = shard.background_ended() => {}
        }
    }
}
