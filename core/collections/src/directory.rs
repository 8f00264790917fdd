//! An extendible hash of small copy-on-write tables.
//!
//! A [`Directory`] holds values that carry their own key; the caller hashes the key (64 bits, a
//! seeded hash) and says when two are equal. The leading bits of the hash lead through a few
//! branches of 256 slots to a table of at most about a hundred values. A table that overflows
//! splits in two and two sparse neighbours merge, so neither growth nor shrinking ever pauses.
//! Tables are in the order of their hash prefix, which serves as a cursor: for `SCAN`, for
//! snapshots, and as a cluster's slot index when the slot is the head of the hash. Branches and
//! tables are reference-counted: a clone is a frozen view that costs one pointer, and a later write
//! copies the table that it touches and the branches above it, nothing else.

mod limits;
mod scan;
mod table;

use std::hint::black_box;

use table::{Free, Slot, Table};

pub use crate::trie::PREFIX_BITS;
pub use limits::TABLE_LEN_MAX;
pub use scan::Iter;

use crate::trie::{Bucket, Node};

/// A hash table that never pauses, whose clone is a frozen view.
///
/// The caller passes the 64-bit hash of a key with each call, always the same for the same key; it
/// should be seeded, since values of equal hashes share one table of any size. `eq` says whether a
/// value is the one that is sought, and `hash_of` gives the hash of a value that is already there
/// (needed when tables split, grow or merge); values that keep their hash make that cheaper.
///
/// Cloning copies one pointer. Afterwards either of the two may change, and sees nothing of the
/// other: a write copies the table that it touches and the few branches above it.
#[derive(Debug)]
pub struct Directory<T> {
    pub(crate) root: Option<Node<Table<T>>>,
    len: usize,
    /// The stamp of a removal of everything. It applies wherever there is no table.
    floor_stamp: u64,
    /// The greatest stamp that any removal had.
    newest_stamp: u64,
}

impl<T> Clone for Directory<T> {
    fn clone(&self) -> Self {
        Directory {
            root: self.root.clone(),
            ..*self
        }
    }
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Directory::new()
    }
}

impl<T> Directory<T> {
    /// An empty directory. It has no memory of its own yet.
    pub const fn new() -> Self {
        Directory {
            root: None,
            len: 0,
            floor_stamp: 0,
            newest_stamp: 0,
        }
    }

    /// The number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no value.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of that hash for which `eq` holds. Inlined, so that `eq` need not be called.
    #[inline(always)]
    pub fn find(&self, hash: u64, eq: impl Fn(&T) -> bool) -> Option<&T> {
        self.root.as_ref()?.table(hash).find(hash, eq)
    }

    /// The value that [`Directory::find`] compares first, for each of up to `N` hashes: found
    /// without looking at it, so most often what is looked for, and sometimes another. Each step is
    /// done for all of them before the next step, so that their waits for memory overlap. `touch`
    /// reads a little of a value, where its owner and the caller are going to look.
    #[inline]
    pub fn first_compared<R, const N: usize>(
        &self,
        hashes: &[u64],
        touch: impl Fn(&T) -> R,
    ) -> [Option<&T>; N] {
        let mut compared = [None; N];
        let Some(root) = &self.root else {
            return compared;
        };
        let mut tables = [None; N];
        for (table, hash) in tables.iter_mut().zip(hashes) {
            *table = Some(root.table(*hash));
        }
        // Each table's head has to be there before it can be searched.
        black_box(
            tables
                .iter()
                .flatten()
                .map(|table| table.len())
                .sum::<usize>(),
        );
        for ((compared, table), hash) in compared.iter_mut().zip(tables).zip(hashes) {
            *compared = table.and_then(|table| table.first_compared(*hash));
        }
        let compared = black_box(compared);
        for first in compared.iter().flatten() {
            black_box(touch(first));
        }
        compared
    }

    /// The greatest stamp of a removal from the table that would hold `hash`: whatever was removed
    /// under that hash was removed at or before it. 0 if nothing was.
    pub fn stamp(&self, hash: u64) -> u64 {
        match &self.root {
            Some(root) => root.table(hash).stamp(),
            None => self.floor_stamp,
        }
    }

    /// The memory that a value of that hash takes in here, in bytes: its part of a table, which has
    /// room for more, without what the value itself has elsewhere.
    pub fn place_bytes(&self, hash: u64) -> usize {
        let Some(root) = &self.root else { return 0 };
        let table = root.table(hash);
        let bytes = root.place_bytes(hash) + table.heap_bytes();
        bytes.checked_div(table.len()).unwrap_or(bytes)
    }

    /// A view that stays as it is: a clone, under the name that says what it is for.
    pub fn freeze(&self) -> Self {
        self.clone()
    }

