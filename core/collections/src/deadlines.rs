//! The earliest deadline of each part of the hashes: what tells where something is due, with
//! nothing kept for a single deadline.
//!
//! The owner has values in a [`Directory`](crate::Directory), each with its own deadline. Here is
//! a bound for about every 64 of them, whose hashes begin alike: none of theirs is earlier. So who
//! asks what is due looks at the few values of one part, and sets its bound again. A deadline that
//! comes lowers a bound; one that goes leaves it as it is until somebody looks, which costs a look
//! and nothing else.
//!
//! Parts come and go one at a time as the number of values changes (linear hashing, by the leading
//! bits of the hash), so nothing pauses. Above the bounds lie the earliest of each 16, and above
//! these again, so that the earliest of all is found at once.

use std::ops::RangeInclusive;

/// For about how many values there is a part.
const PART_LEN: usize = 64;

/// How many bounds one of the level above stands for.
const FAN: usize = 16;

/// Stands for "none": no time comes after it.
const NEVER: i64 = i64::MAX;

/// Bounds of deadlines, by the hashes of what they are for. A deadline of `i64::MAX` is none.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// The bound of each part, then the earliest of each [`FAN`] of the level below. The last level
    /// has one.
    levels: Vec<Vec<i64>>,
}

/// Values whose hashes begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    index: usize,
    /// How many leading bits their hashes share.
    bits: u32,
}

impl Part {
    /// The hashes that belong to it.
    pub fn hashes(self) -> RangeInclusive<u64> {
        let first = (self.index as u64).reverse_bits();
        first..=first | u64::MAX.unbounded_shr(self.bits)
    }
}

impl Deadlines {
    /// No deadlines, of no values.
    pub fn new() -> Self {
        Deadlines {
            levels: vec![vec![NEVER]],
        }
    }

    /// There is a value of this hash that has this deadline.
    #[inline]
    pub fn add(&mut self, hash: u64, deadline: i64) {
        let mut index = self.part_of(hash).index;
        for level in &mut self.levels {
            let bound = &mut level[index];
            if *bound <= deadline {
                return;
            }
            *bound = deadline;
            index /= FAN;
        }
    }

    /// The part to which a hash belongs.
    #[inline]
    pub fn part_of(&self, hash: u64) -> Part {
        // The bits of the hash from its beginning, the first as the lowest, tell the part. The last
        // parts to come took half of the hashes of as many at the beginning, which have one bit
        // more.
        let bits = self.len().ilog2();
        let reversed = hash.reverse_bits() as usize;
        let long = reversed & ((2 << bits) - 1);
        match long < self.len() {
            true => self.part(long),
            false => self.part(reversed & ((1 << bits) - 1)),
        }
    }

    /// The bound of a part: nothing in there is due earlier. `None` if nothing ever is.
    #[inline]
    pub fn bound(&self, part: Part) -> Option<i64> {
        Some(self.levels[0][part.index]).filter(|bound| *bound != NEVER)
    }

    /// Somebody has looked at all values of a part: this is their earliest deadline.
    pub fn set(&mut self, part: Part, earliest: Option<i64>) {
        self.levels[0][part.index] = earliest.unwrap_or(NEVER);
        self.sum_up(part.index);
    }

    /// A time before which nothing is due; `None` if nothing ever is.
    #[inline]
    pub fn next(&self) -> Option<i64> {
        let top = self.levels.last()?.first()?;
        Some(*top).filter(|bound| *bound != NEVER)
    }

    /// The part that has the earliest bound, if that is at or before `now`.
    pub fn first_due(&self, now: i64) -> Option<Part> {
        self.next().filter(|next| *next <= now)?;
        let mut index = 0;
        for level in self.levels.iter().rev().skip(1) {
            let first = index * FAN;
            let bounds = level.iter().enumerate().skip(first).take(FAN);
            index = bounds.min_by_key(|(_, bound)| **bound)?.0;
        }
        Some(self.part(index))
    }

    /// A part with a deadline, or that had one, drawn by random bits; `None` if there is none.
    pub fn random(&self, random: u64) -> Option<Part> {
        self.next()?;
        let (mut index, mut random) = (0, random);
        for level in self.levels.iter().rev().skip(1) {
            let first = index * FAN;
            let len = FAN.min(level.len() - first);
            let drawn = random as usize % len;
            random = random.rotate_right(FAN.ilog2());
            let mut in_turn = (drawn..len).chain(0..drawn).map(|at| first + at);
            index = in_turn.find(|at| level[*at] != NEVER)?;
        }
        Some(self.part(index))
    }

    /// Has as many parts as that many values need. A part that splits gives its bound to both
    /// halves.
    #[inline]
    pub fn fit(&mut self, values: usize) {
        while self.len() < values / PART_LEN {
            self.split();
        }
        // Not at once, so that a value that comes and goes changes nothing.
        while self.len() > 1 && self.len() > 2 * values / PART_LEN {
            self.merge();
        }
    }

    /// How many parts there are.
    #[inline]
    fn len(&self) -> usize {
        self.levels[0].len()
    }

    fn part(&self, index: usize) -> Part {
        let bits = self.len().ilog2();
        let is_long = index >= 1 << bits || index + (1 << bits) < self.len();
        let bits = bits + u32::from(is_long);
        Part { index, bits }
    }

    #[cold]
    fn split(&mut self) {
        let index = self.len();
        let bound = self.levels[0][index - (1 << index.ilog2())];
        self.levels[0].push(bound);
        let mut height = 0;
        while self.levels[height].len() > 1 {
            let len = self.levels[height].len().div_ceil(FAN);
            height += 1;
            if height == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[height].resize(len, NEVER);
        }
        self.sum_up(index);
    }

    #[cold]
    fn merge(&mut self) {
        let index = self.len() - 1;
        let Some(bound) = self.levels[0].pop() else {
            return;
        };
        let mut len = self.len();
        for level in self.levels.iter_mut().skip(1) {
            len = len.div_ceil(FAN);
            level.truncate(len);
        }
        while let [.., below, _] = self.levels.as_slice()
            && below.len() == 1
        {
            self.levels.pop();
        }
        let into = index - (1 << index.ilog2());
        self.levels[0][into] = bound.min(self.levels[0][into]);
        self.sum_up(into);
        self.sum_up(index - 1);
    }

    /// A bound has changed: so do those above it.
    fn sum_up(&mut self, mut index: usize) {
        for height in 1..self.levels.len() {
            index /= FAN;
            let below = self.levels[height - 1].iter().skip(index * FAN).take(FAN);
            let earliest = below.min().copied().unwrap_or(NEVER);
            self.levels[height][index] = earliest;
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines::new()
    }
}

#[cfg(test)]
mod tests;
