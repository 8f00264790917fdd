//! The shard's log: opening it, filling the engine from it, rewriting it.
//!
//! The engine numbers batches of effects and never waits; the journal writes and syncs them on a thread of
//! its own; replies wait at a gate of their thread until the batch they depend on may be shown.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use engine::keyspace::Frozen;
use engine::log::Journalling;
use engine::{Engine, Lsn, Now, ReplayError, UnixMs};
use journal::{
    FileDisk, Item, Journal, LocalLog, Names, Recovery, RecoveryError, Rewrite, SnapshotFormat,
    SyncPolicy, TornTail,
};
use rdb::{Compression, SnapshotReader, SnapshotWriter, Usage};
use thiserror::Error;

/// A journal in files.
pub type FileJournal = Journal<LocalLog<FileDisk>>;

/// Why a server cannot start from its folder.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder or a file of it.
    #[error("cannot open the journal in {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
    /// The log is locked or damaged.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The snapshot at the begin of the log cannot be read.
    #[error("the base of the journal cannot be loaded: {0}; restore it from a copy")]
    Base(String),
    /// Batches whose checksum is right hold no requests.
    #[error("the journal cannot be replayed: {0}; restore it from a copy")]
    Replay(#[from] ReplayError),
}

/// Fills an empty engine from the log in a folder, and opens the log to go on with it.
///
/// # Errors
/// [`OpenError`]; nothing was changed on the disk then, but for a folder that was missing.
pub fn open(
    engine: &mut Engine,
    folder: &Path,
    stem: &str,
    policy: SyncPolicy,
    torn_tail: TornTail,
    now: Now,
) -> Result<FileJournal, OpenError> {
    let begun = Instant::now();
    let in_folder = |source| OpenError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    let disk = Arc::new(FileDisk::open(folder).map_err(in_folder)?);
    let mut recovery = Recovery::open(disk, Names::new(stem), torn_tail)?;
    let mut replay = engine.begin_replay();
    let mut told = Instant::now();
    loop {
        let ended_at = match recovery.next()? {
            None => break,
            Some(Item::Base(base)) => Some(load_base(engine, base, now)?),
            Some(Item::BaseCommands(bytes)) => {
                engine.replay(&mut replay, bytes)?;
                None
            }
            Some(Item::Batches(batches)) => {
                engine.replay(&mut replay, batches.bytes)?;
                None
            }
        };
        if let Some(offset) = ended_at {
            recovery.base_ended_at(offset);
        }
        if told.elapsed() > Duration::from_secs(1) {
            told = Instant::now();
            let progress = recovery.progress();
            tracing::info!(
                read = progress.bytes_read,
                of = progress.bytes_total,
                "loading"
            );
        }
    }
    let (log, report) = recovery.finish()?;
    for cut in &report.cuts {
        tracing::warn!(
            file = cut.name, bytes = cut.bytes, damage = ?cut.damage,
            "the torn end of the journal was cut back to the last whole batch"
        );
    }
    if let Some(error) = &replay.first_error {
        tracing::warn!(
            refused = replay.refused,
            first = error,
            "requests of the journal were refused"
        );
    }
    tracing::info!(
        requests = replay.requests,
        batches = report.batches,
        lsn = report.last.number(),
        bytes = report.base_bytes + report.log_bytes,
        ms = begun.elapsed().as_millis() as u64,
        "data loaded"
    );
    engine.end_replay(replay, Lsn(report.last.number()), Journalling::On);
    Journal::start(log, policy).map_err(in_folder)
}

