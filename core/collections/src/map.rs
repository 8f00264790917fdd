//! Values by name in no order: what hashes and sets are made of.
//!
//! A small map is a single page in which names are in the order in which they came, and looking one
//! up compares it with each. A map that does not fit there is a trie of such pages, each of a few
//! names. So a small map is one piece of memory, and a large one costs a name little more than its
//! bytes; what is long is kept by itself. A clone is one pointer, and a later write copies one page
//! and the branches above it.
//!
//! An entry has `PARTS` parts, of which the first is its name: a set has names alone, a hash has
//! values too. An entry may have a date, which takes six bytes.

mod common;
mod fill;
mod order;
mod table;

use std::hint::black_box;

use smallvec::SmallVec;
use triomphe::Arc;

use crate::element::{Element, SHARED_BYTES_MIN, Shared};
use crate::hash::NameHasher;
use crate::page::{Content, DATE_BYTES, Item, Packed, Page};
use crate::steps::STEP;
use crate::trie::{Bucket, Node, Tables, mix};

use table::Table;

pub use crate::page::DATE_MAX;
pub use order::HashOrder;

/// How many names a map has in a single page at most.
pub const SMALL_LEN_MAX: usize = 512;

/// The note of a page of integers in ascending order.
const ORDERED: u32 = 1;

/// Entries by name.
#[derive(Clone)]
pub struct Map<const PARTS: usize>(Repr<PARTS>);

#[derive(Clone)]
enum Repr<const PARTS: usize> {
    Empty,
    /// Short entries, in the order in which they came.
    Small(Page),
    Large(Arc<Large<PARTS>>),
}

#[derive(Clone)]
struct Large<const PARTS: usize> {
    root: Node<Table<PARTS>>,
    len: usize,
    /// What the entries take in their pages, and what is kept beside them.
    bytes: usize,
    /// Its owner has spread it.
    is_spread: bool,
    hasher: NameHasher,
}

// A value of a key has no more room.
const _: () = assert!(size_of::<Map<2>>() == 16);

/// An entry of a map.
#[derive(Clone, Copy)]
pub struct Entry<'a, const PARTS: usize> {
    content: Content<'a>,
    beside: &'a [Shared],
    at: usize,
}

impl<'a, const PARTS: usize> Entry<'a, PARTS> {
    #[inline]
    fn new(page: &'a Page, beside: &'a [Shared], at: usize) -> Self {
        let content = page.content();
        Entry {
            content,
            beside,
            at,
        }
    }

    /// Its name.
    #[inline]
    pub fn name(&self) -> Element<'a> {
        self.part(0)
    }

    /// One of its parts; the first is its name. Empty if it has no such part.
    #[inline]
    pub fn part(&self, index: usize) -> Element<'a> {
        if index >= PARTS {
            return Element::Text(&[]);
        }
        match self.content.get(self.at + index) {
            Item::Text(bytes) => Element::Text(bytes),
            Item::Integer(integer) => Element::Integer(integer),
            Item::Place(place) => Element::Shared(&self.beside[place as usize]),
        }
    }
}

impl<'a> Entry<'a, 2> {
    /// The value that the name has.
    #[inline]
    pub fn value(&self) -> Element<'a> {
        self.part(1)
    }
}

impl<const PARTS: usize> Entry<'_, PARTS> {
    /// Tells it from other entries of the same map, as long as the map does not change.
    #[inline]
    pub fn place(&self) -> (usize, usize) {
        (self.content.address(), self.at)
    }

    /// Its date, if it has one.
    #[inline]
    pub fn date(&self) -> Option<u64> {
        self.content.date(self.at + PARTS - 1)
    }
}

/// How long parts of entries, those of at least [`SHARED_BYTES_MIN`] bytes, come and go.
pub trait Longs {
    /// The long part of these bytes, for the map to refer to.
    fn come(&mut self, bytes: &[u8]) -> Shared;

    /// A long part has gone.
    fn gone(&mut self, part: Shared);
}

