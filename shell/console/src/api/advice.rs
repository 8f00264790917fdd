//! How well the idempotence window of a stream fits its producers, and what would fit better.
//!
//! A window is too small where it is full: then an append drops an ID whose time is not over, and a
//! retry of that one is stored a second time. How far back a full window reaches says how large it
//! would have to be. The time itself is never advised to change: a retry that comes too late looks
//! like a new message, so nothing says that it is too short, and a shorter one only forgets more.

use engine::Now;
use schemars::JsonSchema;
use serde::Serialize;
use stream::{Counted, Retention, Stream};

use super::{Text, answer};
use crate::http::{Answer, Fault};
use crate::limits::ADVICE_IIDS_MAX;
use crate::routes::Asked;
use crate::view;

/// How well a stream's window fits.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Fit {
    /// IDs are numbers (`XCFGSET`, `IDMP-MODE MONOTONE`): then there is no window.
    monotone: bool,
    /// For how long an ID is remembered.
    duration_seconds: u64,
    /// How many IDs are remembered for each producer.
    maxsize: u64,
    /// Producers that were looked at: all of them, unless together they have more than a million
    /// IDs.
    producers: u64,
    /// Those whose window is full.
    full: u64,
    /// The one whose window is used most.
    busiest: Option<Busiest>,
    /// IDs that were dropped before their time; null unless it is counted (`XCFGSET`,
    /// `IDMP-STATS`).
    dropped: Option<u64>,
    /// What would fit better; null if nothing is known to.
    advice: Option<Advice>,
    /// Why that, or why nothing.
    reason: String,
}

/// A producer and its window.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Busiest {
    name: Text,
    /// IDs that are remembered.
    iids: u64,
    /// How much of its window that is, in percent.
    window_used_percent: u64,
    /// How old the oldest of them is, in milliseconds.
    reaches_back_ms: u64,
}

/// What to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Advice {
    duration_seconds: u64,
    maxsize: u64,
}

/// A window: how many IDs it has, and for how long the oldest of them has been there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    iids: u64,
    reach_ms: u64,
}

pub(crate) async fn fit(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let client = asked.client().await?;
    client
        .ask(&[b"XINFO", b"PRODUCERS", &key, b"COUNT", b"1"])
        .await?;
    let view = view::of_stream(&asked, &key);
    let (stream, now) = view.ok_or_else(|| Fault::not_found("there is no such stream any more"))?;
    let fit = tokio::task::spawn_blocking(move || Fit::of(&stream, now)).await;
    answer(&fit.map_err(|_| Fault::internal("the window cannot be looked at"))?)
}

impl Fit {
    fn of(stream: &Stream, now: Now) -> Fit {
        let idempotence = stream.idempotence();
        let retention = idempotence.retention();
        let (duration, maxsize) = (
            u64::from(retention.duration_s),
            u64::from(retention.maxsize),
        );
        let now_ms = now.stream_ms();
        let (mut producers, mut full, mut looked_at) = (0, 0, 0);
        let mut busiest: Option<(Use, &[u8])> = None;
        for producer in idempotence.producers(now_ms) {
            let used = Use::of(&producer, now_ms);
            producers += 1;
            looked_at += used.iids;
            full += u64::from(used.iids >= maxsize);
            if busiest.is_none_or(|(most, _)| used.is_busier_than(most)) {
                busiest = Some((used, producer.id()));
            }
            if looked_at >= ADVICE_IIDS_MAX {
                break;
            }
        }
        let used = busiest.map(|(used, _)| used);
        let dropped = idempotence
            .counted()
            .map(|tally| tally.get(Counted::Dropped));
        let (advice, reason) = match idempotence.is_monotone() {
            true => (
                None,
                "IDs are numbers, so none is ever forgotten".to_owned(),
            ),
            false => advise((duration, maxsize), full, used, dropped),
        };
        Fit {
            monotone: idempotence.is_monotone(),
            duration_seconds: duration,
            maxsize,
            producers,
            full,
            busiest: busiest.map(|(used, name)| Busiest {
                name: name.into(),
                iids: used.iids,
                window_used_percent: used.iids * 100 / maxsize,
                reaches_back_ms: used.reach_ms,
            }),
            dropped,
            advice,
            reason,
        }
    }
}

