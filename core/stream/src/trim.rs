//! Trimming: which entries go.
//!
//! Planning only looks. Its result, a [`Cut`], is what a log or a peer is told, and applying it is
//! total. What Redis does, and therefore weir:
//!
//! | references | exact | approximate |
//! |---|---|---|
//! | keep | the first entries, down to the bound | whole nodes, never beyond the bound |
//! | delete | the same | exact; but the limit stops at the start of a node |
//! | acknowledged | those that all groups are done with | the same, with that limit |
//!
//! An entry that some group is not done with is skipped and the next one looked at.
//!
//! With references to delete, nothing stays pending below the first entry that stays; with `MINID`,
//! nothing below its bound. In Redis, entries that were deleted there before stay pending.

use std::num::NonZeroU64;

use crate::StreamId;
use crate::entries::Entries;
use crate::groups::Groups;

/// What `MAXLEN` or `MINID` of `XADD` and `XTRIM` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// What may stay.
    pub keep: Keep,
    /// How exactly the bound is kept.
    pub precision: Precision,
}

/// What may stay of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This many of the last entries.
    MaxLen(u64),
    /// Entries from this ID on.
    MinId(StreamId),
}

/// How exactly a trim keeps to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `=`: exactly.
    Exact,
    /// `~`: whole nodes are removed, as far as the bound allows.
    Approximate {
        /// How many entries go at most; `None`: no cap.
        limit: Option<NonZeroU64>,
    },
}

/// What becomes of the references that groups hold to an entry that is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// `KEEPREF`: it stays pending.
    #[default]
    Keep,
    /// `DELREF`: it is no longer pending in any group, and neither is what was deleted before it.
    Delete,
    /// `ACKED`: the entry is removed only if every group has received and acknowledged it.
    Acknowledged,
}

/// What a trim removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// No entry above this one goes. With [`References::Acknowledged`] some at or below it stay.
    pub through: StreamId,
    /// How many entries go; not 0, unless only references are removed.
    pub entry_count: u64,
}

/// What a trim has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// How many entries.
    pub entries: u64,
    /// How many pending entries, in all groups together.
    pub references: u64,
}

/// What a trim would remove; `None` if nothing.
pub(crate) fn plan(
    entries: &Entries,
    groups: &Groups,
    trim: &Trim,
    references: References,
) -> Option<Cut> {
    let excess = excess(entries, trim.keep);
    if excess == 0 && references != References::Delete {
        return None;
    }
    let limit = match trim.precision {
        Precision::Exact => None,
        Precision::Approximate { limit } => Some(limit.map_or(u64::MAX, NonZeroU64::get)),
    };
    match (references, limit) {
        (References::Keep, None) => first(entries, excess),
        (References::Keep, Some(limit)) => whole_nodes(entries, excess.min(limit)),
        (References::Delete, None) => with_references(entries, groups, trim.keep, excess),
        (References::Delete, Some(limit)) => {
            let within = whole_nodes(entries, limit).map_or(0, |cut| cut.entry_count);
            with_references(entries, groups, trim.keep, excess.min(within))
        }
        (References::Acknowledged, limit) => {
            acknowledged(entries, groups, excess, bound(trim.keep)?, limit)
        }
    }
}

/// Returns whether a trim may remove something once another entry was appended. What is cheap to
/// know is known before that; otherwise this says yes.
pub(crate) fn may_cut_after_append(entries: &Entries, trim: &Trim, references: References) -> bool {
    let (Keep::MaxLen(len_max), References::Keep, 1..) = (trim.keep, references, entries.len())
    else {
        return true;
    };
    let excess = (entries.len() + 1).saturating_sub(len_max);
    match trim.precision {
        _ if excess == 0 => false,
        Precision::Exact => true,
        // Another entry makes no node shorter.
        Precision::Approximate { limit } => {
            let limit = limit.map_or(u64::MAX, NonZeroU64::get);
            entries.nodes_within(excess.min(limit)).is_some()
        }
    }
}

