//! What the address of a client tells about it.

use std::net::SocketAddr;

/// Returns whether a client is on this machine, by its address and the one that it connected to: it
/// came over the loopback, or over a unix socket, whose two addresses are one.
pub fn is_on_this_machine(address: &str, local_address: &str) -> bool {
    if address == local_address {
        return true;
    }
    let ip = address
        .parse::<SocketAddr>()
        .map(|at| at.ip().to_canonical());
    ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    #[test]
    fn loopback_and_unix_sockets_are_this_machine() {
        for address in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_on_this_machine(address, "127.0.0.1:6379"), "{address}");
        }
        assert!(is_on_this_machine("/run/weir:0", "/run/weir:0"));
        for address in ["10.0.0.7:1", "[2001:db8::1]:1", "127.0.0.1.example:1", ""] {
            assert!(!is_on_this_machine(address, "10.0.0.1:6379"), "{address}");
        }
    }
}
