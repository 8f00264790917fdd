//! Who refers to an entry: the pending entries of all groups in one order.
//!
//! With many groups it takes long to ask each of them about an entry, and with many pending entries
//! to look for one that every group is done with. A stream of which that is asked gets these
//! orders, which follow the groups from then on. They are derived from them: nothing that can be
//! seen depends on whether they are there, no file holds them, and they may be dropped at any time.
//! When they are made is decided in [`Groups`](super::Groups).

use collections::names::{Name, NameMap};
use collections::tree::{Edit, Tree};
use triomphe::Arc;

use crate::StreamId;
use crate::entries::Entries;
use crate::group::Group;
use crate::pending::{Changes, IdKey, Moved, id_key, id_of};

/// The orders. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Referrers {
    /// IDs of pending entries, each with the number of a group.
    pending: Tree<3, 3>,
    /// The last-delivered IDs, each with the number of its group.
    delivered: Tree<3, 3>,
    /// How much the groups have read, where that is known, each with its number.
    read: Tree<2, 2>,
    numbers: NameMap<u32>,
    named: Arc<Named>,
    /// All entries of the stream up to this one are pending, in `settled` or in `released`.
    walked_through: StreamId,
    /// Entries up to there that are pending nowhere. No others, but those below the first entry.
    settled: Tree<2, 2>,
    /// The same for those that were pending since the last walk, entries of the stream or not.
    released: Tree<2, 2>,
}

/// The names of numbered groups.
#[derive(Clone, Debug, Default)]
struct Named {
    names: Vec<Option<Name>>,
    vacant: Vec<u32>,
}

impl Named {
    fn add(&mut self, name: Name) -> u32 {
        if let Some(number) = self.vacant.pop() {
            self.names[number as usize] = Some(name);
            return number;
        }
        self.names.push(Some(name));
        self.names.len() as u32 - 1
    }

    fn remove(&mut self, number: u32) {
        self.names[number as usize] = None;
        self.vacant.push(number);
    }
}

