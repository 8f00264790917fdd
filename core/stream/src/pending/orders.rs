//! The pending entries by ID and by age, and the moves that keep all orders in agreement.
//!
//! Entries go through the orders in batches of ascending IDs: for consumers that read, claim and
//! acknowledge runs, which most do, a batch is one walk in each order.

mod many;

use collections::tree::{Edit, Finder, Tree};
use smallvec::SmallVec;

use many::MANY_MIN;

use super::row::{
    AgeRow, EntryRow, GIVEN_BACK, IdKey, NOBODY, OWNER, RANK, Unplaced, age_id, age_of, count_of,
    entry_key, entry_of, entry_row, id_key, id_of, owner_of, paused_rank, paused_until_ms,
    rank_max, rank_of, standing_of,
};
use super::{CountChange, GivenBack, Holder, IdleAtLeast, Missing, PendingEntry, Standing};
use crate::StreamId;
use crate::ascending::ascending;
use crate::consumer::{ConsumerHandle, Consumers};

/// The pending entries by ID and by age. The orders by consumer are in [`Consumers`], which the
/// methods take along.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    by_id: Tree<6, 2>,
    by_age: Tree<4, 4>,
    given_back_count: usize,
    /// What is noted for whoever follows.
    changes: Option<Box<Changes>>,
}

/// Entries that became pending or are so no longer, in the order in which that happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Runs of the same.
    pub(crate) runs: Vec<(Moved, Vec<IdKey>)>,
}

/// Whether an entry became pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It did.
    In,
    /// It is no longer.
    Out,
}

impl Changes {
    /// One run.
    pub(crate) fn of(moved: Moved, keys: Vec<IdKey>) -> Changes {
        Changes {
            runs: vec![(moved, keys)],
        }
    }

    fn note(&mut self, moved: Moved, keys: impl Iterator<Item = IdKey>) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == moved => run.extend(keys),
            _ => self.runs.push((moved, keys.collect())),
        }
    }
}

/// Entries that are taken through the orders together.
const BATCH_LEN: usize = 64;

/// Filled in place, because it is too large to be moved about.
type Batch<T> = SmallVec<[T; BATCH_LEN]>;

/// If at most this many entries are idle long enough, they are sorted by ID, rather than sought
/// among all pending entries.
const FEW_IDLE: usize = 256;

impl Pending {
    pub(crate) fn new() -> Self {
        Pending {
            by_id: Tree::new(),
            by_age: Tree::new(),
            given_back_count: 0,
            changes: None,
        }
    }

    /// Notes changes from now on.
    pub(crate) fn note_changes(&mut self) {
        self.changes = Some(Box::default());
    }

    /// What was noted; nothing is from now on.
    pub(crate) fn take_changes(&mut self) -> Changes {
        self.changes.take().map_or_else(Changes::default, |it| *it)
    }

    /// The pending entries by ID, those of one rank in that order too. The consumers hold theirs
    /// already.
    pub(crate) fn restore(entries: Vec<Unplaced>) -> Self {
        let mut pending = Pending::new();
        pending.by_id.append(entries.iter().map(Unplaced::row));
        let mut by_age: Vec<AgeRow> = entries.iter().map(|entry| age_of(&entry.row())).collect();
        drop(entries);
        by_age.sort_unstable();
        pending.by_age.append(by_age.iter().copied());
        pending.given_back_count = by_age.partition_point(|row| row[0] == GIVEN_BACK);
        pending
    }

