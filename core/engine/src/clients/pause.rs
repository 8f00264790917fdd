//! Why requests are held back: `CLIENT PAUSE`, or a command that is not finished. They are served
//! in order when that is over.
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

/// A command that takes long and gives the engine back in the meantime. Nobody may see or change
/// data before it has ended. Others wait for it; after `busy-reply-threshold`, they are told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// Whose command it is. The client may have gone; the command goes on.
    pub client: SessionId,
    /// When it ends by itself.
    pub until: Mono,
    /// When others are no longer made to wait for it; `None`: never.
    pub busy_at: Option<Mono>,
}

/// What holds requests back, and the requests that it holds back.
#[derive(Debug, Default)]
pub struct Pause {
    /// What is held back, whatever the reason.
    active: Option<(Pausing, Mono)>,
    /// What `CLIENT PAUSE` asked for.
    ordered: Option<(Pausing, Mono)>,
    unfinished: Option<Unfinished>,
    /// Whether others are told that a command is not finished.
    busy: bool,
    /// Clients with a request that is held back, in the order in which they sent it. Some may have
    /// gone.
    pub(crate) held: Vec<SessionId>,
    /// Clients that were already waiting, and would have been served without the pause.
    pub(crate) held_waits: BTreeSet<SessionId>,
}

impl Pause {
    /// `CLIENT PAUSE` begins, or adds to the one there is: it lasts as long as the longer of the
    /// two, and holds back what either does.
    pub fn begin(&mut self, pausing: Pausing, until: Mono) {
        self.ordered = Some(match self.ordered {
            Some((already, end)) => (already.max(pausing), end.max(until)),
            None => (pausing, until),
        });
        self.resolve();
    }

    /// `CLIENT PAUSE` ends; the engine serves what was held back after the command.
    pub fn end(&mut self) {
        self.ordered = None;
        self.resolve();
    }

    /// A command has begun and is not finished. There can be only one: those of others are held
    /// back.
    pub fn begin_unfinished(&mut self, unfinished: Unfinished) {
        self.unfinished = Some(unfinished);
        self.resolve();
    }

    /// The command that is not finished.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.as_ref()
    }

    /// It has ended.
    pub(crate) fn end_unfinished(&mut self) {
        self.unfinished = None;
        self.busy = false;
        self.resolve();
    }

    /// Others are told of it from now on, instead of waiting.
    pub(crate) fn begin_busy(&mut self) {
        self.busy = true;
    }

    /// Whether a command takes so long that others are told so.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    fn resolve(&mut self) {
        self.active = match self.unfinished {
            Some(_) => Some((Pausing::All, Mono(u64::MAX))),
            None => self.ordered,
        };
    }

    /// What is held back now.
    #[inline]
    pub fn active(&self, now: Now) -> Option<Pausing> {
        in_force(self.active, now)
    }

    /// What is held back of new requests: those that may run although a command is not finished
    /// wait only for `CLIENT PAUSE`.
    pub(crate) fn active_for_requests(&self, now: Now) -> Option<Pausing> {
        match self.busy {
            true => in_force(self.ordered, now),
            false => self.active(now),
        }
    }

    /// A waiting client must be looked at again when the pause ends.
    pub(crate) fn hold_wait(&mut self, id: SessionId) {
        self.held_waits.insert(id);
    }

    /// When something has to be done about it.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match &self.unfinished {
            Some(unfinished) => {
                let busy_at = unfinished.busy_at.filter(|_| !self.busy);
                Some(busy_at.map_or(unfinished.until, |at| at.min(unfinished.until)))
            }
            None => self.ordered.map(|(_, until)| until),
        }
    }
}

#[inline]
fn in_force(pause: Option<(Pausing, Mono)>, now: Now) -> Option<Pausing> {
    let (pausing, until) = pause?;
    (now.mono < until).then_some(pausing)
}
