//! What the functions of the libraries fail with, and how they read their arguments.

use std::fmt;

use crate::stack;
use mlua::{IntoLua, Lua, LuaString, MultiValue, Table, Value as Any};

/// Why a function of a library fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Its arguments, or what they hold.
    Text(String),
    /// The interpreter itself: it has no memory left.
    Lua(mlua::Error),
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Failure {
        Failure::Lua(error)
    }
}

/// Fails with a text.
pub(crate) fn fail<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Text(text.into()))
}

/// An error of the engine, which scripts see as a table, or of a command.
#[derive(Debug)]
pub(crate) struct Raised {
    /// The whole error.
    pub(crate) text: Vec<u8>,
    /// It is that of a command, which was counted when the command failed.
    pub(crate) is_counted: bool,
}

impl Raised {
    /// The table that scripts see.
    pub(crate) fn table(&self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.raw_set("err", lua.create_string(&self.text)?)?;
        if self.is_counted {
            table.raw_set("ignore_error_stats_update", true)?;
        }
        Ok(table)
    }

    /// The error to raise.
    pub(crate) fn into_error(self) -> mlua::Error {
        mlua::Error::external(self)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::error::Error for Raised {}

/// Raises an error of the engine.
pub(crate) fn raise<T>(text: impl fmt::Display) -> mlua::Result<T> {
    let text = format!("ERR {text}").into_bytes();
    let is_counted = false;
    Err(Raised { text, is_counted }.into_error())
}

/// What an error of the interpreter says, as Lua itself would say it.
pub(crate) fn text_of(error: &mlua::Error) -> String {
    match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        mlua::Error::RuntimeError(text) => text.clone(),
        mlua::Error::MemoryError(_) => "not enough memory".to_owned(),
        mlua::Error::CallbackError { cause, .. } => text_of(cause),
        error => error.to_string(),
    }
}

/// Adds a function to a library. Where it was called is said before what it fails with.
pub(crate) fn add<F>(lua: &Lua, library: &Table, name: &str, run: F) -> mlua::Result<()>
where
    F: Fn(&Lua, &Arguments) -> Result<MultiValue, Failure> + 'static,
{
    let run = lua.create_function(move |lua, values: MultiValue| {
        let arguments = Arguments { values };
        run(lua, &arguments).map_err(|failure| match failure {
            Failure::Lua(error) => error,
            Failure::Text(text) => {
                let position = stack::position(lua);
                mlua::Error::RuntimeError(format!("{position}{text}"))
            }
        })
    })?;
    library.raw_set(name, run)
}

/// One value as all that is returned.
pub(crate) fn one(lua: &Lua, value: impl IntoLua) -> Result<MultiValue, Failure> {
    Ok(MultiValue::from_vec(vec![value.into_lua(lua)?]))
}

/// The arguments of a function of a library.
#[derive(Debug)]
pub(crate) struct Arguments {
    values: MultiValue,
}

impl Arguments {
    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument at an index, from 0; nil if there is none.
    pub(crate) fn get(&self, index: usize) -> &Any {
        self.values.get(index).unwrap_or(&Any::Nil)
    }

    /// Says that an argument is not what it must be.
    fn bad<T>(&self, function: &str, index: usize, expected: &str) -> Result<T, Failure> {
        let found = match self.values.get(index) {
            None => "no value",
            Some(value) => type_name(value),
        };
        let number = index + 1;
        fail(format!(
            "bad argument #{number} to '{function}' ({expected} expected, got {found})"
        ))
    }

    /// A string, or a number as text.
    pub(crate) fn string(
        &self,
        lua: &Lua,
        function: &str,
        index: usize,
    ) -> Result<LuaString, Failure> {
        match self.get(index) {
            Any::String(text) => Ok(text.clone()),
            value @ (Any::Integer(_) | Any::Number(_)) => {
                let text = lua.coerce_string(value.clone())?;
                match text {
                    Some(text) => Ok(text),
                    None => self.bad(function, index, "string"),
                }
            }
            Any::Nil
            | Any::Boolean(_)
            | Any::LightUserData(_)
            | Any::Table(_)
            | Any::Function(_)
            | Any::Thread(_)
            | Any::UserData(_)
            | Any::Error(_)
            | Any::Other(_) => self.bad(function, index, "string"),
        }
    }

    /// A number, or a text that is one.
    pub(crate) fn number(&self, lua: &Lua, function: &str, index: usize) -> Result<f64, Failure> {
        match self.get(index) {
            Any::Integer(number) => Ok(*number as f64),
            Any::Number(number) => Ok(*number),
            Any::String(text) => match lua.coerce_number(Any::String(text.clone()))? {
                Some(number) => Ok(number),
                None => self.bad(function, index, "number"),
            },
            Any::Nil
            | Any::Boolean(_)
            | Any::LightUserData(_)
            | Any::Table(_)
            | Any::Function(_)
            | Any::Thread(_)
            | Any::UserData(_)
            | Any::Error(_)
            | Any::Other(_) => self.bad(function, index, "number"),
        }
    }

    /// The same, or `default` if there is none or it is nil.
    pub(crate) fn number_or(
        &self,
        lua: &Lua,
        function: &str,
        index: usize,
        default: f64,
    ) -> Result<f64, Failure> {
        match self.get(index) {
            Any::Nil => Ok(default),
            _ => self.number(lua, function, index),
        }
    }
}

/// The name that Lua gives the type of a value.
pub(crate) fn type_name(value: &Any) -> &'static str {
    match value {
        Any::LightUserData(_) => "userdata",
        Any::Integer(_) => "number",
        value => value.type_name(),
    }
}
