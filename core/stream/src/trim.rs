//! Trimming: what goes is decided first, as a [`Cut`], and removed later.
//!
//! Approximate trimming removes whole nodes (see `node.rs`) and never more than was asked for; exact
//! trimming removes just what was asked for.

use crate::chunk::Chunk;
use crate::{Entries, StreamId};

/// What becomes of pending entries when their entry is deleted or trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// `KEEPREF`: they stay.
    Keep,
    /// `DELREF`: they go, in every group.
    Delete,
    /// `ACKED`: only entries go that every group has delivered and acknowledged.
    Acked,
}

/// What a trim leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many entries at most.
    MaxLen(u64),
    /// No entry below this ID.
    MinId(StreamId),
}

/// How closely a trim keeps to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To the entry.
    Exact,
    /// Whole nodes, and so many entries at most; any number if `None`.
    Nodes(Option<u64>),
}

/// What a trim removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// All entries below this ID.
    pub below: StreamId,
    /// How many those are.
    pub count: u64,
}

impl Entries {
    /// What a trim would remove; nothing if it would remove no entry.
    pub fn cut(&self, bound: Bound, precision: Precision) -> Option<Cut> {
        let excess = match bound {
            Bound::MaxLen(max) => self.len().saturating_sub(max),
            Bound::MinId(id) => self.count_below(id),
        };
        let cut = match precision {
            Precision::Exact => self.cut_exactly(excess),
            Precision::Nodes(limit) => self.cut_nodes(excess.min(limit.unwrap_or(u64::MAX))),
        };
        cut.filter(|cut| cut.count > 0)
    }

    /// The cut that removes just `count` entries.
    fn cut_exactly(&self, count: u64) -> Option<Cut> {
        let below = match self.nth(count) {
            Some(entry) => entry.id(),
            None => self.last()?.id().next().unwrap_or(StreamId::MAX),
        };
        Some(Cut {
            below,
            count: count.min(self.len()),
        })
    }

    /// The greatest cut at the beginning of a node that removes at most `count_max` entries.
    fn cut_nodes(&self, count_max: u64) -> Option<Cut> {
        if count_max >= self.len() {
            return self.cut_exactly(count_max);
        }
        let mut best = None;
        let mut before = 0;
        for chunk in self.chunks() {
            if let Some((below, live)) = chunk.last_node(count_max - before) {
                best = Some(Cut {
                    below,
                    count: before + u64::from(live),
                });
            }
            before += u64::from(chunk.live());
            if before > count_max {
                break;
            }
        }
        best
    }

    /// The chunks from the head on.
    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        let mut place = Some(crate::entries::Place::FIRST);
        std::iter::from_fn(move || {
            let here = place?;
            place = self.place_after(here);
            self.chunk(here)
        })
    }
}
