//! What happens by itself: waits that end, keys that expire, idempotent IDs that are forgotten.

use crate::Engine;
use crate::effect::{DeleteCause, Effect};
use crate::limits::{EXPIRED_PER_TIMER_MAX, FORGOTTEN_PER_TIMER_MAX};
use crate::serve::GiveUp;
use crate::time::{Mono, Now};
use std::sync::atomic::Ordering;
use values::Value;

impl Engine {
    /// Does what is due, in bounded pieces; call it again at [`Engine::next_deadline`].
    pub fn timer(&mut self, now: Now) {
        self.sample_rates(now);
        self.disconnect_idle(now);
        self.end_waits(now);
        self.end_pause(now);
        if self.node.config.active_expire && self.node.pause.active(now).is_none() {
            self.remove_expired(now);
        }
        self.forget_idempotent(now);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
    }

    /// When [`Engine::timer`] has something to do; at most `now` if that is already so.
    pub fn next_deadline(&self, now: Now) -> Option<Mono> {
        let expiry =
            self.data.keyspace.next_expiry().filter(|_| {
                self.node.config.active_expire && self.node.pause.active(now).is_none()
            });
        let expiry = expiry.map(|at| now.mono.plus((at.0 - now.unix().0).max(0) as u64));
        let forgetting = self
            .data
            .forgetting
            .next_deadline()
            .map(|at_ms| now.mono.plus(at_ms.saturating_sub(now.stream_ms())));
        let pause = self.node.pause.deadline();
        let idle = self.next_idle_look();
        let waits = self.data.blocking.next_deadline();
        [waits, expiry, forgetting, pause, idle]
            .into_iter()
            .flatten()
            .min()
    }

    /// Frees the memory of idempotent IDs whose time is over. That changes nothing that a client or a
    /// replay can see, since an ID counts as forgotten from that time on anyway; so it is no effect.
    fn forget_idempotent(&mut self, now: Now) {
        let now_ms = now.stream_ms();
        let mut budget = FORGOTTEN_PER_TIMER_MAX;
        while let Some((database, key)) = self.data.forgetting.pop_due(now_ms, &mut budget) {
            let keyspace = &mut self.data.keyspace;
            let noted = keyspace.noted_in(database, &key, |record| &record.forgetting);
            let Some(database) = noted else {
                continue;
            };
            let hash = keyspace.hash(&key);
            let Some(record) = keyspace.find_mut(database, hash, &key) else {
                continue;
            };
            let Value::Stream(stream) = &mut record.value else {
                continue;
            };
            let idempotence = triomphe::Arc::make_mut(stream).idempotence_mut();
            idempotence.expire(now_ms, &mut budget);
            let next = idempotence.next_deadline_ms();
            record.forgetting.store(next.is_some(), Ordering::Relaxed);
            if let Some(at_ms) = next {
                self.data.forgetting.insert(at_ms, (database, key));
            }
            if budget == 0 {
                return;
            }
        }
    }

    fn sample_rates(&mut self, now: Now) {
        let node = &mut self.node;
        node.command_rate.sample(node.commands_run(), now.mono);
        node.input_rate.sample(node.shell.received_bytes, now.mono);
        node.output_rate.sample(node.shell.sent_bytes, now.mono);
    }

    fn end_waits(&mut self, now: Now) {
        while let Some(id) = self.data.blocking.pop_due(now.mono) {
            let wait = self
                .node
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
            self.apply(
                database,
                now,
                &Effect::Delete {
                    key: &key,
                    cause: DeleteCause::Expired,
                },
            );
        }
    }
}
