//! Looking at the files of a log without changing them, and saving what is whole in a damaged one.
//!
//! The functions behind `weir check` and `weir repair`. They read with the same reader as
//! [`Recovery`](crate::Recovery), take no lock, and judge each file as if it were the last one of
//! its log.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use crate::disk::{Access, Disk, DiskFile};
use crate::health::{Fault, Operation};
use crate::limits::READ_BYTES;
use crate::lsn::Lsn;
use crate::pending_file::{PendingFile, RenameError};
use crate::reader::{Behind, Damage, Reader, Record, Verdict};

/// What a look at one file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A snapshot in RDB format, which is checked elsewhere.
    Rdb,
    /// Batches.
    Log(LogReport),
}

/// What is in a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// Groups of weir.
    pub groups: u64,
    /// Batches in them.
    pub batches: u64,
    /// Batches that Redis wrote.
    pub foreign_batches: u64,
    /// The LSN that the file begins after; unknown if no weir wrote it.
    pub after: Option<Lsn>,
    /// The LSN of the last batch.
    pub last: Lsn,
    /// Up to where the file is whole, in bytes.
    pub whole_bytes: u64,
    /// What stands behind that.
    pub rest: Rest,
}

/// What stands behind the whole part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing, or space written ahead.
    Nothing,
    /// The end of a write that a crash tore. A server cuts it off when it starts.
    Torn(Damage),
    /// Damage that no crash can have done. A server refuses to start.
    Damaged(Damage, Behind),
}

/// What a repair made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// What is in the old file.
    pub old: LogReport,
    /// The new file, which holds the whole part of the old one.
    pub name: String,
    /// How many bytes of the old file are not in the new one.
    pub dropped_bytes: u64,
}

/// Why there was no repair.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The file is a snapshot: there is no whole part to save.
    #[error("{name} is an RDB file; restore it from a backup")]
    Rdb {
        /// The file.
        name: String,
    },
    /// There is nothing to repair.
    #[error("{name} is whole")]
    Whole {
        /// The file.
        name: String,
    },
    /// A file is in the way.
    #[error("{name} exists; move it out of the way")]
    Exists {
        /// The file.
        name: String,
    },
    /// The disk failed.
    #[error("{0}")]
    Disk(#[from] Fault),
}

/// Looks at one file of a log.
///
/// # Errors
/// The fault, if the file cannot be read.
pub fn check<D: Disk>(disk: &D, name: &str) -> Result<FileReport, Fault> {
    let fault = |error| Fault::new(Operation::Read, name, error);
    let file = disk.open(name, Access::Read).map_err(fault)?;
    let bytes = file.size().map_err(fault)?;
    let mut magic = [0; 5];
    let read = file.read_at(&mut magic, 0).map_err(fault)?;
    let content = if read == magic.len() && &magic == b"REDIS" {
        Content::Rdb
    } else {
        Content::Log(check_log(disk, name, file).map_err(fault)?)
    };
    let name = name.to_owned();
    Ok(FileReport {
        name,
        bytes,
        content,
    })
}

/// Writes the whole part of a damaged file into a new one beside it, called like it with
/// `.repaired` at the end. The old file stays as it is.
///
/// # Errors
/// [`RepairError`]; there is no new file then.
pub fn repair<D: Disk>(disk: &Arc<D>, name: &str) -> Result<Repaired, RepairError> {
    let report = check(&**disk, name)?;
    let Content::Log(old) = report.content else {
        return Err(RepairError::Rdb { name: report.name });
    };
    if old.rest == Rest::Nothing {
        return Err(RepairError::Whole { name: report.name });
    }
    let new_name = format!("{name}.repaired");
    if disk.open(&new_name, Access::Read).is_ok() {
        return Err(RepairError::Exists { name: new_name });
    }
    let fault = |operation, error| Fault::new(operation, name, error);
    let file = disk
        .open(name, Access::Read)
        .map_err(|e| fault(Operation::Read, e))?;
    let mut new = PendingFile::create(Arc::clone(disk), &format!("temp-{new_name}"))?;
    let mut buffer = vec![0; READ_BYTES];
    let mut at = 0;
    while at < old.whole_bytes {
        let wanted = usize::try_from(old.whole_bytes - at)
            .unwrap_or(READ_BYTES)
            .min(READ_BYTES);
        let read = file
            .read_at(&mut buffer[..wanted], at)
            .and_then(|read| {
                if read == 0 {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(read)
                }
            })
            .map_err(|e| fault(Operation::Read, e))?;
        new.write_all(&buffer[..read])
            .map_err(|e| Fault::new(Operation::Write, &new_name, e))?;
        at += read as u64;
    }
    new.sync()?;
    new.rename(&new_name).map_err(|error| match error {
        RenameError::Unchanged(fault) | RenameError::Unknown(fault) => fault,
    })?;
    Ok(Repaired {
        dropped_bytes: report.bytes - old.whole_bytes,
        old,
        name: new_name,
    })
}

fn check_log<D: Disk>(disk: &D, name: &str, file: D::File) -> io::Result<LogReport> {
    let mut reader = Reader::new(file, None)?;
    let (mut groups, mut batches, mut foreign_batches) = (0, 0, 0);
    let mut after = None;
    let rest = loop {
        match reader.next()? {
            Record::Group(header) => {
                after.get_or_insert(Lsn::new(header.previous().since(Lsn::new(foreign_batches))));
                groups += u64::from(header.batch_count > 0);
                batches += header.batch_count;
            }
            Record::Foreign(batch_count) => foreign_batches += batch_count,
            Record::Padding => {}
            Record::End => break Rest::Nothing,
            Record::Damage(damage) => {
                let again = disk.open(name, Access::Read)?;
                break match reader.judge(damage, again)? {
                    Verdict::Torn => Rest::Torn(damage),
                    Verdict::Damaged(behind) => Rest::Damaged(damage, behind),
                };
            }
        }
    };
    Ok(LogReport {
        groups,
        batches,
        foreign_batches,
        after,
        last: reader.last(),
        whole_bytes: reader.end(),
        rest,
    })
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileReport {
            name,
            bytes,
            content,
        } = self;
        match content {
            Content::Rdb => write!(f, "{name}: {bytes} bytes, a snapshot in RDB format"),
            Content::Log(log) => write!(f, "{name}: {bytes} bytes, {log}"),
        }
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogReport {
            groups,
            batches,
            foreign_batches,
            after,
            last,
            whole_bytes,
            rest,
        } = self;
        write!(f, "{batches} batches in {groups} groups")?;
        match after {
            Some(after) if after < last => write!(f, " (LSN {} to {last})", after.next())?,
            Some(after) => write!(f, " (after LSN {after})")?,
            None => {}
        }
        if *foreign_batches > 0 {
            write!(f, ", {foreign_batches} batches without checksum")?;
        }
        match rest {
            Rest::Nothing => write!(f, ": whole"),
            Rest::Torn(Damage { offset, reason }) => write!(
                f,
                ": whole up to offset {whole_bytes}, torn at {offset} as a crash leaves it ({reason})"
            ),
            Rest::Damaged(Damage { offset, reason }, behind) => {
                write!(
                    f,
                    ": whole up to offset {whole_bytes}, damaged at {offset} ({reason}){behind}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
