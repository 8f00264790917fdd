//! From MessagePack to values of Lua.

use mlua::{Lua, Value as Any};

use crate::failure::{Failure, fail};
use crate::work::{VALUE_BYTES, Work};

/// How deep arrays and maps may lie in one another, so that reading them needs no more stack than
/// there is.
const DEPTH_MAX: usize = 2000;

/// Reads values from the front of bytes.
pub(super) struct Unpacker<'a> {
    rest: &'a [u8],
    work: Work<'a>,
}

const MISSING: &str = "Missing bytes in input.";
const WRONG: &str = "Bad data format in input.";

impl<'a> Unpacker<'a> {
    /// Reads these bytes.
    pub(super) fn new(lua: &'a Lua, rest: &'a [u8]) -> Unpacker<'a> {
        let work = Work::new(lua);
        Unpacker { rest, work }
    }

    /// Returns how many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Failure> {
        match self.rest.split_at_checked(len) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => fail(MISSING),
        }
    }

    /// A number of so many bytes, without a sign.
    fn unsigned(&mut self, len: usize) -> Result<u64, Failure> {
        let bytes = self.take(len)?;
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The same with a sign.
    fn signed(&mut self, len: usize) -> Result<i64, Failure> {
        let shift = 64 - 8 * len;
        let number = self.unsigned(len)? << shift;
        Ok(number.cast_signed() >> shift)
    }

    /// The next value.
    pub(super) fn value(&mut self, lua: &Lua, depth: usize) -> Result<Any, Failure> {
        if depth > DEPTH_MAX {
            return fail(WRONG);
        }
        self.work.did(VALUE_BYTES)?;
        let kind = self.take(1)?[0];
        Ok(match kind {
            0x00..=0x7f => Any::Integer(i64::from(kind)),
            0xe0..=0xff => Any::Integer(i64::from(kind.cast_signed())),
            0xc0 => Any::Nil,
            0xc2 => Any::Boolean(false),
            0xc3 => Any::Boolean(true),
            0xcc => Any::Number(self.unsigned(1)? as f64),
            0xcd => Any::Number(self.unsigned(2)? as f64),
            0xce => Any::Number(self.unsigned(4)? as f64),
            // As in Redis, what needs all 64 bits has a sign.
            0xcf => Any::Number(self.unsigned(8)?.cast_signed() as f64),
            0xd0 => Any::Number(self.signed(1)? as f64),
            0xd1 => Any::Number(self.signed(2)? as f64),
            0xd2 => Any::Number(self.signed(4)? as f64),
            0xd3 => Any::Number(self.signed(8)? as f64),
            0xca => Any::Number(f64::from(f32::from_bits(self.unsigned(4)? as u32))),
            0xcb => Any::Number(f64::from_bits(self.unsigned(8)?)),
            0xa0..=0xbf => self.string(lua, usize::from(kind & 31))?,
            0xd9 => self.long_string(lua, 1)?,
            0xda => self.long_string(lua, 2)?,
            0xdb => self.long_string(lua, 4)?,
            0x90..=0x9f => self.array(lua, usize::from(kind & 15), depth)?,
            0xdc => self.long_array(lua, 2, depth)?,
            0xdd => self.long_array(lua, 4, depth)?,
            0x80..=0x8f => self.map(lua, usize::from(kind & 15), depth)?,
            0xde => self.long_map(lua, 2, depth)?,
            0xdf => self.long_map(lua, 4, depth)?,
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return fail(WRONG),
        })
    }

    fn string(&mut self, lua: &Lua, len: usize) -> Result<Any, Failure> {
        let text = self.take(len)?;
        self.work.did(len)?;
        Ok(Any::String(lua.create_string(text)?))
    }

    fn long_string(&mut self, lua: &Lua, digits: usize) -> Result<Any, Failure> {
        let len = self.unsigned(digits)?;
        self.string(lua, usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn long_array(&mut self, lua: &Lua, digits: usize, depth: usize) -> Result<Any, Failure> {
        let len = self.unsigned(digits)?;
        self.array(lua, usize::try_from(len).unwrap_or(usize::MAX), depth)
    }

    fn array(&mut self, lua: &Lua, len: usize, depth: usize) -> Result<Any, Failure> {
        let array = lua.create_table()?;
        for index in 1..=len {
            let value = self.value(lua, depth + 1)?;
            array.raw_set(index, value)?;
        }
        Ok(Any::Table(array))
    }

    fn long_map(&mut self, lua: &Lua, digits: usize, depth: usize) -> Result<Any, Failure> {
        let len = self.unsigned(digits)?;
        self.map(lua, usize::try_from(len).unwrap_or(usize::MAX), depth)
    }

    fn map(&mut self, lua: &Lua, len: usize, depth: usize) -> Result<Any, Failure> {
        let map = lua.create_table()?;
        for _ in 0..len {
            let key = self.value(lua, depth + 1)?;
            let value = self.value(lua, depth + 1)?;
            match &key {
                Any::Nil => return fail("table index is nil"),
                Any::Number(number) if number.is_nan() => return fail("table index is NaN"),
                _ => map.raw_set(key, value)?,
            }
        }
        Ok(Any::Table(map))
    }
}
