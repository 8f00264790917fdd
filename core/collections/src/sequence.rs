//! A sequence of elements in pages: what lists are made of.
//!
//! Elements are put in and taken out at both ends at the cost of a page, and anywhere else at the
//! cost of the way there. Pages are full where a sequence has grown at its ends. A clone is one
//! pointer, and a later write copies one page and the nodes above it.

use crate::counted::{Run, ToElement, ToGap, Tree, Walk};
use crate::element::{Element, Shared};
use crate::packed::{Bounds, Elements, Kept, New};
use crate::page::Item;

/// Elements in the order in which they were put.
#[derive(Clone, Default)]
pub struct Sequence {
    runs: Tree<Elements<Unsearched>>,
    /// What the elements take in their pages.
    bytes: usize,
}

/// Nothing is searched for, so that runs need no bounds.
#[derive(Clone)]
struct Unsearched;

impl Bounds for Unsearched {
    type Bound = ();

    /// With its head, a page is one and a half pages of memory: a write copies two at most.
    const PAGE_BYTES_MAX: usize = 6120;

    fn bound(_: &[u8]) {}
}

impl Sequence {
    /// No elements.
    pub const fn new() -> Self {
        Sequence {
            runs: Tree::new(),
            bytes: 0,
        }
    }

    /// Puts an element in front of all others.
    pub fn push_front(&mut self, bytes: &[u8]) {
        self.insert(0, bytes);
    }

    /// Puts an element behind all others.
    pub fn push_back(&mut self, bytes: &[u8]) {
        self.insert(self.len(), bytes);
    }

    /// Puts an element before the one that is at `index`; at the end if there is none.
    pub fn insert(&mut self, index: usize, bytes: &[u8]) {
        self.put(index, New::element(bytes), bytes.len());
    }

    /// The same with bytes that are shared: they are referred to.
    pub fn insert_shared(&mut self, index: usize, bytes: Shared) {
        let len = bytes.len();
        self.put(index, New::Shared(bytes), len);
    }

    /// Puts an element in the place of the one at `index`; says whether there was one.
    pub fn set(&mut self, index: usize, bytes: &[u8]) -> bool {
        if index >= self.len() {
            return false;
        }
        let element = New::element(bytes);
        let replaced = self.runs.edit(&mut ToElement(index), |run, way, _| {
            let before = run.fill();
            let done = run.replace(way.0, &element);
            (
                done.then(|| run.fill().wrapping_sub(before)),
                smallvec::SmallVec::new(),
            )
        });
        match replaced.flatten() {
            Some(grown) => self.bytes = self.bytes.wrapping_add(grown),
            None => {
                self.remove(index, index + 1);
                self.put(index, element, bytes.len());
            }
        }
        true
    }

    /// Takes out the elements from `from` on, before `to`.
    pub fn remove(&mut self, from: usize, to: usize) {
        let mut left = to.min(self.len()).saturating_sub(from);
        while left > 0 {
            let removed = self.runs.edit(&mut ToElement(from), |run, way, _| {
                let count = left.min(run.len() - way.0);
                let bytes = run.remove(way.0, count);
                ((count, bytes), smallvec::SmallVec::new())
            });
            let Some((count, bytes)) = removed else {
                return;
            };
            self.bytes -= bytes;
            left -= count;
        }
    }

    /// Frees elements from the front on, about as many bytes as this, and returns whether there are
    /// more: a large sequence is dropped in steps.
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

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        self.runs.run_at(index).map(|(run, at)| element(run, at))
    }

    /// The elements from `from` on, before `to`, in both directions.
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        Range(Walk::new(&self.runs, from, to))
    }

    /// All elements in both directions.
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

    fn put(&mut self, index: usize, element: New<'_>, len: usize) {
        self.bytes += match &element {
            New::Packed(item) => item.cost(),
            New::Shared(_) => len,
        };
        let index = index.min(self.len());
        if self.is_empty() {
            self.runs.begin(Elements::new(element));
            return;
        }
        self.runs.edit(&mut ToGap(index), |run, way, edges| {
            ((), run.insert(way.0, element, edges))
        });
    }
}

#[inline]
fn element(run: &Elements<Unsearched>, at: usize) -> Element<'_> {
    match run.kept() {
        Kept::Page(page) => match page.get(at) {
            Item::Text(bytes) => Element::Text(bytes),
            Item::Integer(integer) => Element::Integer(integer),
            Item::Place(_) => unreachable!("none is put in"),
        },
        Kept::Shared(bytes) => Element::Shared(bytes),
    }
}

/// Elements of a [`Sequence`] in both directions.
#[derive(Clone)]
pub struct Range<'a>(Walk<'a, Elements<Unsearched>>);

impl<'a> Iterator for Range<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        self.0.next().map(|(run, at)| element(run, at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(run, at)| element(run, at))
    }
}

impl ExactSizeIterator for Range<'_> {}

impl std::fmt::Debug for Sequence {
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
