//! `weir export`: writes what Redis 8.6 can read of a data folder into a new one.
//!
//! The source is only read, under its lock. What Redis has no place for is left out, and told. The
//! new folder has an append-only folder whose base is a snapshot; under its proper name that is
//! there whole, or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::config::{DataConfig, Settings, ShellConfig};
use engine::store::keyspace::Frozen;
use engine::store::log::Journalling;
use engine::{Engine, Now};
use journal::{
    Entry, FileDisk, Manifest, Names, PendingFile, ReadOnly, Recovery, RecoveryError,
    SnapshotFormat, TornTail,
};
use stream::{Beyond, Stream};
use thiserror::Error;
use values::Value;

use crate::check::DataNames;
use crate::load::Load;
use crate::open::{self, OpenError};
use crate::snapshot::{self, LoadError, Progress};
use crate::turned_off::{self, Found};

/// What Redis has no place for of one key.
#[derive(Debug)]
pub struct LeftOutOfKey<'a> {
    /// The database of the key.
    pub database: usize,
    /// The key.
    pub key: &'a [u8],
    /// What it had.
    pub beyond: Vec<Beyond>,
}

/// What was exported.
#[derive(Debug, PartialEq, Eq)]
pub struct Exported {
    /// The folder that Redis reads.
    pub folder: PathBuf,
    /// How many keys it has.
    pub keys: usize,
    /// How many libraries of functions it has.
    pub libraries: usize,
    /// The torn end of the journal, in bytes. A server would cut it off.
    pub torn_bytes: u64,
}

