//! Functions of the library `string` that take long on long texts: they say at once what cannot be
//! made, and count as work.

use mlua::{Lua, LuaString, Table};

use crate::failure::{add, fail, one};
use crate::limits::MEMORY_BYTES_MAX;
use crate::work::Work;

/// Adds what the prelude needs of this.
pub(crate) fn add_to(lua: &Lua, native: &Table) -> mlua::Result<()> {
    add(lua, native, "rep", |lua, arguments| {
        let text: LuaString = arguments.string(lua, "rep", 0)?;
        let times = arguments.number(lua, "rep", 1)?;
        let times = if times < 1.0 { 0 } else { times as usize };
        let text = text.as_bytes();
        let bytes = text.len().saturating_mul(times);
        if bytes > MEMORY_BYTES_MAX.saturating_sub(lua.used_memory()) {
            return fail("not enough memory");
        }
        // Filling memory is faster than most work.
        Work::new(lua).did(bytes / 16)?;
        let times = if text.is_empty() { 0 } else { times };
        one(lua, lua.create_string(text.repeat(times))?)
    })
}
