//! What a log is to the journal, wherever it is kept.
//!
//! [`LocalLog`](crate::LocalLog) keeps it in files. A replicated backend implements the same trait:
//! `append` publishes with the expected last sequence, `sync` waits for the acknowledgement, a
//! snapshot goes to an object store. The trait knows nothing of policies, threads or waiting;
//! [`Commit`](crate::Commit) decides when to call what. Reading comes before writing: a backend's
//! recovery yields the snapshot and the batches, and then the log, open for appending.

use std::io;

use crate::health::Fault;
use batch::Lsn;

/// Whole batches, to be appended as one group: after a crash either all of them are there, or none.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// The bytes, piece by piece. The batches are RESP commands, and lines that begin with `#` but
    /// not with `#weir:` or `##`.
    pub pieces: &'a [&'a [u8]],
    /// The LSN of the last of them.
    pub last: Lsn,
    /// When it must be durable.
    pub pace: Pace,
}

/// What follows an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A sync, before anything else is appended.
    SyncNext,
    /// More appends, before there is a sync.
    SyncLater,
}

/// Why batches were not appended. Nothing of them is in the log then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// There is no room. The same append may succeed later.
    #[error("the disk is full: {0}")]
    Full(Fault),
    /// The write failed, or the log was not trusted before. It accepts nothing until a snapshot has
    /// been put.
    #[error("the log cannot be written: {0}")]
    Failed(Fault),
    /// The log is not where the caller thinks: another writer has it, or this one skipped
    /// something.
    #[error("the log has another writer: {0}")]
    Fenced(Fault),
}

/// Why a snapshot was not begun or put. The log is as it was, unless it says that it is not trusted
/// any more.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another snapshot is being written.
    #[error("a rewrite is in progress already")]
    InProgress,
    /// The disk was full, and what waits to be written must go first.
    #[error("the disk is full: {0}")]
    Full(Fault),
    /// The disk failed.
    #[error("{0}")]
    Failed(Fault),
    /// The log was closed, or the snapshot given up.
    #[error("the rewrite was given up")]
    GivenUp,
}

/// How large a log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSize {
    /// The snapshot, in bytes.
    pub base_bytes: u64,
    /// The batches since the snapshot, in bytes as they are on the disk (without what was written
    /// ahead).
    pub log_bytes: u64,
}

/// An ordered, durable sequence of batches behind a snapshot.
pub trait Log: Send + 'static {
    /// A sync that may run on another thread while appends go on.
    type Sync: SyncJob;
    /// Where a snapshot is written to; on another thread, too.
    type Sink: SnapshotSink;
    /// What a snapshot made superfluous.
    type Trimmed: Trimmed;

    /// The LSN of the last batch that was appended.
    fn last(&self) -> Lsn;

    /// The LSN up to which the log survives a power cut.
    fn durable(&self) -> Lsn;

    /// The error after which the log is not trusted, if there was one.
    fn fault(&self) -> Option<&Fault>;

    /// The size of snapshot and batches.
    fn size(&self) -> LogSize;

    /// Appends batches behind `expected`. They survive the end of the process, but a power cut only
    /// after a sync.
    ///
    /// # Errors
    /// [`AppendError`]; after `Failed` the log is not trusted any more.
    fn append(&mut self, expected: Lsn, group: Group<'_>) -> Result<(), AppendError>;

    /// Makes everything durable that was appended; gives the new [`Log::durable`].
    ///
    /// # Errors
    /// The fault; the log is not trusted any more.
    fn sync(&mut self) -> Result<Lsn, Fault>;

    /// A sync of everything that was appended so far, to be run elsewhere and then handed to
    /// [`Log::synced`].
    ///
    /// There must be no other sync, and no new snapshot, before that: the operating system reports
    /// a failure once, and a second caller at the same time may be told that all is well.
    fn sync_job(&self) -> Self::Sync;

    /// Takes note that a job ended; gives the new [`Log::durable`].
    ///
    /// # Errors
    /// The fault, if the job failed; the log is not trusted any more.
    fn synced(&mut self, job: Self::Sync, result: io::Result<()>) -> Result<Lsn, Fault>;

    /// Prepares a snapshot of the state at `at`; batches that follow are kept apart from those
    /// before.
    ///
    /// A log that is not trusted takes batches from here on, but they are durable only with the
    /// snapshot. One that is trusted, but behind `at` because there is no room for what is missing,
    /// accepts none until the snapshot has been put, and is then at `at`.
    ///
    /// # Errors
    /// [`SnapshotError`]
    fn begin_snapshot(&mut self, at: Lsn) -> Result<Self::Sink, SnapshotError>;

    /// Makes a snapshot the start of the log. From then on the log is trusted.
    ///
    /// # Errors
    /// [`SnapshotError`]; the log begins where it did.
    fn put_snapshot(
        &mut self,
        snapshot: <Self::Sink as SnapshotSink>::Snapshot,
    ) -> Result<Self::Trimmed, SnapshotError>;

    /// Gives up a snapshot that was begun.
    fn abandon_snapshot(&mut self);

    /// Frees the reserve, and has a snapshot given up for which there is no room either. Returns
    /// whether there is more room now.
    fn spend_reserve(&mut self) -> bool {
        false
    }

    /// Makes the reserve again, if it was spent.
    ///
    /// # Errors
    /// There is no room to keep.
    fn make_reserve(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Takes note that what was superfluous is gone.
    fn trimmed(&mut self);

    /// Makes everything durable and leaves the log in the form that is easiest to read. Nothing may
    /// be appended after that.
    ///
    /// # Errors
    /// The fault, even an earlier one; what is durable stays durable.
    fn close(&mut self) -> Result<(), Fault>;
}

/// A sync that may run on any thread.
pub trait SyncJob: Send + 'static {
    /// Runs it; it may take as long as the disk wants.
    ///
    /// # Errors
    /// What the operating system says.
    fn run(&self) -> io::Result<()>;
}

/// Where a snapshot is written to. Dropping it removes what was written.
pub trait SnapshotSink: io::Write + Send + 'static {
    /// A snapshot that is whole and durable, but not yet part of the log.
    type Snapshot: Send + 'static;

    /// The LSN of the last batch that the snapshot must include.
    fn at(&self) -> Lsn;

    /// Ends the snapshot and makes it durable.
    ///
    /// # Errors
    /// The fault; what was written is removed.
    fn finish(self, format: SnapshotFormat) -> Result<Self::Snapshot, Fault>;
}

/// What a snapshot consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotFormat {
    /// RDB.
    Rdb,
    /// RESP commands.
    Commands,
}

/// What a snapshot made superfluous, to be removed off the journal's thread: large files take their
/// time.
pub trait Trimmed: Send + 'static {
    /// Removes it. What cannot be removed now is removed at the next start.
    fn remove(self);
}
