//! Scripts and functions in Lua, behind the engine's [`ScriptHost`](engine::scripting::ScriptHost).
//!
//! The interpreter runs on a stack of its own ([`LuaHost`]), so that a script can be left in the
//! midst of anything it does, and nothing that it does needs the engine: what it wants goes out as
//! a message, and it goes on when the answer has come. Values of Lua never leave that stack.
//!
//! The libraries that scripts know are a file each: `cjson`, `cmsgpack`, `struct`, `bit` and
//! `redis`. What of the language itself scripts may use is in `prelude.lua`.

mod arguments;
mod bits;
mod cjson;
mod cmsgpack;
mod failure;
mod host;
mod interpreter;
mod kept;
mod library;
mod limits;
mod memory;
mod number;
mod output;
mod random;
mod readonly;
mod redis_library;
mod reply;
mod stack;
mod strings;
mod structs;
mod work;

pub use host::LuaHost;