/// Long parts are copied, and freed where they go.
#[derive(Debug, Clone, Copy)]
pub struct Copied;

impl Longs for Copied {
    fn come(&mut self, bytes: &[u8]) -> Shared {
        Arc::new(bytes.to_vec())
    }

    fn gone(&mut self, _: Shared) {}
}

impl<const PARTS: usize> Default for Map<PARTS> {
    fn default() -> Self {
        Map::new()
    }
}

impl<const PARTS: usize> Map<PARTS> {
    /// No entries, and no memory of its own.
    pub const fn new() -> Self {
        Map(Repr::Empty)
    }

    /// Puts an entry in, in the place of the one that has its name, if there is one; returns
    /// whether the name is new. `hasher` serves once the map is large. Its key should be secret and
    /// is kept: each call for the same map must bring the same.
    pub fn insert(&mut self, parts: [&[u8]; PARTS], hasher: NameHasher) -> bool {
        self.insert_with(parts, hasher, &mut Copied)
    }

    /// The same with long parts from elsewhere, and for those that go.
    pub fn insert_with(
        &mut self,
        parts: [&[u8]; PARTS],
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> bool {
        self.insert_dated(parts, None, hasher, longs)
    }

    /// The same for an entry that has this date, at most [`DATE_MAX`], or none.
    pub fn insert_dated(
        &mut self,
        parts: [&[u8]; PARTS],
        date: Option<u64>,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> bool {
        let is_short = parts.iter().all(|part| part.len() < SHARED_BYTES_MIN);
        let mut items = parts.map(|part| Item::of(part).pack());
        if let Some(last) = items.last_mut() {
            *last = last.dated(date);
        }
        match &mut self.0 {
            Repr::Empty if is_short => {
                self.0 = Repr::Small(Page::of(&items));
                return true;
            }
            Repr::Small(page) if is_short => {
                let found = page.position::<PARTS>(&items[0]);
                if PARTS == 1 && found.is_some() {
                    return false;
                }
                // A name that is there stays.
                let (at, removed, put) = match found {
                    Some(at) => (at + 1, PARTS - 1, &items[1..]),
                    None => (page.len(), 0, &items[..]),
                };
                let has_room = found.is_some() || page.len() < SMALL_LEN_MAX * PARTS;
                if has_room && page.cost_after(at, removed, put) <= Page::BYTES_MAX {
                    page.splice(at, removed, put);
                    return found.is_none();
                }
            }
            Repr::Empty | Repr::Small(_) | Repr::Large(_) => {}
        }
        self.grown(hasher).insert(&parts, &items, longs)
    }

    /// Gives the entry of a name this date, at most [`DATE_MAX`], or none. Returns which it had, if
    /// the entry is there. `hasher` as for [`Map::insert`].
    pub fn set_date(
        &mut self,
        name: &[u8],
        date: Option<u64>,
        hasher: NameHasher,
    ) -> Option<Option<u64>> {
        if let Repr::Small(page) = &mut self.0 {
            let at = page.position::<PARTS>(&Item::of(name).pack())? + PARTS - 1;
            if page.cost() + DATE_BYTES <= Page::BYTES_MAX {
                let before = page.date(at);
                if before != date {
                    page.set_date(at, date);
                }
                return Some(before);
            }
        }
        // Nothing is copied for an entry that stays as it is.
        let is_own = matches!(&self.0, Repr::Large(large) if large.is_unique());
        if !is_own {
            let before = self.find(name)?.date();
            if before == date {
                return Some(before);
            }
        }
        self.grown(hasher).set_date(name, date)
    }

    /// Keeps it as a large map from now on, whatever its size, until it is empty. `hasher` as for
    /// [`Map::insert`].
    pub fn spread(&mut self, hasher: NameHasher) {
        self.grown(hasher).is_spread = true;
    }

    /// Returns whether [`Map::spread`] was called.
    #[inline]
    pub fn is_spread(&self) -> bool {
        matches!(&self.0, Repr::Large(large) if large.is_spread)
    }

    /// Takes an entry out; returns whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.remove_with(name, &mut Copied)
    }

    /// The same with somebody who gets its long parts.
    pub fn remove_with(&mut self, name: &[u8], longs: &mut impl Longs) -> bool {
        self.remove_shown(name, longs, |_| {})
    }

    /// The same for an entry that is shown before it goes.
    pub fn remove_shown(
        &mut self,
        name: &[u8],
        longs: &mut impl Longs,
        show: impl FnOnce(Entry<'_, PARTS>),
    ) -> bool {
        let is_removed = match &mut self.0 {
            Repr::Empty => false,
            Repr::Small(page) => {
                let found = page.position::<PARTS>(&Item::of(name).pack());
                if let Some(at) = found {
                    show(Entry::new(page, &[], at));
                    page.splice(at, PARTS, &[]);
                }
                found.is_some()
            }
            Repr::Large(large) => {
                // Nothing is copied for a name that is not there.
                let may_change = large.is_unique() || large.find(name).is_some();
                may_change && Arc::make_mut(large).remove(name, longs, show)
            }
        };
        if self.is_empty() {
            self.0 = Repr::Empty;
        }
        is_removed
    }

    /// Frees entries, about as many bytes as this, and returns whether there are more: a large map
    /// is dropped in steps.
    pub fn shed(&mut self, bytes: usize) -> bool {
        match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large).shed(bytes),
            Repr::Empty | Repr::Small(_) => self.0 = Repr::Empty,
        }
        if self.is_empty() {
            self.0 = Repr::Empty;
        }
        !self.is_empty()
    }

