//! `weir check`: reads all of a data folder, a manifest or a file, and changes nothing.
//!
//! Logs are read as at a start, and each value of a snapshot is decoded and dropped again, so that
//! a check takes no more memory than the largest value.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::config::{DataConfig, Settings, ShellConfig};
use engine::{Engine, Now};
use journal::{
    Content, FileDisk, Item, LogReport, Names, Progress, ReadOnly, Recovery, RecoveryError, Report,
    Rest, TornTail,
};
use rdb::SnapshotReader;
use thiserror::Error;

use crate::import::stem_of_manifest;
use crate::snapshot::{LoadError, RESTORE, Watched, pieces};

/// The names of the files in a data folder.
#[derive(Debug, Clone)]
pub struct DataNames {
    /// The folder of the journal (`appenddirname`).
    pub(crate) folder: String,
    /// What the names of its files begin with (`appendfilename`); any if that is not known.
    stem: Option<String>,
    /// The snapshot (`dbfilename`).
    pub(crate) snapshot: String,
}

impl DataNames {
    /// The names that settings give.
    pub fn of(data: &DataConfig) -> DataNames {
        DataNames {
            folder: data.journal_folder.clone(),
            stem: Some(data.journal_stem.clone()),
            snapshot: data.snapshot.clone(),
        }
    }

    /// The manifest that is looked for.
    pub(crate) fn manifest(&self) -> String {
        let stem = self.stem.as_deref();
        stem.map_or_else(
            || "*.manifest".to_owned(),
            |stem| Names::new(stem).manifest(),
        )
    }

    /// The name of the journal in a folder, if there is one.
    pub(crate) fn stem_in(&self, folder: &Path) -> Option<String> {
        match &self.stem {
            Some(stem) if folder.join(self.manifest()).is_file() => Some(stem.clone()),
            Some(_) => None,
            None => stem_of_manifest(folder),
        }
    }
}

impl Default for DataNames {
    /// The default names; the journal may have any name.
    fn default() -> DataNames {
        let data = ShellConfig::resolve(&Settings::default()).data;
        DataNames {
            stem: None,
            ..DataNames::of(&data)
        }
    }
}

/// What a check of a folder or file found.
#[derive(Debug, Default)]
pub struct Checked {
    parts: Vec<Part>,
}

/// What was found in one of its parts.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    bytes: u64,
    content: Found,
}

#[derive(Debug)]
enum Found {
    Snapshot(Snapshot, Option<LogReport>),
    Log(LogReport),
    Journal(Option<Snapshot>, Box<Report>),
}

/// What is in a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Snapshot {
    keys: u64,
    unknown_keys: u64,
    ended_at: u64,
}

/// What a check found, or why it could not look.
#[derive(Debug, Error)]
pub enum CheckError {
    /// There is nothing to check in the folder.
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
    /// A file or folder cannot be read.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk failed.
    #[error("{}: {source}", .folder.display())]
    Disk {
        /// The folder of the file.
        folder: PathBuf,
        /// What failed.
        source: journal::Fault,
    },
    /// A snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] LoadError),
    /// A journal is damaged.
    #[error("in {}: {source}", .folder.display())]
    Journal {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong.
        source: RecoveryError,
    },
    /// A log is damaged.
    #[error("{}: {report}; `weir repair {}` saves the whole part in a new file", .path.display(), .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What is in it, and what is wrong.
        report: Box<LogReport>,
    },
    /// Something follows a snapshot.
    #[error("{}: the snapshot ends at offset {offset}, and {bytes} bytes follow that are no commands ({report})", .path.display())]
    Behind {
        /// The file.
        path: PathBuf,
        /// Where the snapshot ends.
        offset: u64,
        /// How much follows.
        bytes: u64,
        /// What of it can be read.
        report: Box<LogReport>,
    },
}

