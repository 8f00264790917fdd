//! The groups of a stream, by name.
//!
//! This also does what trimming and deleting need across all groups: find out whether an entry is
//! pending anywhere or acknowledged by every group, and forget it. `group` has what one group does.

pub(crate) mod names;

use triomphe::Arc;

use crate::StreamId;
use crate::group::Group;
use names::NameMap;

/// The groups of a stream in the byte order of their names. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_name: NameMap<Arc<Group>>,
}

impl Groups {
    /// No groups.
    pub fn new() -> Groups {
        Groups::default()
    }

    /// Gives a group this name, in place of one that had it.
    pub fn insert(&mut self, name: &[u8], group: Group) {
        let name = name.iter().copied().collect();
        self.by_name.insert(name, Arc::new(group));
    }

    /// Removes a group; returns it if there was one.
    pub fn remove(&mut self, name: &[u8]) -> Option<Group> {
        self.by_name.remove(name).map(Arc::unwrap_or_clone)
    }

    /// The group of this name, to be changed.
    #[inline]
    pub fn find_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.by_name.find_mut(name).map(Arc::make_mut)
    }

    /// Forgets an entry: it is no longer pending in any group. Returns how many groups had it
    /// pending.
    pub fn forget(&mut self, id: StreamId) -> usize {
        self.forget_all(&[id])
    }

    /// Forgets entries; returns how many pending entries that were in all groups. Ascending IDs
    /// are the fastest.
    pub fn forget_all(&mut self, ids: &[StreamId]) -> usize {
        let is_concerned = |group: &Group| ids.iter().any(|&id| group.pending(id).is_some());
        if !self.iter().any(|(_, group)| is_concerned(group)) {
            return 0;
        }
        let groups = self
            .by_name
            .values_mut()
            .filter(|group| is_concerned(group));
        groups
            .map(|group| Arc::make_mut(group).acknowledge(ids))
            .sum()
    }

    /// Forgets all entries up to this ID; returns how many pending entries that were in all groups.
    pub fn forget_through(&mut self, through: StreamId) -> u64 {
        let mut forgotten = 0;
        let groups = self
            .by_name
            .values_mut()
            .filter(|group| group.has_pending_through(through));
        for group in groups {
            let group = Arc::make_mut(group);
            while group.has_pending_through(through) {
                let ids = group.pending_range(StreamId::MIN, through);
                let ids: Vec<_> = ids.map(|entry| entry.id).take(FORGOTTEN_AT_ONCE).collect();
                forgotten += group.acknowledge(&ids) as u64;
            }
        }
        forgotten
    }

    /// Returns whether an entry up to this ID is pending in some group.
    pub fn is_pending_through(&self, through: StreamId) -> bool {
        self.iter()
            .any(|(_, group)| group.has_pending_through(through))
    }

    /// The group of this name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.find(name).map(|group| &**group)
    }

    /// All groups in the byte order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Group)> + Clone + '_ {
        self.by_name.iter().map(|(name, group)| (&**name, &**group))
    }

    /// The number of groups.
    #[inline]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns whether there is no group.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether an entry is pending in some group.
    pub fn is_pending_anywhere(&self, id: StreamId) -> bool {
        self.iter().any(|(_, group)| group.pending(id).is_some())
    }

    /// Returns whether every group has received and acknowledged this entry. True if there is no
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

/// How many IDs are collected before they are forgotten, if there may be any number.
const FORGOTTEN_AT_ONCE: usize = 1024;

#[cfg(test)]
mod tests;
