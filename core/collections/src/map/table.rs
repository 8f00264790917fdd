//! One small table of a large map: a page of entries, and what of them is long beside it.

use triomphe::Arc;

use super::{Copied, Entry, Longs};
use crate::element::{Element, SHARED_BYTES_MIN, Shared};
use crate::page::{Finder, Item, Packed, Page};
use crate::trie::{Bucket, PREFIX_BITS};

/// How many entries a table holds before it splits. A lookup compares a name with half of them.
pub(super) const LEN_MAX: usize = 32;

/// What a page may take before its table splits. An entry of short parts then still has room.
pub(super) const PAGE_BYTES_MAX: usize = 4 << 10;

/// A table with at most this many entries looks for a neighbour to merge with.
const SPARSE_LEN: usize = 8;

/// What two tables have that merge: far enough below what splits one.
const MERGED_LEN_MAX: usize = 20;
const MERGED_BYTES_MAX: usize = 3 << 10;

const _: () = assert!(PAGE_BYTES_MAX + 3 * (SHARED_BYTES_MIN + 2) <= Page::BYTES_MAX);

/// Entries whose names' hashes share the leading `depth` bits.
#[derive(Clone)]
pub(super) struct Table<const PARTS: usize> {
    page: Page,
    /// Long parts of entries; the page says where.
    beside: Option<Arc<Vec<Shared>>>,
    depth: u32,
}

impl<const PARTS: usize> Table<PARTS> {
    /// The first table of a map: it holds every hash.
    pub(super) fn root(page: Page) -> Self {
        Table {
            page,
            beside: None,
            depth: 0,
        }
    }

    /// Takes short entries in, where it has none.
    pub(super) fn begin(&mut self, page: Page) {
        debug_assert!(self.len() == 0 && self.beside.is_none(), "nothing is lost");
        self.page = page;
    }

