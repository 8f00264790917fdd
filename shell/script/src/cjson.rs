//! The library `cjson`: values of Lua as JSON, and back.

mod decode;
mod encode;

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value as Any};

use crate::failure::{Arguments, Failure, add, fail, one};

/// What a library of its own (`cjson.new`) can be told.
#[derive(Debug, Clone)]
struct Options {
    /// Tables whose numbers are this many times more than their elements are not arrays; 0: all
    /// are.
    sparse_ratio: Cell<i64>,
    /// Arrays with no number above this are never sparse.
    sparse_safe: Cell<i64>,
    /// Tables that are too sparse become objects instead of failing.
    sparse_convert: Cell<bool>,
    encode_depth: Cell<i64>,
    decode_depth: Cell<i64>,
    /// What becomes of numbers that JSON does not have.
    encode_invalid: Cell<Invalid>,
    decode_invalid: Cell<bool>,
    /// Digits of numbers.
    precision: Cell<i64>,
    keep_buffer: Cell<bool>,
    /// Arrays that were read are marked as such, so that an empty one is written as one.
    mark_arrays: Cell<bool>,
}

/// Where one of the options is.
type Setting<T> = fn(&Options) -> &Cell<T>;

/// What becomes of NaN and the infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            sparse_ratio: Cell::new(2),
            sparse_safe: Cell::new(10),
            sparse_convert: Cell::new(false),
            encode_depth: Cell::new(1000),
            decode_depth: Cell::new(1000),
            encode_invalid: Cell::new(Invalid::Refused),
            decode_invalid: Cell::new(true),
            precision: Cell::new(14),
            keep_buffer: Cell::new(true),
            mark_arrays: Cell::new(false),
        }
    }
}

/// Deepest nesting, whatever a script allows: the stack is no deeper.
const DEPTH_MAX: i64 = 4000;

/// Makes the library.
pub(crate) fn library(lua: &Lua) -> mlua::Result<Table> {
    let array_mark = lua.create_table()?;
    let library = with_options(lua, &array_mark)?;
    let new = lua.create_function(move |lua, ()| with_options(lua, &array_mark))?;
    library.raw_set("new", new)?;
    Ok(library)
}

fn with_options(lua: &Lua, array_mark: &Table) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("_NAME", "cjson")?;
    library.raw_set("_VERSION", "2.1.0")?;
    library.raw_set("null", Any::NULL)?;
    let options = Rc::new(Options::default());
    let (shared, mark) = (options.clone(), array_mark.clone());
    add(lua, &library, "encode", move |lua, arguments| {
        if arguments.len() != 1 {
            return fail("bad argument #1 to 'encode' (expected 1 argument)");
        }
        let text = encode::encode(lua, arguments.get(0), &shared, &mark)?;
        one(lua, lua.create_string(text)?)
    })?;
    let (shared, mark) = (options.clone(), array_mark.clone());
    add(lua, &library, "decode", move |lua, arguments| {
        if arguments.len() != 1 {
            return fail("bad argument #1 to 'decode' (expected 1 argument)");
        }
        let text = arguments.string(lua, "decode", 0)?;
        let mark = shared.mark_arrays.get().then_some(&mark);
        let value = decode::decode(lua, &text.as_bytes(), &shared, mark)?;
        one(lua, value)
    })?;
    add_settings(lua, &library, &options)?;
    Ok(library)
}

