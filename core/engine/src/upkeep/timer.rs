//! What happens with time: waits end, keys expire, idempotent IDs are forgotten.

use crate::Engine;
use crate::clients::waiting::GiveUp;
use crate::limits::{EXPIRED_PER_TIMER_MAX, FORGOTTEN_PER_TIMER_MAX, WAITS_PER_TIMER_MAX};
use crate::store::apply::{Access, Overdue, Store};
use crate::time::{Mono, Now};
use stream::Stream;

impl Engine {
    /// Does what is due, in bounded pieces; call it again at [`Engine::next_deadline`].
    pub fn timer(&mut self, now: Now) {
        self.end_what_is_due(now);
        self.expire(now);
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

    /// The second half: expired keys are removed, and idempotent IDs are forgotten.
    pub fn expire(&mut self, now: Now) {
        if self.expires_keys(now) {
            self.remove_expired(now);
        }
        self.forget_idempotent(now);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
    }

    /// When [`Engine::timer`] has something to do; at most `now` if that is already so.
    pub fn next_deadline(&self, now: Now) -> Option<Mono> {
        let expiry = self.data.keyspace.next_expiry();
        let expiry = expiry.filter(|_| self.expires_keys(now));
        let forgetting = self.data.keyspace.next_forgetting();
        let [expiry, forgetting] = [expiry, forgetting].map(|at| Some(now.mono_at(at?)));
        let pause = self.server.pause.deadline();
        let idle = self.next_idle_look();
        let waits = self.data.blocking.next_deadline();
        [waits, expiry, forgetting, pause, idle]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns whether expired keys are removed now. While a log is followed, it says when.
    fn expires_keys(&self, now: Now) -> bool {
        self.server.config.active_expire
            && self.server.pause.active(now).is_none()
            && !self.data.log.is_replaying()
    }

    /// Frees the memory of expired idempotent IDs. It changes nothing that a client or a replay can
    /// see, since an expired ID counts as forgotten anyway; so it is not an effect.
    fn forget_idempotent(&mut self, now: Now) {
        let now_ms = now.stream_ms();
        let mut budget = FORGOTTEN_PER_TIMER_MAX;
        while budget > 0 {
            // A stream that was called too early has nothing to do, but still costs a look.
            budget -= 1;
            let forget = |stream: &mut Stream| {
                stream.idempotence_mut().expire(now_ms, &mut budget);
            };
            if !self.data.keyspace.forget_first(now.unix(), forget) {
                return;
            }
        }
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

    fn remove_expired(&mut self, now: Now) {
        for _ in 0..EXPIRED_PER_TIMER_MAX {
            let Some((database, key)) = self.data.keyspace.first_expired(now.unix()) else {
                return;
            };
            self.data.stats.expired_by_timer += 1;
            let (access, overdue) = (Access::NoTouch, Overdue::Kept);
            Store::new(&mut self.data, database, now, access, overdue).expire(&key);
            self.data.log.commit();
        }
        if self.data.keyspace.first_expired(now.unix()).is_some() {
            self.data.stats.expiry_cut_short += 1;
        }
    }
}
