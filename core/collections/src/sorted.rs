//! Texts in an order that the caller defines: what sorted sets are made of.
//!
//! A text is found by its place in the order or by its rank, its rank is known, and it is put in or
//! taken out, each at the cost of the way through a few nodes. The order is a property of the type
//! ([`Order`]): a sorted set has a score in front of each member. What is long behind such a head
//! is shared with whoever else has it. A clone is one pointer, and a later write copies one page
//! and the nodes above it.

mod text;

use std::cmp::Ordering;
use std::hint::black_box;
use std::marker::PhantomData;

use smallvec::SmallVec;
use triomphe::Arc;

use crate::counted::{Run, ToBound, ToBoundBelow, ToElement, Tree, Walk};
use crate::element::SHARED_BYTES_MIN;
use crate::packed::{Bounds, Elements, Kept, New};
use crate::page::{Item, Packed, Page};

use text::Bound;

pub use text::{LongText, Text};

/// An order of texts.
pub trait Order: 'static {
    /// A text that others are compared with.
    type Point<'a>: Copy;

    /// Gets a text ready to be compared with several.
    fn point(text: &[u8]) -> Self::Point<'_>;

    /// How a text compares with another. Equal are only those that are the same.
    fn compare(text: Text<'_>, point: Self::Point<'_>) -> Ordering;

    /// The same of a long one.
    fn point_of_long(text: &LongText) -> Self::Point<'_>;

    /// How many of the first bytes of a long text are kept apart from the others.
    fn head_len(text: &[u8]) -> usize;
}

/// The order of bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByBytes;

impl Order for ByBytes {
    type Point<'a> = &'a [u8];

    #[inline]
    fn point(text: &[u8]) -> &[u8] {
        text
    }

    #[inline]
    fn compare(text: Text<'_>, point: &[u8]) -> Ordering {
        match text {
            Text::Whole(bytes) => bytes.cmp(point),
            // It has no head.
            Text::Long(text) => text.rest().as_slice().cmp(point),
        }
    }

    fn point_of_long(text: &LongText) -> &[u8] {
        text.rest()
    }

    fn head_len(_: &[u8]) -> usize {
        0
    }
}

/// Texts in order, each of them once. Few of them are a single page.
pub struct Sorted<O>(Repr, PhantomData<O>);

#[derive(Clone)]
enum Repr {
    Empty,
    Small(Page),
    Large(Arc<Large>),
}

#[derive(Clone)]
struct Large {
    runs: Tree<Elements<Searched>>,
    /// What the texts take in their pages.
    bytes: usize,
}

// A value of a key has no more room.
const _: () = assert!(size_of::<Sorted<ByBytes>>() == 16);

/// Runs are found by their first text.
#[derive(Clone)]
struct Searched;

impl Bounds for Searched {
    type Bound = Bound;
    type Long = Arc<LongText>;

    /// A third of a page of a list: texts are put in anywhere, which moves those behind them, and
    /// are searched for, which reads lines of memory all over the page.
    const PAGE_BYTES_MAX: usize = 2024;

    fn bound(page: &Page) -> Bound {
        Bound::of(page.text(0))
    }

    fn bound_of_long(long: &Arc<LongText>) -> Bound {
        Bound::Long(long.clone())
    }
}

impl<O> Clone for Sorted<O> {
    fn clone(&self) -> Self {
        Sorted(self.0.clone(), PhantomData)
    }
}

impl<O> Default for Sorted<O> {
    fn default() -> Self {
        Sorted::new()
    }
}

impl<O> Sorted<O> {
    /// No texts, and no memory of its own.
    pub const fn new() -> Self {
        Sorted(Repr::Empty, PhantomData)
    }
}

