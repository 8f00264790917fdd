//! The connections whose replies wait for the log, in the order in which they may leave.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use engine::Lsn;

/// Places of connections, by the batch that their replies wait for, the lowest first.
#[derive(Debug, Default)]
pub(super) struct HeldQueue {
    /// Those that came in order, as nearly all do: whoever runs later waits for a later batch.
    in_order: VecDeque<(Lsn, usize)>,
    /// Those that came after one that waits for a later batch.
    late: BinaryHeap<Reverse<(Lsn, usize)>>,
}

impl HeldQueue {
    /// Replies of the connection in `place` wait for a batch.
    #[inline]
    pub(super) fn push(&mut self, lsn: Lsn, place: usize) {
        match self.in_order.back() {
            Some((last, _)) if *last > lsn => self.late.push(Reverse((lsn, place))),
            Some(_) | None => self.in_order.push_back((lsn, place)),
        }
    }

    /// The lowest batch that replies wait for.
    #[inline]
    pub(super) fn first(&self) -> Option<Lsn> {
        let in_order = self.in_order.front().map(|(lsn, _)| *lsn);
        let late = self.late.peek().map(|Reverse((lsn, _))| *lsn);
        in_order.into_iter().chain(late).min()
    }

    /// Takes out the place of a connection whose replies wait for that batch.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<usize> {
        let first = self.first()?;
        match self.in_order.pop_front_if(|(lsn, _)| *lsn == first) {
            Some((_, place)) => Some(place),
            None => self.late.pop().map(|Reverse((_, place))| place),
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.in_order.clear();
        self.late.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_lowest_batch_comes_first_in_whatever_order_they_are_pushed(
            steps in prop::collection::vec(prop::option::weighted(0.7, 0u64..20), 0..60),
        ) {
            let (mut queue, mut waiting) = (HeldQueue::default(), Vec::new());
            let pops = steps.len();
            let steps = steps.into_iter().chain(std::iter::repeat_n(None, pops));
            for (place, step) in steps.enumerate() {
                if let Some(number) = step {
                    queue.push(Lsn::new(number), place);
                    waiting.push((Lsn::new(number), place));
                    continue;
                }
                let first = waiting.iter().map(|(lsn, _)| *lsn).min();
                prop_assert_eq!(queue.first(), first);
                let popped = queue.pop();
                let at = waiting.iter().position(|(_, place)| Some(*place) == popped);
                prop_assert_eq!(at.map(|at| waiting.swap_remove(at).0), first);
            }
            prop_assert!(waiting.is_empty());
        }
    }
}
