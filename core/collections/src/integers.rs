//! Integers in ascending order, packed in one piece of memory: what small sets of numbers are made
//! of.
//!
//! All take the same 2, 4 or 8 bytes, by the largest one, so that one is found by halving. A clone
//! shares the memory; a write to what is shared copies all of it, so its owner keeps it small.

use triomphe::{Arc, ThinArc};

use crate::page::{HEAD_BYTES, allocated};

/// Integers, each of them once.
#[derive(Clone)]
pub struct Integers(ThinArc<Head, u8>);

#[derive(Clone, Copy)]
struct Head {
    count: u32,
    width: Width,
}

/// How many bytes each integer takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    fn of(integer: i64) -> Width {
        if i16::try_from(integer).is_ok() {
            Width::Two
        } else if i32::try_from(integer).is_ok() {
            Width::Four
        } else {
            Width::Eight
        }
    }

    fn bytes(self) -> usize {
        self as usize
    }
}

impl Integers {
    /// One integer.
    pub fn of(integer: i64) -> Integers {
        let mut integers = Integers::with_room(Width::of(integer), 1);
        integers.insert(integer);
        integers
    }

    /// Puts an integer in; returns whether it is new.
    pub fn insert(&mut self, integer: i64) -> bool {
        let Err(at) = self.search(integer) else {
            return false;
        };
        let len = self.len();
        self.make_room(self.width().max(Width::of(integer)), len + 1);
        self.write(|head, memory| {
            let width = head.width.bytes();
            memory.copy_within(at * width..len * width, (at + 1) * width);
            let bytes = &integer.to_le_bytes()[..width];
            memory[at * width..][..width].copy_from_slice(bytes);
            head.count += 1;
        });
        true
    }

    /// Takes an integer out; returns whether it was there.
    pub fn remove(&mut self, integer: i64) -> bool {
        let Ok(at) = self.search(integer) else {
            return false;
        };
        let len = self.len();
        self.make_room(self.width(), len);
        self.write(|head, memory| {
            let width = head.width.bytes();
            memory.copy_within((at + 1) * width..len * width, at * width);
            head.count -= 1;
        });
        true
    }

    /// Returns whether an integer is there.
    #[inline]
    pub fn contains(&self, integer: i64) -> bool {
        self.search(integer).is_ok()
    }

    /// The integer at a place of the order.
    #[inline]
    pub fn get(&self, at: usize) -> Option<i64> {
        self.iter().nth(at)
    }

    /// The number of integers.
    #[inline]
    pub fn len(&self) -> usize {
        self.head().count as usize
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All integers in ascending order.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.stored())
    }

    /// Memory on the heap, in bytes.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        HEAD_BYTES + self.0.slice.len()
    }

    /// Where an integer is, or where it belongs.
    #[inline]
    fn search(&self, integer: i64) -> Result<usize, usize> {
        let width = self.width().bytes();
        let memory = &self.0.slice[..self.len() * width];
        let at = |index: usize| read(&memory[index * width..][..width]);
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if at(middle) < integer {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        match from < self.len() && at(from) == integer {
            true => Ok(from),
            false => Err(from),
        }
    }

    #[inline]
    fn stored(&self) -> std::slice::ChunksExact<'_, u8> {
        let width = self.width().bytes();
        self.0.slice[..self.len() * width].chunks_exact(width)
    }

    #[inline]
    fn head(&self) -> Head {
        self.0.header.header
    }

    #[inline]
    fn width(&self) -> Width {
        self.head().width
    }

    /// None, with room for this many.
    fn with_room(width: Width, count: usize) -> Integers {
        let room = allocated(HEAD_BYTES + count * width.bytes()) - HEAD_BYTES;
        let head = Head { count: 0, width };
        Integers(ThinArc::from_header_and_iter(
            head,
            std::iter::repeat_n(0, room),
        ))
    }

    /// Makes the memory unshared, with room for this many of this width. Frees some if much of it
    /// is no longer used.
    fn make_room(&mut self, width: Width, count: usize) {
        let (bytes, room) = (count * width.bytes(), self.0.slice.len());
        let fits = bytes <= room && room <= bytes * 2 + HEAD_BYTES && width == self.width();
        if fits && self.0.with_arc_mut(|memory| memory.is_unique()) {
            return;
        }
        let mut wider = Integers::with_room(width, count);
        wider.write(|head, memory| {
            let places = memory.chunks_exact_mut(width.bytes());
            for (place, integer) in places.zip(self.iter()) {
                place.copy_from_slice(&integer.to_le_bytes()[..width.bytes()]);
            }
            head.count = self.len() as u32;
        });
        *self = wider;
    }

    /// Writes to memory that is not shared.
    #[inline]
    fn write(&mut self, write: impl FnOnce(&mut Head, &mut [u8])) {
        self.0.with_arc_mut(|memory| {
            let memory = Arc::get_mut(memory).expect("made its own before");
            let mut head = *memory.header();
            write(&mut head, memory.slice_mut());
            *memory.header_mut() = head;
        });
    }
}

/// The integer in as many bytes as one of the widths has.
#[inline]
fn read(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

/// [`Integers`] in ascending order.
#[derive(Clone, Debug)]
pub struct Iter<'a>(std::slice::ChunksExact<'a, u8>);

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        self.0.next().map(read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl std::fmt::Debug for Integers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(i64),
        Remove(i64),
        Freeze,
    }

    fn integer() -> impl Strategy<Value = i64> {
        let near = |edge: i64| (-2..2_i64).prop_map(move |by| edge.saturating_add(by));
        prop_oneof![
            8 => -20..20_i64,
            2 => near(i64::from(i16::MAX)),
            2 => near(i64::from(i16::MIN)),
            1 => near(i64::from(i32::MAX)),
            1 => near(i64::from(i32::MIN)),
            1 => near(i64::MAX),
            1 => near(i64::MIN),
        ]
    }

    proptest! {
        #[test]
        fn integers_behave_like_a_tree_set(
            steps in prop::collection::vec(prop_oneof![
                6 => integer().prop_map(Step::Insert),
                4 => integer().prop_map(Step::Remove),
                1 => Just(Step::Freeze),
            ], 1..200),
        ) {
            let (mut integers, mut model) = (Integers::of(7), BTreeSet::from([7]));
            let mut frozen = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(it) => prop_assert_eq!(integers.insert(it), model.insert(it)),
                    Step::Remove(it) => prop_assert_eq!(integers.remove(it), model.remove(&it)),
                    Step::Freeze => frozen.push((integers.clone(), model.clone())),
                }
                prop_assert!(integers.iter().eq(model.iter().copied()));
            }
            prop_assert_eq!(integers.len(), model.len());
            prop_assert_eq!(integers.get(1), model.iter().nth(1).copied());
            for it in -21..21 {
                prop_assert_eq!(integers.contains(it), model.contains(&it));
            }
            for (integers, model) in frozen {
                prop_assert!(integers.iter().eq(model));
            }
        }
    }

    #[test]
    fn memory_goes_as_integers_go() {
        let mut integers = Integers::of(0);
        (0..512).for_each(|it| {
            integers.insert(it);
        });
        assert_eq!(integers.heap_bytes(), 1280);
        (8..512).for_each(|it| {
            integers.remove(it);
        });
        assert!(integers.heap_bytes() <= 96, "{}", integers.heap_bytes());
    }
}
