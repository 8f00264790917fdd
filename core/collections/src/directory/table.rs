//! One small table: the values of one hash prefix.

use hashbrown::HashTable;
use hashbrown::hash_table;

use super::limits::{DRAWS_MAX, MERGED_LEN_MAX, SPARSE_LEN, SPARSE_STEP, TABLE_LEN_MAX};
use crate::page::allocated;
use crate::trie::{Bucket, PREFIX_BITS, mix};

/// The values whose hashes share the leading `depth` bits.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    values: HashTable<T>,
    /// The greatest stamp of a removal from the range of this table.
    stamp: u64,
    depth: u32,
}

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
            values: HashTable::new(),
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
        own + allocated(self.values.allocation_size())
    }

    /// Returns whether it has to split before another value comes in.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() >= TABLE_LEN_MAX && self.depth < PREFIX_BITS
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, eq: impl FnMut(&T) -> bool) -> Option<&T> {
        self.values.find(inner_hash(hash), eq)
    }

    /// The value that a search for this hash compares first: found without looking at any value.
    #[inline]
    pub(crate) fn first_compared(&self, hash: u64) -> Option<&T> {
        self.values.iter_hash(inner_hash(hash)).next()
    }

    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, eq: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.values.find_mut(inner_hash(hash), eq)
    }

    #[inline]
    pub(crate) fn entry(
        &mut self,
        hash: u64,
        eq: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> hash_table::Entry<'_, T> {
        self.values
            .entry(inner_hash(hash), eq, |value| inner_hash(hash_of(value)))
    }

    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, value: T, hash_of: impl Fn(&T) -> u64) -> &mut T {
        let hasher = |value: &T| inner_hash(hash_of(value));
        self.values
            .insert_unique(inner_hash(hash), value, hasher)
            .into_mut()
    }

    /// Removes a value, and frees memory if much of it is unused.
    pub(crate) fn remove(
        &mut self,
        hash: u64,
        eq: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
        stamp: u64,
    ) -> Option<T> {
        let entry = self.values.find_entry(inner_hash(hash), eq).ok()?;
        let (value, _) = entry.remove();
        self.stamp = self.stamp.max(stamp);
        let len = self.values.len();
        if len.is_multiple_of(8) && len * 8 <= self.values.capacity() {
            self.values
                .shrink_to(len + len / 2, |value| inner_hash(hash_of(value)));
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> hash_table::Iter<'_, T> {
        self.values.iter()
    }

    /// Some value of the table, drawn by `random`; `None` if there is none.
    pub(crate) fn random(&self, random: u64) -> Option<&T> {
        if self.values.is_empty() {
            return None;
        }
        let bucket_count = self.values.num_buckets();
        let mut random = random;
        for _ in 0..DRAWS_MAX {
            if let Some(value) = self.values.get_bucket(random as usize % bucket_count) {
                return Some(value);
            }
            random = mix(random);
        }
        self.values.iter().next()
    }
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
        let right_len = self
            .values
            .iter()
            .filter(|value| hash_of(value) & bit != 0)
            .count();
        let left_len = self.values.len() - right_len;
        let values = std::mem::take(&mut self.values);
        self.values = HashTable::with_capacity(left_len);
        self.depth += 1;
        let mut right = Table {
            values: HashTable::with_capacity(right_len),
            stamp: self.stamp,
            depth: self.depth,
        };
        for value in values {
            let hash = hash_of(&value);
            let side = if hash & bit == 0 {
                &mut *self
            } else {
                &mut right
            };
            side.insert(hash, value, &hash_of);
        }
        right
    }

    fn merge(&mut self, neighbour: Self, hash_of: impl Fn(&T) -> u64) {
        debug_assert_eq!(
            self.depth, neighbour.depth,
            "neighbours are of the same depth"
        );
        self.depth = neighbour.depth.saturating_sub(1);
        self.stamp = self.stamp.max(neighbour.stamp);
        self.values
            .reserve(neighbour.len(), |value| inner_hash(hash_of(value)));
        for value in neighbour.values {
            self.insert(hash_of(&value), value, &hash_of);
        }
    }
}
