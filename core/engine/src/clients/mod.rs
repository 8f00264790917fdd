//! The connected clients: who they are, what they wait for, watch, listen to and are shown, and
//! when they have to go.
//!
//! Here is what the engine keeps of clients. How a request of theirs runs is in
//! [`crate::request`]; their sockets are the shell's.

pub mod channels;
pub mod delivery;
pub mod line;
pub mod monitor;
pub mod pattern_reads;
pub mod pause;
pub mod session;
pub mod tracking;
pub mod waiting;
pub mod watch;
