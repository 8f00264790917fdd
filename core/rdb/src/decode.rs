//! Reading the building blocks: bytes, lengths, strings.
//!
//! | first byte | then | a length |
//! |---|---|---|
//! | `00nnnnnn` | | n |
//! | `01nnnnnn` | 1 byte | n in 14 bits, big endian |
//! | `80` | 4 bytes | big endian |
//! | `81` | 8 bytes | big endian |
//! | `110000xx` | | not a length: a string of a special form |
//!
//! A string is a length and as many bytes, or a special form: `c0`, `c1`, `c2` and an integer of 1,
//! 2, 4 bytes, little endian, whose text it is; `c3`, the packed length, the length, and LZF.

use crate::checksum::Checksum;
use crate::error::{Fault, FormatError, ReadError};
use crate::limits::{STRING_BYTES_MAX, TRUSTED_BYTES_MAX};
use crate::lzf;
use crate::source::Source;

pub(crate) type Read<T, S> = Result<T, ReadError<<S as Source>::Error>>;

/// Reads from a source and knows where it is.
#[derive(Debug)]
pub(crate) struct Decoder<S> {
    source: S,
    /// How much of the current piece was read.
    at: usize,
    /// How much of the current piece the checksum covers.
    summed: usize,
    /// Where the current piece begins, from the start.
    piece_offset: u64,
    checksum: Option<Checksum>,
    /// Holds packed strings while they are unpacked.
    packed: Vec<u8>,
    /// Holds strings while they are looked at.
    string: Vec<u8>,
}

/// Whether a checksum of what is read is kept, to be compared with the one at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Summed {
    Yes,
    /// The checksum was compared before.
    Already,
}

/// What the bytes say where a length or a special form may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Plain(u64),
    Special(u8),
}

impl<S: Source> Decoder<S> {
    pub(crate) fn new(source: S, summed: Summed) -> Decoder<S> {
        Decoder {
            source,
            at: 0,
            summed: 0,
            piece_offset: 0,
            checksum: (summed == Summed::Yes).then(Checksum::new),
            packed: Vec::new(),
            string: Vec::new(),
        }
    }

