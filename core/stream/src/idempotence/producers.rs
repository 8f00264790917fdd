//! What is known of producers, one by one: for those who look at a stream.
//!
//! A producer is known if it is tracked, was given an epoch, or something was counted of it. These
//! are in different places, so a scan shows one place after the other, and a producer in the first
//! of them that has it. What has expired and is still in memory is not shown, so nobody sees when
//! it is removed.

use std::borrow::Cow;

use super::counts::{Counts, Tally};
use super::numbers::Reached;
use super::record::Remembered;
use super::window::Window;
use super::{Idempotence, Producer, hash_bytes};
use crate::StreamId;

/// What is known of a producer.
#[derive(Clone, Debug)]
pub struct ProducerReport<'a> {
    /// Its ID.
    pub name: &'a [u8],
    /// The latest epoch that it was given; 0 if it was given none.
    pub epoch: u64,
    /// How many of its iids are remembered.
    pub iids: usize,
    /// The youngest of them, or the greatest where they are numbers.
    pub last: Option<LastAppend<'a>>,
    /// What happened to its appends, if that is counted.
    pub tally: Option<Tally>,
}

/// The last append of a producer that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAppend<'a> {
    /// Its iid.
    pub iid: Cow<'a, [u8]>,
    /// Its entry, which may be gone by now.
    pub id: StreamId,
    /// When that was added, in Unix milliseconds: by the clock, or where iids are numbers by its
    /// ID.
    pub added_at_ms: u64,
}

impl<'a> From<Remembered<'a>> for LastAppend<'a> {
    fn from(record: Remembered<'a>) -> Self {
        LastAppend {
            iid: Cow::Borrowed(record.iid),
            id: record.id,
            added_at_ms: record.added_at_ms,
        }
    }
}

impl From<Reached> for LastAppend<'_> {
    fn from(reached: Reached) -> Self {
        LastAppend {
            iid: Cow::Owned(reached.number.to_string().into_bytes()),
            id: reached.id,
            added_at_ms: reached.id.ms,
        }
    }
}

/// A place that has producers. The two low bits of a cursor say in which one a scan is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Windows,
    Numbers,
    Epochs,
    Counts,
}

impl Place {
    const ALL: [Place; 4] = [Place::Windows, Place::Numbers, Place::Epochs, Place::Counts];
    const BITS: u32 = 2;
}

impl Idempotence {
    /// What is known of a producer at `now_ms`; `None` if that is nothing.
    pub fn producer<'a>(&'a self, name: &'a [u8], now_ms: u64) -> Option<ProducerReport<'a>> {
        let hash = hash_bytes(self.seed, name);
        let found = self.producers.find(hash, |p| p.is(hash, name));
        let report = self.report(name, hash, found, now_ms);
        let is_known = report.iids > 0
            || report.epoch > 0
            || report.tally.is_some_and(|tally| !tally.is_zero());
        is_known.then_some(report)
    }

    /// The last append of a producer that is remembered at `now_ms`: that with the greatest iid
    /// where they are numbers, else the youngest.
    pub fn last<'a>(&'a self, name: &'a [u8], now_ms: u64) -> Option<LastAppend<'a>> {
        match self.is_monotone() {
            true => self.reached(name, now_ms).map(LastAppend::from),
            false => self.producer(name, now_ms)?.last,
        }
    }

    /// One step of a scan of all producers that are known at `now_ms`: calls `f` with about `count`
    /// of them, and returns the cursor of the next step, 0 at the end. A scan begins with 0, and
    /// any number is a valid cursor. Its guarantees are those of SCAN: a producer that is there all
    /// the time is shown, perhaps twice. A step may show none.
    pub fn scan_producers(
        &self,
        cursor: u64,
        count: usize,
        now_ms: u64,
        mut f: impl FnMut(&ProducerReport<'_>),
    ) -> u64 {
        let mask = (1 << Place::BITS) - 1;
        let (mut within, mut number) = (cursor >> Place::BITS, (cursor & mask) as usize);
        let mut left = count;
        while let Some(&place) = Place::ALL.get(number) {
            let mut shown = 0;
            within = self.scan_place(place, within, left, now_ms, |report| {
                shown += 1;
                f(report);
            });
            left = left.saturating_sub(shown);
            if within == 0 {
                number += 1;
            }
            if within != 0 || left == 0 && number < Place::ALL.len() {
                return within << Place::BITS | number as u64;
            }
        }
        0
    }

    fn scan_place(
        &self,
        place: Place,
        cursor: u64,
        count: usize,
        now_ms: u64,
        mut f: impl FnMut(&ProducerReport<'_>),
    ) -> u64 {
        let own = self.own.as_deref();
        // What is in a place before is shown there.
        let mut show = |name: &[u8]| {
            let Some(report) = self.producer(name, now_ms) else {
                return;
            };
            // Who has reached a number has no window any more.
            let is_first = match place {
                Place::Windows | Place::Numbers => report.last.is_some(),
                Place::Epochs => report.last.is_none(),
                Place::Counts => report.last.is_none() && report.epoch == 0,
            };
            if is_first {
                f(&report);
            }
        };
        match place {
            Place::Windows => {
                let show = |p: &Producer| show(p.window.name());
                self.producers.scan(cursor, count, show)
            }
            Place::Numbers => self
                .numbers()
                .map_or(0, |numbers| numbers.scan(cursor, count, show)),
            Place::Epochs => own.map_or(0, |own| own.epochs.scan(cursor, count, show)),
            Place::Counts => own
                .and_then(|own| own.counts.as_ref())
                .map_or(0, |counts| counts.scan(cursor, count, show)),
        }
    }

    fn report<'a>(
        &'a self,
        name: &'a [u8],
        hash: u64,
        found: Option<&'a Producer>,
        now_ms: u64,
    ) -> ProducerReport<'a> {
        let own = self.own.as_deref();
        let lifetime = self.lifetime(now_ms);
        let window = found.map(|found| &found.window);
        let window = window.filter(|window| !lifetime.is_over(window.newest_at_ms()));
        let counts = own.and_then(|own| own.counts.as_ref());
        let reached = self.numbers().and_then(|numbers| numbers.of(hash, name));
        let iids = window.map_or(0, |window| window.len() - window.expired_len(lifetime));
        let last = window.and_then(Window::last).map(LastAppend::from);
        ProducerReport {
            name,
            epoch: own.map_or(0, |own| own.epochs.latest(hash, name)),
            iids: iids + usize::from(reached.is_some()),
            last: reached.map(LastAppend::from).or(last),
            tally: counts.map(|counts: &Counts| counts.of(hash, name)),
        }
    }
}
