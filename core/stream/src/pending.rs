//! The pending entries of a group: delivered, not yet acknowledged.
//!
//! They are kept in three orders, each a [`Tree`] of packed rows: by ID with all that is known of
//! an entry, by age for claiming what has been idle longest, and by ID for each consumer (in
//! `consumer`). All three change together and hold nothing that is gone, so each costs a walk of
//! logarithmic length and an order always agrees with the others.
//!
//! The order by age begins with the entries that were given back, first in, first out. Then come
//! the held ones by time of delivery; of those delivered in the same millisecond, the one that came
//! later stands behind, whatever its ID. An entry's place is therefore its *rank* (0 if given back,
//! otherwise the millisecond plus one), a *tie* number, and its ID: the tie grows only when
//! entries of one rank arrive against the order of their IDs, so it is nearly always 0.

mod range;
mod rows;
mod tree;

use smallvec::SmallVec;

use crate::StreamId;
use crate::consumer::{ConsumerHandle, Consumers};

pub(crate) use tree::{Edit, Tree};

/// An entry that was delivered and is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// The entry; it may have been deleted from the stream since.
    pub id: StreamId,
    /// How often it was delivered, or what a consumer has set; at most [`DELIVERY_COUNT_MAX`].
    pub delivery_count: u64,
    /// Who has it; `None` if it was given back to the group.
    pub holder: Option<Holder>,
}

/// The consumer that has a pending entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who it is.
    pub consumer: ConsumerHandle,
    /// Since when, in Unix milliseconds; a claim may have set any time.
    pub delivered_ms: u64,
}

/// The greatest delivery count: what fits the signed number of the protocol.
pub const DELIVERY_COUNT_MAX: u64 = i64::MAX as u64;

/// How a claim changes the delivery count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountChange {
    /// One more.
    Raise,
    /// As it was.
    Keep,
    /// To this number.
    Set(u64),
}

/// What a claim does with an entry that is not pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Passes it over.
    Skip,
    /// Makes it pending, as if it had been delivered once before (as in Redis).
    Create,
}

/// The pending entries by ID and by age. The orders by consumer are in [`Consumers`], which the
/// methods take along.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    by_id: Tree<6, 2>,
    by_age: Tree<4, 4>,
    given_back_count: usize,
}

// A row of `by_id` is [ms, seq, rank, tie, delivery count, owner], one of `by_age` is
// [rank, tie, ms, seq], and one of a consumer is [ms, seq].
type Row = [u64; 6];
const RANK: usize = 2;
const TIE: usize = 3;
const COUNT: usize = 4;
const OWNER: usize = 5;

/// The rank of what was given back.
const GIVEN_BACK: u64 = 0;
/// The owner of what was given back.
const NOBODY: u64 = 0;

/// Entries that are taken through the orders together.
const BATCH_LEN: usize = 64;

/// When at most so many entries are idle long enough, they are sorted by ID instead of looking
/// through all pending entries for them.
const FEW_IDLE: usize = 256;

impl Pending {
    pub(crate) fn new() -> Self {
        Pending {
            by_id: Tree::new(),
            by_age: Tree::new(),
            given_back_count: 0,
        }
    }

    /// The pending entries by ID, those of one rank in that order too. The consumers hold theirs
    /// already.
    pub(crate) fn restore(entries: Vec<Unplaced>) -> Self {
        let mut pending = Pending::new();
        pending.by_id.append(entries.iter().map(|entry| entry.0));
        let mut by_age: Vec<_> = entries.iter().map(|entry| age_key(&entry.0)).collect();
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
        handle: ConsumerHandle,
        ids: &[StreamId],
        now_ms: u64,
    ) {
        let (Some(&first), Some(consumer)) = (ids.first(), consumers.find_mut(handle)) else {
            return;
        };
        let holder = Some(Holder {
            consumer: handle,
            delivered_ms: now_ms,
        });
        let is_new = self.last_id().is_none_or(|last| first > last)
            && ids.is_sorted_by(|one, next| one < next);
        if !is_new {
            ids.iter()
                .for_each(|&id| self.place(consumers, id, 1, holder));
            return;
        }
        let rank = rank_of(holder);
        let tie = self.join(rank, ids);
        let owner = handle.to_owner();
        self.by_id
            .append(ids.iter().map(|id| [id.ms, id.seq, rank, tie, 1, owner]));
        consumer.hold(ids);
    }

