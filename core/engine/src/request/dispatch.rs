//! From a request to a reply: what becomes of one that was admitted or refused, and its commit.

use resp::{Argv, Reply, Rope, Sender};

use crate::clients::delivery::{Delivery, Outgoing, Then};
use crate::clients::session::{Replies, Session, SessionId};
use crate::clients::waiting::Wait;
use crate::command::{Ctx, Flow, Mode};
use crate::error::CmdError;
use crate::limits::EVICTED_PER_REQUEST_MAX;
use crate::request::admission::Invocation;
use crate::request::call::view;
use crate::request::pause::HELD;
use crate::server::Afterwards;
use crate::store::dropped::What;
use crate::table::Flags;
use crate::time::Now;
use crate::{Engine, Next, Outcome};
use batch::Lsn;

impl Engine {
    /// Runs a request of a client and writes its reply. The engine commits what happened as one
    /// atomic batch, serves clients that waited for it, and never waits itself.
    ///
    /// An empty request does nothing. A client that waits must not send requests; the shell holds
    /// them.
    ///
    /// Not inlined, while all that every request comes by is inlined here: one frame is made, and
    /// the caller keeps its registers.
    #[inline(never)]
    pub fn request(
        &mut self,
        id: SessionId,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        let Some(mut session) = self.server.sessions.take(id) else {
            return ended(Lsn::ZERO, Next::Close);
        };
        session.last_request = now.mono;
        session.requests += 1;
        self.data.keyspace.begin_request();
        if self.server.is_memory_used_up() {
            self.make_room(EVICTED_PER_REQUEST_MAX, now);
        }
        let mut outcome = self.serve(&mut session, argv, now, reply);
        outcome.sender = session.sender(&self.server.users);
        session.depends_on = session.depends_on.max(outcome.depends_on);
        if self.has_news() {
            let own = Some((id, &mut *reply));
            let depends_on = self.send_news(own, session.depends_on);
            outcome.depends_on = outcome.depends_on.max(depends_on);
        }
        self.server.sessions.put_back(session);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
        if !self.server.afterwards.is_empty() {
            self.do_afterwards(now);
        }
        outcome
    }

    /// The same from where it is not often called.
    #[inline(never)]
    pub(crate) fn serve_held_back(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        self.serve(session, argv, now, reply)
    }

    /// Runs a request and writes the reply, if the client wants one.
    #[inline(always)]
    fn serve(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        if session.replies != Replies::On {
            return self.serve_silent(session, argv, now, reply);
        }
        let outcome = self.dispatch(session, argv, now, reply, Mode::Alone);
        if session.replies != Replies::On && outcome.then != Next::Wait {
            session.wants_answer(Replies::On);
        }
        outcome
    }

    /// The same for a client that may not want the reply.
    #[cold]
    fn serve_silent(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        let (start, before) = (reply.mark(), session.replies);
        // What is not sent does not count against the limit.
        let outer = reply.begin_part(usize::MAX);
        let outcome = self.dispatch_apart(session, argv, now, reply, Mode::Alone);
        reply.resume_part(outer);
        // The reply to a request that waits is still to come.
        if outcome.then != Next::Wait && !session.wants_answer(before) {
            reply.rollback(start);
        }
        outcome
    }

