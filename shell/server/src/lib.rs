//! The thin shell around an engine: sockets, connections, the clock, and the lock around the shard.
//!
//! A few threads each serve some of the connections, in turns. In a turn a thread reads from the
//! sockets that have something, takes the shard's lock once for what it has read, runs all of it,
//! releases the lock and sends the replies. Commands are atomic because the lock covers them; the
//! engine knows nothing of threads. What must wait (a blocking read, a reply that is not durable
//! yet) waits without the lock, and no thread waits for it.

mod accept;
mod changes;
mod clock;
mod config_file;
mod connection;
mod connections;
mod cycle;
mod dropper;
mod figures;
mod group;
mod hold;
mod io_thread;
pub mod limits;
mod listen;
mod loading;
mod mailbox;
mod memory;
mod migrator;
mod packer;
mod preparer;
mod refusals;
mod shard;
mod socket;
mod threads;
mod tls;
mod upkeep;

pub use clock::Clock;
pub use config_file::read_users;
pub use group::{GroupConfig, JoinError, NodeFileError};
pub use listen::{ListenError, Listeners};
pub use memory::Allocator;
pub use shard::Shard;
pub use threads::{Options, serve, survive_signals};
#[cfg(fuzzing)]
pub use tls::door as tls_door;
pub use tls::{FileError, TlsError};
