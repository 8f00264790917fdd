//! How long a pending entry waits until it is given again.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::GroupSettings;
use crate::StreamId;

/// What a group was told of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first delivery, in milliseconds; at least 1. Twice as long after each further one.
    pub first_ms: u64,
    /// Never longer than this, in milliseconds.
    pub max_ms: u64,
    /// By how many percent of that a pause is shortened at most, so that entries that failed
    /// together do not come back together; up to 100.
    pub jitter_percent: u64,
}

impl Backoff {
    /// How long an entry waits that was delivered this often, in milliseconds. One that no delivery
    /// counts for does not wait.
    ///
    /// By how much a pause is shortened follows from the entry and its deliveries alone, so it is
    /// the same whenever it is asked for.
    pub fn pause_ms(self, id: StreamId, deliveries: u64) -> u64 {
        let Some(doublings) = deliveries.checked_sub(1) else {
            return 0;
        };
        let factor = u32::try_from(doublings)
            .ok()
            .and_then(|n| 1u64.checked_shl(n));
        let pause_ms = self.first_ms.saturating_mul(factor.unwrap_or(u64::MAX));
        let pause_ms = pause_ms.min(self.max_ms);
        let jitter_ms =
            pause_ms / 100 * self.jitter_percent + pause_ms % 100 * self.jitter_percent / 100;
        let bytes = (u128::from(id.ms) << 64 | u128::from(id.seq)).to_le_bytes();
        // The upper bits of the product are spread evenly over 0 to `jitter_ms`.
        let spread =
            u128::from(xxh3_64_with_seed(&bytes, deliveries)) * (u128::from(jitter_ms) + 1);
        pause_ms - (spread >> 64) as u64
    }
}

impl GroupSettings {
    /// How long entries wait until they are given again, if they do.
    #[inline]
    pub fn backoff(&self) -> Option<Backoff> {
        let (first_ms, max_ms) = self.backoff_ms;
        (first_ms > 0).then_some(Backoff {
            first_ms,
            max_ms,
            jitter_percent: self.jitter_percent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: StreamId = StreamId::new(1, 2);

    fn backoff(jitter_percent: u64) -> Backoff {
        Backoff {
            first_ms: 100,
            max_ms: 1500,
            jitter_percent,
        }
    }

    #[test]
    fn each_delivery_doubles_the_pause_up_to_the_greatest() {
        let pauses = [0, 1, 2, 3, 4, 5, 6, 64, 65, 66, u64::MAX]
            .map(|deliveries| backoff(0).pause_ms(ID, deliveries));
        assert_eq!(
            pauses,
            [0, 100, 200, 400, 800, 1500, 1500, 1500, 1500, 1500, 1500]
        );
        let endless = Backoff {
            first_ms: i64::MAX as u64,
            max_ms: i64::MAX as u64,
            jitter_percent: 100,
        };
        assert!(endless.pause_ms(ID, 9) <= i64::MAX as u64);
    }

    #[test]
    fn jitter_shortens_a_pause_by_no_more_than_it_says_and_spreads_entries() {
        for (percent, least) in [(20, 80), (100, 0)] {
            let pauses = (0..1000).map(|seq| backoff(percent).pause_ms(StreamId::new(7, seq), 1));
            let (mut low, mut high) = (u64::MAX, 0);
            for pause in pauses {
                (low, high) = (low.min(pause), high.max(pause));
            }
            assert_eq!((low, high), (least, 100), "{percent} %");
        }
        let twice = [(); 2].map(|()| backoff(50).pause_ms(ID, 3));
        assert_eq!(twice[0], twice[1]);
    }
}
