//! Many fields of one command, changed in an order that suits the hash. Deadlines that change go
//! into their order, or out of it, together.

use collections::hash::NameHasher;
use collections::map::Longs;
use collections::{head, in_steps, touch};

use super::expiring::FIELD_DEADLINE_MS_MAX;
use super::{Deadline, Hash, Repr};
use crate::thresholds::Thresholds;

/// For how many fields changes of deadlines are noted in their order at once.
const NOTED_TOGETHER_MAX: usize = 512;

impl Hash {
    /// Gives `count` fields values, which `pair` gives by number, as [`Hash::set_with`] does one
    /// after the other: of a field that comes several times, the last counts.
    pub fn set_each<'n>(
        &mut self,
        count: usize,
        pair: impl Fn(usize) -> (&'n [u8], &'n [u8]),
        deadline: Deadline,
        hasher: NameHasher,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) {
        let field_of = |number| pair(number).0;
        let Some(order) = self.map().order_of((0..count).map(field_of)) else {
            let set = |hash: &mut Hash, (field, value)| {
                hash.set_with(field, value, deadline, hasher, thresholds, longs);
            };
            let pairs = (0..count).map(&pair);
            in_steps(self, pairs, |(field, _)| field, Hash::look_ahead, set);
            return;
        };
        if let (Repr::Plain(map), Deadline::Never | Deadline::Kept) = (&mut self.0, deadline) {
            let parts_of = |number| <[&[u8]; 2]>::from(pair(number));
            map.insert_each(&order, parts_of, longs);
            return;
        }
        let mut before = vec![None; count];
        order.for_each(field_of, |number| {
            let (field, value) = pair(number);
            let (_, from, to) = self.put(field, value, deadline, hasher, longs);
            before[number] = (from != to).then_some(from);
        });
        // Where a deadline has changed, it is the same for all.
        let after = match deadline {
            Deadline::At(at) => Some(at.min(FIELD_DEADLINE_MS_MAX)),
            Deadline::Never | Deadline::Kept => None,
        };
        self.note_each(&before, field_of, after);
    }

    /// Gives many fields this deadline, at most [`FIELD_DEADLINE_MS_MAX`], or none. Returns how
    /// many of them are there; one that comes twice counts twice.
    pub fn set_deadlines(
        &mut self,
        fields: &[&[u8]],
        at: Option<u64>,
        hasher: NameHasher,
    ) -> usize {
        if let [field] = fields {
            return usize::from(self.set_deadline(field, at, hasher));
        }
        let at = at.map(|at| at.min(FIELD_DEADLINE_MS_MAX));
        let mut found = 0;
        let mut before = vec![None; fields.len()];
        let field_of = |number: usize| fields[number];
        self.each(fields.len(), field_of, |hash: &mut Hash, number: usize| {
            let from = hash.set_date(field_of(number), at, hasher);
            found += usize::from(from.is_some());
            before[number] = from.filter(|from| *from != at);
        });
        self.note_each(&before, field_of, at);
        found
    }

    /// Takes out `count` fields, which `field_of` gives by number; returns how many of them there
    /// were.
    pub fn remove_each<'n>(
        &mut self,
        count: usize,
        field_of: impl Fn(usize) -> &'n [u8],
        longs: &mut impl Longs,
    ) -> usize {
        let mut removed = 0;
        let mut before = match self.has_deadlines() {
            true => vec![None; count],
            false => Vec::new(),
        };
        self.each(count, &field_of, |hash: &mut Hash, number: usize| {
            let taken = hash.take(field_of(number), longs);
            removed += usize::from(taken.is_some());
            if let Some(before) = before.get_mut(number) {
                *before = taken.filter(Option::is_some);
            }
        });
        self.note_each(&before, &field_of, None);
        removed
    }

    /// Calls `each` with the numbers of fields, in an order that suits the hash.
    fn each<'n>(
        &mut self,
        count: usize,
        field_of: impl Fn(usize) -> &'n [u8],
        mut each: impl FnMut(&mut Hash, usize),
    ) {
        match self.map().order_of((0..count).map(&field_of)) {
            Some(order) => order.for_each(field_of, |number| each(self, number)),
            None => in_steps(self, 0..count, field_of, Hash::look_ahead, each),
        }
    }

    /// Fields have this deadline now, or none, or are gone: those for which it says what they had
    /// `before`, each once.
    fn note_each<'n>(
        &mut self,
        before: &[Option<Option<u64>>],
        field_of: impl Fn(usize) -> &'n [u8],
        after: Option<u64>,
    ) {
        // In the order of their names, which are looked at only where heads are equal.
        let changed = before.iter().enumerate().filter(|(_, it)| it.is_some());
        let row = |number: usize| (head(field_of(number)), number as u32);
        let mut rows: Vec<(u64, u32)> = changed.map(|(number, _)| row(number)).collect();
        let name_of = |row: &(u64, u32)| field_of(row.1 as usize);
        rows.sort_unstable_by(|a, b| {
            let heads = a.0.cmp(&b.0);
            heads.then_with(|| name_of(a).cmp(name_of(b)))
        });
        let mut changed: Vec<(Option<u64>, &[u8])> = Vec::new();
        for rows in rows.chunks(NOTED_TOGETHER_MAX) {
            touch(rows.iter().map(name_of));
            changed.clear();
            changed.extend(rows.iter().map(|row| {
                let before = before[row.1 as usize];
                (before.flatten(), name_of(row))
            }));
            self.expiring_mut().note_each(&changed, after);
        }
    }
}
