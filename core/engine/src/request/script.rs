//! Running scripts and functions: the commands that they call, and the slices of those that take
//! long.
//!
//! A script runs where its request is served, for as much as a slice may take. If it has not ended
//! then, it is suspended ([`Unfinished`]): nobody sees or changes data, and the timer lets it run
//! slice by slice. What it has written is not committed before it ends
//! ([`crate::store::log::EffectLog::set_aside`]), so it stays one batch.
//!
//! How long a slice is, is counted in steps of the script and in what its calls change, read and
//! write, not in time: the same requests give the same slices.

use std::sync::Arc;

use resp::{Argv, Reply};

use crate::Engine;
use crate::clients::pause::{ScriptRun, Unfinished, Work};
use crate::clients::session::SessionId;
use crate::command::{Ctx, Flow, Mode};
use crate::error::{CmdError, DeniedWhen, ScriptError};
use crate::limits::{
    CALLED_BYTES_PER_UNIT, CALLED_REPLY_BYTES_MAX, SCRIPT_SLICE_UNITS, UNITS_PER_CALL,
    UNITS_PER_CHANGE, UNITS_PER_HEAVY_CALL, UNITS_PER_TICK, UNSUSPENDED_SCRIPT_UNITS_MAX,
};
use crate::scripting::{
    Answer, Call, Job, Running, Runs, ScriptCall, ScriptFlags, ScriptHost, Shebang, Step, Verdict,
};
use crate::store::apply::{Access, Overdue, Store};
use crate::store::dropped::What;
use crate::table::{Flags, Row};
use crate::time::Now;
use batch::Lsn;

/// How a slice of a script ended.
enum Sliced {
    /// With the script.
    Ended(Result<(), CmdError>),
    /// The script is to go on later.
    Suspended,
}

