//! Commands that took long: the slow log (`SLOWLOG`) and the history of latencies (`LATENCY`).
//!
//! The engine has no clock. Whoever drives it measures each request and says so through
//! [`crate::Engine::measured`].

use std::collections::{BTreeMap, VecDeque};

use resp::{Argv, ArgvBuf};
use smallvec::SmallVec;

use crate::Engine;
use crate::clients::session::{Session, SessionId};
use crate::clients::waiting::TimeoutReply;
use crate::config::Config;
use crate::limits::{LATENCY_EVENTS_MAX, SLOW_LOG_ARG_BYTES_MAX, SLOW_LOG_ARGS_MAX};
use crate::observe::redact::redacted;
use crate::server::Node;
use crate::table::{Flags, Row};
use crate::time::Now;

/// A command that took long.
#[derive(Debug, Clone)]
pub struct SlowCommand {
    /// Rises with each entry, also over `SLOWLOG RESET`.
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
    entries: VecDeque<SlowCommand>,
    next_id: u64,
}

impl SlowLog {
    /// The entries, newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SlowCommand> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was slow.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keeps at most so many entries.
    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
    }

    fn add(&mut self, session: &Session, argv: Argv<'_>, took_us: u64, now: Now) {
        self.entries.push_front(SlowCommand {
            id: self.next_id,
            at_s: now.unix().0 / 1000,
            took_us,
            request: shortened(argv),
            address: session.address.clone(),
            client_name: session.name.clone(),
        });
        self.next_id += 1;
    }
}

/// The arguments as the slow log keeps them.
fn shortened(argv: Argv<'_>) -> ArgvBuf {
    let whole = redacted(argv);
    let argv = whole.as_argv();
    let kept = if argv.len() > SLOW_LOG_ARGS_MAX {
        SLOW_LOG_ARGS_MAX - 1
    } else {
        argv.len()
    };
    let mut args: Vec<Vec<u8>> = argv.take(kept).iter().map(shortened_arg).collect();
    if kept < argv.len() {
        args.push(format!("... ({} more arguments)", argv.len() - kept).into_bytes());
    }
    args.iter().map(Vec::as_slice).collect()
}

fn shortened_arg(arg: &[u8]) -> Vec<u8> {
    let Some(cut) = arg.len().checked_sub(SLOW_LOG_ARG_BYTES_MAX + 1) else {
        return arg.to_vec();
    };
    let mut text = arg[..SLOW_LOG_ARG_BYTES_MAX].to_vec();
    text.extend_from_slice(format!("... ({} more bytes)", cut + 1).as_bytes());
    text
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
    /// The latest, oldest first; one a second at most, the longest of it.
    pub events: VecDeque<LatencyEvent>,
    /// The longest ever, in milliseconds.
    pub max_ms: u64,
    /// How many there were ever.
    pub count: u64,
    /// How long they took in all, in milliseconds.
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

    /// Forgets one kind of event. Whether there was any.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.histories.remove(name).is_some())
    }

    /// Forgets everything. How many kinds of events there were.
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
    numbers: SmallVec<[u16; UNMEASURED_MAX]>,
    /// The last of them.
    last: Option<&'static Row>,
    /// Whether the last one may have taken long.
    heavy: bool,
    /// How long each of the last light ones took that were measured without a heavy one, in nanoseconds.
    light_ns: u64,
}

/// So many light commands are measured together.
const UNMEASURED_MAX: usize = 16;

/// What a command changes at least that is not light.
const HEAVY_WORK_MIN: u64 = 64;

/// The least threshold of the slow log, in microseconds, that light commands cannot reach.
const LIGHT_US_MAX: i64 = 1000;

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

impl Engine {
    /// Whether what ran since the last [`Engine::measured`] should be measured now. To read a clock takes
    /// a good part of the time of a light command ([`Spec::is_light`]) that changed little, so that several of
    /// them are measured together; none of them can be slow. One that may be slow ends the group.
    #[inline]
    pub fn wants_measuring(&self) -> bool {
        let unmeasured = &self.node.unmeasured;
        unmeasured.heavy
            || unmeasured.numbers.len() >= UNMEASURED_MAX
            || (0..LIGHT_US_MAX).contains(&self.node.config.slow_log_us)
    }

    /// Tells how long the requests took that ran since the last call; `last` is the last of them and its client, if
    /// they are still at hand. If it was long, that one is to blame.
    ///
    /// Light requests share the time evenly. One that may be slow ends the group: those before it count as the last
    /// light ones did, and it took the rest.
    pub fn measured(&mut self, last: Option<(SessionId, Argv<'_>)>, nanoseconds: u64, now: Now) {
        let Node {
            unmeasured,
            command_stats,
            ..
        } = &mut self.node;
        let Some(found) = unmeasured.last.take() else {
            return;
        };
        let mut each = nanoseconds / unmeasured.numbers.len().max(1) as u64;
        if unmeasured.heavy {
            each = each.min(unmeasured.light_ns);
        } else {
            unmeasured.light_ns = each;
        }
        let mut left = nanoseconds;
        if let Some((last, before)) = unmeasured.numbers.split_last() {
            for number in before {
                command_stats[usize::from(*number)].note_duration(each);
                left -= each;
            }
            command_stats[usize::from(*last)].note_duration(left);
        }
        unmeasured.forget();
        let us = nanoseconds / 1000;
        if is_slow(us, &self.node.config)
            && let Some((session, argv)) = last
        {
            self.note_slow(session, argv, us, found.spec.flags, now);
        }
    }

    /// A client's wait ends: if it slept (`DEBUG SLEEP`), its command took all that time.
    pub(crate) fn note_sleep(&mut self, id: SessionId, now: Now) {
        let session = self.node.sessions.find(id);
        let Some(wait) = session.and_then(|session| session.wait.as_ref()) else {
            return;
        };
        let TimeoutReply::Slept { since } = wait.on_timeout else {
            return;
        };
        let request = wait.request.clone();
        let argv = request.as_argv();
        let us = now.mono.0.saturating_sub(since.0) * 1000;
        let found = argv.get(0).and_then(|name| self.node.commands.find(name));
        if let Some(found) = found
            && is_slow(us, &self.node.config)
        {
            self.note_slow(id, argv, us, found.spec.flags, now);
        }
    }

    #[cold]
    fn note_slow(&mut self, id: SessionId, argv: Argv<'_>, us: u64, flags: Flags, now: Now) {
        let node = &mut self.node;
        let config = &node.config;
        let threshold_ms = config.latency_threshold_ms;
        if threshold_ms > 0 && us / 1000 >= threshold_ms {
            let event = if flags.has(Flags::FAST) {
                "fast-command"
            } else {
                "command"
            };
            node.latencies.note(event, us / 1000, now);
        }
        let slow = u64::try_from(config.slow_log_us).is_ok_and(|least_us| us >= least_us);
        if slow && !flags.has(Flags::SKIP_SLOWLOG) {
            if let Some(session) = node.sessions.find(id) {
                node.slow_log.add(session, argv, us, now);
            }
            node.slow_log.truncate(config.slow_log_len);
        }
    }
}

#[inline]
fn is_slow(us: u64, config: &Config) -> bool {
    u64::try_from(config.slow_log_us).is_ok_and(|least_us| us >= least_us)
        || (config.latency_threshold_ms > 0 && us / 1000 >= config.latency_threshold_ms)
}
