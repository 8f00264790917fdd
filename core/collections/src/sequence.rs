//! A sequence of elements in pages: what lists are made of.
//!
//! Elements are put in and taken out at both ends at the cost of a page, and anywhere else at the
//! cost of the way there. Pages are full where a sequence has grown at its ends. A small sequence
//! is one page and nothing else. A clone is one pointer, and a later write copies one page and the
//! nodes above it.

use smallvec::SmallVec;
use triomphe::Arc;

use crate::counted::{Run, ToElement, ToGap, Tree, Walk};
use crate::element::{Element, SHARED_BYTES_MIN, Shared};
use crate::map::{Copied, Longs};
use crate::packed::{Bounds, Elements, Kept, New};
use crate::page::{Item, Items, Packed, Page};

/// Elements in the order in which they were put.
#[derive(Clone)]
pub struct Sequence(Repr);

/// The number is for the owner ([`Sequence::note`]); pages and what is large have their own.
#[derive(Clone)]
enum Repr {
    Empty(u32),
    /// Short elements that fit into a page.
    Small(Page),
    Large(Arc<Large>),
}

// A value of a key has no more room.
const _: () = assert!(size_of::<Sequence>() == 16);

/// Elements in several pages.
#[derive(Clone, Default)]
struct Large {
    runs: Tree<Elements<Unsearched>>,
    /// What the elements take in their pages.
    bytes: usize,
    note: u32,
}

/// An edge of a sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Front,
    Back,
}

impl Edge {
    /// Where this edge of so many elements is.
    #[inline]
    fn gap(self, len: usize) -> usize {
        match self {
            Edge::Front => 0,
            Edge::Back => len,
        }
    }
}

/// Nothing is searched for, so that runs need no bounds.
#[derive(Clone)]
struct Unsearched;

impl Bounds for Unsearched {
    type Bound = ();
    type Long = Shared;

    /// With its head, a page is one and a half pages of memory: a write copies two at most.
    const PAGE_BYTES_MAX: usize = 6120;

    fn bound(_: &Page) {}

    fn bound_of_long(_: &Shared) {}
}

impl Default for Sequence {
    fn default() -> Self {
        Sequence::new()
    }
}

impl Sequence {
    /// No elements.
    pub const fn new() -> Self {
        Sequence(Repr::Empty(0))
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
        self.insert_with(index, Element::of(bytes), &mut Copied);
    }

    /// The same with long elements from elsewhere.
    #[inline]
    pub fn insert_with(&mut self, index: usize, element: Element<'_>, longs: &mut impl Longs) {
        self.put(index, new_element(element, longs));
    }

