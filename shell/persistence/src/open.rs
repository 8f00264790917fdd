//! Opening the log of a shard, and filling the engine from it.
//!
//! The engine numbers batches of effects and never waits. The journal writes and syncs them on its
//! own thread. Replies wait at the gate of their thread until the batch that they depend on may be
//! shown.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::server::{Conflicts, RecoveryFigures};
use engine::store::log::Journalling;
use engine::{Author, Engine, Expired, Lsn, Now, Refused, Replay, ReplayError};
use journal::{
    Disk, FileDisk, Item, Journal, LocalLog, Names, ReadOnly, Recovery, RecoveryError, Report,
    Source, TornTail,
};
use thiserror::Error;

use crate::config::Config;
use crate::load::Load;
use crate::rewrite::rewrite;
use crate::shard_log::ShardJournal;
use crate::snapshot::{self, LEAVE_OUT, LoadError, Watched};
use crate::turned_off::{self, Found};

/// Why a server cannot start from its folder.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder or a file of it.
    #[error("cannot open the journal in {folder}: {source}")]
    Folder {
        /// The journal's folder.
        folder: String,
        /// The system's error.
        source: io::Error,
    },
    /// The log is locked or damaged.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The snapshot at the start of the log cannot be read.
    #[error(transparent)]
    Base(#[from] LoadError),
    /// Batches that were read whole cannot be applied.
    #[error(
        "{file} at offset {offset}{}: {source}; start the version that wrote the journal, or restore it from a \
         copy",
        BatchNumbers(*.batches)
    )]
    Replay {
        /// The name of the file in the folder.
        file: String,
        /// Where in it the request begins.
        offset: u64,
        /// The first and the last batch of the group that it is in; unknown of commands in a base.
        batches: Option<(Lsn, Lsn)>,
        /// Why it cannot be applied.
        source: ReplayError,
    },
    /// A server ran without the log, and a snapshot was written since: which of them is meant is
    /// not weir's to say.
    #[error(
        "weir ran without the journal in {folder} (appendonly no), and {snapshot} was written after that. To \
         go on with the snapshot, move {folder} away: a new journal begins with the snapshot. To go on with \
         the older journal, move the snapshot away"
    )]
    TurnedOff {
        /// The folder.
        folder: String,
        /// The snapshot.
        snapshot: String,
    },
    /// The snapshot cannot become the start of the log.
    #[error("the journal cannot begin with the snapshot: {0}")]
    TakeOver(String),
    /// The log has something that weir does not have.
    #[error("{file} at offset {offset}: {what}; {LEAVE_OUT}")]
    Unknown {
        /// The file.
        file: String,
        /// Where in it the request begins.
        offset: u64,
        /// What it is.
        what: Refused,
    },
}

/// Batches in words.
struct BatchNumbers(Option<(Lsn, Lsn)>);

impl fmt::Display for BatchNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, " (LSN {first})"),
            Some((first, last)) => write!(f, " (in LSN {first} to {last})"),
        }
    }
}

/// What a server begins with.
pub struct Loaded {
    /// The data.
    pub(crate) engine: Engine,
    /// The journal, if one is kept.
    pub(crate) journal: Option<ShardJournal>,
    /// What the data was read from.
    pub(crate) recovery: RecoveryFigures,
}

/// Fills an empty engine from the files, and opens the journal if one is kept.
///
/// # Errors
/// [`OpenError`]; nothing was changed on the disk, except that a missing folder was created.
pub fn load(
    mut engine: Engine,
    config: &Config,
    load: &Load,
    now: Now,
) -> Result<Loaded, OpenError> {
    let begun = Instant::now();
    let mut recovery = RecoveryFigures::default();
    let journal = if config.journalling {
        Some(open(&mut engine, config, load, &mut recovery, now)?)
    } else {
        turned_off::leave_alone(config);
        if take_over(&mut engine, &config.snapshot, load, now)? {
            recovery.bytes = file_bytes(&config.snapshot);
        }
        None
    };
    recovery.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Loaded {
        engine,
        journal,
        recovery,
    })
}

/// Fills an empty engine from the log, and opens the log for appending. The snapshot is what it
/// begins with if there is no log yet. `figures` gets what was read.
///
/// # Errors
/// [`OpenError`]; nothing was changed on the disk, except that a missing folder was created.
fn open(
    engine: &mut Engine,
    config: &Config,
    load: &Load,
    figures: &mut RecoveryFigures,
    now: Now,
) -> Result<ShardJournal, OpenError> {
    let begun = Instant::now();
    let (folder, stem, snapshot) = (&*config.folder, &*config.stem, &*config.snapshot);
    let in_folder = |source| OpenError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    let disk = Arc::new(FileDisk::open(folder).map_err(in_folder)?);
    let mut recovery = Recovery::open(disk, Names::new(stem), config.torn_tail)?;
    match turned_off::find(folder, stem, snapshot).map_err(in_folder)? {
        Found::Nothing => {}
        Found::TurnedOff => tracing::warn!(
            folder = %folder.display(),
            "weir ran without this journal (appendonly no): what was written then is not in it"
        ),
        Found::SnapshotIsNewer => {
            return Err(OpenError::TurnedOff {
                folder: folder.display().to_string(),
                snapshot: snapshot.display().to_string(),
            });
        }
    }
    let mut replay = engine.begin_replay(now);
    read_whole(engine, &mut recovery, &mut replay, load, now)?;
    // A folder without a journal may come from a server that had none: its snapshot is then the
    // data, and becomes the start of the journal.
    let taken_over = recovery.is_empty() && take_over(engine, snapshot, load, now)?;
    let (log, report) = recovery.finish()?;
    figures.bytes = report.base_bytes + report.log_bytes;
    figures.batches = report.batches;
    figures.cut_bytes = report.cuts.iter().map(|cut| cut.bytes).sum();
    for cut in &report.cuts {
        tracing::warn!(
            file = cut.name,
            bytes = cut.bytes,
            "the journal ended torn, as a crash leaves it ({}, at offset {}): what came after the last \
             whole batch was never acknowledged as durable, and was cut off",
            cut.damage.reason,
            cut.damage.offset
        );
    }
    let (keys, streams) = engine.keyspace().counts();
    tracing::info!(
        requests = replay.requests,
        batches = report.batches,
        lsn = report.last.number(),
        bytes = figures.bytes,
        keys,
        streams,
        seconds = seconds_since(begun),
        "data loaded"
    );
    let left_out = engine.end_replay(replay, report.last, Journalling::On);
    snapshot::say_left_out(&left_out);
    let log = log.with_reserve(config.reserve_bytes);
    // It is no longer true once the journal continues.
    turned_off::forget(folder, stem).map_err(in_folder)?;
    let journal = Journal::start(log, config.policy).map_err(in_folder)?;
    if taken_over {
        // Before anybody is served, because there must never be a journal that has batches but not
        // this.
        rewrite(&journal, engine, now).map_err(OpenError::TakeOver)?;
        tracing::info!(file = %snapshot.display(), "the journal begins with the snapshot");
    }
    Ok(journal)
}

