//! Room for a large argument that is being received.
//!
//! Room grows with what has come, as its length is only the client's claim. What has come then has
//! to move into new memory, which the system has to find and clear, and others wait for the thread
//! that does it. So it moves a part at a time, and others have their turn in between.

use crate::limits::{LARGE_GROWTH, MOVED_BYTES, READ_BYTES};

/// Where an argument moves.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// More memory for it, with what has moved so far.
    larger: Option<Vec<u8>>,
}

/// Whether there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// What comes next can be received.
    All,
    /// Not all has moved: this is to be called again, with nothing received in between.
    InPart,
}

impl Room {
    /// Makes room for more of an argument of which so many bytes are missing, or goes on with it.
    pub(super) fn make(&mut self, large: &mut Vec<u8>, missing: usize) -> Made {
        if self.larger.is_none() {
            let more = room_to_make(large.len(), large.capacity(), missing);
            if large.len() <= MOVED_BYTES {
                large.reserve_exact(more);
                return Made::All;
            }
            if more == 0 {
                return Made::All;
            }
            self.larger = Some(Vec::with_capacity(large.len().saturating_add(more)));
        }
        let Some(mut larger) = self.larger.take() else {
            return Made::All;
        };
        let rest = large.get(larger.len()..).unwrap_or_default();
        larger.extend_from_slice(rest.get(..MOVED_BYTES).unwrap_or(rest));
        if larger.len() < large.len() {
            self.larger = Some(larger);
            return Made::InPart;
        }
        *large = larger;
        Made::All
    }
}

/// How much room to make for more of a large argument of which `len` bytes have come. None is made
/// while there is some: to make room may copy all that has come.
fn room_to_make(len: usize, capacity: usize, missing: usize) -> usize {
    if capacity - len >= missing.min(READ_BYTES) {
        return 0;
    }
    let room = len.max(READ_BYTES).saturating_mul(LARGE_GROWTH - 1);
    missing.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_a_large_argument_is_made_a_few_times_and_never_for_much_more_than_has_come() {
        const LEN: usize = 500_000_000;
        for read in [1000, READ_BYTES, 10 * READ_BYTES] {
            let (mut len, mut capacity, mut made) = (0, 0, 0);
            let mut copied = 0;
            while len < LEN && capacity < LEN {
                let more = room_to_make(len, capacity, LEN - len);
                if more > 0 {
                    (made, copied, capacity) = (made + 1, copied + len, len + more);
                    assert!(capacity <= len.max(READ_BYTES) * LARGE_GROWTH);
                }
                len += read.min(capacity - len).min(LEN - len);
            }
            assert!(made <= 5 && copied < LEN, "{made} times, {copied} bytes");
        }
    }

    #[test]
    fn a_large_argument_moves_a_part_at_a_time_and_arrives_as_it_was() {
        const LEN: usize = 40 * MOVED_BYTES;
        let byte = |at: usize| (at % 251) as u8;
        let (mut room, mut large) = (Room::default(), Vec::new());
        let (mut moved, mut turns) = (0, 0);
        while large.len() < LEN {
            let (len, before) = (large.len(), moved);
            let at = large.as_ptr();
            match room.make(&mut large, LEN - len) {
                Made::InPart => {
                    moved = room.larger.as_ref().unwrap().len();
                    assert!(moved > before && moved < len);
                    assert!(moved - before <= MOVED_BYTES);
                    assert!(large.as_ptr() == at && large.len() == len);
                    turns += 1;
                }
                Made::All => {
                    moved = 0;
                    let more = READ_BYTES.min(large.capacity() - len).min(LEN - len);
                    assert!(more > 0 && room.larger.is_none());
                    large.extend((len..len + more).map(byte));
                }
            }
        }
        assert!(turns >= 3, "{turns}");
        assert!((0..LEN).map(byte).eq(large));
    }
}
