//! The interpreter: what it does in the loop that is its life, and the functions by which scripts
//! reach the engine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

use engine::clients::pause::ScriptKind;
use engine::error::{CmdError, LibraryError, ScriptError};
use engine::scripting::{Function as Described, LibraryId, Runs, Sha, Verdict};
use generator::Scope;
use mlua::chunk::ChunkMode;
use mlua::{
    Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value as Any, VmState,
};
use resp::{Argv, Protocol, Reply};

use crate::arguments::NoRequest;
use crate::failure::{Raised, raise, text_of};
use crate::host::{Exchange, JobBuf, Said, Says, Told};
use crate::kept::Kept;
use crate::library::{self, Library, Loading};
use crate::limits::{
    INSTRUCTIONS_PER_TICK, MEMORY_BYTES_MAX, MEMORY_BYTES_READ_MAX, MEMORY_KEPT_BYTES_MAX,
};
use crate::memory::{BYTES_PER_BYTE, VALUE_BYTES, reserved};
use crate::output::{Names, Output};
use crate::reply::{ReplyReader, string};
use crate::work::{TICK, Work};
use crate::{bits, cjson, cmsgpack, random, readonly, redis_library, stack, strings, structs};

/// The sandbox, and the library `redis`.
const PRELUDE: &str = include_str!("prelude.lua");

/// The name of [`PRELUDE`] in errors and on the stack.
pub(crate) const PRELUDE_NAME: &str = "@redis";

/// What scripts are called in errors.
const SCRIPT_NAME: &str = "@user_script";

/// The way out of this stack.
type Line<'s> = RefCell<Scope<'s, 'static, Told, Says>>;

/// What holds while one script runs.
struct State<'l, 's> {
    /// The library that is loaded.
    loading: RefCell<Option<Loading>>,
    line: &'l Line<'s>,
    names: &'l Names,
    exchange: RefCell<Option<Box<Exchange>>>,
    /// The protocol that the script has chosen for what its commands answer.
    speaks: Cell<Protocol>,
    /// The script has to end.
    killed: Cell<bool>,
    /// What `os.clock` says, in microseconds. No clock goes with it: it counts what scripts do.
    clock_us: Cell<u64>,
}

