//! A disk on which nothing can be changed: whoever owns a log already can read it through one beside that.

use std::io;

use crate::disk::{Access, Disk};

/// A disk whose files can be read, and no more. Its lock is free for everybody, as nobody can do harm.
#[derive(Debug)]
pub struct ReadOnly<D> {
    disk: D,
}

impl<D: Disk> ReadOnly<D> {
    /// The disk, for reading only.
    pub fn new(disk: D) -> ReadOnly<D> {
        ReadOnly { disk }
    }
}

impl<D: Disk> Disk for ReadOnly<D> {
    type File = D::File;
    type Lock = ();

    fn create(&self, _name: &str) -> io::Result<D::File> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<D::File> {
        match access {
            Access::Read => self.disk.open(name, access),
            Access::ReadWrite => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
}
