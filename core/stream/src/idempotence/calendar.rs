//! When the producers of a large stream are forgotten, and how many iids are still remembered.
//!
//! A wheel has each producer once, at or before the time when its youngest iid is forgotten. If
//! younger ones have been added when that time comes, the producer goes back into the wheel. So a
//! producer is looked at about once per duration of the window, however much it appends. A ledger
//! counts iids by the second in which they were added, so that a count can leave out what has
//! expired but is still there, without looking for it. Its newest line is kept apart from the
//! others, because nearly every append writes to it.
//!
//! Where producers are in an order by their activity (`activity`), that says what expires next, and
//! there is no wheel.

use collections::Wheel;
use collections::directory::{Directory, Entry};

use super::record::Lifetime;

/// How long a tick of the wheel and a line of the ledger are.
const TICK_MS: u64 = 1_000;

/// A schedule of producers, named by their hashes, and the ledger.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// `None` where the order of activity is used.
    wheel: Option<Wheel<u64>>,
    /// Where a scan goes on that puts producers into a new wheel.
    unscheduled: Option<u64>,
    /// The line of the latest second of all; the ledger has the others.
    open: Line,
    ledger: Directory<Line>,
}

/// What was added within one second and is still there.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    second: u64,
    iids: u32,
    /// Producers whose youngest iid is one of these.
    producers: u32,
}

impl Line {
    fn of(second: u64) -> Line {
        Line {
            second,
            iids: 0,
            producers: 0,
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.iids == 0 && self.producers == 0
    }

    fn hash(&self) -> u64 {
        line_hash(self.second)
    }
}

/// The line of that second among others, made if need be.
fn file(ledger: &mut Directory<Line>, second: u64) -> &mut Line {
    match ledger.entry(line_hash(second), |line| line.second == second, Line::hash) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Line::of(second)),
    }
}

/// Spreads the seconds over the ledger; they are not secret, and no client chooses them.
fn line_hash(second: u64) -> u64 {
    let hash = second.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 32)
}

/// The first tick at which the whole moment has passed.
fn tick_after(ms: u64) -> u64 {
    ms.div_ceil(TICK_MS)
}

impl Calendar {
    /// A calendar for a stream whose earliest producer is forgotten at `earliest_ms`.
    pub(super) fn new(earliest_ms: u64) -> Self {
        Calendar {
            wheel: Some(Wheel::new(tick_after(earliest_ms))),
            unscheduled: None,
            open: Line::default(),
            ledger: Directory::new(),
        }
    }

    /// From now on the order of activity says what expires. Returns the wheel.
    pub(super) fn leave_to_order(&mut self) -> Option<Wheel<u64>> {
        self.unscheduled = None;
        self.wheel.take()
    }

    /// From now on a wheel says it again. All producers are to be scheduled
    /// ([`Calendar::schedule_some`]).
    pub(super) fn schedule_again(&mut self) {
        self.wheel = Some(Wheel::new(0));
        self.unscheduled = Some(0);
    }

    /// Schedules some of the producers that are to be, which `scan` shows with their deadlines: as
    /// [`Directory::scan`], a few at a time.
    pub(super) fn schedule_some(
        &mut self,
        budget: &mut usize,
        mut scan: impl FnMut(u64, &mut dyn FnMut(u64, u64)) -> u64,
    ) {
        while *budget > 0
            && let Some(cursor) = self.unscheduled
        {
            let mut len = 0;
            let next = scan(cursor, &mut |producer_hash, deadline_ms| {
                len += 1;
                self.schedule(producer_hash, deadline_ms);
            });
            *budget = budget.saturating_sub(len.max(1));
            self.unscheduled = (next != 0).then_some(next);
        }
    }

    /// Adds a producer that is forgotten at `deadline_ms` at the latest.
    pub(super) fn schedule(&mut self, producer_hash: u64, deadline_ms: u64) {
        if let Some(wheel) = &mut self.wheel {
            wheel.insert(tick_after(deadline_ms), producer_hash);
        }
    }