/// Loads a snapshot. Where it ended, as commands may follow it.
fn load_base(engine: &mut Engine, base: impl Read, now: Now) -> Result<u64, OpenError> {
    let broken = |error: &dyn std::fmt::Display| OpenError::Base(error.to_string());
    let context = engine.snapshot_context(now);
    let mut reader = SnapshotReader::new(Pieces::new(base), context).map_err(|e| broken(&e))?;
    let mut database = 0;
    while let Some(item) = reader.next().map_err(|e| broken(&e))? {
        match item {
            rdb::Item::Database(index) => {
                database = u16::try_from(index)
                    .ok()
                    .filter(|index| *index < engine.keyspace().database_count())
                    .ok_or_else(|| {
                        broken(&format!("it uses database {index}; raise --databases"))
                    })?;
            }
            rdb::Item::Record(record) => {
                let expires_at = record.expires_at_ms.map(UnixMs);
                engine.load(database, record.key, record.value, expires_at, now);
            }
            rdb::Item::Auxiliary { .. } | rdb::Item::Size { .. } | rdb::Item::Function(_) => {}
        }
    }
    Ok(reader.offset())
}

/// Bytes of a reader, in pieces.
struct Pieces<R> {
    reader: R,
    buffer: Box<[u8]>,
    range: std::ops::Range<usize>,
}

/// How much of a snapshot is read at once.
const PIECE_BYTES: usize = 1 << 20;

impl<R: Read> Pieces<R> {
    fn new(reader: R) -> Pieces<R> {
        Pieces {
            reader,
            buffer: vec![0; PIECE_BYTES].into(),
            range: 0..0,
        }
    }
}

impl<R: Read> rdb::Source for Pieces<R> {
    type Error = io::Error;

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.range.is_empty() {
            self.range = 0..self.reader.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.range.clone()])
    }

    fn consume(&mut self, len: usize) {
        self.range.start = (self.range.start + len).min(self.range.end);
    }
}

/// Begins a rewrite: the engine's state of this moment becomes the new begin of the log, written by a
/// thread of its own while the engine goes on. To be called under the shard's lock.
pub(crate) fn begin_rewrite(journal: &FileJournal, engine: &mut Engine) -> Result<(), String> {
    let at = journal::Lsn::new(engine.log().last().0);
    let pending = journal
        .begin_rewrite(at)
        .map_err(|error| error.to_string())?;
    engine.restart_journal();
    let frozen = engine.freeze();
    let write = move || {
        let begun = Instant::now();
        let written = pending
            .wait()
            .map_err(|e| e.to_string())
            .and_then(|rewrite| write_base(&frozen, rewrite).map_err(|e| e.to_string()));
        match written {
            Ok(bytes) => {
                tracing::info!(
                    bytes,
                    ms = begun.elapsed().as_millis() as u64,
                    "journal rewritten"
                );
            }
            Err(error) => tracing::error!(error, "the journal was not rewritten; it is as it was"),
        }
    };
    let spawned = thread::Builder::new()
        .name("weir-rewrite".to_owned())
        .spawn(write);
    spawned.map(drop).map_err(|error| error.to_string())
}

fn write_base(frozen: &Frozen, rewrite: Rewrite<LocalLog<FileDisk>>) -> io::Result<u64> {
    let mut writer = SnapshotWriter::new(Base(rewrite), Compression::Off)?;
    writer.auxiliary(b"redis-ver", engine::REDIS_VERSION.as_bytes())?;
    writer.auxiliary(b"aof-base", b"1")?;
    for (index, records) in frozen.databases.iter().enumerate() {
        if records.is_empty() {
            continue;
        }
        let expiring = records
            .iter()
            .filter(|record| record.expires_at().is_some())
            .count();
        writer.database(index as u64, records.len() as u64, expiring as u64)?;
        for record in records.iter() {
            let expires_at = record.expires_at().map(|at| at.0);
            writer.record(record.key(), record.value(), expires_at, Usage::Unknown)?;
        }
    }
    let bytes = writer.written_bytes();
    let Base(rewrite) = writer.finish()?;
    rewrite
        .finish(SnapshotFormat::Rdb)
        .map_err(io::Error::other)?;
    Ok(bytes)
}

/// A rewrite as a sink of snapshots.
struct Base(Rewrite<LocalLog<FileDisk>>);

impl rdb::Sink for Base {
    type Error = io::Error;

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.0, piece)
    }
}
