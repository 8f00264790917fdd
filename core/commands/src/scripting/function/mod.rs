//! `FUNCTION`: libraries of functions come and go, and are listed.
//!
//! A library's text is the state ([`engine::store::libraries`]); which functions it has is found
//! out when it comes. A replay has only to keep the text.

mod delete;
mod dump;
mod list;
mod load;
mod restore;
mod stats;

use engine::command::{Ctx, Entry, container, entry};
use engine::error::LibraryError;
use engine::limits::{LIBRARIES_BYTES_MAX, LIBRARIES_MAX};
use engine::scripting::ReadLibrary;
use engine::table::{Arity, Compat, Flags, Group, Spec};
use resp::Large;

use super::kill;
use crate::help::{Help, Helped};

/// The row.
pub(super) const FUNCTION: Entry = container(
    Spec {
        summary: "Holds commands about functions.",
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        compat: Compat::Differs(
            "Libraries and what is known of their functions may take 64 MiB in all, and a library \
             has about ten million instructions to register its functions.",
        ),
        ..Spec {
            name: "function",
            flags: Flags::NONE,
            ..SPEC
        }
    },
    &[
        entry::<delete::Delete>(),
        entry::<dump::Dump>(),
        entry::<delete::Flush>(),
        entry::<Help<OfFunction>>(),
        entry::<kill::FunctionKill>(),
        entry::<list::List>(),
        entry::<load::Load>(),
        entry::<restore::Restore>(),
        entry::<stats::Stats>(),
    ],
);

/// What all of them are.
const SPEC: Spec = Spec {
    since: "7.0.0",
    group: Group::Scripting,
    flags: Flags::NO_SCRIPT,
    ..Spec::named("")
};

/// What goes to all shards of a cluster.
const TO_ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

/// The `HELP` of `FUNCTION`.
struct OfFunction;

impl Helped for OfFunction {
    const SINCE: &'static str = "7.0.0";
    const GROUP: Group = Group::Scripting;
}

/// A text of a request, for an error.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A library that is to come: its name, and its text.
struct New {
    name: Box<[u8]>,
    code: Large,
}

/// Checks that there is room for libraries beside those that stay.
fn check_room(
    ctx: &mut Ctx<'_>,
    is_replaced: impl Fn(&[u8]) -> bool,
    (count, bytes): (usize, usize),
) -> Result<(), LibraryError> {
    let functions = &ctx.server.functions;
    let staying = ctx.store.libraries().iter();
    let (mut count, mut bytes) = (count, bytes);
    for (name, code) in staying.filter(|(name, _)| !is_replaced(name)) {
        let read = functions.library(name);
        count += 1;
        bytes += name.len() + code.len() + read.map_or(0, ReadLibrary::functions_bytes);
    }
    match count <= LIBRARIES_MAX && bytes <= LIBRARIES_BYTES_MAX {
        true => Ok(()),
        false => Err(LibraryError::TooMany),
    }
}

/// Checks that libraries that were read may be there beside those that stay.
fn check_read(
    ctx: &mut Ctx<'_>,
    read: &[ReadLibrary],
    is_replaced: impl Fn(&[u8]) -> bool,
) -> Result<(), LibraryError> {
    if let Some(name) = ctx.server.functions.clash(read.iter(), &is_replaced) {
        return Err(LibraryError::FunctionExists(shown(name)));
    }
    let bytes =
        |library: &ReadLibrary| library.name.len() + library.code.len() + library.functions_bytes();
    let bytes = read.iter().map(bytes).sum();
    check_room(ctx, is_replaced, (read.len(), bytes))
}
