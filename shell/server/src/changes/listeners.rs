//! `CONFIG SET bind` and `port`.

use std::net::SocketAddr;

use engine::config::{BIND, PORT, ShellConfig};
use engine::error::CmdError;
use engine::server::Server;

use super::refused;
use crate::accept::Rebind;
use crate::figures;
use crate::listen::TcpAddress;
use crate::mailbox::Message;
use crate::shard::{ACCEPTING_THREAD, Shard};

/// Listens on the addresses that are wanted, and on no others any more. Names are looked up here.
pub(super) fn listen(
    shard: &Shard,
    before: &ShellConfig,
    wanted: &ShellConfig,
) -> Result<Vec<SocketAddr>, CmdError> {
    let refusal = || {
        if before.bind == wanted.bind {
            refused(PORT, "Unable to listen on this port. Check server logs.")
        } else {
            refused(BIND, "Failed to bind to specified addresses.")
        }
    };
    let addresses = TcpAddress::all(&wanted.bind, wanted.port).map_err(|error| {
        tracing::warn!(%error, "the addresses stay as they are");
        refusal()
    })?;
    let (change, told) = Rebind::new(addresses, wanted.backlog);
    let accepts = shard.lock().mailboxes.get(ACCEPTING_THREAD).cloned();
    if let Some(mailbox) = accepts {
        mailbox.post(Message::Rebind(change));
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
pub(super) fn tell(server: &mut Server, config: &ShellConfig, addresses: &[SocketAddr]) {
    server.shell.listeners = figures::listeners(addresses, config.unix_socket.as_deref());
    server.shell.port = config.port;
    let listening: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    tracing::info!(addresses = listening.join(" "), "listening");
}
