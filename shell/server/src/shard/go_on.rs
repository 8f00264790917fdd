//! What a request waited for is there: it goes on, on the thread that has done it.

use engine::observe::stages::Stage;
use engine::{Engine, Now};

use super::{Caller, Shard, Submitted};
use crate::memory::Meter;

impl Shard {
    /// Lets a request go on, and delivers what comes of it. Returns what `run` does; it does not
    /// run if no client is served any more.
    pub(crate) fn go_on<T>(
        &self,
        meter: &mut Meter,
        run: impl FnOnce(&mut Engine, Now) -> T,
    ) -> Option<T> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.stopping {
            return None;
        }
        self.tell_untold(&mut state.engine);
        let (now, stopwatch) = self.clock.now_measured();
        let done = run(&mut state.engine, now);
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
        Some(done)
    }
}
