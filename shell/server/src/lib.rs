//! Sockets, connections, reply gating, the clock.
