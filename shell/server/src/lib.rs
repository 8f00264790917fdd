//! The thin shell around an engine: sockets, connections, the clock, and the lock around the shard.
//!
//! A few threads each run a single-threaded runtime; a connection is one task on one of them. A task reads
//! what has arrived, takes the shard's lock once, executes all of it, releases the lock and writes the
//! replies in one go. Commands are atomic because the lock covers them; the engine knows nothing of
//! threads. What must wait (a blocking read, a reply that is not durable yet) waits without the lock.

mod background;
mod clock;
mod connection;
mod figures;
mod kicker;
pub mod limits;
mod listen;
mod mailbox;
mod packer;
mod persistence;
mod shard;
pub mod snapshot;
mod threads;
mod timer;

pub use clock::Clock;
pub use journal::{SyncPolicy, TornTail};
pub use listen::{ListenError, Listeners};
pub use persistence::{FileJournal, OpenError, open, read_log, take_over};
pub use shard::{Shard, sync_policy};
pub use snapshot::LoadError;
pub use threads::{Options, serve};
