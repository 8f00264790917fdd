//! Commands about the connection itself.

mod auth;
mod client;
mod client_name;
mod credentials;
mod echo;
mod hello;
mod ping;
mod quit;
mod reset;
mod select;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<auth::Auth>(),
    client::CLIENT,
    entry::<echo::Echo>(),
    entry::<hello::Hello>(),
    entry::<ping::Ping>(),
    entry::<quit::Quit>(),
    entry::<reset::Reset>(),
    entry::<select::Select>(),
];
