//! From a request to a reply: lookup, checks, transaction queue, execution, commit.

use resp::{Argv, Reply, Rope, Sender};

use crate::args::Args;
use crate::clients::delivery::{Delivery, Then};
use crate::clients::session::{Replies, Session, SessionId};
use crate::command::{Ctx, Flow, Mode};
use crate::error::CmdError;
use crate::limits::ERROR_ECHO_BYTES_MAX;
use crate::lsn::Lsn;
use crate::request::pause::HELD;
use crate::server::{Afterwards, Refusal, Writes};
use crate::store::dropped::What;
use crate::store::tx::{Access, Overdue, Tx};
use crate::table::{Flags, Row};
use crate::time::Now;
use crate::{Engine, Next, Outcome};

impl Engine {
    /// Runs a request of a client and writes its reply. The engine commits what happened as one
    /// atomic batch, serves clients that waited for it, and never waits itself.
    ///
    /// An empty request does nothing. A client that waits must not send requests; the shell holds
    /// them.
    pub fn request(
        &mut self,
        id: SessionId,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        let Some(mut session) = self.node.sessions.take(id) else {
            return ended(Lsn::NONE, Next::Close);
        };
        session.last_request = now.mono;
        session.requests += 1;
        let mut outcome = self.serve(&mut session, argv, now, reply, Mode::Alone);
        outcome.sender = self.node.sender(&session);
        self.node.sessions.put_back(session);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
        if !self.node.afterwards.is_empty() {
            self.do_afterwards(now);
        }
        outcome
    }