impl<O: Order> Sorted<O> {
    /// Puts a text in; says whether it is new.
    pub fn insert(&mut self, text: &[u8]) -> bool {
        if text.len() >= SHARED_BYTES_MIN {
            let (head, rest) = text.split_at(O::head_len(text).min(text.len()));
            return self.insert_long(LongText::new(head, Arc::new(rest.to_vec())));
        }
        let item = Item::Text(text).pack();
        let items = std::slice::from_ref(&item);
        match &mut self.0 {
            Repr::Empty => {
                self.0 = Repr::Small(Page::of(items));
                return true;
            }
            Repr::Small(page) => match search::<O>(page, O::point(text)) {
                Ok(_) => return false,
                Err(at) if page.cost_after(at, 0, items) <= Searched::PAGE_BYTES_MAX => {
                    page.splice(at, 0, items);
                    return true;
                }
                Err(_) => {}
            },
            Repr::Large(_) => {}
        }
        let large = self.grown();
        large.insert::<O>(O::point(text), New::Packed(item))
    }

    /// The same of a long text, most of which is shared.
    pub fn insert_long(&mut self, text: LongText) -> bool {
        let text = Arc::new(text);
        let point = O::point_of_long(&text);
        self.grown().insert::<O>(point, New::Long(text.clone()))
    }

    /// Takes a text out; says whether it was there.
    pub fn remove(&mut self, text: &[u8]) -> bool {
        self.remove_at(O::point(text))
    }

    /// Takes out the text at a point of the order; says whether there was one.
    pub fn remove_at(&mut self, point: O::Point<'_>) -> bool {
        let is_removed = match &mut self.0 {
            Repr::Empty => false,
            Repr::Small(page) => {
                let found = search::<O>(page, point).ok();
                if let Some(at) = found {
                    page.splice(at, 1, &[]);
                }
                found.is_some()
            }
            Repr::Large(large) => Arc::make_mut(large).remove::<O>(point),
        };
        self.forget_if_empty();
        is_removed
    }

    /// Puts in short texts that are in order, each once.
    pub fn insert_each(&mut self, mut texts: &[&[u8]]) {
        while let [first, rest @ ..] = texts {
            texts = match &mut self.0 {
                Repr::Large(large) => &texts[Arc::make_mut(large).insert_some::<O>(texts)..],
                Repr::Empty | Repr::Small(_) => {
                    self.insert(first);
                    rest
                }
            };
        }
    }

    /// Takes out texts that are in order, as far as they are there.
    pub fn remove_each(&mut self, mut texts: &[&[u8]]) {
        while let [first, rest @ ..] = texts {
            texts = match &mut self.0 {
                Repr::Large(large) => {
                    let count = Arc::make_mut(large).remove_some::<O>(texts);
                    self.forget_if_empty();
                    &texts[count..]
                }
                Repr::Empty | Repr::Small(_) => {
                    self.remove(first);
                    rest
                }
            };
        }
    }