/// Checks a data folder, a folder with a journal, a manifest, a snapshot or a log. `watch` sees the
/// progress in each file or journal.
///
/// # Errors
/// [`CheckError`] at the first damage that no crash can have done.
pub fn check(
    path: &Path,
    names: &DataNames,
    now: Now,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Checked, CheckError> {
    let mut checked = Checked::default();
    let engine = Engine::new(Settings::default(), 0, now, &commands::TABLE);
    let context = engine.snapshot_context(now);
    let is_folder = std::fs::metadata(path).map_err(in_file(path))?.is_dir();
    if !is_folder {
        let stem = path.file_name().and_then(|name| name.to_str());
        let stem = stem.and_then(|name| name.strip_suffix(".manifest"));
        checked.parts.push(match stem {
            Some(stem) => check_journal(parent(path), stem, &context, watch)?,
            None => check_file(path, &context, watch)?,
        });
        return Ok(checked);
    }
    for folder in [path, &path.join(&names.folder)] {
        if let Some(stem) = names.stem_in(folder) {
            let part = check_journal(folder, &stem, &context, watch)?;
            checked.parts.push(part);
        }
    }
    let snapshot = path.join(&names.snapshot);
    if snapshot.is_file() {
        checked.parts.push(check_file(&snapshot, &context, watch)?);
    }
    if checked.parts.is_empty() {
        return Err(CheckError::NoData {
            path: path.to_owned(),
            names: names.clone(),
        });
    }
    Ok(checked)
}

/// Checks the files that a manifest names, one after another, as a start would read them.
fn check_journal(
    folder: &Path,
    stem: &str,
    context: &rdb::Context,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Part, CheckError> {
    let in_journal = |source| CheckError::Journal {
        folder: folder.to_owned(),
        source,
    };
    let disk = FileDisk::open_existing(folder).map_err(in_file(folder))?;
    let names = Names::new(stem);
    let manifest = folder.join(names.manifest());
    let disk = Arc::new(ReadOnly::new(disk));
    let mut recovery = Recovery::open(disk, names, TornTail::Cut).map_err(in_journal)?;
    let mut base = None;
    loop {
        let progress = recovery.progress();
        watch(progress);
        let name = recovery.upcoming().map(|name| folder.join(name));
        let snapshot = match recovery.next().map_err(in_journal)? {
            None => break,
            Some(Item::BaseCommands(_) | Item::Batches(_)) => continue,
            Some(Item::Base(reader)) => {
                let name = name.unwrap_or_else(|| manifest.clone());
                let reader = Watched::new(reader, progress, &mut *watch);
                check_snapshot(&name, reader, context)?
            }
        };
        recovery.base_ended_at(snapshot.ended_at);
        base = Some(snapshot);
    }
    let report = recovery.report();
    Ok(Part {
        path: manifest,
        bytes: report.base_bytes + report.log_bytes,
        content: Found::Journal(base, Box::new(report)),
    })
}

/// Checks a snapshot or a log by itself.
fn check_file(
    path: &Path,
    context: &rdb::Context,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Part, CheckError> {
    let folder = parent(path);
    let in_folder = |source| CheckError::Disk {
        folder: folder.to_owned(),
        source,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let disk = FileDisk::open_existing(folder).map_err(in_file(folder))?;
    let report = journal::check(&disk, &name, watch).map_err(in_folder)?;
    let bytes = report.bytes;
    let content = match report.content {
        Content::Log(log) => match log.rest {
            Rest::Nothing | Rest::Torn(_) => Found::Log(log),
            Rest::Damaged(..) => {
                return Err(CheckError::Log {
                    path: path.to_owned(),
                    report: Box::new(log),
                });
            }
        },
        Content::Rdb => {
            let progress = Progress {
                bytes_read: 0,
                bytes_total: bytes,
            };
            let file = File::open(path).map_err(in_file(path))?;
            let reader = Watched::new(file, progress, &mut *watch);
            let snapshot = check_snapshot(path, reader, context)?;
            let offset = snapshot.ended_at;
            let log = (offset < bytes)
                .then(|| journal::check_behind(&disk, &name, offset, watch))
                .transpose()
                .map_err(in_folder)?;
            match log {
                Some(log) if log.batches + log.foreign_batches == 0 || is_damaged(&log) => {
                    return Err(CheckError::Behind {
                        path: path.to_owned(),
                        offset,
                        bytes: bytes - offset,
                        report: Box::new(log),
                    });
                }
                log => Found::Snapshot(snapshot, log),
            }
        }
    };
    Ok(Part {
        path: path.to_owned(),
        bytes,
        content,
    })
}

fn is_damaged(log: &LogReport) -> bool {
    matches!(log.rest, Rest::Damaged(..))
}

/// Reads a snapshot to its end, where its checksum is.
fn check_snapshot(
    path: &Path,
    reader: impl Read + Send,
    context: &rdb::Context,
) -> Result<Snapshot, LoadError> {
    let broken = |reason: &dyn fmt::Display| LoadError::new(path, reason, RESTORE);
    let read_all = |pieces: pieces::Pieces| -> Result<Snapshot, LoadError> {
        let mut reader = SnapshotReader::new(pieces, context.clone()).map_err(|e| broken(&e))?;
        let mut found = Snapshot::default();
        while let Some(item) = reader.next().map_err(|e| broken(&e))? {
            match item {
                rdb::Item::Record(_) => found.keys += 1,
                rdb::Item::Unknown { .. } => found.unknown_keys += 1,
                rdb::Item::Database(_)
                | rdb::Item::Function(_)
                | rdb::Item::ModuleData { .. }
                | rdb::Item::Auxiliary { .. }
                | rdb::Item::Size { .. } => {}
            }
        }
        found.ended_at = reader.offset();
        Ok(found)
    };
    pieces::ahead(reader, read_all).unwrap_or_else(|error| Err(broken(&error)))
}

fn parent(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Says which file it was.
fn in_file(path: &Path) -> impl Fn(io::Error) -> CheckError + '_ {
    move |source| CheckError::File {
        path: path.to_owned(),
        source,
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Part {
            path,
            bytes,
            content,
        } in &self.parts
        {
            writeln!(f, "{}: {bytes} bytes, {content}", path.display())?;
        }
        Ok(())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Log(log) => write!(f, "{log}"),
            Found::Snapshot(snapshot, None) => write!(f, "a snapshot with {snapshot}: whole"),
            Found::Snapshot(snapshot, Some(log)) => {
                write!(f, "a snapshot with {snapshot}, and behind it {log}")
            }
            Found::Journal(base, report) => {
                write!(f, "{} files", report.files.len())?;
                if let Some(base) = base {
                    write!(f, ", a snapshot with {base}")?;
                }
                let Report {
                    batches,
                    groups,
                    foreign_batches,
                    last,
                    ..
                } = **report;
                write!(f, ", {batches} batches, {groups} groups, up to LSN {last}")?;
                if foreign_batches > 0 {
                    write!(f, ", {foreign_batches} batches without checksum")?;
                }
                if report.cuts.is_empty() {
                    f.write_str(": whole")?;
                }
                for cut in &report.cuts {
                    write!(
                        f,
                        ": whole but for {}, which is torn at offset {} as a crash leaves it ({}); a \
                         server cuts {} bytes off when it starts",
                        cut.name, cut.damage.offset, cut.damage.reason, cut.bytes
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.keys)?;
        match self.unknown_keys {
            0 => Ok(()),
            unknown => write!(f, " and {unknown} of types that weir does not have"),
        }
    }
}

#[cfg(test)]
mod tests;