    /// Returns whether it has to split before something comes in or changes.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        (self.len() >= LEN_MAX || self.page.cost() > PAGE_BYTES_MAX) && self.depth < PREFIX_BITS
    }

    /// Puts an entry in, in the place of the one of that name; returns whether that is new.
    pub(super) fn insert(
        &mut self,
        parts: &[&[u8]; PARTS],
        items: &[Packed<'_>; PARTS],
        longs: &mut impl Longs,
    ) -> bool {
        let found = self.position(parts[0], &items[0]);
        if PARTS == 1 && found.is_some() {
            // It is its name.
            return false;
        }
        let mut items = *items;
        // A short name that is there stays.
        let kept = usize::from(found.is_some() && parts[0].len() < SHARED_BYTES_MIN);
        if let Some(at) = found {
            self.take_beside(at + kept..at + PARTS, longs);
        }
        for (item, part) in items.iter_mut().zip(parts).skip(kept) {
            if part.len() >= SHARED_BYTES_MIN {
                *item = self.put_beside(longs.come(part)).dated(item.date());
            }
        }
        let (at, removed) = found.map_or((self.page.len(), 0), |at| (at + kept, PARTS - kept));
        self.page.splice(at, removed, &items[kept..]);
        found.is_none()
    }

    /// Takes an entry out, once it was shown; returns whether it was there.
    pub(super) fn remove(
        &mut self,
        name: &[u8],
        longs: &mut impl Longs,
        show: impl FnOnce(Entry<'_, PARTS>),
    ) -> bool {
        let found = self.position(name, &Item::of(name).pack());
        if let Some(at) = found {
            let (page, beside) = self.parts();
            show(Entry::new(page, beside, at));
            self.take_beside(at..at + PARTS, longs);
            self.page.splice(at, PARTS, &[]);
        }
        found.is_some()
    }

    /// Gives a short name the value that `decide` makes of the one that it has, unless that makes
    /// none; returns whether the name is new.
    pub(super) fn update<'v>(
        &mut self,
        name: &[u8],
        decide: impl FnOnce(Option<Element<'_>>) -> Option<&'v [u8]>,
    ) -> bool {
        debug_assert!(PARTS == 2, "a name has one value");
        let item = Item::of(name).pack();
        let found = self.page.position::<PARTS>(&item);
        let (page, beside) = self.parts();
        let before = found.map(|at| Entry::<PARTS>::new(page, beside, at).part(1));
        let Some(value) = decide(before) else {
            return false;
        };
        let value = Item::Text(value).pack();
        match found {
            Some(at) => {
                self.take_beside(at + 1..at + 2, &mut Copied);
                self.page.splice(at + 1, 1, &[value]);
            }
            None => self.page.splice(self.page.len(), 0, &[item, value]),
        }
        found.is_none()
    }

    /// Gives the last part of the entry of a name this date, or none. Returns which it had, if the
    /// entry is there.
    pub(super) fn set_date(&mut self, name: &[u8], date: Option<u64>) -> Option<Option<u64>> {
        let at = self.position(name, &Item::of(name).pack())? + PARTS - 1;
        let before = self.page.date(at);
        if before != date {
            self.page.set_date(at, date);
        }
        Some(before)
    }

    /// Removes all entries; returns what they took.
    pub(super) fn clear(&mut self) -> usize {
        let bytes = self.bytes();
        self.page = Page::of(&[]);
        self.beside = None;
        bytes
    }

    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<Entry<'_, PARTS>> {
        let at = self.position(name, &Item::of(name).pack())?;
        let (page, beside) = self.parts();
        Some(Entry::new(page, beside, at))
    }

    /// What finds many names in it, unless it has very many.
    pub(super) fn finder(&self) -> Option<Finder<'_, PARTS>> {
        Finder::new(self.page.content())
    }

    /// Returns whether it has the name of an entry of another map.
    #[inline]
    pub(super) fn has(&self, entry: &Entry<'_, PARTS>) -> bool {
        let found = match entry.name() {
            Element::Text(name) => self.page.position::<PARTS>(&Item::Text(name).pack()),
            Element::Integer(name) => self.page.position::<PARTS>(&Item::Integer(name).pack()),
            Element::Shared(name) => self.position(name, &Item::Text(&[]).pack()),
        };
        found.is_some()
    }

    /// The entry at `index`, which is there.
    #[inline]
    pub(super) fn entry(&self, index: usize) -> Entry<'_, PARTS> {
        let (page, beside) = self.parts();
        Entry::new(page, beside, index * PARTS)
    }

    /// The page, and the long parts.
    #[inline]
    pub(super) fn parts(&self) -> (&Page, &[Shared]) {
        (
            &self.page,
            self.beside.as_deref().map_or(&[], Vec::as_slice),
        )
    }

    /// What the entries take.
    pub(super) fn bytes(&self) -> usize {
        let (page, beside) = self.parts();
        page.cost() + beside.iter().map(|bytes| bytes.len()).sum::<usize>()
    }

    /// Memory on the heap with that of the table itself, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        let (page, beside) = self.parts();
        let of_one = |bytes: &Shared| {
            let own = size_of::<Shared>() + size_of::<usize>() + size_of::<Vec<u8>>();
            own + bytes.capacity()
        };
        let own = size_of::<usize>() + size_of::<Self>();
        own + page.heap_bytes() + beside.iter().map(of_one).sum::<usize>()
    }

    /// Where the entry of a name begins in the page.
    #[inline]
    fn position(&self, name: &[u8], item: &Packed<'_>) -> Option<usize> {
        if name.len() < SHARED_BYTES_MIN {
            return self.page.position::<PARTS>(item);
        }
        let (page, beside) = self.parts();
        let is_name = |at: &usize| match page.get(*at) {
            Item::Place(place) => {
                // One that is known to be here is not read again.
                let long = beside[place as usize].as_slice();
                std::ptr::eq(long, name) || *long == *name
            }
            Item::Text(_) | Item::Integer(_) => false,
        };
        (0..page.len()).step_by(PARTS).find(is_name)
    }

    fn put_beside(&mut self, bytes: Shared) -> Packed<'static> {
        let beside = Arc::make_mut(self.beside.get_or_insert_default());
        beside.push(bytes);
        Item::Place(beside.len() as u32 - 1).pack()
    }

    /// Takes the long ones of these parts out, which are about to go.
    #[inline]
    fn take_beside(&mut self, parts: std::ops::Range<usize>, longs: &mut impl Longs) {
        if self.beside.is_none() {
            return;
        }
        for part in parts {
            let Item::Place(place) = self.page.get(part) else {
                continue;
            };
            let Some(beside) = self.beside.as_mut().map(Arc::make_mut) else {
                continue;
            };
            longs.gone(beside.swap_remove(place as usize));
            // The last one has moved to its place.
            let moved = Item::Place(beside.len() as u32);
            let is_empty = beside.is_empty();
            self.page.splice(part, 1, &[Item::Text(&[]).pack()]);
            if let Some(moved) = (0..self.page.len()).find(|at| self.page.get(*at) == moved) {
                let item = Item::Place(place).pack().dated(self.page.date(moved));
                self.page.splice(moved, 1, &[item]);
            }
            if is_empty {
                self.beside = None;
            }
        }
    }

    /// Reads how many entries there are.
    #[inline]
    pub(super) fn touch_head(&self) -> usize {
        self.page.len()
    }

    /// Reads some of each line of memory of its page.
    #[inline]
    pub(super) fn touch_all(&self) -> usize {
        self.page.content().touch()
    }

    /// Puts the entry of another table in, which goes from there.
    fn push(&mut self, entry: Entry<'_, PARTS>) {
        for part in entry.at..entry.at + PARTS {
            let item = match entry.content.get(part) {
                Item::Place(place) => self.put_beside(entry.beside[place as usize].clone()),
                item @ (Item::Text(_) | Item::Integer(_)) => item.pack(),
            };
            let item = item.dated(entry.content.date(part));
            self.page.splice(self.page.len(), 0, &[item]);
        }
    }

    fn empty(depth: u32) -> Self {
        Table {
            depth,
            ..Table::root(Page::of(&[]))
        }
    }
}

