//! A directory of real files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;

use crate::disk::{Access, Disk, DiskFile, write_all_at};
use crate::regular::{name_of, open_regular};

/// A [`Disk`] in a directory of the file system.
#[derive(Debug)]
pub struct FileDisk {
    path: PathBuf,
    directory: File,
}

impl FileDisk {
    /// Opens the directory, and creates it (durably) if it is missing.
    ///
    /// # Errors
    /// What the operating system says: no permission, not a directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            if let Ok(metadata) = fs::metadata(path) {
                let found = name_of(metadata.file_type());
                let error = format!("a folder must be there, and it is {found}");
                return Err(io::Error::new(io::ErrorKind::NotADirectory, error));
            }
            fs::create_dir_all(path)?;
            if let Some(parent) = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                File::open(parent)?.sync_all()?;
            }
        }
        Self::open_existing(path)
    }

    /// Opens a directory that exists, and changes nothing.
    ///
    /// # Errors
    /// `NotFound`, or what else the operating system says.
    pub fn open_existing(path: &Path) -> io::Result<Self> {
        Ok(FileDisk {
            path: path.to_owned(),
            directory: File::open(path)?,
        })
    }

    /// Takes the lock file `name` together with others who only read, if there is such a file, and
    /// changes nothing.
    ///
    /// # Errors
    /// `WouldBlock` if a writer holds it; otherwise what the operating system says.
    pub fn lock_for_reading(&self, name: &str) -> io::Result<Option<File>> {
        let file = match open_regular(OpenOptions::new().read(true), &self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        file.try_lock_shared().map_err(of_lock)?;
        Ok(Some(file))
    }

    /// Returns where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn of_lock(error: fs::TryLockError) -> io::Error {
    match error {
        fs::TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        fs::TryLockError::Error(error) => error,
    }
}

/// Frees the space of a file that was just removed or replaced, unless it has another name. It does
/// so bit by bit, because a file system that frees a gigabyte at once holds up every sync meanwhile
/// (ext4: by 50 ms for 200 MB).
pub fn free_in_steps(file: &File) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    // Somebody linked the file to keep it, and wants it whole.
    let mut size = if metadata.nlink() == 0 {
        metadata.len()
    } else {
        0
    };
    while size > FREED_AT_ONCE_BYTES {
        size -= FREED_AT_ONCE_BYTES;
        if file.set_len(size).is_err() {
            return;
        }
        thread::sleep(FREEING_PAUSE);
    }
}

/// How much of a removed file is freed at once, in bytes.
const FREED_AT_ONCE_BYTES: u64 = 4 << 20;

/// How long syncs have between two pieces.
const FREEING_PAUSE: Duration = Duration::from_millis(1);

impl Disk for FileDisk {
    type File = File;
    type Lock = File;

    fn create(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        open_regular(&mut options, &self.path.join(name))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<File> {
        let write = access == Access::ReadWrite;
        let mut options = OpenOptions::new();
        open_regular(options.read(true).write(write), &self.path.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // A name that is not UTF-8 is not one of ours.
            if let (true, Ok(name)) = (
                entry.file_type()?.is_file(),
                entry.file_name().into_string(),
            ) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let file = open_regular(OpenOptions::new().write(true), &path);
        fs::remove_file(&path)?;
        if let Ok(file) = file {
            free_in_steps(&file);
        }
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    fn lock(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = open_regular(&mut options, &self.path.join(name))?;
        file.try_lock().map_err(of_lock)?;
        // The process number is only for error messages; the lock itself does not depend on it.
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(file)
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        // This moves a position that nothing goes by. The journal asks before each group, and to
        // ask for the file's times too, as `metadata` does, makes the next write's time a change
        // of its own that the system has to note.
        Ok(rustix::fs::seek(self, SeekFrom::End(0))?)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, buffers: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(self, buffers, offset)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        match rustix::fs::fallocate(self, FallocateFlags::empty(), 0, size) {
            Err(Errno::OPNOTSUPP) => fill(self, size),
            result => Ok(result?),
        }
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
}

/// Grows a file on a file system that allocates room only for what was written.
fn fill(file: &File, size: u64) -> io::Result<()> {
    let mut end = file.size()?;
    while end < size {
        let bytes = &ZEROS[..ZEROS
            .len()
            .min(usize::try_from(size - end).unwrap_or(usize::MAX))];
        write_all_at(file, &mut [IoSlice::new(bytes)], end)?;
        end += bytes.len() as u64;
    }
    Ok(())
}

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_file_is_freed_unless_it_has_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(folder.path()).unwrap();
        let bytes = 2 * FREED_AT_ONCE_BYTES + 1;
        let file = disk.create("gone").unwrap();
        file.truncate(bytes).unwrap();
        disk.remove("gone").unwrap();
        assert_eq!(file.size().unwrap(), 1);

        disk.create("a").unwrap().truncate(bytes).unwrap();
        fs::hard_link(folder.path().join("a"), folder.path().join("copy")).unwrap();
        disk.remove("a").unwrap();
        let copy = disk.open("copy", Access::Read).unwrap();
        assert_eq!(copy.size().unwrap(), bytes);
    }

    #[test]
    fn a_file_is_written_at_offsets_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(&folder.path().join("new/deep")).unwrap();
        let file = disk.create("a").unwrap();
        write_all_at(
            &file,
            &mut [
                IoSlice::new(b"abc"),
                IoSlice::new(b""),
                IoSlice::new(b"def"),
            ],
            0,
        )
        .unwrap();
        write_all_at(&file, &mut [IoSlice::new(b"XY")], 2).unwrap();
        file.sync().unwrap();
        let mut buffer = [0; 16];
        assert_eq!(DiskFile::read_at(&file, &mut buffer, 1).unwrap(), 5);
        assert_eq!(&buffer[..5], b"bXYef");
        file.truncate(3).unwrap();
        assert_eq!(file.size().unwrap(), 3);
        disk.rename("a", "b").unwrap();
        disk.sync_dir().unwrap();
        assert_eq!(disk.list().unwrap(), ["b"]);
        disk.remove("b").unwrap();
        assert_eq!(
            disk.open("b", Access::Read).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn more_slices_than_one_call_takes_are_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(folder.path()).unwrap();
        let file = disk.create("a").unwrap();
        let piece = [b'x'; 3];
        let mut slices = vec![IoSlice::new(&piece); 2000];
        write_all_at(&file, &mut slices, 0).unwrap();
        assert_eq!(file.size().unwrap(), 6000);
    }

    #[test]
    fn a_file_gets_room_in_either_way() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(folder.path()).unwrap();
        let bytes = 3 * ZEROS.len() as u64 + 5;
        for grow in [File::allocate, fill] {
            let file = disk.create("a").unwrap();
            grow(&file, bytes).unwrap();
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.len(), bytes);
            assert!(metadata.blocks() * 512 >= bytes);
        }
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(folder.path()).unwrap();
        let held = disk.lock("lock").unwrap();
        assert_eq!(
            disk.lock("lock").unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(held);
        disk.lock("lock").unwrap();
    }

    #[test]
    fn readers_share_a_lock_and_make_none() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(folder.path()).unwrap();
        assert!(disk.lock_for_reading("lock").unwrap().is_none());
        assert!(disk.list().unwrap().is_empty());
        let written = disk.lock("lock").unwrap();
        let refused = disk.lock_for_reading("lock").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(written);
        let readers = [(); 2].map(|()| disk.lock_for_reading("lock").unwrap().unwrap());
        assert!(disk.lock("lock").is_err());
        drop(readers);
        disk.lock("lock").unwrap();
    }
}
