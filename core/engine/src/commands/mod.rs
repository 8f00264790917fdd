//! The list of commands, one line each.

mod bitmap;
mod connection;
mod help;
mod index;
mod key;
mod patience;
mod server;
mod stream;
mod string;
mod transaction;

pub use index::{CommandIndex, Row};

use crate::table::Entry;

/// Every command, family by family; names are unique.
pub static COMMANDS: &[&[Entry]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    key::COMMANDS,
    server::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
];

/// Every command, in no particular order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    COMMANDS.iter().flat_map(|family| family.iter())
}