    /// Puts a short text that is not there in the place of one that is, or else just in. That is
    /// one way rather than two if both belong into the same page.
    pub fn replace(&mut self, old: &[u8], new: &[u8]) {
        let is_done = match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large).replace::<O>(old, new),
            Repr::Empty | Repr::Small(_) => {
                self.remove(old);
                false
            }
        };
        if !is_done {
            self.forget_if_empty();
            self.insert(new);
        }
    }

    /// Takes out the texts of the ranks from `from` on, before `to`.
    pub fn remove_ranks(&mut self, from: usize, to: usize) {
        let count = to.min(self.len()).saturating_sub(from);
        match &mut self.0 {
            Repr::Small(page) if count > 0 => page.splice(from, count, &[]),
            Repr::Large(large) if count > 0 => Arc::make_mut(large).remove_ranks(from, count),
            Repr::Empty | Repr::Small(_) | Repr::Large(_) => {}
        }
        self.forget_if_empty();
    }

    /// Frees texts from the first on, about as many bytes as this, and returns whether there are
    /// more: a large collection is dropped in steps.
    pub fn shed(&mut self, bytes: usize) -> bool {
        match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large).shed(bytes),
            Repr::Empty | Repr::Small(_) => self.0 = Repr::Empty,
        }
        self.forget_if_empty();
        !self.is_empty()
    }

    /// The number of texts.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.len(),
            Repr::Large(large) => large.runs.len(),
        }
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many texts are before this one, which need not be there: its rank if it is.
    pub fn rank(&self, text: &[u8]) -> Result<usize, usize> {
        self.rank_at(O::point(text))
    }

    /// How many texts are before a point of the order: the rank of the one there, if there is one.
    pub fn rank_at(&self, point: O::Point<'_>) -> Result<usize, usize> {
        match &self.0 {
            Repr::Empty => Err(0),
            Repr::Small(page) => search::<O>(page, point),
            Repr::Large(large) => {
                let is_not_behind = |bound: &Bound| O::compare(bound.text(), point).is_le();
                let Some((run, start)) = large.runs.run_to(is_not_behind) else {
                    return Err(0);
                };
                match search::<O>(run, point) {
                    Ok(at) => Ok(start + at),
                    Err(at) => Err(start + at),
                }
            }
        }
    }

    /// Where the text at a point would be, for a look ahead; `None` if all texts are a single page.
    pub fn ahead(&self, point: O::Point<'_>) -> Option<Ahead<'_>> {
        let Repr::Large(large) = &self.0 else {
            return None;
        };
        let is_not_behind = |bound: &Bound| O::compare(bound.text(), point).is_le();
        let (run, _) = large.runs.run_to(is_not_behind)?;
        match run.kept() {
            Kept::Page(page) => Some(Ahead(page)),
            Kept::Long(_) => None,
        }
    }

    /// How many texts from the first on are before a point in the order: `is_before` says so of
    /// each, and of none after one of which it does not.
    pub fn rank_by(&self, is_before: impl Fn(Text<'_>) -> bool) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.partition(is_before),
            Repr::Large(large) => match large.runs.run_to(|bound| is_before(bound.text())) {
                Some((run, start)) => start + run.partition(is_before),
                None => 0,
            },
        }
    }

    /// The text of this rank.
    #[inline]
    pub fn get(&self, rank: usize) -> Option<Text<'_>> {
        match &self.0 {
            Repr::Empty => None,
            Repr::Small(page) => (rank < page.len()).then(|| page.nth(rank)),
            Repr::Large(large) => large.runs.run_at(rank).map(|(run, at)| run.nth(at)),
        }
    }

    /// The texts of the ranks from `from` on, before `to`, in both directions.
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        let to = to.min(self.len());
        let from = from.min(to);
        Range(match &self.0 {
            Repr::Empty => Walked::Page(None, 0, 0),
            Repr::Small(page) => Walked::Page(Some(page), from, to),
            Repr::Large(large) => Walked::Tree(Walk::new(&large.runs, from, to)),
        })
    }

    /// All texts in both directions.
    pub fn iter(&self) -> Range<'_> {
        self.range(0, self.len())
    }

    /// Memory on the heap, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.heap_bytes(),
            Repr::Large(large) => size_of::<usize>() + size_of::<Large>() + large.runs.heap_bytes(),
        }
    }

    /// About how many bytes are freed with it, without a walk.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.heap_bytes(),
            Repr::Large(large) => large.bytes,
        }
    }

    /// As a large collection.
    fn grown(&mut self) -> &mut Large {
        if let Repr::Empty | Repr::Small(_) = self.0 {
            let mut runs = Tree::new();
            let mut bytes = 0;
            if let Repr::Small(page) = std::mem::replace(&mut self.0, Repr::Empty) {
                bytes = page.cost();
                runs.begin(Elements::of(page));
            }
            self.0 = Repr::Large(Arc::new(Large { runs, bytes }));
        }
        match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large),
            Repr::Empty | Repr::Small(_) => unreachable!("made large just above"),
        }
    }

    fn forget_if_empty(&mut self) {
        if self.is_empty() {
            self.0 = Repr::Empty;
        }
    }
}

impl Large {
    fn insert<O: Order>(&mut self, point: O::Point<'_>, element: NewText<'_>) -> bool {
        let bytes = element.bytes();
        if self.runs.len() == 0 {
            self.runs.begin(Elements::new(element));
            self.bytes = bytes;
            return true;
        }
        let mut way = ToBound(|bound: &Bound| O::compare(bound.text(), point).is_le());
        let is_new = self
            .runs
            .edit(&mut way, |run, _, edges| match search::<O>(run, point) {
                Ok(_) => (false, SmallVec::new()),
                Err(at) => (true, run.insert(at, element, edges)),
            });
        let is_new = is_new == Some(true);
        self.bytes += if is_new { bytes } else { 0 };
        is_new
    }

