//! A reader that reports its progress.

use std::io::{self, Read};

use journal::Progress;

/// Reports how much was read.
pub(crate) struct Watched<R, W> {
    reader: R,
    progress: Progress,
    watch: W,
}

impl<R: Read, W: FnMut(Progress)> Watched<R, W> {
    /// Reads on from where the progress is.
    pub(crate) fn new(reader: R, progress: Progress, watch: W) -> Watched<R, W> {
        Watched {
            reader,
            progress,
            watch,
        }
    }
}

impl<R: Read, W: FnMut(Progress)> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.bytes_read += read as u64;
        (self.watch)(self.progress);
        Ok(read)
    }
}
