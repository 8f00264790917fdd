//! The keys of a database that expire, or parts of whose values do, as `INFO` counts them.

use crate::time::UnixMs;

/// How many keys of a database expire, and the sum of their expiry times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expiring {
    count: usize,
    /// In milliseconds since 1970. As many keys as memory can hold do not make it overflow.
    sum_ms: i128,
    /// How many keys have values of which parts expire.
    parts: usize,
}

impl Expiring {
    /// Counts a key that expires at this time, if at all.
    #[inline]
    pub(crate) fn add(&mut self, at: Option<UnixMs>) {
        if let Some(at) = at {
            self.count += 1;
            self.sum_ms += i128::from(at.0);
        }
    }

    /// Counts it no longer.
    #[inline]
    pub(crate) fn remove(&mut self, at: Option<UnixMs>) {
        if let Some(at) = at {
            self.count -= 1;
            self.sum_ms -= i128::from(at.0);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_what_is_added_and_removed() {
        let mut expiring = Expiring::default();
        assert_eq!(expiring.average_ttl_ms(UnixMs(5)), 0);
        for at in [Some(UnixMs(1000)), None, Some(UnixMs(3000))] {
            expiring.add(at);
        }
        assert_eq!(
            (expiring.count(), expiring.average_ttl_ms(UnixMs(500))),
            (2, 1500)
        );
        expiring.remove(Some(UnixMs(3000)));
        expiring.remove(None);
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
            expiring.add(Some(UnixMs(i64::MAX)));
        }
        assert_eq!(expiring.average_ttl_ms(UnixMs(0)), i64::MAX as u64);
    }
}
