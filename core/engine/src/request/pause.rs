//! Holding requests back while `CLIENT PAUSE` lasts or a command is not finished, and serving them
//! in order when that ends.

use resp::{Argv, Reply};

use crate::clients::delivery::{Delivery, Outgoing, Then};
use crate::clients::pause::Pausing;
use crate::clients::session::Session;
use crate::limits::HELD_GONE_MAX;
use crate::request::dispatch::ended;
use crate::store::dropped::What;
use crate::table::{Flags, Row};
use crate::time::Now;
use crate::{Engine, Next, Outcome};

impl Engine {
    /// Returns whether `pausing` holds back a request for the command `found`.
    #[inline]
    pub(crate) fn holds_back(
        pausing: Option<Pausing>,
        session: &Session,
        found: &'static Row,
    ) -> bool {
        match pausing {
            None => false,
            Some(Pausing::All) => true,
            Some(Pausing::Writes) => {
                let queue = session.transaction.as_ref();
                may_write(found.spec.flags)
                    || (found.spec.flags.has(Flags::RUNS_QUEUE)
                        && queue.is_some_and(|queue| may_write(queue.flags)))
            }
        }
    }

    /// Keeps a request until the pause ends.
    pub(crate) fn hold_back(&mut self, session: &mut Session, argv: Argv<'_>) {
        session.held = Some(argv.to_owned());
        let (sessions, held) = (&self.server.sessions, &mut self.server.pause.held);
        if held.len() > HELD_GONE_MAX + 2 * sessions.len() {
            held.retain(|id| sessions.find(*id).is_some());
        }
        held.push(session.id);
    }

    /// Serves what was held back, if the pause is over.
    pub(crate) fn end_pause(&mut self, now: Now) {
        if self.server.pause.active(now).is_some() {
            return;
        }
        self.server.pause.end();
        for id in std::mem::take(&mut self.server.pause.held_waits) {
            self.resume(id, now);
        }
        self.serve_held(now);
    }

    /// Serves requests that were held back; some may be held back again.
    pub(crate) fn serve_held(&mut self, now: Now) {
        for id in std::mem::take(&mut self.server.pause.held) {
            let Some(mut session) = self.server.sessions.take(id) else {
                continue;
            };
            let Some(request) = session.held.take() else {
                self.server.sessions.put_back(session);
                continue;
            };
            let mut reply = Reply::new(session.protocol);
            let limits = self.server.config.output_limits.of(session.class);
            let _ = reply.begin_part(limits.bytes_max());
            let argv = request.as_argv();
            let outcome = self.serve_held_back(&mut session, argv, now, &mut reply);
            self.data.dropped.take(What::Request(request));
            self.server.unmeasured.forget();
            session.depends_on = session.depends_on.max(outcome.depends_on);
            let depends_on = session.depends_on;
            let own = Some((id, &mut reply));
            let depends_on = outcome.depends_on.max(self.send_news(own, depends_on));
            self.server.sessions.put_back(session);
            let is_too_much = reply.is_full();
            self.server.shell.output_limit_disconnections += u64::from(is_too_much);
            let then = match outcome.then {
                Next::Wait => continue,
                _ if is_too_much => Then::Close,
                Next::Continue => Then::Resume,
                Next::Close | Next::Abandon => Then::Close,
            };
            self.server.outbox.push(Outgoing::One(Delivery {
                session: id,
                bytes: reply.take(),
                depends_on,
                then,
            }));
        }
    }
}

/// What a held request is answered for now.
pub(crate) const HELD: Outcome = ended(batch::Lsn::ZERO, Next::Wait);

/// Returns whether a command may write. A script that runs within a queue of others may, whatever
/// it is run by: the flags are those of all of them.
fn may_write(flags: Flags) -> bool {
    let runs_script = flags.has(Flags::RUNS_SCRIPT) && !flags.has(Flags::READONLY);
    flags.has(Flags::WRITE) || runs_script
}
