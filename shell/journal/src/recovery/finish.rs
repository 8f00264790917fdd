//! From reading to writing: what was read is made durable, and the log is opened for appending.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::{Recovery, RecoveryError, Report, Role, files, read_fault};
use crate::disk::{Access, Disk, DiskFile, write_all_at};
use crate::health::{Fault, Operation};
use crate::limits::READ_BYTES;
use crate::local::{Increment, LocalLog, create_increment, write_manifest};
use crate::manifest::{Entry, Manifest};
use crate::names::Names;
use crate::pending_file::RenameError;
use crate::reader::Writer;
use batch::Lsn;

/// What must be known of an increment after it was read.
pub(super) struct ReadIncrement {
    pub(super) entry: Entry,
    /// Where the last batch ends.
    pub(super) end: u64,
    /// Up to where a later group says that the bytes are durable.
    pub(super) vouched_end: u64,
    pub(super) writer: Writer,
    pub(super) ending: FileEnding,
}

/// What an increment ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileEnding {
    /// A batch, or padding.
    Whole,
    /// Something that a crash left behind.
    Torn,
}

impl<D: Disk> Recovery<D> {
    /// Ends the recovery: reads what was not read yet, cuts off torn ends, makes everything
    /// durable, removes what is superfluous, and opens the log for appending.
    ///
    /// The first batch that is appended must select its database, as if it were the first of a
    /// file.
    ///
    /// # Errors
    /// [`RecoveryError`]; the files hold what they held.
    pub fn finish(mut self) -> Result<(LocalLog<D>, Report), RecoveryError> {
        while self.next()?.is_some() {}
        let at = self.last.unwrap_or_default();
        self.report.last = at;
        // What was read may be only in the page cache. Nobody may see it before it is on the disk.
        if let Some((base, _)) = files(&self.manifest).find(|(_, role)| *role == Role::Base) {
            let file = self.disk.open(&base.name, Access::Read);
            let file = file.map_err(|e| read_fault(base, e))?;
            file.sync()
                .map_err(|e| Fault::new(Operation::Sync, &base.name, e))?;
        }
        let mut older_bytes = 0;
        let mut current = None;
        let last_index = self.increments.len().wrapping_sub(1);
        for (index, increment) in self.increments.into_iter().enumerate() {
            let is_last = index == last_index;
            let ours = increment.writer == Writer::Weir;
            let end = increment.end;
            let opened = increment.make_durable(&*self.disk, is_last, at)?;
            if is_last && ours {
                current = Some(opened);
            } else {
                older_bytes += end;
            }
        }
        let mut manifest = self.manifest;
        let history = std::mem::take(&mut manifest.history);
        let current = match current {
            Some(current) if history.is_empty() => {
                let manifest_name = self.names.manifest();
                self.disk
                    .sync_dir()
                    .map_err(|e| Fault::new(Operation::SyncDirectory, &manifest_name, e))?;
                current
            }
            Some(current) => {
                replace_manifest(&self.disk, &self.names, &manifest)?;
                current
            }
            // Redis wrote the last file, or there is none: what weir adds goes to a file of its
            // own.
            None => {
                let seq = manifest.next_increment_seq();
                let entry = Entry {
                    name: self.names.increment(seq),
                    seq,
                };
                let current = create_increment(&*self.disk, entry, at)?;
                manifest.increments.push(current.entry.clone());
                replace_manifest(&self.disk, &self.names, &manifest)?;
                current
            }
        };
        let mut superfluous: Vec<String> = history.into_iter().map(|entry| entry.name).collect();
        // Not knowing them is no reason not to start.
        let found = self.disk.list().unwrap_or_default();
        superfluous.extend(
            found
                .into_iter()
                .filter(|name| self.names.is_temporary(name)),
        );
        for name in &superfluous {
            match self.disk.remove(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%name, %error, "cannot remove a superfluous file");
                }
                Ok(()) | Err(_) => {}
            }
        }
        let base_bytes = self.report.base_bytes;
        let (disk, lock, names) = (self.disk, self.lock, self.names);
        let log = LocalLog::new(
            disk,
            lock,
            names,
            manifest,
            current,
            base_bytes,
            older_bytes,
        );
        Ok((log, self.report))
    }

    /// Opens the log for a data set that is in memory already, whatever the files hold. They stay
    /// until the first rewrite has succeeded; until then the log is not trusted.
    ///
    /// # Errors
    /// [`RecoveryError`], if the directory cannot be written.
    pub fn supersede(self) -> Result<Superseding<D>, RecoveryError> {
        let seq = self.manifest.next_increment_seq();
        let name = self.names.increment(seq);
        // Nothing is written to it: the first rewrite begins an increment of its own.
        let current = create_increment(&*self.disk, Entry { name, seq }, Lsn::ZERO)?;
        // If it stays, that increment replaces it.
        let _ = self.disk.remove(&current.entry.name);
        let (disk, lock, names) = (self.disk, self.lock, self.names);
        let log = LocalLog::new(disk, lock, names, self.manifest, current, 0, 0).distrust();
        Ok(Superseding { log })
    }
}