/// Fills an empty engine from a snapshot file, if there is one. Returns whether there was.
///
/// # Errors
/// [`LoadError`] if it cannot be read to its end.
pub(crate) fn take_over(
    engine: &mut Engine,
    snapshot: &Path,
    load: &Load,
    now: Now,
) -> Result<bool, LoadError> {
    let begun = Instant::now();
    let (expired, conflicts) = (Expired::LeftOut, Conflicts::Refused);
    let loaded = snapshot::load_file(engine, snapshot, expired, conflicts, load, now)?;
    if loaded {
        let (keys, streams) = engine.keyspace().counts();
        tracing::info!(
            file = %snapshot.display(),
            bytes = file_bytes(snapshot),
            keys,
            streams,
            seconds = seconds_since(begun),
            "snapshot loaded"
        );
    }
    Ok(loaded)
}

/// The size of a file; 0 if it was removed meanwhile.
fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn seconds_since(begun: Instant) -> f64 {
    begun.elapsed().as_millis() as f64 / 1000.0
}

/// Fills an empty engine from a log, and returns the log, open for appending. The caller ends the
/// replay.
///
/// # Errors
/// [`OpenError`]; nothing was changed on the disk then.
pub fn read_log<D: Disk>(
    engine: &mut Engine,
    mut recovery: Recovery<D>,
    replay: &mut Replay,
    now: Now,
) -> Result<(LocalLog<D>, Report), OpenError> {
    read_whole(engine, &mut recovery, replay, &Load::default(), now)?;
    Ok(recovery.finish()?)
}

/// Fills an empty engine from a log, which is left as it is.
pub(crate) fn read_whole<D: Disk>(
    engine: &mut Engine,
    recovery: &mut Recovery<D>,
    replay: &mut Replay,
    load: &Load,
    now: Now,
) -> Result<(), OpenError> {
    loop {
        let progress = recovery.progress();
        load.note(progress);
        let (ended_at, failed) = match recovery.next()? {
            None => break,
            Some(Item::Base(base)) => {
                let name = "at the begin of the journal";
                let base = Watched::new(base, progress, |progress| load.note(progress));
                let (expired, conflicts) = (Expired::Kept, Conflicts::Refused);
                let ended_at = snapshot::load(
                    engine,
                    name,
                    base,
                    expired,
                    conflicts,
                    now,
                    replay.unknown(),
                )?;
                (Some(ended_at), None)
            }
            Some(Item::BaseCommands(bytes)) => {
                let failed = engine.replay(replay, bytes, Author::Other).err();
                (None, failed.map(|source| (source, None)))
            }
            Some(Item::Batches(batches)) => {
                let numbers = (batches.first, batches.last);
                let author = match batches.source {
                    Source::Weir => Author::Weir,
                    Source::Foreign => Author::Other,
                };
                let failed = engine.replay_group(replay, batches.bytes, author, numbers);
                (None, failed.err().map(|source| (source, Some(numbers))))
            }
        };
        if let Some((source, batches)) = failed {
            let (file, begin) = recovery.place().unwrap_or_default();
            let file = file.to_owned();
            let offset = begin + source.offset() as u64;
            if let ReplayError::Unknown { what, .. } = source {
                return Err(OpenError::Unknown { file, offset, what });
            }
            return Err(OpenError::Replay {
                file,
                offset,
                batches,
                source,
            });
        }
        if let Some(offset) = ended_at {
            recovery.base_ended_at(offset);
        }
    }
    Ok(())
}

/// Fills an emptied engine again from the log that it appends to. Everything that the engine did
/// must have been written.
///
/// # Errors
/// [`OpenError`]; the engine then has what was loaded up to there.
pub(crate) fn reload(engine: &mut Engine, config: &Config, now: Now) -> Result<(), OpenError> {
    let (folder, stem) = (&*config.folder, &*config.stem);
    let in_folder = |source| OpenError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    let disk = FileDisk::open_existing(folder).map_err(in_folder)?;
    let disk = Arc::new(ReadOnly::new(disk));
    let mut recovery = Recovery::open(disk, Names::new(stem), TornTail::Refuse)?;
    let last = engine.log().last();
    let mut replay = engine.begin_replay(now);
    let read = read_whole(engine, &mut recovery, &mut replay, &Load::default(), now);
    snapshot::say_left_out(&engine.end_replay(replay, last, Journalling::On));
    read
}
