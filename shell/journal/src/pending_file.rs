//! A file that is written under another name until it is whole and durable.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, write_all_at};
use crate::health::{Fault, Operation};

/// A file in the making. Dropped before [`PendingFile::rename`], it is removed again.
///
/// Writes are gathered. Long files are made durable as they grow, so that the last sync has little
/// to do and the log's own syncs do not queue behind a gigabyte.
pub struct PendingFile<D: Disk> {
    disk: Arc<D>,
    name: String,
    file: Option<D::File>,
    buffer: Vec<u8>,
    written: u64,
    unsynced: u64,
}

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 256 << 10;

/// How much is written before it is made durable.
const SYNC_BYTES: u64 = 1 << 20;

impl<D: Disk> PendingFile<D> {
    /// Begins a file, under a name that is not its final one.
    ///
    /// # Errors
    /// The fault, if the file cannot be made.
    pub fn create(disk: Arc<D>, name: &str) -> Result<Self, Fault> {
        let file = disk
            .create(name)
            .map_err(|e| Fault::new(Operation::Create, name, e))?;
        let name = name.to_owned();
        Ok(PendingFile {
            disk,
            name,
            file: Some(file),
            buffer: Vec::new(),
            written: 0,
            unsynced: 0,
        })
    }

    /// Makes what was written durable, under its current name; returns the size in bytes.
    ///
    /// # Errors
    /// The fault; the file is then useless.
    pub fn sync(&mut self) -> Result<u64, Fault> {
        self.write_out()
            .map_err(|e| Fault::new(Operation::Write, &self.name, e))?;
        self.sync_file()
            .map_err(|e| Fault::new(Operation::Sync, &self.name, e))?;
        Ok(self.written)
    }

    /// Gives the file its final name, replacing what had it, and makes that durable. The file
    /// itself must be: call [`PendingFile::sync`] before.
    ///
    /// # Errors
    /// [`RenameError`] says whether the old file can be gone.
    pub fn rename(mut self, to: &str) -> Result<(), RenameError> {
        assert!(
            self.unsynced == 0 && self.buffer.is_empty(),
            "a name must not come first"
        );
        let disk = &self.disk;
        // The file's own entry must be durable before it can replace another.
        disk.sync_dir()
            .map_err(|e| RenameError::Unchanged(Fault::new(Operation::SyncDirectory, to, e)))?;
        self.file = None;
        disk.rename(&self.name, to)
            .map_err(|e| RenameError::Unknown(Fault::new(Operation::Rename, to, e)))?;
        disk.sync_dir()
            .map_err(|e| RenameError::Unknown(Fault::new(Operation::SyncDirectory, to, e)))
    }

    fn write_out(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        write_all_at(file, &mut [IoSlice::new(&self.buffer)], self.written)?;
        self.written += self.buffer.len() as u64;
        self.unsynced += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn sync_file(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync()?;
        }
        self.unsynced = 0;
        Ok(())
    }
}

/// Why a file did not get its final name.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RenameError {
    /// The old file is there as before.
    #[error("{0}")]
    Unchanged(Fault),
    /// After a crash either file may be there.
    #[error("{0}")]
    Unknown(Fault),
}

impl<D: Disk> Write for PendingFile<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_out()?;
            if self.unsynced >= SYNC_BYTES {
                self.sync_file()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()
    }
}

impl<D: Disk> Drop for PendingFile<D> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What stays is removed at the next start.
            let _ = self.disk.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::disk::{Access, DiskFile};
    use crate::file_disk::FileDisk;

    #[test]
    fn a_file_replaces_another_or_disappears() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
        for text in ["old", "new"] {
            let mut file = PendingFile::create(Arc::clone(&disk), "temp-x").unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_eq!(file.sync().unwrap(), 3);
            file.rename("x").unwrap();
        }
        let mut dropped = PendingFile::create(Arc::clone(&disk), "temp-y").unwrap();
        dropped.write_all(&[7; BUFFER_BYTES + 1]).unwrap();
        drop(dropped);
        assert_eq!(disk.list().unwrap(), ["x"]);
        let mut buffer = [0; 8];
        let read = disk
            .open("x", Access::Read)
            .unwrap()
            .read_at(&mut buffer, 0)
            .unwrap();
        assert_eq!(&buffer[..read], b"new");
    }

    #[test]
    fn a_file_that_is_not_durable_gets_no_name() {
        for flushed in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
            let mut file = PendingFile::create(Arc::clone(&disk), "temp-x").unwrap();
            file.write_all(b"text").unwrap();
            if flushed {
                file.flush().unwrap();
            }
            let renamed = catch_unwind(AssertUnwindSafe(|| file.rename("x")));
            assert!(renamed.is_err(), "flushed: {flushed}");
            assert!(disk.list().unwrap().is_empty());
        }
    }
}