    /// Puts in those first ones of some texts that come into the same page; returns how many. There
    /// are some.
    fn insert_some<O: Order>(&mut self, texts: &[&[u8]]) -> usize {
        let point = O::point(texts[0]);
        let is_not_behind = |bound: &Bound| O::compare(bound.text(), point).is_le();
        let mut way = ToBoundBelow::new(is_not_behind);
        let inserted = self.runs.edit(&mut way, |run, way, edges| {
            let Err(at) = search::<O>(run, point) else {
                return ((1, 0), SmallVec::new());
            };
            let behind = match &way.next {
                _ if at < run.len() => Some(run.nth(at)),
                Some(next) => Some(next.text()),
                None => None,
            };
            let (mut items, mut cost) = (SmallVec::<[_; ITEMS]>::new(), 0);
            for text in texts {
                let is_before = |other| O::compare(other, O::point(text)).is_gt();
                let item = Item::Text(text).pack();
                cost += item.cost();
                let has_room = items.is_empty() || cost <= Searched::PAGE_BYTES_MAX;
                if !has_room || !behind.is_none_or(is_before) {
                    break;
                }
                items.push(item);
            }
            let (count, siblings) = run.insert_some(at, &items, edges);
            let bytes: usize = items[..count].iter().map(Packed::cost).sum();
            ((count, bytes), siblings)
        });
        let (count, bytes) = inserted.unwrap_or((1, 0));
        self.bytes += bytes;
        count
    }

    /// Takes out those first ones of some texts that are side by side; returns how many are done.
    fn remove_some<O: Order>(&mut self, texts: &[&[u8]]) -> usize {
        let point = O::point(texts[0]);
        let mut way = ToBound(|bound: &Bound| O::compare(bound.text(), point).is_le());
        let removed = self.runs.edit(&mut way, |run, _, _| {
            let Ok(at) = search::<O>(run, point) else {
                return ((1, 0), SmallVec::new());
            };
            let pairs = (at..run.len()).zip(texts);
            let is_same =
                |(at, text): &(usize, &&[u8])| O::compare(run.nth(*at), O::point(text)).is_eq();
            let count = pairs.take_while(is_same).count();
            ((count, run.remove(at, count)), SmallVec::new())
        });
        let (count, bytes) = removed.unwrap_or((1, 0));
        self.bytes -= bytes;
        count
    }

    fn remove<O: Order>(&mut self, point: O::Point<'_>) -> bool {
        let mut way = ToBound(|bound: &Bound| O::compare(bound.text(), point).is_le());
        let removed = self.runs.edit(&mut way, |run, _, _| {
            let found = search::<O>(run, point).ok();
            (found.map(|at| run.remove(at, 1)), SmallVec::new())
        });
        let bytes = removed.flatten();
        self.bytes -= bytes.unwrap_or(0);
        bytes.is_some()
    }

    /// Takes a text out; says whether the new one could be put in on the way.
    fn replace<O: Order>(&mut self, old: &[u8], new: &[u8]) -> bool {
        let point = O::point(old);
        let mut way = ToBound(|bound: &Bound| O::compare(bound.text(), point).is_le());
        let replaced = self.runs.edit(&mut way, |run, _, edges| {
            let Ok(at) = search::<O>(run, point) else {
                return ((false, 0, 0), SmallVec::new());
            };
            // With a neighbour on each side, there is no other place for it.
            let (Ok(to) | Err(to)) = search::<O>(run, O::point(new));
            if to == 0 || to == run.len() {
                return ((false, 0, run.remove(at, 1)), SmallVec::new());
            }
            let element = NewText::Packed(Item::Text(new).pack());
            let (come, gone) = (element.bytes(), run.bytes_of(at));
            if (to == at || to == at + 1) && run.replace(at, &element) {
                return ((true, come, gone), SmallVec::new());
            }
            run.remove(at, 1);
            let to = if to > at { to - 1 } else { to };
            ((true, come, gone), run.insert(to, element, edges))
        });
        let (is_done, come, gone) = replaced.unwrap_or_default();
        self.bytes = self.bytes + come - gone;
        is_done
    }