    /// Gives entries to a consumer for the first time; what is pending elsewhere moves to it.
    pub(crate) fn deliver(
        &mut self,
        consumers: &mut Consumers,
        consumer: ConsumerHandle,
        ids: &[StreamId],
        delivered_ms: u64,
    ) {
        let holder = Holder {
            consumer,
            delivered_ms,
        };
        let Some(&first) = ids.first() else {
            return;
        };
        let consumer = consumers.find_mut(consumer).expect(OWNER_EXISTS);
        let is_new = self.last_id().is_none_or(|last| first > last)
            && ids.is_sorted_by(|one, next| one < next);
        if is_new {
            let held = Standing::Held(holder);
            let keys = ids.iter().map(|&id| id_key(id));
            let tie = self.join(rank_of(held), keys.clone());
            self.by_id
                .append(keys.clone().map(|key| entry_row(key, held, tie, 1)));
            consumer.hold(keys.clone());
            if let Some(changes) = &mut self.changes {
                changes.note(Moved::In, keys);
            }
        } else {
            self.place(
                consumers,
                ids,
                Standing::Held(holder),
                CountChange::Set(1),
                Missing::Create,
            );
        }
    }

    /// Moves entries to a consumer; returns how many of them it now has.
    pub(crate) fn claim(
        &mut self,
        consumers: &mut Consumers,
        holder: Holder,
        ids: &[StreamId],
        count: CountChange,
        missing: Missing,
    ) -> usize {
        consumers.find(holder.consumer).expect(OWNER_EXISTS);
        self.place(consumers, ids, Standing::Held(holder), count, missing)
    }

    /// Takes entries, in this order, from whoever has them; creates them if necessary. They come
    /// after all others that stand so.
    pub(crate) fn give_back(&mut self, consumers: &mut Consumers, entries: &[GivenBack]) {
        if entries.len() >= MANY_MIN {
            let placed = self.place_many(consumers, entries, GivenBack::how, Missing::Create);
            if placed.is_some() {
                return;
            }
        }
        for run in entries.chunk_by(GivenBack::is_like) {
            let (standing, count) = run[0].how();
            let mut ids = Batch::new();
            ids.extend(run.iter().map(|entry| entry.id));
            self.place(consumers, &ids, standing, count, Missing::Create);
        }
    }

    /// Puts entries that were given back, and are pending, in this order.
    pub(crate) fn come_back(&mut self, consumers: &mut Consumers, ids: &[StreamId]) {
        let (standing, count) = (Standing::GivenBack, CountChange::Keep);
        self.place(consumers, ids, standing, count, Missing::Skip);
    }

    /// Moves an entry after all others of its rank, as if it had come last; returns whether it is
    /// pending.
    pub(crate) fn come_last(&mut self, consumers: &mut Consumers, id: StreamId) -> bool {
        let row = self.by_id.find(&id_key(id));
        if let Some(row) = row {
            let standing = standing_of(&row);
            let count = CountChange::Keep;
            self.place(consumers, &[id], standing, count, Missing::Skip);
        }
        row.is_some()
    }

    /// Removes entries; returns how many of them were pending.
    pub(crate) fn remove(&mut self, consumers: &mut Consumers, ids: &[StreamId]) -> usize {
        let in_order: Vec<StreamId>;
        let ids = if ids.len() >= MANY_MIN && !ids.is_sorted() {
            in_order = ascending(ids).iter().map(|(id, _)| *id).collect();
            &in_order
        } else {
            ids
        };
        let mut removed_count = 0;
        for ids in ids.chunks(BATCH_LEN) {
            let mut keys = Batch::new();
            keys.extend(ids.iter().map(|&id| id_key(id)));
            let mut removed = Batch::new();
            self.take(&keys, &mut removed);
            removed_count += removed.len();
            release(consumers, &removed, None);
        }
        removed_count
    }

