//! The runs of elements that lists and sorted sets are made of: pages, and long elements each by
//! itself. How a collection keeps a long one is up to it.

use std::marker::PhantomData;

use smallvec::smallvec;

use crate::counted::{Edges, Run, Siblings};
use crate::element::Shared;
use crate::page::{Packed, Page};

/// How runs of a collection are bounded, and how large they get.
pub(crate) trait Bounds: Clone {
    /// What says where a run begins.
    type Bound: Clone;

    /// A long element.
    type Long: Long;

    /// What the elements of a page may take.
    const PAGE_BYTES_MAX: usize;

    /// The bound of a run that is this page.
    fn bound(page: &Page) -> Self::Bound;

    /// The bound of a run that is this element.
    fn bound_of_long(long: &Self::Long) -> Self::Bound;
}

/// A single element of many bytes, which a clone shares.
pub(crate) trait Long: Clone {
    /// How many bytes it has that are freed with the collection.
    fn len(&self) -> usize;

    /// Memory of these on the heap, in bytes; what other collections share counts in full.
    fn heap_bytes(&self) -> usize;
}

impl Long for Shared {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn heap_bytes(&self) -> usize {
        size_of::<usize>() + size_of::<Vec<u8>>() + self.capacity()
    }
}

/// Elements of a collection side by side.
#[derive(Clone)]
pub(crate) struct Elements<B: Bounds>(Kept<B::Long>, PhantomData<B>);

#[derive(Clone)]
pub(crate) enum Kept<L> {
    Page(Page),
    /// A single element of many bytes.
    Long(L),
}

/// An element that is to be put in.
#[derive(Clone)]
pub(crate) enum New<'a, L> {
    Packed(Packed<'a>),
    Long(L),
}

impl<L: Long> New<'_, L> {
    /// How many bytes it takes in a run.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            New::Packed(item) => item.cost(),
            New::Long(long) => long.len(),
        }
    }
}

impl<B: Bounds> Elements<B> {
    /// A single element.
    pub(crate) fn new(element: New<'_, B::Long>) -> Self {
        let kept = match element {
            New::Packed(item) => Kept::Page(Page::of(&[item])),
            New::Long(long) => Kept::Long(long),
        };
        Elements(kept, PhantomData)
    }

    /// Those of a page.
    pub(crate) fn of(page: Page) -> Self {
        Elements(Kept::Page(page), PhantomData)
    }

    /// How it is kept.
    #[inline]
    pub(crate) fn kept(&self) -> &Kept<B::Long> {
        &self.0
    }

    /// How many bytes it takes, without memory that is not used.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost(),
            Kept::Long(long) => long.len(),
        }
    }

    /// How many bytes one of the elements takes.
    pub(crate) fn bytes_of(&self, at: usize) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost() - page.cost_after(at, 1, &[]),
            Kept::Long(long) => long.len(),
        }
    }

    /// Puts an element in at `at`; returns the runs that then have to follow this one.
    pub(crate) fn insert(
        &mut self,
        at: usize,
        element: New<'_, B::Long>,
        edges: Edges,
    ) -> Siblings<Self> {
        let len = self.len();
        if let (Kept::Page(page), New::Packed(item)) = (&mut self.0, &element) {
            let items = std::slice::from_ref(item);
            if page.cost_after(at, 0, items) <= B::PAGE_BYTES_MAX {
                page.splice(at, 0, items);
                return Siblings::new();
            }
            let grows_at_end = at == len && edges.is_last || at == 0 && edges.is_first;
            // One that is nearly as long as a page has no middle either.
            if !grows_at_end && len > 1 {
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

    /// Puts short elements in at `at` of a page that has room for all of them.
    pub(crate) fn insert_all(&mut self, at: usize, items: &[Packed<'_>]) {
        match &mut self.0 {
            Kept::Page(page) => page.splice(at, 0, items),
            Kept::Long(_) => unreachable!("a single element is full"),
        }
    }

    /// Puts several short elements in at `at`, the first of these as many as find room together;
    /// returns how many, and the runs that then have to follow this one.
    pub(crate) fn insert_some(
        &mut self,
        at: usize,
        items: &[Packed<'_>],
        edges: Edges,
    ) -> (usize, Siblings<Self>) {
        let Kept::Page(page) = &mut self.0 else {
            return match items.first() {
                Some(item) => (1, self.insert(at, New::Packed(*item), edges)),
                None => (0, Siblings::new()),
            };
        };
        let fitting = |room: usize| {
            let costs = items.iter().scan(0, |sum, item| {
                *sum += item.cost();
                Some(*sum)
            });
            costs.take_while(|sum| *sum <= room).count()
        };
        let beside = fitting(B::PAGE_BYTES_MAX - page.cost().min(B::PAGE_BYTES_MAX));
        if beside > 0 {
            page.splice(at, 0, &items[..beside]);
            return (beside, Siblings::new());
        }
        if let [item] = items {
            return (1, self.insert(at, New::Packed(*item), edges));
        }
        // They get pages of their own, between what is before them and what is behind.
        let count = fitting(B::PAGE_BYTES_MAX);
        let mut siblings = smallvec![Elements::of(Page::of(&items[..count]))];
        if at == 0 {
            std::mem::swap(self, &mut siblings[0]);
        } else if at < self.len() {
            siblings.push(self.split_off(at));
        }
        (count, siblings)
    }

    /// Takes out `count` elements from `at` on; returns how many bytes they had.
    pub(crate) fn remove(&mut self, at: usize, count: usize) -> usize {
        match &mut self.0 {
            Kept::Page(page) => {
                let before = page.cost();
                page.splice(at, count, &[]);
                before - page.cost()
            }
            Kept::Long(long) => {
                let len = long.len();
                // An empty page is an empty run.
                self.0 = Kept::Page(Page::of(&[]));
                len
            }
        }
    }

    /// Puts an element in the place of another, if both are short and there is room.
    pub(crate) fn replace(&mut self, at: usize, element: &New<'_, B::Long>) -> bool {
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
            Kept::Long(_) => unreachable!("a single element has no middle"),
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
            Kept::Long(_) => 1,
        }
    }

    fn bound(&self) -> B::Bound {
        match &self.0 {
            Kept::Page(page) => B::bound(page),
            Kept::Long(long) => B::bound_of_long(long),
        }
    }

    fn fill(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.cost(),
            Kept::Long(_) => Self::FILL_MAX,
        }
    }

    fn append(&mut self, right: &Self) {
        match (&mut self.0, &right.0) {
            (Kept::Page(page), Kept::Page(right)) => page.append(right),
            (Kept::Long(_), _) | (_, Kept::Long(_)) => {
                unreachable!("a full run has no room and joins none")
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Page(page) => page.heap_bytes(),
            Kept::Long(long) => long.heap_bytes(),
        }
    }
}
