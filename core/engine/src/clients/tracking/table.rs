//! The keys that clients have read, and which clients those are.
//!
//! The table is bounded in keys (`tracking-table-max-keys`), in items, which are pairs of a key and
//! a client, and in bytes of long names. A key that finds no room takes the place of some others,
//! which are drawn by chance: to those who have read them it is as if they had changed.

use collections::Directory;
use collections::directory::Entry;
use smallvec::SmallVec;
use values::Key;

use super::trackers::{TrackerId, Trackers};
use super::untold::News;
use crate::limits::{TRACKED_ITEMS_MAX, TRACKED_NAME_BYTES_MAX, UNTRACKED_PER_READ_MAX};
use crate::rng::Rng;

/// Clients that have read a key, in their order. Some of them may not track any more.
pub(super) type Readers = SmallVec<[TrackerId; 2]>;

/// A key that was read.
#[derive(Debug, Clone)]
struct Tracked {
    hash: u64,
    key: Key,
    readers: Readers,
}

/// How much the table may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) keys: usize,
    pub(super) items: usize,
    pub(super) name_bytes: usize,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Table {
    keys: Directory<Tracked>,
    /// Readers of all keys together.
    items: usize,
    /// Bytes of all names that are on the heap.
    name_bytes: usize,
    pub(super) bounds: Bounds,
    rng: Rng,
}

/// A table that is of no more use.
#[derive(Debug)]
pub struct ForgottenTable {
    keys: Directory<Tracked>,
    other_bytes: usize,
}

/// About how many bytes an item takes beside the name of its key.
const ITEM_BYTES: usize = 96;

impl ForgottenTable {
    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * ITEM_BYTES + self.other_bytes
    }
}

/// About how many bytes one reader of a key counts for.
fn item_bytes(key: &Key) -> usize {
    ITEM_BYTES + key.heap_bytes()
}

impl Table {
    pub(super) fn new(rng: Rng, keys_max: usize) -> Table {
        let mut table = Table {
            keys: Directory::new(),
            items: 0,
            name_bytes: 0,
            bounds: Bounds {
                keys: 0,
                items: TRACKED_ITEMS_MAX,
                name_bytes: TRACKED_NAME_BYTES_MAX,
            },
            rng,
        };
        table.set_keys_max(keys_max);
        table
    }

    pub(super) fn set_keys_max(&mut self, keys_max: usize) {
        self.bounds.keys = match keys_max {
            0 => usize::MAX,
            keys_max => keys_max,
        };
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn items(&self) -> usize {
        self.items
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.keys.len() > self.bounds.keys
            || self.items > self.bounds.items
            || self.name_bytes > self.bounds.name_bytes
    }

    /// A client has read a key. What has to go for that is told.
    pub(super) fn remember(
        &mut self,
        trackers: &mut Trackers,
        reader: TrackerId,
        hash: u64,
        key: Key,
        news: &mut News,
    ) {
        let is_it = |tracked: &Tracked| tracked.key == key;
        let bytes = item_bytes(&key);
        match self.keys.entry(hash, is_it, |tracked| tracked.hash) {
            Entry::Occupied(mut found) => {
                let readers = &mut found.get_mut().readers;
                let Err(place) = readers.binary_search(&reader) else {
                    return;
                };
                self.items += 1;
                if readers.len() < readers.capacity() {
                    readers.insert(place, reader);
                } else {
                    // Before more memory is taken, those who are gone make room.
                    let before = readers.len();
                    readers.retain(|reader| trackers.is_there(*reader));
                    self.items -= before - readers.len();
                    let place = readers.binary_search(&reader).unwrap_or_else(|at| at);
                    readers.insert(place, reader);
                }
            }
            Entry::Vacant(place) => {
                self.items += 1;
                self.name_bytes += key.heap_bytes();
                let mut readers = Readers::new();
                readers.push(reader);
                place.insert(Tracked {
                    hash,
                    key: key.clone(),
                    readers,
                });
            }
        }
        trackers.add_bytes(reader, bytes);
        self.shrink(trackers, UNTRACKED_PER_READ_MAX, news);
        if self.is_too_large()
            && let Some((key, readers)) = self.take(trackers, hash, &key)
        {
            // It finds no room, so it must not be kept in a cache.
            news.push_key(key, readers);
        }
    }

    /// Takes keys out while there is too much, but no more than these, and tells of them.
    pub(super) fn shrink(&mut self, trackers: &mut Trackers, keys_max: usize, news: &mut News) {
        for _ in 0..keys_max {
            if !self.is_too_large() {
                return;
            }
            let Some(drawn) = self.keys.random(self.rng.next()) else {
                return;
            };
            let (hash, key) = (drawn.hash, drawn.key.clone());
            if let Some((key, readers)) = self.take(trackers, hash, &key) {
                news.push_key(key, readers);
            }
        }
    }

    /// Takes a key out, with those who have read it.
    pub(super) fn take(
        &mut self,
        trackers: &mut Trackers,
        hash: u64,
        key: &[u8],
    ) -> Option<(Key, Readers)> {
        let is_it = |tracked: &Tracked| *tracked.key == *key;
        let taken = self.keys.remove(hash, is_it, |tracked| tracked.hash, 0)?;
        let Tracked { key, readers, .. } = taken;
        self.items -= readers.len();
        self.name_bytes -= key.heap_bytes();
        for reader in &readers {
            trackers.take_bytes(*reader, item_bytes(&key));
        }
        Some((key, readers))
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) -> ForgottenTable {
        let items = std::mem::take(&mut self.items);
        let names = std::mem::take(&mut self.name_bytes);
        ForgottenTable {
            keys: self.keys.clear(0),
            other_bytes: items * size_of::<TrackerId>() + names,
        }
    }
}