    /// Moves entries to a consumer; returns how many of them now are pending for it.
    pub(crate) fn claim(
        &mut self,
        consumers: &mut Consumers,
        holder: Holder,
        ids: &[StreamId],
        count: CountChange,
        missing: Missing,
    ) -> usize {
        if consumers.find(holder.consumer).is_none() {
            return 0;
        }
        let mut claimed_count = 0;
        for &id in ids {
            let before = match (self.find(id), missing) {
                (Some(entry), _) => entry.delivery_count,
                (None, Missing::Create) => 1,
                (None, Missing::Skip) => continue,
            };
            let count = match count {
                CountChange::Raise => before.saturating_add(1),
                CountChange::Keep => before,
                CountChange::Set(count) => count,
            };
            self.place(consumers, id, count, Some(holder));
            claimed_count += 1;
        }
        claimed_count
    }

    /// Puts an entry behind those that were given back, with this count; makes it if need be.
    pub(crate) fn give_back(&mut self, consumers: &mut Consumers, id: StreamId, count: u64) {
        self.place(consumers, id, count, None);
    }

    /// Takes entries out; returns how many of them were pending.
    pub(crate) fn remove(&mut self, consumers: &mut Consumers, ids: &[StreamId]) -> usize {
        let mut removed_count = 0;
        for batch in ids.chunks(BATCH_LEN) {
            let removed = self.take(batch);
            removed_count += removed.len();
            for run in removed.chunk_by(|one, next| one[OWNER] == next[OWNER]) {
                let owner = run
                    .first()
                    .and_then(|row| ConsumerHandle::from_owner(row[OWNER]));
                if let Some(consumer) = owner.and_then(|owner| consumers.find_mut(owner)) {
                    let keys = run.iter().map(|row| [row[0], row[1]]);
                    consumer.release(keys);
                }
            }
        }
        removed_count
    }

    /// Takes out what a consumer had that is itself gone already.
    pub(crate) fn remove_held(&mut self, held: &Tree<2, 2>) {
        let mut ids = held.range(&[0; 2]).map(|id| id_of(&id));
        let mut batch: SmallVec<[StreamId; BATCH_LEN]> = ids.by_ref().take(BATCH_LEN).collect();
        while !batch.is_empty() {
            self.take(&batch);
            batch = ids.by_ref().take(BATCH_LEN).collect();
        }
    }

    /// Moves an entry behind all others of its rank, as if it had come last; returns whether it
    /// is pending.
    pub(crate) fn come_last(&mut self, consumers: &mut Consumers, id: StreamId) -> bool {
        let entry = self.find(id);
        if let Some(entry) = entry {
            self.place(consumers, id, entry.delivery_count, entry.holder);
        }
        entry.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn given_back_count(&self) -> usize {
        self.given_back_count
    }

    pub(crate) fn find(&self, id: StreamId) -> Option<PendingEntry> {
        self.by_id.find(&key(id)).map(|row| entry_of(&row))
    }

    pub(crate) fn first_id(&self) -> Option<StreamId> {
        self.by_id.first().map(|row| id_of(&row))
    }

    pub(crate) fn last_id(&self) -> Option<StreamId> {
        self.by_id.last().map(|row| id_of(&row))
    }

    /// Entries from `start` up to `end`, both included, by ID.
    pub(crate) fn range(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let rows = self.by_id.range(&key(start)).map(|row| entry_of(&row));
        rows.take_while(move |entry| entry.id <= end)
    }

    /// Entries of that range that were given back or are idle for at least so long, by ID.
    pub(crate) fn idle_range(
        &self,
        start: StreamId,
        end: StreamId,
        idle: IdleAtLeast,
    ) -> impl Iterator<Item = PendingEntry> + Clone + '_ {
        let rank_max = idle.rank_max();
        let oldest = self
            .by_age
            .range(&[0; 4])
            .take_while(move |row| row[0] <= rank_max);
        let mut few: Vec<StreamId> = oldest.take(FEW_IDLE + 1).map(|row| age_id(&row)).collect();
        let are_few = few.len() <= FEW_IDLE;
        if are_few {
            few.retain(|&id| start <= id && id <= end);
            few.sort_unstable();
        } else {
            few = Vec::new();
        }
        let few = few.into_iter().filter_map(|id| self.find(id));
        let many = (!are_few).then(|| self.by_id.range(&key(start)).skip_above(RANK, rank_max));
        let many = many
            .into_iter()
            .flatten()
            .take_while(move |row| id_of(row) <= end);
        let many = many.filter(move |row| row[RANK] <= rank_max);
        few.chain(many.map(|row| entry_of(&row)))
    }

