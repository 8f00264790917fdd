//! One small table: the values of one hash prefix.
//!
//! The values lie one after another, so that no place is empty but what the allocator gives anyway.
//! A hash table beside them has a byte for each: where it is.

use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, VacantEntry};

use super::limits::{MERGED_LEN_MAX, SPARSE_LEN, SPARSE_STEP, TABLE_LEN_MAX};
use crate::page::allocated;
use crate::trie::{Bucket, PREFIX_BITS};

/// The values whose hashes share the leading `depth` bits.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    values: Vec<T>,
    /// The places of the first [`PLACED_MAX`] values.
    places: HashTable<u8>,
    /// The greatest stamp of a removal from the range of this table.
    stamp: u64,
    depth: u32,
}

/// How many values are found by a hash. Only the deepest tables, which do not split, have more;
/// they look at those one after another.
const PLACED_MAX: usize = 256;

const _: () = assert!(TABLE_LEN_MAX <= PLACED_MAX && PLACED_MAX == 1 << u8::BITS);

/// All values of a deep table have the same leading bits, and a hash table of `hashbrown` tags its
/// buckets with just those; so inside a table the bits of the hash are reversed.
#[inline]
fn inner_hash(hash: u64) -> u64 {
    hash.rotate_right(16)
}

impl<T> Table<T> {
    /// The first table of a directory: it holds every hash.
    pub(crate) fn root(stamp: u64) -> Self {
        Table {
            values: Vec::new(),
            places: HashTable::new(),
            stamp,
            depth: 0,
        }
    }

    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Its memory, with its head and the count of those who hold it, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let own = allocated(size_of::<usize>() + size_of::<Self>());
        let values = allocated(self.values.capacity() * size_of::<T>());
        own + values + allocated(self.places.allocation_size())
    }

    /// Returns whether it has to split before another value comes in.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() >= TABLE_LEN_MAX && self.depth < PREFIX_BITS
    }

    /// Where the value of that hash is for which `eq` holds.
    #[inline]
    fn position(&self, hash: u64, mut eq: impl FnMut(&T) -> bool) -> Option<usize> {
        let is_it = |place: &u8| self.values.get(usize::from(*place)).is_some_and(&mut eq);
        match self.places.find(inner_hash(hash), is_it) {
            Some(place) => Some(usize::from(*place)),
            None if self.values.len() <= PLACED_MAX => None,
            None => {
                let at = self.values[PLACED_MAX..].iter().position(eq)?;
                Some(PLACED_MAX + at)
            }
        }
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, mut eq: impl FnMut(&T) -> bool) -> Option<&T> {
        let mut found = None;
        let is_it = |place: &u8| {
            let value = self.values.get(usize::from(*place));
            found = value.filter(|value| eq(value));
            found.is_some()
        };
        self.places.find(inner_hash(hash), is_it);
        if found.is_none() && self.values.len() > PLACED_MAX {
            return self.values[PLACED_MAX..].iter().find(|value| eq(value));
        }
        found
    }

    /// The value that a search for this hash compares first: found without looking at any value.
    #[inline]
    pub(crate) fn first_compared(&self, hash: u64) -> Option<&T> {
        let place = self.places.iter_hash(inner_hash(hash)).next()?;
        self.values.get(usize::from(*place))
    }

    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, eq: impl FnMut(&T) -> bool) -> Option<&mut T> {
        let at = self.position(hash, eq)?;
        self.values.get_mut(at)
    }

    /// The value of that hash for which `eq` holds, or the place for one.
    #[inline]
    pub(crate) fn entry(
        &mut self,
        hash: u64,
        mut eq: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Slot<'_, T> {
        if let Some(rest) = self.values.get(PLACED_MAX..)
            && let Some(at) = rest.iter().position(&mut eq)
        {
            return Slot::Taken(&mut self.values[PLACED_MAX + at]);
        }
        let values = &self.values;
        let is_it = |place: &u8| values.get(usize::from(*place)).is_some_and(&mut eq);
        let hash_at = |place: &u8| inner_hash(hash_of(&values[usize::from(*place)]));
        match self.places.entry(inner_hash(hash), is_it, hash_at) {
            Entry::Occupied(found) => Slot::Taken(&mut self.values[usize::from(*found.get())]),
            Entry::Vacant(place) => Slot::Free(Free {
                values: &mut self.values,
                place,
            }),
        }
    }

    /// Adds a value behind the others.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, value: T, hash_of: impl Fn(&T) -> u64) -> &mut T {
        self.place(hash, self.values.len(), hash_of);
        push(&mut self.values, value)
    }

    /// Removes a value, and frees memory if much of it is unused.
    pub(crate) fn remove(
        &mut self,
        hash: u64,
        eq: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
        stamp: u64,
    ) -> Option<T> {
        let at = self.position(hash, eq)?;
        self.displace(hash, at);
        let last = self.values.len() - 1;
        if last != at {
            // The last one comes into its place.
            let hash = hash_of(&self.values[last]);
            self.replace_place(hash, last, at, &hash_of);
        }
        let value = self.values.swap_remove(at);
        self.stamp = self.stamp.max(stamp);
        let len = self.values.len();
        if len.is_multiple_of(8) && len * 2 <= self.values.capacity() {
            self.values.shrink_to(room(len + len / 4, size_of::<T>()));
            let values = &self.values;
            let hash_at = |place: &u8| inner_hash(hash_of(&values[usize::from(*place)]));
            if len * 8 <= self.places.capacity() {
                self.places.shrink_to(len + len / 2, hash_at);
            }
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// Some value of the table, drawn by `random`; `None` if there is none.
    pub(crate) fn random(&self, random: u64) -> Option<&T> {
        let at = random.checked_rem(self.values.len() as u64)?;
        self.values.get(at as usize)
    }

    /// A place is no longer that of a value of this hash.
    fn displace(&mut self, hash: u64, at: usize) {
        if let Ok(place) = u8::try_from(at)
            && let Ok(entry) = self.places.find_entry(inner_hash(hash), |it| *it == place)
        {
            entry.remove();
        }
    }

    /// A value of this hash has another place.
    fn replace_place(&mut self, hash: u64, from: usize, to: usize, hash_of: impl Fn(&T) -> u64) {
        let places = (u8::try_from(from), u8::try_from(to));
        if let (Ok(from), Ok(to)) = places
            && let Some(place) = self.places.find_mut(inner_hash(hash), |it| *it == from)
        {
            *place = to;
            return;
        }
        self.displace(hash, from);
        self.place(hash, to, hash_of);
    }

    /// A place is that of a value of this hash.
    #[inline]
    fn place(&mut self, hash: u64, at: usize, hash_of: impl Fn(&T) -> u64) {
        if let Ok(place) = u8::try_from(at) {
            let values = &self.values;
            let hash_at = |place: &u8| inner_hash(hash_of(&values[usize::from(*place)]));
            self.places.insert_unique(inner_hash(hash), place, hash_at);
        }
    }

    /// An empty table with room for this many values.
    fn with_room(len: usize, stamp: u64, depth: u32) -> Self {
        Table {
            values: Vec::with_capacity(room(len, size_of::<T>())),
            // It is about half full now, and is not to grow once more before it splits.
            places: HashTable::with_capacity(TABLE_LEN_MAX),
            stamp,
            depth,
        }
    }
}

/// What a search for a value to be changed or put in has found.
pub(crate) enum Slot<'a, T> {
    /// It is there.
    Taken(&'a mut T),
    /// It is not there.
    Free(Free<'a, T>),
}

/// The place of a value that is not there.
#[derive(Debug)]
pub(crate) struct Free<'a, T> {
    values: &'a mut Vec<T>,
    place: VacantEntry<'a, u8>,
}

impl<'a, T> Free<'a, T> {
    /// Adds the value.
    #[inline]
    pub(crate) fn insert(self, value: T) -> &'a mut T {
        if let Ok(place) = u8::try_from(self.values.len()) {
            self.place.insert(place);
        }
        push(self.values, value)
    }
}

