//! Timers that can be cancelled: what is due when, for millions of deadlines.
//!
//! A hierarchical timing wheel with the levels of [`Wheel`](crate::Wheel), for an owner who keeps
//! the [`TimerId`] of each timer. Setting, moving and cancelling cost the same however many there
//! are, and a cancelled timer leaves nothing behind. Each slot is a doubly linked ring of places in
//! chunks of memory, so nothing is ever moved to make room. Unlike the other collections it is not
//! frozen by a clone, which copies every timer.
//!
//! Work is bounded: a timer moves down a level at most ten times in its life, one unit of the
//! budget each. The caller's time may step back. Then a timer that is set for an earlier time than
//! any before makes the wheel step back too, which joins rings and looks at no timer.

mod places;

use std::num::NonZeroU32;

use places::Places;

/// The bits of a tick that one level distinguishes.
const LEVEL_BITS: u32 = 6;
/// How many slots a level has.
const SLOTS: usize = 1 << LEVEL_BITS;
/// How many levels cover all ticks.
const LEVELS: usize = u64::BITS.div_ceil(LEVEL_BITS) as usize;

/// Which timer it is, until it is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId(NonZeroU32);

/// Timers that run.
#[derive(Clone, Debug)]
pub struct Timers<P> {
    /// No timer has an earlier deadline, but those that were put aside.
    cursor: u64,
    /// Which slots of each level hold something.
    occupied: [u64; LEVELS],
    /// The ends of each slot's ring, as far as levels were used.
    ends: Vec<Links>,
    /// The ends of the ring of those that were put aside.
    held: Links,
    places: Places<Timer<P>>,
}

#[derive(Clone, Copy, Debug)]
struct Timer<P> {
    deadline: u64,
    payload: P,
    links: Links,
}

/// The neighbours in a ring. A number is that of a place, or, with [`END`], of a slot.
#[derive(Clone, Copy, Debug)]
struct Links {
    before: u32,
    after: u32,
}

/// Marks the end of a ring.
const END: u32 = 1 << 31;
/// The end of the ring of those that were put aside.
const HELD: u32 = u32::MAX;
/// That ring if none was.
const NONE_HELD: Links = Links {
    before: HELD,
    after: HELD,
};

/// A slot of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    level: u32,
    digit: u32,
}

impl Slot {
    /// Its end of the ring.
    #[inline]
    fn end(self) -> u32 {
        END | (self.level << LEVEL_BITS | self.digit)
    }

    #[inline]
    fn of_end(end: u32) -> Slot {
        let index = end & !END;
        Slot {
            level: index >> LEVEL_BITS,
            digit: index % SLOTS as u32,
        }
    }
}

impl<P: Copy> Timers<P> {
    /// No timers.
    pub const fn new() -> Self {
        Timers {
            cursor: 0,
            occupied: [0; LEVELS],
            ends: Vec::new(),
            held: NONE_HELD,
            places: Places::new(),
        }
    }

    /// How many timers run.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether none runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets a timer that is due at the tick `deadline`. Of those with the same deadline, the one
    /// that was set first mostly comes first.
    pub fn set(&mut self, deadline: u64, payload: P) -> TimerId {
        if self.is_empty() {
            self.cursor = deadline;
        } else if deadline < self.cursor {
            self.step_back(deadline);
        }
        let place = self.places.take(Timer {
            deadline,
            payload,
            links: Links {
                before: 0,
                after: 0,
            },
        });
        // As many as would fill the memory of any machine.
        assert!(place < END, "no record is without memory of its own");
        self.link(place, self.slot_of(deadline));
        id_of(place)
    }

    /// The deadline of a timer.
    #[inline]
    pub fn deadline(&self, id: TimerId) -> u64 {
        self.places.get(place_of(id)).deadline
    }

    /// What was given to a timer.
    #[inline]
    pub fn payload(&self, id: TimerId) -> P {
        self.places.get(place_of(id)).payload
    }

    /// Cancels a timer. Its ID is not used any more after that.
    pub fn cancel(&mut self, id: TimerId) {
        let place = place_of(id);
        self.unlink(place);
        self.places.give_back(place);
    }

    /// Puts a timer aside: it runs on, but is not due before [`Timers::release_held`].
    pub fn hold(&mut self, id: TimerId) {
        let place = place_of(id);
        self.unlink(place);
        self.append(place, HELD);
    }

    /// Lets all that were put aside be found again at the tick `now`, or at their deadline if that
    /// is later. Looks at none of them, so that those may be found early.
    pub fn release_held(&mut self, now: u64) {
        if self.held.after != HELD {
            if now < self.cursor {
                self.step_back(now);
            }
            self.join(HELD, self.slot_at(0));
        }
    }

    /// The timer with the earliest deadline, if that is at or before `now`. Takes one unit of the
    /// budget for each timer that it moves to a lower level on the way, and finds none once the
    /// budget is used up; then [`Timers::next_deadline`] still is at or before `now`.
    pub fn first_due(&mut self, now: u64, budget: &mut usize) -> Option<TimerId> {
        loop {
            if self.is_empty() || self.cursor > now {
                return None;
            }
            if let Some(slot) = self.pending() {
                *budget = budget.checked_sub(1)?;
                let place = self.first(slot);
                self.unlink(place);
                // One that was put aside may be overdue.
                let deadline = self.places.get(place).deadline.max(self.cursor);
                self.link(place, self.slot_of(deadline));
                continue;
            }
            if self.is_occupied(0) {
                return Some(id_of(self.first(self.slot_at(0))));
            }
            match self.next_slot() {
                Some(tick) if tick <= now => self.cursor = tick,
                // No slot begins before `now`, so every timer stays on its level.
                Some(_) | None => {
                    self.cursor = now;
                    return None;
                }
            }
        }
    }