    /// Removes what a consumer held that is itself already gone.
    pub(crate) fn remove_held(&mut self, held: &Tree<2, 2>) {
        let mut held = held.range(&[0; 2]);
        loop {
            let mut keys = Batch::new();
            keys.extend(held.by_ref().take(BATCH_LEN));
            if keys.is_empty() {
                return;
            }
            self.take(&keys, &mut Batch::new());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn given_back_count(&self) -> usize {
        self.given_back_count
    }

    pub(crate) fn look_up(&self) -> PendingLookup<'_> {
        PendingLookup(self.by_id.finder())
    }

    pub(crate) fn find(&self, id: StreamId) -> Option<PendingEntry> {
        self.by_id.find(&id_key(id)).map(|row| entry_of(&row))
    }

    pub(crate) fn first_id(&self) -> Option<StreamId> {
        self.by_id.first().map(|row| id_of(&row))
    }

    pub(crate) fn last_id(&self) -> Option<StreamId> {
        self.by_id.last().map(|row| id_of(&row))
    }

    /// The IDs of all entries, ascending.
    pub(crate) fn ids(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.by_id.range(&[0; 2]).map(|row| id_of(&row))
    }

    /// Entries from `start` up to `end`, both included, by ID.
    pub(crate) fn range(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let rows = self.by_id.range(&id_key(start)).map(|row| entry_of(&row));
        rows.take_while(move |entry| entry.id <= end)
    }

    /// Entries of that range that were given back or are idle for at least that long, by ID.
    pub(crate) fn idle_range(
        &self,
        start: StreamId,
        end: StreamId,
        idle: IdleAtLeast,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let few = self.few_idle(start, end, idle);
        let rank_max = rank_max(idle);
        let rows = few.is_none().then(|| self.by_id.range(&id_key(start)));
        let rows = rows
            .map(|rows| rows.skip_above(RANK, rank_max))
            .into_iter()
            .flatten();
        let many = rows.take_while(move |row| id_of(row) <= end);
        let many = many.filter(move |row| row[RANK] <= rank_max);
        let few = few.into_iter().flatten().filter_map(|id| self.find(id));
        few.chain(many.map(|row| entry_of(&row)))
    }

    /// The IDs of the entries in that range that were given back or are idle for at least that
    /// long; `None` if many entries of the group are.
    pub(crate) fn few_idle(
        &self,
        start: StreamId,
        end: StreamId,
        idle: IdleAtLeast,
    ) -> Option<Vec<StreamId>> {
        let mut few: Vec<_> = self.by_age(idle).take(FEW_IDLE + 1).collect();
        if few.len() > FEW_IDLE {
            return None;
        }
        few.retain(|&id| start <= id && id <= end);
        few.sort_unstable();
        Some(few)
    }

    /// Entries that were given back or are idle for at least that long: first those given back, in
    /// that order, then the longest idle first.
    pub(crate) fn by_age(&self, idle: IdleAtLeast) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rank_max = rank_max(idle);
        let rows = self.by_age.range(&[0; 4]);
        rows.take_while(move |row| row[0] <= rank_max)
            .map(|row| age_id(&row))
    }

    /// The entries that were given back, in that order; then those with a pause.
    pub(crate) fn given_back(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rows = self.by_age.range(&[GIVEN_BACK, 0, 0, 0]);
        let at_once = rows.take_while(|row| row[0] == GIVEN_BACK);
        let at_once = at_once.map(|row| age_id(&row));
        at_once.chain(self.paused().map(|(id, _)| id))
    }

    /// Returns whether entries were given back with a pause, over or not.
    #[inline]
    pub(crate) fn has_paused(&self) -> bool {
        let last = self.by_age.last();
        last.is_some_and(|row| paused_until_ms(row[0]).is_some())
    }

