//! The files of a local log: how each kind is made, written and removed.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::annotation::Header;
use crate::disk::{Disk, DiskFile, write_all_at};
use crate::health::{Fault, Operation};
use crate::log::{SnapshotFormat, SnapshotSink, SyncJob, Trimmed};
use crate::manifest::{Entry, Manifest};
use crate::names::Names;
use crate::pending_file::{PendingFile, RenameError};
use batch::Lsn;

use super::Increment;

/// Makes an increment that begins after `at`.
pub(crate) fn create_increment<D: Disk>(
    disk: &D,
    entry: Entry,
    at: Lsn,
) -> Result<Increment<D::File>, Fault> {
    let fault = |operation, error| Fault::new(operation, &entry.name, error);
    let line = Header::mark(at).encode();
    let file = disk
        .create(&entry.name)
        .map_err(|e| fault(Operation::Create, e))?;
    let made = write_all_at(&file, &mut [IoSlice::new(line.as_bytes())], 0)
        .map_err(|e| fault(Operation::Write, e))
        .and_then(|()| file.sync().map_err(|e| fault(Operation::Sync, e)));
    if let Err(fault) = made {
        // No manifest names it; the next attempt would empty it anyway.
        let _ = disk.remove(&entry.name);
        return Err(fault);
    }
    let end = line.as_bytes().len() as u64;
    Ok(Increment {
        entry,
        file: Arc::new(file),
        end,
        extent: end,
        last: at,
        synced: at,
    })
}

/// Replaces the manifest, and makes that durable together with every name that came before.
pub(crate) fn write_manifest<D: Disk>(
    disk: &Arc<D>,
    names: &Names,
    manifest: &Manifest,
) -> Result<(), RenameError> {
    let mut file = PendingFile::create(Arc::clone(disk), &names.temporary_manifest())
        .map_err(RenameError::Unchanged)?;
    file.write_all(manifest.to_text().as_bytes())
        .map_err(|e| RenameError::Unchanged(Fault::new(Operation::Write, &names.manifest(), e)))?;
    file.sync().map_err(RenameError::Unchanged)?;
    file.rename(&names.manifest())
}

/// A sync of the increment that was current when it was made.
pub struct FileSync<F> {
    pub(super) file: Arc<F>,
    pub(super) name: String,
    pub(super) lsn: Lsn,
}

impl<F: DiskFile> SyncJob for FileSync<F> {
    fn run(&self) -> io::Result<()> {
        self.file.sync()
    }
}

/// Writes a base.
pub struct BaseWriter<D: Disk> {
    pub(super) file: PendingFile<D>,
    pub(super) at: Lsn,
    pub(super) gives_way: Arc<AtomicBool>,
}

impl<D: Disk> Write for BaseWriter<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gives_way.load(Ordering::Relaxed) {
            let reason = "the log needs the room";
            return Err(io::Error::new(io::ErrorKind::StorageFull, reason));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<D: Disk> SnapshotSink for BaseWriter<D> {
    type Snapshot = Base<D>;

    fn at(&self) -> Lsn {
        self.at
    }

    fn finish(mut self, format: SnapshotFormat) -> Result<Base<D>, Fault> {
        let bytes = self.file.sync()?;
        Ok(Base {
            file: self.file,
            at: self.at,
            format,
            bytes,
        })
    }
}

/// A base that is durable, but not yet part of the log.
pub struct Base<D: Disk> {
    pub(super) file: PendingFile<D>,
    pub(super) at: Lsn,
    pub(super) format: SnapshotFormat,
    pub(super) bytes: u64,
}

/// Files that the log does not need any more.
pub struct History<D: Disk> {
    pub(super) disk: Arc<D>,
    pub(super) names: Vec<String>,
}

impl<D: Disk> Trimmed for History<D> {
    fn remove(self) {
        for name in &self.names {
            match self.disk.remove(name) {
                Ok(()) => tracing::debug!(%name, "removed a file that the log does not need"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%name, %error, "cannot remove a superfluous file"),
            }
        }
    }
}