    /// Puts elements in front of all others, one after the other, so that the last is the first.
    pub fn push_each_front<'e>(
        &mut self,
        elements: impl Iterator<Item = Element<'e>>,
        longs: &mut impl Longs,
    ) {
        self.push_each(Edge::Front, elements, longs);
    }

    /// Puts elements behind all others.
    pub fn push_each_back<'e>(
        &mut self,
        elements: impl Iterator<Item = Element<'e>>,
        longs: &mut impl Longs,
    ) {
        self.push_each(Edge::Back, elements, longs);
    }

    /// Puts an element in the place of the one at `index`; says whether there was one.
    pub fn set(&mut self, index: usize, bytes: &[u8]) -> bool {
        self.set_with(index, Element::of(bytes), &mut Copied)
    }

    /// The same with long elements from elsewhere, and for one that goes.
    pub fn set_with(&mut self, index: usize, element: Element<'_>, longs: &mut impl Longs) -> bool {
        if index >= self.len() {
            return false;
        }
        let element = new_element(element, longs);
        let is_replaced = match (&mut self.0, &element) {
            (Repr::Small(page), New::Packed(item)) => {
                let items = std::slice::from_ref(item);
                let fits = page.cost_after(index, 1, items) <= Unsearched::PAGE_BYTES_MAX;
                if fits {
                    page.splice(index, 1, items);
                }
                fits
            }
            (Repr::Large(large), _) => Arc::make_mut(large).replace(index, &element),
            (Repr::Small(_), New::Long(_)) | (Repr::Empty(_), _) => false,
        };
        if !is_replaced {
            self.put(index, element);
            self.remove_with(index + 1, index + 2, longs);
        }
        true
    }

    /// Takes out the elements from `from` on, before `to`.
    pub fn remove(&mut self, from: usize, to: usize) {
        self.remove_with(from, to, &mut Copied);
    }

    /// The same for long elements that go.
    pub fn remove_with(&mut self, from: usize, to: usize, longs: &mut impl Longs) {
        let to = to.min(self.len());
        if from >= to {
            return;
        }
        match &mut self.0 {
            Repr::Empty(_) => {}
            Repr::Small(page) if to - from == page.len() => self.0 = Repr::Empty(page.note()),
            Repr::Small(page) => page.splice(from, to - from, &[]),
            Repr::Large(large) => {
                Arc::make_mut(large).remove(from, to, longs);
                if large.runs.len() == 0 {
                    self.0 = Repr::Empty(large.note);
                } else if let Some(Kept::Page(page)) = large.runs.only().map(Elements::kept)
                    && page.cost() <= Unsearched::PAGE_BYTES_MAX / 2
                {
                    let (note, mut page) = (large.note, page.clone());
                    page.set_note(note);
                    self.0 = Repr::Small(page);
                }
            }
        }
    }

    /// Frees elements from the front on, about as many bytes as this, and returns whether there are
    /// more: a large sequence is dropped in steps.
    pub fn shed(&mut self, bytes: usize) -> bool {
        let mut freed = 0;
        while freed < bytes
            && let Repr::Large(large) = &mut self.0
            && let Some(run) = Arc::make_mut(large).take_first()
        {
            freed += run.heap_bytes();
        }
        let is_more = freed >= bytes && !self.is_empty();
        if !is_more {
            self.0 = Repr::Empty(self.note());
        }
        is_more
    }

    /// What its owner has noted about it; 0 at first.
    #[inline]
    pub fn note(&self) -> u32 {
        match &self.0 {
            Repr::Empty(note) => *note,
            Repr::Large(large) => large.note,
            Repr::Small(page) => page.note(),
        }
    }

    /// Notes something about it.
    #[inline]
    pub fn set_note(&mut self, new: u32) {
        match &mut self.0 {
            Repr::Empty(note) => *note = new,
            Repr::Large(large) if large.note == new => {}
            Repr::Large(large) => Arc::make_mut(large).note = new,
            Repr::Small(page) => page.set_note(new),
        }
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Empty(_) => 0,
            Repr::Small(page) => page.len(),
            Repr::Large(large) => large.runs.len(),
        }
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Repr::Empty(_))
    }

    /// The element at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        match &self.0 {
            Repr::Empty(_) => None,
            Repr::Small(page) => (index < page.len()).then(|| of_page(page, index)),
            Repr::Large(large) => large.runs.run_at(index).map(|(run, at)| of_run(run, at)),
        }
    }

    /// The elements from `from` on, before `to`, in both directions.
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        let to = to.min(self.len());
        let from = from.min(to);
        match &self.0 {
            Repr::Empty(_) => Range::EMPTY,
            Repr::Small(page) => Range::of_page(page, from, to),
            Repr::Large(large) => Range {
                walk: Some(Walk::new(&large.runs, from, to)),
                ..Range::EMPTY
            },
        }
    }

    /// All elements in both directions.
    pub fn iter(&self) -> Range<'_> {
        self.range(0, self.len())
    }

    /// Memory on the heap, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Empty(_) => 0,
            Repr::Small(page) => page.heap_bytes(),
            Repr::Large(large) => size_of::<usize>() + size_of::<Large>() + large.runs.heap_bytes(),
        }
    }

    /// About how many bytes are freed with it, without a walk.
    #[inline]
    pub fn weight(&self) -> usize {
        match &self.0 {
            Repr::Empty(_) => 0,
            Repr::Small(page) => page.cost(),
            Repr::Large(large) => large.bytes,
        }
    }

    fn put(&mut self, index: usize, element: New<'_, Shared>) {
        match (&mut self.0, &element) {
            (Repr::Empty(note), New::Packed(item)) => {
                let mut page = Page::of(std::slice::from_ref(item));
                page.set_note(*note);
                self.0 = Repr::Small(page);
                return;
            }
            (Repr::Small(page), New::Packed(item)) => {
                let index = index.min(page.len());
                let items = std::slice::from_ref(item);
                if page.cost() + item.cost() <= Unsearched::PAGE_BYTES_MAX {
                    page.splice(index, 0, items);
                    return;
                }
            }
            (Repr::Large(_), _) | (Repr::Empty(_) | Repr::Small(_), New::Long(_)) => {}
        }
        Arc::make_mut(self.grown()).put(index, element);
    }

    /// Short elements go in a page at a time: first as many as the page at the edge has room for.
    fn push_each<'e>(
        &mut self,
        edge: Edge,
        elements: impl Iterator<Item = Element<'e>>,
        longs: &mut impl Longs,
    ) {
        let (mut items, mut bytes, mut room) = (Vec::new(), 0, self.room_at(edge));
        for element in elements {
            let element = new_element(element, longs);
            let cost = match &element {
                New::Packed(item) => item.cost(),
                New::Long(_) => usize::MAX,
            };
            if cost > room - bytes {
                self.push_page(edge, &mut items);
                (bytes, room) = (0, Unsearched::PAGE_BYTES_MAX);
            }
            match element {
                New::Packed(item) => {
                    items.push(item);
                    bytes += cost;
                }
                New::Long(_) => self.put(edge.gap(self.len()), element),
            }
        }
        self.push_page(edge, &mut items);
    }

    /// What the page at the edge has room for.
    fn room_at(&self, edge: Edge) -> usize {
        let fill = match &self.0 {
            Repr::Empty(_) => 0,
            Repr::Small(page) => page.cost(),
            Repr::Large(large) => {
                let last = large.runs.len().saturating_sub(1);
                let run = large.runs.run_at(edge.gap(last));
                run.map_or(0, |(run, _)| run.fill())
            }
        };
        Unsearched::PAGE_BYTES_MAX.saturating_sub(fill)
    }

    /// Puts short elements in at an edge, all of them into the page that is there if it has room,
    /// or else into one of their own; none are left.
    fn push_page(&mut self, edge: Edge, items: &mut Vec<Packed<'_>>) {
        if items.is_empty() {
            return;
        }
        if edge == Edge::Front {
            items.reverse();
        }
        let bytes: usize = items.iter().map(Packed::cost).sum();
        let has_room = bytes <= self.room_at(edge);
        match &mut self.0 {
            Repr::Empty(note) => {
                let mut page = Page::of(items);
                page.set_note(*note);
                self.0 = Repr::Small(page);
            }
            Repr::Small(page) if has_room => page.splice(edge.gap(page.len()), 0, items),
            Repr::Small(_) | Repr::Large(_) => {
                Arc::make_mut(self.grown()).push_page(edge, items, bytes, has_room);
            }
        }
        items.clear();
    }

    /// The same elements, from now on with room for several pages.
    #[cold]
    #[inline(never)]
    fn make_large(&mut self) {
        let mut large = Large {
            note: self.note(),
            ..Large::default()
        };
        if let Repr::Small(page) = &self.0 {
            large.bytes = page.cost();
            large.runs.begin(Elements::of(page.clone()));
        }
        self.0 = Repr::Large(Arc::new(large));
    }

    fn grown(&mut self) -> &mut Arc<Large> {
        if !matches!(self.0, Repr::Large(_)) {
            self.make_large();
        }
        match &mut self.0 {
            Repr::Large(large) => large,
            Repr::Empty(_) | Repr::Small(_) => unreachable!("it was just made large"),
        }
    }
}

