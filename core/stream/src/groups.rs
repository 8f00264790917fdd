//! The groups of a stream, by name.
//!
//! This also does what trimming and deleting need across all groups: find out whether an entry is
//! pending anywhere or acknowledged by every group, and forget it. Where each group would have to
//! be asked too often, `referrers` knows. `group` has what one group does.

mod referrers;

use collections::names::{Name, NameMap};
use triomphe::Arc;

use crate::StreamId;
use crate::entries::Entries;
use crate::group::Group;
use crate::limits::{ASKED_GROUPS_MAX, WALKED_PENDING_MAX};
use referrers::Referrers;

/// The groups of a stream in the byte order of their names. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_name: NameMap<Arc<Group>>,
    referrers: Option<Box<Referrers>>,
    /// How often a group was asked about an entry, while there are no `referrers`.
    asked: u64,
}

impl Groups {
    /// No groups.
    pub fn new() -> Groups {
        Groups::default()
    }

    /// Gives a group this name, in place of one that had it.
    pub fn insert(&mut self, name: &[u8], group: Group) {
        self.remove(name);
        let name: Name = name.iter().copied().collect();
        if let Some(referrers) = &mut self.referrers {
            referrers.insert(&name, &group);
        }
        self.by_name.insert(name, Arc::new(group));
    }

    /// Removes a group; returns it if there was one.
    pub fn remove(&mut self, name: &[u8]) -> Option<Group> {
        let group = self.by_name.remove(name)?;
        if let Some(referrers) = &mut self.referrers {
            // It takes less to index what is left than to take most of it out.
            if group.pending_count() > referrers.len() / 2 {
                self.referrers = None;
                self.asked = 0;
            } else {
                referrers.remove(name, &group);
            }
        }
        Some(Arc::unwrap_or_clone(group))
    }

    /// Changes the group of this name; `None` if there is none.
    #[inline]
    pub fn edit<T>(&mut self, name: &[u8], edit: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let group = Arc::make_mut(self.by_name.find_mut(name)?);
        Some(match &mut self.referrers {
            None => edit(group),
            Some(referrers) => referrers.edit(name, group, edit),
        })
    }

    /// Notes that all groups are going to be asked about this many entries. Once they have been
    /// asked as often as an index costs, there is one, which answers from then on.
    pub fn expect_questions(&mut self, entries: usize) {
        if self.referrers.is_some() || self.len() <= ASKED_GROUPS_MAX {
            return;
        }
        self.asked = (self.asked).saturating_add(self.len().saturating_mul(entries) as u64);
        if self.asked >= self.pending_count() as u64 {
            self.index();
        }
    }

    /// Returns whether [`Groups::expect_questions`] would change anything.
    pub fn is_asked_in_turn(&self) -> bool {
        self.referrers.is_none() && self.len() > ASKED_GROUPS_MAX
    }

    /// Makes [`Groups::settled`] ready to find `quota` entries up to `through`. Returns how many
    /// entries were looked at for that.
    pub(crate) fn expect_walk(&mut self, entries: &Entries, through: StreamId, quota: u64) -> u64 {
        let gap = self.settled_below();
        if gap > through || entries.count_below(gap) >= quota {
            return 0;
        }
        if self.referrers.is_none() && self.pending_count() > WALKED_PENDING_MAX {
            self.index();
        }
        let end = self.least_delivered().unwrap_or(through).min(through);
        match &mut self.referrers {
            None => 0,
            Some(referrers) => referrers.walk(entries, end, quota),
        }
    }

