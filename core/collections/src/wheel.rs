//! A hierarchical timer wheel: what is due when, for millions of deadlines.
//!
//! Time comes in as a number of ticks; the caller decides how long a tick is. Level 0 has a slot
//! for each of 64 ticks, level 1 for each 64 of those, and so on, so adding costs the same however
//! many there are, and a payload moves down a level at most ten times in its life (for deadlines a
//! day ahead in seconds: at most three times). Work is bounded: moving or returning one payload
//! takes one unit of the budget, and an interrupted step continues where it stopped. A slot is a
//! list of small reference-counted blocks, newest first, so a clone copies one pointer for each
//! slot in use. The same calls give the same order: nothing depends on addresses or time.

use smallvec::SmallVec;
use triomphe::Arc;

/// The bits of a tick that one level distinguishes.
const LEVEL_BITS: u32 = 6;
/// How many payloads a block holds: 2 KiB for a payload of 8 bytes.
const BLOCK_LEN_MAX: usize = 128;

/// Payloads that wait for their deadlines.
#[derive(Clone, Debug)]
pub struct Wheel<P> {
    /// No payload waits for an earlier tick: all earlier ones were returned.
    cursor: u64,
    len: usize,
    levels: SmallVec<[Level<P>; 1]>,
}

/// The payloads whose deadlines agree with the cursor in all higher digits, by this digit.
#[derive(Clone, Debug)]
struct Level<P> {
    /// Which of the 64 slots hold something.
    occupied: u64,
    /// Those slots, in order.
    slots: Vec<Arc<Block<P>>>,
}

#[derive(Clone, Debug)]
struct Block<P> {
    timers: Vec<(u64, P)>,
    rest: Option<Arc<Block<P>>>,
}

impl<P> Drop for Block<P> {
    /// In a loop, because the default drop would recurse once for each block of a slot.
    fn drop(&mut self) {
        let mut rest = self.rest.take();
        while let Some(block) = rest {
            let Ok(mut block) = Arc::try_unwrap(block) else {
                return;
            };
            rest = block.rest.take();
        }
    }
}

impl<P: Clone> Wheel<P> {
    /// An empty wheel whose time begins at `now` (a tick).
    pub fn new(now: u64) -> Self {
        Wheel {
            cursor: now,
            len: 0,
            levels: SmallVec::new(),
        }
    }

    /// Returns how many payloads wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a payload that is due at the tick `deadline`. A deadline before a tick that was already
    /// processed is due at that tick.
    pub fn insert(&mut self, deadline: u64, payload: P) {
        self.place(deadline.max(self.cursor), payload);
        self.len += 1;
    }

    /// A payload whose deadline is at or before `now`; `None` if there is none or `budget` is used
    /// up (then [`Wheel::is_due`] still says yes). Earlier ticks come first.
    pub fn pop_due(&mut self, now: u64, budget: &mut usize) -> Option<P> {
        while *budget > 0 {
            if self.len == 0 {
                self.cursor = self.cursor.max(now);
                return None;
            }
            if let Some(level) = self.pending_level() {
                if let Some((deadline, payload)) = self.take(level) {
                    *budget -= 1;
                    self.place(deadline, payload);
                }
                continue;
            }
            if self.cursor > now {
                return None;
            }
            if let Some((_, payload)) = self.take(0) {
                *budget -= 1;
                self.len -= 1;
                return Some(payload);
            }
            match self.next_slot() {
                Some(tick) if tick <= now => self.cursor = tick,
                // Nothing begins before `now`, so every payload stays on its level.
                Some(_) | None => {
                    self.cursor = now;
                    return None;
                }
            }
        }
        None
    }

    /// Returns whether [`Wheel::pop_due`] has work to do at `now`.
    pub fn is_due(&self, now: u64) -> bool {
        self.next_deadline().is_some_and(|tick| tick <= now)
    }