/// A log that is to take the place of what its files hold.
pub struct Superseding<D: Disk> {
    log: LocalLog<D>,
}

impl<D: Disk> Superseding<D> {
    /// The same, with this many bytes kept on the disk for when there is no other room.
    #[must_use]
    pub fn with_reserve(mut self, bytes: u64) -> Self {
        self.log = self.log.with_reserve(bytes);
        self
    }

    /// The log, for a data set that is at `at` now. This does not touch the disk.
    #[must_use]
    pub fn at(self, at: Lsn) -> LocalLog<D> {
        self.log.begun_at(at)
    }
}

impl ReadIncrement {
    /// Cuts off a torn end and makes the rest durable.
    fn make_durable<D: Disk>(
        self,
        disk: &D,
        is_last: bool,
        at: Lsn,
    ) -> Result<Increment<D::File>, RecoveryError> {
        let name = self.entry.name.clone();
        let write_fault = |error| Fault::new(Operation::Write, &name, error);
        let file = disk
            .open(&name, Access::ReadWrite)
            .map_err(|e| read_fault(&self.entry, e))?;
        let size = file.size().map_err(|e| read_fault(&self.entry, e))?;
        // Padding may stay where nothing is written any more.
        if size > self.end && (is_last || self.ending == FileEnding::Torn) {
            file.truncate(self.end).map_err(write_fault)?;
        }
        if is_last && self.writer == Writer::Weir {
            self.rewrite_unvouched(&file).map_err(write_fault)?;
        }
        file.sync()
            .map_err(|e| Fault::new(Operation::Sync, &name, e))?;
        let end = self.end;
        let (entry, file) = (self.entry, Arc::new(file));
        Ok(Increment {
            entry,
            file,
            end,
            extent: end,
            last: at,
            synced: at,
        })
    }

    /// Writes again what is not known to be durable. If a sync of it failed and the process then
    /// ended, the page cache still shows it and considers it clean: no sync would ever write it.
    fn rewrite_unvouched<F: DiskFile>(&self, file: &F) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let mut at = self.vouched_end;
        while at < self.end {
            let wanted = usize::try_from(self.end - at)
                .unwrap_or(READ_BYTES)
                .min(READ_BYTES);
            let read = file.read_at(&mut buffer[..wanted], at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            write_all_at(file, &mut [IoSlice::new(&buffer[..read])], at)?;
            at += read as u64;
        }
        Ok(())
    }
}

fn replace_manifest<D: Disk>(
    disk: &Arc<D>,
    names: &Names,
    manifest: &Manifest,
) -> Result<(), RecoveryError> {
    write_manifest(disk, names, manifest).map_err(|error| match error {
        RenameError::Unchanged(fault) | RenameError::Unknown(fault) => fault.into(),
    })
}
