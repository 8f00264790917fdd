//! Where the snapshots of a group are kept.
//!
//! All nodes see the same place. It is no part of the log service, so that a lost log is not the
//! end. Which snapshots are needed and how far the log may be trimmed is decided by
//! [`replication::Snapshots`], what is in one by [`persistence::snapshot`].

mod folder;

use std::io;
use std::time::Duration;

use engine::store::keyspace::Frozen;
use engine::{Engine, Now};
use persistence::snapshot::{KeepError, LoadError, Progress};
use replication::{NodeId, Position, Seq, Snapshots};

pub use folder::SnapshotFolder;

/// The snapshots of a group, as one node sees them. Calls may take long: no client waits for them.
pub trait SnapshotStore: Send + Sync + 'static {
    /// The snapshots that count.
    ///
    /// # Errors
    /// The place cannot be read.
    fn snapshots(&self) -> Result<Snapshots, StoreError>;

    /// Keeps what a node had at a position, once it has been read back from this place into `empty`
    /// and found to be the same. Returns the size in bytes.
    ///
    /// # Errors
    /// [`KeepError`]; what counts is as before.
    fn keep(
        &self,
        frozen: &Frozen,
        at: &Position,
        empty: Engine,
        now: Now,
        progress: &Progress,
    ) -> Result<u64, KeepError>;

    /// Loads a snapshot into an empty engine. Returns where in the log it is.
    ///
    /// # Errors
    /// [`TakeError`]. What the engine has then is of no use.
    fn take(&self, seq: Seq, engine: &mut Engine, now: Now) -> Result<Position, TakeError>;

    /// Where in the log a snapshot is, as it says itself; nothing else of it is read.
    ///
    /// # Errors
    /// [`TakeError`]
    fn position(&self, seq: Seq) -> Result<Position, TakeError>;

    /// Removes snapshots that nobody needs. To be called after the log was trimmed.
    ///
    /// # Errors
    /// The place cannot be read, or one cannot be removed. Another node may have done it already.
    fn clean_up(&self) -> Result<(), StoreError>;

    /// Says how far this node has read, and that it is alive.
    ///
    /// # Errors
    /// That cannot be written. A torn file counts as nothing, and is written again soon.
    fn say_read(&self, seq: Seq) -> Result<(), StoreError>;

    /// How far those nodes have read that have said so within `silence` before this node did: times
    /// are by one clock, that of the place.
    ///
    /// # Errors
    /// The place cannot be read, or this node has said nothing yet.
    fn live(&self, silence: Duration) -> Result<Vec<(NodeId, Seq)>, StoreError>;
}

/// The place of snapshots cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the snapshots of the group at {place}: {source}")]
pub struct StoreError {
    /// The file or folder.
    pub(crate) place: String,
    pub(crate) source: io::Error,
}

/// A snapshot cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is not that of its name.
    #[error("the snapshot {name} says that it is of record {found}")]
    Misnamed {
        /// The snapshot.
        name: String,
        /// The record that it says.
        found: Seq,
    },
}

/// Returns where a snapshot is, if that is what its name says.
fn as_named(name: impl Into<String>, seq: Seq, found: Position) -> Result<Position, TakeError> {
    match found.seq == seq {
        true => Ok(found),
        false => Err(TakeError::Misnamed {
            name: name.into(),
            found: found.seq,
        }),
    }
}