    /// The entries that were given back with a pause, and until when they have it, the earliest
    /// first.
    pub(crate) fn paused(&self) -> impl Iterator<Item = (StreamId, u64)> + Clone + '_ {
        let rows = self
            .has_paused()
            .then(|| self.by_age.range(&[paused_rank(0), 0, 0, 0]));
        let rows = rows.into_iter().flatten();
        rows.filter_map(|row| Some((age_id(&row), paused_until_ms(row[0])?)))
    }

    /// When the next pause ends after this time.
    pub(crate) fn next_pause_end_ms(&self, now_ms: u64) -> Option<u64> {
        let mut later = self.by_age.range(&[paused_rank(now_ms) + 1, 0, 0, 0]);
        paused_until_ms(later.next()?[0])
    }

    /// Until when an entry has its pause.
    pub(crate) fn paused_until_ms(&self, id: StreamId) -> Option<u64> {
        let row = self.by_id.find(&id_key(id))?;
        paused_until_ms(row[RANK])
    }

    /// Held entries that come, among those of their rank, after one with a greater ID, and what
    /// follows them there; in the order by age.
    pub(crate) fn latecomers(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rows = self.by_age.range(&[GIVEN_BACK + 1, 0, 0, 0]);
        let held = rows.take_while(|row| paused_until_ms(row[0]).is_none());
        let late = held.scan(
            (GIVEN_BACK, StreamId::MIN, false),
            |(rank, last, is_late), row| {
                *is_late = *rank == row[0] && (*is_late || age_id(&row) < *last);
                (*rank, *last) = (row[0], age_id(&row));
                Some((*is_late, *last))
            },
        );
        late.filter(|&(is_late, _)| is_late).map(|(_, id)| id)
    }

    /// The delivery time of the longest idle entry; 0 if one was given back.
    pub(crate) fn oldest_delivery_ms(&self) -> Option<u64> {
        let first = self.by_age.first()?;
        let has_pause = paused_until_ms(first[0]).is_some();
        (!has_pause).then_some(first[0].saturating_sub(1))
    }

    /// When the next of the entries that are not idle enough yet will be.
    pub(crate) fn next_idle_ms(&self, idle: IdleAtLeast) -> Option<u64> {
        let rank = rank_max(idle).checked_add(1)?;
        let next = self.by_age.range(&[rank, 0, 0, 0]).next()?;
        let has_pause = paused_until_ms(next[0]).is_some();
        let delivered_ms = next[0].saturating_sub(1);
        (!has_pause).then_some(delivered_ms.saturating_add(idle.idle_ms_min))
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.by_id.heap_bytes() + self.by_age.heap_bytes()
    }

    /// Sets holder and count of entries and puts them, in this order, after all others of their
    /// rank; returns how many there are of them now.
    fn place(
        &mut self,
        consumers: &mut Consumers,
        ids: &[StreamId],
        standing: Standing,
        count: CountChange,
        missing: Missing,
    ) -> usize {
        if ids.len() >= MANY_MIN {
            let how = |_: &StreamId| (standing, count);
            if let Some(placed) = self.place_many(consumers, ids, how, missing) {
                return placed;
            }
        }
        let ascending = ids.chunk_by(|one, next| one < next);
        let batches = ascending.flat_map(|ids| ids.chunks(BATCH_LEN));
        batches
            .map(|ids| self.place_batch(consumers, ids, standing, count, missing))
            .sum()
    }

    /// The same for a batch of ascending IDs.
    fn place_batch(
        &mut self,
        consumers: &mut Consumers,
        ids: &[StreamId],
        standing: Standing,
        count: CountChange,
        missing: Missing,
    ) -> usize {
        let (mut all, mut before, mut known) = (Batch::new(), Batch::new(), Batch::new());
        all.extend(ids.iter().map(|&id| id_key(id)));
        self.by_id.edit(&all, |row| {
            before.push(*row);
            Edit::Keep
        });
        known.extend(before.iter().map(entry_key));
        let placed = match missing {
            Missing::Skip => &known,
            Missing::Create => &all,
        };
        self.leave(&before);
        let tie = self.join(rank_of(standing), placed.iter().copied());
        if standing.consumer().is_none() {
            self.given_back_count += placed.len();
        }
        self.by_id.edit(&known, |row| {
            *row = entry_row([row[0], row[1]], standing, tie, count.of(count_of(row)));
            Edit::Keep
        });
        if placed.len() > known.len() {
            for key in all.iter().filter(|key| known.binary_search(key).is_err()) {
                self.by_id
                    .insert(&entry_row(*key, standing, tie, count.of(1)));
                if let Some(changes) = &mut self.changes {
                    changes.note(Moved::In, std::iter::once(*key));
                }
            }
        }
        let holder = standing.consumer();
        release(consumers, &before, holder);
        if let Some(consumer) = holder.and_then(|holder| consumers.find_mut(holder)) {
            let (mut kept, mut new) = (Batch::new(), Batch::new());
            let held_before = before.iter().filter(|row| owner_of(row) == holder);
            kept.extend(held_before.map(entry_key));
            new.extend(
                placed
                    .iter()
                    .copied()
                    .filter(|key| kept.binary_search(key).is_err()),
            );
            consumer.hold(new.iter().copied());
        }
        placed.len()
    }

    /// Removes entries from the orders by ID and by age, and puts their rows into `taken`.
    fn take(&mut self, keys: &[IdKey], taken: &mut Batch<EntryRow>) {
        self.by_id.edit(keys, |row| {
            taken.push(*row);
            Edit::Remove
        });
        if let Some(changes) = &mut self.changes {
            changes.note(Moved::Out, taken.iter().map(entry_key));
        }
        self.leave(taken);
    }

    /// Takes entries out of the order by age.
    fn leave(&mut self, entries: &[EntryRow]) {
        let mut ages = Batch::new();
        ages.extend(entries.iter().map(age_of));
        if !ages.is_sorted() {
            ages.sort_unstable();
        }
        self.by_age.edit(&ages, |_| Edit::Remove);
        let given_back = entries.iter().filter(|row| row[OWNER] == NOBODY);
        self.given_back_count -= given_back.count();
    }

    /// Puts entries with ascending IDs, none of which is in the order by age, after all others of
    /// their rank, and returns their tie.
    fn join(&mut self, rank: u64, mut keys: impl ExactSizeIterator<Item = IdKey> + Clone) -> u64 {
        let rest = keys.clone();
        let Some(first) = keys.next() else {
            return 0;
        };
        let tie = tie_behind(self.last_of_rank(rank), id_of(&first));
        let rows = rest.map(|key| [rank, tie, key[0], key[1]]);
        if self.by_age.last().is_none_or(|row| row[0] <= rank) {
            self.by_age.append(rows);
        } else {
            let rows: Batch<AgeRow> = rows.collect();
            self.by_age.insert_ascending(&rows);
        }
        tie
    }

    /// The last entry of that rank.
    fn last_of_rank(&self, rank: u64) -> Option<AgeRow> {
        let youngest = self.by_age.last()?;
        let last = if youngest[0] <= rank {
            youngest
        } else {
            let end = [rank, u64::MAX, u64::MAX, u64::MAX];
            self.by_age.last_up_to(&end)?
        };
        (last[0] == rank).then_some(last)
    }
}