/// Runs until the engine does not want it any more. Returns why it cannot go on.
pub(crate) fn run(scope: Scope<'_, 'static, Told, Says>) -> String {
    let line = RefCell::new(scope);
    match serve(&line) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

fn serve(line: &Line<'_>) -> mlua::Result<()> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::new())?;
    lua.set_memory_limit(MEMORY_BYTES_MAX)?;
    let names = Names::new(&lua)?;
    let state = State {
        loading: RefCell::new(None),
        line,
        names: &names,
        exchange: RefCell::new(None),
        speaks: Cell::new(Protocol::Resp2),
        killed: Cell::new(false),
        clock_us: Cell::new(0),
    };
    lua.scope(|scope| {
        let native = lua.create_table()?;
        let redis = lua.create_table()?;
        redis.raw_set("call", scope.create_function(|lua, a| state.call(lua, &a))?)?;
        redis.raw_set(
            "pcall",
            scope.create_function(|lua, a| state.pcall(lua, &a))?,
        )?;
        let may_run = scope.create_function(|_, a| state.may_run(&a))?;
        redis.raw_set("acl_check_cmd", may_run)?;
        redis.raw_set("log", scope.create_function(|lua, a| state.log(lua, &a))?)?;
        redis.raw_set(
            "setresp",
            scope.create_function(|lua, a| state.set_resp(lua, &a))?,
        )?;
        redis_library::add_to(&lua, &redis)?;
        native.raw_set(
            "register_function",
            scope.create_function(|lua, a| state.register(lua, &a))?,
        )?;
        native.raw_set("redis", redis)?;
        native.raw_set(
            "killed",
            scope.create_function(|_, ()| Ok(state.killed.get()))?,
        )?;
        let tick = scope.create_function(|_, ()| state.tick())?;
        native.raw_set("tick", &tick)?;
        lua.set_named_registry_value(TICK, tick)?;
        let clock = scope.create_function(|_, ()| {
            state.clock_us.set(state.clock_us.get() + 1);
            Ok(state.clock_us.get() as f64 / 1e6)
        })?;
        native.raw_set("clock", clock)?;
        random::add_to(&lua, &native)?;
        native.raw_set("bit", bits::library(&lua)?)?;
        native.raw_set("cjson", cjson::library(&lua)?)?;
        native.raw_set("cmsgpack", cmsgpack::library(&lua)?)?;
        native.raw_set("struct", structs::library(&lua)?)?;
        stack::add_to(&lua, &native)?;
        strings::add_to(&lua, &native)?;
        readonly::add_to(&lua, &native)?;
        let prelude = lua.load(PRELUDE).set_name(PRELUDE_NAME);
        let prelude: (Function, Table, Table, Function, Function, Table) = prelude.call(native)?;
        let (run, environment, globals, call, register, library_environment) = prelude;
        let running = Running {
            run,
            globals,
            call,
            register,
            library_environment,
        };
        let ticks = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_TICK);
        lua.set_global_hook(ticks, |lua, _| {
            lua.named_registry_value::<Function>(TICK)?.call::<()>(())?;
            Ok(VmState::Continue)
        })?;
        let mut scripts = Kept::new(&lua)?;
        let mut libraries = BTreeMap::new();
        let mut says = Says::Ready;
        loop {
            let told = line.borrow_mut().yield_(says);
            says = match told {
                Some(Told::Compile(name, body)) => {
                    let compiled = compile(&lua, SCRIPT_NAME, &environment, &body);
                    Says::Compiled(compiled.and_then(|script| {
                        let kept = scripts.put(name, script);
                        kept.map_err(|error| text_of(&error).into_bytes())
                    }))
                }
                Some(Told::Forget(name)) => {
                    scripts.remove(name)?;
                    Says::Ready
                }
                Some(Told::Load(exchange, id, code)) => {
                    state.load(&lua, &running, exchange, &code, |library| {
                        libraries.insert(id, library);
                    })
                }
                Some(Told::Unload(id)) => {
                    libraries.remove(&id);
                    Says::Ready
                }
                Some(Told::Run(exchange, job)) => match runnable(&scripts, &libraries, job.runs) {
                    Some(found) => state.run(&lua, exchange, &job, (&running, &found)),
                    None => Says::Failed(exchange, CmdError::Script(ScriptError::NoScript)),
                },
                Some(Told::Answer(exchange, _)) => {
                    Says::Failed(exchange, CmdError::Internal("no script runs"))
                }
                None => Says::Ready,
            };
        }
    })
}

/// What the prelude gives.
pub(crate) struct Running {
    /// Runs a script of a table, with its keys and arguments.
    run: Function,
    /// What all scripts and functions see.
    globals: Table,
    /// Runs a function of a table, with its keys and arguments.
    call: Function,
    /// Runs a library, which sees nothing but what registers functions.
    pub(crate) register: Function,
    /// What libraries see: that, and later the same as scripts.
    pub(crate) library_environment: Table,
}

/// What runs.
struct Runnable<'a> {
    /// Where it lies: so it takes no handle to run it.
    place: (&'a Table, usize),
    kind: ScriptKind,
    name: Name<'a>,
}

/// What errors call it.
enum Name<'a> {
    Script(Sha),
    Function(&'a str),
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Script(name) => name.fmt(f),
            Name::Function(name) => name.fmt(f),
        }
    }
}

fn runnable<'a>(
    scripts: &'a Kept,
    libraries: &'a BTreeMap<LibraryId, Library>,
    runs: Runs,
) -> Option<Runnable<'a>> {
    let (place, name) = match runs {
        Runs::Script(name) => (scripts.get(name)?, Name::Script(name)),
        Runs::Function(library, index) => {
            let (place, name) = libraries.get(&library)?.function(index)?;
            (place, Name::Function(name))
        }
    };
    Some(Runnable {
        place,
        kind: runs.kind(),
        name,
    })
}

