//! `CLIENT PAUSE`: requests that are held back until the pause ends, then served in order.
//!
//! Where writes are held back, nothing else writes either: keys whose time is over stay, hidden
//! ([`crate::store::apply::Overdue::Hidden`]), and a waiting client whose request may write waits
//! on.

use std::collections::BTreeSet;

use crate::clients::session::SessionId;
use crate::time::{Mono, Now};

/// Which requests a pause holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pausing {
    /// Those that may write.
    Writes,
    /// All.
    All,
}

/// A pause, and the requests that it holds back.
#[derive(Debug, Default)]
pub struct Pause {
    active: Option<(Pausing, Mono)>,
    /// Clients with a request that is held back, in the order in which they sent it. Some may have
    /// gone.
    pub(crate) held: Vec<SessionId>,
    /// Clients that were already waiting, and would have been served without the pause.
    pub(crate) held_waits: BTreeSet<SessionId>,
}

impl Pause {
    /// Begins a pause, or adds to the one there is: it lasts as long as the longer of the two, and
    /// holds back what either does.
    pub fn begin(&mut self, pausing: Pausing, until: Mono) {
        self.active = Some(match self.active {
            Some((already, end)) => (already.max(pausing), end.max(until)),
            None => (pausing, until),
        });
    }

    /// Ends the pause; the engine serves what was held back after the command.
    pub fn end(&mut self) {
        self.active = None;
    }

    /// What is held back now.
    #[inline]
    pub fn active(&self, now: Now) -> Option<Pausing> {
        let (pausing, until) = self.active?;
        (now.mono < until).then_some(pausing)
    }

    /// A waiting client must be looked at again when the pause ends.
    pub(crate) fn hold_wait(&mut self, id: SessionId) {
        self.held_waits.insert(id);
    }

    /// When the pause ends by itself.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.active.map(|(_, until)| until)
    }
}