    /// A producer whose time has come, to be removed or scheduled again.
    pub(super) fn pop_due(&mut self, now_ms: u64, budget: &mut usize) -> Option<u64> {
        self.wheel.as_mut()?.pop_due(now_ms / TICK_MS, budget)
    }

    /// Returns whether [`Calendar::pop_due`] has work to do.
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        let tick = now_ms / TICK_MS;
        self.unscheduled.is_some() || self.wheel.as_ref().is_some_and(|wheel| wheel.is_due(tick))
    }

    /// Before that time nothing is due. Apart, since few streams have a calendar and every append
    /// asks.
    #[inline(never)]
    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        if self.unscheduled.is_some() {
            return Some(0);
        }
        self.wheel
            .as_ref()?
            .next_deadline()
            .map(|tick| tick.saturating_mul(TICK_MS))
    }

    /// Notes one more iid.
    pub(super) fn add_iid(&mut self, added_at_ms: u64) {
        let line = self.line(added_at_ms);
        line.iids = line.iids.saturating_add(1);
    }

    /// Notes one iid less.
    pub(super) fn remove_iid(&mut self, added_at_ms: u64) {
        let line = self.line(added_at_ms);
        line.iids = line.iids.saturating_sub(1);
        if line.is_empty() {
            self.drop_line(added_at_ms);
        }
    }

    /// Notes that the youngest iid of a producer is another one now; `None` before its first and
    /// after its last.
    pub(super) fn move_producer(&mut self, from_ms: Option<u64>, to_ms: Option<u64>) {
        if from_ms.map(|ms| ms / TICK_MS) == to_ms.map(|ms| ms / TICK_MS) {
            return;
        }
        if let Some(ms) = to_ms {
            let line = self.line(ms);
            line.producers = line.producers.saturating_add(1);
        }
        if let Some(ms) = from_ms {
            let line = self.line(ms);
            line.producers = line.producers.saturating_sub(1);
            if line.is_empty() {
                self.drop_line(ms);
            }
        }
    }

    /// Returns how many producers and iids have expired but are still there: those of whole
    /// seconds, so at most a second late.
    pub(super) fn expired(&self, lifetime: Lifetime) -> (usize, usize) {
        let over = |line: &&Line| {
            let last_ms = line
                .second
                .saturating_mul(TICK_MS)
                .saturating_add(TICK_MS - 1);
            lifetime.is_over(last_ms)
        };
        self.ledger
            .iter()
            .chain(std::iter::once(&self.open))
            .filter(over)
            .fold((0, 0), |(producers, iids), line| {
                (
                    producers + line.producers as usize,
                    iids + line.iids as usize,
                )
            })
    }

    /// How many places the wheel has.
    #[cfg(test)]
    pub(super) fn scheduled(&self) -> usize {
        self.wheel.as_ref().map_or(0, Wheel::len)
    }

    /// The line of that time, made if need be.
    #[inline]
    fn line(&mut self, ms: u64) -> &mut Line {
        let second = ms / TICK_MS;
        if second == self.open.second {
            return &mut self.open;
        }
        self.other_line(second)
    }

    /// The line of a second that is not the open one's.
    fn other_line(&mut self, second: u64) -> &mut Line {
        if second > self.open.second {
            let closed = std::mem::replace(&mut self.open, Line::of(second));
            if !closed.is_empty() {
                *file(&mut self.ledger, closed.second) = closed;
            }
            return &mut self.open;
        }
        file(&mut self.ledger, second)
    }

    /// Drops the line of that time, of which nothing is left.
    fn drop_line(&mut self, ms: u64) {
        let second = ms / TICK_MS;
        if second != self.open.second {
            let is_it = |line: &Line| line.second == second;
            self.ledger.remove(line_hash(second), is_it, Line::hash, 0);
        }
    }
}
