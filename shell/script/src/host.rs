//! The stack that the interpreter runs on, and the messages that pass between it and the engine.

use std::fmt;
use std::mem;

use engine::error::CmdError;
use engine::scripting::{
    Answer, Call, Function, Job, LibraryId, LogLevel, Runs, ScriptHost, Sha, Step, Verdict,
};
use generator::{Generator, Gn};
use resp::{Argv, ArgvBuf, Protocol};

use crate::arguments::Request;
use crate::interpreter;
use crate::limits::{BUFFER_KEPT_BYTES_MAX, STACK_WORDS};

/// What the interpreter is told.
pub(crate) enum Told {
    Compile(Sha, Vec<u8>),
    Forget(Sha),
    Load(Box<Exchange>, LibraryId, Vec<u8>),
    Unload(LibraryId),
    Run(Box<Exchange>, JobBuf),
    Answer(Box<Exchange>, Said),
}

/// The answer to what a script wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// The reply is in the exchange.
    Reply,
    /// The same, and a sign of life is to come next.
    ReplyThenTick,
    Verdict(Verdict),
    GoOn,
    Kill,
}

/// What the interpreter says.
pub(crate) enum Says {
    /// It waits for something to do.
    Ready,
    Compiled(Result<(), Vec<u8>>),
    Call(Box<Exchange>),
    MayRun(Box<Exchange>),
    Log(LogLevel, Box<Exchange>),
    Tick(Box<Exchange>),
    /// A library has registered these functions.
    Registered(Box<Exchange>, Vec<Function>),
    /// The reply is in the exchange.
    Done(Box<Exchange>),
    Failed(Box<Exchange>, CmdError),
    /// It cannot go on; nothing is left of it.
    Broken(String),
}

/// Memory that passes back and forth with the messages.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// The request of a script.
    pub(crate) request: Request,
    /// The protocol that its reply is to have.
    pub(crate) protocol: Protocol,
    /// The reply to it, or to the client.
    pub(crate) reply: Vec<u8>,
    /// What the interpreter takes, in bytes.
    pub(crate) used_bytes: u64,
}

/// A script or function to run, without what it is borrowed from.
pub(crate) struct JobBuf {
    pub(crate) runs: Runs,
    /// Its keys, and behind them the other arguments.
    pub(crate) arguments: ArgvBuf,
    pub(crate) keys: usize,
    pub(crate) protocol: Protocol,
}

type Stack = Generator<'static, Told, Says>;

/// Runs scripts in Lua.
pub struct LuaHost {
    /// The interpreter, once something was asked of it.
    stack: Option<Stack>,
    exchange: Option<Box<Exchange>>,
    /// A script runs.
    runs: bool,
    /// Why the interpreter could not go on.
    broken: String,
    used_bytes: u64,
}

impl LuaHost {
    /// A host without any script.
    pub fn new() -> LuaHost {
        LuaHost {
            stack: None,
            exchange: None,
            runs: false,
            broken: String::new(),
            used_bytes: 0,
        }
    }

    /// Tells the interpreter something, and returns what it says to it.
    fn tell(&mut self, told: Told) -> Says {
        let stack = self.stack.get_or_insert_with(|| {
            let mut stack: Stack =
                Gn::new_scoped_opt(STACK_WORDS, |scope| Says::Broken(interpreter::run(scope)));
            // Up to where it waits for something to do.
            let _ = stack.resume();
            stack
        });
        match stack.raw_send(Some(told)) {
            Some(Says::Broken(reason)) => {
                self.broken.clone_from(&reason);
                self.stack = None;
                Says::Broken(reason)
            }
            Some(says) => says,
            None => Says::Broken(String::new()),
        }
    }

