//! What one client listens to.

use std::collections::BTreeSet;

use values::Key;

use super::Listening;

/// Names of channels and patterns that a client listens to.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Few clients listen.
    names: Option<Box<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    channels: BTreeSet<Key>,
    patterns: BTreeSet<Key>,
    shards: BTreeSet<Key>,
    /// Bytes of all names that are on the heap.
    name_bytes: usize,
}

/// About how many bytes a subscription takes beside its name, here and where all of them are.
const SUBSCRIPTION_BYTES: usize = 384;

impl Names {
    fn of(&self, what: Listening) -> &BTreeSet<Key> {
        match what {
            Listening::Channel => &self.channels,
            Listening::Pattern => &self.patterns,
            Listening::Shard => &self.shards,
        }
    }

    fn of_mut(&mut self, what: Listening) -> &mut BTreeSet<Key> {
        match what {
            Listening::Channel => &mut self.channels,
            Listening::Pattern => &mut self.patterns,
            Listening::Shard => &mut self.shards,
        }
    }

    fn len(&self) -> usize {
        self.channels.len() + self.patterns.len() + self.shards.len()
    }
}

impl Subscriptions {
    /// Adds a name. Returns whether it is new.
    pub(super) fn insert(&mut self, what: Listening, name: Key) -> bool {
        let names = self.names.get_or_insert_default();
        let bytes = name.heap_bytes();
        let is_new = names.of_mut(what).insert(name);
        names.name_bytes += if is_new { bytes } else { 0 };
        is_new
    }

    /// Removes a name. Returns whether it was there.
    pub(super) fn remove(&mut self, what: Listening, name: &[u8]) -> bool {
        let Some(names) = &mut self.names else {
            return false;
        };
        let removed = names.of_mut(what).take(name);
        if let Some(name) = &removed {
            names.name_bytes -= name.heap_bytes();
        }
        if names.len() == 0 {
            self.names = None;
        }
        removed.is_some()
    }

    /// Removes all names of a kind.
    pub(super) fn take(&mut self, what: Listening) -> BTreeSet<Key> {
        let Some(names) = &mut self.names else {
            return BTreeSet::new();
        };
        let taken = std::mem::take(names.of_mut(what));
        names.name_bytes -= taken.iter().map(Key::heap_bytes).sum::<usize>();
        if names.len() == 0 {
            self.names = None;
        }
        taken
    }

    /// The names, in their order.
    pub fn names(&self, what: Listening) -> impl Iterator<Item = &Key> {
        let names = self.names.iter();
        names.flat_map(move |names| names.of(what))
    }

    /// How many names of a kind there are.
    pub fn len(&self, what: Listening) -> usize {
        self.names.as_ref().map_or(0, |names| names.of(what).len())
    }

    /// Returns whether there is none of any kind.
    pub fn is_empty(&self) -> bool {
        self.names.is_none()
    }

    /// Bytes of all names that are on the heap.
    pub(super) fn name_bytes(&self) -> usize {
        self.names.as_ref().map_or(0, |names| names.name_bytes)
    }

    /// About how many bytes they take; names that others listen to as well count in full.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |names: &Names| names.len() * SUBSCRIPTION_BYTES + names.name_bytes;
        self.names.as_deref().map_or(0, bytes)
    }
}
