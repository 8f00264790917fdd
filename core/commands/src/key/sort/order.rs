//! Putting elements in order.

use std::cmp::Ordering;
use std::ops::Range;

use collections::{Element, head};
use engine::command::Ctx;
use engine::error::CmdError;
use values::{Member, Scratch, StringValue};

use super::budget::Budget;
use super::lookup::{Found, Lookup};
use super::source::{Direction, Source};
use crate::float::parse_bound;

/// As what elements are compared, or what they are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Numbers,
    Texts,
}

/// The elements of a range of places, once all are sorted.
pub(super) fn sorted<'s>(
    source: &'s Source,
    (by, order): (Option<&Lookup<'_>>, Order),
    direction: Direction,
    range: Range<usize>,
    budget: &mut Budget,
    ctx: &mut Ctx<'_>,
) -> Result<Vec<Element<'s>>, CmdError> {
    if let Some(lookup) = by {
        let bytes = source.len().saturating_mul(lookup.len());
        budget.take(source.len(), bytes)?;
    }
    let mut name = Vec::new();
    let mut find = |lookup: &Lookup<'_>, element: Element<'s>, budget: &mut Budget| {
        let text = match lookup.find(element, &mut name, &mut ctx.store) {
            Some(Found::String(string)) => Text::of_string(string),
            Some(Found::Field(value)) => Text::Own(Member::from(value)),
            None => Text::Missing,
        };
        budget.take(0, text.bytes().map_or(0, <[u8]>::len))?;
        Ok(text)
    };
    match (by, order) {
        (by, Order::Numbers) => {
            // None of them is NaN.
            let compare = |a: &Row<'s, f64>, b: &Row<'s, f64>| {
                let ordering = a.key.partial_cmp(&b.key).unwrap_or(Ordering::Equal);
                direction.of(ordering.then_with(|| bytes_of(a.element, b.element)))
            };
            let number = |element, budget: &mut Budget| match (by, element) {
                (Some(lookup), element) => find(lookup, element, budget)?.number(),
                (None, Element::Integer(integer)) => Ok(integer as f64),
                (None, Element::Text(bytes)) => Text::Of(bytes).number(),
                (None, Element::Shared(bytes)) => Text::Of(bytes).number(),
            };
            First::new(range, compare).of(source, number, budget)
        }
        (Some(lookup), Order::Texts) => {
            let compare = |a: &Row<'s, Text<'s>>, b: &Row<'s, Text<'s>>| {
                direction.of(a.key.bytes().cmp(&b.key.bytes()))
            };
            let text = |element, budget: &mut Budget| find(lookup, element, budget);
            First::new(range, compare).of(source, text, budget)
        }
        (None, Order::Texts) => {
            // Most of many differ within the first eight bytes, which are compared without a look
            // at the elements themselves.
            let compare = |a: &Row<'s, u64>, b: &Row<'s, u64>| {
                let ordering = a.key.cmp(&b.key);
                direction.of(ordering.then_with(|| bytes_of(a.element, b.element)))
            };
            let head = |element: Element<'s>, _: &mut Budget| Ok(element.with_bytes(head));
            First::new(range, compare).of(source, head, budget)
        }
    }
}

/// An element, and what it is sorted by.
struct Row<'s, K> {
    element: Element<'s>,
    /// Where it was.
    place: usize,
    key: K,
}

/// Up to how many rows more than are asked for are kept.
const ROWS_BESIDE: usize = 1 << 10;

/// The rows that come first in an order. There are never many more than it takes to know which
/// ones that are. Those that are the same stay in their order.
struct First<'s, K, C> {
    rows: Vec<Row<'s, K>>,
    /// The places that are asked for.
    range: Range<usize>,
    compare: C,
    /// The first rows up to the end of the range are those of all so far, the last one at their
    /// end.
    is_cut: bool,
}

impl<'s, K, C: Fn(&Row<'s, K>, &Row<'s, K>) -> Ordering> First<'s, K, C> {
    fn new(range: Range<usize>, compare: C) -> First<'s, K, C> {
        First {
            rows: Vec::new(),
            range,
            compare,
            is_cut: false,
        }
    }

    /// The elements of the range, once all are sorted by what `key` makes of them.
    fn of(
        mut self,
        source: &'s Source,
        mut key: impl FnMut(Element<'s>, &mut Budget) -> Result<K, CmdError>,
        budget: &mut Budget,
    ) -> Result<Vec<Element<'s>>, CmdError> {
        let kept = self.kept_max().min(source.len());
        self.rows.reserve_exact(kept);
        let mut place = 0;
        source.try_for_each(|element| {
            budget.take(0, element.len())?;
            let key = key(element, budget)?;
            self.push(Row {
                element,
                place,
                key,
            });
            place += 1;
            Ok(())
        })?;
        self.cut();
        let compare = self.compare;
        let in_order = |a: &Row<'s, K>, b: &Row<'s, K>| compare(a, b).then(a.place.cmp(&b.place));
        self.rows.sort_unstable_by(in_order);
        let chosen = self.rows.into_iter().skip(self.range.start);
        Ok(chosen.map(|row| row.element).collect())
    }

    fn kept_max(&self) -> usize {
        self.range
            .end
            .saturating_add(self.range.end.max(ROWS_BESIDE))
    }

    fn push(&mut self, row: Row<'s, K>) {
        let last = self.range.end.checked_sub(1);
        let last = last
            .filter(|_| self.is_cut)
            .and_then(|last| self.rows.get(last));
        // What is the same as the last one comes behind it.
        if last.is_some_and(|last| (self.compare)(&row, last).is_ge()) {
            return;
        }
        if self.rows.len() >= self.kept_max() {
            self.cut();
        }
        self.rows.push(row);
    }

    /// Drops what is behind the end of the range.
    fn cut(&mut self) {
        if self.rows.len() <= self.range.end {
            return;
        }
        if let Some(last) = self.range.end.checked_sub(1) {
            let compare = &self.compare;
            self.rows
                .select_nth_unstable_by(last, |a, b| compare(a, b).then(a.place.cmp(&b.place)));
            self.is_cut = true;
        }
        self.rows.truncate(self.range.end);
    }
}

fn bytes_of(a: Element<'_>, b: Element<'_>) -> Ordering {
    let (mut of_a, mut of_b) = (Scratch::new(), Scratch::new());
    a.as_bytes(&mut of_a).cmp(b.as_bytes(&mut of_b))
}

/// What an element is sorted by.
enum Text<'s> {
    /// Nothing that is there: comes before everything, and counts as 0.
    Missing,
    /// The bytes of an element.
    Of(&'s [u8]),
    /// Others, or those of a number.
    Own(Member),
    /// Many bytes, which a key holds.
    String(StringValue),
}

impl Text<'_> {
    fn of_string(string: &StringValue) -> Self {
        match string.heap() {
            Some(_) => Text::String(string.clone()),
            None => string.with_bytes(|bytes| Text::Own(Member::from(Element::Text(bytes)))),
        }
    }

    /// `None` if it is missing.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Text::Missing => None,
            Text::Of(bytes) => Some(bytes),
            Text::Own(bytes) => Some(bytes.as_bytes()),
            Text::String(string) => string.heap(),
        }
    }

    fn number(&self) -> Result<f64, CmdError> {
        let number = self.bytes().map_or(Some(0.0), parse_bound);
        number.ok_or(CmdError::SortNeedsNumbers)
    }
}