impl<const PARTS: usize> Bucket for Table<PARTS> {
    type Hashed = [u8];

    #[inline]
    fn len(&self) -> usize {
        self.page.len() / PARTS
    }

    #[inline]
    fn depth(&self) -> u32 {
        self.depth
    }

    fn is_sparse(&self) -> bool {
        self.len() <= SPARSE_LEN && self.len().is_multiple_of(2)
    }

    fn can_merge(&self, neighbour: &Self) -> bool {
        self.len() + neighbour.len() <= MERGED_LEN_MAX
            && self.page.cost() + neighbour.page.cost() <= MERGED_BYTES_MAX
    }

    fn split(&mut self, hash_of: impl Fn(&[u8]) -> u64) -> Self {
        debug_assert!(self.depth < PREFIX_BITS, "the deepest tables grow instead");
        let bit = 1_u64 << (63 - self.depth);
        let depth = self.depth + 1;
        let (mut left, mut right) = (Table::empty(depth), Table::empty(depth));
        for index in 0..self.len() {
            let entry = self.entry(index);
            let is_right = entry.name().with_bytes(|name| hash_of(name) & bit != 0);
            let side = if is_right { &mut right } else { &mut left };
            side.push(entry);
        }
        *self = left;
        right
    }

    fn merge(&mut self, neighbour: Self, _: impl Fn(&[u8]) -> u64) {
        debug_assert_eq!(
            self.depth, neighbour.depth,
            "neighbours are of the same depth"
        );
        self.depth = neighbour.depth.saturating_sub(1);
        if neighbour.beside.is_none() {
            self.page.append(&neighbour.page);
        } else {
            (0..neighbour.len()).for_each(|index| self.push(neighbour.entry(index)));
        }
    }
}
