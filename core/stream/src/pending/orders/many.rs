//! Many entries that are placed together, whatever the order of their IDs.
//!
//! They go through the order by ID as it is, and through the order by age as they are to come
//! there. So each order is walked through once or twice, rather than searched for each of them.

use collections::tree::Edit;

use super::{BATCH_LEN, Moved, Pending, release, tie_behind};
use crate::StreamId;
use crate::ascending::ascending;
use crate::consumer::{ConsumerHandle, Consumers};
use crate::pending::row::{
    AgeRow, EntryRow, IdKey, OWNER, age_id, count_of, entry_row, id_key, owner_of, rank_of,
};
use crate::pending::{CountChange, GivenBack, Missing, Standing};

/// From this many on, it pays to put them in order.
pub(super) const MANY_MIN: usize = 2 * BATCH_LEN;

/// As many go through the order by ID at once. More would need fresh memory, which takes longer
/// than all else that is done with them.
const PART_LEN: usize = 2048;

/// An entry that is to be placed, as a caller has it.
pub(super) trait Placed {
    fn id(&self) -> StreamId;
}

impl Placed for StreamId {
    fn id(&self) -> StreamId {
        *self
    }
}

impl Placed for GivenBack {
    fn id(&self) -> StreamId {
        self.id
    }
}

impl Pending {
    /// As [`Pending::place`] for many entries; each comes to a standing and a delivery count of its
    /// own, but all come to one holder or to nobody. `None`, and nothing has happened, if an entry
    /// comes twice.
    pub(super) fn place_many<E: Placed>(
        &mut self,
        consumers: &mut Consumers,
        entries: &[E],
        how: impl Fn(&E) -> (Standing, CountChange),
        missing: Missing,
    ) -> Option<usize> {
        let rank = |entry: &E| rank_of(how(entry).0);
        let is_run = entries.is_sorted_by(|one, next| one.id() < next.id())
            && entries.windows(2).all(|two| rank(&two[0]) == rank(&two[1]));
        // What comes to one place in the order of IDs can come there a part at a time.
        let at_once = if is_run { PART_LEN } else { entries.len() };
        let parts = entries.chunks(at_once);
        parts
            .map(|part| self.place_at_once(consumers, part, &how, missing))
            .sum()
    }

    fn place_at_once<E: Placed>(
        &mut self,
        consumers: &mut Consumers,
        entries: &[E],
        how: &impl Fn(&E) -> (Standing, CountChange),
        missing: Missing,
    ) -> Option<usize> {
        let ids: Vec<StreamId> = entries.iter().map(Placed::id).collect();
        let order = ascending(&ids);
        if order.windows(2).any(|two| two[0].0 == two[1].0) {
            return None;
        }
        let mut ages = self.ages_behind(&ids, |number| rank_of(how(&entries[number]).0));
        drop(ids);
        let row = |key: IdKey, number: u32, count_before: u64| {
            let number = number as usize;
            let (standing, count) = how(&entries[number]);
            entry_row(key, standing, ages[number][1], count.of(count_before))
        };
        let holder = how(&entries[0]).0.consumer();
        let mut skipped = Vec::new();
        for part in order.chunks(PART_LEN) {
            let unknown = self.place_part(consumers, part, &row, holder, missing);
            if missing == Missing::Skip {
                skipped.extend(unknown.iter().map(|(_, number)| *number));
            }
        }
        drop(order);
        if !skipped.is_empty() {
            let mut is_placed = vec![true; ages.len()];
            skipped
                .iter()
                .for_each(|number| is_placed[*number as usize] = false);
            let mut is_placed = is_placed.into_iter();
            ages.retain(|_| is_placed.next() == Some(true));
        }
        if !ages.is_sorted() {
            ages.sort_unstable();
        }
        self.by_age.insert_ascending(&ages);
        if holder.is_none() {
            self.given_back_count += ages.len();
        }
        Some(ages.len())
    }

    /// Places entries with ascending IDs in all orders but that by age, where they leave the place
    /// that they have. Returns those that are not pending.
    fn place_part(
        &mut self,
        consumers: &mut Consumers,
        part: &[(StreamId, u32)],
        row: &impl Fn(IdKey, u32, u64) -> EntryRow,
        holder: Option<ConsumerHandle>,
        missing: Missing,
    ) -> Vec<(IdKey, u32)> {
        let keys: Vec<IdKey> = part.iter().map(|(id, _)| id_key(*id)).collect();
        let mut before: Vec<EntryRow> = Vec::with_capacity(part.len());
        let (mut gained, mut unknown) = (Vec::new(), Vec::new());
        let mut next = part.iter().map(|&(id, number)| (id_key(id), number));
        self.by_id.edit(&keys, |known| {
            let key = [known[0], known[1]];
            let sought = next.by_ref();
            // Those before this one are not pending.
            let found = sought.find(|it| {
                it.0 == key || {
                    unknown.push(*it);
                    false
                }
            });
            if let Some((_, number)) = found {
                before.push(*known);
                if holder.is_some() && owner_of(known) != holder {
                    gained.push(key);
                }
                *known = row(key, number, count_of(known));
            }
            Edit::Keep
        });
        unknown.extend(next);
        if missing == Missing::Create && !unknown.is_empty() {
            let new = unknown.iter();
            let new: Vec<_> = new.map(|&(key, number)| row(key, number, 1)).collect();
            self.by_id.insert_ascending(&new);
            let keys = unknown.iter().map(|(key, _)| *key);
            if let Some(changes) = &mut self.changes {
                changes.note(Moved::In, keys.clone());
            }
            gained.extend(keys);
            gained.sort_unstable();
        }
        self.leave(&before);
        before.sort_by_key(|row| row[OWNER]);
        release(consumers, &before, holder);
        if let Some(consumer) = holder.and_then(|holder| consumers.find_mut(holder)) {
            consumer.hold(gained.iter().copied());
        }
        unknown
    }

    /// Where entries come in the order by age, by their numbers: those of a rank after all others
    /// of it, in this order.
    fn ages_behind(&self, ids: &[StreamId], rank: impl Fn(usize) -> u64) -> Vec<AgeRow> {
        let age = |(number, id): (usize, &StreamId)| [rank(number), 0, id.ms, id.seq];
        let mut ages: Vec<AgeRow> = ids.iter().enumerate().map(age).collect();
        let follow = |last: &mut Option<AgeRow>, age: &mut AgeRow| {
            age[1] = tie_behind(*last, age_id(age));
            *last = Some(*age);
        };
        let Some(first) = ages.first() else {
            return ages;
        };
        if ages.iter().all(|age| age[0] == first[0]) {
            let mut last = self.last_of_rank(first[0]);
            ages.iter_mut().for_each(|age| follow(&mut last, age));
            return ages;
        }
        let mut by_rank: Vec<(u64, u32)> = ages.iter().map(|age| age[0]).zip(0..).collect();
        by_rank.sort_unstable();
        for same in by_rank.chunk_by(|one, next| one.0 == next.0) {
            let mut last = self.last_of_rank(same[0].0);
            for &(_, number) in same {
                follow(&mut last, &mut ages[number as usize]);
            }
        }
        ages
    }
}