/// The tie of an entry that comes behind the last one of its rank.
fn tie_behind(last: Option<AgeRow>, id: StreamId) -> u64 {
    match last {
        Some(last) if age_id(&last) < id => last[1],
        Some(last) => last[1].saturating_add(1),
        None => 0,
    }
}

/// Looks pending entries up one after the other; neighbours cost little.
#[derive(Clone, Debug)]
pub struct PendingLookup<'p>(Finder<'p, 6, 2>);

impl PendingLookup<'_> {
    /// The pending entry of this ID.
    #[inline]
    pub fn find(&mut self, id: StreamId) -> Option<PendingEntry> {
        self.0.find(&id_key(id)).map(|row| entry_of(&row))
    }
}

/// Why the consumer that entries go to is always found.
const OWNER_EXISTS: &str = "a handle is made or found in the group right before it is used";

/// Removes the entries from all their owners except the new holder.
fn release(consumers: &mut Consumers, entries: &[EntryRow], holder: Option<ConsumerHandle>) {
    for run in entries.chunk_by(|one, next| one[OWNER] == next[OWNER]) {
        let owner = run.first().and_then(owner_of);
        if let Some(owner) = owner
            && Some(owner) != holder
            && let Some(consumer) = consumers.find_mut(owner)
        {
            let mut keys = Batch::new();
            keys.extend(run.iter().map(entry_key));
            consumer.release(&keys);
        }
    }
}
