//! What runs scripts, and how it talks with the engine.

use std::fmt;

use resp::{Argv, Protocol};

use crate::clients::pause::ScriptKind;
use crate::error::CmdError;
use crate::scripting::{Function, LibraryId, Sha};

/// What runs scripts. It has no clock and no I/O, and the same calls give the same answers.
pub trait ScriptHost: fmt::Debug + Send {
    /// Reads a script, so that it can be run.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the language.
    fn compile(&mut self, script: Sha, body: &[u8]) -> Result<(), Vec<u8>>;

    /// Forgets a script.
    fn forget(&mut self, script: Sha);

    /// Forgets all scripts and whatever they left behind.
    fn clear(&mut self);

    /// Begins to run a library, which registers its functions then: [`Step::Registered`]. Nothing
    /// else may be running. It runs no command.
    fn load(&mut self, library: LibraryId, code: &[u8]) -> Step<'_>;

    /// Forgets a library.
    fn unload(&mut self, library: LibraryId);

    /// Begins to run a script that was compiled, or a function of a library that was loaded.
    /// Nothing else may be running.
    fn begin(&mut self, job: Job<'_>) -> Step<'_>;

    /// Answers the last [`Step`], and goes on.
    fn go_on(&mut self, answer: Answer) -> Step<'_>;

    /// The memory that it takes, in bytes.
    fn used_bytes(&self) -> u64;
}

/// A script or function to run.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Which.
    pub runs: Runs,
    /// The names of keys that it is given.
    pub keys: Argv<'a>,
    /// The other arguments.
    pub args: Argv<'a>,
    /// The protocol of the client that its reply goes to.
    pub protocol: Protocol,
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// A script.
    Script(Sha),
    /// A function, by its number in its library.
    Function(LibraryId, u32),
}

impl Runs {
    /// Whether it is a script or a function.
    pub fn kind(self) -> ScriptKind {
        match self {
            Runs::Script(_) => ScriptKind::Script,
            Runs::Function(..) => ScriptKind::Function,
        }
    }
}

/// What a script wants, or how it ended.
#[derive(Debug)]
pub enum Step<'h> {
    /// Run a command; [`Answer::Reply`] or [`Answer::ReplyThenTick`].
    Call(Call<'h>),
    /// Tell whether its user may run a command; [`Answer::Verdict`].
    MayRun(Argv<'h>),
    /// Write a line to the log; [`Answer::GoOn`].
    Log(LogLevel, &'h [u8]),
    /// Nothing; it has run for a while. [`Answer::GoOn`].
    Tick,
    /// A library has ended, and these are its functions.
    Registered(Vec<Function>),
    /// It has ended with this reply.
    Done(&'h [u8]),
    /// It has failed with this error.
    Failed(CmdError),
}

/// A command that a script runs.
#[derive(Debug)]
pub struct Call<'h> {
    /// The request.
    pub argv: Argv<'h>,
    /// The protocol of the reply.
    pub protocol: Protocol,
    /// Memory for the reply, which was used before.
    pub buffer: Vec<u8>,
}

/// The answer to a [`Step`].
#[derive(Debug)]
pub enum Answer {
    /// The reply of a command.
    Reply(Vec<u8>),
    /// The same to a script that has used up what it may: it gives a sign of life before it goes
    /// on.
    ReplyThenTick(Vec<u8>),
    /// Whether a command may be run.
    Verdict(Verdict),
    /// There is nothing to say.
    GoOn,
    /// It must end now.
    Kill,
}

/// Whether a user may run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
    /// There is no such command.
    Unknown,
    /// The command does not take so many arguments.
    WrongArity,
}

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Much, of little use.
    Verbose,
    /// As it should be.
    Notice,
    /// Something is wrong.
    Warning,
}
