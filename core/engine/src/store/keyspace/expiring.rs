//! The keys of a database that expire, or parts of whose values do: how many there are, as `INFO`
//! counts them, and where those are whose time has come.
//!
//! A key that expires has its time in the record and nothing anywhere else. What is known is the
//! earliest time of each few records ([`Deadlines`]), so what is due is found by a look at those.

use collections::{Deadlines, Directory, Part};
use values::Key;

use super::record::Record;
use crate::rng::Rng;
use crate::time::UnixMs;

/// How often a record that expires is drawn at a time. Where none is found, it is known afterwards
/// that there is none, so the next draws are of fewer places.
const DRAWS_MAX: usize = 1000;

/// How many records, one after another in memory, take as long as one that lies anywhere.
const RECORDS_PER_LOOK: usize = 16;

/// How many keys of a database expire, the sum of their expiry times, and where they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expiring {
    count: usize,
    /// In milliseconds since 1970. As many keys as memory can hold do not make it overflow.
    sum_ms: i128,
    /// How many keys have values of which parts expire.
    parts: usize,
    bounds: Deadlines,
}

impl Expiring {
    /// A key of this hash expires at this time, if at all.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, at: Option<UnixMs>) {
        if let Some(at) = at {
            self.count += 1;
            self.sum_ms += i128::from(at.0);
            self.bounds.add(hash, at.0);
        }
    }

    /// It does no longer, and its record says so already or is gone.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, at: Option<UnixMs>, records: &Directory<Record>) {
        if let Some(at) = at {
            self.count -= 1;
            self.sum_ms -= i128::from(at.0);
            let part = self.bounds.part_of(hash);
            if self.bounds.bound(part) == Some(at.0) {
                self.raise(part, at, records);
            }
        }
    }

    /// A database has that many records now.
    #[inline]
    pub(super) fn fit(&mut self, records: usize) {
        self.bounds.fit(records);
    }

    /// Looks which time comes first in a part after one that had the bound has gone, so that where
    /// nothing expires any more nobody looks for it. There may be others of the same time.
    fn raise(&mut self, part: Part, bound: UnixMs, records: &Directory<Record>) {
        let mut earliest = None;
        for at in expiring(part, records).filter_map(Record::expires_at) {
            if at <= bound {
                return;
            }
            earliest = Some(earliest.map_or(at.0, |earliest: i64| earliest.min(at.0)));
        }
        self.bounds.set(part, earliest);
    }

    /// A time before which no key expires.
    #[inline]
    pub(super) fn next(&self) -> Option<UnixMs> {
        self.bounds.next().map(UnixMs)
    }

    /// Adds names of keys that have expired, all of one part, until there are `max`: its owner
    /// removes them at once. Takes some of `looks` for the records that it looks at; if they do not
    /// suffice it finds none.
    pub(super) fn find_expired(
        &mut self,
        (records, now): (&Directory<Record>, UnixMs),
        (max, names): (usize, &mut Vec<Key>),
        looks: &mut usize,
    ) {
        while *looks > 0 && names.is_empty() {
            let Some(part) = self.bounds.first_due(now.0) else {
                return;
            };
            let (mut earliest, mut seen) = (None, 0);
            for record in records.values_about(part.hashes()) {
                seen += 1;
                let Some(at) = record.expires_at() else {
                    continue;
                };
                if at > now {
                    earliest = Some(earliest.map_or(at.0, |earliest: i64| earliest.min(at.0)));
                } else if names.len() < max {
                    names.push(record.name());
                } else {
                    // The bound stays, since there are more.
                    return;
                }
            }
            *looks = looks.saturating_sub(1 + seen / RECORDS_PER_LOOK);
            self.bounds.set(part, earliest);
        }
    }

    /// A record that expires, picked by random bits.
    pub(super) fn random<'a>(
        &mut self,
        records: &'a Directory<Record>,
        random: u64,
    ) -> Option<&'a Record> {
        if self.count == 0 {
            return None;
        }
        let mut rng = Rng::new(random);
        for _ in 0..DRAWS_MAX {
            // Where most records expire, the first draw is one of them. Where few do, only their
            // parts have a time, and parts that had some.
            if let Some(found) = records.random(rng.next()).filter(expires) {
                return Some(found);
            }
            let part = self.bounds.random(rng.next())?;
            let count = expiring(part, records).count() as u64;
            match rng.next().checked_rem(count) {
                Some(at) => return expiring(part, records).nth(at as usize),
                None => self.bounds.set(part, None),
            }
        }
        None
    }

    /// Counts a key if parts of its value expire.
    #[inline]
    pub(crate) fn add_parts(&mut self, expire: bool) {
        self.parts += usize::from(expire);
    }

    /// Counts it no longer.
    #[inline]
    pub(crate) fn remove_parts(&mut self, expire: bool) {
        self.parts -= usize::from(expire);
    }

    /// How many keys have values of which parts expire.
    #[inline]
    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The average time to live of the keys, in milliseconds.
    pub(crate) fn average_ttl_ms(&self, now: UnixMs) -> u64 {
        let average = self.sum_ms.checked_div(self.count as i128).unwrap_or(0);
        u64::try_from(average - i128::from(now.0)).unwrap_or(0)
    }
}

fn expires(record: &&Record) -> bool {
    record.expires_at().is_some()
}

/// The records of a part that expire, and some of those beside it.
fn expiring(part: Part, records: &Directory<Record>) -> impl Iterator<Item = &Record> {
    records.values_about(part.hashes()).filter(expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_what_is_added_and_removed() {
        let mut expiring = Expiring::default();
        assert_eq!(expiring.average_ttl_ms(UnixMs(5)), 0);
        for at in [Some(UnixMs(1000)), None, Some(UnixMs(3000))] {
            expiring.add(7, at);
        }
        assert_eq!(
            (expiring.count(), expiring.average_ttl_ms(UnixMs(500))),
            (2, 1500)
        );
        expiring.remove(7, Some(UnixMs(3000)), &Directory::new());
        expiring.remove(7, None, &Directory::new());
        assert_eq!(
            (expiring.count(), expiring.average_ttl_ms(UnixMs(500))),
            (1, 500)
        );
        // What is overdue and not yet removed has no time left.
        assert_eq!(expiring.average_ttl_ms(UnixMs(1001)), 0);
    }

    #[test]
    fn the_latest_times_that_there_are_do_not_overflow() {
        let mut expiring = Expiring::default();
        for _ in 0..1000 {
            expiring.add(7, Some(UnixMs(i64::MAX)));
        }
        assert_eq!(expiring.average_ttl_ms(UnixMs(0)), i64::MAX as u64);
    }
}