impl Large {
    fn put(&mut self, index: usize, element: New<'_, Shared>) {
        self.bytes += match &element {
            New::Packed(item) => item.cost(),
            New::Long(bytes) => bytes.len(),
        };
        if self.runs.len() == 0 {
            self.runs.begin(Elements::new(element));
            return;
        }
        let index = index.min(self.runs.len());
        self.runs.edit(&mut ToGap(index), |run, way, edges| {
            ((), run.insert(way.0, element, edges))
        });
    }

    /// Puts short elements of this many bytes in at an edge, into the page there if it `has_room`.
    fn push_page(&mut self, edge: Edge, items: &[Packed<'_>], bytes: usize, has_room: bool) {
        self.bytes += bytes;
        let gap = edge.gap(self.runs.len());
        self.runs.edit(&mut ToGap(gap), |run, way, _| {
            if has_room {
                run.insert_all(way.0, items);
                return ((), SmallVec::new());
            }
            let mut beside = Elements::of(Page::of(items));
            if edge == Edge::Front {
                std::mem::swap(run, &mut beside);
            }
            ((), SmallVec::from_iter([beside]))
        });
    }

    /// Puts an element in the place of another, if both are short and there is room.
    fn replace(&mut self, index: usize, element: &New<'_, Shared>) -> bool {
        let replaced = self.runs.edit(&mut ToElement(index), |run, way, _| {
            let before = run.fill();
            let is_done = run.replace(way.0, element);
            let grown = run.fill().wrapping_sub(before);
            (is_done.then_some(grown), SmallVec::new())
        });
        let Some(grown) = replaced.flatten() else {
            return false;
        };
        self.bytes = self.bytes.wrapping_add(grown);
        true
    }

    fn remove(&mut self, from: usize, to: usize, longs: &mut impl Longs) {
        let mut left = to - from;
        while left > 0 {
            let removed = self.runs.edit(&mut ToElement(from), |run, way, _| {
                if let Kept::Long(bytes) = run.kept() {
                    longs.gone(bytes.clone());
                }
                let count = left.min(run.len() - way.0);
                let bytes = run.remove(way.0, count);
                ((count, bytes), SmallVec::new())
            });
            let Some((count, bytes)) = removed else {
                return;
            };
            self.bytes -= bytes;
            left -= count;
        }
    }

    fn take_first(&mut self) -> Option<Elements<Unsearched>> {
        let run = self.runs.take_first()?;
        self.bytes -= run.bytes();
        Some(run)
    }
}

#[inline]
fn new_element<'a>(element: Element<'a>, longs: &mut impl Longs) -> New<'a, Shared> {
    match element {
        Element::Integer(integer) => New::Packed(Item::Integer(integer).pack()),
        Element::Text(bytes) if bytes.len() < SHARED_BYTES_MIN => {
            New::Packed(Item::Text(bytes).pack())
        }
        Element::Text(bytes) => New::Long(longs.come(bytes)),
        Element::Shared(bytes) => New::Long(bytes.clone()),
    }
}

