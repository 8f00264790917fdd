//! The one door to execution: what a request names, and whether it may run now.
//!
//! Every request passes it: those of clients, those that were queued or waited, those of a journal,
//! and those that a command makes (`Ctx::call`). Arguments are not looked at here.

use resp::{Argv, Reply, Sender};

use crate::clients::session::Session;
use crate::command::Mode;
use crate::error::{CmdError, Denied, DeniedWhen, ScriptError, cut};
use crate::limits::ERROR_ECHO_BYTES_MAX;
use crate::server::{Refusal, Server, Writes};
use crate::table::{Flags, Row};
use crate::users::{NotAllowed, User};

/// A request that was admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation<'a> {
    /// Its command or subcommand.
    pub(crate) row: &'static Row,
    /// All of it, names included.
    pub(crate) argv: Argv<'a>,
    /// Position of the first argument behind the names.
    pub(crate) first_arg: usize,
    /// How it runs.
    pub(crate) mode: Mode,
}

impl Server {
    /// Finds the command of a request and checks whether this client may run it now. Returns `None`
    /// for an empty request. Inlined because every request comes this way: what it finds need not
    /// go through memory.
    #[inline(always)]
    pub(crate) fn admit<'a>(
        &mut self,
        session: &mut Session,
        argv: Argv<'a>,
        mode: Mode,
    ) -> Result<Option<Invocation<'a>>, CmdError> {
        let Some(name) = argv.get(0) else {
            return Ok(None);
        };
        // Most clients send the same command again and again.
        let command = match session.last_command {
            Some(last) if last.is_called(name) => last,
            _ => match self.commands.find(name) {
                Some(found) => found,
                None => return Err(CmdError::unknown_command(argv)),
            },
        };
        let found = match command.subcommand_count() {
            0 => (command, 1),
            _ => self.subcommand(command, argv)?,
        };
        self.admit_found(session, argv, mode, found).map(Some)
    }

    /// The same where the command was found already, with the position of its first argument.
    #[inline(always)]
    pub(crate) fn admit_found<'a>(
        &mut self,
        session: &mut Session,
        argv: Argv<'a>,
        mode: Mode,
        (row, first_arg): (&'static Row, usize),
    ) -> Result<Invocation<'a>, CmdError> {
        let spec = row.spec;
        if !spec.arity.accepts(argv.len()) || row.is_container() {
            return Err(self.wrong_arity(row));
        }
        if !session.is_unrestricted() && !session.may_by_precedent(row, argv) {
            self.check_user(session, row, argv, mode)?;
        }
        if session.only_listens() && mode == Mode::Alone && !spec.flags.has(Flags::WHILE_SUBSCRIBED)
        {
            return Err(CmdError::WhileSubscribed(row.full_name()));
        }
        if mode == Mode::Called && spec.flags.has(Flags::NO_SCRIPT) {
            return Err(CmdError::NotFromScript);
        }
        // A transaction was checked as a whole, and a journal has what was accepted.
        if !matches!(mode, Mode::Transaction | Mode::Replay)
            && (self.topology.is_some()
                || self.is_memory_used_up()
                || self.writes != Writes::Accepted
                || self.loading.is_some()
                || self.pause.is_busy())
        {
            self.check_resources(session, row, argv, mode)?;
        }
        Ok(Invocation {
            row,
            argv,
            first_arg,
            mode,
        })
    }

    /// The subcommand that a request names, or the command itself if it names none, and the
    /// position of its first argument.
    fn subcommand(
        &self,
        command: &'static Row,
        argv: Argv<'_>,
    ) -> Result<(&'static Row, usize), CmdError> {
        let Some(sub) = argv.get(1) else {
            return Ok((command, 1));
        };
        match self.commands.subcommand(command, sub) {
            Some(found) => Ok((found, 2)),
            None => Err(unknown_subcommand(command, sub)),
        }
    }

    #[cold]
    fn wrong_arity(&mut self, row: &Row) -> CmdError {
        self.command_stats[usize::from(row.number)].rejected += 1;
        CmdError::Arity(row.full_name())
    }

    /// Returns whether the client's user may make this request.
    #[inline(never)]
    fn check_user(
        &mut self,
        session: &mut Session,
        row: &'static Row,
        argv: Argv<'_>,
        mode: Mode,
    ) -> Result<(), CmdError> {
        let is_free = mode == Mode::Replay || row.spec.flags.has(Flags::NO_AUTH);
        if is_free || session.clearly_may(row, argv) {
            return Ok(());
        }
        if session.sender(&self.users) == Sender::Unauthenticated {
            return Err(CmdError::NoAuth);
        }
        let user = session.user();
        user.check(row, argv).map_err(|refusal| {
            self.command_stats[usize::from(row.number)].rejected += 1;
            denied(user, row, refusal, mode)
        })
    }

    /// Returns whether a command may run although memory is short, writes are refused, data is
    /// loaded, another command is not finished or this node is one of several. `EXEC` counts as
    /// everything in its transaction.
    #[cold]
    fn check_resources(
        &mut self,
        session: &Session,
        row: &'static Row,
        argv: Argv<'_>,
        mode: Mode,
    ) -> Result<(), CmdError> {
        let spec = row.spec;
        // A client that waits for a key goes on waiting: its request is held back.
        if self.pause.is_busy() && mode == Mode::Alone && !spec.flags.has(Flags::ALLOW_BUSY) {
            self.command_stats[usize::from(row.number)].rejected += 1;
            return Err(CmdError::Busy(self.pause.kill()));
        }
        if self.loading.is_some() && !spec.flags.has(Flags::LOADING) {
            return Err(CmdError::Loading);
        }
        self.check_place(session, row, argv, mode)?;
        let (flags, frees) = match &session.transaction {
            Some(queue) if spec.flags.has(Flags::RUNS_QUEUE) => (queue.flags, queue.frees),
            _ => (spec.flags, spec.frees),
        };
        if flags.has(Flags::DENY_OOM) && self.is_out_of_memory() {
            return Err(CmdError::OutOfMemory);
        }
        match self.writes.refusal(frees) {
            Some(refusal) if flags.has(Flags::WRITE) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Notes that a request of a journal cannot be run.
    #[cold]
    pub(crate) fn note_refusal(&mut self, mode: Mode, argv: Argv<'_>, error: &CmdError) {
        if mode == Mode::Replay {
            let name = argv.get(0).unwrap_or_default();
            self.refused_in_replay.get_or_insert_with(|| Refusal {
                request: String::from_utf8_lossy(cut(name, ERROR_ECHO_BYTES_MAX)).into_owned(),
                reply: error.to_string(),
            });
        }
    }

    /// Answers an error and counts it.
    pub(crate) fn refuse(&mut self, error: CmdError, reply: &mut Reply) {
        self.note_error(&error);
        error.write(reply);
    }

    /// Counts an error, unless it was counted before.
    pub(crate) fn note_error(&mut self, error: &CmdError) {
        if !matches!(
            error,
            CmdError::Script(ScriptError::ScriptFailed {
                is_counted: true,
                ..
            })
        ) {
            self.errors.note(error);
        }
    }
}

/// The error for what a user may not do.
#[cold]
pub(super) fn denied(user: &User, row: &Row, refusal: NotAllowed<'_>, mode: Mode) -> CmdError {
    CmdError::Denied(Box::new(Denied {
        when: match mode {
            Mode::Alone | Mode::Resumed | Mode::Replay => DeniedWhen::Asked,
            Mode::Transaction => DeniedWhen::Executed,
            Mode::Called => DeniedWhen::Called,
        },
        ..refusal.denied(user.name(), row)
    }))
}

#[cold]
fn unknown_subcommand(command: &'static Row, sub: &[u8]) -> CmdError {
    CmdError::UnknownSubcommand {
        sub: String::from_utf8_lossy(cut(sub, ERROR_ECHO_BYTES_MAX)).into_owned(),
        command: command.name.to_ascii_uppercase(),
    }
}
