//! From what a script returns to the reply for its client.

use mlua::{LuaString, Table, Value as Any};
use resp::{Protocol, Reply};

use crate::limits::{MADE_BYTES_MAX, REPLY_DEPTH_MAX};
use crate::work::{VALUE_BYTES, Work};

/// The names by which a table says what it is.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) err: LuaString,
    pub(crate) ok: LuaString,
    pub(crate) double: LuaString,
    pub(crate) map: LuaString,
    pub(crate) set: LuaString,
    pub(crate) big_number: LuaString,
    pub(crate) verbatim_string: LuaString,
    pub(crate) format: LuaString,
    pub(crate) string: LuaString,
}

impl Names {
    /// The names, as values of this interpreter.
    pub(crate) fn new(lua: &mlua::Lua) -> mlua::Result<Names> {
        Ok(Names {
            err: lua.create_string("err")?,
            ok: lua.create_string("ok")?,
            double: lua.create_string("double")?,
            map: lua.create_string("map")?,
            set: lua.create_string("set")?,
            big_number: lua.create_string("big_number")?,
            verbatim_string: lua.create_string("verbatim_string")?,
            format: lua.create_string("format")?,
            string: lua.create_string("string")?,
        })
    }
}

/// Writes what a script returned. `speaks` is the protocol that the script has chosen.
pub(crate) struct Output<'a> {
    pub(crate) names: &'a Names,
    pub(crate) reply: &'a mut Reply,
    pub(crate) speaks: Protocol,
    pub(crate) work: &'a Work<'a>,
}

impl Output<'_> {
    /// Writes a value.
    pub(crate) fn write(&mut self, value: &Any, depth: usize) -> mlua::Result<()> {
        // Tables that hold one another more than once are written as often.
        if self.reply.len() > MADE_BYTES_MAX {
            return Err(mlua::Error::runtime("The reply is too long"));
        }
        self.work.did(VALUE_BYTES)?;
        match value {
            Any::String(text) => {
                let text = text.as_bytes();
                // Copying is faster than most work.
                self.work.did(text.len() / 16)?;
                self.reply.bulk(&text);
            }
            Any::Integer(number) => self.reply.int(*number),
            Any::Number(number) => self.reply.int(whole(*number)),
            Any::Boolean(value) => match (self.speaks, value) {
                (Protocol::Resp3, value) => self.reply.boolean(*value),
                (Protocol::Resp2, true) => self.reply.int(1),
                (Protocol::Resp2, false) => self.reply.null(),
            },
            Any::Table(_) if depth >= REPLY_DEPTH_MAX => {
                self.reply.error("ERR reached lua stack limit");
            }
            Any::Table(table) => self.write_table(table, depth + 1)?,
            Any::Nil
            | Any::LightUserData(_)
            | Any::Function(_)
            | Any::Thread(_)
            | Any::UserData(_)
            | Any::Error(_)
            | Any::Other(_) => self.reply.null(),
        }
        Ok(())
    }

    fn write_table(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        let names = self.names;
        if let Any::String(text) = table.raw_get(&names.err)? {
            self.reply.error_bytes(&text.as_bytes());
            return Ok(());
        }
        if let Any::String(text) = table.raw_get(&names.ok)? {
            self.reply.raw(b"+");
            let line: Vec<u8> = text
                .as_bytes()
                .iter()
                .map(|byte| on_a_line(*byte))
                .collect();
            self.reply.raw(&line);
            self.reply.raw(b"\r\n");
            return Ok(());
        }
        match table.raw_get(&names.double)? {
            Any::Number(number) => {
                self.reply.double(number);
                return Ok(());
            }
            Any::Integer(number) => {
                self.reply.double(number as f64);
                return Ok(());
            }
            _ => {}
        }
        if let Any::Table(map) = table.raw_get(&names.map)? {
            return self.write_map(&map, depth);
        }
        if let Any::Table(set) = table.raw_get(&names.set)? {
            return self.write_set(&set, depth);
        }
        if let Any::String(digits) = table.raw_get(&names.big_number)? {
            let digits = digits.as_bytes();
            let digits: String = digits.iter().map(|byte| on_a_line(*byte) as char).collect();
            self.reply.big_number(&digits);
            return Ok(());
        }
        if let Any::Table(verbatim) = table.raw_get(&names.verbatim_string)?
            && let Any::String(text) = verbatim.raw_get(&names.string)?
            && let Any::String(format) = verbatim.raw_get(&names.format)?
        {
            let format = format.to_string_lossy();
            let format: String = format.chars().chain("   ".chars()).take(3).collect();
            self.reply.verbatim(&format, &text.as_bytes());
            return Ok(());
        }
        self.write_array(table, depth)
    }

    fn write_array(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        let mark = self.reply.begin();
        let mut len = 0;
        loop {
            let value: Any = table.raw_get(len + 1)?;
            if value.is_nil() || self.reply.is_full() {
                break;
            }
            self.write(&value, depth)?;
            len += 1;
        }
        self.reply.array_since(mark, len);
        Ok(())
    }

    fn write_map(&mut self, map: &Table, depth: usize) -> mlua::Result<()> {
        let mark = self.reply.begin();
        let mut len = 0;
        map.for_each(|key: Any, value: Any| {
            self.write(&key, depth)?;
            self.write(&value, depth)?;
            len += 1;
            Ok(())
        })?;
        self.reply.map_since(mark, len);
        Ok(())
    }

    fn write_set(&mut self, set: &Table, depth: usize) -> mlua::Result<()> {
        let mark = self.reply.begin();
        let mut len = 0;
        set.for_each(|member: Any, _: Any| {
            self.write(&member, depth)?;
            len += 1;
            Ok(())
        })?;
        self.reply.set_since(mark, len);
        Ok(())
    }
}

/// A number without its fraction, as x86 makes it: what is out of range is the smallest.
pub(crate) fn whole(number: f64) -> i64 {
    let whole = number as i64;
    match number.is_nan() || (whole == i64::MAX) {
        true => i64::MIN,
        false => whole,
    }
}

fn on_a_line(byte: u8) -> u8 {
    match byte {
        b'\r' | b'\n' => b' ',
        byte => byte,
    }
}
