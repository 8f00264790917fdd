//! Which producers go where a stream has more than it is to know (`IDMP-PIDS`), and what expires
//! meanwhile.
//!
//! Who goes is decided here, and done elsewhere by an effect for each, so a replay takes the same
//! ones. Where there is an order of activity, it also says which window expires next, and the
//! calendar keeps no wheel: places of producers that were evicted would stay in it for the whole
//! duration.

use smallvec::SmallVec;
use triomphe::Arc;

use super::activity::{Activity, Place, Row, Sorting, row_of_window};
use super::counts::Counted;
use super::limits::{
    RECORDS_PER_WORK_UNIT, SORTED_PER_EVICTION, SORTED_PER_STEP, UNSORTED_RECORDS_MIN,
};
use super::numbers::Numbers;
use super::own::Own;
use super::window::Window;
use super::{Expiry, Idempotence, Producer, hash_bytes, hash_of};

impl Idempotence {
    #[inline]
    pub(super) fn activity(&self) -> Option<&Activity> {
        self.own.as_deref()?.activity.as_ref()
    }

    /// A producer has another place in the order, if there is one.
    #[cold]
    pub(super) fn reorder(&mut self, from: Option<Row>, to: Option<Row>) {
        if let Some(activity) = self.own_mut().and_then(|own| own.activity.as_mut()) {
            activity.reorder(from, to);
        }
    }

    /// The place of a producer in the order, if there is one.
    pub(super) fn row(&self, hash: u64, producer: &[u8]) -> Option<Row> {
        self.activity()?;
        let reached = self.numbers().and_then(|of| of.of(hash, producer));
        let found = || self.producers.find(hash, |p| p.is(hash, producer));
        reached
            .map(|reached| reached.row(hash))
            .or_else(|| found().map(|found| row_of_window(hash, &found.window)))
    }

    /// Returns whether there are more producers than the stream is to know, and it is known which
    /// of them go.
    #[inline]
    pub fn has_surplus(&self) -> bool {
        self.activity().is_some() && self.surplus() > 0
    }

    /// Returns whether [`Idempotence::plan_eviction`] may have something to do.
    #[inline]
    pub fn may_have_surplus(&self) -> bool {
        self.has_surplus() || self.is_unsorted()
    }

    fn surplus(&self) -> usize {
        let sorted = self.activity();
        let sorted = sorted.filter(|activity| activity.sorting == Sorting::Done);
        sorted.map_or(0, |activity| {
            let stored = self.producers.len() + self.numbers().map_or(0, Numbers::len);
            let surplus = stored.saturating_sub(activity.producers_max.get() as usize);
            surplus.min(activity.order.len())
        })
    }

    /// The producers that are too many at `now_ms` and are to be evicted, the least recently active
    /// first, but about as many as `steps` allows, and one at least: one with many iids takes
    /// several. Those that have expired go here and now: nobody can see that. If producers are
    /// still to be put in order, that is done for some of them, and there may be none to evict yet.
    pub fn plan_eviction(&mut self, now_ms: u64, mut steps: usize) -> Vec<Vec<u8>> {
        self.sort(&mut steps.saturating_mul(SORTED_PER_EVICTION));
        let surplus = self.surplus();
        let Some(activity) = self.activity().filter(|_| surplus > 0) else {
            return Vec::new();
        };
        let lifetime = self.lifetime(now_ms);
        let (mut surplus_names, mut over) = (Vec::new(), Vec::new());
        for row in activity.order.range(&[0; 4]).take(surplus) {
            if steps == 0 {
                break;
            }
            let numbered = self.numbers().and_then(|of| of.name_at(row));
            let window = self.window_at(row);
            let iids = window.map_or(0, Window::len);
            steps = steps.saturating_sub(1 + iids / RECORDS_PER_WORK_UNIT);
            let is_live = |window: &&Window| !lifetime.is_over(window.newest_at_ms());
            let windowed = window.filter(is_live).map(Window::name);
            match numbered.or(windowed) {
                Some(name) => surplus_names.push(name.to_vec()),
                None => over.push(row),
            }
        }
        for row in over {
            self.forget_window_at(row);
        }
        surplus_names
    }

