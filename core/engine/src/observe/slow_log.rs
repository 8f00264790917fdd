//! Commands that took long: the slow log (`SLOWLOG`) and the history of latencies (`LATENCY`).
//!
//! The engine has no clock. Its driver measures each request and reports that through
//! [`crate::Engine::measured`].

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use resp::ArgvBuf;
use smallvec::SmallVec;

use crate::clients::session::Session;
use crate::limits::{LATENCY_EVENTS_MAX, SLOW_LOG_ARG_BYTES_MAX, SLOW_LOG_ARGS_MAX};
use crate::table::Row;
use crate::time::Now;

/// A command that took long.
#[derive(Debug, Clone)]
pub struct SlowCommand {
    /// Grows with each entry, even across `SLOWLOG RESET`.
    pub id: u64,
    /// When it ended, in seconds since the epoch.
    pub at_s: i64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Its arguments, the long ones cut and secrets left out.
    pub request: ArgvBuf,
    /// Where the client is.
    pub address: String,
    /// The client's name.
    pub client_name: Vec<u8>,
}

/// The slow log, newest first.
#[derive(Debug, Default)]
pub struct SlowLog {
    /// Shared with replies that are still to be sent.
    entries: VecDeque<Arc<SlowCommand>>,
    next_id: u64,
}

impl SlowLog {
    /// The entries, newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<SlowCommand>> {
        self.entries.iter()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether nothing was slow.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keeps at most this many entries.
    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
    }

    /// Adds a request, whose arguments have no secrets in them any more. No more of it is looked at
    /// than is kept.
    pub(crate) fn add<'a>(
        &mut self,
        session: &Session,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        took_us: u64,
        now: Now,
    ) {
        self.entries.push_front(Arc::new(SlowCommand {
            id: self.next_id,
            at_s: now.unix().0 / 1000,
            took_us,
            request: shortened(args),
            address: session.address.clone(),
            client_name: session.name.clone(),
        }));
        self.next_id += 1;
    }
}

/// The arguments as the slow log keeps them.
fn shortened<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> ArgvBuf {
    let len = args.len();
    let kept = if len > SLOW_LOG_ARGS_MAX {
        SLOW_LOG_ARGS_MAX - 1
    } else {
        len
    };
    let more = (kept < len).then(|| format!("... ({} more arguments)", len - kept).into_bytes());
    let shown = args.take(kept).map(shortened_arg);
    shown.chain(more.map(Cow::Owned)).collect()
}

fn shortened_arg(arg: &[u8]) -> Cow<'_, [u8]> {
    let Some(cut) = arg.len().checked_sub(SLOW_LOG_ARG_BYTES_MAX + 1) else {
        return Cow::Borrowed(arg);
    };
    let mut text = arg[..SLOW_LOG_ARG_BYTES_MAX].to_vec();
    text.extend_from_slice(format!("... ({} more bytes)", cut + 1).as_bytes());
    Cow::Owned(text)
}

/// One event of a kind that took long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyEvent {
    /// When, in seconds since the epoch.
    pub at_s: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Events of one kind.
#[derive(Debug, Default)]
pub struct LatencyHistory {
    /// The latest, oldest first; at most one for each second, the longest.
    pub events: VecDeque<LatencyEvent>,
    /// The longest ever, in milliseconds.
    pub max_ms: u64,
    /// How many there were in all.
    pub count: u64,
    /// Their total duration, in milliseconds.
    pub sum_ms: u64,
}

/// What took long, by kind of event.
#[derive(Debug, Default)]
pub struct Latencies {
    histories: BTreeMap<&'static str, LatencyHistory>,
}

impl Latencies {
    /// Each kind of event with its history.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &LatencyHistory)> {
        self.histories
            .iter()
            .map(|(name, history)| (*name, history))
    }

    /// The history of one kind of event.
    pub fn find(&self, name: &[u8]) -> Option<&LatencyHistory> {
        self.histories.get(std::str::from_utf8(name).ok()?)
    }

    /// Forgets one kind of event. Returns whether there was any.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.histories.remove(name).is_some())
    }

    /// Forgets everything. Returns how many kinds of events there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.histories).len()
    }

    pub(crate) fn note(&mut self, name: &'static str, took_ms: u64, now: Now) {
        let history = self.histories.entry(name).or_default();
        history.max_ms = history.max_ms.max(took_ms);
        history.count += 1;
        history.sum_ms += took_ms;
        let at_s = now.unix().0 / 1000;
        match history.events.back_mut() {
            Some(last) if last.at_s == at_s => last.took_ms = last.took_ms.max(took_ms),
            _ => history.events.push_back(LatencyEvent { at_s, took_ms }),
        }
        if history.events.len() > LATENCY_EVENTS_MAX {
            history.events.pop_front();
        }
    }
}

/// Commands that ran and were not measured yet.
#[derive(Debug, Default)]
pub struct Unmeasured {
    /// Their counters.
    pub(crate) numbers: SmallVec<[u16; UNMEASURED_MAX]>,
    /// The last of them.
    pub(crate) last: Option<&'static Row>,
    /// The last one may have taken long.
    pub(crate) heavy: bool,
    /// How long each of the last light ones took that were measured without a heavy one, in
    /// nanoseconds.
    pub(crate) light_ns: u64,
}

/// Light commands that are measured together.
pub(crate) const UNMEASURED_MAX: usize = 16;

/// The least number of changes of a command that is not light.
const HEAVY_WORK_MIN: u64 = 64;

/// The least threshold of the slow log, in microseconds, that light commands cannot reach.
pub(crate) const LIGHT_US_MAX: i64 = 1000;

impl Unmeasured {
    /// Forgets what ran.
    pub(crate) fn forget(&mut self) {
        self.numbers.clear();
        self.last = None;
        self.heavy = false;
    }

    /// Notes a command that ran.
    #[inline]
    pub(crate) fn add(&mut self, found: &'static Row, work: u64) {
        self.heavy = work >= HEAVY_WORK_MIN || !found.spec.is_light();
        self.numbers.push(found.number);
        self.last = Some(found);
    }
}
