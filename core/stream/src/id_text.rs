//! The RESP of IDs, in one reply after the other.

use crate::StreamId;

/// Writes IDs as bulk strings. Most IDs that a server writes are of the same millisecond and the
/// same hundred as the one before, so all but the last two digits are kept. Those are written after
/// the copy, because copying what was just written would stall the processor.
#[derive(Clone, Debug)]
pub struct IdText {
    ms: u64,
    /// The sequence without its last two digits.
    hundreds: u64,
    /// How many digits come behind.
    digits: Digits,
    /// The header, the text of `ms`, the dash and the digits of `hundreds`.
    start: [u8; START_BYTES_MAX],
    start_len: usize,
}

/// How many digits of a sequence are written behind what is kept: one only if it is below ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    One = 1,
    Two = 2,
}

/// `$nn\r\n`, 20 digits, a dash and 18 digits; rounded up to what is copied without a call.
const START_BYTES_MAX: usize = (5 + 20 + 1 + 18_usize).next_multiple_of(16);

impl IdText {
    /// A writer that has no text yet.
    pub const fn new() -> IdText {
        IdText {
            ms: 0,
            // That of no sequence.
            hundreds: u64::MAX,
            digits: Digits::One,
            start: [0; START_BYTES_MAX],
            start_len: 0,
        }
    }

    /// Appends `ms-seq` as a bulk string.
    #[inline]
    pub fn write(&mut self, id: StreamId, out: &mut Vec<u8>) {
        let digit = |number: u64| b'0' + number as u8;
        let (hundreds, last) = (id.seq / 100, id.seq % 100);
        if id.seq < 10 {
            self.write_start(id.ms, 0, Digits::One, out);
            out.extend_from_slice(&[digit(last), b'\r', b'\n']);
        } else {
            self.write_start(id.ms, hundreds, Digits::Two, out);
            out.extend_from_slice(&[digit(last / 10), digit(last % 10), b'\r', b'\n']);
        }
    }

    #[inline]
    fn write_start(&mut self, ms: u64, hundreds: u64, digits: Digits, out: &mut Vec<u8>) {
        if ms != self.ms || hundreds != self.hundreds || digits != self.digits {
            self.set(ms, hundreds, digits);
        }
        // All of the text, which takes three moves, and then only what is needed of it.
        let len = out.len() + self.start_len;
        out.extend_from_slice(&self.start);
        out.truncate(len);
    }

    #[inline(never)]
    fn set(&mut self, ms: u64, hundreds: u64, digits: Digits) {
        let mut buffer = itoa::Buffer::new();
        let time = buffer.format(ms).as_bytes();
        let mut buffer = itoa::Buffer::new();
        let hundreds_text = match hundreds {
            0 => b"",
            _ => buffer.format(hundreds).as_bytes(),
        };
        let mut buffer = itoa::Buffer::new();
        let length = time.len() + 1 + hundreds_text.len() + digits as usize;
        let length = buffer.format(length).as_bytes();
        self.start_len = 0;
        for part in [b"$", length, b"\r\n", time, b"-", hundreds_text] {
            let end = self.start_len + part.len();
            self.start[self.start_len..end].copy_from_slice(part);
            self.start_len = end;
        }
        (self.ms, self.hundreds, self.digits) = (ms, hundreds, digits);
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
        let numbers = [
            0,
            1,
            9,
            10,
            11,
            99,
            100,
            101,
            199,
            200,
            1_099,
            1_100,
            1_790_000_000_000,
            u64::MAX,
        ];
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
