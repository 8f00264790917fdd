//! Batches that are in no file yet.
//!
//! They are kept in parts of limited size, so that adding to them never moves much: producers do it
//! while they hold a shard.

use std::collections::VecDeque;

use batch::Encoded;

use crate::limits::PART_BYTES_MAX;

/// Batches that are in no file yet.
#[derive(Debug, Default)]
pub struct Unwritten {
    parts: VecDeque<Encoded>,
    len: usize,
}

impl Unwritten {
    /// Returns how many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds batches behind the others, and leaves `batches` empty. It gets the memory of `spare` if
    /// it has to give its own away.
    pub fn add(&mut self, batches: &mut Encoded, spare: &mut Encoded) {
        self.len += batches.len();
        match self.parts.back_mut() {
            Some(last) if last.own_len() + batches.own_len() <= PART_BYTES_MAX => {
                last.append(batches);
            }
            Some(_) | None => {
                let batches = std::mem::replace(batches, std::mem::take(spare));
                self.parts.push_back(batches);
            }
        }
    }

    /// Adds batches behind the others.
    pub(crate) fn take_over(&mut self, mut others: Unwritten) {
        self.len += others.len;
        self.parts.append(&mut others.parts);
    }

    /// The first `len` bytes, piece by piece.
    pub(crate) fn front(&self, len: usize) -> Vec<&[u8]> {
        let mut left = len;
        let slices = self.parts.iter().flat_map(Encoded::slices);
        let cut = slices.map_while(|slice| {
            let slice = &slice[..slice.len().min(left)];
            left -= slice.len();
            (!slice.is_empty()).then_some(slice)
        });
        cut.collect()
    }

    /// Takes the first `len` bytes away. Their memory is still to be freed.
    pub(crate) fn split_front(&mut self, len: usize) -> Unwritten {
        let mut front = Unwritten::default();
        while front.len < len
            && let Some(mut part) = self.parts.pop_front()
        {
            let first = part.split_front(len - front.len);
            if !part.is_empty() {
                self.parts.push_front(part);
            }
            self.len -= first.len();
            front.len += first.len();
            front.parts.push_back(first);
        }
        front
    }

    /// The memory of one part, to be used again.
    pub(crate) fn into_spare(self, bytes_max: usize) -> Encoded {
        let fitting = self
            .parts
            .into_iter()
            .filter(|part| part.capacity() <= bytes_max);
        let mut spare = fitting.max_by_key(Encoded::capacity).unwrap_or_default();
        spare.clear();
        spare
    }
}

impl From<Vec<u8>> for Unwritten {
    fn from(bytes: Vec<u8>) -> Unwritten {
        let mut unwritten = Unwritten::default();
        if !bytes.is_empty() {
            unwritten.add(&mut Encoded::from(bytes), &mut Encoded::default());
        }
        unwritten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(unwritten: &mut Unwritten, bytes: usize) {
        let mut batches = Encoded::from(vec![b'x'; bytes]);
        unwritten.add(&mut batches, &mut Encoded::default());
        assert!(batches.is_empty());
    }

    #[test]
    fn adding_copies_no_more_than_a_part() {
        let mut unwritten = Unwritten::default();
        for _ in 0..1000 {
            added(&mut unwritten, PART_BYTES_MAX / 100);
        }
        assert!(unwritten.parts.len() >= 10);
        let is_bounded = |part: &Encoded| part.own_len() <= PART_BYTES_MAX;
        assert!(unwritten.parts.iter().all(is_bounded));
        // What is larger is moved as a whole.
        added(&mut unwritten, 2 * PART_BYTES_MAX);
        assert_eq!(
            unwritten.parts.back().map(Encoded::len),
            Some(2 * PART_BYTES_MAX)
        );
        assert_eq!(
            unwritten.len(),
            1000 * (PART_BYTES_MAX / 100) + 2 * PART_BYTES_MAX
        );
    }

    #[test]
    fn the_front_is_cut_anywhere() {
        for len in 0..=7 {
            let mut unwritten = Unwritten::default();
            let mut batches = Encoded::from(b"ab".to_vec());
            batches.push_shared(b"cd".to_vec().into());
            batches.push(b"e");
            unwritten.add(&mut batches, &mut Encoded::default());
            unwritten.take_over(Unwritten::from(b"fg".to_vec()));
            assert_eq!(unwritten.front(len).concat(), b"abcdefg"[..len]);
            let front = unwritten.split_front(len);
            assert_eq!(front.front(7).concat(), b"abcdefg"[..len]);
            assert_eq!(unwritten.front(7).concat(), b"abcdefg"[len..]);
            assert_eq!((front.len(), unwritten.len()), (len, 7 - len));
            assert_eq!(unwritten.is_empty(), len == 7);
        }
    }

    #[test]
    fn memory_is_used_again_if_it_is_not_too_much() {
        let written = || Unwritten::from(Vec::with_capacity(100));
        assert_eq!(written().into_spare(1000).capacity(), 0);
        let mut written = Unwritten::default();
        for capacity in [100, 300, 9000] {
            let mut bytes = Vec::with_capacity(capacity);
            bytes.push(b'x');
            written.take_over(Unwritten::from(bytes));
        }
        let spare = written.into_spare(1000);
        assert!(spare.is_empty() && (300..9000).contains(&spare.capacity()));
    }
}