    /// Forgets a producer because there are too many, and counts that. Its epoch stays.
    pub fn evict(&mut self, producer: &[u8]) {
        let hash = hash_bytes(self.seed, producer);
        let row = self.row(hash, producer);
        self.forget_window(hash, producer);
        let numbers = self.own_mut().and_then(|own| own.numbers.as_mut());
        if numbers.is_some_and(|numbers| numbers.remove(hash, producer)) {
            self.forget_messages(hash);
        }
        self.reorder(row, None);
        self.count(producer, Counted::Evicted, 1);
    }

    /// When the next window in the order is over, or at once if there is something to do before.
    #[cold]
    pub(super) fn next_deadline_in_order(&self, activity: &Activity) -> Option<u64> {
        if activity.sorting != Sorting::Done || self.surplus() > 0 {
            return Some(0);
        }
        if self.calendar.is_none() {
            return (!self.producers.is_empty()).then_some(self.earliest_ms);
        }
        let window = self.window_at(activity.order.first()?)?;
        Some(self.deadline_ms(window.newest_at_ms()))
    }

    /// Frees windows that are over in the order in which they are.
    pub(super) fn expire_in_order(&mut self, now_ms: u64, budget: &mut usize) -> Expiry {
        let lifetime = self.lifetime(now_ms);
        let is_over = |window: &Window| lifetime.is_over(window.newest_at_ms());
        while let Some(row) = self.activity().and_then(|activity| activity.order.first())
            && self.window_at(row).is_some_and(is_over)
        {
            if *budget == 0 {
                return Expiry::MoreIsDue;
            }
            let iids = self.window_at(row).map_or(0, Window::len);
            *budget = budget.saturating_sub(1 + iids / RECORDS_PER_WORK_UNIT);
            self.forget_window_at(row);
        }
        if self.record_count <= UNSORTED_RECORDS_MIN {
            self.look_at_all();
        }
        Expiry::Done
    }

    /// Returns whether there is an order that does not have all producers yet.
    pub(super) fn is_unsorted(&self) -> bool {
        let activity = self.activity();
        activity.is_some_and(|activity| activity.sorting != Sorting::Done)
    }

    /// Puts some producers in order, if they are not.
    pub(super) fn sort(&mut self, budget: &mut usize) {
        if !self.is_unsorted() {
            return;
        }
        let Some(Own {
            activity: Some(activity),
            numbers,
            ..
        }) = self.own.as_mut().map(Arc::make_mut)
        else {
            return;
        };
        let mut rows: SmallVec<[Row; 2 * SORTED_PER_STEP]> = SmallVec::new();
        while *budget > 0 {
            let (place, cursor) = match activity.sorting {
                Sorting::NotBegun => (Place::Windows, 0),
                Sorting::Of(place, cursor) => (place, cursor),
                Sorting::Done => return,
            };
            let next = match (place, &*numbers) {
                (Place::Windows, _) => self.producers.scan(cursor, SORTED_PER_STEP, |p| {
                    rows.push(row_of_window(p.hash, &p.window));
                }),
                (Place::Numbers, Some(numbers)) => {
                    numbers.scan_rows(cursor, SORTED_PER_STEP, |row| rows.push(row))
                }
                (Place::Numbers, None) => 0,
            };
            activity.sorting = match place {
                Place::Windows | Place::Numbers if next != 0 => Sorting::Of(place, next),
                Place::Windows => Sorting::Of(Place::Numbers, 0),
                Place::Numbers => Sorting::Done,
            };
            *budget = budget.saturating_sub(rows.len().max(1));
            rows.drain(..).for_each(|row| activity.put(row));
        }
    }

    fn window_at(&self, row: Row) -> Option<&Window> {
        let [.., hash] = row;
        let found = self.producers.find(hash, |p| is_at(p, row))?;
        Some(&found.window)
    }

    /// Forgets the producer with this row, if it has a window, and the row.
    fn forget_window_at(&mut self, row: Row) {
        let [.., hash] = row;
        if let Some(gone) = self.producers.remove(hash, |p| is_at(p, row), hash_of, 0) {
            self.forget_beside(&gone);
        }
        self.reorder(Some(row), None);
    }
}

fn is_at(producer: &Producer, row: Row) -> bool {
    row_of_window(producer.hash, &producer.window) == row
}
