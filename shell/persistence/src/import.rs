//! `weir import`: takes what weir supports from a file or a folder of Redis, and starts a data
//! folder with it.
//!
//! The source is only read. What weir lacks is left out and reported.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::server::Conflicts;
use engine::store::log::Journalling;
use engine::{Author, Engine, Expired, LeftOut, Now, OnUnknown, Replay, ReplayError};
use journal::{FileDisk, Journal, Names, ReadOnly, Recovery, RecoveryError, SyncPolicy, TornTail};
use thiserror::Error;

use crate::load::Load;
use crate::open::{self, OpenError};
use crate::rewrite::rewrite;
use crate::snapshot::{self, LoadError};

/// Where the data goes: a journal that does not exist yet.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The journal's folder.
    pub folder: &'a Path,
    /// The start of its files' names.
    pub stem: &'a str,
}

/// What an import has not taken.
#[derive(Debug)]
pub struct Imported {
    /// What weir does not have.
    pub left_out: LeftOut,
    /// The torn end of a single append-only file, in bytes.
    pub torn_bytes: u64,
}

/// Why nothing was imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// There is data already.
    #[error("{} has data already; name another folder with --dir", .0.display())]
    NotEmpty(PathBuf),
    /// The source is not data of Redis.
    #[error("{} has neither a manifest of append-only files nor a dump.rdb", .0.display())]
    NoData(PathBuf),
    /// A file of the source, or the target.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source is damaged.
    #[error(transparent)]
    Read(#[from] OpenError),
    /// The snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] LoadError),
    /// A command of the source cannot be done.
    #[error("{} at offset {offset}: {source}", .path.display())]
    Command {
        /// The file.
        path: PathBuf,
        /// Where in it the request begins.
        offset: u64,
        /// What is wrong.
        source: ReplayError,
    },
    /// The target's journal.
    #[error(transparent)]
    Target(#[from] RecoveryError),
    /// The target cannot be written.
    #[error("the data cannot be written: {0}")]
    Write(String),
}

/// Fills an empty engine with what is in a file or folder of Redis, and writes that as a new
/// journal. Returns what was not taken.
///
/// # Errors
/// [`ImportError`]; the target holds no data then.
pub fn import(
    engine: &mut Engine,
    source: &Path,
    target: Target<'_>,
    now: Now,
) -> Result<Imported, ImportError> {
    let in_target = in_file(target.folder);
    let disk = Arc::new(FileDisk::open(target.folder).map_err(in_target)?);
    let mut recovery = Recovery::open(disk, Names::new(target.stem), TornTail::Refuse)?;
    let not_empty = || ImportError::NotEmpty(target.folder.to_owned());
    if recovery.next()?.is_some() || !recovery.is_empty() {
        return Err(not_empty());
    }
    let mut replay = engine.begin_replay(now);
    replay.on_unknown(OnUnknown::Skip);
    let torn_bytes = read(engine, source, &mut replay, now)?;
    let (log, report) = recovery.finish()?;
    let last = report.last;
    let left_out = engine.end_replay(replay, last, Journalling::On);
    let journal = Journal::start(log, SyncPolicy::Always).map_err(in_file(target.folder))?;
    rewrite(&journal, engine, now).map_err(ImportError::Write)?;
    let closed = journal.close();
    closed.map_err(|fault| ImportError::Write(fault.to_string()))?;
    Ok(Imported {
        left_out,
        torn_bytes,
    })
}

/// Reads a file, or the files of a folder; how many bytes at the end are torn.
fn read(
    engine: &mut Engine,
    source: &Path,
    replay: &mut Replay,
    now: Now,
) -> Result<u64, ImportError> {
    if source.is_file() {
        return read_file(engine, source, replay, now);
    }
    let inner = source.join("appendonlydir");
    for folder in [source, &inner] {
        if let Some(stem) = stem_of_manifest(folder) {
            let disk = FileDisk::open_existing(folder).map_err(in_file(folder))?;
            let disk = Arc::new(ReadOnly::new(disk));
            let mut recovery = Recovery::open(disk, Names::new(&stem), TornTail::Cut)?;
            open::read_whole(engine, &mut recovery, replay, &Load::default(), now)?;
            return Ok(recovery.report().cuts.iter().map(|cut| cut.bytes).sum());
        }
    }
    let snapshot = source.join("dump.rdb");
    if snapshot.is_file() {
        return read_file(engine, &snapshot, replay, now);
    }
    std::fs::metadata(source).map_err(in_file(source))?;
    Err(ImportError::NoData(source.to_owned()))
}

/// What the names of a folder's files begin with, if one is a manifest.
pub(crate) fn stem_of_manifest(folder: &Path) -> Option<String> {
    let files = std::fs::read_dir(folder).ok()?;
    let mut names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    names.find_map(|name| name.strip_suffix(".manifest").map(str::to_owned))
}

/// Reads a snapshot, or a single append-only file: commands, perhaps after a snapshot.
fn read_file(
    engine: &mut Engine,
    path: &Path,
    replay: &mut Replay,
    now: Now,
) -> Result<u64, ImportError> {
    let open = || File::open(path).map_err(in_file(path));
    let mut head = Vec::new();
    let begin = open()?
        .take(SNAPSHOT_BEGIN.len() as u64)
        .read_to_end(&mut head);
    begin.map_err(in_file(path))?;
    let mut file = open()?;
    let mut offset = 0;
    if head == SNAPSHOT_BEGIN {
        let name = path.display().to_string();
        let (expired, conflicts) = (Expired::Kept, Conflicts::Refused);
        let unknown = replay.unknown();
        offset = snapshot::load(engine, &name, open()?, expired, conflicts, now, unknown)?;
        file.seek(SeekFrom::Start(offset)).map_err(in_file(path))?;
    }
    read_commands(engine, path, file, offset, replay)
}

/// Runs the commands of a file, whose next byte is at `offset`; how many bytes at its end are torn.
fn read_commands(
    engine: &mut Engine,
    path: &Path,
    mut file: File,
    mut offset: u64,
    replay: &mut Replay,
) -> Result<u64, ImportError> {
    let mut bytes = Vec::new();
    loop {
        let piece = file.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes);
        let is_end = piece.map_err(in_file(path))? == 0;
        // Up to a line's end, so that no comment is cut.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |at| at + 1);
        let done = match engine.replay(replay, &bytes[..whole], Author::Other) {
            Ok(()) => whole,
            Err(ReplayError::Incomplete { offset }) => offset,
            Err(source) => {
                return Err(ImportError::Command {
                    path: path.to_owned(),
                    offset: offset + source.offset() as u64,
                    source,
                });
            }
        };
        bytes.drain(..done);
        offset += done as u64;
        if is_end {
            return Ok(bytes.len() as u64);
        }
    }
}

/// Says which file it was.
fn in_file(path: &Path) -> impl Fn(io::Error) -> ImportError + '_ {
    move |source| ImportError::File {
        path: path.to_owned(),
        source,
    }
}

const SNAPSHOT_BEGIN: &[u8] = b"REDIS";

/// How much is read at once, in bytes.
const PIECE_BYTES: u64 = 1 << 20;
