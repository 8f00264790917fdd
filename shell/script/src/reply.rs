//! From the reply of a command to a value of Lua.

use engine::args::parse_i64;
use mlua::{Either, IntoLua, Lua, LuaString, Table, Value as Any};

use crate::output::Names;
use crate::work::{VALUE_BYTES, Work};

/// Reads replies. What is not complete cannot be: the engine wrote it.
pub(crate) struct ReplyReader<'a> {
    bytes: &'a [u8],
    at: usize,
    names: &'a Names,
    work: Work<'a>,
}

impl<'a> ReplyReader<'a> {
    /// Reads these bytes.
    pub(crate) fn new(bytes: &'a [u8], names: &'a Names, work: Work<'a>) -> ReplyReader<'a> {
        let at = 0;
        ReplyReader {
            bytes,
            at,
            names,
            work,
        }
    }

    /// The text of the error, if the reply is one.
    pub(crate) fn error(&mut self) -> Option<&'a [u8]> {
        match self.bytes.get(self.at) {
            Some(b'-') => Some(self.line().1),
            _ => None,
        }
    }

    /// The next value.
    pub(crate) fn value(&mut self, lua: &Lua) -> mlua::Result<Any> {
        self.work.did(VALUE_BYTES)?;
        let (kind, line) = self.line();
        let names = self.names;
        Ok(match kind {
            b':' => integer(line),
            b'$' => match parse_i64(line).and_then(|len| usize::try_from(len).ok()) {
                Some(len) => Any::String(lua.create_string(self.take(len))?),
                None => Any::Boolean(false),
            },
            b'+' => Any::Table(with(lua, &names.ok, string(line))?),
            b'-' => Any::Table(with(lua, &names.err, string(line))?),
            b'*' | b'>' => match parse_i64(line).and_then(|len| usize::try_from(len).ok()) {
                Some(len) => self.array(lua, len)?,
                None => Any::Boolean(false),
            },
            b'_' => Any::Nil,
            b'#' => Any::Boolean(line == b"t"),
            b',' => Any::Table(with(lua, &names.double, double(line))?),
            b'(' => Any::Table(with(lua, &names.big_number, string(line))?),
            b'=' => self.verbatim(lua, line)?,
            b'%' => {
                let map = lua.create_table()?;
                for _ in 0..count(line) {
                    let (key, value) = (self.value(lua)?, self.value(lua)?);
                    if !key.is_nil() {
                        map.raw_set(key, value)?;
                    }
                }
                Any::Table(with(lua, &names.map, map)?)
            }
            b'~' => {
                let set = lua.create_table()?;
                for _ in 0..count(line) {
                    let member = self.value(lua)?;
                    if !member.is_nil() {
                        set.raw_set(member, true)?;
                    }
                }
                Any::Table(with(lua, &names.set, set)?)
            }
            // An attribute says something of the reply behind it.
            b'|' => {
                for _ in 0..2 * count(line) {
                    self.value(lua)?;
                }
                self.value(lua)?
            }
            _ => Any::Nil,
        })
    }

    fn array(&mut self, lua: &Lua, len: usize) -> mlua::Result<Any> {
        let array = lua.create_table_with_capacity(len, 0)?;
        for index in 1..=len {
            let value = self.value(lua)?;
            array.raw_set(index, value)?;
        }
        Ok(Any::Table(array))
    }

    fn verbatim(&mut self, lua: &Lua, line: &[u8]) -> mlua::Result<Any> {
        let text = self.take(count(line));
        let (format, text) = text.split_at(text.len().min(4));
        let format = format.get(..3).unwrap_or(format);
        let names = self.names;
        let parts = [(&names.string, text), (&names.format, format)];
        let inner = lua.create_table_from(parts.map(|(name, part)| (name, string(part))))?;
        Ok(Any::Table(with(lua, &names.verbatim_string, inner)?))
    }

    /// The type of the next value, and the rest of its first line.
    fn line(&mut self) -> (u8, &'a [u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\r');
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += line.len() + 2;
        match line.split_first() {
            Some((kind, line)) => (*kind, line),
            None => (b'_', b""),
        }
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let bytes = self.bytes.get(self.at..self.at.saturating_add(len));
        self.at += len + 2;
        bytes.unwrap_or_default()
    }
}

fn count(line: &[u8]) -> usize {
    let count = parse_i64(line).and_then(|count| usize::try_from(count).ok());
    count.unwrap_or_default()
}

fn integer(line: &[u8]) -> Any {
    Any::Integer(parse_i64(line).unwrap_or_default())
}

fn double(line: &[u8]) -> f64 {
    let text = std::str::from_utf8(line).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// A string to make, without a handle if it is text.
pub(crate) fn string(bytes: &[u8]) -> Either<&str, impl IntoLua> {
    match str::from_utf8(bytes) {
        Ok(text) => Either::Left(text),
        Err(_) => Either::Right(LuaString::wrap(bytes)),
    }
}

fn with(lua: &Lua, name: &LuaString, value: impl IntoLua) -> mlua::Result<Table> {
    lua.create_table_from([(name, value)])
}