#[inline]
fn of_run(run: &Elements<Unsearched>, at: usize) -> Element<'_> {
    match run.kept() {
        Kept::Page(page) => of_page(page, at),
        Kept::Long(bytes) => Element::Shared(bytes),
    }
}

#[inline]
fn of_page(page: &Page, at: usize) -> Element<'_> {
    element(page.get(at))
}

#[inline(always)]
fn element(item: Item<'_>) -> Element<'_> {
    match item {
        Item::Text(bytes) => Element::Text(bytes),
        Item::Integer(integer) => Element::Integer(integer),
        Item::Place(_) => unreachable!("none is put in"),
    }
}

/// Elements of a [`Sequence`] in both directions.
#[derive(Clone)]
pub struct Range<'a> {
    /// The next of them that are in one page,
    front: Items<'a>,
    /// those behind,
    walk: Option<Walk<'a, Elements<Unsearched>>>,
    /// and the last that are in one page.
    back: Items<'a>,
}

impl<'a> Range<'a> {
    fn of_page(page: &'a Page, from: usize, to: usize) -> Range<'a> {
        Range {
            front: page.content().items(from, to),
            ..Range::EMPTY
        }
    }

    const EMPTY: Range<'static> = Range {
        front: Items::NONE,
        walk: None,
        back: Items::NONE,
    };

    /// Continues behind a page.
    #[inline(never)]
    fn next_in_other_run(&mut self) -> Option<Element<'a>> {
        while let Some((run, from, to)) = self.walk.as_mut().and_then(Walk::next_run) {
            match run.kept() {
                Kept::Page(page) => self.front = page.content().items(from, to),
                Kept::Long(bytes) => return Some(Element::Shared(bytes)),
            }
            if let Some(item) = self.front.next() {
                return Some(element(item));
            }
        }
        self.back.next().map(element)
    }

    /// Continues before a page.
    #[inline(never)]
    fn next_back_in_other_run(&mut self) -> Option<Element<'a>> {
        while let Some((run, from, to)) = self.walk.as_mut().and_then(Walk::next_run_back) {
            match run.kept() {
                Kept::Page(page) => self.back = page.content().items(from, to),
                Kept::Long(bytes) => return Some(Element::Shared(bytes)),
            }
            if let Some(item) = self.back.next_back() {
                return Some(element(item));
            }
        }
        self.front.next_back().map(element)
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Element<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Element<'a>> {
        match self.front.next() {
            Some(item) => Some(element(item)),
            None => self.next_in_other_run(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let in_walk = self.walk.as_ref().map_or(0, Walk::len);
        let left = self.front.len() + in_walk + self.back.len();
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline(always)]
    fn next_back(&mut self) -> Option<Self::Item> {
        match self.back.next_back() {
            Some(item) => Some(element(item)),
            None => self.next_back_in_other_run(),
        }
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
