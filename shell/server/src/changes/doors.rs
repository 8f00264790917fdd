//! `CONFIG SET bind` and `port`.

use std::net::SocketAddr;
use std::path::Path;

use engine::config::Settings;
use engine::error::CmdError;
use engine::server::Server;

use super::{port, refused};
use crate::accept::DoorsChange;
use crate::figures;
use crate::inbox::Letter;
use crate::listen::TcpAddress;
use crate::shard::{Shard, TIMER_THREAD};

/// Listens on the addresses that are wanted, and on no others any more. Names are looked up here.
pub(super) fn listen(
    shard: &Shard,
    before: &Settings,
    wanted: &Settings,
) -> Result<Vec<SocketAddr>, CmdError> {
    let refusal = || {
        if before.text("bind") == wanted.text("bind") {
            refused("port", "Unable to listen on this port. Check server logs.")
        } else {
            refused("bind", "Failed to bind to specified addresses.")
        }
    };
    let addresses = TcpAddress::all(wanted.text("bind"), port(wanted)).map_err(|error| {
        tracing::warn!(%error, "the addresses stay as they are");
        refusal()
    })?;
    let (change, told) = DoorsChange::new(addresses, wanted.number("tcp-backlog"));
    let accepts = shard.lock().inboxes.get(TIMER_THREAD).cloned();
    if let Some(inbox) = accepts {
        inbox.post(Letter::Doors(change));
    }
    match told.recv() {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the addresses stay as they are");
            Err(refusal())
        }
        // The server stops.
        Err(_) => Err(CmdError::NotNow),
    }
}

/// Tells the engine where clients can connect now.
pub(super) fn tell(server: &mut Server, addresses: &[SocketAddr]) {
    let unix = match server.settings.text("unixsocket") {
        "" => None,
        path => Some(Path::new(path)),
    };
    server.shell.listeners = figures::listeners(addresses, unix);
    server.shell.port = port(&server.settings);
    let listening: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    tracing::info!(addresses = listening.join(" "), "listening");
}
