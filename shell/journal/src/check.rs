//! Looking at the files of a log without changing them, and saving what is whole in a damaged one.
//!
//! The functions behind `weir check` and `weir repair`. They read with the same reader as
//! [`Recovery`](crate::Recovery), take no lock, and judge each file as if it were the last one of
//! its log.

use std::fmt;
use std::io;

use crate::disk::{Access, Disk, DiskFile};
use crate::health::{Fault, Operation};
use crate::reader::{Behind, Damage, Reader, Record, Verdict};
use crate::recovery::Progress;
use batch::Lsn;

mod repair;
mod salvage;

pub use repair::{Kept, Lost, RepairError, Repaired, repair};

/// What a look at one file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file's name in the folder.
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
    /// What follows that.
    pub rest: Rest,
}

/// What follows the whole part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing, or space written ahead.
    Nothing,
    /// The end of a write that a crash tore. A server cuts it off when it starts.
    Torn(Damage),
    /// Damage that no crash can have done. A server refuses to start.
    Damaged(Damage, Behind),
}

/// Looks at one file of a log. `watch` sees the progress.
///
/// # Errors
/// The fault, if the file cannot be read.
pub fn check<D: Disk>(
    disk: &D,
    name: &str,
    watch: &mut dyn FnMut(Progress),
) -> Result<FileReport, Fault> {
    let fault = |error| Fault::new(Operation::Read, name, error);
    let file = disk.open(name, Access::Read).map_err(fault)?;
    let bytes = file.size().map_err(fault)?;
    let mut magic = [0; 5];
    let read = file.read_at(&mut magic, 0).map_err(fault)?;
    let content = if read == magic.len() && &magic == b"REDIS" {
        Content::Rdb
    } else {
        Content::Log(check_log(disk, name, file, 0, watch).map_err(fault)?)
    };
    let name = name.to_owned();
    Ok(FileReport {
        name,
        bytes,
        content,
    })
}

/// Looks at the commands that follow the snapshot at the front of a file and begin at `offset`.
///
/// # Errors
/// The fault, if the file cannot be read.
pub fn check_behind<D: Disk>(
    disk: &D,
    name: &str,
    offset: u64,
    watch: &mut dyn FnMut(Progress),
) -> Result<LogReport, Fault> {
    let fault = |error| Fault::new(Operation::Read, name, error);
    let file = disk.open(name, Access::Read).map_err(fault)?;
    check_log(disk, name, file, offset, watch).map_err(fault)
}

fn check_log<D: Disk>(
    disk: &D,
    name: &str,
    file: D::File,
    offset: u64,
    watch: &mut dyn FnMut(Progress),
) -> io::Result<LogReport> {
    let mut reader = Reader::new(file, None)?;
    reader.skip(offset);
    let (mut groups, mut batches, mut foreign_batches) = (0, 0, 0);
    let mut after = None;
    let rest = loop {
        watch(Progress {
            bytes_read: reader.offset(),
            bytes_total: reader.size(),
        });
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
        whole_bytes: reader.end().max(offset),
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
