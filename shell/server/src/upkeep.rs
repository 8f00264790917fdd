//! Does what is due, and what is done now and then, on a thread of its own.
//!
//! No I/O thread does it: one that is at work for its clients for long would let keys live on that
//! have expired, and clients wait for longer than they asked to. Each step takes the shard's lock
//! for itself and is bounded, so that requests come in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use engine::Mono;
use engine::observe::stages::Stage;
use journal::contained;

use crate::figures::{self, ProcessFigures};
use crate::loading;
use crate::memory::{Allocator, Meter};
use crate::shard::{Caller, Shard, Submitted};

/// How often the engine is looked at even if nothing is due, for figures that only the shell knows;
/// in milliseconds.
const PERIOD_MS: u64 = 100;

/// Ends the thread.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    /// Ends the thread after the step that it is at.
    pub(crate) fn stop(&self, shard: &Shard) {
        self.0.store(true, Ordering::Release);
        shard.alarm.ring();
    }
}

/// Runs until it is stopped. A panic that does not happen under the lock costs only that step.
pub(crate) fn run(shard: &Arc<Shard>, allocator: Allocator, stop: &Stop) {
    let this = thread::current();
    shard.alarm.wakes(Box::new(move || this.unpark()));
    let mut upkeep = Upkeep {
        shard,
        allocator,
        meter: Meter::new(allocator),
        figures_due: Mono(0),
    };
    while !stop.0.load(Ordering::Acquire) {
        let wait = shard.clock.until(shard.alarm_at());
        if !wait.is_zero() {
            // Whoever sets the alarm meanwhile wakes this thread, even if it does not sleep yet.
            thread::park_timeout(wait);
            continue;
        }
        let done = contained(|| {
            upkeep.step();
            Ok(())
        });
        if let Err(error) = done {
            tracing::error!(%error, "what is due was not done");
            shard.alarm.set(shard.clock.now().mono.plus(PERIOD_MS).0);
        }
    }
}

/// What the thread works with.
struct Upkeep<'s> {
    shard: &'s Arc<Shard>,
    allocator: Allocator,
    /// What this thread has reported of its memory.
    meter: Meter,
    /// When the figures are looked at next.
    figures_due: Mono,
}

impl Upkeep<'_> {
    /// Does some of what is due, looks at the figures if it is time, and sets the alarm for the
    /// next step.
    fn step(&mut self) {
        let shard = self.shard;
        let figures_are_due = shard.clock.now().mono >= self.figures_due;
        let figures = figures_are_due.then(|| ProcessFigures::read(shard.main_thread()));
        shard.alarm.begin_look();
        let mut guard = shard.lock();
        let state = &mut *guard;
        let (now, mut stopwatch) = shard.clock.now_measured();
        state.engine.end_what_is_due(now);
        stopwatch.lap_ns();
        state.engine.run_schedule(now);
        let took = Duration::from_nanos(stopwatch.lap_ns());
        state.engine.stage_took(Stage::Expiry, took, now);
        shard.tell_untold(&mut state.engine);
        if let Some(figures) = figures {
            let settled = shard.dropper.settled();
            let allocated = (self.allocator.used)();
            // Part of what was being freed is in this figure, and it is unknown which part.
            let waiting = settled.filter(|before| shard.dropper.settled() == Some(*before));
            let dropped =
                waiting.map(|waiting| state.engine.dropped_bytes() + waiting.bytes as u64);
            match dropped {
                // The whole includes what was left and what this thread did.
                Some(_) => self.meter.start_over(&state.engine),
                None => self.meter.tell(&mut state.engine),
            }
            let shell = &mut state.engine.server.shell;
            figures::update_memory(shell, self.allocator, allocated, dropped, now);
            figures.tell(shell);
            state.refusals.tell(&state.engine.server, now.mono);
            shard.look_at_load(state);
            self.figures_due = now.mono.plus(PERIOD_MS);
        }
        state.persistence.look(&mut state.engine, now);
        let submitted = shard.finish(state, now, Caller::Upkeep, &mut Vec::new());
        shard.alarm.set(self.figures_due.0);
        let took = stopwatch.total();
        state.engine.stage_took(Stage::Timer, took, now);
        self.meter.tell(&mut state.engine);
        let dropped = shard.take_dropped(state, &mut self.meter);
        let is_reload_due = state.persistence.takes_reload();
        let journal_wait_ms = state.engine.server.config.journal_wait_ms;
        guard.release(took);
        shard.journal.look_for_stall(journal_wait_ms);
        if submitted == Submitted::Batches {
            shard.journal.kick();
        }
        if let Some(dropped) = dropped {
            shard.dropper.hand_in(dropped, &shard.untold);
        }
        if is_reload_due {
            self.load_again();
        }
    }

    /// Has a thread load the data again. The server may stop without it.
    fn load_again(&self) {
        let shard = Arc::clone(self.shard);
        let spawned = thread::Builder::new()
            .name("weir-load".to_owned())
            .spawn(move || loading::again(&shard));
        if let Err(error) = spawned {
            tracing::error!(%error, "the data cannot be loaded again; the server ends");
            self.shard.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use engine::Engine;
    use engine::config::Settings;
    use resp::{ArgvBuf, Protocol, Reply};

    use super::*;
    use crate::clock::Clock;

    /// How long something may take that happens by itself.
    const TIME_ENOUGH: Duration = Duration::from_secs(60);

    const ALLOCATOR: Allocator = Allocator {
        pages: || (0, 0),
        used: || 0,
        of_thread: || 0,
        give_back: || (),
    };

    #[test]
    fn what_is_due_is_done_while_no_io_thread_does_anything() {
        let clock = Clock::start();
        let engine = Engine::new(Settings::default(), 1, clock.now(), &commands::TABLE);
        let shard = Arc::new(Shard::new(engine, clock));
        let stop = Arc::new(Stop::default());
        let (kept_up, stopped) = (Arc::clone(&shard), Arc::clone(&stop));
        let thread = thread::spawn(move || run(&kept_up, ALLOCATOR, &stopped));

        let ask = |words: &str| {
            let mut guard = shard.lock();
            let state = &mut *guard;
            let now = clock.now();
            let session = state.engine.connect(String::new(), String::new(), now);
            let argv: ArgvBuf = words.split(' ').collect();
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = state
                .engine
                .request(session, argv.as_argv(), now, &mut reply);
            let _ = shard.finish(state, now, Caller::Other, &mut Vec::new());
        };
        ask("SET k v PX 5");
        ask("XREAD BLOCK 5 STREAMS s $");
        ask("CLIENT PAUSE 5");
        ask("PING");
        let begun = Instant::now();
        let is_done = || {
            let guard = shard.lock();
            let engine = &guard.engine;
            engine.stats().expired_by_timer == 1
                && engine.server.pause.active(clock.now()).is_none()
                && engine
                    .server
                    .sessions
                    .iter()
                    .all(|session| session.wait.is_none() && session.held.is_none())
        };
        while !is_done() {
            assert!(begun.elapsed() < TIME_ENOUGH);
            thread::yield_now();
        }
        stop.stop(&shard);
        thread.join().unwrap();
    }
}
