//! The log that several machines share, as the shard of one of them sees it.
//!
//! Here is what the threads that serve clients need of it without the shard's lock: batches are
//! handed over, replies wait until these are durable, and nobody is answered without a lease. What
//! becomes of the batches is the business of the node's replica, which calls the rest. It says what
//! this node is under the shard's lock, so that the engine and this never disagree.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::time::Duration;

use engine::server::Writes;
use journal::{Encoded, GroupSizes, Health, Lease, Listener, Lsn};
use parking_lot::Mutex;

use crate::limits::COMMIT_TIMES_MAX;

/// Where the batches of a leader go, with the LSNs of the first and the last one.
pub type Outlet = Box<dyn Fn(Lsn, Lsn, Encoded) + Send>;

/// A log that several machines share.
pub struct SharedLog {
    lease: Arc<NodeLease>,
    state: Mutex<State>,
    /// What opens the gate of each thread.
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
    /// The last batch that is in the log for ever, as far as this node was told.
    durable: AtomicU64,
    /// The kind of [`Part`], for a look without a lock.
    part: AtomicU8,
}

/// What this node is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// It leads.
    Leads = 0,
    /// It leads, and what it hands over has not become durable for too long.
    LeadsInVain = 1,
    /// It follows.
    Follows = 2,
    /// It answers nobody: what it was is over, and what it will be has not begun.
    Silent = 3,
}

impl Part {
    fn of(kind: u8) -> Part {
        match kind {
            0 => Part::Leads,
            1 => Part::LeadsInVain,
            2 => Part::Follows,
            _ => Part::Silent,
        }
    }
}

struct State {
    /// Where batches go; none while this node does not lead.
    outlet: Option<Outlet>,
    /// What was handed over and has not gone there yet.
    gathered: Encoded,
    first: Lsn,
    last: Lsn,
    /// What has gone there and is not durable.
    sent: VecDeque<Sent>,
    sent_bytes: usize,
    commits: Commits,
    /// How long each of these took, until somebody asks, up to a bound.
    times: Vec<Duration>,
    /// When something last became durable, or nothing waited for that.
    moved: Duration,
}

/// What went to the log at once.
struct Sent {
    last: Lsn,
    batches: u64,
    bytes: usize,
    at: Duration,
}

/// What this node has led into the log since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Commits {
    /// How often batches went there, and became durable.
    pub(crate) groups: u64,
    /// How many batches these were.
    pub(crate) batches: u64,
    /// How many at a time.
    pub(crate) group_sizes: GroupSizes,
    /// How many bytes.
    pub(crate) bytes: u64,
}

impl SharedLog {
    /// The log of a node that follows. The clock never goes back, and goes on while the machine
    /// sleeps.
    pub fn new(clock: fn() -> Duration) -> SharedLog {
        SharedLog {
            lease: Arc::new(NodeLease {
                until_ns: AtomicU64::new(FOR_EVER),
                has_lapsed: AtomicBool::new(false),
                clock,
            }),
            state: Mutex::new(State {
                outlet: None,
                gathered: Encoded::default(),
                first: Lsn::ZERO.next(),
                last: Lsn::ZERO,
                sent: VecDeque::new(),
                sent_bytes: 0,
                commits: Commits::default(),
                times: Vec::new(),
                moved: clock(),
            }),
            listeners: Mutex::new(Vec::new()),
            durable: AtomicU64::new(0),
            part: AtomicU8::new(Part::Follows as u8),
        }
    }

    /// This node leads, behind batch `last`. It answers as long as its lease is extended.
    pub fn lead(&self, last: Lsn, outlet: Outlet) {
        let mut state = self.state.lock();
        state.outlet = Some(outlet);
        (state.first, state.last) = (last.next(), last);
        state.moved = (self.lease.clock)();
        drop(state);
        self.set_part(Part::Leads);
    }

    /// What this node was is over. Replies that wait are refused, until it follows.
    pub fn be_silent(&self) {
        self.lease.set(0);
        let mut state = self.state.lock();
        state.outlet = None;
        state.gathered = Encoded::default();
        state.sent.clear();
        state.sent_bytes = 0;
        drop(state);
        self.set_part(Part::Silent);
        self.tell(&Health::Slow(Duration::ZERO));
    }

    /// This node follows, and answers without a lease: what it says may be old.
    pub fn follow(&self) {
        self.set_part(Part::Follows);
        self.lease.set(FOR_EVER);
        self.tell(&Health::Good);
    }

    /// The leader may answer until then, by the clock of this log; nobody may if there is none.
    pub fn extend_lease(&self, until: Option<Duration>) {
        let until = until.map_or(0, |until| {
            u64::try_from(until.as_nanos()).unwrap_or(FOR_EVER - 1)
        });
        self.lease.set(until);
        if self.lease.has_lapsed.swap(false, Ordering::SeqCst) {
            for listener in &*self.listeners.lock() {
                listener.lease_renewed();
            }
        }
    }

    /// Everything up to here is in the log for ever.
    pub fn note_durable(&self, lsn: Lsn) {
        let mut state = self.state.lock();
        let now = (self.lease.clock)();
        while let Some(sent) = state.sent.pop_front_if(|sent| sent.last <= lsn) {
            state.sent_bytes -= sent.bytes;
            state.note(&sent, now);
        }
        state.moved = now;
        drop(state);
        let listeners = self.listeners.lock();
        for listener in &*listeners {
            listener.released(lsn);
        }
        // Who sees this may count on the gates. A new one is told of it, under this lock.
        self.durable.store(lsn.number(), Ordering::Release);
    }

    /// What this node is.
    pub fn part(&self) -> Part {
        Part::of(self.part.load(Ordering::Acquire))
    }

