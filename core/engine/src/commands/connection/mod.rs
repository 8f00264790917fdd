//! Commands about the connection itself.

mod auth;
mod client_name;
mod credentials;
mod echo;
mod hello;
mod ping;
mod quit;
mod reset;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<auth::Auth>(),
    entry::<echo::Echo>(),
    entry::<hello::Hello>(),
    entry::<ping::Ping>(),
    entry::<quit::Quit>(),
    entry::<reset::Reset>(),
];
