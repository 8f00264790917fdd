//! Pending entries that `XREADGROUP` gives to whoever reads, because their consumers have held them
//! for too long or have given them back.

use engine::limits::{CLAIM_GONE_MAX, CLAIM_LOOKS_MAX, CLAIM_PAUSED_MAX};
use resp::Reply;
use stream::{Chosen, ChosenWriter, GivenBack, IdleAtLeast, Past, PendingEntry};

use super::serve::{ClaimRule, Decided, RETRY_MS_MIN, Reader, View};
use crate::stream::backoff::not_before;
use crate::stream::claiming::idle_ms;
use crate::stream::read_budget::ReadBudget;

impl View<'_> {
    /// Writes pending entries that were idle for long enough, longest first. Those that are gone
    /// from the stream are not written, and stay pending no longer; those that begin a pause are
    /// taken from their consumers.
    pub(super) fn write_idle(
        &self,
        rule: ClaimRule,
        reader: &mut Reader,
        budget: &mut ReadBudget,
        writer: &mut ChosenWriter,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) {
        let idle = IdleAtLeast {
            idle_ms_min: rule.idle_ms_min,
            now_ms: self.now_ms,
        };
        let mut look = self.stream.entries().look_up();
        let mut passed_over = 0;
        for id in self.group.pending_to_give(idle) {
            if reader.left == 0 || passed_over == CLAIM_LOOKS_MAX {
                return;
            }
            let Some(pending) = self.group.pending(id) else {
                continue;
            };
            let holder = pending.holder.map(|holder| holder.consumer);
            let is_own = holder.is_some() && holder == self.consumer;
            if reader.room == 0 && !is_own {
                passed_over += 1;
                continue;
            }
            let Some(entry) = look.entry(id) else {
                if decided.gone.len() == CLAIM_GONE_MAX {
                    return;
                }
                decided.gone.push(id);
                continue;
            };
            let count = pending.delivery_count;
            if decided.dead.take_spent(self.group, id, count, &mut look) {
                passed_over += usize::from(decided.dead.is_full());
                continue;
            }
            if let Some(paused) = self.paused_now(&pending, rule.idle_ms_min) {
                decided.paused.push(paused);
                if decided.paused.len() == CLAIM_PAUSED_MAX {
                    return;
                }
                continue;
            }
            let chosen = Chosen {
                id,
                past: rule.tells_past.then(|| Past {
                    idle_ms: idle_ms(&pending, self.now_ms).map_or(-1, |idle| idle as i64),
                    deliveries: count as i64,
                }),
            };
            let protocol = reply.protocol();
            if !budget.admits(|| chosen.reply_bytes(Some(&entry), protocol)) {
                return;
            }
            writer.write(self.stream.entries(), chosen, Some(&entry), reply);
            reader.left -= 1;
            if !is_own {
                reader.room -= 1;
            }
            decided.claims.push(self.claim(id, count));
        }
    }

    /// An entry that its consumer has held for too long, as it is while it waits to be given again,
    /// if that is not over yet: then it is the group's.
    #[inline]
    fn paused_now(&self, pending: &PendingEntry, idle_ms_min: u64) -> Option<GivenBack> {
        self.group.backoff()?;
        let (id, delivery_count) = (pending.id, pending.delivery_count);
        let since_ms = pending.holder?.delivered_ms.saturating_add(idle_ms_min);
        let not_before = not_before(self.group, id, delivery_count, (since_ms, self.now_ms));
        not_before.map(|at_ms| GivenBack {
            id,
            delivery_count,
            not_before_ms: Some(at_ms),
        })
    }

    /// In how many milliseconds a pending entry may be given: it has become idle enough, or its
    /// pause is over.
    pub(super) fn next_in_ms(&self, idle_ms_min: u64) -> u64 {
        let idle_in_ms = self.idle_enough_in_ms(idle_ms_min);
        let end_ms = self.group.next_pause_end_ms(self.now_ms);
        end_ms.map_or(idle_in_ms, |end_ms| idle_in_ms.min(end_ms - self.now_ms))
    }

    /// In how many milliseconds a pending entry may have become idle enough; at the latest when one
    /// that is delivered right now would be.
    fn idle_enough_in_ms(&self, idle_ms_min: u64) -> u64 {
        let all = IdleAtLeast {
            idle_ms_min: 0,
            now_ms: self.now_ms,
        };
        let oldest = self.group.pending_by_age(all).take(CLAIM_LOOKS_MAX);
        let mut look = self.stream.entries().look_up();
        let oldest = oldest.filter(|id| look.contains(*id));
        let mut oldest = oldest.filter_map(|id| self.group.pending(id));
        // Nobody waits for what goes to the dead-letter stream, now or when that can take it.
        let rule = self.group.dead_letter();
        let is_dead = |pending: &PendingEntry| {
            let is_due = idle_ms(pending, self.now_ms).is_none_or(|idle| idle >= idle_ms_min);
            is_due && rule.is_some_and(|rule| pending.delivery_count >= rule.deliveries_max)
        };
        let oldest = oldest.find(|pending| !is_dead(pending));
        let idle = oldest.and_then(|oldest| idle_ms(&oldest, self.now_ms));
        let wait = idle_ms_min.saturating_sub(idle.unwrap_or(0));
        // With nothing pending, or with an idle time of 0, there is nothing to wait for.
        wait.max(match idle {
            Some(_) => 1,
            None => RETRY_MS_MIN,
        })
    }
}
