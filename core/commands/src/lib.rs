//! Every command, a file each, and the table of them that an engine is given.
//!
//! A family is a folder with a list, `COMMANDS`, which has a line for each command. The
//! documentation of a command is Markdown beside it. What a command is made of, and what it may do,
//! is in [`engine::command`]; the engine knows the commands only by [`TABLE`].

mod bitmap;
mod channels;
mod cluster;
mod connection;
mod cursor;
mod element;
mod float;
mod geo;
mod hash;
mod help;
mod hyperloglog;
mod key;
mod list;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod timeout;
mod transaction;
mod wait;

use engine::command::{CommandTable, Entry, Numbered, count};

/// Every command, family by family; names are unique.
pub static COMMANDS: &[&[Entry]] = &[
    bitmap::COMMANDS,
    channels::COMMANDS,
    cluster::COMMANDS,
    connection::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    key::COMMANDS,
    list::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
];

/// Every command, in no particular order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    COMMANDS.iter().flat_map(|family| family.iter())
}

static NUMBERED: Numbered<{ count(COMMANDS) }> = Numbered::new(COMMANDS);

/// Every command, for an engine.
pub static TABLE: CommandTable = CommandTable::of(&NUMBERED);
