//! When pending entries may be given again that were given back or held for too long
//! (`XGROUP SETCFG … BACKOFF first-ms max-ms`).

use engine::args::Args;
use engine::command::Mode;
use engine::error::{CmdError, StreamError};
use stream::{Group, PENDING_TIME_MS_MAX, StreamId};

/// When a client said that an entry is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// After this many milliseconds.
    Delay(u64),
    /// At this Unix time in milliseconds.
    At(u64),
}

impl Again {
    /// Takes `DELAY ms` or `AT unix-ms`, if it comes next. Returns whether it did.
    pub(super) fn parse(args: &mut Args<'_>, said: &mut Option<Again>) -> Result<bool, CmdError> {
        let again = if args.keyword_with_value("DELAY") {
            Again::Delay(parse_ms(args)?)
        } else if args.keyword_with_value("AT") {
            Again::At(parse_ms(args)?)
        } else {
            return Ok(false);
        };
        match said.replace(again) {
            None => Ok(true),
            Some(_) => Err(CmdError::Stream(StreamError::DelayedTwice)),
        }
    }
}

fn parse_ms(args: &mut Args<'_>) -> Result<u64, CmdError> {
    u64::try_from(args.integer()?).map_err(|_| CmdError::NotAnInteger)
}

/// A time before which an entry is not given; `None` if it may be at once.
fn later_than(now_ms: u64, at_ms: u64) -> Option<u64> {
    let at_ms = at_ms.min(PENDING_TIME_MS_MAX);
    (at_ms > now_ms).then_some(at_ms)
}

/// Before which time, in Unix milliseconds, nobody is to be given an entry that waits from
/// `since_ms` on and was delivered this often. What goes to the dead-letter stream next does not
/// wait for that.
pub(super) fn not_before(
    group: &Group,
    id: StreamId,
    deliveries: u64,
    (since_ms, now_ms): (u64, u64),
) -> Option<u64> {
    let backoff = group.backoff()?;
    let is_spent = |rule: stream::DeadLetterRule<'_>| deliveries >= rule.deliveries_max;
    if group.dead_letter().is_some_and(is_spent) {
        return None;
    }
    let pause_ms = backoff.pause_ms(id, deliveries);
    later_than(now_ms, since_ms.saturating_add(pause_ms))
}

/// The same for one that a client gives back. A journal says everything itself.
pub(super) fn not_before_again(
    said: Option<Again>,
    group: &Group,
    (id, deliveries): (StreamId, u64),
    now_ms: u64,
    mode: Mode,
) -> Option<u64> {
    match (said, mode) {
        (Some(Again::At(at_ms)), Mode::Replay) => Some(at_ms),
        (None, Mode::Replay) => None,
        (Some(Again::At(at_ms)), _) => later_than(now_ms, at_ms),
        (Some(Again::Delay(ms)), _) => later_than(now_ms, now_ms.saturating_add(ms)),
        (None, _) => not_before(group, id, deliveries, (now_ms, now_ms)),
    }
}