    /// The number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.len() / PARTS,
            Repr::Large(large) => large.len,
        }
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry of a name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Entry<'_, PARTS>> {
        match &self.0 {
            Repr::Empty => None,
            Repr::Small(page) => {
                let at = page.position::<PARTS>(&Item::of(name).pack())?;
                Some(Entry::new(page, &[], at))
            }
            Repr::Large(large) => large.find(name),
        }
    }

    /// All entries: in the order in which they came as long as the map is a single page.
    pub fn iter(&self) -> Iter<'_, PARTS> {
        let (next, tables) = match &self.0 {
            Repr::Empty => (None, None),
            Repr::Small(page) => (Some(Entry::new(page, &[], 0)), None),
            Repr::Large(large) => (None, Some(Tables::new(Some(&large.root)))),
        };
        Iter {
            next,
            tables,
            left: self.len(),
        }
    }

    /// One step of a scan: shows about `count` entries from `cursor` on and returns the cursor for
    /// the next step, 0 at the end, with the guarantees of [`crate::Directory::scan`]. A map that
    /// is a single page is shown at once.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Entry<'_, PARTS>)) -> u64 {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(_) => {
                self.iter().for_each(f);
                0
            }
            Repr::Large(large) => large.root.scan(cursor, count, |table| {
                (0..table.len()).for_each(|index| f(table.entry(index)));
            }),
        }
    }

    /// Some entry, chosen by a random number; `None` only if there is none. Each has the same
    /// chance.
    pub fn random(&self, random: u64) -> Option<Entry<'_, PARTS>> {
        match &self.0 {
            Repr::Empty => None,
            Repr::Small(page) => {
                let at = mix(random) as usize % self.len() * PARTS;
                Some(Entry::new(page, &[], at))
            }
            Repr::Large(large) => large.random(random),
        }
    }

    /// Memory on the heap, in bytes; shared memory counts in full. Of a large map about `samples`
    /// entries are looked at, all of them if that is 0.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.heap_bytes(),
            Repr::Large(large) => {
                let own = size_of::<usize>() + size_of::<Large<PARTS>>();
                own + large.heap_bytes(samples)
            }
        }
    }

    /// About how many bytes are freed with it, without a walk.
    #[inline]
    pub fn weight(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Small(page) => page.heap_bytes(),
            Repr::Large(large) => large.bytes,
        }
    }

    /// The map as a large one.
    fn grown(&mut self, hasher: NameHasher) -> &mut Large<PARTS> {
        if let Repr::Empty | Repr::Small(_) = self.0 {
            let page = match std::mem::replace(&mut self.0, Repr::Empty) {
                Repr::Small(page) => page,
                Repr::Empty | Repr::Large(_) => Page::of(&[]),
            };
            self.0 = Repr::Large(Arc::new(Large {
                len: page.len() / PARTS,
                bytes: page.cost(),
                root: Node::Table(Arc::new(Table::root(page))),
                is_spread: false,
                hasher,
            }));
        }
        match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large),
            Repr::Empty | Repr::Small(_) => unreachable!("made large just above"),
        }
    }
}

