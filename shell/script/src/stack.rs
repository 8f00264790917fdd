//! Where a script is: what errors say of it.

use mlua::{Lua, Table, Value as Any};

use crate::failure::{Raised, text_of};
use crate::interpreter::PRELUDE_NAME;

/// Adds what the prelude needs of this.
pub(crate) fn add_to(lua: &Lua, native: &Table) -> mlua::Result<()> {
    let text = lua.create_function(|lua, value: Any| match &value {
        Any::Error(error) => match error.downcast_ref::<Raised>() {
            Some(raised) => Ok(Any::Table(raised.table(lua)?)),
            None => Ok(Any::String(lua.create_string(text_of(error))?)),
        },
        _ => Ok(value),
    })?;
    native.raw_set("text", text)?;
    let place = lua.create_function(|lua, ()| Ok(place(lua)))?;
    native.raw_set("place", place)
}

/// The stack below the function that runs, without what belongs to the prelude: source and line of
/// each function.
fn frames(lua: &Lua) -> impl Iterator<Item = (String, Option<usize>)> {
    let frame = move |level| {
        lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = source.source.map(|name| name.into_owned());
            let is_tail = source.what == "tail";
            (name.unwrap_or_default(), debug.current_line(), is_tail)
        })
    };
    (1..)
        .map_while(frame)
        .filter(|(name, _, is_tail)| name != PRELUDE_NAME && !is_tail)
        .map(|(name, line, _)| (name, line))
}

/// Where in a script an error arose.
fn place(lua: &Lua) -> (Option<String>, Option<usize>) {
    match frames(lua).find(|(_, line)| line.is_some()) {
        Some((name, line)) => (Some(name), line),
        None => (None, None),
    }
}

/// What an error begins with that a function of a library raises.
pub(crate) fn position(lua: &Lua) -> String {
    match frames(lua).next() {
        Some((name, Some(line))) => format!("{}:{line}: ", name.trim_start_matches('@')),
        Some((_, None)) | None => String::new(),
    }
}
