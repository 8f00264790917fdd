//! From a request to a reply: lookup, checks, transaction queue, execution, commit.

use resp::{Argv, Reply};

use crate::args::Args;
use crate::commands::Found;
use crate::ctx::{Ctx, Mode};
use crate::effect::Effect;
use crate::error::CmdError;
use crate::limits::ERROR_ECHO_BYTES_MAX;
use crate::lsn::Lsn;
use crate::session::{Replies, Session, SessionId};
use crate::table::{Flags, Flow};
use crate::time::Now;
use crate::tx::{Access, Tx};
use crate::{Engine, Next, Outcome};

impl Engine {
    /// Runs a request of a client and writes its reply. The engine commits what happened as one atomic
    /// batch, serves whoever waited for it, and never waits itself.
    ///
    /// An empty request does nothing. A client that waits must not send requests; the shell holds them.
    pub fn request(
        &mut self,
        id: SessionId,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) -> Outcome {
        let Some(mut session) = self.node.sessions.take(id) else {
            return Outcome {
                depends_on: Lsn::NONE,
                then: Next::Close,
            };
        };
        session.last_request = now.mono;
        let start = reply.mark();
        let outcome = self.dispatch(&mut session, argv, now, reply, Mode::Alone);
        match session.replies {
            Replies::On => {}
            Replies::Off => reply.rollback(start),
            Replies::SkipNext => {
                reply.rollback(start);
                session.replies = Replies::SkipThis;
            }
            Replies::SkipThis => {
                reply.rollback(start);
                session.replies = Replies::On;
            }
        }
        self.node.sessions.put_back(session);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
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
        let done = |depends_on| Outcome {
            depends_on,
            then: Next::Continue,
        };
        let (found, first_arg) = match self.admit(session, argv) {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return done(Lsn::NONE),
            Err(error) => {
                if let Some(queue) = &mut session.transaction {
                    queue.aborted = true;
                }
                reply.error(error);
                return done(Lsn::NONE);
            }
        };
        session.last_command = found.entry.spec.name;
        if let Some(queue) = &mut session.transaction
            && !runs_at_once(found.entry.spec.name)
        {
            if found.entry.spec.flags.has(Flags::NO_MULTI) {
                queue.aborted = true;
                reply.error(CmdError::NotInTransaction);
            } else {
                queue.requests.push(argv.to_owned());
                reply.simple("QUEUED");
            }
            return done(Lsn::NONE);
        }
        let (flow, depends_on) = self.execute(session, found, argv, first_arg, now, reply, mode);
        self.data.log.commit();
        let then = match flow {
            Flow::Done => Next::Continue,
            Flow::Block => Next::Wait,
            Flow::Close => Next::Close,
            Flow::RunQueue(_) => Next::Continue,
        };
        Outcome { depends_on, then }
    }

    /// Finds the command of a request and checks whether this client may run it now. The position of its
    /// first argument comes with it; nothing for an empty request.
    pub(crate) fn admit(
        &mut self,
        session: &Session,
        argv: Argv<'_>,
    ) -> Result<Option<(Found, usize)>, CmdError> {
        let Some(name) = argv.get(0) else {
            return Ok(None);
        };
        let Some(command) = self.node.commands.find(name) else {
            return Err(unknown_command(argv));
        };
        let (found, first_arg) = match argv.get(1) {
            Some(sub) if !command.entry.subcommands.is_empty() => {
                match self.node.commands.subcommand(command, sub) {
                    Some(found) => (found, 2),
                    None => return Err(unknown_subcommand(command, sub)),
                }
            }
            _ => (command, 1),
        };
        let spec = &found.entry.spec;
        if !spec.arity.accepts(argv.len()) || found.entry.is_container() {
            self.node.command_stats[usize::from(found.number)].rejected += 1;
            return Err(CmdError::Arity(full_name(command, found)));
        }
        if !session.authenticated && !spec.flags.has(Flags::NO_AUTH) {
            return Err(CmdError::NoAuth);
        }
        if spec.flags.has(Flags::WRITE)
            && let Some(reason) = &self.node.writes_refused
        {
            return Err(CmdError::Misconfigured(reason.clone()));
        }
        Ok(Some((found, first_arg)))
    }

    /// Runs an admitted command. Its effects join the open batch; the caller commits.
    #[expect(
        clippy::too_many_arguments,
        reason = "the whole world of a command, passed on once"
    )]
    pub(crate) fn execute(
        &mut self,
        session: &mut Session,
        found: Found,
        argv: Argv<'_>,
        first_arg: usize,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> (Flow, Lsn) {
        let access = match mode {
            Mode::Replay => Access::Replay,
            _ if session.no_touch => Access::NoTouch,
            _ => Access::Use,
        };
        let start = reply.mark();
        let mut ctx = Ctx {
            tx: Tx::new(&mut self.data, session.database, now, access),
            node: &mut self.node,
            session,
            reply,
            now,
            mode,
            wait: None,
        };
        let result = found.entry.run(&mut Args::new(argv, first_arg), &mut ctx);
        let wait = ctx.wait.take();
        let depends_on = ctx.tx.depends_on();
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
            Ok(Flow::RunQueue(queue)) => {
                let depends_on = self.run_queue(session, &queue, now, reply, mode);
                (Flow::Done, depends_on)
            }
            Ok(flow) => (flow, depends_on),
            Err(error) => {
                stats.failed += 1;
                reply.rollback(start);
                reply.error(error);
                (Flow::Done, depends_on)
            }
        }
    }

    /// Applies an effect on behalf of the engine itself, as a batch of its own.
    pub(crate) fn apply(&mut self, database: u16, now: Now, effect: &Effect<'_>) {
        Tx::new(&mut self.data, database, now, Access::Replay).apply(effect);
        self.data.log.commit();
    }
}

/// Whether a command is not queued within a transaction: it ends or rules it.
fn runs_at_once(name: &str) -> bool {
    matches!(
        name,
        "exec" | "discard" | "multi" | "watch" | "quit" | "reset"
    )
}

/// `xgroup|create` for a subcommand, `get` for a command.
pub(crate) fn full_name(command: Found, found: Found) -> String {
    if command.number == found.number {
        return found.entry.spec.name.to_owned();
    }
    format!("{}|{}", command.entry.spec.name, found.entry.spec.name)
}

fn unknown_command(argv: Argv<'_>) -> CmdError {
    let mut args = String::new();
    for arg in argv.skip(1).iter() {
        if args.len() >= ERROR_ECHO_BYTES_MAX {
            break;
        }
        args.push_str(&format!(
            "'{}' ",
            cut(arg, ERROR_ECHO_BYTES_MAX - args.len())
        ));
    }
    let name = argv.get(0).unwrap_or_default();
    CmdError::UnknownCommand {
        name: cut(name, ERROR_ECHO_BYTES_MAX),
        args,
    }
}

fn unknown_subcommand(command: Found, sub: &[u8]) -> CmdError {
    CmdError::UnknownSubcommand {
        sub: cut(sub, ERROR_ECHO_BYTES_MAX),
        command: command.entry.spec.name.to_ascii_uppercase(),
    }
}

fn cut(bytes: &[u8], len: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(len)]).into_owned()
}
