//! From a value of Lua to JSON.

use mlua::{Lua, Table, Value as Any};

use super::{DEPTH_MAX, Invalid, Options};
use crate::failure::{Failure, fail, type_name};
use crate::number::write_general;
use crate::work::{VALUE_BYTES, Work};

/// Writes a value.
pub(super) fn encode(
    lua: &Lua,
    value: &Any,
    options: &Options,
    array_mark: &Table,
) -> Result<Vec<u8>, Failure> {
    let mut encoder = Encoder {
        options,
        array_mark,
        out: Vec::new(),
        work: Work::new(lua),
    };
    encoder.value(value, 0)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    options: &'a Options,
    array_mark: &'a Table,
    out: Vec<u8>,
    work: Work<'a>,
}

/// What is made of a part of a text at once, at most six times as much, is counted then.
const PART_BYTES: usize = 4096;

impl Encoder<'_> {
    fn value(&mut self, value: &Any, depth: i64) -> Result<(), Failure> {
        self.work.made(&self.out, VALUE_BYTES)?;
        match value {
            Any::String(text) => self.string(&text.as_bytes())?,
            Any::Integer(number) => self.number(*number as f64)?,
            Any::Number(number) => self.number(*number)?,
            Any::Boolean(true) => self.out.extend_from_slice(b"true"),
            Any::Boolean(false) => self.out.extend_from_slice(b"false"),
            Any::Nil => self.out.extend_from_slice(b"null"),
            Any::LightUserData(_) if value.is_null() => self.out.extend_from_slice(b"null"),
            Any::Table(table) => self.table(table, depth + 1)?,
            Any::LightUserData(_)
            | Any::Function(_)
            | Any::Thread(_)
            | Any::UserData(_)
            | Any::Error(_)
            | Any::Other(_) => {
                let name = type_name(value);
                return fail(format!("Cannot serialise {name}: type not supported"));
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, depth: i64) -> Result<(), Failure> {
        if depth > self.options.encode_depth.get().min(DEPTH_MAX) {
            return fail(format!("Cannot serialise, excessive nesting ({depth})"));
        }
        let is_marked = table
            .metatable()
            .is_some_and(|mark| mark == *self.array_mark);
        match self.array_len(table)? {
            Some(len) if len > 0 || is_marked => self.array(table, len, depth),
            Some(_) | None => self.object(table, depth),
        }
    }

    /// The length of a table that is an array. One that is too sparse may be none.
    fn array_len(&self, table: &Table) -> Result<Option<i64>, Failure> {
        // Most arrays have no holes; those that begin with their first element are looked at whole.
        let (mut max, mut items, mut is_array) = (0, 0, true);
        table.for_each(|key: Any, _: Any| {
            let key = match key {
                Any::Integer(key) => key,
                Any::Number(key) if key.fract() == 0.0 => key as i64,
                _ => 0,
            };
            is_array &= key > 0;
            max = max.max(key);
            items += 1;
            self.work.did(VALUE_BYTES)
        })?;
        if !is_array {
            return Ok(None);
        }
        let options = self.options;
        let ratio = options.sparse_ratio.get();
        if ratio > 0 && max > i64::saturating_mul(items, ratio) && max > options.sparse_safe.get() {
            return match options.sparse_convert.get() {
                true => Ok(None),
                false => fail("Cannot serialise table: excessively sparse array"),
            };
        }
        Ok(Some(max))
    }

    fn array(&mut self, table: &Table, len: i64, depth: i64) -> Result<(), Failure> {
        self.out.push(b'[');
        for index in 1..=len {
            if index > 1 {
                self.out.push(b',');
            }
            self.value(&table.raw_get(index)?, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, table: &Table, depth: i64) -> Result<(), Failure> {
        self.out.push(b'{');
        let mut is_first = true;
        let mut failure = None;
        let walked = table.for_each(|key: Any, value: Any| {
            if !std::mem::take(&mut is_first) {
                self.out.push(b',');
            }
            let written = self.key(&key).and_then(|()| self.value(&value, depth));
            written.map_err(|found| {
                failure = Some(found);
                mlua::Error::runtime("")
            })
        });
        match (failure, walked) {
            (Some(failure), _) => return Err(failure),
            (None, walked) => walked?,
        }
        self.out.push(b'}');
        Ok(())
    }

    fn key(&mut self, key: &Any) -> Result<(), Failure> {
        match key {
            Any::String(text) => self.string(&text.as_bytes())?,
            Any::Integer(_) | Any::Number(_) => {
                self.out.push(b'"');
                self.number(match key {
                    Any::Integer(number) => *number as f64,
                    key => key.as_f64().unwrap_or_default(),
                })?;
                self.out.push(b'"');
            }
            _ => {
                let name = type_name(key);
                return fail(format!(
                    "Cannot serialise {name}: table key must be a number or string"
                ));
            }
        }
        self.out.push(b':');
        Ok(())
    }

    fn number(&mut self, number: f64) -> Result<(), Failure> {
        if !number.is_finite() {
            match self.options.encode_invalid.get() {
                Invalid::Refused => {
                    return fail("Cannot serialise number: must not be NaN or Inf");
                }
                Invalid::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                Invalid::Written if number.is_nan() => {
                    self.out.extend_from_slice(b"nan");
                    return Ok(());
                }
                Invalid::Written => {}
            }
        }
        let precision = self.options.precision.get();
        write_general(
            &mut self.out,
            number,
            usize::try_from(precision).unwrap_or(14),
        );
        Ok(())
    }

    fn string(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.out.push(b'"');
        for part in text.chunks(PART_BYTES) {
            self.work.made(&self.out, part.len())?;
            self.escaped(part);
        }
        self.out.push(b'"');
        Ok(())
    }

    fn escaped(&mut self, part: &[u8]) {
        self.out.reserve(part.len());
        for byte in part {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'/' => self.out.extend_from_slice(b"\\/"),
                8 => self.out.extend_from_slice(b"\\b"),
                9 => self.out.extend_from_slice(b"\\t"),
                10 => self.out.extend_from_slice(b"\\n"),
                12 => self.out.extend_from_slice(b"\\f"),
                13 => self.out.extend_from_slice(b"\\r"),
                0..=31 | 127 => {
                    let digits = format!("\\u{byte:04x}");
                    self.out.extend_from_slice(digits.as_bytes());
                }
                byte => self.out.push(*byte),
            }
        }
    }
}
