//! Many names of one command, looked up a few at a time.
//!
//! In a large collection, what a search for a name reads is mostly not in the processor's caches,
//! and each search waits for memory several times. Searches that do not depend on one another can
//! wait together.

use std::hint::black_box;
use std::ops::ControlFlow;

use smallvec::SmallVec;

/// How many names are looked up at a time: about as many lines of memory as a processor fetches at
/// once.
pub const STEP: usize = 16;

/// Does `each` for each of these items, in their order. Before every few of them, `look` gets the
/// names that these are about, so that it can read what the searches for them will read.
#[inline]
pub fn in_steps<'n, C, T: Copy>(
    collection: &mut C,
    items: impl Iterator<Item = T>,
    name_of: impl Fn(T) -> &'n [u8],
    look: impl Fn(&C, &[&'n [u8]]),
    mut each: impl FnMut(&mut C, T),
) {
    let _ = try_in_steps(collection, items, name_of, look, |collection, item| {
        each(collection, item);
        ControlFlow::Continue(())
    });
}

/// The same until `each` has seen enough.
pub fn try_in_steps<'n, C, T: Copy>(
    collection: &mut C,
    mut items: impl Iterator<Item = T>,
    name_of: impl Fn(T) -> &'n [u8],
    look: impl Fn(&C, &[&'n [u8]]),
    mut each: impl FnMut(&mut C, T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    // Most commands name one, which needs no look ahead.
    let Some(first) = items.next() else {
        return ControlFlow::Continue(());
    };
    let Some(second) = items.next() else {
        return each(collection, first);
    };
    let mut items = [first, second].into_iter().chain(items);
    loop {
        let step: SmallVec<[T; STEP]> = items.by_ref().take(STEP).collect();
        if step.len() > 1 {
            let names: SmallVec<[&[u8]; STEP]> = step.iter().map(|item| name_of(*item)).collect();
            look(collection, &names);
        }
        for item in &step {
            each(collection, *item)?;
        }
        if step.len() < STEP {
            return ControlFlow::Continue(());
        }
    }
}

/// Reads something of each of these names, to have them in the processor's caches.
#[inline]
pub fn touch<'n>(names: impl Iterator<Item = &'n [u8]>) {
    names.for_each(|name| {
        black_box(name.first().copied());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_comes_once_in_order_and_is_looked_for_before() {
        for count in [0_usize, 1, 2, STEP - 1, STEP, STEP + 1, 3 * STEP + 2] {
            let names: Vec<[u8; 1]> = (0..count).map(|n| [n as u8]).collect();
            let looked = std::cell::Cell::new(0);
            let mut done: Vec<usize> = Vec::new();
            in_steps(
                &mut done,
                0..count,
                |n| &names[n],
                |done, names| {
                    // What was done before is done, and what comes next is looked for.
                    assert_eq!(names[0], [done.len() as u8]);
                    looked.set(done.len() + names.len());
                },
                |done, n| {
                    assert!(n < looked.get() || n.is_multiple_of(STEP) && n + 1 == count);
                    done.push(n);
                },
            );
            assert!(done.iter().copied().eq(0..count));
        }
    }

    #[test]
    fn nothing_is_done_after_what_is_enough() {
        let names: Vec<[u8; 1]> = (0..3 * STEP).map(|n| [n as u8]).collect();
        for enough in [0, 1, STEP - 1, STEP, 2 * STEP + 3] {
            let (mut looked, mut done) = (std::cell::Cell::new(0), 0);
            let flow = try_in_steps(
                &mut looked,
                0..names.len(),
                |n| &names[n],
                |looked, names| looked.set(looked.get() + names.len()),
                |_, n| {
                    done += 1;
                    match n == enough {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                },
            );
            assert!(flow.is_break());
            assert_eq!(done, enough + 1);
            assert!(looked.get() < done + STEP, "no more than a step too many");
        }
    }
}
