//! Snapshots of a group: who makes one, which are kept, how far the log may be trimmed, and where a
//! node begins.
//!
//! A snapshot is what the engine of a follower has at a [`Position`] of the log. It counts only
//! once it has been *checked*: read back from where it is kept, loaded into an empty engine, and
//! found to have the same digest as the engine that it was made of. Only snapshots that count are
//! told to a [`Snapshots`], and only behind such the log is trimmed. Where they are kept, and what
//! is in them, is not known here.

use crate::limits::SNAPSHOTS_KEPT;
use crate::place::{Mark, NodeId, Position, Seq};

/// The checked snapshots of a group, by the last record that each has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// The oldest first.
    checked: Vec<Seq>,
}

impl Snapshots {
    /// Those that somebody has found, in any order.
    pub fn new(found: impl IntoIterator<Item = Seq>) -> Snapshots {
        let mut checked: Vec<_> = found.into_iter().collect();
        checked.sort();
        checked.dedup();
        Snapshots { checked }
    }

    /// The newest.
    pub fn newest(&self) -> Option<Seq> {
        self.checked.last().copied()
    }

    /// Returns whether a follower that is at `at` should make one, if there should be one every
    /// `records` records (at least 1). The node with the lowest number makes it at once, each other
    /// one an eighth of that later, so that mostly one does it; if several do, nothing is lost but
    /// work. A leader makes none: it would have to wait, and its engine is ahead of the log.
    pub fn is_due(&self, at: &Position, records: u64, node: NodeId) -> bool {
        let behind = at.seq.0.saturating_sub(self.newest().unwrap_or_default().0);
        let records = records.max(1);
        let later = (records / 8).saturating_mul(node.0 % 8);
        behind >= records.saturating_add(later)
    }

    /// Where a node begins that has kept this mark: with the newest that is not beyond it, so that
    /// it can compare what it has seen with what the log says. If there is none, with the newest.
    /// Without any, at the start of the log.
    pub fn beginning(&self, mark: Option<Mark>) -> Option<Seq> {
        let mut newest_first = self.checked.iter().rev().copied();
        let comparable = mark.and_then(|mark| newest_first.find(|seq| *seq <= mark.seq));
        comparable.or(self.newest())
    }

    /// The same without one that turned out not to be whole.
    #[must_use]
    pub fn without(mut self, seq: Seq) -> Snapshots {
        self.checked.retain(|it| *it != seq);
        self
    }

    /// Those that nobody needs, the oldest first. They are removed after the log was trimmed, not
    /// before.
    pub fn surplus(&self) -> &[Seq] {
        let surplus = self.checked.len().saturating_sub(SNAPSHOTS_KEPT);
        &self.checked[..surplus]
    }

    /// The older one of those that are kept: the log is trimmed behind it. `None` while there are
    /// fewer than are to be kept.
    pub fn oldest_kept(&self) -> Option<Seq> {
        self.checked.iter().rev().nth(SNAPSHOTS_KEPT - 1).copied()
    }

    /// The first record that the log must keep: that behind the oldest snapshot that is kept, or an
    /// earlier one that some live follower has yet to read. `followers` says what each has read.
    /// `None` while there are fewer snapshots than are to be kept.
    pub fn trim_to(&self, followers: impl IntoIterator<Item = Seq>) -> Option<Seq> {
        let oldest = self.oldest_kept()?;
        let read = followers.into_iter().min().unwrap_or(oldest);
        Some(read.min(oldest).next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Position {
        Position {
            seq: Seq(seq),
            ..Position::default()
        }
    }

    fn with(found: &[u64]) -> Snapshots {
        Snapshots::new(found.iter().map(|seq| Seq(*seq)))
    }

    #[test]
    fn one_node_after_the_other_makes_a_snapshot() {
        for (found, begun) in [(with(&[]), 0), (with(&[500, 300]), 500)] {
            for (node, records) in [(0, 80), (1, 90), (7, 150), (8, 80)] {
                let is_due = |seq| found.is_due(&at(seq), 80, NodeId(node));
                assert!(is_due(begun + records) && !is_due(begun + records - 1));
            }
        }
        // Somebody else has made a newer one.
        assert!(!with(&[500]).is_due(&at(400), 80, NodeId(0)));
    }

    #[test]
    fn two_snapshots_are_kept_and_the_log_behind_the_older_one() {
        let none: [Seq; 0] = [];
        for few in [with(&[]), with(&[7]), with(&[7, 7])] {
            assert_eq!(few.trim_to(none), None);
            assert_eq!(few.surplus(), []);
            assert_eq!(few.oldest_kept(), None);
        }
        let found = with(&[30, 10, 20]);
        assert_eq!(found.surplus(), [Seq(10)]);
        assert_eq!(found.oldest_kept(), Some(Seq(20)));
        assert_eq!(found.trim_to(none), Some(Seq(21)));
    }

    #[test]
    fn what_a_live_follower_has_yet_to_read_is_not_trimmed() {
        let found = with(&[10, 20, 30]);
        assert_eq!(found.trim_to([Seq(25), Seq(30)]), Some(Seq(21)));
        assert_eq!(found.trim_to([Seq(25), Seq(12)]), Some(Seq(13)));
    }

    #[test]
    fn a_node_begins_where_it_can_compare_what_it_has_seen() {
        let mark = |seq| {
            Some(Mark {
                seq: Seq(seq),
                ..Mark::default()
            })
        };
        let found = with(&[10, 20]);
        assert_eq!(found.beginning(None), Some(Seq(20)));
        assert_eq!(found.beginning(mark(20)), Some(Seq(20)));
        assert_eq!(found.beginning(mark(19)), Some(Seq(10)));
        assert_eq!(found.beginning(mark(9)), Some(Seq(20)));
        assert_eq!(with(&[]).beginning(mark(9)), None);
        assert_eq!(found.without(Seq(20)).beginning(None), Some(Seq(10)));
    }
}
