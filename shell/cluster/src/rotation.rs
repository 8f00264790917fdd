//! Which server is tried when the connection is lost.
//!
//! The library would try all of them in any order, the one that was just lost among them. One that
//! is paused lets itself be connected to and says nothing more, so each try of it costs a whole
//! timeout. Here the servers take turns, and the one that was lost comes last.

use std::time::Duration;

use async_nats::{ReconnectToServer, Server, ServerAddr};
use parking_lot::Mutex;

use crate::limits::RECONNECT_PAUSE;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    /// Those that were tried, the last one at the end.
    tried: Mutex<Vec<ServerAddr>>,
}

impl Rotation {
    /// The server to try now. None before the first connection: the library tries each one then,
    /// and so the nodes of a group do not all begin with the same.
    pub(crate) fn next(&self, servers: &[Server]) -> Option<ReconnectToServer> {
        let mut tried = self.tried.lock();
        if tried.is_empty() {
            let connected = servers.iter().filter(|server| server.did_connect);
            tried.extend(connected.map(|server| server.addr.clone()));
            if tried.is_empty() {
                return None;
            }
        }
        let turn = |server: &&Server| tried.iter().position(|it| *it == server.addr);
        let next = servers.iter().min_by_key(turn)?;
        tried.retain(|it| *it != next.addr);
        tried.push(next.addr.clone());
        Some(ReconnectToServer {
            addr: next.addr.clone(),
            delay: Some(match next.failed_attempts {
                0 => Duration::ZERO,
                _ => RECONNECT_PAUSE,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(port: u16, did_connect: bool, failed_attempts: usize) -> Server {
        Server {
            addr: format!("127.0.0.1:{port}").parse().unwrap(),
            failed_attempts,
            did_connect,
            is_discovered: false,
            last_error: None,
        }
    }

    #[test]
    fn the_library_chooses_before_the_first_connection() {
        let rotation = Rotation::default();
        assert!(rotation.next(&[server(1, false, 0)]).is_none());
    }

    #[test]
    fn servers_take_turns_and_the_lost_one_comes_last() {
        let rotation = Rotation::default();
        let mut servers = vec![server(1, false, 0), server(2, true, 0), server(3, false, 0)];
        let next = |servers: &[Server]| {
            let next = rotation.next(servers).unwrap();
            (next.addr.port(), next.delay.unwrap())
        };
        assert_eq!(next(&servers), (1, Duration::ZERO));
        servers[0].failed_attempts = 1;
        assert_eq!(next(&servers), (3, Duration::ZERO));
        servers[2].failed_attempts = 1;
        assert_eq!(next(&servers), (2, Duration::ZERO));
        assert_eq!(next(&servers), (1, RECONNECT_PAUSE));
        // One that was heard of meanwhile has not had its turn.
        servers.push(server(4, false, 0));
        assert_eq!(next(&servers), (4, Duration::ZERO));
        assert_eq!(next(&servers), (3, RECONNECT_PAUSE));
    }
}