    /// Entries that were given back or are idle for at least so long: first those given back, in
    /// that order, then the longest idle first.
    pub(crate) fn by_age(&self, idle: IdleAtLeast) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rank_max = idle.rank_max();
        let rows = self.by_age.range(&[0; 4]);
        rows.take_while(move |row| row[0] <= rank_max)
            .map(|row| age_id(&row))
    }

    /// The entries that were given back, first in first.
    pub(crate) fn given_back(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rows = self.by_age.range(&[GIVEN_BACK, 0, 0, 0]);
        rows.take_while(|row| row[0] == GIVEN_BACK)
            .map(|row| age_id(&row))
    }

    /// Held entries that stand, among those of their rank, behind one with a greater ID, and what
    /// follows them there; in the order by age.
    pub(crate) fn latecomers(&self) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let rows = self.by_age.range(&[GIVEN_BACK + 1, 0, 0, 0]);
        let late = rows.scan(
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
        self.by_age.first().map(|row| row[0].saturating_sub(1))
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.by_id.heap_bytes() + self.by_age.heap_bytes()
    }

    /// Sets what an entry is, makes it if need be, and puts it behind all others of its rank.
    fn place(
        &mut self,
        consumers: &mut Consumers,
        id: StreamId,
        count: u64,
        holder: Option<Holder>,
    ) {
        let owner = holder.map_or(NOBODY, |holder| holder.consumer.to_owner());
        let before = self.by_id.find(&key(id));
        if let Some(row) = &before {
            self.by_age.remove(age_key(row));
            self.given_back_count -= usize::from(row[RANK] == GIVEN_BACK);
        }
        let rank = rank_of(holder);
        let tie = self.join(rank, &[id]);
        self.given_back_count += usize::from(rank == GIVEN_BACK);
        let row = [
            id.ms,
            id.seq,
            rank,
            tie,
            count.min(DELIVERY_COUNT_MAX),
            owner,
        ];
        match before {
            Some(_) => self.by_id.edit([key(id)], |old| {
                *old = row;
                Edit::Keep
            }),
            None => self.by_id.insert(&row),
        }
        let owner_before = before.map_or(NOBODY, |row| row[OWNER]);
        if owner_before == owner {
            return;
        }
        if let Some(handle) = ConsumerHandle::from_owner(owner_before)
            && let Some(consumer) = consumers.find_mut(handle)
        {
            consumer.release([key(id)]);
        }
        if let Some(holder) = holder
            && let Some(consumer) = consumers.find_mut(holder.consumer)
        {
            consumer.hold(&[id]);
        }
    }

    /// Takes entries out of the orders by ID and by age, and returns their rows.
    fn take(&mut self, ids: &[StreamId]) -> SmallVec<[Row; BATCH_LEN]> {
        let mut taken: SmallVec<[Row; BATCH_LEN]> = SmallVec::new();
        self.by_id.edit(ids.iter().map(|&id| key(id)), |row| {
            taken.push(*row);
            Edit::Remove
        });
        self.by_age
            .edit(taken.iter().map(age_key), |_| Edit::Remove);
        let given_back = taken.iter().filter(|row| row[RANK] == GIVEN_BACK);
        self.given_back_count -= given_back.count();
        taken
    }

    /// Puts entries with ascending IDs, none of which is in the order by age, behind all others of
    /// their rank, and returns their tie.
    fn join(&mut self, rank: u64, ids: &[StreamId]) -> u64 {
        let Some(&first) = ids.first() else {
            return 0;
        };
        let youngest = self.by_age.last();
        let is_youngest = youngest.is_none_or(|row| row[0] <= rank);
        let before = if is_youngest {
            youngest
        } else {
            self.by_age
                .last_up_to(&[rank, u64::MAX, u64::MAX, u64::MAX])
        };
        let tie = match before {
            Some(row) if row[0] == rank && age_id(&row) < first => row[1],
            Some(row) if row[0] == rank => row[1].saturating_add(1),
            _ => 0,
        };
        let rows = ids.iter().map(|id| [rank, tie, id.ms, id.seq]);
        if is_youngest {
            self.by_age.append(rows);
        } else {
            rows.for_each(|row| self.by_age.insert(&row));
        }
        tie
    }
}