impl Map<1> {
    /// One integer, the first of an [ordered](Map::is_ordered) map.
    pub fn of_integer(integer: i64) -> Self {
        let mut page = Page::of(&[Item::Integer(integer).pack()]);
        page.set_note(ORDERED);
        Map(Repr::Small(page))
    }

    /// Returns whether it has nothing but integers, in ascending order.
    #[inline]
    pub fn is_ordered(&self) -> bool {
        matches!(&self.0, Repr::Small(page) if page.note() == ORDERED)
    }

    /// Is like any other map from now on, to which names of all kinds may come.
    pub fn give_up_order(&mut self) {
        if let Repr::Small(page) = &mut self.0 {
            page.set_note(0);
        }
    }

    /// Puts an integer into an [ordered](Map::is_ordered) map of less than [`SMALL_LEN_MAX`];
    /// returns whether it is new.
    pub fn insert_in_order(&mut self, integer: i64) -> bool {
        let Repr::Small(page) = &mut self.0 else {
            return false;
        };
        let content = page.content();
        let (mut at, mut end) = (0, content.len());
        while at < end {
            let middle = usize::midpoint(at, end);
            match content.get(middle) {
                Item::Integer(it) if it < integer => at = middle + 1,
                Item::Integer(_) | Item::Text(_) | Item::Place(_) => end = middle,
            }
        }
        let is_new = at == content.len() || content.get(at) != Item::Integer(integer);
        if is_new {
            page.splice(at, 0, &[Item::Integer(integer).pack()]);
        }
        is_new
    }
}

impl Map<2> {
    /// Gives a name the short value that `decide` makes of the one that it has, which is one search
    /// for both; or leaves all as it is if that makes none. `hasher` as for [`Map::insert`].
    pub fn update<'v>(
        &mut self,
        name: &[u8],
        hasher: NameHasher,
        decide: impl Fn(Option<Element<'_>>) -> Option<&'v [u8]>,
    ) {
        if name.len() < SHARED_BYTES_MIN
            && let Repr::Large(large) = &mut self.0
            && large.is_unique()
        {
            Arc::make_mut(large).update(name, decide);
            return;
        }
        // Nothing is copied for a name that keeps its value.
        let before = self.find(name);
        if let Some(value) = decide(before.as_ref().map(Entry::value)) {
            self.insert([name, value], hasher);
        }
    }
}

impl<const PARTS: usize> Map<PARTS> {
    /// Where a name would be, for a look ahead; `None` if all names are in a single page.
    #[inline]
    pub fn ahead(&self, name: &[u8]) -> Option<Ahead<'_, PARTS>> {
        match &self.0 {
            Repr::Empty | Repr::Small(_) => None,
            Repr::Large(large) => Some(Ahead(large.table(name))),
        }
    }

    /// Reads what searches for these names will read, one step of all of them after the other; for
    /// at most [`STEP`] names.
    pub fn look_ahead(&self, names: &[&[u8]]) {
        let tables: SmallVec<[_; STEP]> = names.iter().filter_map(|it| self.ahead(it)).collect();
        tables.iter().for_each(Ahead::touch_head);
        tables.iter().for_each(Ahead::touch_all);
    }
}

