//! Many entries that come to a large map at once.
//!
//! In the order of their hashes, those of one table come together. A table that would not hold them
//! is split before they come, and one that has none yet is made of them as a whole. So none of them
//! moves again, and no page grows one by one.

use smallvec::SmallVec;

use super::order::Place;
use super::table::{LEN_MAX, PAGE_BYTES_MAX};
use super::{HashOrder, Large, Longs, Map, Repr};
use crate::element::SHARED_BYTES_MIN;
use crate::page::{Item, Packed, Page};
use crate::steps::touch;
use crate::trie::Bucket;

/// How many places are looked at to see whether a table has to split.
const WINDOW: usize = 2 * LEN_MAX;

impl<const PARTS: usize> Map<PARTS> {
    /// Puts entries in without a date, which `parts_of` gives by number, as [`Map::insert`] does
    /// one after the other; returns how many of their names are new. The order is that of the
    /// names, from [`Map::order_of`] of this map.
    pub fn insert_each<'p>(
        &mut self,
        order: &HashOrder,
        parts_of: impl Fn(usize) -> [&'p [u8]; PARTS],
        longs: &mut impl Longs,
    ) -> usize {
        let Repr::Large(large) = &mut self.0 else {
            unreachable!("only a large map gives an order");
        };
        let large = triomphe::Arc::make_mut(large);
        let before = large.len;
        let mut places = order.places();
        while !places.is_empty() {
            let window = &places[..places.len().min(WINDOW)];
            let count = large.fill(window, &parts_of, longs);
            places = &places[count..];
        }
        large.len - before
    }

    /// Splits tables that would not hold all of these names, before any of them comes. The order is
    /// that of the names, from [`Map::order_of`] of this map.
    pub fn make_room(&mut self, order: &HashOrder) {
        let Repr::Large(large) = &mut self.0 else {
            return;
        };
        let large = triomphe::Arc::make_mut(large);
        let mut places = order.places();
        while !places.is_empty() {
            let window = &places[..places.len().min(WINDOW)];
            let count = large.of_one_table(window).map_or(0, |(here, _)| here.len());
            places = &places[count..];
        }
    }
}

impl<const PARTS: usize> Large<PARTS> {
    /// Puts in those of these entries that belong to the table of the first, or makes that table
    /// smaller first; returns how many went in.
    fn fill<'p>(
        &mut self,
        places: &[Place],
        parts_of: &impl Fn(usize) -> [&'p [u8]; PARTS],
        longs: &mut impl Longs,
    ) -> usize {
        let Some((places, names)) = self.of_one_table(places) else {
            return 0;
        };
        let first = places[0].prefix();
        let table = self.root.table(first);
        // Which table it is of those that are deeper, only the whole hash tells.
        let is_known = table.depth() <= Place::PREFIX_BITS;
        let is_empty = table.len() == 0;
        let count = places.len();
        touch(places.iter().map(|it| parts_of(it.number())[0]));
        if is_known && is_empty && names == count && self.make_table(places, parts_of) {
            return count;
        }
        for place in places {
            let parts = parts_of(place.number());
            let items = parts.map(|part| Item::of(part).pack());
            self.insert(&parts, &items, longs);
        }
        count
    }

    /// Those of these places that belong to the table of the first, at least one, and how many
    /// different names they are at least. Makes the table smaller instead if they are too many.
    fn of_one_table<'o>(&mut self, places: &'o [Place]) -> Option<(&'o [Place], usize)> {
        let first = places.first()?;
        let depth = self.root.table(first.prefix()).depth();
        let in_table = places.iter().take_while(|it| it.shares(*first, depth));
        let count = in_table.count().max(1);
        let places = &places[..count];
        // Of different prefixes are different names.
        let steps = places.windows(2);
        let names = 1 + steps
            .filter(|two| two[0].prefix() != two[1].prefix())
            .count();
        if names > LEN_MAX && depth < Place::PREFIX_BITS {
            let hasher = self.hasher;
            let hash_of = |name: &[u8]| hasher.hash(name);
            self.root.split(first.prefix(), &hash_of);
            return None;
        }
        Some((places, names))
    }

    /// Makes a table that is empty of entries with different names, if they are short; returns
    /// whether they are.
    fn make_table<'p>(
        &mut self,
        places: &[Place],
        parts_of: &impl Fn(usize) -> [&'p [u8]; PARTS],
    ) -> bool {
        let mut items: SmallVec<[Packed<'_>; 2 * LEN_MAX]> = SmallVec::new();
        let mut bytes = 0;
        for place in places {
            for part in parts_of(place.number()) {
                let item = Item::of(part).pack();
                bytes += item.cost();
                items.push(item);
                if part.len() >= SHARED_BYTES_MIN || bytes > PAGE_BYTES_MAX {
                    return false;
                }
            }
        }
        let table = self.root.table_mut(places[0].prefix());
        table.begin(Page::of(&items));
        self.len += places.len();
        self.bytes += bytes;
        true
    }
}