    fn step(&mut self, told: Told) -> Step<'_> {
        self.runs = true;
        let says = self.tell(told);
        let exchange = match says {
            Says::Call(exchange) => {
                let exchange = self.exchange.insert(exchange);
                return Step::Call(Call {
                    buffer: mem::take(&mut exchange.reply),
                    argv: exchange.argv(),
                    protocol: exchange.protocol,
                });
            }
            Says::MayRun(exchange) => {
                return Step::MayRun(self.exchange.insert(exchange).argv());
            }
            Says::Log(level, exchange) => {
                let exchange = self.exchange.insert(exchange);
                return Step::Log(level, &exchange.request.bytes);
            }
            Says::Tick(exchange) => {
                self.exchange = Some(exchange);
                return Step::Tick;
            }
            Says::Registered(exchange, functions) => {
                self.runs = false;
                self.used_bytes = exchange.used_bytes;
                self.exchange = Some(exchange);
                return Step::Registered(functions);
            }
            Says::Done(exchange) => Ok(exchange),
            Says::Failed(exchange, error) => Err((Some(exchange), error)),
            Says::Ready | Says::Compiled(_) | Says::Broken(_) => {
                let text = format!("ERR the interpreter of scripts failed: {}", self.broken);
                Err((None, CmdError::Text(text)))
            }
        };
        self.runs = false;
        match exchange {
            Ok(exchange) => {
                self.used_bytes = exchange.used_bytes;
                Step::Done(&self.exchange.insert(exchange).reply)
            }
            Err((exchange, error)) => {
                if let Some(exchange) = &exchange {
                    self.used_bytes = exchange.used_bytes;
                }
                self.exchange = exchange;
                Step::Failed(error)
            }
        }
    }

    fn exchange(&mut self) -> Box<Exchange> {
        let mut exchange = self.exchange.take().unwrap_or_default();
        exchange.request.bytes.shrink_to(BUFFER_KEPT_BYTES_MAX);
        exchange
    }
}

impl Exchange {
    fn argv(&self) -> Argv<'_> {
        Argv::new(&self.request.bytes, &self.request.spans)
    }
}

impl Default for LuaHost {
    fn default() -> LuaHost {
        LuaHost::new()
    }
}

impl Drop for LuaHost {
    fn drop(&mut self) {
        // To leave the midst of a script, its stack would have to be unwound through the
        // interpreter. It is left as it is: this happens only when the process ends.
        if self.runs {
            mem::forget(self.stack.take());
        }
    }
}

impl fmt::Debug for LuaHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuaHost")
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

impl ScriptHost for LuaHost {
    fn compile(&mut self, script: Sha, body: &[u8]) -> Result<(), Vec<u8>> {
        let says = self.tell(Told::Compile(script, body.to_vec()));
        let Says::Compiled(result) = says else {
            return Err(self.broken.clone().into_bytes());
        };
        result
    }

    fn forget(&mut self, script: Sha) {
        if self.stack.is_some() {
            let _ = self.tell(Told::Forget(script));
        }
    }

    fn clear(&mut self) {
        if !self.runs {
            self.stack = None;
            self.used_bytes = 0;
        }
    }

    fn load(&mut self, library: LibraryId, code: &[u8]) -> Step<'_> {
        let exchange = self.exchange();
        self.step(Told::Load(exchange, library, code.to_vec()))
    }

    fn unload(&mut self, library: LibraryId) {
        if self.stack.is_some() {
            let _ = self.tell(Told::Unload(library));
        }
    }

    fn begin(&mut self, job: Job<'_>) -> Step<'_> {
        let exchange = self.exchange();
        let arguments = job.keys.iter().chain(job.args.iter()).collect();
        let job = JobBuf {
            runs: job.runs,
            arguments,
            keys: job.keys.len(),
            protocol: job.protocol,
        };
        self.step(Told::Run(exchange, job))
    }

    fn go_on(&mut self, answer: Answer) -> Step<'_> {
        let mut exchange = self.exchange.take().unwrap_or_default();
        let said = match answer {
            Answer::Reply(reply) => {
                exchange.reply = reply;
                Said::Reply
            }
            Answer::ReplyThenTick(reply) => {
                exchange.reply = reply;
                Said::ReplyThenTick
            }
            Answer::Verdict(verdict) => Said::Verdict(verdict),
            Answer::GoOn => Said::GoOn,
            Answer::Kill => Said::Kill,
        };
        self.step(Told::Answer(exchange, said))
    }

    fn used_bytes(&self) -> u64 {
        self.used_bytes
    }
}