impl Ctx<'_> {
    /// Runs a script. Its reply is that of the command.
    ///
    /// # Errors
    /// Why it may not run, or what it failed with.
    pub fn run_script(&mut self, script: ScriptCall<'_>) -> Result<Flow, CmdError> {
        let shebang = script.shebang;
        if script.read_only && shebang.says_that_it_writes() {
            return Err(CmdError::Script(ScriptError::WritingScript));
        }
        let read_only = script.read_only || shebang.has(ScriptFlags::NO_WRITES);
        self.check_script(shebang, read_only)?;
        let kind = script.runs.kind();
        let mut run = ScriptRun {
            kind,
            begun: self.now,
            database: self.session.database,
            read_only,
            ignores_memory: shebang.has(ScriptFlags::ALLOW_OOM),
            effects_before: self.store.data().log.open_effects(),
            log_lines: 0,
            units: 0,
            depends_on: Lsn::ZERO,
        };
        let Some(mut host) = self.server.host_of(kind).take() else {
            return Err(CmdError::Script(ScriptError::NoScripts));
        };
        let begin = Begin::Job(Job {
            runs: script.runs,
            keys: script.keys,
            args: script.args,
            protocol: self.reply.protocol(),
        });
        let before = self.session.database;
        let sliced = self.run_slice(host.as_mut(), begin, &mut run);
        self.session.database = before;
        *self.server.host_of(kind) = Some(host);
        match sliced {
            Sliced::Ended(result) => result.map(|()| Flow::Done),
            Sliced::Suspended => {
                self.note_running(&script);
                Ok(self.suspend(script.request, run))
            }
        }
    }

    /// Returns whether the command that is not finished has written: it cannot be ended then.
    pub fn has_unfinished_written(&mut self) -> bool {
        self.store.data().log.has_aside()
    }

    /// Checks as a whole a script that says what it does. One that says nothing is checked at each
    /// of its commands.
    fn check_script(&self, shebang: Shebang, read_only: bool) -> Result<(), CmdError> {
        if shebang == Shebang::None || read_only {
            return Ok(());
        }
        if !shebang.has(ScriptFlags::ALLOW_OOM) && self.server.is_out_of_memory() {
            return Err(match self.mode {
                Mode::Alone => CmdError::OutOfMemory,
                Mode::Transaction | Mode::Called | Mode::Resumed | Mode::Replay => {
                    CmdError::Script(ScriptError::ScriptOutOfMemory)
                }
            });
        }
        match self.server.writes.refusal(false) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Lets a script run until it ends, or has used up a slice and may be suspended.
    fn run_slice(
        &mut self,
        host: &mut dyn ScriptHost,
        begin: Begin<'_>,
        run: &mut ScriptRun,
    ) -> Sliced {
        let mut step = match begin {
            Begin::Job(job) => host.begin(job),
            Begin::Answer(answer) => host.go_on(answer),
        };
        loop {
            let answer = match step {
                Step::Call(call) => {
                    let reply = self.answer_call(call, run);
                    match run.units >= self.units_max() {
                        true => Answer::ReplyThenTick(reply),
                        false => Answer::Reply(reply),
                    }
                }
                Step::MayRun(argv) => Answer::Verdict(self.may_run(argv)),
                Step::Log(level, text) => {
                    self.server.log_of_script(&mut run.log_lines, level, text);
                    Answer::GoOn
                }
                Step::Tick => {
                    run.units += UNITS_PER_TICK;
                    match self.mode {
                        _ if run.units < self.units_max() => Answer::GoOn,
                        Mode::Alone | Mode::Resumed => return Sliced::Suspended,
                        Mode::Transaction | Mode::Called | Mode::Replay => Answer::Kill,
                    }
                }
                Step::Done(reply) => {
                    self.reply.raw(reply);
                    return Sliced::Ended(Ok(()));
                }
                Step::Failed(error) => return Sliced::Ended(Err(error)),
                // Only a library ends so.
                Step::Registered(_) => return Sliced::Ended(Ok(())),
            };
            step = host.go_on(answer);
        }
    }

    /// What a script may use up at a time. One that is part of something larger cannot be
    /// suspended.
    fn units_max(&self) -> u64 {
        match self.mode {
            Mode::Alone | Mode::Resumed => SCRIPT_SLICE_UNITS,
            Mode::Transaction | Mode::Called | Mode::Replay => UNSUSPENDED_SCRIPT_UNITS_MAX,
        }
    }

    /// Runs a command for a script, and returns its reply.
    fn answer_call(&mut self, call: Call<'_>, run: &mut ScriptRun) -> Vec<u8> {
        let changes = self.store.work();
        let mut answer = Reply::with_buffer(call.protocol, call.buffer);
        let _ = answer.begin_part(CALLED_REPLY_BYTES_MAX);
        let result = self.call_by_script(call.argv, run, &mut answer);
        let result = result.and_then(|()| match answer.is_full() {
            true => Err(CmdError::Script(ScriptError::ReplyTooLongForScript)),
            false => Ok(()),
        });
        if let Err(error) = result {
            self.server.note_error(&error);
            answer.clear();
            error.write(&mut answer);
        }
        let changes = self.store.work() - changes;
        let reply = match answer.has_pieces() {
            true => answer.into_bytes(),
            false => answer.into_buffer(),
        };
        let bytes = (call.argv.bytes_len() + reply.len()) as u64;
        run.units += UNITS_PER_CALL + changes * UNITS_PER_CHANGE + bytes / CALLED_BYTES_PER_UNIT;
        reply
    }

    /// Runs a command for a script.
    fn call_by_script(
        &mut self,
        argv: Argv<'_>,
        run: &mut ScriptRun,
        answer: &mut Reply,
    ) -> Result<(), CmdError> {
        let (row, first_arg) = self.check_call(argv)?;
        if !row.spec.is_light() {
            run.units += UNITS_PER_HEAVY_CALL;
        }
        let writes = row.spec.flags.has(Flags::WRITE);
        if run.read_only && writes {
            return Err(CmdError::Script(ScriptError::WriteInReadOnlyScript));
        }
        if writes && self.store.data().log.is_batch_full() {
            return Err(CmdError::TooMuchWritten);
        }
        // What has begun to write is not stopped in the middle.
        let has_written = self.store.data().log.open_effects() > run.effects_before;
        let mode = match has_written || run.ignores_memory {
            true => Mode::Transaction,
            false => Mode::Called,
        };
        let found = (row, first_arg);
        let admitted = self.server.admit_found(self.session, argv, mode, found);
        let request = admitted.map_err(|error| self.denied_to_script(error))?;
        let result = self.call_admitted(&request, Mode::Called, Some(answer));
        let (session, now) = (&*self.session, self.now);
        self.server
            .show_as_from("lua", session, request.row.spec, argv, now);
        result
    }

    /// What a script is told that its user may not do is noted.
    #[cold]
    fn denied_to_script(&mut self, mut error: CmdError) -> CmdError {
        if let CmdError::Denied(denied) = &mut error {
            denied.when = DeniedWhen::Called;
        }
        let client = (&*self.session, &*self.store.watches());
        self.server.note_denied(client, &error, self.now);
        error
    }

    /// Finds the command that a script calls, and the position of its first argument, and checks
    /// what does not depend on when it does.
    fn check_call(&self, argv: Argv<'_>) -> Result<(&'static Row, usize), CmdError> {
        let Some((row, first_arg)) = self.server.commands.find_request(argv) else {
            return Err(CmdError::Script(ScriptError::UnknownInScript));
        };
        if !row.spec.arity.accepts(argv.len()) || row.is_container() {
            return Err(CmdError::Script(ScriptError::ArityInScript));
        }
        match row.spec.flags.has(Flags::NO_SCRIPT) {
            true => Err(CmdError::NotFromScript),
            false => Ok((row, first_arg)),
        }
    }

    /// Whether the user of a script may run a command.
    fn may_run(&self, argv: Argv<'_>) -> Verdict {
        match self.server.commands.find_request(argv) {
            None => Verdict::Unknown,
            Some((row, _)) if !row.spec.arity.accepts(argv.len()) => Verdict::WrongArity,
            Some((row, _)) => match self.session.user().check(row, argv) {
                Ok(()) => Verdict::Allowed,
                Err(_) => Verdict::Denied,
            },
        }
    }

    /// Keeps what `FUNCTION STATS` tells of a function that is not finished.
    #[cold]
    fn note_running(&mut self, script: &ScriptCall<'_>) {
        let Runs::Function(library, index) = script.runs else {
            return;
        };
        let functions = &mut self.server.functions;
        let name = functions.name_of(library, index).unwrap_or_default().into();
        functions.running = Some(Running {
            name,
            request: script.request.to_owned(),
            begun: self.now,
        });
    }

    /// A script has used up its slice: it goes on when the timer says so, and its client waits.
    #[cold]
    fn suspend(&mut self, request: Argv<'_>, mut run: ScriptRun) -> Flow {
        self.server.users.of_script = Some(Arc::clone(self.session.user()));
        // What it publishes waits for what its client did before, even if that goes.
        run.depends_on = self.store.depends_on().max(self.session.depends_on);
        run.units = 0;
        self.store.data().log.set_aside();
        self.store.publish_events(&mut self.server.channels);
        self.server.channels.news.set_aside();
        self.leave_unfinished(request, Work::Script(run))
    }
}

