//! Saving what is whole in a damaged log file.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::salvage::WholeGroups;
use super::{Content, LogReport, Rest, check};
use crate::disk::{Access, Disk, DiskFile};
use crate::health::{Fault, Operation};
use crate::limits::READ_BYTES;
use crate::pending_file::{PendingFile, RenameError};
use crate::reader::{Damage, line_at};
use crate::recovery::Progress;
use batch::Lsn;

/// What a repair keeps of what follows the first damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: what comes back is what was true at some moment.
    WholePart,
    /// Each group that is whole: what comes back was never the state at any moment, because what is
    /// lost is missing in the middle.
    WholeGroups,
}

/// What a repair made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// What is in the old file.
    pub old: LogReport,
    /// The new file, which holds what was kept.
    pub name: String,
    /// How many bytes of the old file are not in the new one.
    pub dropped_bytes: u64,
    /// Groups behind the first damaged place that were kept.
    pub kept_groups: u64,
    /// The batches that are not in the new file, as far as that can be told.
    pub lost: Vec<Lost>,
}

/// Batches that are lost, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The LSN of the first.
    pub first: Lsn,
    /// The LSN of the last; unknown where nothing behind can be read.
    pub last: Option<Lsn>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first;
        match self.last {
            None => write!(
                f,
                "LSN {first} and what follows, nobody can tell how many requests"
            ),
            Some(last) if last == first => write!(f, "LSN {first} (1 request)"),
            Some(last) => {
                let requests = last.since(first) + 1;
                write!(f, "LSN {first} to {last} ({requests} requests)")
            }
        }
    }
}

/// Why there was no repair.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The file is a snapshot: there is no whole part to save.
    #[error("{name} is an RDB file; restore it from a backup")]
    Rdb {
        /// Its name in the folder.
        name: String,
    },
    /// There is nothing to repair.
    #[error("{name} is whole")]
    Whole {
        /// Its name in the folder.
        name: String,
    },
    /// A file is in the way.
    #[error("{name} exists; move it out of the way")]
    Exists {
        /// Its name in the folder.
        name: String,
    },
    /// The disk failed.
    #[error("{0}")]
    Disk(#[from] Fault),
}

/// Stands in for batches that are lost: a command without effect that is not weir's, after which a
/// reader accepts a gap in the numbers.
const GAP: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// Writes what is whole in a damaged file into a new one beside it, with the same name and
/// `.repaired` at the end. The old file stays as it is. `watch` sees the progress.
///
/// # Errors
/// [`RepairError`]; there is no new file then.
pub fn repair<D: Disk>(
    disk: &Arc<D>,
    name: &str,
    kept: Kept,
    watch: &mut dyn FnMut(Progress),
) -> Result<Repaired, RepairError> {
    let report = check(&**disk, name, watch)?;
    let Content::Log(old) = report.content else {
        return Err(RepairError::Rdb { name: report.name });
    };
    let (Rest::Torn(damage) | Rest::Damaged(damage, _)) = old.rest else {
        return Err(RepairError::Whole { name: report.name });
    };
    let new_name = format!("{name}.repaired");
    if disk.open(&new_name, Access::Read).is_ok() {
        return Err(RepairError::Exists { name: new_name });
    }
    let read_fault = |error| Fault::new(Operation::Read, name, error);
    let open = || disk.open(name, Access::Read).map_err(read_fault);
    let file = open()?;
    let new = PendingFile::create(Arc::clone(disk), &format!("temp-{new_name}"))?;
    let mut copy = Copy {
        file: &file,
        new,
        name,
        new_name: &new_name,
        bytes: 0,
    };
    copy.part(0, old.whole_bytes)?;

    let mut groups = WholeGroups::new(open()?, damage.offset, old.last).map_err(read_fault)?;
    let (mut last, mut kept_last, mut kept_groups) = (old.last, old.last, 0);
    let mut lost = Vec::new();
    while let Some(found) = groups.next().map_err(read_fault)? {
        let progress = Progress {
            bytes_read: found.offset,
            bytes_total: report.bytes,
        };
        watch(progress);
        last = found.header.last;
        if kept == Kept::WholePart {
            continue;
        }
        if found.header.previous() > kept_last {
            lost.push(Lost {
                first: kept_last.next(),
                last: Some(found.header.previous()),
            });
            copy.write(GAP)?;
        }
        copy.part(found.offset, found.bytes)?;
        kept_last = last;
        kept_groups += u64::from(found.header.batch_count > 0);
    }
    if last > kept_last {
        lost.push(Lost {
            first: kept_last.next(),
            last: Some(last),
        });
    } else if last == old.last && lost.is_empty() {
        lost.push(Lost {
            first: last.next(),
            last: claimed(&file, damage, last).map_err(read_fault)?,
        });
    }
    let copied_bytes = copy.bytes;
    let mut new = copy.new;
    new.sync()?;
    new.rename(&new_name).map_err(|error| match error {
        RenameError::Unchanged(fault) | RenameError::Unknown(fault) => fault,
    })?;
    Ok(Repaired {
        dropped_bytes: report.bytes.saturating_sub(copied_bytes),
        old,
        name: new_name,
        kept_groups,
        lost,
    })
}

/// The last LSN that a damaged group claims, if its line continues the log.
fn claimed<F: DiskFile>(file: &F, damage: Damage, last: Lsn) -> io::Result<Option<Lsn>> {
    let mut line = [0; crate::limits::LINE_BYTES_MAX];
    let read = file.read_at(&mut line, damage.offset)?;
    let header = line_at(line.get(..read).unwrap_or_default()).map(|(_, header)| header);
    Ok(header
        .filter(|header| header.previous() == last && header.last > last)
        .map(|header| header.last))
}

/// Copies parts of a file into a new one.
struct Copy<'a, D: Disk> {
    file: &'a D::File,
    new: PendingFile<D>,
    name: &'a str,
    new_name: &'a str,
    /// How many bytes were copied.
    bytes: u64,
}

impl<D: Disk> Copy<'_, D> {
    fn part(&mut self, from: u64, bytes: u64) -> Result<(), Fault> {
        let fault = |error| Fault::new(Operation::Read, self.name, error);
        let mut buffer = vec![0; READ_BYTES.min(usize::try_from(bytes).unwrap_or(READ_BYTES))];
        let (mut at, end) = (from, from + bytes);
        while at < end {
            let wanted = usize::try_from(end - at).map_or(buffer.len(), |n| n.min(buffer.len()));
            let read = self
                .file
                .read_at(&mut buffer[..wanted], at)
                .map_err(fault)?;
            if read == 0 {
                return Err(fault(io::ErrorKind::UnexpectedEof.into()));
            }
            self.new
                .write_all(&buffer[..read])
                .map_err(|e| Fault::new(Operation::Write, self.new_name, e))?;
            at += read as u64;
        }
        self.bytes += bytes;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.new
            .write_all(bytes)
            .map_err(|e| Fault::new(Operation::Write, self.new_name, e))
    }
}