    /// A tick before which nothing is due: the earliest deadline itself if that is near, else the
    /// beginning of the slot that holds it. `None` if no timer runs.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.is_empty() {
            None
        } else if self.pending().is_some() || self.is_occupied(0) {
            Some(self.cursor)
        } else {
            self.next_slot()
        }
    }

    /// All timers in no order, each with its deadline and what was given to it.
    pub fn iter(&self) -> impl Iterator<Item = (TimerId, u64, P)> {
        let timers = self.places.iter();
        timers.map(|(place, timer)| (id_of(place), timer.deadline, timer.payload))
    }

    /// Where a timer belongs as seen from the cursor.
    #[inline]
    fn slot_of(&self, deadline: u64) -> Slot {
        let apart = deadline ^ self.cursor;
        let level = (apart | 1).ilog2() / LEVEL_BITS;
        Slot {
            level,
            digit: digit(deadline, level),
        }
    }

    /// The slot of that level at the cursor.
    #[inline]
    fn slot_at(&self, level: u32) -> Slot {
        Slot {
            level,
            digit: digit(self.cursor, level),
        }
    }

    #[inline]
    fn is_occupied(&self, level: u32) -> bool {
        self.occupied[level as usize] & (1 << digit(self.cursor, level)) != 0
    }

    /// The highest slot above the lowest level that has to move down, because the cursor is in it.
    fn pending(&self) -> Option<Slot> {
        let levels = (self.ends.len() / SLOTS) as u32;
        let level = (1..levels).rev().find(|&level| self.is_occupied(level))?;
        Some(self.slot_at(level))
    }

    /// The first tick of the first slot after the cursor that holds something. A slot of a lower
    /// level always comes before those of higher levels.
    fn next_slot(&self) -> Option<u64> {
        (0_u32..).zip(self.occupied).find_map(|(level, occupied)| {
            let after = occupied & u64::MAX.unbounded_shl(digit(self.cursor, level) + 1);
            if after == 0 {
                return None;
            }
            let shift = level * LEVEL_BITS;
            let below = u64::MAX.unbounded_shl(shift + LEVEL_BITS);
            Some((self.cursor & below) | (u64::from(after.trailing_zeros()) << shift))
        })
    }

    /// Lets the wheel begin at an earlier tick. From there, all that is on levels below the first
    /// digit that differs is in one slot.
    fn step_back(&mut self, to: u64) {
        let level = self.slot_of(to).level;
        let joined = self.slot_at(level);
        self.cursor = to;
        for level in 0..joined.level {
            let mut occupied = std::mem::take(&mut self.occupied[level as usize]);
            while occupied != 0 {
                let digit = occupied.trailing_zeros();
                occupied &= occupied - 1;
                self.join(Slot { level, digit }.end(), joined);
            }
        }
    }

    /// Appends all of a ring, by its end, to that of a slot.
    fn join(&mut self, end: u32, to: Slot) {
        let Links { before, after } = *self.links(end);
        *self.links(end) = Links {
            before: end,
            after: end,
        };
        self.open(to);
        let end = to.end();
        let last = self.links(end).before;
        self.links(last).after = after;
        self.links(after).before = last;
        self.links(before).after = end;
        self.links(end).before = before;
    }

    /// Notes that a slot holds something from now on.
    #[inline]
    fn open(&mut self, slot: Slot) {
        while self.ends.len() <= (slot.end() & !END) as usize {
            self.add_level();
        }
        self.occupied[slot.level as usize] |= 1 << slot.digit;
    }

    #[cold]
    fn add_level(&mut self) {
        let level = (self.ends.len() / SLOTS) as u32;
        let ends = (0..SLOTS as u32).map(|digit| Slot { level, digit }.end());
        self.ends.extend(ends.map(|end| Links {
            before: end,
            after: end,
        }));
    }

    /// The first place of a slot that holds something.
    #[inline]
    fn first(&self, slot: Slot) -> u32 {
        self.ends[(slot.end() & !END) as usize].after
    }

    /// Puts a place at the end of a slot's ring.
    #[inline]
    fn link(&mut self, place: u32, slot: Slot) {
        self.open(slot);
        self.append(place, slot.end());
    }

    /// Puts a place at the end of a ring.
    #[inline]
    fn append(&mut self, place: u32, end: u32) {
        let before = std::mem::replace(&mut self.links(end).before, place);
        self.links(before).after = place;
        *self.links(place) = Links { before, after: end };
    }

    /// Takes a place out of its ring.
    #[inline]
    fn unlink(&mut self, place: u32) {
        let Links { before, after } = *self.links(place);
        self.links(before).after = after;
        self.links(after).before = before;
        if before == after && before & END != 0 && before != HELD {
            let slot = Slot::of_end(before);
            self.occupied[slot.level as usize] &= !(1 << slot.digit);
        }
    }

    #[inline]
    fn links(&mut self, number: u32) -> &mut Links {
        if number & END == 0 {
            &mut self.places.get_mut(number).links
        } else if number == HELD {
            &mut self.held
        } else {
            &mut self.ends[(number & !END) as usize]
        }
    }
}

impl<P: Copy> Default for Timers<P> {
    fn default() -> Self {
        Timers::new()
    }
}

#[inline]
fn id_of(place: u32) -> TimerId {
    TimerId(NonZeroU32::MIN.saturating_add(place))
}

#[inline]
fn place_of(id: TimerId) -> u32 {
    id.0.get() - 1
}

/// The digit of a tick that chooses the slot on a level.
#[inline]
fn digit(tick: u64, level: u32) -> u32 {
    (tick >> (level * LEVEL_BITS)) as u32 % SLOTS as u32
}

#[cfg(test)]
mod tests;
