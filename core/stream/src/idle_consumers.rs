//! Which consumers go because they have not called for long (`XGROUP SETCFG … IDLECONSUMERS ms`).
//!
//! A stream with such a group looks at all its consumers, some at a time: that is a round. Then it
//! rests, and looks again. So a call of a consumer costs nothing here, and a consumer goes a little
//! later than it might. How far a round is, is in no file: who reads the stream begins with one,
//! and nobody counts as idle since before that, so that clients get the time to call again.

use collections::names::Name;

use crate::group::Group;
use crate::groups::Groups;
use crate::limits::{
    IDLE_LOOKS_PER_REST_MS, IDLE_NAME_BYTES_PER_LOOK, IDLE_PLACES_PER_LOOK, IDLE_REST_MAX_MS,
    IDLE_REST_MIN_MS, IDLE_RESTS, LOOKS_PER_IDLE_CONSUMER,
};

/// How far a stream is with looking for consumers that go.
#[derive(Clone, Debug)]
pub(crate) struct IdleLooks {
    /// When the first round began: no call counts as earlier.
    since_ms: Option<u64>,
    /// When the round began that was the last to end.
    last_began_ms: u64,
    round: Option<Round>,
    /// When the next step is due; `None` if no group wants consumers to go.
    due_ms: Option<u64>,
}

/// One look at all consumers.
#[derive(Clone, Debug)]
struct Round {
    began_ms: u64,
    /// The group that is next, by its number in the order of names. If groups come or go meanwhile,
    /// the next round finds what this one misses.
    group: usize,
    /// The place from which on its consumers are next.
    place: usize,
    looks: usize,
    /// The shortest time after which a group wants consumers to go; `None` if none does.
    idle_ms_min: Option<u64>,
}

/// When a consumer is idle for too long.
#[derive(Clone, Copy)]
struct Rule {
    /// No call counts as earlier.
    since_ms: u64,
    /// How long after the last call, at least.
    idle_ms_min: u64,
    now_ms: u64,
}

/// What was found in a group.
#[derive(Debug)]
pub struct IdleConsumers {
    /// Its name.
    pub group: Name,
    /// Consumers that go: they have nothing pending, and have not called for too long.
    pub gone: Vec<Name>,
    /// Consumers as which clients wait, which counts as a call.
    pub waiting: Vec<Name>,
}

impl IdleLooks {
    /// What has to begin with the first round.
    pub(crate) fn new() -> IdleLooks {
        IdleLooks {
            since_ms: None,
            last_began_ms: 0,
            round: None,
            due_ms: Some(0),
        }
    }

    /// When the next step is due, in milliseconds since the epoch; `None` if no group wants
    /// consumers to go.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    /// Goes on with the round, or begins one, and counts down `looks` for what that takes. Stops
    /// where it has found something in a group; `None` if it has not. `is_waiting` says whether a
    /// client waits as this consumer of a group.
    pub(crate) fn step(
        &mut self,
        groups: &Groups,
        now_ms: u64,
        looks: &mut usize,
        is_waiting: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Option<IdleConsumers> {
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        let mut round = self.round.take().unwrap_or(Round::begin(now_ms));
        // A wait that has ended counts as a call until then, which may have been just now, or at
        // any time since the last round looked at that consumer.
        let since_last_ms = round.began_ms.saturating_sub(self.last_began_ms);
        self.due_ms = Some(now_ms);
        while *looks > 0 {
            let Some((name, group)) = groups.iter_from(round.group).next() else {
                self.end(&round, now_ms);
                return None;
            };
            *looks -= 1;
            round.looks += 1;
            let Some(idle_ms) = group.idle_consumers_ms() else {
                round.next_group();
                continue;
            };
            let wanted = round.idle_ms_min.map_or(idle_ms, |min| min.min(idle_ms));
            round.idle_ms_min = Some(wanted);
            let rule = Rule {
                since_ms,
                idle_ms_min: idle_ms.saturating_add(since_last_ms),
                now_ms,
            };
            let is_waiting = |consumer: &[u8]| is_waiting(name, consumer);
            let (gone, waiting) = round.look_at(group, rule, looks, is_waiting);
            if !gone.is_empty() || !waiting.is_empty() {
                self.round = Some(round);
                return Some(IdleConsumers {
                    group: name.clone(),
                    gone,
                    waiting,
                });
            }
        }
        self.round = Some(round);
        None
    }

    /// Rests after a round: for a part of the time after which consumers go, and longer where there
    /// are very many.
    fn end(&mut self, round: &Round, now_ms: u64) {
        self.last_began_ms = round.began_ms;
        self.due_ms = round.idle_ms_min.map(|idle_ms| {
            let wanted_ms = (idle_ms / IDLE_RESTS).clamp(IDLE_REST_MIN_MS, IDLE_REST_MAX_MS);
            let needed_ms = (round.looks / IDLE_LOOKS_PER_REST_MS) as u64;
            now_ms.saturating_add(wanted_ms.max(needed_ms))
        });
    }
}

impl Round {
    fn begin(now_ms: u64) -> Round {
        Round {
            began_ms: now_ms,
            group: 0,
            place: 0,
            looks: 0,
            idle_ms_min: None,
        }
    }

    fn next_group(&mut self) {
        self.group += 1;
        self.place = 0;
    }

    /// Looks at the next consumers of a group: at all that are left, if `looks` suffice. Returns
    /// those that go, and those as which clients wait.
    fn look_at(
        &mut self,
        group: &Group,
        rule: Rule,
        looks: &mut usize,
        is_waiting: impl Fn(&[u8]) -> bool,
    ) -> (Vec<Name>, Vec<Name>) {
        let (mut gone, mut waiting) = (Vec::new(), Vec::new());
        let mut consumers = group.consumers_by_place(self.place);
        while *looks > 0 {
            let Some((place, consumer)) = consumers.next() else {
                self.next_group();
                break;
            };
            let mut cost = 1 + (place - self.place) / IDLE_PLACES_PER_LOOK;
            self.place = place + 1;
            let called_ms = consumer.seen_ms();
            if called_ms < self.began_ms {
                let over_ms = called_ms
                    .max(rule.since_ms)
                    .saturating_add(rule.idle_ms_min);
                let found = if is_waiting(consumer.name()) {
                    Some(&mut waiting)
                } else {
                    let goes = consumer.pending_count() == 0 && over_ms <= rule.now_ms;
                    goes.then_some(&mut gone)
                };
                if let Some(found) = found {
                    found.push(consumer.shared_name().clone());
                    cost += consumer.name().len() / IDLE_NAME_BYTES_PER_LOOK;
                    cost += LOOKS_PER_IDLE_CONSUMER;
                }
            }
            *looks = looks.saturating_sub(cost);
            self.looks += cost;
        }
        (gone, waiting)
    }
}
