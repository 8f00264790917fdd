//! What is sorted: a view of a list, a set or a sorted set.

use std::cmp::Ordering;
use std::ops::Range;

use collections::Element;
use engine::error::CmdError;
use values::{List, Set, SortedSet, Value};

/// Which come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

impl Direction {
    /// The order in which elements of this order come.
    pub(super) fn of(self, ordering: Ordering) -> Ordering {
        match self {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

/// A view of a value. What is missing has no elements.
#[derive(Debug)]
pub(super) enum Source {
    List(List),
    Set(Set),
    SortedSet(SortedSet),
}

impl Source {
    pub(super) fn of(value: Option<&Value>) -> Result<Source, CmdError> {
        let Some(value) = value else {
            return Ok(Source::List(List::new()));
        };
        let list = value.get().cloned().map(Source::List);
        list.or_else(|| value.get().cloned().map(Source::Set))
            .or_else(|| value.get().cloned().map(Source::SortedSet))
            .ok_or(CmdError::WrongType)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Source::List(list) => list.len(),
            Source::Set(set) => set.len(),
            Source::SortedSet(set) => set.len(),
        }
    }

    pub(super) fn is_in_no_order(&self) -> bool {
        match self {
            Source::Set(_) => true,
            Source::List(_) | Source::SortedSet(_) => false,
        }
    }

    /// Shows the elements in the order in which they are, until `f` fails.
    pub(super) fn try_for_each<'s>(
        &'s self,
        mut f: impl FnMut(Element<'s>) -> Result<(), CmdError>,
    ) -> Result<(), CmdError> {
        match self {
            Source::List(list) => list.iter().try_for_each(f),
            Source::Set(set) => set.iter().try_for_each(f),
            Source::SortedSet(set) => set.iter().try_for_each(|it| f(Element::Text(it.member))),
        }
    }

    /// The elements of a range, counted from the end if the last come first. A set has no end.
    pub(super) fn range(&self, range: Range<usize>, direction: Direction) -> Vec<Element<'_>> {
        let Range { start, end } = range;
        let len = self.len();
        let (from, to) = match direction {
            Direction::Ascending => (start, end),
            Direction::Descending if self.is_in_no_order() => (start, end),
            Direction::Descending => (len - end, len - start),
        };
        let mut elements: Vec<Element<'_>> = match self {
            Source::List(list) => list.range(from, to).collect(),
            Source::Set(set) => set.iter().skip(from).take(to - from).collect(),
            Source::SortedSet(set) => {
                let members = set.range(from, to);
                members.map(|it| Element::Text(it.member)).collect()
            }
        };
        if direction == Direction::Descending && !self.is_in_no_order() {
            elements.reverse();
        }
        elements
    }
}
