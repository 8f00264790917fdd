//! Putting elements in order.

use std::cmp::Ordering;
use std::ops::Range;

use collections::{Element, head};
use engine::command::Ctx;
use engine::error::CmdError;
use values::{Member, Scratch, StringValue};

use super::budget::Budget;
use super::lookup::{Found, Lookup};
use crate::float::parse_bound;

/// As what elements are compared, or what they are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Numbers,
    Texts,
}

/// Which come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

impl Direction {
    fn of(self, ordering: Ordering) -> Ordering {
        match self {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

/// The elements of a range of places, once all are sorted.
pub(super) fn sorted<'s>(
    elements: Vec<Element<'s>>,
    (by, order): (Option<&Lookup<'_>>, Order),
    direction: Direction,
    range: Range<usize>,
    budget: &mut Budget,
    ctx: &mut Ctx<'_>,
) -> Result<Vec<Element<'s>>, CmdError> {
    if let (None, Order::Texts) = (by, order) {
        return Ok(sorted_texts(elements, direction, range));
    }
    if let Some(lookup) = by {
        let bytes = elements.len().saturating_mul(lookup.len());
        budget.take(elements.len(), bytes)?;
    }
    let mut find = |element: &Element<'s>| -> Result<Text<'s>, CmdError> {
        let Some(lookup) = by else {
            return Ok(Text::of(*element));
        };
        let text = match lookup.find(*element, &mut ctx.store) {
            Some(Found::String(string)) => Text::of_string(string),
            Some(Found::Field(value)) => Text::Own(Member::from(value)),
            None => Text::Missing,
        };
        budget.take(0, text.bytes().map_or(0, <[u8]>::len))?;
        Ok(text)
    };
    match order {
        Order::Numbers => {
            let number = |element| find(element)?.number();
            let numbers: Result<Vec<f64>, CmdError> = elements.iter().map(number).collect();
            let compare = |a: &Row<'s, f64>, b: &Row<'s, f64>| {
                // None of them is NaN.
                let ordering = a.key.partial_cmp(&b.key).unwrap_or(Ordering::Equal);
                direction.of(ordering.then_with(|| bytes_of(a.element, b.element)))
            };
            Ok(first_rows(rows(elements, numbers?), range, compare))
        }
        Order::Texts => {
            let texts: Result<Vec<Text<'s>>, CmdError> = elements.iter().map(find).collect();
            let compare = |a: &Row<'s, Text<'s>>, b: &Row<'s, Text<'s>>| {
                direction.of(a.key.bytes().cmp(&b.key.bytes()))
            };
            Ok(first_rows(rows(elements, texts?), range, compare))
        }
    }
}

/// The same of elements that are sorted by their own texts. Most of many differ within the first
/// eight bytes, which are compared without a look at the elements themselves.
fn sorted_texts<'s>(
    elements: Vec<Element<'s>>,
    direction: Direction,
    range: Range<usize>,
) -> Vec<Element<'s>> {
    let heads: Vec<u64> = elements.iter().map(|it| it.with_bytes(head)).collect();
    let compare = |a: &Row<'s, u64>, b: &Row<'s, u64>| {
        let ordering = a.key.cmp(&b.key);
        direction.of(ordering.then_with(|| bytes_of(a.element, b.element)))
    };
    first_rows(rows(elements, heads), range, compare)
}

/// An element, and what it is sorted by.
struct Row<'s, K> {
    element: Element<'s>,
    /// Where it was.
    place: usize,
    key: K,
}

fn rows<'s, K>(elements: Vec<Element<'s>>, keys: Vec<K>) -> Vec<Row<'s, K>> {
    let rows = elements.into_iter().zip(keys).enumerate();
    rows.map(|(place, (element, key))| Row {
        element,
        place,
        key,
    })
    .collect()
}

/// Sorts as much as it takes to know the elements of a range of places. Those that are the same
/// stay in their order.
fn first_rows<'s, K>(
    mut rows: Vec<Row<'s, K>>,
    range: Range<usize>,
    compare: impl Fn(&Row<'s, K>, &Row<'s, K>) -> Ordering,
) -> Vec<Element<'s>> {
    let compare = |a: &Row<'s, K>, b: &Row<'s, K>| compare(a, b).then(a.place.cmp(&b.place));
    if let Some(last) = range.end.checked_sub(1)
        && range.end < rows.len()
    {
        rows.select_nth_unstable_by(last, compare);
    }
    rows.truncate(range.end);
    rows.sort_unstable_by(compare);
    let chosen = rows.into_iter().skip(range.start);
    chosen.map(|row| row.element).collect()
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

impl<'s> Text<'s> {
    fn of(element: Element<'s>) -> Text<'s> {
        match element {
            Element::Text(bytes) => Text::Of(bytes),
            Element::Shared(bytes) => Text::Of(bytes),
            Element::Integer(_) => Text::Own(Member::from(element)),
        }
    }

    fn of_string(string: &StringValue) -> Text<'s> {
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
