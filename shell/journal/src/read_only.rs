//! A disk on which nothing can be changed: the owner of a log can read it through a second disk
//! like this.

use std::io;

use crate::disk::{Access, Disk};

/// A disk whose files can only be read. Anyone can take its lock, because nobody can do harm.
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