    /// A tick before which nothing is due: the earliest deadline itself if that is near, else the
    /// beginning of the slot that holds it. `None` if nothing waits.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.len == 0 {
            None
        } else if self.pending_level().is_some() || self.is_occupied(0) {
            Some(self.cursor)
        } else {
            self.next_slot()
        }
    }

    /// Puts a payload where it belongs as seen from the cursor.
    fn place(&mut self, deadline: u64, payload: P) {
        let apart = deadline ^ self.cursor;
        let level_index = if apart == 0 {
            0
        } else {
            apart.ilog2() / LEVEL_BITS
        };
        while self.levels.len() <= level_index as usize {
            self.levels.push(Level {
                occupied: 0,
                slots: Vec::new(),
            });
        }
        let level = &mut self.levels[level_index as usize];
        level.push(digit(deadline, level_index), (deadline, payload));
    }

    /// The highest level above the lowest whose slot at the cursor has to move down.
    fn pending_level(&self) -> Option<u32> {
        (1..self.levels.len() as u32)
            .rev()
            .find(|&level| self.is_occupied(level))
    }

    /// Returns whether the slot of that level at the cursor holds something.
    fn is_occupied(&self, level_index: u32) -> bool {
        self.levels
            .get(level_index as usize)
            .is_some_and(|level| level.occupied & (1 << digit(self.cursor, level_index)) != 0)
    }

    /// Takes a payload from the slot of that level at the cursor.
    fn take(&mut self, level_index: u32) -> Option<(u64, P)> {
        let digit = digit(self.cursor, level_index);
        self.levels.get_mut(level_index as usize)?.pop(digit)
    }

    /// The first tick of the first slot after the cursor that holds something. A slot of a lower
    /// level always comes before those of higher levels.
    fn next_slot(&self) -> Option<u64> {
        (0_u32..).zip(&self.levels).find_map(|(index, level)| {
            let after = level.occupied & u64::MAX.unbounded_shl(digit(self.cursor, index) + 1);
            if after == 0 {
                return None;
            }
            let shift = index * LEVEL_BITS;
            let below = u64::MAX.unbounded_shl(shift + LEVEL_BITS);
            Some((self.cursor & below) | (u64::from(after.trailing_zeros()) << shift))
        })
    }
}

/// The digit of a tick that chooses the slot on a level.
#[inline]
fn digit(tick: u64, level_index: u32) -> u32 {
    (tick >> (level_index * LEVEL_BITS)) as u32 % (1 << LEVEL_BITS)
}

impl<P: Clone> Level<P> {
    /// Returns where the slot is or would be.
    fn slot_index(&self, digit: u32) -> usize {
        (self.occupied & ((1 << digit) - 1)).count_ones() as usize
    }

    fn push(&mut self, digit: u32, timer: (u64, P)) {
        let index = self.slot_index(digit);
        if self.occupied & (1 << digit) == 0 {
            self.occupied |= 1 << digit;
            self.slots.insert(
                index,
                Arc::new(Block {
                    timers: vec![timer],
                    rest: None,
                }),
            );
            return;
        }
        let head = &mut self.slots[index];
        match Arc::get_mut(head) {
            Some(block) if block.timers.len() < BLOCK_LEN_MAX => block.timers.push(timer),
            // A full block, or one that a clone has too, gets a new one in front.
            Some(_) | None => {
                let rest = Some(Arc::clone(head));
                *head = Arc::new(Block {
                    timers: vec![timer],
                    rest,
                });
            }
        }
    }

    fn pop(&mut self, digit: u32) -> Option<(u64, P)> {
        if self.occupied & (1 << digit) == 0 {
            return None;
        }
        let index = self.slot_index(digit);
        let head = Arc::make_mut(&mut self.slots[index]);
        let timer = head.timers.pop();
        if head.timers.is_empty() {
            match head.rest.take() {
                Some(rest) => self.slots[index] = rest,
                None => {
                    self.slots.remove(index);
                    self.occupied &= !(1 << digit);
                }
            }
        }
        timer
    }
}

#[cfg(test)]
mod tests;
