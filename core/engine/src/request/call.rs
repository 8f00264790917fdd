//! Running what was admitted, and the calls that a command makes of others.
//!
//! Whatever runs a command, be it a client, a wait that ends, a transaction, a journal or another
//! command, comes through [`Ctx::run`]. What a command calls runs in the same batch, at the same
//! time and for the same client. Each call is admitted by itself.

use resp::{Argv, Reply};

use crate::args::Args;
use crate::clients::session::Session;
use crate::clients::tracking::Author;
use crate::command::{Ctx, Flow, Mode};
use crate::error::CmdError;
use crate::limits::CALL_DEPTH_MAX;
use crate::request::admission::Invocation;
use crate::server::Server;
use crate::store::apply::{Access, Data, Overdue, Store};
use crate::table::{Flags, KeyFlags, keys_of};
use crate::time::Now;

/// The keyspace as this request of a client sees it.
#[inline]
pub(crate) fn view<'e>(
    data: &'e mut Data,
    server: &Server,
    session: &Session,
    request: &Invocation<'e>,
    now: Now,
) -> Store<'e> {
    let mode = request.mode;
    let access = if session.no_touch || mode == Mode::Replay {
        Access::NoTouch
    } else {
        Access::Use
    };
    let overdue = match mode {
        Mode::Replay => Overdue::Kept,
        Mode::Alone | Mode::Transaction | Mode::Called | Mode::Resumed => {
            // What happens to a keyspace that follows a log is in that log.
            match server.pause.active(now).is_some() || data.log.is_replaying() {
                true => Overdue::Hidden,
                false => Overdue::Removed,
            }
        }
    };
    let mut view = Store::new(data, session.database, now, access, overdue);
    view.larges.arguments = request.argv.larges();
    view
}