    /// All values, tables in the order of their hash prefixes, in no order within a table.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Removes everything at once and returns it, so that the caller may drop it in pieces or
    /// elsewhere. `stamp` is the stamp of that removal.
    pub fn clear(&mut self, stamp: u64) -> Self {
        let old = std::mem::take(self);
        self.newest_stamp = old.newest_stamp.max(stamp);
        self.floor_stamp = self.newest_stamp;
        old
    }
}

impl<T: Clone> Directory<T> {
    /// As [`Directory::find`], to change the value (but not its key). Copies the table if a frozen
    /// view has it too and the value is there.
    #[inline]
    pub fn find_mut(&mut self, hash: u64, eq: impl Fn(&T) -> bool) -> Option<&mut T> {
        let is_there = |table: &Table<T>| table.find(hash, &eq).is_some();
        let table = self.root.as_mut()?.table_mut_if(hash, is_there)?;
        table.find_mut(hash, &eq)
    }

    /// Adds a value whose key is not there yet, which the caller must know. (Otherwise both stay,
    /// and either may be found.)
    #[inline]
    pub fn insert(&mut self, hash: u64, value: T, hash_of: impl Fn(&T) -> u64) -> &mut T {
        self.make_room(hash, &hash_of);
        self.len += 1;
        let floor = self.floor_stamp;
        let root = self
            .root
            .get_or_insert_with(|| Node::Table(Table::root(floor).into()));
        root.table_mut(hash).insert(hash, value, hash_of)
    }

    /// Finds a value or the place for it with a single hash and probe. For writers: a table that a
    /// frozen view has too is copied even if nothing is changed through the entry afterwards.
    #[inline]
    pub fn entry(
        &mut self,
        hash: u64,
        eq: impl Fn(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Entry<'_, T> {
        self.make_room(hash, &hash_of);
        let floor = self.floor_stamp;
        let root = self
            .root
            .get_or_insert_with(|| Node::Table(Table::root(floor).into()));
        match root.table_mut(hash).entry(hash, eq, hash_of) {
            Slot::Taken(value) => Entry::Occupied(OccupiedEntry { value }),
            Slot::Free(place) => Entry::Vacant(VacantEntry {
                place,
                len: &mut self.len,
            }),
        }
    }

    /// Removes a value. `stamp` (in practice the position of the removal in the log) raises the
    /// stamp of its table. Tables that have become sparse free memory and merge.
    pub fn remove(
        &mut self,
        hash: u64,
        eq: impl Fn(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
        stamp: u64,
    ) -> Option<T> {
        let is_there = |table: &Table<T>| table.find(hash, &eq).is_some();
        let take = |table: &mut Table<T>| table.remove(hash, &eq, &hash_of, stamp);
        let value = self
            .root
            .as_mut()?
            .remove(hash, &is_there, take, &hash_of)?;
        self.len -= 1;
        self.newest_stamp = self.newest_stamp.max(stamp);
        if self.len == 0 {
            self.root = None;
            self.floor_stamp = self.newest_stamp;
        }
        Some(value)
    }

    /// Splits the table for `hash` until it has room. Done before it is known whether the key is
    /// new: at worst a full table splits one value early.
    #[inline]
    fn make_room(&mut self, hash: u64, hash_of: &impl Fn(&T) -> u64) {
        let Some(root) = &mut self.root else { return };
        while root.table(hash).is_full() {
            root.split(hash, hash_of);
        }
    }
}

/// A value, or the place where it would be.
#[derive(Debug)]
pub enum Entry<'a, T> {
    /// It is there.
    Occupied(OccupiedEntry<'a, T>),
    /// It is not there.
    Vacant(VacantEntry<'a, T>),
}

/// A value that is there.
#[derive(Debug)]
pub struct OccupiedEntry<'a, T> {
    value: &'a mut T,
}

impl<'a, T> OccupiedEntry<'a, T> {
    /// The value.
    pub fn get(&self) -> &T {
        self.value
    }

    /// The value, to change anything but its key.
    pub fn get_mut(&mut self) -> &mut T {
        self.value
    }

    /// The value, for as long as the directory is borrowed.
    pub fn into_mut(self) -> &'a mut T {
        self.value
    }
}

/// The place of a value that is not there.
#[derive(Debug)]
pub struct VacantEntry<'a, T> {
    place: Free<'a, T>,
    len: &'a mut usize,
}

impl<'a, T> VacantEntry<'a, T> {
    /// Adds the value; it must have the hash that the entry was asked for.
    pub fn insert(self, value: T) -> &'a mut T {
        *self.len += 1;
        self.place.insert(value)
    }
}

#[cfg(test)]
mod tests;
