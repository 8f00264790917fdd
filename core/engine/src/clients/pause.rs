//! Why requests are held back: `CLIENT PAUSE`, or a command that is not finished. They are served
//! in order when that is over.
//!
//! Where writes are held back, nothing else writes either: keys whose time is over stay, hidden
//! ([`crate::store::apply::Overdue::Hidden`]), and a waiting client whose request may write waits
//! on.

use std::collections::BTreeSet;

use crate::clients::session::SessionId;
use crate::time::{Mono, Now};
use batch::Lsn;

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
    /// What it does.
    pub work: Work,
    /// When others are no longer made to wait for it; `None`: never.
    pub busy_at: Option<Mono>,
}

/// What a command does that is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// It waits (`DEBUG SLEEP`), until then.
    Sleep(Mono),
    /// It runs a script or a function.
    Script(ScriptRun),
}

impl Work {
    /// Whether it is a script or a function. What is neither is both.
    pub fn kind(self) -> Option<ScriptKind> {
        match self {
            Work::Sleep(_) => None,
            Work::Script(run) => Some(run.kind),
        }
    }

    /// When the timer has to look after it.
    fn due(self) -> Mono {
        match self {
            Work::Sleep(until) => until,
            Work::Script(_) => Mono(0),
        }
    }
}

/// What of both it is: each is ended by a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptKind {
    /// A script.
    Script,
    /// A function of a library.
    Function,
}

impl ScriptKind {
    /// The command that ends it.
    pub fn kill(self) -> &'static str {
        match self {
            ScriptKind::Script => "SCRIPT KILL",
            ScriptKind::Function => "FUNCTION KILL",
        }
    }
}

/// A script that runs: what the engine has to know of it between two of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptRun {
    /// Whether it is a function.
    pub(crate) kind: ScriptKind,
    /// The time at which it began, which is the time that it knows.
    pub(crate) begun: Now,
    /// The database of its next command.
    pub(crate) database: u16,
    /// It may not write.
    pub(crate) read_only: bool,
    /// It may run commands that take memory when memory is used up.
    pub(crate) ignores_memory: bool,
    /// Effects of its batch that came before it.
    pub(crate) effects_before: u32,
    /// Lines that it has written to the log.
    pub(crate) log_lines: usize,
    /// What it has used up of its slice.
    pub(crate) units: u64,
    /// The batch that its reply depends on so far.
    pub(crate) depends_on: Lsn,
}

/// What holds requests back, and the requests that it holds back.
#[derive(Debug, Default)]
pub struct Pause {
    /// What is held back, whatever the reason.
    active: Option<(Pausing, Mono)>,
    /// What `CLIENT PAUSE` asked for.
    ordered: Option<(Pausing, Mono)>,
    unfinished: Option<Unfinished>,
    /// The lead is being given to another server, so nothing may write.
    hands_over: bool,
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

    /// The lead is being given to another server, or that is over: it has the lead, or this one
    /// keeps it.
    pub fn hand_over(&mut self, hands_over: bool) {
        self.hands_over = hands_over;
        self.resolve();
    }

    /// Returns whether the lead is being given to another server.
    pub fn is_handing_over(&self) -> bool {
        self.hands_over
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

    /// Takes it, for as long as it runs.
    pub(crate) fn take_unfinished(&mut self) -> Option<Unfinished> {
        let unfinished = self.unfinished.take();
        self.resolve();
        unfinished
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

    /// The command that ends the one that is not finished.
    pub fn kill(&self) -> &'static str {
        let kind = self
            .unfinished
            .and_then(|unfinished| unfinished.work.kind());
        kind.unwrap_or(ScriptKind::Script).kill()
    }

    fn resolve(&mut self) {
        self.active = match self.unfinished {
            Some(_) => Some((Pausing::All, Mono(u64::MAX))),
            None if self.hands_over => {
                let ordered = self.ordered.map_or(Pausing::Writes, |(pausing, _)| pausing);
                Some((ordered, Mono(u64::MAX)))
            }
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
                let due = unfinished.work.due();
                Some(busy_at.map_or(due, |at| at.min(due)))
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
