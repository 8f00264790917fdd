//! `CLIENT PAUSE`: requests that are held back until the pause ends, then served in order.
//!
//! Where writes are held back, nothing else writes either: keys whose time is over stay, hidden
//! ([`crate::store::tx::Overdue::Hidden`]), and a waiting client whose request may write waits on.

use std::collections::BTreeSet;

use resp::{Argv, ArgvBuf, Reply};

use crate::clients::session::{Session, SessionId};
use crate::command::Mode;
use crate::request::dispatch::ended;
use crate::server::{Delivery, Then};
use crate::table::{Flags, Row};
use crate::time::{Mono, Now};
use crate::{Engine, Next, Outcome};

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
    held: Vec<(SessionId, ArgvBuf)>,
    /// Clients that were waiting already, and would have been served but for the pause.
    held_waits: BTreeSet<SessionId>,
}

impl Pause {
    /// Begins a pause, or adds to the one there is: it lasts as long as the longer of both, and holds back
    /// what either does.
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

    /// A client that waits is to be looked at again when the pause ends.
    pub(crate) fn hold_wait(&mut self, id: SessionId) {
        self.held_waits.insert(id);
    }

    /// When the pause ends by itself.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.active.map(|(_, until)| until)
    }
}

impl Engine {
    /// Whether a pause holds back a request that was found to be `found`.
    #[inline]
    pub(crate) fn is_held_back(&self, session: &Session, found: &'static Row, now: Now) -> bool {
        match self.node.pause.active(now) {
            None => false,
            Some(Pausing::All) => true,
            Some(Pausing::Writes) => {
                let queue = session.transaction.as_ref();
                found.spec.flags.has(Flags::WRITE)
                    || (found.spec.name == "exec"
                        && queue.is_some_and(|queue| queue.flags.has(Flags::WRITE)))
            }
        }
    }

    /// Keeps a request until the pause ends.
    pub(crate) fn hold_back(&mut self, session: &mut Session, argv: Argv<'_>) {
        session.held = true;
        self.node.pause.held.push((session.id, argv.to_owned()));
    }

    /// Serves what was held back, if the pause is over.
    pub(crate) fn end_pause(&mut self, now: Now) {
        if self.node.pause.active(now).is_some() {
            return;
        }
        self.node.pause.end();
        for id in std::mem::take(&mut self.node.pause.held_waits) {
            self.resume(id, now);
        }
        for (id, request) in std::mem::take(&mut self.node.pause.held) {
            let Some(mut session) = self.node.sessions.take(id) else {
                continue;
            };
            session.held = false;
            let mut reply = Reply::new(session.protocol);
            let _ = reply.begin_part(self.node.config.output_limits.bytes_max());
            let argv = request.as_argv();
            let outcome = self.serve(&mut session, argv, now, &mut reply, Mode::Alone);
            self.node.unmeasured.forget();
            self.node.sessions.put_back(session);
            let is_too_much = reply.is_full();
            self.node.shell.output_limit_disconnections += u64::from(is_too_much);
            let then = match outcome.then {
                Next::Wait => continue,
                _ if is_too_much => Then::Close,
                Next::Continue => Then::Resume,
                Next::Close | Next::Abandon => Then::Close,
            };
            self.node.outbox.push(Delivery {
                session: id,
                bytes: reply.take(),
                depends_on: outcome.depends_on,
                then,
            });
        }
    }
}

/// What a held request is answered for now.
pub(crate) const HELD: Outcome = ended(crate::Lsn::NONE, Next::Wait);