impl Use {
    fn of(producer: &stream::ProducerView<'_>, now_ms: u64) -> Use {
        let (mut iids, mut oldest_at_ms) = (0, now_ms);
        producer.for_each(|record| {
            iids += 1;
            oldest_at_ms = oldest_at_ms.min(record.added_at_ms);
        });
        Use {
            iids,
            reach_ms: now_ms - oldest_at_ms,
        }
    }

    /// Of two that have as many IDs, that which got them in less time is busier.
    fn is_busier_than(self, other: Use) -> bool {
        (self.iids, other.reach_ms) > (other.iids, self.reach_ms)
    }
}

/// How much larger than what was seen a window is advised to be, in percent.
const MARGIN_PERCENT: u64 = 125;

/// What to set instead of a duration and a size, and why.
fn advise(
    (duration, maxsize): (u64, u64),
    full: u64,
    busiest: Option<Use>,
    dropped: Option<u64>,
) -> (Option<Advice>, String) {
    let Some(used) = busiest else {
        return (
            None,
            "no ID is remembered, so nothing is known of producers".to_owned(),
        );
    };
    if used.iids < maxsize {
        let mut reason =
            format!("no window is full: each ID is remembered for all of its {duration} seconds");
        if let Some(dropped) = dropped.filter(|dropped| *dropped > 0) {
            reason += &format!("; earlier, {dropped} IDs were dropped before their time");
        }
        return (None, reason);
    }
    let reach_ms = used.reach_ms.max(1);
    let needed = used.iids.saturating_mul(duration * 1000) / reach_ms * MARGIN_PERCENT / 100;
    // One burst fills a window however slow its producer is otherwise, so it tells little.
    let needed = rounded_up(needed.max(maxsize * 2));
    let maxsize_max = u64::from(*Retention::MAXSIZE.end());
    let mut reason = format!(
        "windows of {full} producers are full; the busiest producer's {} IDs reach back {} of the {duration} \
         seconds for which they should be remembered, and a retry of an older one is stored again",
        used.iids,
        seconds(used.reach_ms),
    );
    if needed > maxsize_max {
        let held_ms = maxsize_max.saturating_mul(reach_ms) / used.iids;
        reason += &format!(
            "; a window has at most {maxsize_max} IDs, which at that rate last for {} seconds: let \
             more producers share the work, or use numbers as IDs (XCFGSET, IDMP-MODE MONOTONE), \
             which are never forgotten",
            seconds(held_ms),
        );
    }
    let advice = Advice {
        duration_seconds: duration,
        maxsize: needed.min(maxsize_max),
    };
    ((advice.maxsize > maxsize).then_some(advice), reason)
}

/// Seconds with one digit behind the point.
fn seconds(ms: u64) -> String {
    format!("{:.1}", ms as f64 / 1000.0)
}

/// The next number with two digits and zeros.
fn rounded_up(number: u64) -> u64 {
    let step = 10_u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(1));
    number.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advised(settings: (u64, u64), iids: u64, reach_ms: u64) -> Option<(u64, u64)> {
        let used = Use { iids, reach_ms };
        let (advice, _) = advise(settings, 1, Some(used), None);
        advice.map(|advice| (advice.duration_seconds, advice.maxsize))
    }

    #[test]
    fn a_full_window_is_advised_to_hold_what_comes_in_its_time() {
        // 10 IDs each second, for 100 seconds, and a quarter more.
        assert_eq!(advised((100, 100), 100, 10_000), Some((100, 1300)));
        // Nearly enough: twice as many.
        assert_eq!(advised((100, 100), 100, 99_000), Some((100, 200)));
        assert_eq!(advised((100, 100), 99, 10_000), None);
    }

    #[test]
    fn a_window_that_cannot_be_large_enough_is_advised_to_be_the_largest() {
        assert_eq!(advised((100, 100), 100, 100), Some((100, 10_000)));
        // A burst in no time.
        assert_eq!(advised((86_400, 100), 100, 0), Some((86_400, 10_000)));
        let used = Use {
            iids: 10_000,
            reach_ms: 10_000,
        };
        let (advice, reason) = advise((100, 10_000), 1, Some(used), None);
        assert_eq!(advice, None);
        assert!(reason.contains("last for 10.0 seconds"), "{reason}");
    }

    #[test]
    fn sizes_have_two_digits_and_zeros() {
        for (number, rounded) in [(1, 1), (10, 10), (99, 99), (101, 110), (1234, 1300)] {
            assert_eq!(rounded_up(number), rounded);
        }
    }
}
