//! What the journal needs of a disk: one directory of files.
//!
//! The seam at which faults are injected. [`FileDisk`](crate::FileDisk) does it with real files;
//! the simulator loses unsynced writes, tears them, fails, and fills up. What holds after a crash
//! is exactly what these traits promise: bytes only after [`DiskFile::sync`], names only after
//! [`Disk::sync_dir`]. Everything takes `&self`: a background thread writes a new base while the
//! journal's thread appends.

use std::io;
use std::io::IoSlice;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; works in a directory that cannot be written.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// One directory. Names are plain file names, without a path.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// Held as long as this process owns the directory; dropping it releases the directory.
    type Lock: Send + Sync + 'static;

    /// Makes an empty file for reading and writing; one of that name is emptied.
    ///
    /// # Errors
    /// What the operating system says: no space, no permission, read-only.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// `NotFound`, or what else the operating system says.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;

    /// The names of all files, in no order.
    ///
    /// # Errors
    /// What the operating system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Renames a file; one that has the new name is replaced, atomically.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, or what else the operating system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable: everything that was created, renamed or removed before.
    ///
    /// # Errors
    /// What the operating system says; after an error the names are as uncertain as before.
    fn sync_dir(&self) -> io::Result<()>;

    /// Takes the lock file `name`, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if somebody holds it; otherwise what the operating system says.
    fn lock(&self, name: &str) -> io::Result<Self::Lock>;
}

/// An open file, read and written at offsets.
pub trait DiskFile: Send + Sync + 'static {
    /// The size in bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn size(&self) -> io::Result<u64>;

    /// Reads up to `buffer.len()` bytes from `offset` on; fewer at the end of the file, 0 beyond
    /// it.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes from `offset` on and returns how much was written, at least one byte; the file grows
    /// as needed.
    ///
    /// # Errors
    /// What the operating system says; part of the bytes may have been written all the same.
    fn write_at(&self, buffers: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;

    /// Makes all that was written before durable. It may run on another thread than the writes.
    ///
    /// # Errors
    /// What the operating system says. After an error nobody knows what is on the disk, and a later
    /// success says nothing about the bytes that this call was to make durable.
    fn sync(&self) -> io::Result<()>;

    /// Grows the file to `size` bytes, all of which have their place on the disk from then on. The
    /// values of the new ones are unspecified.
    ///
    /// # Errors
    /// What the operating system says, above all that there is no room; the file may have grown by
    /// a part all the same.
    fn allocate(&self, size: u64) -> io::Result<()>;

    /// Cuts the file to `size` bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn truncate(&self, size: u64) -> io::Result<()>;
}

/// Writes all of `buffers` at `offset`, however many calls that takes.
///
/// # Errors
/// The first error of the disk; what was written before it stays.
pub(crate) fn write_all_at<F: DiskFile>(
    file: &F,
    mut buffers: &mut [IoSlice<'_>],
    mut offset: u64,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut buffers, 0);
    while !buffers.is_empty() {
        match file.write_at(buffers, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut buffers, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns whether the error says that there is no room, so that the same write may succeed later.
/// A limit on the size of files counts, because somebody may raise it.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