impl Referrers {
    /// The orders of these groups.
    pub(super) fn new<'g>(groups: impl Iterator<Item = (&'g Name, &'g Group)> + Clone) -> Self {
        let (mut numbers, mut named) = (NameMap::default(), Named::default());
        let mut pending = Vec::new();
        let (mut delivered, mut read) = (Vec::new(), Vec::new());
        for (name, group) in groups {
            let number = named.add(name.clone());
            numbers.insert(name.clone(), number);
            pending.extend(group.pending_ids().map(|id| with_group(id_key(id), number)));
            delivered.push(with_group(id_key(group.last_delivered()), number));
            read.extend(group.entries_read().map(|read| [read, number.into()]));
        }
        Referrers {
            pending: sorted(pending),
            delivered: sorted(delivered),
            read: sorted(read),
            numbers,
            named: Arc::new(named),
            walked_through: StreamId::MIN,
            settled: Tree::new(),
            released: Tree::new(),
        }
    }

    /// Changes a group and follows.
    pub(super) fn edit<T>(
        &mut self,
        name: &[u8],
        group: &mut Group,
        edit: impl FnOnce(&mut Group) -> T,
    ) -> T {
        let Some(&number) = self.numbers.find(name) else {
            return edit(group);
        };
        let before = (group.last_delivered(), group.entries_read());
        group.note_changes();
        let outcome = edit(group);
        self.follow(group.take_changes(), number);
        self.moved(number, Some(before), Some(group));
        outcome
    }

    /// Takes in a group that has a new name.
    pub(super) fn insert(&mut self, name: &Name, group: &Group) {
        let number = Arc::make_mut(&mut self.named).add(name.clone());
        self.numbers.insert(name.clone(), number);
        let keys = group.pending_ids().map(id_key).collect();
        self.follow(Changes::of(Moved::In, keys), number);
        self.moved(number, None, Some(group));
    }

    /// Forgets a group.
    pub(super) fn remove(&mut self, name: &[u8], group: &Group) {
        let Some(number) = self.numbers.remove(name) else {
            return;
        };
        let keys = group.pending_ids().map(id_key).collect();
        self.follow(Changes::of(Moved::Out, keys), number);
        let before = (group.last_delivered(), group.entries_read());
        self.moved(number, Some(before), None);
        Arc::make_mut(&mut self.named).remove(number);
    }

    /// Forgets an entry that is no longer in the stream.
    pub(super) fn entry_deleted(&mut self, id: StreamId) {
        self.settled.edit(&[id_key(id)], |_| Edit::Remove);
    }

    /// How many pending entries there are in all groups.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The names of the groups in which an entry is pending.
    pub(super) fn of(&self, id: StreamId) -> impl Iterator<Item = &Name> {
        let [ms, seq] = id_key(id);
        let rows = self.pending.range(&[ms, seq, 0]);
        let rows = rows.take_while(move |row| row[..2] == [ms, seq]);
        rows.filter_map(|row| self.named.names[row[2] as usize].as_ref())
    }

    /// The names of the groups in which an entry up to this ID is pending. Takes a look at each
    /// of these pending entries.
    pub(super) fn through(&self, through: StreamId) -> Vec<Name> {
        let rows = self.pending.range(&[0; 3]);
        let rows = rows.take_while(|row| id_of(row) <= through);
        let mut numbers: Vec<u64> = Vec::new();
        let mut is_seen = vec![false; self.named.names.len()];
        numbers.extend(
            rows.map(|row| row[2])
                .filter(|&number| !std::mem::replace(&mut is_seen[number as usize], true)),
        );
        let names = numbers.into_iter();
        names
            .filter_map(|number| self.named.names[number as usize].clone())
            .collect()
    }

    /// The names of the groups that have read more than this many entries.
    pub(super) fn read_above(&self, entries: u64) -> Vec<Name> {
        let Some(from) = entries.checked_add(1) else {
            return Vec::new();
        };
        let rows = self.read.range(&[from, 0]);
        rows.filter_map(|row| self.named.names[row[1] as usize].clone())
            .collect()
    }

    /// The least ID that is pending.
    pub(super) fn first_pending(&self) -> Option<StreamId> {
        self.pending.first().map(|row| id_of(&row))
    }

    /// The least of the last-delivered IDs.
    pub(super) fn least_delivered(&self) -> Option<StreamId> {
        self.delivered.first().map(|row| id_of(&row))
    }

    /// Goes on searching for entries up to `end` that are pending nowhere, until `quota` of them
    /// are known. Each entry is looked at once, and again when a group no longer refers to it.
    /// Returns how many were looked at.
    pub(super) fn walk(&mut self, entries: &Entries, end: StreamId, quota: u64) -> u64 {
        let first = entries.first_id().unwrap_or(StreamId::MAX);
        take_below(&mut self.settled, first);
        let mut looks = self.released.len() as u64;
        while !self.released.is_empty() {
            let keys: Vec<IdKey> = self.released.range(&[0; 2]).take(AT_ONCE).collect();
            self.released.edit(&keys, |_| Edit::Remove);
            let ids: Vec<StreamId> = keys.iter().map(id_of).collect();
            let there = keys.iter().zip(entries.contain(&ids));
            let there = there.filter(|(_, is_there)| *is_there);
            there.for_each(|(key, _)| self.settled.insert(key));
        }
        let missing = quota.saturating_sub(self.settled.len() as u64);
        let next = self.walked_through.next();
        let Some(next) = next.filter(|_| missing > 0) else {
            return looks;
        };
        let (mut found, mut walked_through) = (Vec::new(), self.walked_through);
        for (id, is_pending) in self.looked_at(entries, next, end) {
            looks += 1;
            walked_through = id;
            if !is_pending {
                found.push(id_key(id));
                if found.len() as u64 == missing {
                    break;
                }
            }
        }
        self.settled.append(found.iter().copied());
        self.walked_through = walked_through;
        looks
    }

    /// The entries from `start` to `end` that are pending nowhere.
    pub(super) fn settled<'a>(
        &'a self,
        entries: &'a Entries,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = StreamId> + 'a {
        let is_known = self.released.is_empty();
        let from = start.max(entries.first_id().unwrap_or(StreamId::MAX));
        let known = is_known.then(|| self.settled.range(&id_key(from)));
        let known = known.into_iter().flatten().map(|key| id_of(&key));
        let next = match is_known {
            true => self.walked_through.next().map(|next| next.max(start)),
            false => Some(start),
        };
        let behind = next.map(|next| self.looked_at(entries, next, end));
        let behind = behind.into_iter().flatten();
        let behind = behind.filter(|(_, is_pending)| !is_pending);
        let known = known.take_while(move |&id| id <= end);
        known.chain(behind.map(|(id, _)| id))
    }

    /// About how many bytes it takes, told without a walk.
    pub(super) fn weight(&self) -> usize {
        let rows = self.pending.len() + self.settled.len() + self.released.len();
        rows * ROW_BYTES + self.numbers.len() * NUMBERED_BYTES
    }

    /// Bytes on the heap, without those of the names.
    pub(super) fn heap_bytes(&self) -> usize {
        let trees = [self.pending.heap_bytes(), self.delivered.heap_bytes()];
        let narrow = [&self.read, &self.settled, &self.released].map(Tree::heap_bytes);
        let trees: usize = trees.into_iter().chain(narrow).sum();
        let names = self.named.names.capacity() * size_of::<Option<Name>>();
        let vacant = self.named.vacant.capacity() * size_of::<u32>();
        size_of::<Self>() + trees + self.numbers.heap_bytes() + names + vacant
    }

    /// Entries from `start` to `end`, and whether they are pending.
    fn looked_at<'a>(
        &'a self,
        entries: &'a Entries,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = (StreamId, bool)> + 'a {
        let [ms, seq] = id_key(start);
        let rows = self.pending.range(&[ms, seq, 0]);
        let mut pending = rows.map(|row| id_of(&row)).peekable();
        let is_pending = move |id| {
            while pending.next_if(|pending| *pending < id).is_some() {}
            pending.peek() == Some(&id)
        };
        let is_some = start <= end;
        let range = is_some.then(|| entries.range(start, end));
        let ids = range.into_iter().flatten().map(|entry| entry.id());
        ids.scan(is_pending, |is_pending, id| Some((id, is_pending(id))))
    }

    /// Does to the orders what was done to the pending entries of a group.
    fn follow(&mut self, changes: Changes, number: u32) {
        for (moved, keys) in changes.runs {
            let rows = keys.iter().map(|&key| with_group(key, number));
            match moved {
                Moved::In => {
                    let above = |last: [u64; 3]| keys.iter().all(|&key| key > [last[0], last[1]]);
                    if self.pending.last().is_none_or(above) && keys.is_sorted_by(|a, b| a < b) {
                        self.pending.append(rows);
                    } else {
                        rows.for_each(|row| self.pending.insert(&row));
                    }
                    self.settled.edit(&keys, |_| Edit::Remove);
                    self.released.edit(&keys, |_| Edit::Remove);
                }
                Moved::Out => {
                    let rows: Vec<_> = rows.collect();
                    self.pending.edit(&rows, |_| Edit::Remove);
                    for key in keys {
                        self.released(key);
                    }
                }
            }
        }
    }

    /// A group refers to an entry no longer; if it was the last one, the entry is settled.
    fn released(&mut self, key: IdKey) {
        let is_walked = id_of(&key) <= self.walked_through;
        let next = self.pending.range(&[key[0], key[1], 0]).next();
        let is_pending = next.is_some_and(|row| row[..2] == key);
        if is_walked && !is_pending && self.released.find(&key).is_none() {
            self.released.insert(&key);
        }
    }

    /// A group has come, has read on, or is gone.
    fn moved(
        &mut self,
        number: u32,
        before: Option<(StreamId, Option<u64>)>,
        group: Option<&Group>,
    ) {
        let after = group.map(|group| (group.last_delivered(), group.entries_read()));
        let delivered = |place: Option<(StreamId, Option<u64>)>| {
            place.map(|(delivered, _)| with_group(id_key(delivered), number))
        };
        replace(&mut self.delivered, delivered(before), delivered(after));
        let read = |place: Option<(StreamId, Option<u64>)>| {
            place
                .and_then(|(_, read)| read)
                .map(|read| [read, number.into()])
        };
        replace(&mut self.read, read(before), read(after));
    }
}

