//! How long a leader may answer, and how long a follower waits before it wants to lead.
//!
//! The two meet without a common clock. A leader counts from the moment *before* it sent a record
//! that was acknowledged; a follower counts from the moment *after* it received one. Every record
//! that was acknowledged is in the log, and nobody becomes the leader without having read all of
//! it. So a new leader's wait began later than the old leader's lease, and is longer by the margin
//! for clocks that run at different rates.

use crate::place::Steady;
use crate::settings::Settings;

/// The lease of a leader.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lease {
    until: Option<Steady>,
}

impl Lease {
    /// A record was acknowledged, and so were all before it, that was sent after `sent`.
    pub(crate) fn extend(&mut self, sent: Steady, settings: &Settings) {
        self.until = self.until.max(Some(sent.plus(settings.lease)));
    }

    /// The leader gives it up.
    pub(crate) fn end(&mut self) {
        self.until = None;
    }

    /// When it ends, if there is one.
    pub(crate) fn until(&self) -> Option<Steady> {
        self.until
    }
}

/// The wait of a follower. It is counted only while the log can be reached: if the service has no
/// leader itself, that of the group cannot append anything either.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    heard: Steady,
    /// Since when the log has been within reach.
    reachable: Option<Steady>,
}

impl Patience {
    /// A node that begins to follow. What it will read was sent before.
    pub(crate) fn new(now: Steady) -> Patience {
        Patience {
            heard: now,
            reachable: None,
        }
    }

    /// A valid record was received.
    pub(crate) fn heard(&mut self, now: Steady) {
        self.heard = now;
    }

    /// The log has answered.
    pub(crate) fn reached(&mut self, now: Steady) {
        self.reachable.get_or_insert(now);
    }

    /// The log has not answered, or says that it has no leader.
    pub(crate) fn lost(&mut self) {
        self.reachable = None;
    }

    /// When the follower may want to lead, if nothing happens until then.
    pub(crate) fn ends(&self, settings: &Settings) -> Option<Steady> {
        let since = self.reachable?.max(self.heard);
        Some(since.plus(settings.patience()))
    }
}