/// Adds a value behind others.
#[inline]
fn push<T>(values: &mut Vec<T>, value: T) -> &mut T {
    let at = values.len();
    if at == values.capacity() {
        make_room(values);
    }
    values.push(value);
    &mut values[at]
}

/// Makes room for one more value, and for as many as fit into what an allocator gives for that.
#[cold]
#[inline(never)]
fn make_room<T>(values: &mut Vec<T>) {
    let len = values.len();
    values.reserve_exact(room(len + 1, size_of::<T>()) - len);
}

/// How many values fit where there is room for this many.
fn room(len: usize, value_bytes: usize) -> usize {
    let bytes = allocated(len * value_bytes);
    bytes.checked_div(value_bytes).unwrap_or(len)
}

impl<T> Bucket for Table<T> {
    type Hashed = T;

    #[inline]
    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn depth(&self) -> u32 {
        self.depth
    }

    /// Not at every length, because a look at the neighbour costs as much as the removal.
    #[inline]
    fn is_sparse(&self) -> bool {
        self.len() <= SPARSE_LEN && self.len().is_multiple_of(SPARSE_STEP)
    }

    fn can_merge(&self, neighbour: &Self) -> bool {
        self.len() + neighbour.len() <= MERGED_LEN_MAX
    }

    fn split(&mut self, hash_of: impl Fn(&T) -> u64) -> Self {
        debug_assert!(self.depth < PREFIX_BITS, "the deepest tables grow instead");
        let bit = 1_u64 << (63 - self.depth);
        let depth = self.depth + 1;
        let hashes: Vec<u64> = self.values.iter().map(&hash_of).collect();
        let right_len = hashes.iter().filter(|hash| **hash & bit != 0).count();
        let mut left = Table::with_room(hashes.len() - right_len, self.stamp, depth);
        let mut right = Table::with_room(right_len, self.stamp, depth);
        for (value, hash) in self.values.drain(..).zip(hashes) {
            let side = if hash & bit == 0 {
                &mut left
            } else {
                &mut right
            };
            side.insert(hash, value, &hash_of);
        }
        *self = left;
        right
    }

    fn merge(&mut self, neighbour: Self, hash_of: impl Fn(&T) -> u64) {
        debug_assert_eq!(
            self.depth, neighbour.depth,
            "neighbours are of the same depth"
        );
        self.depth = neighbour.depth.saturating_sub(1);
        self.stamp = self.stamp.max(neighbour.stamp);
        for value in neighbour.values {
            self.insert(hash_of(&value), value, &hash_of);
        }
    }
}