impl Ctx<'_> {
    /// Runs another command for the same client. Its reply follows what was written so far, its
    /// effects join the same batch, and the reply of this command depends on whatever the other's
    /// depends on. Nothing blocks. To get the reply apart, exchange [`Ctx::reply`] for the time of
    /// the call.
    ///
    /// # Errors
    /// What the other command answers, or why it may not run. Nothing of its reply is written then,
    /// and the error is counted once it is answered ([`Ctx::refuse`]).
    pub fn call(&mut self, argv: Argv<'_>) -> Result<(), CmdError> {
        self.call_as(Mode::Called, argv)
    }

    /// The same for a command of a transaction, which was checked as a whole before.
    ///
    /// # Errors
    /// See [`Ctx::call`].
    pub fn call_queued(&mut self, argv: Argv<'_>) -> Result<(), CmdError> {
        self.call_as(Mode::Transaction, argv)
    }

    /// Answers an error in the middle of a reply, and counts it.
    pub fn refuse(&mut self, error: CmdError) {
        self.server.refuse(error, self.reply);
    }

    fn call_as(&mut self, mode: Mode, argv: Argv<'_>) -> Result<(), CmdError> {
        let mode = match self.mode {
            Mode::Replay => Mode::Replay,
            Mode::Alone | Mode::Transaction | Mode::Called | Mode::Resumed => mode,
        };
        let result = self.admit_and_call(mode, argv);
        if let Err(error) = &result {
            self.server.note_refusal(mode, argv, error);
        }
        result
    }

    #[inline(never)]
    fn admit_and_call(&mut self, mode: Mode, argv: Argv<'_>) -> Result<(), CmdError> {
        if self.depth >= CALL_DEPTH_MAX {
            return Err(CmdError::CallsTooDeep);
        }
        let admitted = self.server.admit(self.session, argv, mode);
        let admitted = admitted.inspect_err(|error| {
            let client = (&*self.session, &*self.store.watches());
            self.server.note_denied(client, error, self.now);
        });
        let Some(request) = admitted? else {
            return Ok(());
        };
        if request.row.spec.flags.has(Flags::WRITE) && self.store.data().log.is_batch_full() {
            return Err(CmdError::TooMuchWritten);
        }
        let mark = self.reply.mark();
        let result = self.call_admitted(&request, mode, None);
        if mode == Mode::Transaction && self.server.hot_keys.is_some() {
            let written = self.reply.len_since(mark);
            self.server
                .note_queued_keys(request.row, argv, written, self.now);
        }
        if mode != Mode::Replay {
            let spec = request.row.spec;
            self.server
                .show_to_monitors(self.session, spec, argv, self.now);
        }
        result
    }

    /// Runs what was admitted for this command. It answers to `apart`, or else behind what was
    /// answered so far.
    #[inline]
    pub(crate) fn call_admitted(
        &mut self,
        request: &Invocation<'_>,
        mode: Mode,
        apart: Option<&mut Reply>,
    ) -> Result<(), CmdError> {
        let mut callee = Ctx {
            store: view(
                self.store.data(),
                self.server,
                self.session,
                request,
                self.now,
            ),
            server: self.server,
            session: self.session,
            reply: apart.unwrap_or(self.reply),
            now: self.now,
            mode,
            wait: None,
            commands: self.commands,
            depth: self.depth + 1,
        };
        let result = callee.run(request);
        let (depends_on, work) = (callee.store.depends_on(), callee.store.work());
        self.store.join(depends_on, work);
        // Nothing may block in these modes, and what closes the connection is never called.
        debug_assert!(matches!(result, Ok(Flow::Done) | Err(_)));
        result.map(|_| ())
    }

    /// Runs an admitted request. If it fails, nothing is left of its reply. Inlined because every
    /// request comes this way, and the compiler would share it with the rarer calls.
    #[inline(always)]
    pub(crate) fn run(&mut self, request: &Invocation<'_>) -> Result<Flow, CmdError> {
        match &self.session.tracking {
            None => self.run_untracked(request),
            Some(tracking) => self.run_tracked(tracking.author(), request),
        }
    }

    /// The same for a client that tracks: what it reads is kept in mind, and what it changes may
    /// not be told to itself.
    #[cold]
    #[inline(never)]
    fn run_tracked(&mut self, author: Author, request: &Invocation<'_>) -> Result<Flow, CmdError> {
        let before = self.store.tracking_mut().set_author(Some(author));
        let result = self.run_untracked(request);
        self.store.tracking_mut().set_author(before);
        let name = request.argv.get(0).unwrap_or_default();
        let command = self.server.commands.find(name);
        if request.mode == Mode::Alone
            && command.is_some_and(|command| command.spec.flags.has(Flags::KEEPS_CACHING))
            && let Some(tracking) = &mut self.session.tracking
        {
            tracking.caching_outlasts(self.session.requests);
        }
        // What a script reads, its commands say. A read that failed or waits has still looked.
        let flags = request.row.spec.flags;
        if flags.has(Flags::READONLY) && !flags.has(Flags::RUNS_SCRIPT) {
            self.remember_reads(request);
        }
        result
    }

    /// Keeps the keys of a request in mind, if the client is to be told when they change.
    fn remember_reads(&mut self, request: &Invocation<'_>) {
        let requests = self.session.requests;
        let Some(tracking) = &mut self.session.tracking else {
            return;
        };
        if !tracking.remembers(requests) {
            return;
        }
        let keys = keys_of(request.row.spec, request.argv).map_while(Result::ok);
        for found in keys.filter(|found| !found.flags.has(KeyFlags::NOT_KEY)) {
            let (hash, key) = (self.store.hash(found.key), self.store.key(found.key));
            self.store.tracking_mut().remember(tracking, hash, key);
        }
    }

    #[inline(always)]
    fn run_untracked(&mut self, request: &Invocation<'_>) -> Result<Flow, CmdError> {
        let row = request.row;
        let start = self.reply.mark();
        if row.spec.flags.has(Flags::READONLY) {
            self.store.count_lookups();
        }
        let run = self.commands.run_of(row);
        let result = run(&mut Args::new(request.argv, request.first_arg), self);
        let stats = &mut self.server.command_stats[usize::from(row.number)];
        stats.calls += 1;
        match result {
            Ok(flow) => Ok(flow),
            Err(error) => {
                stats.failed += 1;
                self.reply.rollback(start);
                Err(error)
            }
        }
    }
}
