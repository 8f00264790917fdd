//! Loading a library: it is run once, and registers its functions.

use std::collections::BTreeSet;

use engine::error::LibraryError;
use engine::limits::{LIBRARY_FUNCTIONS_BYTES_MAX, LIBRARY_FUNCTIONS_MAX};
use engine::scripting::{Function as Described, ScriptFlags, is_name};
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value as Any};

use crate::failure::{raise, text_of};
use crate::interpreter::{Running, compile};
use crate::limits::FLAGS_MAX;

/// What libraries are called in errors.
const LIBRARY_NAME: &str = "@user_function";

/// A library that was loaded.
#[derive(Debug)]
pub(crate) struct Library {
    names: Vec<String>,
    /// What runs, in the same order.
    callbacks: Table,
}

impl Library {
    /// Where a function is, by its number: the table that it lies in, and its place there. Its name
    /// too.
    pub(crate) fn function(&self, index: u32) -> Option<((&Table, usize), &str)> {
        let index = usize::try_from(index).ok()?;
        let name = self.names.get(index)?;
        Some(((&self.callbacks, index + 1), name))
    }
}

/// What a library that is loaded has registered so far.
#[derive(Debug)]
pub(crate) struct Loading {
    /// What its functions say of themselves.
    functions: Vec<Described>,
    /// What runs, in the same order.
    callbacks: Table,
    names: BTreeSet<Vec<u8>>,
    /// Bytes of names and descriptions.
    bytes: usize,
}

/// Runs a library.
pub(crate) fn run(lua: &Lua, running: &Running, code: &[u8]) -> Result<(), LibraryError> {
    let compiled = compile(lua, LIBRARY_NAME, &running.library_environment, code);
    let library = compiled
        .map_err(|text| LibraryError::NotCompiled(String::from_utf8_lossy(&text).into_owned()))?;
    let ended: mlua::Result<(bool, Any)> = running.register.call(library);
    let text = match ended {
        Ok((true, _)) => return Ok(()),
        Ok((false, found)) => failure(&found),
        Err(error) => Ok(text_of(&error)),
    };
    let text = text.unwrap_or_else(|error| text_of(&error));
    Err(LibraryError::NotRegistered(text))
}

/// What a library failed with.
fn failure(found: &Any) -> mlua::Result<String> {
    let text = match found {
        Any::Table(table) => table.raw_get("err")?,
        found => found.clone(),
    };
    Ok(match text {
        Any::String(text) => text.to_string_lossy(),
        _ => "unknown error".to_owned(),
    })
}

/// What is said of a function when it is registered.
#[derive(Default)]
struct Given {
    name: Option<Vec<u8>>,
    callback: Option<Function>,
    description: Option<Vec<u8>>,
    flags: Option<ScriptFlags>,
}

impl Loading {
    /// Nothing was registered yet.
    pub(crate) fn new(lua: &Lua) -> mlua::Result<Loading> {
        Ok(Loading {
            functions: Vec::new(),
            callbacks: lua.create_table()?,
            names: BTreeSet::new(),
            bytes: 0,
        })
    }

    /// The functions, and what runs them.
    pub(crate) fn end(self) -> Result<(Vec<Described>, Library), LibraryError> {
        let name = |function: &Described| String::from_utf8_lossy(&function.name).into_owned();
        let library = Library {
            names: self.functions.iter().map(name).collect(),
            callbacks: self.callbacks,
        };
        match self.functions.is_empty() {
            true => Err(LibraryError::NoFunctions),
            false => Ok((self.functions, library)),
        }
    }

