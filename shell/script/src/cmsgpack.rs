//! The library `cmsgpack`: values of Lua as MessagePack, and back.
//!
//! A table is an array if its keys are 1 to its number of elements, and a map otherwise. A number
//! is an integer if it is whole, and else as short a floating-point number as has its value. What
//! is nested too deeply is written as nil.

mod pack;
mod unpack;

use mlua::{Lua, MultiValue, Table, Value as Any};

use crate::failure::{Arguments, Failure, add, fail};
use crate::work::Work;

/// How deep tables may lie in one another.
const DEPTH_MAX: usize = 16;

/// Makes the library.
pub(crate) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    add(lua, &library, "pack", |lua, arguments| {
        if arguments.len() == 0 {
            return fail("bad argument #0 to 'pack' (MessagePack pack needs input.)");
        }
        let (work, mut out) = (Work::new(lua), Vec::new());
        for index in 0..arguments.len() {
            pack::pack(&work, &mut out, arguments.get(index), 0)?;
        }
        let packed = Any::String(lua.create_string(out)?);
        Ok(MultiValue::from_vec(vec![packed]))
    })?;
    add(lua, &library, "unpack", |lua, arguments| {
        unpack_some(lua, arguments, "unpack", 0, 0)
    })?;
    add(lua, &library, "unpack_one", |lua, arguments| {
        let offset = arguments.number_or(lua, "unpack_one", 1, 0.0)?;
        unpack_some(lua, arguments, "unpack_one", 1, offset as i64)
    })?;
    add(lua, &library, "unpack_limit", |lua, arguments| {
        let limit = arguments.number(lua, "unpack_limit", 1)?;
        let offset = arguments.number_or(lua, "unpack_limit", 2, 0.0)?;
        unpack_some(lua, arguments, "unpack_limit", limit as i64, offset as i64)
    })?;
    Ok(library)
}

/// Reads this many values, or all if it is 0, from an offset on. Unless all are read, the offset of
/// the next comes before them, -1 if there is none.
fn unpack_some(
    lua: &Lua,
    arguments: &Arguments,
    name: &str,
    limit: i64,
    offset: i64,
) -> Result<MultiValue, Failure> {
    let text = arguments.string(lua, name, 0)?;
    let text = text.as_bytes();
    if limit < 0 || offset < 0 {
        return fail(format!(
            "Invalid request to unpack with offset of {offset} and limit of {}.",
            text.len()
        ));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    if start > text.len() {
        return fail(format!(
            "Start offset {offset} greater than input length {}.",
            text.len()
        ));
    }
    let reads_all = limit == 0 && offset == 0;
    let limit = match limit {
        0 => i64::from(i32::MAX),
        limit => limit,
    };
    let mut reader = unpack::Unpacker::new(lua, &text[start..]);
    let mut values = Vec::new();
    while reader.left() > 0 && (values.len() as i64) < limit {
        if values.len() >= VALUES_MAX {
            return fail("too many values to unpack");
        }
        values.push(reader.value(lua, 0)?);
    }
    if !reads_all {
        let next = match reader.left() {
            0 => -1,
            left => (text.len() - left) as i64,
        };
        values.insert(0, Any::Integer(next));
    }
    Ok(MultiValue::from_vec(values))
}

/// How many values a function can return.
const VALUES_MAX: usize = 7000;