/// The names among which one is going to be searched for.
#[derive(Clone, Copy)]
pub struct Ahead<'a, const PARTS: usize>(&'a Table<PARTS>);

impl<'a, const PARTS: usize> Ahead<'a, PARTS> {
    /// The entry of the name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Entry<'a, PARTS>> {
        self.0.find(name)
    }

    /// Reads how many there are.
    #[inline]
    pub fn touch_head(&self) {
        black_box(self.0.touch_head());
    }

    /// Reads some of each line of memory.
    #[inline]
    pub fn touch_all(&self) {
        black_box(self.0.touch_all());
    }
}

impl<const PARTS: usize> Large<PARTS> {
    fn insert(
        &mut self,
        parts: &[&[u8]; PARTS],
        items: &[Packed<'_>; PARTS],
        longs: &mut impl Longs,
    ) -> bool {
        let is_new = self.change(parts[0], |table| table.insert(parts, items, longs));
        self.len += usize::from(is_new);
        is_new
    }

    fn update<'v>(
        &mut self,
        name: &[u8],
        decide: impl FnOnce(Option<Element<'_>>) -> Option<&'v [u8]>,
    ) {
        let is_new = self.change(name, |table| table.update(name, decide));
        self.len += usize::from(is_new);
    }

    fn set_date(&mut self, name: &[u8], date: Option<u64>) -> Option<Option<u64>> {
        self.change(name, |table| table.set_date(name, date))
    }

    /// Changes the table of a name, with room for one entry more. At worst a full table splits one
    /// entry early, as it may be one that is there.
    #[inline]
    fn change<R>(&mut self, name: &[u8], change: impl FnOnce(&mut Table<PARTS>) -> R) -> R {
        let hasher = self.hasher;
        let hash = match &self.root {
            Node::Table(table) if table.is_full() => hasher.hash(name),
            Node::Table(_) | Node::Branch(_) => self.place(name),
        };
        while self.root.table(hash).is_full() {
            self.root.split(hash, &|name: &[u8]| hasher.hash(name));
        }
        let table = self.root.table_mut(hash);
        let before = table.bytes();
        let result = change(table);
        self.bytes = self.bytes + table.bytes() - before;
        result
    }

    fn remove(
        &mut self,
        name: &[u8],
        longs: &mut impl Longs,
        show: impl FnOnce(Entry<'_, PARTS>),
    ) -> bool {
        let hasher = self.hasher;
        let take = |table: &mut Table<PARTS>| {
            let before = table.bytes();
            let is_there = table.remove(name, longs, show);
            is_there.then(|| before - table.bytes())
        };
        let is_there = |table: &Table<PARTS>| table.find(name).is_some();
        let hash_of = |name: &[u8]| hasher.hash(name);
        let removed = self
            .root
            .remove(self.place(name), &is_there, take, &hash_of);
        self.bytes -= removed.unwrap_or(0);
        self.len -= usize::from(removed.is_some());
        removed.is_some()
    }

    /// Draws a table by its share of the hashes, and takes it by how many entries it has for that
    /// share. Otherwise entries that are alone in their part of the hashes would come up more
    /// often.
    fn random(&self, random: u64) -> Option<Entry<'_, PARTS>> {
        let mut random = mix(random);
        for _ in 0..DRAWS_MAX {
            let table = self.root.table(random);
            random = mix(random);
            let density = (table.len() as u128) << (table.depth() + u32::BITS);
            let chance = u128::from(random as u32) * (self.len as u128 * DENSITY_MAX);
            random = mix(random);
            if chance < density && table.len() > 0 {
                return Some(table.entry(random as usize % table.len()));
            }
        }
        let (table, random) = self.root.draw(random);
        let len = table.len().max(1);
        (table.len() > 0).then(|| table.entry(random as usize % len))
    }

    fn shed(&mut self, bytes: usize) {
        let hasher = self.hasher;
        let hash_of = |name: &[u8]| hasher.hash(name);
        let mut freed = 0;
        while freed < bytes && self.len > 0 {
            let mut tables = Tables::new(Some(&self.root));
            let some = std::iter::from_fn(|| tables.next()).find(|table| table.len() > 0);
            let Some(name) = some.map(|table| table.entry(0).name().to_vec()) else {
                return;
            };
            let take = |table: &mut Table<PARTS>| Some((table.len(), table.clear()));
            let gone = self
                .root
                .remove(hasher.hash(&name), &|_| true, take, &hash_of);
            let Some((len, table_bytes)) = gone else {
                return;
            };
            freed += table_bytes;
            self.len -= len;
            self.bytes -= table_bytes;
        }
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<Entry<'_, PARTS>> {
        self.table(name).find(name)
    }

    /// The table of a name.
    #[inline]
    fn table(&self, name: &[u8]) -> &Table<PARTS> {
        self.root.table(self.place(name))
    }

    /// The hash by which the table of a name is found. A single table is that of every name, and a
    /// name may be long, so it is not hashed for that.
    #[inline]
    fn place(&self, name: &[u8]) -> u64 {
        match &self.root {
            Node::Table(_) => 0,
            Node::Branch(_) => self.hasher.hash(name),
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        let of_branches = self.root.branches_bytes(samples == 0);
        let samples = if samples == 0 { usize::MAX } else { samples };
        let mut tables = Tables::new(Some(&self.root));
        let (mut seen, mut bytes) = (0, 0);
        while let Some(table) = tables.next() {
            seen += table.len();
            bytes += table.heap_bytes();
            if seen >= samples {
                break;
            }
        }
        if seen == 0 || seen == self.len {
            return of_branches + bytes;
        }
        of_branches + (bytes as u128 * self.len as u128 / seen as u128) as usize
    }
}

/// How many times as dense as in the mean entries are in a table at most. Hashes that are spread by
/// chance do not come near it: of the tables with the fewest entries, which expect ten, one in
/// 10^12 would. A table is drawn as often in the mean.
const DENSITY_MAX: u128 = 4;

/// How often a table is drawn at most.
const DRAWS_MAX: usize = 1000;

/// The entries of a [`Map`].
#[derive(Clone)]
pub struct Iter<'a, const PARTS: usize> {
    /// The next entry, unless the page ends before it.
    next: Option<Entry<'a, PARTS>>,
    tables: Option<Tables<'a, Table<PARTS>>>,
    left: usize,
}

impl<'a, const PARTS: usize> Iter<'a, PARTS> {
    /// Goes to the next page in which something is.
    #[inline(never)]
    fn next_in_other_page(&mut self) -> Option<Entry<'a, PARTS>> {
        loop {
            let (page, beside) = self.tables.as_mut()?.next()?.parts();
            self.next = Some(Entry::new(page, beside, 0));
            if page.len() > 0 {
                return self.next();
            }
        }
    }
}

impl<'a, const PARTS: usize> Iterator for Iter<'a, PARTS> {
    type Item = Entry<'a, PARTS>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.next {
            Some(next) if next.at < next.content.len() => {
                let entry = *next;
                next.at += PARTS;
                self.left -= 1;
                Some(entry)
            }
            Some(_) | None => self.next_in_other_page(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<const PARTS: usize> ExactSizeIterator for Iter<'_, PARTS> {}

impl<const PARTS: usize> std::fmt::Debug for Entry<'_, PARTS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = (0..PARTS).map(|index| self.part(index));
        f.debug_list().entries(parts).finish()
    }
}

impl<const PARTS: usize> std::fmt::Debug for Ahead<'_, PARTS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ahead").field(&self.0.len()).finish()
    }
}

impl<const PARTS: usize> std::fmt::Debug for Map<PARTS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<const PARTS: usize> std::fmt::Debug for Iter<'_, PARTS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests;
