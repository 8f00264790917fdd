//! Reading the log at the start.
//!
//! [`Recovery::open`] takes the directory's lock and reads the manifest; [`Recovery::next`] yields
//! the base and then the batches, in order; [`Recovery::finish`] cuts off what a crash tore, makes
//! sure that everything that was read is durable, and returns the log, open for appending. Until
//! then nothing but the lock file was written, so a crash on the way costs nothing.
//!
//! What cannot be read is judged by two questions. *Can a crash have done it?* Only at the end of
//! the last file, and only if no whole group after it was written when it was already durable; then
//! it is cut off, and the report says so. *Otherwise* something damaged the data: recovery refuses,
//! and names file and offset.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use crate::disk::{Access, Disk, DiskFile};
use crate::health::{Fault, Operation};
use crate::limits::MANIFEST_BYTES_MAX;
use crate::manifest::{Entry, Manifest, ManifestError};
use crate::names::Names;
use crate::reader::{Behind, Damage, Reader, Record, Verdict};
use crate::window::Window;
use batch::Lsn;

mod error;
mod finish;

pub use error::RecoveryError;
pub use finish::Superseding;
use finish::{FileEnding, ReadIncrement};

/// What to do with a last file whose end a crash tore: the setting `aof-load-truncated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TornTail {
    /// Cut it back to the last whole batch.
    #[default]
    Cut,
    /// Refuse to start.
    Refuse,
}

/// The next piece of the data set.
pub enum Item<'a, D: Disk> {
    /// A base in RDB format. If commands follow the snapshot in that file (as in a file from before
    /// Redis 7), the consumer says where, with [`Recovery::base_ended_at`].
    Base(BaseReader<'a, D>),
    /// Commands of the base.
    BaseCommands(&'a [u8]),
    /// Whole batches of the log.
    Batches(Batches<'a>),
}

/// Whole batches: RESP commands (a transaction from `MULTI` to `EXEC`), and lines that begin with
/// `#`.
#[derive(Clone, Copy, Debug)]
pub struct Batches<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// The LSN of the first batch.
    pub first: Lsn,
    /// The LSN of the last batch.
    pub last: Lsn,
    /// Who wrote them.
    pub source: Source,
}

/// Who wrote batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// weir: they are effects, and their checksum was verified.
    Weir,
    /// Redis, or somebody else: they are commands, and only their outline was verified.
    Foreign,
}

/// Reads an RDB base, from the front.
pub struct BaseReader<'a, D: Disk> {
    file: &'a D::File,
    offset: u64,
    size: u64,
}

/// What recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The files that were read, base first.
    pub files: Vec<String>,
    /// The size of the base, in bytes.
    pub base_bytes: u64,
    /// The size of the increments, in bytes.
    pub log_bytes: u64,
    /// Groups of weir.
    pub groups: u64,
    /// Batches, those of Redis included.
    pub batches: u64,
    /// Batches that Redis wrote.
    pub foreign_batches: u64,
    /// The LSN of the last batch.
    pub last: Lsn,
    /// The torn ends that were cut off.
    pub cuts: Vec<TornEnd>,
    /// How the log was left.
    pub ending: Ending,
}

/// In what state a log was left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// There was none.
    #[default]
    Empty,
    /// By [`Log::close`](crate::Log::close).
    Closed,
    /// By the end of the process, or of the machine; or Redis wrote it.
    Open,
}

/// A torn end of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornEnd {
    /// The file's name in the folder.
    pub name: String,
    /// Where and how.
    pub damage: Damage,
    /// How many bytes were dropped.
    pub bytes: u64,
}

/// How much of the files was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, the base counted when it was passed.
    pub bytes_read: u64,
    /// Bytes in all.
    pub bytes_total: u64,
}

/// A log that is being read.
pub struct Recovery<D: Disk> {
    disk: Arc<D>,
    lock: D::Lock,
    names: Names,
    torn_tail: TornTail,
    manifest: Manifest,
    /// The files that were not opened yet.
    unread: VecDeque<(Entry, Role)>,
    open: Option<Open<D>>,
    increments: Vec<ReadIncrement>,
    /// The LSN up to which the log was read; `None` before the first increment said where it
    /// begins.
    last: Option<Lsn>,
    report: Report,
    progress: Progress,
}

