//! What a request waited for is there: it goes on, on the thread that has done it.

use engine::observe::stages::Stage;
use engine::{Engine, Now};

use super::{Caller, Shard, State, Submitted};
use crate::memory::Meter;

impl Shard {
    /// Lets a request go on, and delivers what comes of it. Returns what `run` does; it does not
    /// run if no client is served any more.
    pub(crate) fn go_on<T>(
        &self,
        meter: &mut Meter,
        run: impl FnOnce(&mut Engine, Now) -> T,
    ) -> Option<T> {
        self.with_state(meter, |state, now| {
            let is_served = !state.stopping;
            is_served.then(|| run(&mut state.engine, now))
        })
    }

    /// Changes the state under the lock, and delivers what comes of it for clients.
    pub(crate) fn with_state<T>(
        &self,
        meter: &mut Meter,
        change: impl FnOnce(&mut State, Now) -> T,
    ) -> T {
        let mut guard = self.lock();
        let state = &mut *guard;
        self.tell_untold(&mut state.engine);
        let (now, stopwatch) = self.clock.now_measured();
        let done = change(state, now);
        let submitted = self.finish(state, now, Caller::Other, &mut Vec::new());
        let took = stopwatch.total();
        state.engine.stage_took(Stage::Requests, took, now);
        meter.tell(&mut state.engine);
        let dropped = self.take_dropped(state, meter);
        guard.release(took);
        if submitted == Submitted::Batches {
            self.journal.kick();
        }
        if let Some(dropped) = dropped {
            self.dropper.hand_in(dropped, &self.untold);
        }
        done
    }
}
