//! The runs of elements that lists and sorted sets are made of: pages, and long elements each by
//! itself.

use std::marker::PhantomData;

use smallvec::smallvec;
use triomphe::Arc;

use crate::counted::{Edges, Run, Siblings};
use crate::element::{SHARED_BYTES_MIN, Shared};
use crate::page::{Item, Packed, Page};

/// How runs of a collection are bounded, and how large they get.
pub(crate) trait Bounds: Clone {
    /// What says where a run begins.
    type Bound: Clone;

    /// What the elements of a page may take.
    const PAGE_BYTES_MAX: usize;

    /// The bound of a run that begins with these bytes.
    fn bound(first: &[u8]) -> Self::Bound;
}

/// Elements of a collection side by side.
#[derive(Clone)]
pub(crate) struct Elements<B>(Kept, PhantomData<B>);

#[derive(Clone)]
pub(crate) enum Kept {
    Page(Page),
    /// A single element of many bytes.
    Shared(Shared),
}

/// An element that is to be put in.
#[derive(Clone)]
pub(crate) enum New<'a> {
    Packed(Packed<'a>),
    Shared(Shared),
}

impl<'a> New<'a> {
    /// How many bytes it takes in a run.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            New::Packed(item) => item.cost(),
            New::Shared(bytes) => bytes.len(),
        }
    }

    /// Of these bytes, kept as they are.
    pub(crate) fn text(bytes: &'a [u8]) -> New<'a> {
        if bytes.len() < SHARED_BYTES_MIN {
            New::Packed(Item::Text(bytes).pack())
        } else {
            New::Shared(Arc::new(bytes.to_vec()))
        }
    }
}

impl<B: Bounds> Elements<B> {
    /// A single element.
    pub(crate) fn new(element: New<'_>) -> Self {
        let kept = match element {
            New::Packed(item) => Kept::Page(Page::of(&[item])),
            New::Shared(bytes) => Kept::Shared(bytes),
        };
        Elements(kept, PhantomData)
    }

    /// Those of a page.
    pub(crate) fn of(page: Page) -> Self {
        Elements(Kept::Page(page), PhantomData)
    }

    /// How it is kept.
    #[inline]
    pub(crate) fn kept(&self) -> &Kept {
        &self.0
    }

    /// The bytes of a text.
    #[inline]
    pub(crate) fn text(&self, at: usize) -> &[u8] {
        match &self.0 {
            Kept::Page(page) => page.text(at),
            Kept::Shared(bytes) => bytes,
        }
    }

    /// How many bytes it takes, without memory that is not used.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost(),
            Kept::Shared(bytes) => bytes.len(),
        }
    }

    /// How many bytes one of the elements takes.
    pub(crate) fn bytes_of(&self, at: usize) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost() - page.cost_after(at, 1, &[]),
            Kept::Shared(bytes) => bytes.len(),
        }
    }

    /// Puts an element in at `at`; returns the runs that then have to follow this one.
    pub(crate) fn insert(&mut self, at: usize, element: New<'_>, edges: Edges) -> Siblings<Self> {
        let len = self.len();
        if let (Kept::Page(page), New::Packed(item)) = (&mut self.0, &element) {
            let items = std::slice::from_ref(item);
            if page.cost_after(at, 0, items) <= B::PAGE_BYTES_MAX {
                page.splice(at, 0, items);
                return Siblings::new();
            }
            let grows_at_end = at == len && edges.is_last || at == 0 && edges.is_first;
            if !grows_at_end {
                let middle = page.middle();
                let mut right = page.split_off(middle, item.cost());
                if at <= middle {
                    page.splice(at, 0, items);
                } else {
                    right.splice(at - middle, 0, items);
                }
                return smallvec![Elements(Kept::Page(right), PhantomData)];
            }
        }
        let element = Elements::new(element);
        if at == len {
            return smallvec![element];
        }
        if at == 0 {
            return smallvec![std::mem::replace(self, element)];
        }
        let right = self.split_off(at);
        smallvec![element, right]
    }

    /// Takes out `count` elements from `at` on; returns how many bytes they had.
    pub(crate) fn remove(&mut self, at: usize, count: usize) -> usize {
        match &mut self.0 {
            Kept::Page(page) => {
                let before = page.cost();
                page.splice(at, count, &[]);
                before - page.cost()
            }
            Kept::Shared(bytes) => {
                let len = bytes.len();
                // An empty page is an empty run.
                self.0 = Kept::Page(Page::of(&[]));
                len
            }
        }
    }

    /// Puts an element in the place of another, if both are short and there is room.
    pub(crate) fn replace(&mut self, at: usize, element: &New<'_>) -> bool {
        if let (Kept::Page(page), New::Packed(item)) = (&mut self.0, element)
            && page.cost_after(at, 1, std::slice::from_ref(item)) <= B::PAGE_BYTES_MAX
        {
            page.splice(at, 1, std::slice::from_ref(item));
            return true;
        }
        false
    }

    fn split_off(&mut self, at: usize) -> Self {
        match &mut self.0 {
            Kept::Page(page) => Elements(Kept::Page(page.split_off(at, 0)), PhantomData),
            Kept::Shared(_) => unreachable!("a single element has no middle"),
        }
    }
}

impl<B: Bounds> Run for Elements<B> {
    type Bound = B::Bound;

    const FILL_MAX: usize = B::PAGE_BYTES_MAX;

    #[inline]
    fn len(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.len(),
            Kept::Shared(_) => 1,
        }
    }

    fn bound(&self) -> B::Bound {
        B::bound(self.text(0))
    }

    fn fill(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost(),
            Kept::Shared(_) => Self::FILL_MAX,
        }
    }

    fn append(&mut self, right: &Self) {
        match (&mut self.0, &right.0) {
            (Kept::Page(page), Kept::Page(right)) => page.append(right),
            (Kept::Shared(_), _) | (_, Kept::Shared(_)) => {
                unreachable!("a full run has no room and joins none")
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.heap_bytes(),
            Kept::Shared(bytes) => size_of::<usize>() + size_of::<Vec<u8>>() + bytes.capacity(),
        }
    }
}