/// Reads a script or library. Its first line, if it is not Lua, counts as a line.
pub(crate) fn compile(
    lua: &Lua,
    name: &str,
    environment: &Table,
    body: &[u8],
) -> Result<Function, Vec<u8>> {
    let start = match body.starts_with(b"#!") {
        true => body.iter().position(|byte| *byte == b'\n'),
        false => Some(0),
    };
    let text = body.get(start.unwrap_or(body.len())..).unwrap_or_default();
    let chunk = lua.load(text).set_name(name);
    let chunk = chunk.set_mode(ChunkMode::Text);
    let function = chunk.set_environment(environment.clone()).into_function();
    let function = function.map_err(|error| text_of(&error).into_bytes())?;
    if lua.used_memory() > MEMORY_BYTES_READ_MAX {
        lua.gc_collect()
            .map_err(|error| text_of(&error).into_bytes())?;
    }
    match lua.used_memory() > MEMORY_BYTES_READ_MAX {
        true => Err(b"too much memory is taken by scripts".to_vec()),
        false => Ok(function),
    }
}

impl State<'_, '_> {
    /// Says something to the engine, and waits for the answer.
    fn talk(&self, says: Says) -> Said {
        let told = self.line.borrow_mut().yield_(says);
        match told {
            Some(Told::Answer(exchange, said)) => {
                self.exchange.replace(Some(exchange));
                said
            }
            // Nothing else is told while a script runs.
            Some(
                Told::Compile(..)
                | Told::Forget(_)
                | Told::Load(..)
                | Told::Unload(_)
                | Told::Run(..),
            )
            | None => Said::Kill,
        }
    }

    fn exchange(&self) -> Box<Exchange> {
        self.exchange.take().unwrap_or_default()
    }

    /// The bytes of a reply, or where those of one go.
    fn reply_buffer(&self) -> Vec<u8> {
        let mut exchange = self.exchange.borrow_mut();
        let reply = exchange.as_mut().map(|exchange| &mut exchange.reply);
        reply.map(std::mem::take).unwrap_or_default()
    }

