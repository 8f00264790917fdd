//! Whole groups behind a damaged place.

use std::io;

use memchr::memmem;

use crate::annotation::{Header, PREFIX};
use crate::disk::DiskFile;
use crate::limits::{LINE_BYTES_MAX, READ_BYTES, RESYNC_FACTOR_MAX};
use crate::reader::line_at;
use crate::window::Window;
use batch::Lsn;

/// A group, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Where its annotation line begins, in bytes from the start of the file.
    pub(super) offset: u64,
    /// Its length with that line.
    pub(super) bytes: u64,
    pub(super) header: Header,
}

/// Looks for groups whose checksums are right and whose LSNs continue.
pub(super) struct WholeGroups<F> {
    window: Window<F>,
    /// The LSN of the last batch that was found.
    last: Lsn,
    /// How many bytes may still be checked, so that values that look like groups do not make the
    /// search long.
    budget: u64,
}

impl<F: DiskFile> WholeGroups<F> {
    /// Begins at `offset`, behind the batch `last`.
    pub(super) fn new(file: F, offset: u64, last: Lsn) -> io::Result<Self> {
        let mut window = Window::new(file)?;
        let budget = window.size().saturating_mul(RESYNC_FACTOR_MAX);
        window.advance(offset);
        let mut groups = WholeGroups {
            window,
            last,
            budget,
        };
        groups.pass_damaged_group()?;
        Ok(groups)
    }

    /// Skips a group whose bytes are damaged but whose line is not: a value in it may look like
    /// another group.
    fn pass_damaged_group(&mut self) -> io::Result<()> {
        let Some((line_bytes, header)) = line_at(self.window.fill(LINE_BYTES_MAX as u64)?) else {
            return Ok(());
        };
        let group_bytes = line_bytes as u64 + header.body_bytes;
        if group_bytes > self.window.remaining() {
            return Ok(());
        }
        let bytes = self.window.fill(group_bytes + PREFIX.len() as u64)?;
        let Some((group, next)) = bytes.split_at_checked(group_bytes as usize) else {
            return Ok(());
        };
        if !header.matches(&group[line_bytes..]) && next.first().is_none_or(|byte| *byte == b'#') {
            self.window.advance(group_bytes);
        }
        Ok(())
    }

    /// The next group, if there is one.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        while self.window.remaining() > 0 {
            let bytes = self.window.fill(READ_BYTES as u64)?;
            let Some(at) = memmem::find(bytes, PREFIX) else {
                // The pattern may straddle the end of what is at hand.
                let all = bytes.len() as u64;
                let is_rest = all == self.window.remaining();
                let kept = if is_rest { 0 } else { PREFIX.len() - 1 };
                self.window.advance(all - kept as u64);
                continue;
            };
            self.window.advance(at as u64);
            let offset = self.window.offset();
            if let Some((line_bytes, header)) = line_at(self.window.fill(LINE_BYTES_MAX as u64)?)
                && header.body_bytes <= self.window.remaining() - line_bytes as u64
                && header.previous() >= self.last
            {
                let bytes = line_bytes as u64 + header.body_bytes;
                let Some(left) = self.budget.checked_sub(bytes) else {
                    return Ok(None);
                };
                self.budget = left;
                let group = self.window.fill(bytes)?;
                if header.matches(&group[line_bytes..bytes as usize]) {
                    self.last = header.last;
                    self.window.advance(bytes);
                    return Ok(Some(Found {
                        offset,
                        bytes,
                        header,
                    }));
                }
            }
            self.window.advance(1);
        }
        Ok(None)
    }
}
