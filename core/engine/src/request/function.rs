//! Libraries of functions: how it is found out what functions one has.
//!
//! A library is run once, which registers its functions. It has no keys, no clock and no
//! randomness then, and must end soon, so it is run where it is needed: by `FUNCTION LOAD`, and
//! after a restart by whatever asks for functions first.

use resp::Large;

use crate::clients::pause::ScriptKind;
use crate::command::Ctx;
use crate::error::{CmdError, LibraryError, ScriptError};
use crate::limits::{LIBRARY_LOAD_TICKS_MAX, SCRIPT_LOG_BYTES_MAX, SCRIPT_LOG_LINES_MAX};
use crate::scripting::{Answer, FunctionRef, LogLevel, ReadLibrary, ScriptHost, Step};
use crate::server::{Order, Server};

impl Server {
    /// Where that is which runs scripts, or functions.
    pub(crate) fn host_of(&mut self, kind: ScriptKind) -> &mut Option<Box<dyn ScriptHost>> {
        match kind {
            ScriptKind::Script => &mut self.scripts.host,
            ScriptKind::Function => &mut self.functions.host,
        }
    }

    /// A script writes a line to the log; `lines` counts those that it wrote.
    pub(crate) fn log_of_script(&mut self, lines: &mut usize, level: LogLevel, text: &[u8]) {
        *lines += 1;
        if *lines <= SCRIPT_LOG_LINES_MAX {
            let text = text.get(..SCRIPT_LOG_BYTES_MAX).unwrap_or(text);
            let text = String::from_utf8_lossy(text).into_owned();
            self.orders.push(Order::LogOfScript(level, text));
        }
    }
}

impl Ctx<'_> {
    /// The function of a name.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn function(&mut self, name: &[u8]) -> Result<FunctionRef, CmdError> {
        self.read_libraries();
        let function = self.server.functions.find(name);
        function.ok_or(CmdError::Library(LibraryError::FunctionNotFound))
    }

    /// Makes known what functions the libraries have. All of them were read before, but for those
    /// that came from a file since.
    #[inline]
    pub fn read_libraries(&mut self) {
        let version = self.store.libraries().version();
        if !self.server.functions.is_in_step(version) {
            self.bring_functions_into_step();
        }
    }

    #[cold]
    fn bring_functions_into_step(&mut self) {
        if self.server.functions.host.is_none() {
            return;
        }
        let libraries = self.store.libraries().clone();
        let functions = &mut self.server.functions;
        functions.retain(|name, read| libraries.get(name).is_some_and(|code| *code == read.code));
        let mut read = Vec::new();
        for (name, code) in libraries.iter() {
            if self.server.functions.library(name).is_some() {
                continue;
            }
            let mut ticks = LIBRARY_LOAD_TICKS_MAX;
            let library = self
                .read_library(name, code, &mut ticks)
                .unwrap_or_else(|error| {
                    let shown = String::from_utf8_lossy(name);
                    let text = format!("The library {shown} has no functions: {error}");
                    let order = Order::LogOfScript(LogLevel::Warning, text);
                    self.server.orders.push(order);
                    ReadLibrary {
                        name: name.into(),
                        id: self.server.functions.next_id(),
                        code: code.clone(),
                        functions: Vec::new(),
                    }
                });
            read.push(library);
        }
        self.server.functions.put(read, libraries.version());
    }

    /// Runs a library, which registers its functions. It may give so many signs of life; what is
    /// left of them when it ends is told.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_library(
        &mut self,
        name: &[u8],
        code: &Large,
        ticks: &mut usize,
    ) -> Result<ReadLibrary, CmdError> {
        let id = self.server.functions.next_id();
        let Some(mut host) = self.server.functions.host.take() else {
            return Err(CmdError::Script(ScriptError::NoScripts));
        };
        let mut step = host.load(id, code);
        let mut log_lines = 0;
        let functions = loop {
            let answer = match step {
                Step::Log(level, text) => {
                    self.server.log_of_script(&mut log_lines, level, text);
                    Answer::GoOn
                }
                Step::Tick => {
                    *ticks = ticks.saturating_sub(1);
                    match *ticks {
                        0 => Answer::Kill,
                        _ => Answer::GoOn,
                    }
                }
                Step::Registered(functions) => break Ok(functions),
                Step::Failed(error) => break Err(error),
                // A library runs no command.
                Step::Call(_) | Step::MayRun(_) => Answer::Kill,
                Step::Done(_) => break Err(CmdError::Internal("a library has a reply")),
            };
            step = host.go_on(answer);
        };
        self.server.functions.host = Some(host);
        Ok(ReadLibrary {
            name: name.into(),
            id,
            code: code.clone(),
            functions: functions?,
        })
    }

    /// Libraries that were read have become those of their names: their functions can be called.
    pub fn put_libraries(&mut self, read: impl IntoIterator<Item = ReadLibrary>) {
        let libraries = self.store.libraries().clone();
        let functions = &mut self.server.functions;
        functions.retain(|name, _| libraries.get(name).is_some());
        functions.put(read, libraries.version());
    }

    /// All libraries are gone.
    pub fn clear_functions(&mut self) {
        let version = self.store.libraries().version();
        self.server.functions.clear(version);
    }

    /// Libraries that were read are not taken.
    pub fn forget_libraries(&mut self, read: &[ReadLibrary]) {
        for library in read {
            self.server.functions.forget(library.id);
        }
    }
}