/// The file that is being read.
enum Open<D: Disk> {
    /// An RDB base.
    Rdb {
        entry: Entry,
        file: D::File,
        size: u64,
        ended_at: u64,
    },
    /// Commands.
    Commands {
        entry: Entry,
        role: Role,
        reader: Reader<D::File>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Base,
    Increment,
}

/// What one step came to.
enum Step {
    Base,
    Batches(Record),
    Again,
    Done,
}

impl<D: Disk> Recovery<D> {
    /// Takes the lock and reads the manifest; a directory without one is an empty log.
    ///
    /// # Errors
    /// [`RecoveryError`], if the lock is held, or the manifest cannot be read.
    pub fn open(disk: Arc<D>, names: Names, torn_tail: TornTail) -> Result<Self, RecoveryError> {
        let lock = disk
            .lock(&names.lock())
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => RecoveryError::Locked { name: names.lock() },
                _ => Fault::new(Operation::Create, &names.lock(), error).into(),
            })?;
        let manifest = read_manifest(&*disk, &names)?;
        let base = manifest
            .base
            .iter()
            .map(|entry| (entry.clone(), Role::Base));
        let increments = manifest
            .increments
            .iter()
            .map(|entry| (entry.clone(), Role::Increment));
        let unread: VecDeque<_> = base.chain(increments).collect();
        let mut progress = Progress::default();
        for (entry, _) in &unread {
            progress.bytes_total += open(&*disk, entry)?.1;
        }
        Ok(Recovery {
            disk,
            lock,
            names,
            torn_tail,
            manifest,
            unread,
            open: None,
            increments: Vec::new(),
            last: None,
            report: Report::default(),
            progress,
        })
    }

    /// The next piece of the data set; `None` after the last.
    ///
    /// # Errors
    /// [`RecoveryError`], at a damaged place that no crash can have left.
    #[expect(
        clippy::should_implement_trait,
        reason = "items borrow from the recovery"
    )]
    pub fn next(&mut self) -> Result<Option<Item<'_, D>>, RecoveryError> {
        let record = loop {
            match self.step()? {
                Step::Again => {}
                Step::Base => break None,
                Step::Batches(record) => break Some(record),
                Step::Done => return Ok(None),
            }
        };
        Ok(match (&self.open, record) {
            (Some(Open::Rdb { file, size, .. }), _) => Some(Item::Base(BaseReader {
                file,
                offset: 0,
                size: *size,
            })),
            (
                Some(Open::Commands {
                    role: Role::Base,
                    reader,
                    ..
                }),
                _,
            ) => Some(Item::BaseCommands(reader.bytes())),
            (Some(Open::Commands { reader, .. }), Some(record)) => {
                let (batch_count, source) = match record {
                    Record::Foreign(batch_count) => (batch_count, Source::Foreign),
                    Record::Group(header) => (header.batch_count, Source::Weir),
                    Record::Padding | Record::End | Record::Damage(_) => (0, Source::Weir),
                };
                let last = reader.last();
                let first = Lsn::new(last.since(Lsn::new(batch_count))).next();
                Some(Item::Batches(Batches {
                    bytes: reader.bytes(),
                    first,
                    last,
                    source,
                }))
            }
            (None, _) | (Some(Open::Commands { .. }), None) => None,
        })
    }

    /// Says that the snapshot in an RDB base ended at this offset, and that commands follow.
    pub fn base_ended_at(&mut self, offset: u64) {
        if let Some(Open::Rdb { ended_at, size, .. }) = &mut self.open {
            *ended_at = offset.min(*size);
        }
    }

    /// The file that is being read, and where in it the bytes begin of the item that was returned
    /// last.
    pub fn place(&self) -> Option<(&str, u64)> {
        match self.open.as_ref()? {
            Open::Rdb { entry, .. } => Some((&entry.name, 0)),
            Open::Commands { entry, reader, .. } => Some((&entry.name, reader.bytes_offset())),
        }
    }

    /// Returns whether nothing was in what was read: neither a base nor a batch.
    pub fn is_empty(&self) -> bool {
        self.manifest.base.is_none() && self.report.batches == 0
    }

    /// The file that is opened next.
    pub fn upcoming(&self) -> Option<&str> {
        self.unread.front().map(|(entry, _)| entry.name.as_str())
    }

    /// What was found by now.
    pub fn report(&self) -> Report {
        Report {
            last: self.last.unwrap_or_default(),
            ..self.report.clone()
        }
    }

    /// Returns how much of the files was read.
    pub fn progress(&self) -> Progress {
        let within = match &self.open {
            Some(Open::Commands { reader, .. }) => reader.offset(),
            Some(Open::Rdb { .. }) | None => 0,
        };
        Progress {
            bytes_read: self.progress.bytes_read + within,
            ..self.progress
        }
    }

    /// Reads on by one record, or one file.
    fn step(&mut self) -> Result<Step, RecoveryError> {
        match &mut self.open {
            None => self.open_next(),
            Some(Open::Rdb { .. }) => self.leave_base(),
            Some(Open::Commands {
                entry,
                role,
                reader,
            }) => {
                let record = reader.next().map_err(|e| read_fault(entry, e))?;
                match record {
                    Record::Group(header) => {
                        self.report.groups += u64::from(header.batch_count > 0);
                        self.report.batches += header.batch_count;
                        let is_close = header.batch_count == 0 && reader.offset() > 0;
                        self.report.ending = if is_close {
                            Ending::Closed
                        } else {
                            Ending::Open
                        };
                        if header.batch_count == 0 {
                            return Ok(Step::Again);
                        }
                    }
                    Record::Foreign(batch_count) => {
                        self.report.ending = Ending::Open;
                        if *role == Role::Increment {
                            self.report.batches += batch_count;
                            self.report.foreign_batches += batch_count;
                        }
                    }
                    Record::Padding => return Ok(Step::Again),
                    Record::End => return Ok(self.leave_commands(FileEnding::Whole)),
                    Record::Damage(damage) => {
                        self.judge(damage)?;
                        return Ok(self.leave_commands(FileEnding::Torn));
                    }
                }
                Ok(Step::Batches(record))
            }
        }
    }

    fn open_next(&mut self) -> Result<Step, RecoveryError> {
        let Some((entry, role)) = self.unread.pop_front() else {
            return Ok(Step::Done);
        };
        self.report.files.push(entry.name.clone());
        let (file, size) = open(&*self.disk, &entry)?;
        if role == Role::Base {
            self.report.base_bytes = size;
            let mut magic = [0; 5];
            let read = file
                .read_at(&mut magic, 0)
                .map_err(|e| read_fault(&entry, e))?;
            if read == magic.len() && &magic == b"REDIS" {
                self.open = Some(Open::Rdb {
                    entry,
                    file,
                    size,
                    ended_at: size,
                });
                return Ok(Step::Base);
            }
        } else {
            self.report.log_bytes += size;
        }
        let last = if role == Role::Base {
            Some(Lsn::ZERO)
        } else {
            self.last
        };
        let reader = Reader::new(file, last).map_err(|e| read_fault(&entry, e))?;
        self.open = Some(Open::Commands {
            entry,
            role,
            reader,
        });
        Ok(Step::Again)
    }

    /// Continues after an RDB base with the commands in it, if there are any.
    fn leave_base(&mut self) -> Result<Step, RecoveryError> {
        if let Some(Open::Rdb {
            entry,
            file,
            size,
            ended_at,
        }) = self.open.take()
        {
            if ended_at == size {
                self.progress.bytes_read += size;
            } else {
                let mut reader =
                    Reader::new(file, Some(Lsn::ZERO)).map_err(|e| read_fault(&entry, e))?;
                reader.skip(ended_at);
                self.open = Some(Open::Commands {
                    entry,
                    role: Role::Base,
                    reader,
                });
            }
        }
        Ok(Step::Again)
    }

    fn leave_commands(&mut self, ending: FileEnding) -> Step {
        if let Some(Open::Commands {
            entry,
            role,
            reader,
        }) = self.open.take()
        {
            self.progress.bytes_read += reader.size();
            if role == Role::Increment {
                self.last = Some(reader.last());
                self.increments.push(ReadIncrement {
                    entry,
                    end: reader.end(),
                    vouched_end: reader.vouched_end(),
                    writer: reader.writer(),
                    ending,
                });
            }
        }
        Step::Again
    }

    /// Decides whether a crash can have left this place; then it is the end of the file.
    fn judge(&mut self, damage: Damage) -> Result<(), RecoveryError> {
        let Some(Open::Commands {
            entry,
            role,
            reader,
        }) = &self.open
        else {
            return Ok(());
        };
        let name = entry.name.clone();
        let verdict = match (role, self.unread.front()) {
            (Role::Base, _) => Verdict::Damaged(Behind::Nothing),
            // If the next file continues with the very next batch, nothing can be missing here.
            (Role::Increment, Some((next, _)))
                if reader.may_be_torn_here(damage)
                    && begins_after(&*self.disk, next)? == Some(reader.last()) =>
            {
                Verdict::Torn
            }
            (Role::Increment, Some(_)) => Verdict::Damaged(Behind::Nothing),
            (Role::Increment, None) => {
                let (file, _) = open(&*self.disk, entry)?;
                reader
                    .judge(damage, file)
                    .map_err(|e| read_fault(entry, e))?
            }
        };
        if let Verdict::Damaged(behind) = verdict {
            return Err(RecoveryError::Damaged {
                name,
                damage,
                behind,
            });
        }
        if self.torn_tail == TornTail::Refuse {
            return Err(RecoveryError::Torn { name, damage });
        }
        let bytes = reader.size() - reader.end();
        self.report.cuts.push(TornEnd {
            name,
            damage,
            bytes,
        });
        Ok(())
    }
}

