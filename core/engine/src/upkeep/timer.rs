//! When something is due at all, and what is due for clients: waits and pauses end.

use crate::Engine;
use crate::clients::waiting::GiveUp;
use crate::limits::WAITS_PER_TIMER_MAX;
use crate::time::{Mono, Now};

impl Engine {
    /// Does what is due, in bounded pieces; call it again at [`Engine::next_deadline`].
    pub fn timer(&mut self, now: Now) {
        self.end_what_is_due(now);
        self.run_schedule(now);
    }

    /// The first half of [`Engine::timer`]: waits, pauses and idle connections end.
    pub fn end_what_is_due(&mut self, now: Now) {
        self.sample_rates(now);
        self.disconnect_idle(now);
        self.look_at_client_memory();
        self.end_waits(now);
        self.look_at_unfinished(now);
        self.end_pause(now);
    }

    /// When [`Engine::timer`] has something to do; at most `now` if that is already so.
    pub fn next_deadline(&self, now: Now) -> Option<Mono> {
        let keys = self.next_due(now).map(|at| now.mono_at(at));
        let pause = self.server.pause.deadline();
        let idle = self.next_idle_look();
        let waits = self.data.blocking.next_deadline();
        let patterns = self.next_look_after_pattern_reads(now);
        [waits, keys, pause, idle, patterns]
            .into_iter()
            .flatten()
            .min()
    }

    fn sample_rates(&mut self, now: Now) {
        let server = &mut self.server;
        server.command_rate.sample(server.commands_run(), now.mono);
        server
            .input_rate
            .sample(server.shell.received_bytes, now.mono);
        server.output_rate.sample(server.shell.sent_bytes, now.mono);
        let (cycles, busy_ns) = server.stages.cycles();
        server.cycle_rate.sample(cycles, now.mono);
        server.busy_rate.sample(busy_ns, now.mono);
    }

    fn end_waits(&mut self, now: Now) {
        for _ in 0..WAITS_PER_TIMER_MAX {
            let Some(id) = self.data.blocking.pop_due(now.mono) else {
                return;
            };
            let wait = self
                .server
                .sessions
                .find(id)
                .and_then(|session| session.wait.as_ref());
            match wait.and_then(|wait| wait.deadline) {
                Some(deadline) if deadline <= now.mono => {
                    self.give_up(id, GiveUp::Timeout);
                }
                _ => self.resume(id, now),
            }
        }
    }
}