    /// Registers a function: its name and what runs it, or a table that says more of it.
    pub(crate) fn register(&mut self, lua: &Lua, arguments: &MultiValue) -> mlua::Result<()> {
        let given = match (arguments.front(), arguments.get(1), arguments.len()) {
            (Some(Any::Table(table)), _, 1) => named_arguments(lua, table)?,
            (_, _, 1) => {
                return raise(
                    "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).",
                );
            }
            (Some(name), Some(callback), 2) => {
                let Some(name) = text(lua, name)? else {
                    return raise("first argument to redis.register_function must be a string");
                };
                let Any::Function(callback) = callback else {
                    return raise("second argument to redis.register_function must be a function");
                };
                Given {
                    name: Some(name),
                    callback: Some(callback.clone()),
                    ..Given::default()
                }
            }
            _ => return raise("wrong number of arguments to redis.register_function"),
        };
        self.add(given)
    }

    fn add(&mut self, given: Given) -> mlua::Result<()> {
        let Some(name) = given.name else {
            return raise("redis.register_function must get a function name argument");
        };
        let Some(callback) = given.callback else {
            return raise("redis.register_function must get a callback argument");
        };
        if !is_name(&name) {
            return raise(
                "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
            );
        }
        if !self.names.insert(name.clone()) {
            return raise("Function already exists in the library");
        }
        let description = given.description.as_deref().unwrap_or_default();
        self.bytes += name.len() + description.len();
        if self.functions.len() == LIBRARY_FUNCTIONS_MAX || self.bytes > LIBRARY_FUNCTIONS_BYTES_MAX
        {
            return raise("the library registers too many functions");
        }
        self.callbacks.raw_set(self.functions.len() + 1, callback)?;
        self.functions.push(Described {
            name: name.into(),
            description: given.description.map(Vec::into_boxed_slice),
            flags: given.flags.unwrap_or(ScriptFlags::NONE),
        });
        Ok(())
    }
}

/// Reads what a table says of a function.
fn named_arguments(lua: &Lua, table: &Table) -> mlua::Result<Given> {
    let mut given = Given::default();
    for pair in table.pairs::<Any, Any>() {
        let (key, value) = pair?;
        let Some(key) = text(lua, &key)? else {
            return raise("named argument key given to redis.register_function is not a string");
        };
        match key.to_ascii_lowercase().as_slice() {
            b"function_name" => match text(lua, &value)? {
                Some(name) => given.name = Some(name),
                None => {
                    return raise(
                        "function_name argument given to redis.register_function must be a string",
                    );
                }
            },
            b"description" => match text(lua, &value)? {
                Some(text) => given.description = Some(text),
                None => {
                    return raise(
                        "description argument given to redis.register_function must be a string",
                    );
                }
            },
            b"callback" => match value {
                Any::Function(callback) => given.callback = Some(callback),
                _ => {
                    return raise(
                        "callback argument given to redis.register_function must be a function",
                    );
                }
            },
            b"flags" => match value {
                Any::Table(flags) => given.flags = Some(read_flags(&flags)?),
                _ => {
                    return raise(
                        "flags argument to redis.register_function must be a table representing function flags",
                    );
                }
            },
            _ => return raise("unknown argument given to redis.register_function"),
        }
    }
    Ok(given)
}

/// Reads the flags of a function, up to the first that is missing.
fn read_flags(list: &Table) -> mlua::Result<ScriptFlags> {
    let mut flags = ScriptFlags::NONE;
    for index in 1..=FLAGS_MAX {
        let value: Any = list.raw_get(index)?;
        let flag = match &value {
            Any::Nil => return Ok(flags),
            Any::String(name) => ScriptFlags::named(&name.to_string_lossy().to_ascii_lowercase()),
            _ => None,
        };
        match flag {
            Some(flag) => flags = flags.and(flag),
            None => return raise("unknown flag given"),
        }
    }
    raise("too many flags given")
}

/// A string, or a number as one.
fn text(lua: &Lua, value: &Any) -> mlua::Result<Option<Vec<u8>>> {
    let is_text = matches!(value, Any::String(_) | Any::Integer(_) | Any::Number(_));
    if !is_text {
        return Ok(None);
    }
    let text: Option<LuaString> = lua.coerce_string(value.clone())?;
    Ok(text.map(|text| text.as_bytes().to_vec()))
}