/// Takes out the IDs below this one.
fn take_below(ids: &mut Tree<2, 2>, below: StreamId) {
    loop {
        let first: Vec<IdKey> = ids.range(&[0; 2]).take(AT_ONCE).collect();
        let gone = &first[..first.partition_point(|key| id_of(key) < below)];
        if gone.is_empty() {
            return;
        }
        ids.edit(gone, |_| Edit::Remove);
    }
}

/// IDs that are taken out of an order together.
const AT_ONCE: usize = 256;

/// About how many bytes a pending entry takes here,
const ROW_BYTES: usize = 8;

/// and a group, in all orders and with its number.
const NUMBERED_BYTES: usize = 80;

fn with_group([ms, seq]: IdKey, number: u32) -> [u64; 3] {
    [ms, seq, number.into()]
}

fn sorted<const N: usize>(mut rows: Vec<[u64; N]>) -> Tree<N, N> {
    rows.sort_unstable();
    let mut tree = Tree::new();
    tree.append(rows.iter().copied());
    tree
}

fn replace<const N: usize>(
    tree: &mut Tree<N, N>,
    before: Option<[u64; N]>,
    after: Option<[u64; N]>,
) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        tree.edit(&[before], |_| Edit::Remove);
    }
    if let Some(after) = after {
        tree.insert(&after);
    }
}