    fn remove_ranks(&mut self, from: usize, mut left: usize) {
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

    fn shed(&mut self, bytes: usize) {
        let mut freed = 0;
        while freed < bytes
            && let Some(run) = self.runs.take_first()
        {
            freed += run.heap_bytes();
            self.bytes -= run.bytes();
        }
    }
}

/// About how many texts a page has.
const ITEMS: usize = 64;

/// A text that is to be put in.
type NewText<'a> = New<'a, Arc<LongText>>;

/// Texts side by side that can be searched by halving.
trait Texts {
    fn count(&self) -> usize;
    fn nth(&self, at: usize) -> Text<'_>;
    /// How many texts are before a point in the order.
    fn partition(&self, is_before: impl Fn(Text<'_>) -> bool) -> usize;
}

impl Texts for Page {
    #[inline]
    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    fn nth(&self, at: usize) -> Text<'_> {
        Text::Whole(self.text(at))
    }

    #[inline]
    fn partition(&self, is_before: impl Fn(Text<'_>) -> bool) -> usize {
        let content = self.content();
        let (mut low, mut high) = (0, content.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_before(Text::Whole(content.text(middle))) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Texts for Elements<Searched> {
    #[inline]
    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    fn nth(&self, at: usize) -> Text<'_> {
        match self.kept() {
            Kept::Page(page) => page.nth(at),
            Kept::Long(text) => Text::Long(text),
        }
    }

    #[inline]
    fn partition(&self, is_before: impl Fn(Text<'_>) -> bool) -> usize {
        match self.kept() {
            Kept::Page(page) => page.partition(is_before),
            Kept::Long(text) => usize::from(is_before(Text::Long(text))),
        }
    }
}

/// Where the text at a point is in a run, or where it would be.
fn search<O: Order>(run: &impl Texts, point: O::Point<'_>) -> Result<usize, usize> {
    let at = run.partition(|other| O::compare(other, point).is_lt());
    if at < run.count() && O::compare(run.nth(at), point).is_eq() {
        Ok(at)
    } else {
        Err(at)
    }
}

/// The texts among which one is going to be searched for.
#[derive(Clone, Copy)]
pub struct Ahead<'a>(&'a Page);

impl Ahead<'_> {
    /// Reads how many there are.
    #[inline]
    pub fn touch_head(&self) {
        black_box(self.0.len());
    }

    /// Reads some of each line of memory.
    #[inline]
    pub fn touch_all(&self) {
        black_box(self.0.content().touch());
    }
}

/// Texts of a [`Sorted`] in both directions.
#[derive(Clone)]
pub struct Range<'a>(Walked<'a>);

#[derive(Clone)]
enum Walked<'a> {
    /// What is left of a page.
    Page(Option<&'a Page>, usize, usize),
    Tree(Walk<'a, Elements<Searched>>),
}

impl<'a> Iterator for Range<'a> {
    type Item = Text<'a>;

    #[inline]
    fn next(&mut self) -> Option<Text<'a>> {
        match &mut self.0 {
            Walked::Page(page, from, to) => {
                let text = page.filter(|_| *from < *to)?.nth(*from);
                *from += 1;
                Some(text)
            }
            Walked::Tree(walk) => walk.next().map(|(run, at)| run.nth(at)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Walked::Page(_, from, to) => to - from,
            Walked::Tree(walk) => walk.len(),
        };
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walked::Page(page, from, to) => {
                let page = page.filter(|_| *from < *to)?;
                *to -= 1;
                Some(page.nth(*to))
            }
            Walked::Tree(walk) => walk.next_back().map(|(run, at)| run.nth(at)),
        }
    }
}

impl ExactSizeIterator for Range<'_> {}

impl std::fmt::Debug for Ahead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ahead").field(&self.0.len()).finish()
    }
}

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
