//! How data is kept: the files of snapshots, and the journal of a shard, which is opened,
//! rewritten, turned on and off.
//!
//! It knows what the journal does not, the meaning of batches; and nothing of sockets, so that the
//! simulation and the tools run the same code as the server. A [`Persistence`] is what a server has
//! of it; the other functions read and write what is on the disk.

pub mod background;
mod check;
mod config;
mod export;
mod import;
mod journal_slot;
pub mod limits;
mod load;
mod open;
mod rewrite;
mod rewrite_pace;
mod shard_log;
mod shared_log;
pub mod snapshot;
mod state;
mod turned_off;

pub use check::{CheckError, Checked, DataNames, check};
pub use config::Config;
pub use export::{ExportError, Exported, LeftOutOfKey, export};
pub use import::{ImportError, Imported, Target, import};
pub use journal_slot::JournalSlot;
pub use load::Load;
pub use open::{Loaded, OpenError, load, read_log};
pub use shard_log::{ShardJournal, ShardLog};
pub use shared_log::{Outlet, Part, SharedLog};
pub use snapshot::LoadError;
pub use state::{BEING_LOADED, Beginning, Begun, Ending, Persistence, Prepared, prepare};
pub use turned_off::{IgnoredJournal, ignored_journal};
