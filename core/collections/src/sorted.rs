//! Texts in an order that the caller defines: what sorted sets are made of.
//!
//! A text is found by its place in the order or by its rank, its rank is known, and it is put in or
//! taken out, each at the cost of the way through a few nodes. The order is a property of the type
//! ([`Order`]): a sorted set has a score in front of each member. A clone is one pointer, and a
//! later write copies one page and the nodes above it.

use std::cmp::Ordering;
use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::counted::{Run, ToBound, ToElement, Tree, Walk};
use crate::key::Key;
use crate::packed::{Bounds, Elements, New};

/// An order of texts.
pub trait Order: 'static {
    /// How one text compares with another. Equal are only those that are the same.
    fn compare(one: &[u8], other: &[u8]) -> Ordering;
}

/// The order of bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByBytes;

impl Order for ByBytes {
    #[inline]
    fn compare(one: &[u8], other: &[u8]) -> Ordering {
        one.cmp(other)
    }
}

/// Texts in order, each of them once.
pub struct Sorted<O> {
    runs: Tree<Elements<Searched>>,
    /// What the texts take in their pages.
    bytes: usize,
    order: PhantomData<O>,
}

/// Runs are found by their first text.
#[derive(Clone)]
struct Searched;

impl Bounds for Searched {
    type Bound = Key;

    /// Half a page of a list: texts are put in anywhere, which moves those behind them.
    const PAGE_BYTES_MAX: usize = 4072;

    fn bound(first: &[u8]) -> Key {
        Key::from(first)
    }
}

impl<O> Clone for Sorted<O> {
    fn clone(&self) -> Self {
        Sorted {
            runs: self.runs.clone(),
            ..*self
        }
    }
}

impl<O> Default for Sorted<O> {
    fn default() -> Self {
        Sorted {
            runs: Tree::new(),
            bytes: 0,
            order: PhantomData,
        }
    }
}

impl<O: Order> Sorted<O> {
    /// No texts.
    pub fn new() -> Self {
        Sorted::default()
    }

    /// Puts a text in; says whether it is new.
    pub fn insert(&mut self, text: &[u8]) -> bool {
        let element = New::text(text);
        let bytes = match &element {
            New::Packed(item) => item.cost(),
            New::Shared(bytes) => bytes.len(),
        };
        if self.is_empty() {
            self.runs.begin(Elements::new(element));
            self.bytes = bytes;
            return true;
        }
        let mut way = ToBound(|bound: &Key| O::compare(bound, text).is_le());
        let is_new = self
            .runs
            .edit(&mut way, |run, _, edges| match search::<O>(run, text) {
                Ok(_) => (false, SmallVec::new()),
                Err(at) => (true, run.insert(at, element, edges)),
            });
        let is_new = is_new == Some(true);
        self.bytes += if is_new { bytes } else { 0 };
        is_new
    }

    /// Takes a text out; says whether it was there.
    pub fn remove(&mut self, text: &[u8]) -> bool {
        let mut way = ToBound(|bound: &Key| O::compare(bound, text).is_le());
        let removed = self.runs.edit(&mut way, |run, _, _| {
            let found = search::<O>(run, text).ok();
            (found.map(|at| run.remove(at, 1)), SmallVec::new())
        });
        let bytes = removed.flatten();
        self.bytes -= bytes.unwrap_or(0);
        bytes.is_some()
    }

    /// Takes out the texts of the ranks from `from` on, before `to`.
    pub fn remove_ranks(&mut self, from: usize, to: usize) {
        let mut left = to.min(self.len()).saturating_sub(from);
        while left > 0 {
            let removed = self.runs.edit(&mut ToElement(from), |run, way, _| {
                let count = left.min(run.len() - way.0);
                ((count, run.remove(way.0, count)), SmallVec::new())
            });
            let Some((count, bytes)) = removed else {
                return;
            };
            self.bytes -= bytes;
            left -= count;
        }
    }

    /// Frees texts from the first on, about as many bytes as this, and returns whether there are
    /// more: a large collection is dropped in steps.
    pub fn shed(&mut self, bytes: usize) -> bool {
        let mut freed = 0;
        while freed < bytes
            && let Some(run) = self.runs.take_first()
        {
            freed += run.heap_bytes();
            self.bytes -= run.bytes();
        }
        !self.is_empty()
    }

    /// The number of texts.
    #[inline]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many texts are before this one, which need not be there: its rank if it is.
    pub fn rank(&self, text: &[u8]) -> Result<usize, usize> {
        let found = self.runs.run_to(|bound| O::compare(bound, text).is_le());
        let Some((run, start)) = found else {
            return Err(0);
        };
        match search::<O>(run, text) {
            Ok(at) => Ok(start + at),
            Err(at) => Err(start + at),
        }
    }

    /// How many texts from the first on are before a point in the order: `is_before` says so of
    /// each, and of none after one of which it does not.
    pub fn rank_by(&self, is_before: impl Fn(&[u8]) -> bool) -> usize {
        let Some((run, start)) = self.runs.run_to(|bound| is_before(bound)) else {
            return 0;
        };
        start + partition(run, is_before)
    }

    /// The text of this rank.
    #[inline]
    pub fn get(&self, rank: usize) -> Option<&[u8]> {
        self.runs.run_at(rank).map(|(run, at)| run.text(at))
    }

    /// The texts of the ranks from `from` on, before `to`, in both directions.
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        Range(Walk::new(&self.runs, from, to))
    }

    /// All texts in both directions.
    pub fn iter(&self) -> Range<'_> {
        self.range(0, self.len())
    }

    /// Memory on the heap, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        self.runs.heap_bytes()
    }

    /// About how many bytes are freed with it, without a walk.
    pub fn weight(&self) -> usize {
        self.bytes
    }
}

/// Where a text is in a run, or where it would be.
fn search<O: Order>(run: &Elements<Searched>, text: &[u8]) -> Result<usize, usize> {
    let at = partition(run, |other| O::compare(other, text).is_lt());
    if at < run.len() && run.text(at) == text {
        Ok(at)
    } else {
        Err(at)
    }
}

/// How many texts of a run are before a point in the order.
#[inline]
fn partition(run: &Elements<Searched>, is_before: impl Fn(&[u8]) -> bool) -> usize {
    let (mut low, mut high) = (0, run.len());
    while low < high {
        let middle = (low + high) / 2;
        if is_before(run.text(middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Texts of a [`Sorted`] in both directions.
#[derive(Clone)]
pub struct Range<'a>(Walk<'a, Elements<Searched>>);

impl<'a> Iterator for Range<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next().map(|(run, at)| run.text(at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(run, at)| run.text(at))
    }
}

impl ExactSizeIterator for Range<'_> {}

impl<O: Order> std::fmt::Debug for Sorted<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl std::fmt::Debug for Range<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests;
