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

use engine::command::{Ctx, Entry, entry};

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

/// Answers an argument of the request, and refers to it if it is large.
fn reply_argument(argument: &[u8], ctx: &mut Ctx<'_>) {
    match ctx.store.large(argument) {
        Some(large) => ctx.reply.bulk_shared(Box::new(large.clone())),
        None => ctx.reply.bulk(argument),
    }
}