/// Lets the groups prepare for what planning this trim is going to ask. Returns how many entries
/// were looked at for that.
pub(crate) fn prepare(
    entries: &Entries,
    groups: &mut Groups,
    trim: &Trim,
    references: References,
) -> u64 {
    match references {
        References::Keep => 0,
        References::Delete => {
            groups.expect_questions(1);
            0
        }
        References::Acknowledged => {
            let excess = excess(entries, trim.keep);
            let Some(bound) = bound(trim.keep).filter(|_| excess > 0) else {
                return 0;
            };
            groups.expect_questions(1);
            let quota = match trim.precision {
                Precision::Approximate { limit: Some(limit) } => excess.min(limit.get()),
                Precision::Approximate { limit: None } | Precision::Exact => excess,
            };
            groups.expect_walk(entries, bound, quota)
        }
    }
}

/// How many entries may not stay.
fn excess(entries: &Entries, keep: Keep) -> u64 {
    match keep {
        Keep::MaxLen(len) => entries.len().saturating_sub(len),
        Keep::MinId(id) => entries.count_below(id),
    }
}

/// The greatest ID that may go; `None` if none may.
fn bound(keep: Keep) -> Option<StreamId> {
    match keep {
        Keep::MaxLen(_) => Some(StreamId::MAX),
        Keep::MinId(id) => id.previous(),
    }
}

/// The first `count` entries.
fn first(entries: &Entries, count: u64) -> Option<Cut> {
    let last = entries.nth(count.checked_sub(1)?)?;
    Some(Cut {
        through: last.id(),
        entry_count: count,
    })
}

/// The first `count` entries, and what is pending up to the next one.
fn with_references(entries: &Entries, groups: &Groups, keep: Keep, count: u64) -> Option<Cut> {
    let through = match entries.nth(count) {
        Some(stays) => stays.id().previous()?,
        None => StreamId::MAX,
    };
    let through = match keep {
        Keep::MaxLen(_) => through,
        Keep::MinId(id) => through.min(id.previous()?),
    };
    let cut = Cut {
        through,
        entry_count: count,
    };
    (count > 0 || groups.is_pending_through(through)).then_some(cut)
}

/// As many of the first nodes as have at most `entries_max` entries together.
fn whole_nodes(entries: &Entries, entries_max: u64) -> Option<Cut> {
    let (through, entry_count) = entries.nodes_within(entries_max)?;
    Some(Cut {
        through,
        entry_count,
    })
}

/// Up to `quota` acknowledged entries up to `bound`.
fn acknowledged(
    entries: &Entries,
    groups: &Groups,
    quota: u64,
    bound: StreamId,
    limit: Option<u64>,
) -> Option<Cut> {
    let Some(limit) = limit.filter(|&limit| limit < entries.len()) else {
        // Up to the gap the number is known, so the walk only has to look at what comes after it.
        let gap = groups.settled_below();
        let whole = entries.count_below(gap).min(quota);
        let whole_cut = first(entries, whole);
        let ids = groups
            .settled(entries, gap, bound)
            .take((quota - whole) as usize);
        let last = ids.enumerate().last();
        let behind = last.map(|(index, through)| Cut {
            through,
            entry_count: whole + index as u64 + 1,
        });
        return behind.or(whole_cut);
    };
    let (mut cut, mut removed, mut node_start) = (None, 0, 0);
    let mut node = entries.node_end(node_start);
    if node.entry_count > limit {
        return None;
    }
    let mut ids = groups.settled(entries, StreamId::MIN, bound);
    while removed < quota
        && let Some(through) = ids.next()
    {
        while node.next_id.is_some_and(|next_id| next_id <= through) {
            node_start = node.entry_count;
            node = entries.node_end(node_start);
            if removed + (node.entry_count - node_start) > limit {
                return cut;
            }
        }
        removed += 1;
        cut = Some(Cut {
            through,
            entry_count: removed,
        });
    }
    cut
}

mod retained;
#[cfg(test)]
mod tests;

pub(crate) use retained::Retaining;