    /// Runs a request and writes the reply, if the client wants one.
    pub(crate) fn serve(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> Outcome {
        let (start, before) = (reply.mark(), session.replies);
        // What is not sent does not count against the limit.
        let muted = (before != Replies::On).then(|| reply.begin_part(usize::MAX));
        let outcome = self.dispatch(session, argv, now, reply, mode);
        if let Some(outer) = muted {
            reply.resume_part(outer);
        }
        // The reply to a request that waits is still to come.
        if outcome.then != Next::Wait && !session.wants_answer(before) {
            reply.rollback(start);
        }
        outcome
    }

    pub(crate) fn dispatch(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> Outcome {
        let done = |depends_on| ended(depends_on, Next::Continue);
        let (found, first_arg) = match self.admit(session, argv, mode) {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return done(Lsn::NONE),
            Err(error) => {
                self.note_refusal(mode, argv, &error);
                return self.refuse_request(session, argv, error, reply);
            }
        };
        session.last_command = Some(found);
        let is_client = mode != Mode::Replay;
        if is_client
            && self.node.pause.active(now).is_some()
            && self.is_held_back(session, found, now)
        {
            self.hold_back(session, argv);
            return HELD;
        }
        if let Some(queue) = &mut session.transaction
            && !runs_at_once(found.spec.name)
        {
            if found.spec.flags.has(Flags::NO_MULTI) {
                queue.aborted = true;
                self.refuse(CmdError::NotInTransaction, reply);
            } else {
                let spec = found.spec;
                queue.flags = queue.flags.and(spec.flags);
                queue.frees &= spec.frees || !spec.flags.has(Flags::WRITE);
                queue.push(argv);
                reply.simple("QUEUED");
            }
            return done(Lsn::NONE);
        }
        let (flow, depends_on) = self.execute(session, found, argv, first_arg, now, reply, mode);
        self.data.log.commit();
        if is_client {
            self.show_to_monitors(session, found.spec, argv, now);
        }
        let then = match flow {
            _ if session.closing => Next::Close,
            Flow::Done | Flow::RunQueue => Next::Continue,
            Flow::Block => Next::Wait,
            Flow::Close => Next::Close,
        };
        ended(depends_on, then)
    }

    /// Notes that a request of a journal cannot be run.
    #[cold]
    pub(crate) fn note_refusal(&mut self, mode: Mode, argv: Argv<'_>, error: &CmdError) {
        if mode == Mode::Replay {
            let name = argv.get(0).unwrap_or_default();
            self.node.refused_in_replay.get_or_insert_with(|| Refusal {
                request: String::from_utf8_lossy(cut(name, ERROR_ECHO_BYTES_MAX)).into_owned(),
                reply: error.to_string(),
            });
        }
    }

    /// Answers an error and counts it.
    pub(crate) fn refuse(&mut self, error: CmdError, reply: &mut Reply) {
        self.node.errors.note(&error);
        error.write(reply);
    }

    /// Answers a request that was not admitted. A transaction that it would have been part of is
    /// lost.
    fn refuse_request(
        &mut self,
        session: &mut Session,
        argv: Argv<'_>,
        mut error: CmdError,
        reply: &mut Reply,
    ) -> Outcome {
        let name = argv.get(0).unwrap_or_default();
        let mut then = Next::Continue;
        if matches!(error, CmdError::UnknownCommand(_)) && is_http(name) {
            then = Next::Abandon;
        }
        if name.eq_ignore_ascii_case(b"EXEC") {
            if let Some(queue) = session.transaction.take() {
                self.data.dropped.take(What::Queue(queue));
            }
            let watched = std::mem::take(&mut session.watched);
            self.data.watches.remove(session.id, watched.keys());
            let text = error.to_string();
            error = CmdError::ExecRefused(text.trim_start_matches("ERR ").to_owned());
        }
        if let Some(queue) = &mut session.transaction {
            queue.aborted = true;
        }
        self.refuse(error, reply);
        ended(Lsn::NONE, then)
    }

    /// Does to other clients what a command asked for.
    #[cold]
    fn do_afterwards(&mut self, now: Now) {
        for afterwards in std::mem::take(&mut self.node.afterwards) {
            match afterwards {
                Afterwards::EndWait(id, how) => {
                    self.give_up(id, how);
                }
                Afterwards::Disconnect(id) => self.disconnect_other(id),
                Afterwards::EndPause => self.end_pause(now),
            }
        }
    }

    /// Removes a client that did not ask for it; the shell closes its connection.
    pub(crate) fn disconnect_other(&mut self, id: SessionId) {
        self.disconnect(id);
        self.node.outbox.push(Delivery {
            session: id,
            bytes: Rope::default(),
            depends_on: Lsn::NONE,
            then: Then::Close,
        });
    }

    /// Finds the command of a request and checks whether this client may run it now. Returns it
    /// with the position of its first argument; nothing for an empty request.
    pub(crate) fn admit(
        &mut self,
        session: &Session,
        argv: Argv<'_>,
        mode: Mode,
    ) -> Result<Option<(&'static Row, usize)>, CmdError> {
        let Some(name) = argv.get(0) else {
            return Ok(None);
        };
        // Most clients send the same command again and again.
        let command = match session.last_command {
            Some(last) if last.is_called(name) => last,
            _ => match self.node.commands.find(name) {
                Some(found) => found,
                None => return Err(unknown_command(argv)),
            },
        };
        let (found, first_arg) = match argv.get(1) {
            Some(sub) if command.subcommand_count() > 0 => {
                match self.node.commands.subcommand(command, sub) {
                    Some(found) => (found, 2),
                    None => return Err(unknown_subcommand(command, sub)),
                }
            }
            _ => (command, 1),
        };
        let spec = found.spec;
        if !spec.arity.accepts(argv.len()) || found.is_container() {
            self.node.command_stats[usize::from(found.number)].rejected += 1;
            return Err(CmdError::Arity(found.full_name()));
        }
        if !session.authenticated
            && !spec.flags.has(Flags::NO_AUTH)
            && self.node.sender(session) == Sender::Unauthenticated
        {
            return Err(CmdError::NoAuth);
        }
        if mode == Mode::Replay {
            return Ok(Some((found, first_arg)));
        }
        // A transaction was checked as a whole.
        if mode != Mode::Transaction
            && (self.node.is_memory_used_up()
                || self.node.writes != Writes::Accepted
                || self.node.loading.is_some())
        {
            self.check_resources(session, found)?;
        }
        Ok(Some((found, first_arg)))
    }

    /// Returns whether a command may run although memory is short, writes are refused or data is
    /// loaded. `EXEC` counts as everything in its transaction.
    #[cold]
    fn check_resources(&self, session: &Session, found: &'static Row) -> Result<(), CmdError> {
        let spec = found.spec;
        if self.node.loading.is_some() && !spec.flags.has(Flags::LOADING) {
            return Err(CmdError::Loading);
        }
        let (flags, frees) = match &session.transaction {
            Some(queue) if spec.name == "exec" => (queue.flags, queue.frees),
            _ => (spec.flags, spec.frees),
        };
        if flags.has(Flags::DENY_OOM) && self.node.is_memory_used_up() {
            return Err(CmdError::OutOfMemory);
        }
        match self.node.writes.refusal(frees) {
            Some(reason) if flags.has(Flags::WRITE) => {
                Err(CmdError::Misconfigured(reason.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Runs an admitted command. Its effects join the open batch; the caller commits.
    #[expect(
        clippy::too_many_arguments,
        reason = "the whole world of a command, passed on once"
    )]
    pub(crate) fn execute(
        &mut self,
        session: &mut Session,
        found: &'static Row,
        argv: Argv<'_>,
        first_arg: usize,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> (Flow, Lsn) {
        let access = if session.no_touch || mode == Mode::Replay {
            Access::NoTouch
        } else {
            Access::Use
        };
        let overdue = match mode {
            Mode::Replay => Overdue::Kept,
            Mode::Alone | Mode::Transaction | Mode::Resumed => match self.node.pause.active(now) {
                Some(_) => Overdue::Hidden,
                None => Overdue::Removed,
            },
        };
        let start = reply.mark();
        let mut ctx = Ctx {
            tx: Tx::new(&mut self.data, session.database, now, access, overdue),
            node: &mut self.node,
            session,
            reply,
            now,
            mode,
            wait: None,
        };
        ctx.tx.larges = argv.larges();
        if found.spec.flags.has(Flags::READONLY) {
            ctx.tx.count_lookups();
        }
        let run = self.commands.run_of(found);
        let result = run(&mut Args::new(argv, first_arg), &mut ctx);
        let wait = ctx.wait.take();
        let depends_on = ctx.tx.depends_on();
        let work = ctx.tx.work();
        if mode == Mode::Alone {
            self.node.unmeasured.add(found, work);
        }
        let stats = &mut self.node.command_stats[usize::from(found.number)];
        stats.calls += 1;
        match result {
            Ok(Flow::Block) => {
                let Some(mut wait) = wait else {
                    return (Flow::Done, depends_on);
                };
                if mode == Mode::Alone {
                    self.data.blocking.add(session.id, &mut wait);
                }
                session.wait = Some(wait);
                (Flow::Block, depends_on)
            }
            Ok(Flow::RunQueue) => {
                let queue = session.transaction.take();
                let queue = queue.expect("EXEC asks for this within a transaction only");
                let depends_on = self.run_queue(session, &queue, now, reply, mode);
                self.data.dropped.take(What::Queue(queue));
                (Flow::Done, depends_on)
            }
            Ok(flow) => (flow, depends_on),
            Err(error) => {
                stats.failed += 1;
                reply.rollback(start);
                self.note_refusal(mode, argv, &error);
                self.refuse(error, reply);
                (Flow::Done, depends_on)
            }
        }
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

/// Returns whether a command runs at once within a transaction, because it ends or controls it.
fn runs_at_once(name: &str) -> bool {
    matches!(
        name,
        "exec" | "discard" | "multi" | "watch" | "quit" | "reset"
    )
}

/// Returns whether an unknown command is part of an HTTP request: somebody's browser may have been
/// tricked into sending it.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"HOST:")
}

fn unknown_command(argv: Argv<'_>) -> CmdError {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(cut(argv.get(0).unwrap_or_default(), ERROR_ECHO_BYTES_MAX));
    text.push(b'\'');
    if argv.len() > 1 {
        text.extend_from_slice(b", with args beginning with: ");
        let start = text.len();
        for arg in argv.skip(1).iter() {
            let echoed = text.len() - start;
            if echoed >= ERROR_ECHO_BYTES_MAX {
                break;
            }
            text.push(b'\'');
            text.extend_from_slice(cut(arg, ERROR_ECHO_BYTES_MAX - echoed));
            text.extend_from_slice(b"' ");
        }
    }
    CmdError::UnknownCommand(text)
}

fn unknown_subcommand(command: &'static Row, sub: &[u8]) -> CmdError {
    CmdError::UnknownSubcommand {
        sub: String::from_utf8_lossy(cut(sub, ERROR_ECHO_BYTES_MAX)).into_owned(),
        command: command.spec.name.to_ascii_uppercase(),
    }
}

/// The beginning of a text, up to a zero byte.
fn cut(bytes: &[u8], len: usize) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len()).min(len)]
}
