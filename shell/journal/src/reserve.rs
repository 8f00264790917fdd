//! Room on the disk that is kept for when there is no other: even commands that make room need
//! some.
//!
//! A deletion is a batch in the log, and a rewrite is a whole new base, before either frees
//! anything. So an unused file is kept beside the log. It is emptied when the disk is full, and
//! grows again when there is room.

use std::io;
use std::sync::Arc;

use crate::disk::{Access, Disk, DiskFile};
use crate::health::{Fault, Operation};

/// The file, and whether it holds its room.
pub(crate) struct Reserve<D: Disk> {
    disk: Arc<D>,
    name: String,
    /// How much is kept, in bytes. 0 means nothing, and then there is no file.
    bytes: u64,
    file: Option<D::File>,
    is_held: bool,
}

/// To make the reserve again, this many times its size must be free. Otherwise a disk with hardly
/// any free room would switch back and forth between full and not full.
const ROOM_FACTOR: u64 = 2;

impl<D: Disk> Reserve<D> {
    /// A reserve that keeps nothing.
    pub(crate) fn none(disk: Arc<D>, name: String) -> Self {
        Reserve {
            disk,
            name,
            bytes: 0,
            file: None,
            is_held: false,
        }
    }

    /// A reserve of this size. What an earlier process kept stays.
    pub(crate) fn open(disk: Arc<D>, name: String, bytes: u64) -> Self {
        let mut reserve = Reserve::none(disk, name);
        reserve.bytes = bytes;
        if bytes == 0 {
            // A file that cannot be removed does no harm.
            let _ = reserve.disk.remove(&reserve.name);
            return reserve;
        }
        if let Ok(file) = reserve.disk.open(&reserve.name, Access::ReadWrite) {
            let is_there = file.size().is_ok_and(|size| size >= bytes);
            reserve.is_held = is_there && file.truncate(bytes).and(file.allocate(bytes)).is_ok();
            reserve.file = Some(file);
        }
        reserve
    }

    /// Returns whether there is a reserve, and it was spent.
    pub(crate) fn is_spent(&self) -> bool {
        self.bytes > 0 && !self.is_held
    }

    /// Frees the room. Returns whether some was kept.
    pub(crate) fn spend(&mut self) -> bool {
        let was_held = std::mem::take(&mut self.is_held);
        if let Some(file) = self.file.as_ref().filter(|_| was_held) {
            return file.truncate(0).is_ok();
        }
        false
    }

    /// Keeps room again, if it does not yet.
    pub(crate) fn make(&mut self) -> Result<(), Fault> {
        if !self.is_spent() {
            return Ok(());
        }
        let made = self.grow();
        if made.is_err() {
            // What the reserve got is missing elsewhere.
            let _ = self.file.as_ref().map(|file| file.truncate(0));
        }
        self.is_held = made.is_ok();
        made.map_err(|error| Fault::new(Operation::Write, &self.name, error))
    }

    fn grow(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.disk.create(&self.name)?,
        };
        let file = self.file.insert(file);
        file.allocate(self.bytes.saturating_mul(ROOM_FACTOR))?;
        file.truncate(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_disk::FileDisk;

    #[test]
    fn room_is_kept_spent_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
        let open = |bytes| Reserve::open(Arc::clone(&disk), "r".to_owned(), bytes);
        let size = || disk.open("r", Access::Read).unwrap().size().unwrap();
        let mut reserve = open(9000);
        assert!(reserve.is_spent() && !reserve.spend());
        reserve.make().unwrap();
        assert_eq!((reserve.is_spent(), size()), (false, 9000));
        // The next process finds it.
        let mut reserve = open(5000);
        assert_eq!((reserve.is_spent(), size()), (false, 5000));
        assert!(reserve.spend() && reserve.is_spent());
        assert_eq!(size(), 0);
        assert!(!reserve.spend());
        assert!(open(5000).is_spent());
        let none = open(0);
        assert!(!none.is_spent() && disk.list().unwrap().is_empty());
    }
}
