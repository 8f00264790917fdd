//! Entries of a reply that are rendered when they are sent: a frozen view of a range, and how far
//! it was sent.

use resp::{Kept, Parts, RUN_STEP_BYTES, Reply, Run};

use super::{Block, Entries};
use crate::StreamId;
use crate::packed::Unpacked;

/// In which order a range is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Lowest first.
    Up,
    /// Highest first.
    Down,
}

/// Entries as they were when they were asked for.
#[derive(Debug)]
pub(super) struct EntryRun {
    view: Entries,
    direction: Direction,
    start: StreamId,
    end: StreamId,
    left: u64,
    /// About how many bytes an entry has in the reply.
    entry_bytes: u64,
}

impl EntryRun {
    /// `left` entries from the first to the second ID of `ends`, at least. They are assumed to be
    /// as long as those already written, `count` entries with `bytes` bytes.
    pub(super) fn new(
        entries: &Entries,
        direction: Direction,
        (start, end): (StreamId, StreamId),
        left: u64,
        (count, bytes): (u64, usize),
    ) -> EntryRun {
        EntryRun {
            view: entries.view(start, end),
            direction,
            start,
            end,
            left,
            entry_bytes: (bytes as u64)
                .checked_div(count)
                .map_or(ENTRY_BYTES, |bytes| bytes.max(1)),
        }
    }
}

/// The assumed length of an entry if none was written before.
const ENTRY_BYTES: u64 = 100;

impl EntryRun {
    /// Writes about this many bytes of entries, or one.
    pub(super) fn write_step(&mut self, bytes_max: usize, reply: &mut Reply) {
        let (view, start, end, left) = (&self.view, self.start, self.end, self.left);
        // The last chunk of a step is written whole.
        reply.reserve(self.bytes_left().min(2 * bytes_max));
        let written = match self.direction {
            Direction::Up => {
                let unpacked = &mut Unpacked::default();
                let note = |_| {};
                view.write_up(start, end, left, bytes_max, unpacked, reply, note)
            }
            Direction::Down => view.write_down(start, end, left, bytes_max, reply),
        };
        self.left -= written.count;
        match (written.rest, self.direction) {
            (None, _) => self.left = 0,
            (Some(next), Direction::Up) => self.start = next,
            (Some(next), Direction::Down) => self.end = next,
        }
    }
}

impl Run for EntryRun {
    fn write_some(&mut self, reply: &mut Reply) {
        self.write_step(RUN_STEP_BYTES, reply);
    }

    fn bytes_left(&self) -> usize {
        usize::try_from(self.left.saturating_mul(self.entry_bytes)).unwrap_or(usize::MAX)
    }

    fn own_bytes(&self) -> usize {
        size_of::<EntryRun>() + self.view.blocks.capacity() * size_of::<Block>()
    }

    fn refers_to<'r>(&'r self, see: &mut dyn FnMut(Kept, Option<&'r dyn Parts>)) {
        self.view.refers_to(see);
    }
}

impl Entries {
    /// The chunks that hold a range, shared with these entries: later writes leave them as they
    /// are.
    pub(super) fn view(&self, start: StreamId, end: StreamId) -> Entries {
        let (first, last) = (self.place_from(start), self.place_from(end));
        let last_block = last.block.saturating_add(1).min(self.blocks.len());
        let blocks = self.blocks.range(first.block.min(last_block)..last_block);
        let tail = (last == self.tail_place())
            .then(|| self.tail.clone())
            .flatten();
        let mut view = Entries {
            blocks: blocks.cloned().collect(),
            tail,
            ..Entries::new()
        };
        let in_blocks: u64 = view.blocks.iter().map(|block| block.live).sum();
        let in_tail = view
            .tail
            .as_deref()
            .map_or(0, |tail| u64::from(tail.live()));
        view.len = in_blocks + in_tail;
        view.top = self.top;
        view
    }
}
