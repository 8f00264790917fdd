//! What keys have to do once their time comes.
//!
//! The keyspace knows which keys have expired, and which values have something to do; what that is
//! follows from the record. A key that has expired is removed, which is an effect, and so are
//! fields of a hash. A value does what it has to: a stream forgets idempotent IDs and lets chunks
//! be packed, neither of which anybody can see, so that no effect says it. That delayed entries of
//! a stream are appended is one (`upkeep/delayed.rs`), and so is that entries go which are beyond
//! its bounds (`upkeep/retention.rs`), producers of which there are too many
//! (`upkeep/producers.rs`), and consumers that are idle (`upkeep/idle_consumers.rs`). While nothing
//! may expire, nobody looks for keys that have, and a hash with fields that have is put aside. Both
//! are loops under a budget: what they do not get to waits for the next call, which is due at once.

use stream::Stream;
use values::{Hash, Key};

use super::delayed::AppendBudget;
use super::retention::RetainBudget;
use crate::Engine;
use crate::limits::{
    CONSUMER_LOOKS_PER_TIMER_MAX, EXPIRED_PER_TIMER_MAX, HELD_RETRY_MS, LOOKS_PER_TIMER_MAX,
    PRODUCERS_EVICTED_PER_TIMER_MAX, STEPS_PER_TIMER_MAX, UNTRACKED_PER_TIMER_MAX,
};
use crate::store::apply::{Access, Overdue, Store};
use crate::store::keyspace::Due;
use crate::time::{Now, UnixMs};

/// What one call may do.
struct Budget {
    /// Timers that are looked at or moved.
    looks: usize,
    /// Keys and fields of hashes that are removed, of values that have something to do.
    expiries: usize,
    /// Steps that values take.
    steps: usize,
    /// Entries of streams that are appended.
    appends: AppendBudget,
    /// Entries that streams remove because of their bounds.
    retains: RetainBudget,
    /// Producers of streams that are forgotten because there are too many.
    evictions: usize,
    /// Consumers of streams that are looked at because they may be idle.
    consumer_looks: usize,
}

impl Engine {
    /// The second half of [`Engine::timer`]: does what is due for keys, and evicts some if memory
    /// is used up.
    pub fn run_schedule(&mut self, now: Now) {
        self.make_room_when_due(now);
        self.data.keyspace.pass_turn();
        if self.expires_keys(now) {
            self.expire_keys(now);
        }
        self.do_what_is_due(now);
        self.data.tracking.shrink_table(UNTRACKED_PER_TIMER_MAX);
        self.look_after_pattern_reads(now);
        self.send_news_of_time();
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
    }

    /// Returns whether expired keys are removed now.
    fn expires_keys(&self, now: Now) -> bool {
        self.server.config.active_expire && self.changes_keys(now)
    }

    /// Returns whether time may change keys now. While a log is followed, it says when.
    pub(super) fn changes_keys(&self, now: Now) -> bool {
        self.server.pause.active(now).is_none() && !self.data.log.is_replaying()
    }

    /// When something is due for a key; at most `now` if that is already so.
    pub(super) fn next_due(&self, now: Now) -> Option<UnixMs> {
        let expires_keys = self.expires_keys(now);
        let has_expired = self.data.keyspace.has_held() && expires_keys;
        let is_table_too_large = self.data.tracking.is_table_too_large();
        match has_expired || is_table_too_large || self.is_eviction_due(now) {
            true => Some(now.unix()),
            false if expires_keys => {
                let keyspace = &self.data.keyspace;
                let both = [keyspace.next_due(), keyspace.next_expiry()];
                both.into_iter().flatten().min()
            }
            false => self.data.keyspace.next_due(),
        }
    }

    /// Removes keys that have expired.
    fn expire_keys(&mut self, now: Now) {
        let (mut looks, mut left) = (LOOKS_PER_TIMER_MAX, EXPIRED_PER_TIMER_MAX);
        let mut names = Vec::new();
        while left > 0 {
            let keyspace = &mut self.data.keyspace;
            let found = keyspace.find_expired(now.unix(), (left, &mut names), &mut looks);
            let Some(database) = found else { return };
            left -= names.len();
            for key in names.drain(..) {
                self.expire_key(database, &key, now);
            }
        }
        let is_cut_short = self.data.keyspace.has_expired(now.unix());
        self.data.stats.expiry_cut_short += u64::from(is_cut_short);
    }

    fn expire_key(&mut self, database: u16, key: &Key, now: Now) {
        let before = self.data.stats;
        self.store_for(database, now).expire(key);
        let stats = &mut self.data.stats;
        stats.expired_by_timer += stats.expired - before.expired;
        stats.expired_fields_by_timer += stats.expired_fields - before.expired_fields;
        self.data.log.commit();
    }

