//! Tables that all scripts share and that none may write: the functions of Lua that get by the
//! metatable that refuses it.

use mlua::{Lua, MultiValue, Table, Value as Any};

use crate::failure::{Arguments, Failure, add, fail, type_name};

/// The field of a metatable that says that its table cannot be written.
const MARK: &str = "__readonly";

const REFUSED: &str = "Attempt to modify a readonly table";

/// Adds the functions.
pub(crate) fn add_to(lua: &Lua, native: &Table) -> mlua::Result<()> {
    add(lua, native, "rawset", |_, arguments| {
        let table = writable(arguments, "rawset")?;
        match arguments.get(1) {
            Any::Nil => return fail("table index is nil"),
            Any::Number(key) if key.is_nan() => return fail("table index is NaN"),
            key => table.raw_set(key.clone(), arguments.get(2).clone())?,
        }
        Ok(MultiValue::from_vec(vec![Any::Table(table)]))
    })?;
    add(lua, native, "setmetatable", |_, arguments| {
        let table = writable(arguments, "setmetatable")?;
        let meta = match arguments.get(1) {
            Any::Nil if arguments.len() > 1 => None,
            Any::Table(meta) => Some(meta.clone()),
            _ => return fail("bad argument #2 to 'setmetatable' (nil or table expected)"),
        };
        if let Some(before) = table.metatable()
            && !before.raw_get::<Any>("__metatable")?.is_nil()
        {
            return fail("cannot change a protected metatable");
        }
        table.set_metatable(meta)?;
        Ok(MultiValue::from_vec(vec![Any::Table(table)]))
    })
}

/// The first argument, a table that may be written.
fn writable(arguments: &Arguments, function: &str) -> Result<Table, Failure> {
    let Any::Table(table) = arguments.get(0) else {
        let found = match arguments.len() {
            0 => "no value",
            _ => type_name(arguments.get(0)),
        };
        return fail(format!(
            "bad argument #1 to '{function}' (table expected, got {found})"
        ));
    };
    if let Some(meta) = table.metatable()
        && meta.raw_get::<Any>(MARK)? == Any::Boolean(true)
    {
        return Err(Failure::Lua(mlua::Error::runtime(REFUSED)));
    }
    Ok(table.clone())
}