impl<D: Disk> Read for BaseReader<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl<D: Disk> BaseReader<'_, D> {
    /// The size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Reads the manifest; where there is none, the log is empty.
fn read_manifest<D: Disk>(disk: &D, names: &Names) -> Result<Manifest, RecoveryError> {
    let name = names.manifest();
    let fault = |error| Fault::new(Operation::Read, &name, error);
    let file = match disk.open(&name, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(fault(error).into()),
    };
    let size = file.size().map_err(fault)?;
    let mut window = Window::new(file).map_err(fault)?;
    if size > MANIFEST_BYTES_MAX {
        let error = ManifestError {
            line: 1,
            reason: "the manifest is too long",
        };
        return Err(RecoveryError::Manifest { name, error });
    }
    let text = String::from_utf8_lossy(window.fill(size).map_err(fault)?).into_owned();
    Manifest::parse(&text).map_err(|error| RecoveryError::Manifest { name, error })
}

fn files(manifest: &Manifest) -> impl Iterator<Item = (&Entry, Role)> {
    let base = manifest.base.iter().map(|entry| (entry, Role::Base));
    base.chain(
        manifest
            .increments
            .iter()
            .map(|entry| (entry, Role::Increment)),
    )
}

fn open<D: Disk>(disk: &D, entry: &Entry) -> Result<(D::File, u64), RecoveryError> {
    let file = match disk.open(&entry.name, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RecoveryError::Missing {
                name: entry.name.clone(),
            });
        }
        Err(error) => return Err(read_fault(entry, error).into()),
    };
    let size = file.size().map_err(|e| read_fault(entry, e))?;
    Ok((file, size))
}

fn read_fault(entry: &Entry, error: io::Error) -> Fault {
    Fault::new(Operation::Read, &entry.name, error)
}

/// The LSN that an increment of weir says it begins after.
fn begins_after<D: Disk>(disk: &D, entry: &Entry) -> Result<Option<Lsn>, RecoveryError> {
    let (file, _) = open(disk, entry)?;
    let mut reader = Reader::new(file, None).map_err(|e| read_fault(entry, e))?;
    Ok(match reader.next().map_err(|e| read_fault(entry, e))? {
        Record::Group(header) => Some(header.previous()),
        Record::Foreign(_) | Record::Padding | Record::End | Record::Damage(_) => None,
    })
}

#[cfg(test)]
mod tests;
