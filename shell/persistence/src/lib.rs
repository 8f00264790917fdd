//! How data is kept: the files of snapshots, and the journal of a shard, which is opened,
//! rewritten, turned on and off.
//!
//! It knows what the journal does not, the meaning of batches; and nothing of sockets, so that the
//! simulation and the tools run the same code as the server.

pub mod background;
mod check;
mod import;
mod journal_slot;
mod load;
mod open;
mod rewrite;
mod rewrite_pace;
pub mod snapshot;
pub mod turned_off;

pub use check::{CheckError, Checked, DataNames, check};
pub use import::{ImportError, Imported, Target, import};
pub use journal_slot::JournalSlot;
pub use load::Load;
pub use open::{FileJournal, JournalOptions, OpenError, open, read_log, reload, take_over};
pub use rewrite::{begin_rewrite, rewrite, write_base};
pub use rewrite_pace::RewritePace;
pub use snapshot::LoadError;
