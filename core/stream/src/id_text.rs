//! The RESP of IDs, in one reply after the other.

use crate::StreamId;

/// Writes IDs as bulk strings. Most IDs that a server writes are of the same millisecond as the one
/// before, so its text is kept. What changes is written after the copy, because copying what was
/// just written would stall the processor.
#[derive(Clone, Debug)]
pub struct IdText {
    ms: u64,
    seq_digits: usize,
    /// Header, text of `ms` and dash: what comes before a sequence of this many digits.
    start: [u8; START_BYTES_MAX],
    start_len: usize,
}

/// `$nn\r\n`, 20 digits and a dash; rounded up to what is copied without a call.
const START_BYTES_MAX: usize = (5 + 20 + 1_usize).next_multiple_of(32);

impl IdText {
    /// A writer that has no text yet.
    pub const fn new() -> IdText {
        IdText {
            ms: 0,
            seq_digits: 0,
            start: [0; START_BYTES_MAX],
            start_len: 0,
        }
    }

    /// Appends `ms-seq` as a bulk string.
    #[inline]
    pub fn write(&mut self, id: StreamId, out: &mut Vec<u8>) {
        let digit = |number: u64| b'0' + number as u8;
        match id.seq {
            seq @ 0..10 => {
                self.write_start(id.ms, 1, out);
                out.extend_from_slice(&[digit(seq), b'\r', b'\n']);
            }
            seq @ 10..100 => {
                self.write_start(id.ms, 2, out);
                out.extend_from_slice(&[digit(seq / 10), digit(seq % 10), b'\r', b'\n']);
            }
            seq => {
                let mut text = itoa::Buffer::new();
                let text = text.format(seq).as_bytes();
                self.write_start(id.ms, text.len(), out);
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    #[inline]
    fn write_start(&mut self, ms: u64, seq_digits: usize, out: &mut Vec<u8>) {
        if ms != self.ms || seq_digits != self.seq_digits {
            self.set(ms, seq_digits);
        }
        // All of the text, which takes two moves, and then only what is needed of it.
        let len = out.len() + self.start_len;
        out.extend_from_slice(&self.start);
        out.truncate(len);
    }

    #[cold]
    fn set(&mut self, ms: u64, seq_digits: usize) {
        let mut digits = itoa::Buffer::new();
        let time = digits.format(ms).as_bytes();
        let mut lengths = itoa::Buffer::new();
        let length = lengths.format(time.len() + 1 + seq_digits).as_bytes();
        self.start_len = 0;
        for part in [b"$", length, b"\r\n", time, b"-"] {
            let end = self.start_len + part.len();
            self.start[self.start_len..end].copy_from_slice(part);
            self.start_len = end;
        }
        (self.ms, self.seq_digits) = (ms, seq_digits);
    }
}

impl Default for IdText {
    fn default() -> IdText {
        IdText::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_id_whatever_came_before() {
        let mut text = IdText::new();
        let numbers = [0, 1, 9, 10, 11, 99, 100, 101, 1_790_000_000_000, u64::MAX];
        for ms in numbers {
            for seq in numbers {
                let id = StreamId::new(ms, seq);
                let plain = id.to_string();
                let expected = format!("${}\r\n{plain}\r\n", plain.len());
                let mut out = b"before".to_vec();
                text.write(id, &mut out);
                assert_eq!(out, [b"before", expected.as_bytes()].concat());
            }
        }
    }
}
