//! `CONFIG SET bind`, `port` and `tls-port`.

use engine::config::{BIND, PORT, ShellConfig, TLS_PORT};
use engine::error::CmdError;
use engine::server::Server;

use super::refused;
use crate::accept::Rebind;
use crate::figures;
use crate::listen::{ListenError, Place, TcpAddress, Transport, shown};
use crate::mailbox::Message;
use crate::shard::{ACCEPTING_THREAD, Shard};

/// Listens on the addresses that are wanted, and on no others any more. Names are looked up here.
pub(super) fn listen(
    shard: &Shard,
    before: &ShellConfig,
    wanted: &ShellConfig,
) -> Result<Vec<Place>, CmdError> {
    let refusal = || {
        if before.bind != wanted.bind {
            return refused(BIND, "Failed to bind to specified addresses.");
        }
        let name = match before.port == wanted.port {
            true => TLS_PORT,
            false => PORT,
        };
        refused(name, "Unable to listen on this port. Check server logs.")
    };
    let addresses = addresses(wanted).map_err(|error| {
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

fn addresses(wanted: &ShellConfig) -> Result<Vec<TcpAddress>, ListenError> {
    let mut all = TcpAddress::all(&wanted.bind, wanted.port, Transport::Plain)?;
    let port = wanted.tls.port;
    all.extend(TcpAddress::all(&wanted.bind, port, Transport::Tls)?);
    Ok(all)
}

/// Tells the engine where clients can connect now.
pub(super) fn tell(server: &mut Server, config: &ShellConfig, places: &[Place]) {
    server.shell.listeners = figures::listeners(places, config.unix_socket.as_deref());
    server.shell.port = config.told_port();
    let listening: Vec<String> = places.iter().copied().map(shown).collect();
    tracing::info!(addresses = listening.join(" "), "listening");
}
