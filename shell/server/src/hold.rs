//! How long requests run under one hold of the shard's lock.
//!
//! What is read at once is bounded in bytes, and so are its replies. That bounds the time as long
//! as requests are cheap, but a few bytes can ask for much. So the clock is looked at now and then:
//! the cheaper the requests were so far, the more seldom.

use crate::limits::{HOLD_LOOK_REQUESTS_MAX, HOLD_NS_MAX};

/// The requests of one connection under a hold of the lock.
#[derive(Debug)]
pub(crate) struct Hold {
    /// How many requests run before the next look.
    until_look: u32,
    /// How many ran between the last two looks.
    stride: u32,
    looked_ns: u64,
}

impl Hold {
    /// Requests begin that are to be looked at after the first of them.
    pub(crate) fn begin() -> Hold {
        Hold {
            until_look: 1,
            stride: 1,
            looked_ns: 0,
        }
    }

    /// A request has run, and more are there. Returns whether they have to wait for the next hold;
    /// `total_ns` says how long this one lasts.
    #[inline]
    pub(crate) fn is_over(&mut self, total_ns: impl FnOnce() -> u64) -> bool {
        self.until_look -= 1;
        self.until_look == 0 && self.look(total_ns())
    }

    fn look(&mut self, total_ns: u64) -> bool {
        let took_ns = total_ns.saturating_sub(self.looked_ns);
        self.looked_ns = total_ns;
        // As many as take no more than what is left, if they are like those before.
        let each_ns = (took_ns / u64::from(self.stride)).max(1);
        let left_ns = HOLD_NS_MAX.saturating_sub(total_ns);
        let fit = u32::try_from(left_ns / each_ns).unwrap_or(u32::MAX);
        self.stride = fit.clamp(1, HOLD_LOOK_REQUESTS_MAX);
        self.until_look = self.stride;
        total_ns >= HOLD_NS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs requests that take this long; returns how many ran, and how often the clock was looked
    /// at.
    fn run(each_ns: impl Iterator<Item = u64>) -> (u64, u64) {
        let (mut hold, mut total_ns, mut ran, mut looks) = (Hold::begin(), 0, 0, 0);
        for ns in each_ns {
            (total_ns, ran) = (total_ns + ns, ran + 1);
            let look = || {
                looks += 1;
                total_ns
            };
            if hold.is_over(look) {
                break;
            }
        }
        (ran, looks)
    }

    #[test]
    fn long_requests_end_a_hold_and_short_ones_are_hardly_looked_at() {
        let most = u64::from(HOLD_LOOK_REQUESTS_MAX);
        for each_ns in [100, 1000, 50_000, HOLD_NS_MAX / 2, 10 * HOLD_NS_MAX] {
            let (ran, looks) = run(std::iter::repeat_n(each_ns, 1_000_000));
            let fit = HOLD_NS_MAX.div_ceil(each_ns);
            assert!((fit..fit + most).contains(&ran), "{each_ns}: {ran}");
            assert!(looks <= 3 + ran / most + 10, "{each_ns}: {looks} for {ran}");
        }
        // At worst all between two looks are long.
        let requests = std::iter::repeat_n(100, 1000).chain(std::iter::repeat(HOLD_NS_MAX));
        let (ran, _) = run(requests);
        assert!(ran <= 1000 + most, "{ran}");
    }
}
