//! What a stream removes by itself, because of the bounds in its settings ([`Retain`]).
//!
//! A step is planned as any trim is, and is applied and logged as one ([`Cut`]). By length it keeps
//! to its bound as `MAXLEN ~` does, by age exactly, by bytes to whole chunks. How much one step
//! removes and looks at is bounded; what is left is due again. Between steps that are not needed,
//! or that a group prevents, the stream rests, so that it is never asked in a loop.

use super::{Cut, References, acknowledged, first};
use crate::StreamId;
use crate::entries::Entries;
use crate::groups::Groups;
use crate::limits::{
    RETAIN_EXACT_FROM, RETAIN_LOOKED_PAST_MAX, RETAIN_REFERENCES_MAX, RETAIN_REST_MAX_MS,
    RETAIN_REST_MIN_MS,
};
use crate::settings::Retain;

/// The bounds of a stream, and its rest. No file has the rest: who reads the stream looks at once.
#[derive(Clone, Debug)]
pub(crate) struct Retaining {
    bounds: Retain,
    /// Until then nothing is due.
    rests_until_ms: u64,
    /// How long that is, if nothing could be done although a step is due, otherwise 0.
    stuck_ms: u64,
}

impl Retaining {
    /// What follows these bounds; `None` if there are none.
    pub(crate) fn of(bounds: &Retain) -> Option<Box<Retaining>> {
        bounds.is_on().then(|| {
            Box::new(Retaining {
                bounds: *bounds,
                rests_until_ms: 0,
                stuck_ms: 0,
            })
        })
    }

    /// What becomes of pending entries that go.
    pub(crate) fn references(&self) -> References {
        self.bounds.references
    }

    /// When a step is due, in milliseconds since the epoch.
    pub(crate) fn due_ms(&self, entries: &Entries) -> Option<u64> {
        if self.stuck_ms > 0 {
            return Some(self.rests_until_ms);
        }
        let due = match self.is_exceeded(entries, 0) {
            true => 0,
            false => self.over_age_ms(entries)?,
        };
        Some(due.max(self.rests_until_ms))
    }

    /// Returns whether an append makes a step due that it can do itself. It does not ask groups.
    #[cold]
    pub(crate) fn trims_with_append(&self, entries: &Entries) -> bool {
        self.bounds.references != References::Acknowledged && self.is_exceeded(entries, 1)
    }

    /// Notes that a step was taken.
    pub(crate) fn rest(&mut self, entries: &Entries, has_removed: bool, now_ms: u64) {
        let stuck_ms = std::mem::take(&mut self.stuck_ms);
        self.rests_until_ms = 0;
        let is_due = self.due_ms(entries).is_some_and(|due| due <= now_ms);
        let rest_ms = match (is_due, has_removed) {
            (true, true) => return,
            (true, false) => {
                self.stuck_ms = (2 * stuck_ms).clamp(RETAIN_REST_MIN_MS, RETAIN_REST_MAX_MS);
                self.stuck_ms
            }
            (false, _) => RETAIN_REST_MIN_MS,
        };
        self.rests_until_ms = now_ms.saturating_add(rest_ms);
    }

    /// Returns whether there are too many entries or bytes, once so many more entries are there.
    fn is_exceeded(&self, entries: &Entries, more: u64) -> bool {
        let Retain {
            len_max, bytes_max, ..
        } = self.bounds;
        let excess = (entries.len() + more).saturating_sub(len_max);
        let is_too_long = len_max > 0
            && excess > 0
            && (excess >= RETAIN_EXACT_FROM || entries.nodes_within(excess).is_some());
        is_too_long || bytes_max > 0 && entries.entries_beyond(bytes_max, 1) > 0
    }

    /// When the first entry is too old.
    fn over_age_ms(&self, entries: &Entries) -> Option<u64> {
        let age_ms_max = Some(self.bounds.age_ms_max).filter(|&age_ms| age_ms > 0)?;
        Some(entries.first_id()?.ms.saturating_add(age_ms_max))
    }

    /// The next step, of about `entries_max` entries at most; `None` if there is nothing to remove.
    pub(crate) fn plan(
        &self,
        entries: &Entries,
        groups: &Groups,
        now_ms: u64,
        entries_max: u64,
    ) -> Option<Cut> {
        let old_through = self.old_through(now_ms);
        let old = old_through.map_or(0, |through| count_through(entries, through));
        let old = old.min(entries_max);
        let many = self.beyond_amounts(entries, entries_max);
        match self.bounds.references {
            References::Keep => first(entries, old.max(many)),
            References::Delete => with_references(entries, groups, old.max(many)),
            References::Acknowledged => {
                let bound = old_through.unwrap_or(StreamId::MIN);
                let old_cut = settled(entries, groups, old, bound);
                old_cut.or_else(|| settled(entries, groups, many, StreamId::MAX))
            }
        }
    }

    /// The greatest ID that is too old.
    fn old_through(&self, now_ms: u64) -> Option<StreamId> {
        let age_ms_max = Some(self.bounds.age_ms_max).filter(|&age_ms| age_ms > 0)?;
        let ms = now_ms.checked_sub(age_ms_max)?;
        Some(StreamId { ms, seq: u64::MAX })
    }

    /// How many of the first entries are too many, or too many bytes.
    fn beyond_amounts(&self, entries: &Entries, entries_max: u64) -> u64 {
        let Retain {
            len_max, bytes_max, ..
        } = self.bounds;
        let excess = entries.len().saturating_sub(len_max);
        let too_long = match len_max {
            0 => 0,
            _ => excess_entries(entries, excess, entries_max),
        };
        let too_large = match bytes_max {
            0 => 0,
            bytes_max => entries.entries_beyond(bytes_max, entries_max),
        };
        too_long.max(too_large)
    }
}

/// How many of the first entries go if `excess` are too many: whole nodes. Where not even the first
/// node may go as a whole, the entries of an excess that is large enough.
fn excess_entries(entries: &Entries, excess: u64, entries_max: u64) -> u64 {
    let few = excess.min(entries_max);
    if few == 0 {
        return 0;
    }
    match entries.nodes_within(few) {
        Some((_, entry_count)) => entry_count,
        None if excess >= RETAIN_EXACT_FROM || excess > entries_max => few,
        None => 0,
    }
}

fn count_through(entries: &Entries, through: StreamId) -> u64 {
    let next = through.next();
    next.map_or(entries.len(), |next| entries.count_below(next))
}

/// The first `count` entries with what is pending up to the next one, or as many of them as have a
/// bounded number of these.
fn with_references(entries: &Entries, groups: &Groups, count: u64) -> Option<Cut> {
    if count == 0 {
        return None;
    }
    let through = match entries.nth(count) {
        Some(stays) => stays.id().previous()?,
        None => StreamId::MAX,
    };
    let few = RETAIN_REFERENCES_MAX / groups.len().max(1);
    let through = groups.pending_within(through, few.max(1));
    Some(Cut {
        through,
        entry_count: count_through(entries, through).min(count),
    })
}

/// Up to `count` entries up to `bound` that every group is done with. They are looked for past a
/// bounded number of others.
fn settled(entries: &Entries, groups: &Groups, count: u64, bound: StreamId) -> Option<Cut> {
    if count == 0 {
        return None;
    }
    let whole = entries.count_below(groups.settled_below()).min(count);
    let last = entries.nth(whole.saturating_add(RETAIN_LOOKED_PAST_MAX));
    let bound = last.map_or(bound, |last| bound.min(last.id()));
    acknowledged(entries, groups, count, bound, None)
}

#[cfg(test)]
mod tests;
