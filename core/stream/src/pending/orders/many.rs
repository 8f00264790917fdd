//! Many entries that are placed together, whatever the order of their IDs.
//!
//! They go through the order by ID as it is, and through the order by age as they are to come
//! there. So each order is walked through once or twice, rather than searched for each of them.

use collections::tree::Edit;

use super::{BATCH_LEN, Moved, Pending, release, tie_behind};
use crate::StreamId;
use crate::ascending::ascending;
use crate::consumer::Consumers;
use crate::pending::row::{
    AgeRow, EntryRow, IdKey, OWNER, age_id, count_of, entry_row, id_key, owner_of, rank_of,
};
use crate::pending::{CountChange, Missing, Standing};

/// From this many on, it pays to put them in order.
pub(super) const MANY_MIN: usize = 2 * BATCH_LEN;

impl Pending {
    /// As [`Pending::place`] for many entries; each, by its number, comes to a standing and a
    /// delivery count of its own, but all come to one holder or to nobody. `None` if an entry comes
    /// twice.
    pub(super) fn place_many(
        &mut self,
        consumers: &mut Consumers,
        ids: &[StreamId],
        how: impl Fn(usize) -> (Standing, CountChange),
        missing: Missing,
    ) -> Option<usize> {
        let order = ascending(ids);
        if order.windows(2).any(|two| two[0].0 == two[1].0) {
            return None;
        }
        let mut ages = self.ages_behind(ids, |number| rank_of(how(number).0));
        let holder = how(0).0.consumer();
        let placed = |key: IdKey, number: u32, count_before: u64| {
            let number = number as usize;
            let (standing, count) = how(number);
            entry_row(key, standing, ages[number][1], count.of(count_before))
        };
        let keys: Vec<IdKey> = order.iter().map(|(id, _)| id_key(*id)).collect();
        let mut before: Vec<EntryRow> = Vec::with_capacity(order.len());
        let (mut gained, mut unknown) = (Vec::new(), Vec::new());
        let mut next = order.iter().map(|&(id, number)| (id_key(id), number));
        self.by_id.edit(&keys, |row| {
            let key = [row[0], row[1]];
            let sought = next.by_ref();
            // Those before this one are not pending.
            let found = sought.find(|it| {
                it.0 == key || {
                    unknown.push(*it);
                    false
                }
            });
            if let Some((_, number)) = found {
                before.push(*row);
                if owner_of(row) != holder {
                    gained.push(key);
                }
                *row = placed(key, number, count_of(row));
            }
            Edit::Keep
        });
        unknown.extend(next);
        match missing {
            Missing::Create => {
                let new = unknown.iter();
                let new: Vec<_> = new.map(|&(key, number)| placed(key, number, 1)).collect();
                self.by_id.insert_ascending(&new);
                let keys = unknown.iter().map(|(key, _)| *key);
                if let Some(changes) = &mut self.changes
                    && !unknown.is_empty()
                {
                    changes.note(Moved::In, keys.clone());
                }
                gained.extend(keys);
                gained.sort_unstable();
            }
            Missing::Skip => {
                let mut is_known = vec![true; ids.len()];
                unknown
                    .iter()
                    .for_each(|(_, number)| is_known[*number as usize] = false);
                let mut is_known = is_known.into_iter();
                ages.retain(|_| is_known.next() == Some(true));
            }
        }
        self.leave(&before);
        if !ages.is_sorted() {
            ages.sort_unstable();
        }
        self.by_age.insert_ascending(&ages);
        if holder.is_none() {
            self.given_back_count += ages.len();
        }
        before.sort_by_key(|row| row[OWNER]);
        release(consumers, &before, holder);
        if let Some(consumer) = holder.and_then(|holder| consumers.find_mut(holder)) {
            consumer.hold(gained.iter().copied());
        }
        Some(ages.len())
    }

    /// Where entries come in the order by age, by their numbers: those of a rank after all others
    /// of it, in this order.
    fn ages_behind(&self, ids: &[StreamId], rank: impl Fn(usize) -> u64) -> Vec<AgeRow> {
        let age = |(number, id): (usize, &StreamId)| [rank(number), 0, id.ms, id.seq];
        let mut ages: Vec<AgeRow> = ids.iter().enumerate().map(age).collect();
        let mut by_rank: Vec<(u64, u32)> = ages.iter().map(|age| age[0]).zip(0..).collect();
        by_rank.sort_unstable();
        for same in by_rank.chunk_by(|one, next| one.0 == next.0) {
            let mut last = self.last_of_rank(same[0].0);
            for &(_, number) in same {
                let age = &mut ages[number as usize];
                age[1] = tie_behind(last, age_id(age));
                last = Some(*age);
            }
        }
        ages
    }
}