    /// [`Engine::dispatch`] from where it is not often called.
    #[inline(never)]
    pub(crate) fn dispatch_apart(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> Outcome {
        self.dispatch(session, argv, now, reply, mode)
    }

    #[inline(always)]
    fn dispatch(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> Outcome {
        let done = |depends_on| ended(depends_on, Next::Continue);
        let request = match self.server.admit(session, argv, mode) {
            Ok(Some(request)) => request,
            Ok(None) => return done(Lsn::ZERO),
            Err(error) => {
                self.server.note_refusal(mode, argv, &error);
                return self.refuse_request(session, argv, error, now, reply);
            }
        };
        let row = request.row;
        session.last_command = Some(row);
        let is_client = mode != Mode::Replay;
        if is_client
            && self.server.pause.active(now).is_some()
            && Engine::holds_back(self.server.pause.active_for_requests(now), session, row)
        {
            self.hold_back(session, argv);
            return HELD;
        }
        if let Some(queue) = &mut session.transaction
            && !row.spec.flags.has(Flags::CONTROLS_MULTI)
        {
            if row.spec.flags.has(Flags::NO_MULTI) || row.spec.flags.has(Flags::ALONE) {
                queue.aborted = true;
                self.server.refuse(CmdError::NotInTransaction, reply);
            } else {
                let spec = row.spec;
                queue.flags = queue.flags.and(spec.flags);
                queue.frees &= spec.frees || !spec.flags.has(Flags::WRITE);
                queue.push(argv);
                reply.simple("QUEUED");
            }
            return done(Lsn::ZERO);
        }
        let (flow, depends_on) = self.execute(session, &request, now, reply);
        self.data.log.commit();
        if is_client {
            self.server.show_to_monitors(session, row.spec, argv, now);
        }
        let then = match flow {
            _ if session.closing => Next::Close,
            Flow::Done => Next::Continue,
            Flow::Block => Next::Wait,
            Flow::Close => Next::Close,
        };
        ended(depends_on, then)
    }

    /// Answers a request that was not admitted. A transaction that it would have been part of is
    /// lost.
    fn refuse_request(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        mut error: CmdError,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        let client = (&*session, &self.data.watches);
        self.server.note_denied(client, &error, now);
        let name = argv.get(0).unwrap_or_default();
        let mut then = Next::Continue;
        if matches!(error, CmdError::UnknownCommand(_)) && is_http(name) {
            then = Next::Abandon;
        }
        let row = self.server.commands.find(name);
        if row.is_some_and(|row| row.spec.flags.has(Flags::RUNS_QUEUE)) {
            if let Some(queue) = session.end_transaction() {
                self.data.dropped.take(What::Queue(queue));
            }
            let watched = std::mem::take(&mut session.watched);
            self.data.watches.remove(session.id, watched.keys());
            self.data.dropped.take(What::Watched(watched));
            let is_about_slots =
                matches!(&error, CmdError::Topology(error) if error.is_about_slots());
            if !is_about_slots {
                let text = error.to_string();
                error = CmdError::ExecRefused(text.trim_start_matches("ERR ").to_owned());
            }
        }
        if let Some(queue) = &mut session.transaction {
            queue.aborted = true;
        }
        self.server.refuse(error, reply);
        ended(Lsn::ZERO, then)
    }

    /// Does to other clients what a command asked for.
    #[cold]
    fn do_afterwards(&mut self, now: Now) {
        for afterwards in std::mem::take(&mut self.server.afterwards) {
            match afterwards {
                Afterwards::EndWait(id, how) => {
                    self.give_up(id, how);
                }
                Afterwards::Disconnect(id) => self.disconnect_other(id),
                Afterwards::EndPause => self.end_pause(now),
                Afterwards::EndUnfinished(how) => self.end_unfinished(how, now),
            }
        }
    }

    /// Removes a client that did not ask for it; the shell closes its connection.
    pub(crate) fn disconnect_other(&mut self, id: SessionId) {
        self.disconnect(id);
        self.server.outbox.push(Outgoing::One(Delivery {
            session: id,
            bytes: Rope::default(),
            depends_on: Lsn::ZERO,
            then: Then::Close,
        }));
    }

    /// Runs an admitted request. Its effects join the open batch; the caller commits. Inlined where
    /// every request comes by.
    #[inline(always)]
    pub(crate) fn execute(
        &mut self,
        session: &mut Session,
        request: &Invocation<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> (Flow, Lsn) {
        let Invocation { row, mode, .. } = *request;
        let mut ctx = Ctx {
            store: view(&mut self.data, &self.server, session, request, now),
            server: &mut self.server,
            session,
            reply,
            now,
            mode,
            wait: None,
            commands: self.commands,
            depth: 0,
        };
        let result = ctx.run(request);
        let depends_on = ctx.store.depends_on();
        let work = ctx.store.work();
        if mode == Mode::Alone {
            ctx.server.unmeasured.add(row, work);
        }
        if let Ok(Flow::Done) = result {
            return (Flow::Done, depends_on);
        }
        let wait = ctx.wait.take();
        (
            self.end_otherwise(session, result, wait, request, reply),
            depends_on,
        )
    }

    /// A request did not just do what it was to do.
    #[inline(never)]
    fn end_otherwise(
        &mut self,
        session: &mut Session,
        result: Result<Flow, CmdError>,
        wait: Option<Wait>,
        request: &Invocation<'_>,
        reply: &mut Reply,
    ) -> Flow {
        let Invocation { argv, mode, .. } = *request;
        match result {
            Ok(Flow::Block) => self.block(session, wait, argv, mode),
            Ok(flow @ (Flow::Done | Flow::Close)) => flow,
            Err(error) => {
                self.server.note_refusal(mode, argv, &error);
                self.server.refuse(error, reply);
                Flow::Done
            }
        }
    }

    /// A request waits, if it said for what.
    #[cold]
    fn block(
        &mut self,
        session: &mut Session,
        wait: Option<Wait>,
        argv: Argv<'_>,
        mode: Mode,
    ) -> Flow {
        let Some(mut wait) = wait else {
            return Flow::Done;
        };
        if wait.request.as_argv().is_empty() {
            wait.request = argv.to_owned();
        }
        if mode == Mode::Alone {
            self.data.blocking.add(session.id, &mut wait);
        }
        session.wait = Some(wait);
        Flow::Block
    }
}

/// Returns how a request ended, except for its client, which [`Engine::request`] adds.
pub(crate) const fn ended(depends_on: Lsn, then: Next) -> Outcome {
    Outcome {
        depends_on,
        then,
        sender: Sender::Unauthenticated,
    }
}

/// Returns whether an unknown command is part of an HTTP request: somebody's browser may have been
/// tricked into sending it. These are words of another protocol and no commands, so no row of the
/// table could have a flag for them; they are looked at only where no row was found.
#[cold]
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"HOST:")
}