/// Why nothing was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// There is nothing to export.
    #[error(
        "{}: there is neither a journal ({} there or in {}) nor a snapshot ({})",
        .path.display(), .names.manifest(), .names.folder, .names.snapshot
    )]
    NoData {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        names: DataNames,
    },
    /// A server has the data.
    #[error("a server runs on {}: stop it first, or export a copy of its files", .0.display())]
    Locked(PathBuf),
    /// The target is not a new folder.
    #[error("{} is not empty; name a new folder with --to", .0.display())]
    NotEmpty(PathBuf),
    /// A file or folder.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal is damaged.
    #[error(transparent)]
    Journal(#[from] RecoveryError),
    /// The journal, or what it begins with, cannot be read.
    #[error(transparent)]
    Read(#[from] OpenError),
    /// The snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] LoadError),
    /// The target cannot be written.
    #[error("the data cannot be written to {}: {source}", .folder.display())]
    Write {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Fills an empty engine with the data in the folder `source`, and writes what Redis can read of it
/// into the new folder `target`. `left_out` is told of each key that is not whole there.
///
/// # Errors
/// [`ExportError`]; the target holds no data then.
pub fn export(
    engine: &mut Engine,
    source: &Path,
    names: &DataNames,
    target: &Path,
    now: Now,
    left_out: &mut dyn FnMut(LeftOutOfKey<'_>),
) -> Result<Exported, ExportError> {
    let target = Target::begin(target)?;
    let torn_bytes = read(engine, source, names, now)?;
    // As a server that starts does: keys expire, and delayed entries that are due are appended.
    while engine.next_deadline(now).is_some_and(|at| at <= now.mono) {
        engine.timer(now);
    }
    let frozen = engine.freeze();
    let folder = target.write(&frozen, now, left_out)?;
    Ok(Exported {
        folder,
        keys: frozen.databases.iter().map(|records| records.len()).sum(),
        libraries: frozen.libraries.iter().count(),
        torn_bytes,
    })
}

/// Reads the journal, or where there is none the snapshot, as a start would; how many bytes at the
/// end are torn.
fn read(
    engine: &mut Engine,
    source: &Path,
    names: &DataNames,
    now: Now,
) -> Result<u64, ExportError> {
    fs::read_dir(source).map_err(in_file(source))?;
    let load = Load::default();
    let snapshot = source.join(&names.snapshot);
    for folder in [source, &source.join(&names.folder)] {
        let Some(stem) = names.stem_in(folder) else {
            continue;
        };
        let disk = FileDisk::open_existing(folder).map_err(in_file(folder))?;
        let journal = Names::new(&stem);
        let lock = disk.lock_for_reading(&journal.lock());
        let _lock = lock.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => ExportError::Locked(folder.to_owned()),
            _ => in_file(folder)(error),
        })?;
        match turned_off::find(folder, &stem, &snapshot).map_err(in_file(folder))? {
            Found::Nothing | Found::TurnedOff => {}
            Found::SnapshotIsNewer => {
                return Err(ExportError::Read(OpenError::TurnedOff {
                    folder: folder.display().to_string(),
                    snapshot: snapshot.display().to_string(),
                }));
            }
        }
        let disk = Arc::new(ReadOnly::new(disk));
        let mut recovery = Recovery::open(disk, journal, TornTail::Cut)?;
        let mut replay = engine.begin_replay(now);
        open::read_whole(engine, &mut recovery, &mut replay, &load, now)?;
        let report = recovery.report();
        engine.end_replay(replay, report.last, Journalling::Off);
        return Ok(report.cuts.iter().map(|cut| cut.bytes).sum());
    }
    match open::take_over(engine, &snapshot, &load, now)? {
        true => Ok(0),
        false => Err(ExportError::NoData {
            path: source.to_owned(),
            names: names.clone(),
        }),
    }
}

/// A folder in the making. Dropped before it is finished, it is as it was before.
struct Target {
    path: PathBuf,
    /// It was made for this.
    is_new: bool,
    /// Where the append-only folder is written.
    temporary: PathBuf,
    /// What that is called in the end.
    folder: PathBuf,
    /// What its files are called.
    names: Names,
    is_finished: bool,
}

impl Target {
    /// Makes the folder if it is not there, with an empty one in it.
    fn begin(path: &Path) -> Result<Target, ExportError> {
        let is_new = !path.exists();
        FileDisk::open(path).map_err(in_file(path))?;
        if fs::read_dir(path).map_err(in_file(path))?.next().is_some() {
            return Err(ExportError::NotEmpty(path.to_owned()));
        }
        // What these are called in Redis unless it is told.
        let DataConfig {
            journal_folder,
            journal_stem,
            ..
        } = ShellConfig::resolve(&Settings::default()).data;
        let target = Target {
            path: path.to_owned(),
            is_new,
            temporary: path.join(format!("temp-{journal_folder}")),
            folder: path.join(journal_folder),
            names: Names::new(&journal_stem),
            is_finished: false,
        };
        fs::create_dir(&target.temporary).map_err(in_file(&target.temporary))?;
        Ok(target)
    }

    /// Writes the data, durably. Returns the append-only folder.
    fn write(
        mut self,
        frozen: &Frozen,
        now: Now,
        left_out: &mut dyn FnMut(LeftOutOfKey<'_>),
    ) -> Result<PathBuf, ExportError> {
        let written = self.write_files(frozen, now, left_out).and_then(|()| {
            fs::rename(&self.temporary, &self.folder)?;
            File::open(&self.path)?.sync_all()
        });
        written.map_err(|source| ExportError::Write {
            folder: self.path.clone(),
            source,
        })?;
        self.is_finished = true;
        Ok(self.folder.clone())
    }

    fn write_files(
        &self,
        frozen: &Frozen,
        now: Now,
        left_out: &mut dyn FnMut(LeftOutOfKey<'_>),
    ) -> io::Result<()> {
        let disk = Arc::new(FileDisk::open_existing(&self.temporary)?);
        let base = Entry {
            name: self.names.base(1, SnapshotFormat::Rdb),
            seq: 1,
        };
        let temporary = self.names.temporary_base(1);
        let mut file =
            PendingFile::create(Arc::clone(&disk), &temporary).map_err(io::Error::other)?;
        let within_redis = |database, record: &engine::store::keyspace::Record| {
            let stream = record.value().get::<Stream>()?;
            let (stream, beyond) = stream.within_redis(now.stream_ms());
            if beyond.is_empty() {
                return None;
            }
            left_out(LeftOutOfKey {
                database,
                key: record.key(),
                beyond,
            });
            Some(Value::from(stream))
        };
        snapshot::write_instead(frozen, &mut file, now, &Progress::default(), within_redis)?;
        finish(file, &base.name)?;

        let manifest = Manifest {
            base: Some(base),
            ..Manifest::default()
        };
        let temporary = self.names.temporary_manifest();
        let mut file = PendingFile::create(disk, &temporary).map_err(io::Error::other)?;
        file.write_all(manifest.to_text().as_bytes())?;
        finish(file, &self.names.manifest())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // There is an error already, which matters more than what stays behind.
        fs::remove_dir_all(&self.temporary).ok();
        if self.is_new {
            fs::remove_dir(&self.path).ok();
        }
    }
}

fn finish(mut file: PendingFile<FileDisk>, name: &str) -> io::Result<()> {
    file.sync().map_err(io::Error::other)?;
    file.rename(name).map_err(io::Error::other)
}

/// Says which file it was.
fn in_file(path: &Path) -> impl Fn(io::Error) -> ExportError + '_ {
    move |source| ExportError::File {
        path: path.to_owned(),
        source,
    }
}