    /// Returns where it is, in bytes from the start.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.piece_offset + self.at as u64
    }

    /// A fault noticed here.
    #[cold]
    pub(crate) fn fault(&self, fault: Fault) -> ReadError<S::Error> {
        ReadError::Format(FormatError {
            offset: self.offset(),
            fault,
        })
    }

    #[cold]
    pub(crate) fn contradiction(&self, what: &'static str) -> ReadError<S::Error> {
        self.fault(Fault::Contradiction(what))
    }

    /// The checksum of everything read so far, if it is kept.
    pub(crate) fn checksum(&mut self) -> Read<Option<u64>, S> {
        self.sum()?;
        Ok(self.checksum.as_ref().map(Checksum::value))
    }

    /// Returns whether the source ends here.
    pub(crate) fn is_at_end(&mut self) -> Read<bool, S> {
        Ok(self.piece()?.is_empty())
    }

    /// Gives back the source, positioned behind what was read.
    pub(crate) fn into_source(mut self) -> S {
        self.source.consume(self.at);
        self.source
    }

    /// What is left of the current piece, or the next piece; empty at the end.
    #[inline]
    fn piece(&mut self) -> Read<&[u8], S> {
        let offset = self.offset();
        let failed = |source| ReadError::Source { offset, source };
        let piece = self.source.fill().map_err(failed)?;
        if self.at == piece.len() && self.at > 0 {
            if let Some(checksum) = &mut self.checksum {
                checksum.update(piece.get(self.summed..).unwrap_or_default());
            }
            self.source.consume(self.at);
            self.piece_offset = offset;
            self.at = 0;
            self.summed = 0;
        }
        let piece = self.source.fill().map_err(failed)?;
        Ok(piece.get(self.at..).unwrap_or_default())
    }

    /// Brings the checksum up to here.
    fn sum(&mut self) -> Read<(), S> {
        let offset = self.offset();
        let failed = |source| ReadError::Source { offset, source };
        let piece = self.source.fill().map_err(failed)?;
        if let Some(checksum) = &mut self.checksum {
            checksum.update(piece.get(self.summed..self.at).unwrap_or_default());
        }
        self.summed = self.at;
        Ok(())
    }

    /// The next `N` bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, expected: &'static str) -> Read<[u8; N], S> {
        if let Some(bytes) = self.piece()?.first_chunk() {
            let bytes = *bytes;
            self.at += N;
            return Ok(bytes);
        }
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let Some(&next) = self.piece()?.first() else {
                return Err(self.fault(Fault::Truncated { expected }));
            };
            *byte = next;
            self.at += 1;
        }
        Ok(bytes)
    }

    /// The next byte.
    #[inline]
    pub(crate) fn byte(&mut self, expected: &'static str) -> Read<u8, S> {
        self.array(expected).map(|[byte]| byte)
    }

    /// Appends the next `len` bytes to `out`. Memory grows with what really comes.
    pub(crate) fn bytes(
        &mut self,
        len: usize,
        out: &mut Vec<u8>,
        expected: &'static str,
    ) -> Read<(), S> {
        out.reserve(len.min(TRUSTED_BYTES_MAX));
        let mut left = len;
        while left > 0 {
            let piece = self.piece()?;
            let step = piece.get(..left).unwrap_or(piece);
            let step_len = step.len();
            if step_len == 0 {
                return Err(self.fault(Fault::Truncated { expected }));
            }
            out.extend_from_slice(step);
            self.at += step_len;
            left -= step_len;
        }
        Ok(())
    }

    /// A length, count or other number.
    #[inline]
    pub(crate) fn number(&mut self, expected: &'static str) -> Read<u64, S> {
        match self.length(expected)? {
            Length::Plain(number) => Ok(number),
            Length::Special(form) => Err(self.fault(Fault::Unexpected {
                expected,
                found: 0xc0 | u64::from(form),
            })),
        }
    }

    #[inline]
    fn length(&mut self, expected: &'static str) -> Read<Length, S> {
        let first = self.byte(expected)?;
        let low = first & 0x3f;
        Ok(match (first >> 6, low) {
            (0, _) => Length::Plain(u64::from(low)),
            (1, _) => Length::Plain(u64::from(u16::from_be_bytes([low, self.byte(expected)?]))),
            (2, 0) => Length::Plain(u64::from(u32::from_be_bytes(self.array(expected)?))),
            (2, 1) => Length::Plain(u64::from_be_bytes(self.array(expected)?)),
            (3, form) => Length::Special(form),
            _ => {
                return Err(self.fault(Fault::Unexpected {
                    expected,
                    found: u64::from(first),
                }));
            }
        })
    }

    /// Replaces `out` by the next string, of at most `limit` bytes.
    pub(crate) fn string(
        &mut self,
        out: &mut Vec<u8>,
        limit: u64,
        expected: &'static str,
    ) -> Read<(), S> {
        out.clear();
        let integer = match self.length(expected)? {
            Length::Plain(len) => {
                let len = self.checked(len, limit, expected)?;
                return self.bytes(len, out, expected);
            }
            Length::Special(0) => i32::from(i8::from_le_bytes(self.array(expected)?)),
            Length::Special(1) => i32::from(i16::from_le_bytes(self.array(expected)?)),
            Length::Special(2) => i32::from_le_bytes(self.array(expected)?),
            Length::Special(3) => return self.packed_string(out, limit, expected),
            Length::Special(form) => {
                return Err(self.fault(Fault::Unexpected {
                    expected,
                    found: 0xc0 | u64::from(form),
                }));
            }
        };
        out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
        Ok(())
    }

    fn packed_string(
        &mut self,
        out: &mut Vec<u8>,
        limit: u64,
        expected: &'static str,
    ) -> Read<(), S> {
        let packed_len = self.number("the packed length of a string")?;
        let packed_len = self.checked(packed_len, limit.max(STRING_BYTES_MAX), expected)?;
        let len = self.number("the length of a packed string")?;
        let len = self.checked(len, limit, expected)?;
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        self.bytes(packed_len, &mut packed, expected)?;
        let unpacked = lzf::unpack(&packed, len, out);
        self.packed = kept(packed);
        unpacked.map_err(|lzf::Damaged| {
            self.contradiction("a packed string does not unpack to its length")
        })
    }

    /// Calls `read` with the next string, of at most `limit` bytes.
    #[inline]
    pub(crate) fn with_string<T>(
        &mut self,
        limit: u64,
        expected: &'static str,
        make: impl FnOnce(&[u8]) -> T,
    ) -> Read<T, S> {
        if let Some(len) = self.plain_length_at_hand(limit)? {
            // Most strings are in the piece as they are and need no copy.
            let made = make(self.piece()?.get(..len).unwrap_or_default());
            self.at += len;
            return Ok(made);
        }
        let mut string = std::mem::take(&mut self.string);
        let made = self
            .string(&mut string, limit, expected)
            .map(|()| make(&string));
        self.string = kept(string);
        made
    }

    /// Reads the length of a string that is neither packed nor an integer, within the limit, and
    /// whole in the current piece; reads nothing otherwise.
    #[inline]
    fn plain_length_at_hand(&mut self, limit: u64) -> Read<Option<usize>, S> {
        let (head_len, len) = match *self.piece()? {
            [low @ 0..0x40, ..] => (1, u64::from(low)),
            [high @ 0x40..0x80, low, ..] => (2, u64::from(u16::from_be_bytes([high & 0x3f, low]))),
            _ => return Ok(None),
        };
        let at_hand = (self.piece()?.len() - head_len) as u64;
        if len > limit || len > at_hand {
            return Ok(None);
        }
        self.at += head_len;
        Ok(Some(len as usize))
    }

    /// Skips the next `len` bytes.
    pub(crate) fn skip(&mut self, len: u64, expected: &'static str) -> Read<(), S> {
        let mut left = len;
        while left > 0 {
            let step = self
                .piece()?
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            if step == 0 {
                return Err(self.fault(Fault::Truncated { expected }));
            }
            self.at += step;
            left -= step as u64;
        }
        Ok(())
    }

    /// Skips the next string.
    pub(crate) fn skip_string(&mut self, expected: &'static str) -> Read<(), S> {
        let len = match self.length(expected)? {
            Length::Plain(len) => len,
            Length::Special(0) => 1,
            Length::Special(1) => 2,
            Length::Special(2) => 4,
            Length::Special(3) => {
                let packed_len = self.number("the packed length of a string")?;
                self.number("the length of a packed string")?;
                packed_len
            }
            Length::Special(form) => {
                return Err(self.fault(Fault::Unexpected {
                    expected,
                    found: 0xc0 | u64::from(form),
                }));
            }
        };
        self.skip(len, expected)
    }

    fn checked(&self, length: u64, limit: u64, what: &'static str) -> Read<usize, S> {
        match usize::try_from(length) {
            Ok(len) if length <= limit => Ok(len),
            _ => Err(self.fault(Fault::TooLong {
                what,
                length,
                limit,
            })),
        }
    }
}

/// The buffer for its next use, without what an uncommonly long string has left.
fn kept(mut buffer: Vec<u8>) -> Vec<u8> {
    if buffer.capacity() > TRUSTED_BYTES_MAX {
        buffer = Vec::new();
    }
    buffer
}

#[cfg(test)]
mod tests;
