//! The log on disk: group commit, snapshots, recovery.
//!
//! The crate deals in bytes: batches of effects that the engine has encoded as RESP commands, each
//! with an LSN. It knows nothing of their meaning. From the bottom: [`Disk`] is what is asked of a
//! directory; [`LocalLog`] keeps a [`Log`] in it, in Redis' multi-part append-only format with an
//! [`annotation`] line before each group; [`Recovery`] reads one; [`Commit`] is the state machine
//! that decides when to append, sync and release.

pub mod annotation;
mod backlog;
mod check;
mod commit;
mod contained;
mod disk;
mod fatal;
mod file_disk;
mod gate;
mod health;
mod journal;
pub mod limits;
mod local;
mod log;
mod manifest;
mod names;
mod pending_file;
mod read_only;
mod reader;
mod recovery;
mod regular;
mod reserve;
mod rewrite;
mod scan;
mod unwritten;
mod window;

pub use batch::{Encoded, GroupSizes, Lsn};
pub use check::{
    Content, FileReport, Kept, LogReport, Lost, RepairError, Repaired, Rest, check, check_behind,
    repair,
};
pub use commit::{
    Commit, Counters, Cut, Elapsed, Event, Flush, Gathered, Position, SyncPolicy, Times,
    UNSYNCED_AGE_MAX,
};
pub use contained::contained;
pub use disk::{Access, Disk, DiskFile};
pub use fatal::PanicEndsProcess;
pub use file_disk::{FileDisk, free_in_steps};
pub use gate::{Gate, Lease, NotDurable};
pub use health::{Fault, Health, Operation};
pub use journal::{Journal, Listener, Stats};
pub use local::{Base, BaseWriter, FileSync, History, LocalLog};
pub use log::{
    AppendError, Group, Log, LogSize, Pace, SnapshotError, SnapshotFormat, SnapshotSink, SyncJob,
    Trimmed,
};
pub use manifest::{Entry, Manifest, ManifestError};
pub use names::Names;
pub use pending_file::{PendingFile, RenameError};
pub use read_only::ReadOnly;
pub use reader::{Behind, Damage, Reason};
pub use recovery::{
    BaseReader, Batches, Ending, Item, Progress, Recovery, RecoveryError, Report, Source,
    Superseding, TornEnd, TornTail,
};
pub use regular::open_regular;
pub use rewrite::{PendingRewrite, Rewrite};
pub use unwritten::Unwritten;