    /// The last batch that is known to be in the log for ever.
    pub fn durable(&self) -> Lsn {
        Lsn::new(self.durable.load(Ordering::Acquire))
    }

    /// How many bytes of batches are not durable yet.
    pub fn backlog_bytes(&self) -> usize {
        let state = self.state.lock();
        state.sent_bytes + state.gathered.len()
    }

    /// What has become durable, and how long each commit took since this was last asked.
    pub(crate) fn take_commits(&self) -> (Commits, Vec<Duration>) {
        let mut state = self.state.lock();
        (state.commits, std::mem::take(&mut state.times))
    }

    /// What must run for anybody to be answered.
    pub fn lease(&self) -> Arc<dyn Lease> {
        Arc::clone(&self.lease) as Arc<dyn Lease>
    }

    /// Hands over batches; `last` is the LSN of the last one, and `batches` is empty afterwards.
    /// Returns whether they were taken: only a leader has any.
    pub(crate) fn submit(&self, batches: &mut Encoded, last: Lsn) -> bool {
        let mut state = self.state.lock();
        if state.outlet.is_none() {
            return false;
        }
        state.gathered.append(batches);
        state.last = last;
        true
    }

    /// Sends what was handed over on its way.
    pub(crate) fn kick(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(outlet) = state.outlet.as_ref().filter(|_| state.first <= state.last) else {
            return;
        };
        let batches = std::mem::take(&mut state.gathered);
        let now = (self.lease.clock)();
        if state.sent.is_empty() {
            state.moved = now;
        }
        state.sent.push_back(Sent {
            last: state.last,
            batches: state.last.number() - state.first.number() + 1,
            bytes: batches.len(),
            at: now,
        });
        state.sent_bytes += batches.len();
        outlet(state.first, state.last, batches);
        state.first = state.last.next();
    }

    /// Notices that nothing has become durable for longer than `patience` although something waits
    /// for it, or that the lease has not run for that long; and that it is over.
    pub(crate) fn look_for_stall(&self, patience: Option<Duration>) {
        let mut state = self.state.lock();
        let now = (self.lease.clock)();
        if state.sent.is_empty() && self.lease.runs() {
            state.moved = now;
        }
        let waits = now.saturating_sub(state.moved);
        drop(state);
        let is_stalled = patience.is_some_and(|patience| waits >= patience);
        let (from, to) = match is_stalled {
            true => (Part::Leads, Part::LeadsInVain),
            false => (Part::LeadsInVain, Part::Leads),
        };
        let (from, to) = (from as u8, to as u8);
        let swapped = self
            .part
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            return;
        }
        match is_stalled {
            true => {
                tracing::warn!(?waits, "the log does not answer: writes are refused");
                self.tell(&Health::Slow(waits));
            }
            false => {
                tracing::info!("the log answers again");
                self.tell(&Health::Good);
            }
        }
    }

    /// Lets a gate follow.
    pub(crate) fn notify(&self, listener: Arc<dyn Listener>) {
        let mut listeners = self.listeners.lock();
        listener.released(self.durable());
        if matches!(self.part(), Part::LeadsInVain | Part::Silent) {
            listener.health_changed(&Health::Slow(Duration::ZERO));
        }
        listeners.push(listener);
    }

    /// Which writes the engine may take.
    pub(crate) fn writes(&self) -> Writes {
        match self.part() {
            Part::Leads => Writes::Accepted,
            Part::LeadsInVain => Writes::Refused(
                "The log cannot be written: it does not answer. Writes are refused until it does."
                    .to_owned(),
            ),
            Part::Follows | Part::Silent => Writes::Elsewhere,
        }
    }

    /// Why replies cannot wait, in a sentence.
    pub(crate) fn why_not_durable(&self) -> &'static str {
        match self.part() {
            Part::LeadsInVain => "The log does not answer.",
            Part::Leads | Part::Follows | Part::Silent => "This server does not lead any more.",
        }
    }

    fn set_part(&self, part: Part) {
        self.part.store(part as u8, Ordering::Release);
    }

    fn tell(&self, health: &Health) {
        for listener in &*self.listeners.lock() {
            listener.health_changed(health);
            listener.lease_renewed();
        }
    }
}

impl State {
    /// Counts what has become durable.
    fn note(&mut self, sent: &Sent, now: Duration) {
        self.commits.groups += 1;
        self.commits.batches += sent.batches;
        self.commits.group_sizes.note(sent.batches);
        self.commits.bytes += sent.bytes as u64;
        if self.times.len() < COMMIT_TIMES_MAX {
            self.times.push(now.saturating_sub(sent.at));
        }
    }
}

impl fmt::Debug for SharedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("SharedLog");
        debug.field("part", &self.part()).finish_non_exhaustive()
    }
}

/// Until when this node may answer, in nanoseconds of the clock.
struct NodeLease {
    until_ns: AtomicU64,
    /// Somebody has found that it did not run, and may wait.
    has_lapsed: AtomicBool,
    clock: fn() -> Duration,
}

/// The lease of a follower, which needs none.
const FOR_EVER: u64 = u64::MAX;

impl NodeLease {
    fn set(&self, until_ns: u64) {
        self.until_ns.store(until_ns, Ordering::SeqCst);
        // Either whoever finds a lease that has run out sees this one, or this thread sees that
        // somebody has.
        fence(Ordering::SeqCst);
    }

    fn runs_at(&self, until_ns: u64) -> bool {
        until_ns == FOR_EVER || (self.clock)().as_nanos() < u128::from(until_ns)
    }
}

impl Lease for NodeLease {
    fn runs(&self) -> bool {
        if self.runs_at(self.until_ns.load(Ordering::SeqCst)) {
            return true;
        }
        self.has_lapsed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.runs_at(self.until_ns.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests;
