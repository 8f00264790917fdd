//! The groups of a stream, by name.
//!
//! Besides the groups themselves this answers what trimming and deleting ask about an entry across all
//! groups: whether it is pending anywhere, whether every group is done with it, and to forget it.
//! What one group does is in `group`.

pub(crate) mod names;

use crate::StreamId;
use crate::group::Group;
use names::NameMap;

/// The groups of a stream in the byte order of their names. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_name: NameMap<Group>,
}

impl Groups {
    /// No groups.
    pub fn new() -> Groups {
        Groups::default()
    }

    /// Gives a group this name, in place of one that had it.
    pub fn insert(&mut self, name: &[u8], group: Group) {
        self.by_name.insert(name.iter().copied().collect(), group);
    }

    /// Takes a group out; returns it if there was one.
    pub fn remove(&mut self, name: &[u8]) -> Option<Group> {
        self.by_name.remove(name)
    }

    /// The group of this name, to be changed.
    #[inline]
    pub fn find_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.by_name.find_mut(name)
    }

    /// Forgets an entry: it is no longer pending in any group. Returns in how many it was.
    pub fn forget(&mut self, id: StreamId) -> usize {
        if !self.is_pending_anywhere(id) {
            return 0;
        }
        self.by_name
            .values_mut()
            .map(|group| group.acknowledge(&[id]))
            .sum()
    }

    /// The group of this name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.find(name)
    }

    /// All groups in the byte order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Group)> + Clone + '_ {
        self.by_name.iter().map(|(name, group)| (&**name, group))
    }

    /// How many groups there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no group.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an entry is pending in some group.
    pub fn is_pending_anywhere(&self, id: StreamId) -> bool {
        self.iter().any(|(_, group)| group.pending(id).is_some())
    }

    /// Whether every group was delivered this entry and has it acknowledged. True if there is no
    /// group.
    pub fn acknowledged_by_all(&self, id: StreamId) -> bool {
        self.iter().all(|(_, group)| group.has_settled(id))
    }

    /// Every entry below this ID is acknowledged by all groups and pending in none, so that a long
    /// trim need not ask for each. [`StreamId::MAX`] if there is no group.
    pub fn settled_below(&self) -> StreamId {
        let settled = self.iter().map(|(_, group)| group.settled_below());
        settled.min().unwrap_or(StreamId::MAX)
    }

    /// Bytes on the heap, shared ones included. Walks over all blocks.
    pub fn heap_bytes(&self) -> usize {
        let groups: usize = self.iter().map(|(_, group)| group.heap_bytes()).sum();
        self.by_name.heap_bytes() + groups
    }
}

#[cfg(test)]
mod tests;
