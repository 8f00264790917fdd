//! Opening regular files, and nothing else.
//!
//! Opening a FIFO waits for somebody at its other end, and a device may never end or do something.
//! In the place of one of our files they are a mistake, which is better reported than waited for.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file with these options, if it is a regular one or is created by that. Never waits.
///
/// # Errors
/// What the operating system says; [`io::ErrorKind::InvalidInput`], with words for a user, if it is
/// not a regular file.
pub fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Checked before, because opening a device can have consequences, and afterwards, because only
    // that is certain.
    if let Ok(metadata) = fs::metadata(path) {
        expect_regular(metadata.file_type())?;
    }
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    expect_regular(file.metadata()?.file_type())?;
    Ok(file)
}

fn expect_regular(found: FileType) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("a file must be there, and it is {}", name_of(found)),
    ))
}

/// What it is, for a user.
pub(crate) fn name_of(found: FileType) -> &'static str {
    if found.is_file() {
        "a file"
    } else if found.is_dir() {
        "a folder"
    } else if found.is_fifo() {
        "a FIFO"
    } else if found.is_socket() {
        "a socket"
    } else if found.is_char_device() || found.is_block_device() {
        "a device"
    } else {
        // A link is followed, and there are no other kinds.
        "no file"
    }
}
