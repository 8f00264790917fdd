//! When iids are over: freeing the memory of producers that have none left.
//!
//! Few are looked at one by one; many have a calendar.

use triomphe::Arc;

use super::activity::row_of_window;
use super::calendar::Calendar;
use super::limits::{
    RECORDS_PER_WORK_UNIT, SORTED_PER_STEP, UNSORTED_RECORDS_MAX, UNSORTED_RECORDS_MIN,
};
use super::{Idempotence, Producer, hash_of};

/// Whether expiry has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing is due any more.
    Done,
    /// The budget ran out first.
    MoreIsDue,
}

impl Idempotence {
    /// The time (Unix, in milliseconds) before which [`Idempotence::expire`] finds nothing to do;
    /// `None` if nothing is remembered. Call it then, or up to a second later. If called early, it
    /// does nothing and gives the next time.
    #[inline]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        if let Some(activity) = self.activity() {
            return self.next_deadline_in_order(activity);
        }
        match &self.calendar {
            Some(calendar) => calendar.next_deadline_ms(),
            None => (!self.producers.is_empty()).then_some(self.earliest_ms),
        }
    }

    /// Frees the memory of producers whose iids have all expired by `now_ms`. Deducts its work from
    /// `budget`: one for each producer that it looks at (about half a microsecond if nothing is in
    /// a cache). If nothing is due, it takes no time.
    ///
    /// A producer that keeps appending loses its expired iids with its next append. One that
    /// stopped loses all of them when the youngest expires.
    pub fn expire(&mut self, now_ms: u64, budget: &mut usize) -> Expiry {
        self.sort(budget);
        if self.is_unsorted() {
            return Expiry::MoreIsDue;
        }
        if self.calendar.is_some() {
            match self.activity() {
                Some(_) => self.expire_in_order(now_ms, budget),
                None => self.expire_by_calendar(now_ms, budget),
            }
        } else {
            if now_ms >= self.earliest_ms && !self.producers.is_empty() {
                *budget = budget.saturating_sub(self.producers.len());
                self.expire_all(now_ms);
            }
            Expiry::Done
        }
    }

    /// Looks at all producers to make a calendar, or to know the earliest if they are few.
    #[cold]
    pub(super) fn look_at_all(&mut self) {
        let deadlines = self
            .producers
            .iter()
            .map(|p| self.deadline_ms(p.window.newest_at_ms()));
        self.earliest_ms = deadlines.min().unwrap_or(u64::MAX);
        self.calendar = None;
        if self.record_count > UNSORTED_RECORDS_MAX {
            let mut calendar = Calendar::new(self.earliest_ms);
            if self.activity().is_some() {
                calendar.leave_to_order();
            }
            for producer in self.producers.iter() {
                let newest_at_ms = producer.window.newest_at_ms();
                calendar.schedule(producer.hash, self.deadline_ms(newest_at_ms));
                calendar.move_producer(None, Some(newest_at_ms));
                producer
                    .window
                    .for_each(|record| calendar.add_iid(record.added_at_ms));
            }
            self.calendar = Some(Arc::new(calendar));
        }
    }

    /// Removes what has expired by looking at all producers, of which there are few.
    fn expire_all(&mut self, now_ms: u64) {
        let lifetime = self.lifetime(now_ms);
        let is_over = |p: &Producer| lifetime.is_over(p.window.newest_at_ms());
        let over = self.producers.iter().filter(|p| is_over(p));
        let hashes: smallvec::SmallVec<[u64; 8]> = over.map(hash_of).collect();
        for hash in hashes {
            let over = |p: &Producer| p.hash == hash && is_over(p);
            if let Some(gone) = self.producers.remove(hash, over, hash_of, 0) {
                self.record_count -= gone.window.len();
                self.forget_messages(hash);
                self.reorder(Some(row_of_window(hash, &gone.window)), None);
            }
        }
        self.look_at_all();
    }

    pub(super) fn forget_messages(&mut self, producer_hash: u64) {
        if let Some(messages) = self.own_mut().and_then(|own| own.messages.as_mut()) {
            messages.remove(producer_hash);
        }
    }

    fn expire_by_calendar(&mut self, now_ms: u64, budget: &mut usize) -> Expiry {
        let lifetime = self.lifetime(now_ms);
        let Some(shared) = self
            .calendar
            .as_mut()
            .filter(|calendar| calendar.is_due(now_ms))
        else {
            return Expiry::Done;
        };
        let calendar = Arc::make_mut(shared);
        let own = self.own.as_mut().map(Arc::make_mut);
        let mut messages = own.and_then(|own| own.messages.as_mut());
        calendar.schedule_some(budget, |cursor, schedule| {
            self.producers.scan(cursor, SORTED_PER_STEP, |p| {
                let newest_at_ms = p.window.newest_at_ms();
                schedule(p.hash, newest_at_ms.saturating_add(lifetime.duration_ms));
            })
        });
        while let Some(hash) = calendar.pop_due(now_ms, budget) {
            let over = |p: &Producer| p.hash == hash && lifetime.is_over(p.window.newest_at_ms());
            if let Some(gone) = self.producers.remove(hash, over, hash_of, 0) {
                let len = gone.window.len();
                self.record_count -= len;
                if let Some(messages) = &mut messages {
                    messages.remove(hash);
                }
                gone.window
                    .for_each(|record| calendar.remove_iid(record.added_at_ms));
                calendar.move_producer(Some(gone.window.newest_at_ms()), None);
                *budget = budget.saturating_sub(len / RECORDS_PER_WORK_UNIT);
            } else if let Some(p) = self.producers.find(hash, |p| p.hash == hash) {
                // It kept appending. (If two producers have this hash, each has its own place in
                // the calendar, whichever of them is found here.)
                let deadline_ms = p.window.newest_at_ms().saturating_add(lifetime.duration_ms);
                calendar.schedule(hash, deadline_ms);
            }
        }
        let is_due = calendar.is_due(now_ms);
        if self.record_count <= UNSORTED_RECORDS_MIN {
            self.look_at_all();
            return self.expire(now_ms, budget);
        }
        if is_due {
            Expiry::MoreIsDue
        } else {
            Expiry::Done
        }
    }
}