/// A pending entry from a file, before it has its place in the orders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unplaced(Row);

impl Unplaced {
    /// An entry that nobody holds yet.
    pub(crate) fn new(id: StreamId, delivered_ms: u64, delivery_count: u64) -> Self {
        let count = delivery_count.min(DELIVERY_COUNT_MAX);
        Unplaced([
            id.ms,
            id.seq,
            delivered_ms.saturating_add(1),
            0,
            count,
            NOBODY,
        ])
    }

    pub(crate) fn id(&self) -> StreamId {
        id_of(&self.0)
    }

    /// Whether it is neither held nor given back.
    pub(crate) fn is_free(&self) -> bool {
        self.0[OWNER] == NOBODY && self.0[RANK] != GIVEN_BACK
    }

    pub(crate) fn hold(&mut self, consumer: ConsumerHandle) {
        self.0[OWNER] = consumer.to_owner();
    }

    pub(crate) fn give_back(&mut self) {
        self.0[RANK] = GIVEN_BACK;
    }
}

/// How long a held entry must have been idle, and the time at which that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleAtLeast {
    /// The least idle time in milliseconds; 0 admits all, whatever the clock says.
    pub idle_ms_min: u64,
    /// The present, in Unix milliseconds.
    pub now_ms: u64,
}

impl IdleAtLeast {
    /// The greatest rank that is idle enough.
    fn rank_max(self) -> u64 {
        match (self.idle_ms_min, self.now_ms.checked_sub(self.idle_ms_min)) {
            (0, _) => u64::MAX,
            (_, Some(delivered_ms_max)) => delivered_ms_max.saturating_add(1),
            (_, None) => GIVEN_BACK,
        }
    }
}

#[inline]
fn key(id: StreamId) -> [u64; 2] {
    [id.ms, id.seq]
}

/// The ID that a row by ID begins with.
#[inline]
pub(crate) fn id_of<const N: usize>(row: &[u64; N]) -> StreamId {
    StreamId::new(row[0], row[1])
}

/// The ID that a row by age ends with.
#[inline]
fn age_id(row: &[u64; 4]) -> StreamId {
    StreamId::new(row[2], row[3])
}

#[inline]
fn age_key(row: &Row) -> [u64; 4] {
    [row[RANK], row[TIE], row[0], row[1]]
}

#[inline]
fn rank_of(holder: Option<Holder>) -> u64 {
    holder.map_or(GIVEN_BACK, |holder| holder.delivered_ms.saturating_add(1))
}

#[inline]
fn entry_of(row: &Row) -> PendingEntry {
    let consumer = ConsumerHandle::from_owner(row[OWNER]);
    PendingEntry {
        id: id_of(row),
        delivery_count: row[COUNT],
        holder: consumer.map(|consumer| Holder {
            consumer,
            delivered_ms: row[RANK].saturating_sub(1),
        }),
    }
}