fn add_settings(lua: &Lua, library: &Table, options: &Rc<Options>) -> mlua::Result<()> {
    let shared = options.clone();
    add(
        lua,
        library,
        "encode_sparse_array",
        move |lua, arguments| {
            let name = "encode_sparse_array";
            at_most(arguments, 3)?;
            switch(arguments, name, 0, &shared.sparse_convert)?;
            number(
                lua,
                arguments,
                name,
                1,
                &shared.sparse_ratio,
                0..=i64::from(i32::MAX),
            )?;
            number(
                lua,
                arguments,
                name,
                2,
                &shared.sparse_safe,
                0..=i64::from(i32::MAX),
            )?;
            Ok(MultiValue::from_vec(vec![
                Any::Boolean(shared.sparse_convert.get()),
                Any::Integer(shared.sparse_ratio.get()),
                Any::Integer(shared.sparse_safe.get()),
            ]))
        },
    )?;
    let numbers: [(&'static str, Setting<i64>, i64); 3] = [
        (
            "encode_max_depth",
            |it| &it.encode_depth,
            i64::from(i32::MAX),
        ),
        (
            "decode_max_depth",
            |it| &it.decode_depth,
            i64::from(i32::MAX),
        ),
        ("encode_number_precision", |it| &it.precision, 14),
    ];
    for (name, of, most) in numbers {
        let shared = options.clone();
        add(lua, library, name, move |lua, arguments| {
            at_most(arguments, 1)?;
            number(lua, arguments, name, 0, of(&shared), 1..=most)?;
            one(lua, of(&shared).get())
        })?;
    }
    let switches: [(&'static str, Setting<bool>); 3] = [
        ("encode_keep_buffer", |it| &it.keep_buffer),
        ("decode_invalid_numbers", |it| &it.decode_invalid),
        ("decode_array_with_array_mt", |it| &it.mark_arrays),
    ];
    for (name, of) in switches {
        let shared = options.clone();
        add(lua, library, name, move |lua, arguments| {
            at_most(arguments, 1)?;
            switch(arguments, name, 0, of(&shared))?;
            one(lua, of(&shared).get())
        })?;
    }
    let shared = options.clone();
    add(
        lua,
        library,
        "encode_invalid_numbers",
        move |lua, arguments| {
            at_most(arguments, 1)?;
            let invalid = match arguments.get(0) {
                Any::Nil => shared.encode_invalid.get(),
                Any::Boolean(false) => Invalid::Refused,
                Any::Boolean(true) => Invalid::Written,
                Any::String(text) => match &*text.as_bytes() {
                    b"off" => Invalid::Refused,
                    b"on" => Invalid::Written,
                    b"null" => Invalid::Null,
                    other => {
                        let other = String::from_utf8_lossy(other);
                        return fail(format!(
                            "bad argument #1 to 'encode_invalid_numbers' (invalid option '{other}')"
                        ));
                    }
                },
                _ => {
                    arguments.string(lua, "encode_invalid_numbers", 0)?;
                    shared.encode_invalid.get()
                }
            };
            shared.encode_invalid.set(invalid);
            match invalid {
                Invalid::Refused => one(lua, false),
                Invalid::Written => one(lua, true),
                Invalid::Null => one(lua, "null"),
            }
        },
    )
}

fn at_most(arguments: &Arguments, count: usize) -> Result<(), Failure> {
    match arguments.len() <= count {
        true => Ok(()),
        false => fail("found too many arguments"),
    }
}

fn number(
    lua: &Lua,
    arguments: &Arguments,
    name: &str,
    index: usize,
    setting: &Cell<i64>,
    range: std::ops::RangeInclusive<i64>,
) -> Result<(), Failure> {
    if arguments.get(index).is_nil() {
        return Ok(());
    }
    let value = arguments.number(lua, name, index)? as i64;
    if !range.contains(&value) {
        let (low, high) = (range.start(), range.end());
        return fail(format!(
            "bad argument #{} to '{name}' (expected integer between {low} and {high})",
            index + 1
        ));
    }
    setting.set(value);
    Ok(())
}

fn switch(
    arguments: &Arguments,
    name: &str,
    index: usize,
    setting: &Cell<bool>,
) -> Result<(), Failure> {
    match arguments.get(index) {
        Any::Nil => {}
        Any::Boolean(value) => setting.set(*value),
        Any::String(text) if &*text.as_bytes() == b"on" => setting.set(true),
        Any::String(text) if &*text.as_bytes() == b"off" => setting.set(false),
        _ => {
            return fail(format!(
                "bad argument #{} to '{name}' (expected on or off)",
                index + 1
            ));
        }
    }
    Ok(())
}