    /// The entries from `start` to `through` that every group has behind it, ascending.
    pub(crate) fn settled<'a>(
        &'a self,
        entries: &'a Entries,
        start: StreamId,
        through: StreamId,
    ) -> impl Iterator<Item = StreamId> + 'a {
        let end = self.least_delivered().unwrap_or(through).min(through);
        let referrers = self.referrers.as_deref();
        let known = referrers.map(|referrers| referrers.settled(entries, start, end));
        let asked = referrers.is_none() && start <= end;
        let asked = asked.then(|| self.settled_in_turn(entries, start, end));
        let (known, asked) = (known.into_iter().flatten(), asked.into_iter().flatten());
        known.chain(asked)
    }

    /// The same by a walk over the pending entries of each group.
    fn settled_in_turn<'a>(
        &'a self,
        entries: &'a Entries,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = StreamId> + 'a {
        let pending = |group: &'a Group| {
            let range = group.pending_range(start, end);
            range.map(|entry| entry.id).peekable()
        };
        let mut pending: Vec<_> = self.iter().map(|(_, group)| pending(group)).collect();
        let ids = entries.range(start, end).map(|entry| entry.id());
        ids.filter(move |id| {
            pending.iter_mut().all(|ids| {
                while ids.next_if(|pending| pending < id).is_some() {}
                ids.peek() != Some(id)
            })
        })
    }

    /// Notes that an entry is no longer in the stream.
    pub(crate) fn entry_deleted(&mut self, id: StreamId) {
        if let Some(referrers) = &mut self.referrers {
            referrers.entry_deleted(id);
        }
    }

    pub(crate) fn index(&mut self) {
        let groups = self.by_name.iter().map(|(name, group)| (name, &**group));
        self.referrers = Some(Box::new(Referrers::new(groups)));
        self.asked = 0;
    }

    /// Forgets an entry: it is no longer pending in any group. Returns how many groups had it
    /// pending.
    pub fn forget(&mut self, id: StreamId) -> usize {
        self.forget_all(&[id])
    }

    /// Forgets entries; returns how many pending entries that were in all groups. Ascending IDs
    /// are the fastest.
    pub fn forget_all(&mut self, ids: &[StreamId]) -> usize {
        if self.referrers.is_some() {
            return ids.iter().map(|&id| self.forget_known(id)).sum();
        }
        let is_concerned = |group: &Group| ids.iter().any(|&id| group.pending(id).is_some());
        if !self.iter().any(|(_, group)| is_concerned(group)) {
            return 0;
        }
        let mut forgotten = 0;
        self.by_name.for_each_mut(|group| {
            if is_concerned(group) {
                forgotten += Arc::make_mut(group).acknowledge(ids);
            }
        });
        forgotten
    }

    /// Forgets an entry in the groups that are known to refer to it.
    fn forget_known(&mut self, id: StreamId) -> usize {
        let referrers = self.referrers.iter();
        let names: Vec<Name> = referrers.flat_map(|it| it.of(id)).cloned().collect();
        let names = names.into_iter();
        names
            .filter_map(|name| self.edit(&name, |group| group.acknowledge(&[id])))
            .sum()
    }

    /// Forgets all entries up to this ID; returns how many pending entries that were in all groups.
    pub fn forget_through(&mut self, through: StreamId) -> u64 {
        let names: Vec<Name> = match &self.referrers {
            Some(referrers) => referrers.through(through),
            None => {
                let all = self.by_name.iter();
                let concerned = all.filter(|(_, group)| group.has_pending_through(through));
                concerned.map(|(name, _)| name.clone()).collect()
            }
        };
        let forget = |group: &mut Group| {
            let mut forgotten = 0;
            while group.has_pending_through(through) {
                let ids = group.pending_range(StreamId::MIN, through);
                let ids: Vec<_> = ids.map(|entry| entry.id).take(FORGOTTEN_AT_ONCE).collect();
                forgotten += group.acknowledge(&ids) as u64;
            }
            forgotten
        };
        let names = names.into_iter();
        names.filter_map(|name| self.edit(&name, forget)).sum()
    }

    /// The greatest ID up to `through` up to which no group has more than `count` entries pending,
    /// which is not 0.
    pub(crate) fn pending_within(&self, through: StreamId, count: usize) -> StreamId {
        let last = |group: &Group| {
            let mut pending = group.pending_range(StreamId::MIN, through);
            pending.nth(count).and_then(|entry| entry.id.previous())
        };
        let lasts = self.iter().filter_map(|(_, group)| last(group));
        lasts.min().unwrap_or(through)
    }

    /// Returns whether an entry up to this ID is pending in some group.
    pub fn is_pending_through(&self, through: StreamId) -> bool {
        match &self.referrers {
            Some(referrers) => referrers.first_pending().is_some_and(|id| id <= through),
            None => self
                .iter()
                .any(|(_, group)| group.has_pending_through(through)),
        }
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

    /// The same without the first so many.
    pub(crate) fn iter_from(&self, rank: usize) -> impl Iterator<Item = (&Name, &Group)> {
        let groups = self.by_name.iter_from(rank);
        groups.map(|(name, group)| (name, &**group))
    }

    /// The number of groups.
    #[inline]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns whether there are no groups.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the groups in which an entry is pending.
    pub fn referring_to(&self, id: StreamId) -> impl Iterator<Item = &[u8]> {
        let referrers = self.referrers.as_deref();
        let known = referrers.map(|referrers| referrers.of(id).map(|name| &**name));
        let asked = referrers.is_none().then(|| self.iter());
        let asked = asked.into_iter().flatten();
        let asked = asked.filter(move |(_, group)| group.pending(id).is_some());
        known
            .into_iter()
            .flatten()
            .chain(asked.map(|(name, _)| name))
    }

    /// Returns whether an entry is pending in some group.
    pub fn is_pending_anywhere(&self, id: StreamId) -> bool {
        self.referring_to(id).next().is_some()
    }

    /// Returns whether every group has received and acknowledged this entry. True if there is no
    /// group.
    pub fn acknowledged_by_all(&self, id: StreamId) -> bool {
        match &self.referrers {
            Some(_) => self.delivered_to_all(id) && !self.is_pending_anywhere(id),
            None => self.iter().all(|(_, group)| group.has_settled(id)),
        }
    }

    /// Returns whether no group's last-delivered ID is below this one.
    pub fn delivered_to_all(&self, id: StreamId) -> bool {
        self.least_delivered().is_none_or(|least| id <= least)
    }

    /// The least of the last-delivered IDs of all groups.
    fn least_delivered(&self) -> Option<StreamId> {
        match &self.referrers {
            Some(referrers) => referrers.least_delivered(),
            None => self.iter().map(|(_, group)| group.last_delivered()).min(),
        }
    }

    /// The names of the groups that have read more than this many entries.
    pub(crate) fn read_above(&self, entries: u64) -> Vec<Name> {
        match &self.referrers {
            Some(referrers) => referrers.read_above(entries),
            None => {
                let all = self.by_name.iter();
                let above = all.filter(|(_, group)| group.entries_read() > Some(entries));
                above.map(|(name, _)| name.clone()).collect()
            }
        }
    }

    /// Every entry below this ID is acknowledged by all groups and pending in none, so that a long
    /// trim need not ask for each. [`StreamId::MAX`] if there is no group.
    pub fn settled_below(&self) -> StreamId {
        let Some(referrers) = &self.referrers else {
            let settled = self.iter().map(|(_, group)| group.settled_below());
            return settled.min().unwrap_or(StreamId::MAX);
        };
        let least = referrers.least_delivered();
        let next = least.map_or(StreamId::MAX, |least| least.next().unwrap_or(least));
        referrers.first_pending().map_or(next, |id| id.min(next))
    }

    /// The number of pending entries of all groups together.
    fn pending_count(&self) -> usize {
        match &self.referrers {
            Some(referrers) => referrers.len(),
            None => self.iter().map(|(_, group)| group.pending_count()).sum(),
        }
    }

    /// About how many bytes they take, told without a walk over what is pending.
    pub(crate) fn weight(&self) -> usize {
        let groups: usize = self.iter().map(|(_, group)| group.weight()).sum();
        let referrers = self.referrers.as_ref();
        groups + referrers.map_or(0, |referrers| referrers.weight())
    }

    /// Bytes on the heap, shared ones included. Walks over all blocks.
    pub fn heap_bytes(&self) -> usize {
        let groups: usize = self.iter().map(|(_, group)| group.heap_bytes()).sum();
        let referrers = self.referrers.as_ref();
        self.by_name.heap_bytes() + groups + referrers.map_or(0, |it| it.heap_bytes())
    }
}

/// How many IDs are collected before they are forgotten, if there may be any number.
const FORGOTTEN_AT_ONCE: usize = 1024;

#[cfg(test)]
mod tests;