#[cfg(test)]
impl Referrers {
    /// That the rows are those of these groups.
    pub(super) fn assert_agrees<'g>(
        &self,
        groups: impl Iterator<Item = (&'g Name, &'g Group)> + Clone,
    ) {
        let rows = |it: &Referrers| {
            let name = |number: u64| it.named.names[number as usize].clone();
            let wide = |tree: &Tree<3, 3>| {
                let rows = tree.range(&[0; 3]);
                let mut rows: Vec<_> = rows.map(|row| (id_of(&row), name(row[2]))).collect();
                rows.sort_unstable();
                assert_eq!(rows.len(), tree.len());
                rows
            };
            let read = it.read.range(&[0; 2]).map(|row| (row[0], name(row[1])));
            let mut read: Vec<_> = read.collect();
            read.sort_unstable();
            (wide(&it.pending), wide(&it.delivered), read)
        };
        assert_eq!(rows(self), rows(&Referrers::new(groups)));
    }

    /// That what was walked over is known to be pending or not.
    pub(super) fn assert_walked(&self, entries: &Entries, is_pending: impl Fn(StreamId) -> bool) {
        let first = entries.first_id().unwrap_or(StreamId::MAX);
        let settled = self.settled.range(&[0; 2]).map(|key| id_of(&key));
        let released = self.released.range(&[0; 2]).map(|key| id_of(&key));
        let released = released.filter(|&id| entries.contains(id));
        let mut known: Vec<_> = settled.chain(released).filter(|&id| id >= first).collect();
        known.sort_unstable();
        let ids = entries.iter().map(|entry| entry.id());
        let walked = ids.take_while(|&id| id <= self.walked_through);
        assert_eq!(
            known,
            walked.filter(|&id| !is_pending(id)).collect::<Vec<_>>()
        );
    }
}