/// How a slice begins.
enum Begin<'a> {
    /// With the script.
    Job(Job<'a>),
    /// Where the last one ended.
    Answer(Answer),
}

impl Engine {
    /// Lets the script that is not finished run for another slice, or ends it.
    pub(crate) fn go_on_with_script(&mut self, how: Answer, now: Now) {
        let Some(unfinished) = self.server.pause.take_unfinished() else {
            return;
        };
        let Work::Script(mut run) = unfinished.work else {
            self.server.pause.begin_unfinished(unfinished);
            return;
        };
        let Some(mut host) = self.server.host_of(run.kind).take() else {
            return;
        };
        let gone = self.server.sessions.find(unfinished.client).is_none();
        // The client may have gone; the script goes on for nobody.
        let id = match gone {
            true => self.connect(String::new(), String::new(), now),
            false => unfinished.client,
        };
        let mut session = self.server.sessions.take(id);
        let mut reply = Reply::new(session.as_ref().map(|it| it.protocol).unwrap_or_default());
        let mut sliced = Sliced::Suspended;
        if let Some(session) = &mut session {
            if gone {
                let user = self.server.users.of_script.as_ref();
                session.authenticate(Arc::clone(user.unwrap_or(session.user())));
            }
            let database = std::mem::replace(&mut session.database, run.database);
            self.data.log.take_up();
            let access = match session.no_touch {
                true => Access::NoTouch,
                false => Access::Use,
            };
            let mut ctx = Ctx {
                store: Store::new(
                    &mut self.data,
                    run.database,
                    run.begun,
                    access,
                    Overdue::Removed,
                ),
                server: &mut self.server,
                session,
                reply: &mut reply,
                now: run.begun,
                mode: Mode::Resumed,
                wait: None,
                commands: self.commands,
                depth: 0,
            };
            sliced = ctx.run_slice(host.as_mut(), Begin::Answer(how), &mut run);
            run.depends_on = run.depends_on.max(ctx.store.depends_on());
            run.database = session.database;
            session.database = database;
        }
        *self.server.host_of(run.kind) = Some(host);
        if let Some(session) = session {
            self.server.sessions.put_back(session);
        }
        if gone {
            self.disconnect(id);
        }
        match sliced {
            Sliced::Suspended => {
                run.units = 0;
                self.data.log.set_aside();
                self.put_news_aside();
                self.server.pause.begin_unfinished(Unfinished {
                    work: Work::Script(run),
                    ..unfinished
                });
            }
            Sliced::Ended(result) => {
                let batch = self.data.log.commit().unwrap_or(Lsn::ZERO);
                let depends_on = run.depends_on.max(batch);
                self.server.pause.end_unfinished();
                self.server.functions.running = None;
                self.note_sleep(unfinished.client, now);
                self.end_script(unfinished.client, result, reply, depends_on);
                self.server.channels.news.take_up();
                if self.has_news() {
                    self.send_news(None, depends_on);
                }
                if self.data.blocking.has_ready() {
                    self.serve_ready(now);
                }
                self.end_pause(now);
            }
        }
    }

    /// Answers the client of a script that has ended.
    fn end_script(
        &mut self,
        id: SessionId,
        result: Result<(), CmdError>,
        mut reply: Reply,
        depends_on: Lsn,
    ) {
        let Some(mut session) = self.server.sessions.take(id) else {
            return;
        };
        if let Some(wait) = session.wait.take() {
            self.data.blocking.remove(id, &wait);
            self.data.dropped.take(What::Wait(wait));
            if let Err(error) = result {
                reply.clear();
                self.server.refuse(error, &mut reply);
            }
            self.server.answer(&mut session, reply, depends_on);
        }
        self.server.sessions.put_back(session);
    }
}
