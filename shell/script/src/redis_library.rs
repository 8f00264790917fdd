//! The functions of the library `redis` that need nothing of the engine, and how the others read
//! their arguments.

use engine::limits::SCRIPT_LOG_BYTES_MAX;
use engine::scripting::{LogLevel, Sha};
use mlua::{Lua, MultiValue, Table, Value as Any};
use resp::Protocol;

use crate::failure::raise;

/// Adds them to the library.
pub(crate) fn add_to(lua: &Lua, redis: &Table) -> mlua::Result<()> {
    let sha1hex = lua.create_function(|lua, arguments: MultiValue| {
        if arguments.len() != 1 {
            return raise("wrong number of arguments");
        }
        let text = lua.coerce_string(arguments[0].clone())?;
        let name = Sha::of(
            text.map(|text| text.as_bytes().to_vec())
                .unwrap_or_default()
                .as_slice(),
        );
        lua.create_string(name.as_bytes())
    })?;
    redis.raw_set("sha1hex", sha1hex)?;
    let set_repl = lua.create_function(|lua, arguments: MultiValue| {
        if arguments.len() != 1 {
            return raise("redis.set_repl() requires one argument.");
        }
        match number(lua, &arguments, 0)?.is_some_and(|flags| (0.0..4.0).contains(&flags)) {
            true => Ok(()),
            false => raise(
                "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
            ),
        }
    })?;
    redis.raw_set("set_repl", set_repl)?;
    redis.raw_set(
        "error_reply",
        lua.create_function(|lua, a| reply(lua, &a, "err"))?,
    )?;
    redis.raw_set(
        "status_reply",
        lua.create_function(|lua, a| reply(lua, &a, "ok"))?,
    )?;
    let yes = lua.create_function(|_, _: MultiValue| Ok(true))?;
    redis.raw_set("replicate_commands", yes)?;
    let no = lua.create_function(|_, _: MultiValue| Ok(false))?;
    redis.raw_set("breakpoint", no)?;
    let nothing = lua.create_function(|_, _: MultiValue| Ok(()))?;
    redis.raw_set("debug", nothing)?;
    let version = engine::REDIS_VERSION;
    redis.raw_set("REDIS_VERSION", version)?;
    let parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let number = parts.fold(0, |number: i64, part: i64| number << 8 | part);
    redis.raw_set("REDIS_VERSION_NUM", number)?;
    for (name, value) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
    ] {
        redis.raw_set(name, value)?;
    }
    Ok(())
}

/// A table that a script returns to answer an error or a status.
fn reply(lua: &Lua, arguments: &MultiValue, kind: &str) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let Some(Any::String(text)) = arguments.front().filter(|_| arguments.len() == 1) else {
        table.raw_set("err", "ERR wrong number or type of arguments")?;
        return Ok(table);
    };
    let text = text.as_bytes().to_vec();
    let text = match kind {
        "err" => error_text(&text),
        _ => text,
    };
    table.raw_set(kind, lua.create_string(text)?)?;
    Ok(table)
}

/// The text of an error, which begins with a code.
fn error_text(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = text
        .iter()
        .position(|byte| !is_end(byte))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|byte| !is_end(byte))
        .map_or(start, |at| at + 1);
    let text = text.get(start..end).unwrap_or_default();
    match text.contains(&b' ') {
        true => text.to_vec(),
        false => [b"ERR ", text].concat(),
    }
}

fn number(lua: &Lua, arguments: &MultiValue, index: usize) -> mlua::Result<Option<f64>> {
    match arguments.get(index) {
        Some(value @ (Any::Integer(_) | Any::Number(_) | Any::String(_))) => {
            lua.coerce_number(value.clone())
        }
        Some(_) | None => Ok(None),
    }
}

/// The arguments of `redis.log`.
pub(crate) fn log_line(lua: &Lua, arguments: &MultiValue) -> mlua::Result<(LogLevel, Vec<u8>)> {
    if arguments.len() < 2 {
        return raise("redis.log() requires two arguments or more.");
    }
    let Some(level) = number(lua, arguments, 0)? else {
        return raise("First argument must be a number (log level).");
    };
    let level = match level as i64 {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        3 => LogLevel::Warning,
        _ => return raise("Invalid log level."),
    };
    let mut text = Vec::new();
    for value in arguments.iter().skip(1) {
        // Of a longer line nothing more is written.
        if text.len() > SCRIPT_LOG_BYTES_MAX {
            break;
        }
        if let Some(part) = lua.coerce_string(value.clone())? {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(&part.as_bytes());
        }
    }
    Ok((level, text))
}

/// The argument of `redis.setresp`.
pub(crate) fn protocol(lua: &Lua, arguments: &MultiValue) -> mlua::Result<Protocol> {
    if arguments.len() != 1 {
        return raise("redis.setresp() requires one argument.");
    }
    match number(lua, arguments, 0)?.map(|version| version as i64) {
        Some(2) => Ok(Protocol::Resp2),
        Some(3) => Ok(Protocol::Resp3),
        Some(_) | None => raise("RESP version must be 2 or 3."),
    }
}