    fn run(
        &self,
        lua: &Lua,
        exchange: Box<Exchange>,
        job: &JobBuf,
        (running, found): (&Running, &Runnable<'_>),
    ) -> Says {
        self.exchange.replace(Some(exchange));
        self.speaks.set(Protocol::Resp2);
        self.killed.set(false);
        let result = self.run_found(lua, job, running, found);
        let buffer = self.reply_buffer();
        let mut reply = Reply::with_buffer(job.protocol, buffer);
        let mut output = Output {
            names: self.names,
            reply: &mut reply,
            speaks: self.speaks.get(),
            work: &Work::new(lua),
        };
        let written = result.and_then(|(ended, value)| match ended {
            true => output.write(&value, 0).map(|()| None),
            false => failed(&value, &found.name).map(Some),
        });
        let mut exchange = self.exchange();
        exchange.reply = reply.into_buffer();
        let tidied = self.tidy(lua, &running.globals);
        exchange.used_bytes = lua.used_memory() as u64;
        let written = tidied.and(written);
        match written {
            Ok(None) => Says::Done(exchange),
            Ok(Some(error)) => Says::Failed(exchange, error),
            Err(error) => {
                let text = format!("ERR {} script: {}", text_of(&error), found.name);
                Says::Failed(exchange, CmdError::Text(text))
            }
        }
    }

    /// Gives back memory, if a script has left much of it.
    fn tidy(&self, lua: &Lua, globals: &Table) -> mlua::Result<()> {
        if lua.used_memory() > MEMORY_KEPT_BYTES_MAX {
            for name in ["KEYS", "ARGV"] {
                globals.raw_set(name, Any::Nil)?;
            }
            lua.gc_collect()?;
        }
        Ok(())
    }

    fn run_found(
        &self,
        lua: &Lua,
        job: &JobBuf,
        running: &Running,
        found: &Runnable<'_>,
    ) -> mlua::Result<(bool, Any)> {
        let arguments = job.arguments.as_argv();
        let list = |values: Argv<'_>| lua.create_sequence_from(values.iter().map(string));
        let bytes: usize = arguments
            .iter()
            .map(|value| VALUE_BYTES + value.len())
            .sum();
        let (keys, others) = reserved(lua, VALUE_BYTES * 4 + bytes, || {
            let keys = list(arguments.take(job.keys))?;
            Ok::<_, mlua::Error>((keys, list(arguments.skip(job.keys))?))
        })?;
        let run = match found.kind {
            ScriptKind::Script => &running.run,
            ScriptKind::Function => &running.call,
        };
        let (table, place) = found.place;
        run.call((table, place, keys, others))
    }

    /// Runs a library, and keeps what it registers.
    fn load(
        &self,
        lua: &Lua,
        running: &Running,
        exchange: Box<Exchange>,
        code: &[u8],
        keep: impl FnOnce(Library),
    ) -> Says {
        self.exchange.replace(Some(exchange));
        self.killed.set(false);
        let result = self.load_code(lua, running, code);
        let mut exchange = self.exchange();
        exchange.used_bytes = lua.used_memory() as u64;
        match result {
            Ok((functions, library)) => {
                keep(library);
                Says::Registered(exchange, functions)
            }
            Err(error) => Says::Failed(exchange, error.into()),
        }
    }

    fn load_code(
        &self,
        lua: &Lua,
        running: &Running,
        code: &[u8],
    ) -> Result<(Vec<Described>, Library), LibraryError> {
        let failed = |error| LibraryError::NotRegistered(text_of(&error));
        self.loading
            .replace(Some(Loading::new(lua).map_err(failed)?));
        let result = library::run(lua, running, code);
        let registered = self.loading.take();
        result?;
        self.tidy(lua, &running.globals).map_err(failed)?;
        registered.map_or(Err(LibraryError::NoFunctions), Loading::end)
    }

    /// `redis.register_function`.
    fn register(&self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<()> {
        match &mut *self.loading.borrow_mut() {
            Some(loading) => loading.register(lua, arguments),
            None => raise("redis.register_function can only be called on FUNCTION LOAD command"),
        }
    }

    /// Runs a command; its reply is in the exchange then.
    fn ask(&self, arguments: &MultiValue) -> mlua::Result<Result<(), NoRequest>> {
        let mut exchange = self.exchange();
        if let Err(reason) = exchange.request.fill(arguments) {
            self.exchange.replace(Some(exchange));
            return Ok(Err(reason));
        }
        exchange.protocol = self.speaks.get();
        if self.talk(Says::Call(exchange)) == Said::ReplyThenTick {
            self.tick()?;
        }
        Ok(Ok(()))
    }

    /// The reply to what was asked: a value, or an error.
    fn answer(&self, lua: &Lua) -> mlua::Result<Result<Any, Raised>> {
        // It is put aside, since a sign of life may need the exchange.
        let reply = self.reply_buffer();
        let mut reader = ReplyReader::new(&reply, self.names, Work::new(lua));
        let answer = match reader.error() {
            Some(text) => Err(Raised {
                text: text.to_vec(),
                is_counted: true,
            }),
            None => {
                let bytes = VALUE_BYTES + reply.len().saturating_mul(BYTES_PER_BYTE);
                Ok(reserved(lua, bytes, || reader.value(lua))?)
            }
        };
        if let Some(exchange) = &mut *self.exchange.borrow_mut() {
            exchange.reply = reply;
        }
        Ok(answer)
    }

    /// `redis.call`.
    fn call(&self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<Any> {
        match self.ask(arguments)? {
            Ok(()) => self.answer(lua)?.map_err(Raised::into_error),
            Err(reason) => raise(reason),
        }
    }

    /// `redis.pcall`.
    fn pcall(&self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<Any> {
        let answer = match self.ask(arguments)? {
            Ok(()) => self.answer(lua)?,
            Err(reason) => Err(Raised {
                text: format!("ERR {reason}").into_bytes(),
                is_counted: false,
            }),
        };
        match answer {
            Ok(value) => Ok(value),
            Err(raised) => Ok(Any::Table(raised.table(lua)?)),
        }
    }

    /// `redis.acl_check_cmd`.
    fn may_run(&self, arguments: &MultiValue) -> mlua::Result<bool> {
        let mut exchange = self.exchange();
        if let Err(reason) = exchange.request.fill(arguments) {
            self.exchange.replace(Some(exchange));
            return raise(reason);
        }
        match self.talk(Says::MayRun(exchange)) {
            Said::Verdict(Verdict::Allowed) => Ok(true),
            Said::Verdict(Verdict::Unknown) => {
                raise("Invalid command passed to redis.acl_check_cmd()")
            }
            Said::Verdict(Verdict::WrongArity) => {
                raise("Wrong number of args for redis.acl_check_cmd()")
            }
            Said::Verdict(Verdict::Denied)
            | Said::Reply
            | Said::ReplyThenTick
            | Said::GoOn
            | Said::Kill => Ok(false),
        }
    }

    /// `redis.log`.
    fn log(&self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<()> {
        let (level, text) = redis_library::log_line(lua, arguments)?;
        let mut exchange = self.exchange();
        exchange.request.bytes.clear();
        exchange.request.bytes.extend_from_slice(&text);
        self.talk(Says::Log(level, exchange));
        Ok(())
    }

    /// `redis.setresp`.
    fn set_resp(&self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<()> {
        self.speaks.set(redis_library::protocol(lua, arguments)?);
        Ok(())
    }

    /// Gives a sign of life, and ends the script if it has to end.
    fn tick(&self) -> mlua::Result<()> {
        self.clock_us.set(self.clock_us.get() + 100);
        if self.exchange.borrow().is_none() {
            return Ok(());
        }
        let exchange = self.exchange();
        if self.talk(Says::Tick(exchange)) == Said::Kill {
            self.killed.set(true);
        }
        match self.killed.get() {
            true if self.loading.borrow().is_some() => Err(mlua::Error::runtime(LOADED_TOO_LONG)),
            true => Err(mlua::Error::runtime(KILLED)),
            false => Ok(()),
        }
    }
}

const LOADED_TOO_LONG: &str = "FUNCTION LOAD timeout";

const KILLED: &str = "Script killed by user with SCRIPT KILL...";

/// The error for the client of a script that failed with this value.
fn failed(value: &Any, name: &Name<'_>) -> mlua::Result<CmdError> {
    let mut text = Vec::new();
    let mut is_counted = false;
    let mut place = None;
    if let Any::Table(table) = value {
        if let Any::String(error) = table.raw_get("err")? {
            text.extend_from_slice(&error.as_bytes());
        }
        let counted: Option<bool> = table.raw_get("ignore_error_stats_update")?;
        is_counted = counted == Some(true);
        let source: Option<String> = table.raw_get("source")?;
        let line: Option<i64> = table.raw_get("line")?;
        place = source.zip(line);
    }
    // An error that nobody could handle: there was no memory for it.
    if let Any::String(error) = value {
        text.extend_from_slice(b"ERR ");
        text.extend_from_slice(&error.as_bytes());
    }
    if text.is_empty() {
        text.extend_from_slice(b"ERR unknown error");
    }
    text.extend_from_slice(format!(" script: {name}").as_bytes());
    if let Some((source, line)) = place {
        text.extend_from_slice(format!(", on {source}:{line}.").as_bytes());
    }
    Ok(CmdError::Script(ScriptError::ScriptFailed {
        text,
        is_counted,
    }))
}
