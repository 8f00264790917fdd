//! Many entries that are placed in an order of their own, not that of their IDs.
//!
//! They go through the order by ID as it is, and through the order by age as they are to come
//! there. So each order is walked through once or twice, rather than searched for each of them.

use collections::tree::Edit;

use super::{BATCH_LEN, Batch, Moved, Pending, release};
use crate::StreamId;
use crate::consumer::Consumers;
use crate::pending::row::{
    EntryRow, IdKey, count_of, entry_key, entry_row, id_key, owner_of, rank_of,
};
use crate::pending::{CountChange, Missing, Standing};

/// From this many on, it pays to put them in order.
const SCATTERED_MIN: usize = 2 * BATCH_LEN;

/// One of the entries.
#[derive(Clone, Copy)]
struct Scattered {
    key: IdKey,
    /// Its place among those that are placed.
    number: u32,
    is_known: bool,
}

impl Pending {
    /// As [`Pending::place`] for many entries whose IDs jump about; `None` if it does not pay, or
    /// one comes twice.
    pub(super) fn place_scattered(
        &mut self,
        consumers: &mut Consumers,
        ids: &[StreamId],
        standing: Standing,
        count: CountChange,
        missing: Missing,
    ) -> Option<usize> {
        if ids.len() < SCATTERED_MIN || ids.is_sorted() {
            return None;
        }
        let mut all: Vec<Scattered> = (0..).zip(ids).map(Scattered::new).collect();
        all.sort_unstable_by_key(|it| it.key);
        if all.windows(2).any(|two| two[0].key == two[1].key) {
            return None;
        }
        let before = self.take_ages(&mut all);
        let ties = self.join_scattered(ids, &all, rank_of(standing), missing);
        let placed_count = ties.iter().flatten().count();
        if standing.consumer().is_none() {
            self.given_back_count += placed_count;
        }
        for batch in all.chunks(BATCH_LEN) {
            let mut known = batch.iter().filter(|it| it.is_known);
            let mut keys = Batch::new();
            keys.extend(known.clone().map(|it| it.key));
            self.by_id.edit(&keys, |row| {
                // Each that is known is shown once, in this order.
                if let Some(tie) = known.next().and_then(|it| ties[it.number as usize]) {
                    let key = [row[0], row[1]];
                    *row = entry_row(key, standing, tie, count.of(count_of(row)));
                }
                Edit::Keep
            });
            for it in batch.iter().filter(|it| !it.is_known) {
                let Some(tie) = ties[it.number as usize] else {
                    continue;
                };
                self.by_id
                    .insert(&entry_row(it.key, standing, tie, count.of(1)));
                if let Some(changes) = &mut self.changes {
                    changes.note(Moved::In, std::iter::once(it.key));
                }
            }
        }
        for before in before.chunks(BATCH_LEN) {
            release(consumers, before, standing.consumer());
        }
        let holder = standing.consumer();
        if let Some(consumer) = holder.and_then(|holder| consumers.find_mut(holder)) {
            let kept = before.iter().filter(|row| owner_of(row) == holder);
            let mut kept = kept.map(entry_key).peekable();
            let placed = all.iter().filter(|it| ties[it.number as usize].is_some());
            // Both are in the order of IDs.
            let new = placed.filter(|it| kept.next_if_eq(&it.key).is_none());
            let new: Vec<IdKey> = new.map(|it| it.key).collect();
            for new in new.chunks(BATCH_LEN) {
                consumer.hold(new.iter().copied());
            }
        }
        Some(placed_count)
    }

    /// Takes entries out of the order by age; returns them as they were, and notes which there
    /// are.
    fn take_ages(&mut self, all: &mut [Scattered]) -> Vec<EntryRow> {
        let mut before: Vec<EntryRow> = Vec::with_capacity(all.len());
        for batch in all.chunks_mut(BATCH_LEN) {
            let start = before.len();
            let mut keys = Batch::new();
            keys.extend(batch.iter().map(|it| it.key));
            self.by_id.edit(&keys, |row| {
                before.push(*row);
                Edit::Keep
            });
            let mut known = before[start..].iter().map(entry_key).peekable();
            for it in batch {
                it.is_known = known.next_if_eq(&it.key).is_some();
            }
            self.leave(&before[start..]);
        }
        before
    }

    /// Puts entries into the order by age, in the order in which their IDs came. Returns the tie
    /// of each that is placed, by its number.
    fn join_scattered(
        &mut self,
        ids: &[StreamId],
        all: &[Scattered],
        rank: u64,
        missing: Missing,
    ) -> Vec<Option<u64>> {
        let mut ties = vec![None; ids.len()];
        for it in all
            .iter()
            .filter(|it| it.is_known || missing == Missing::Create)
        {
            ties[it.number as usize] = Some(0);
        }
        let mut start = 0;
        for run in ids.chunk_by(|one, next| one < next) {
            for run in run.chunks(BATCH_LEN) {
                let ties = &mut ties[start..start + run.len()];
                start += run.len();
                let placed = run.iter().zip(&*ties).filter(|(_, tie)| tie.is_some());
                let mut keys = Batch::new();
                keys.extend(placed.map(|(id, _)| id_key(*id)));
                let tie = self.join(rank, keys.iter().copied());
                ties.iter_mut().flatten().for_each(|it| *it = tie);
            }
        }
        ties
    }
}

impl Scattered {
    fn new((number, id): (u32, &StreamId)) -> Scattered {
        Scattered {
            key: id_key(*id),
            number,
            is_known: false,
        }
    }
}