    /// Lets values do what they have to.
    fn do_what_is_due(&mut self, now: Now) {
        let mut budget = Budget {
            looks: LOOKS_PER_TIMER_MAX,
            expiries: EXPIRED_PER_TIMER_MAX,
            steps: STEPS_PER_TIMER_MAX,
            appends: AppendBudget::of_call(),
            retains: RetainBudget::of_call(),
            evictions: PRODUCERS_EVICTED_PER_TIMER_MAX,
            consumer_looks: CONSUMER_LOOKS_PER_TIMER_MAX,
        };
        let expires_keys = self.expires_keys(now);
        if expires_keys {
            self.data.keyspace.release_held(now.unix());
        }
        while let Some(due) = self.data.keyspace.first_due(now.unix(), &mut budget.looks) {
            let record = self.data.keyspace.find_due(due);
            let fields = record.value().get::<Hash>();
            let has_over = fields.is_some_and(|fields| fields.over(now.stream_ms()) > 0);
            let is_expired = record.is_expired(now.unix());
            let stream = record.value().get::<Stream>().filter(|_| !is_expired);
            let is_now = |at: Option<u64>| at.is_some_and(|at| at <= now.stream_ms());
            let appends = is_now(stream.and_then(Stream::delayed_due_ms));
            let retains = is_now(stream.and_then(Stream::retention_due_ms));
            let evicts = stream.is_some_and(|stream| stream.idempotence().has_surplus());
            let looks_for_idle = is_now(stream.and_then(Stream::idle_look_due_ms));
            if appends || retains || evicts || looks_for_idle {
                if !self.changes_keys(now) {
                    let later = now.unix().plus(HELD_RETRY_MS);
                    self.data.keyspace.postpone(due, later);
                } else if appends && !budget.appends.is_spent() {
                    self.append_delayed(due, &mut budget.appends, now);
                } else if retains && !budget.retains.is_spent() {
                    self.retain_due(due, &mut budget.retains, now);
                } else if evicts && budget.evictions > 0 {
                    self.evict_producers(due, &mut budget.evictions, now);
                } else if looks_for_idle && budget.consumer_looks > 0 {
                    self.look_for_idle_consumers(due, &mut budget.consumer_looks, now);
                } else {
                    return;
                }
            } else if !is_expired && !has_over {
                if budget.steps == 0 {
                    return;
                }
                self.do_due_of_value(due, &mut budget, now);
            } else if !expires_keys {
                budget.looks = budget.looks.saturating_sub(1);
                self.data.keyspace.hold(due);
            } else if budget.expiries == 0 {
                self.data.stats.expiry_cut_short += 1;
                return;
            } else if is_expired {
                budget.expiries -= 1;
                let key = record.name();
                self.expire_key(due.database, &key, now);
            } else {
                budget.expiries -= self.expire_fields(due, budget.expiries, now);
            }
        }
    }

    /// Removes fields of a hash whose time has come, but no more than these; returns how many.
    fn expire_fields(&mut self, due: Due, fields_max: usize, now: Now) -> usize {
        let record = self.data.keyspace.find_due(due);
        let key = record.name().clone();
        let fields = record.value().get::<Hash>();
        let deadlines = fields.into_iter().flat_map(Hash::deadlines);
        let over = deadlines.take_while(|(_, at)| *at <= now.stream_ms());
        let over = over.take(fields_max).map(|(field, _)| field.to_vec());
        let over: Vec<Vec<u8>> = over.collect();
        let over: Vec<&[u8]> = over.iter().map(Vec::as_slice).collect();
        let removed = self.store_for(due.database, now).expire_fields(&key, &over);
        self.data.stats.expired_fields_by_timer += removed;
        self.data.log.commit();
        self.data.keyspace.postpone(due, now.unix());
        over.len()
    }

    pub(super) fn store_for(&mut self, database: u16, now: Now) -> Store<'_> {
        let (access, overdue) = (Access::NoTouch, Overdue::Kept);
        Store::new(&mut self.data, database, now, access, overdue)
    }

    /// Lets a value do what it has to. A type of values that has to do anything is asked here, and
    /// says when in `Typed::next_deadline_ms`.
    fn do_due_of_value(&mut self, due: Due, budget: &mut Budget, now: Now) {
        // A value that was asked too early has nothing to do, but still costs a look.
        budget.looks = budget.looks.saturating_sub(1);
        budget.steps -= 1;
        let (queue, is_packed) = (&mut self.data.packing, self.data.stream_compress);
        self.data.keyspace.edit_due(due, now.unix(), |record| {
            let key = record.name();
            if let Some(stream) = record.value.get_mut::<Stream>() {
                let now_ms = now.stream_ms();
                stream.idempotence_mut().expire(now_ms, &mut budget.steps);
                let waited = stream
                    .entries()
                    .packing_due_ms()
                    .is_some_and(|at| at <= now_ms);
                if waited && is_packed {
                    queue.waited(stream, (due.database, &key), now);
                } else if waited {
                    stream.end_wait_for_packing();
                }
            }
        });
    }
}
