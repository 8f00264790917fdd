//! Does what is due, and what is done now and then.

use std::sync::Arc;
use std::time::Duration;

use engine::observe::stages::Stage;

use crate::figures;
use crate::inbox::Letter;
use crate::memory::{Allocator, Meter};
use crate::shard::{Shard, Submitted, TIMER_THREAD};

/// How often the engine is looked at even if nothing is due, for figures that only the shell knows;
/// in milliseconds.
const PERIOD_MS: u64 = 100;

/// Looks at everything, and sets the alarm for the next time. What the engine has for connections
/// of this thread is appended to `letters`.
pub(crate) fn look(
    shard: &Arc<Shard>,
    allocator: Allocator,
    meter: &mut Meter,
    letters: &mut Vec<Letter>,
) {
    shard.alarm.begin_look();
    let mut guard = shard.lock();
    let state = &mut *guard;
    let (now, mut stopwatch) = shard.clock.now_measured();
    state.engine.end_what_is_due(now);
    stopwatch.lap_ns();
    state.engine.expire(now);
    let took = Duration::from_nanos(stopwatch.lap_ns());
    state.engine.stage_took(Stage::Expiry, took, now);
    // The whole includes what was left and what this thread did.
    shard.tell_untold(&mut state.engine);
    meter.start_over(&state.engine);
    let dropped = state.engine.dropped_bytes() + shard.dropper.waiting_bytes() as u64;
    let allocated = (allocator.used)();
    let used_memory = allocated.saturating_sub(dropped);
    state.engine.server.shell.allocator_allocated = allocated;
    figures::update(&mut state.engine.server.shell, used_memory, allocator, now);
    state.refusals.tell(&state.engine.server, now.mono);
    shard.look_at_load(state);
    state.persistence.look(&mut state.engine, now);
    let submitted = shard.finish(state, now, TIMER_THREAD, letters);
    shard.alarm.set(now.mono.plus(PERIOD_MS).0);
    state
        .engine
        .stage_took(Stage::Timer, stopwatch.total(), now);
    meter.tell(&mut state.engine);
    let dropped = shard.take_dropped(state, meter);
    let journal_wait_ms = state.engine.server.config.journal_wait_ms;
    drop(guard);
    shard.journal.look_for_stall(journal_wait_ms);
    if submitted == Submitted::Batches {
        shard.journal.kick();
    }
    shard.dropper.hand_in(dropped, &shard.untold);
}
