//! A window that moves over a file from front to back.

use std::io;

use crate::disk::DiskFile;
use crate::limits::READ_BYTES;

/// The bytes of a file from some offset on, as many as were asked for.
pub(crate) struct Window<F> {
    file: F,
    size: u64,
    buffer: Vec<u8>,
    /// Index in `buffer` of the window's first byte.
    head: usize,
    /// Offset in the file of the window's first byte.
    offset: u64,
}

impl<F: DiskFile> Window<F> {
    /// A window at the start of `file`.
    pub(crate) fn new(file: F) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Window {
            file,
            size,
            buffer: Vec::new(),
            head: 0,
            offset: 0,
        })
    }

    /// The size of the file when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns where the window begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of bytes from the start of the window to the end of the file.
    pub(crate) fn remaining(&self) -> u64 {
        self.size - self.offset
    }

    /// The bytes at hand.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// Moves the start of the window by `bytes`, at most to the end of the file.
    pub(crate) fn advance(&mut self, bytes: u64) {
        let bytes = bytes.min(self.remaining());
        self.offset += bytes;
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= self.bytes().len() => self.head += bytes,
            _ => {
                self.buffer.clear();
                self.head = 0;
            }
        }
    }

    /// Ensures that `bytes` bytes are at hand, or all up to the end of the file if those are fewer.
    ///
    /// Memory is reserved for what the file has, never for what it claims.
    pub(crate) fn fill(&mut self, bytes: u64) -> io::Result<&[u8]> {
        let wanted = usize::try_from(bytes.min(self.remaining()))
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        if self.bytes().len() < wanted {
            self.buffer.drain(..self.head);
            self.head = 0;
            let old = self.buffer.len();
            let missing = (wanted - old).max(READ_BYTES);
            let room = usize::try_from(self.remaining()).unwrap_or(usize::MAX) - old;
            self.buffer.resize(old + missing.min(room), 0);
            let mut end = old;
            while end < self.buffer.len() {
                match self
                    .file
                    .read_at(&mut self.buffer[end..], self.offset + end as u64)
                {
                    // Somebody cut the file meanwhile.
                    Ok(0) => {
                        self.size = self.offset + end as u64;
                        self.buffer.truncate(end);
                    }
                    Ok(read) => end += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.buffer.truncate(end);
                        return Err(error);
                    }
                }
            }
        }
        Ok(self.bytes())
    }
}
