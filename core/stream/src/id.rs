//! The ID of an entry: a moment in milliseconds and a sequence number within it.
//!
//! IDs order a stream. Their text is `ms-seq` in decimal; `ms` alone is a shorthand whose sequence
//! depends on where it stands, so the reader of the text says which one it means.
//! The special spellings of commands (`-`, `+`, `*`, `$`, `(`) are not IDs; the engine knows them.

use std::fmt;

/// The longest text of an ID: two 64-bit numbers of 20 digits and a dash.
pub const ID_TEXT_BYTES_MAX: usize = 41;

/// The ID of a stream entry. Ordered by time, then by sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Unix time in milliseconds, when the server's clock made the ID.
    pub ms: u64,
    /// Tells entries of the same millisecond apart.
    pub seq: u64,
}

impl StreamId {
    /// `0-0`, below every entry: no entry may have this ID.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The greatest ID; nothing can be appended after an entry that has it.
    pub const MAX: StreamId = StreamId {
        ms: u64::MAX,
        seq: u64::MAX,
    };

    /// The ID of these two numbers.
    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The next ID up, or `None` at [`StreamId::MAX`].
    pub const fn next(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (u64::MAX, u64::MAX) => None,
            (ms, u64::MAX) => Some(StreamId { ms: ms + 1, seq: 0 }),
            (ms, seq) => Some(StreamId { ms, seq: seq + 1 }),
        }
    }

    /// The next ID down, or `None` at [`StreamId::MIN`].
    pub const fn previous(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (0, 0) => None,
            (ms, 0) => Some(StreamId {
                ms: ms - 1,
                seq: u64::MAX,
            }),
            (ms, seq) => Some(StreamId { ms, seq: seq - 1 }),
        }
    }

    /// Reads `ms-seq`, or `ms` alone with `default_seq` as its sequence.
    ///
    /// The numbers are decimal and fit 64 bits. Redis reads a number that is not in its shortest
    /// form with C's `strtoull`, so leading zeros, one plus sign and white space are accepted here
    /// too.
    ///
    /// # Errors
    /// [`InvalidId`] for anything else, and for a text of 128 bytes or more.
    #[inline]
    pub fn parse(text: &[u8], default_seq: u64) -> Result<StreamId, InvalidId> {
        if let Some((time, [b'-', seq @ ..])) = text.split_first_chunk::<TIME_DIGITS>()
            && text.len() <= TEXT_BYTES_MAX
            && let Some(ms) = eight_to_sixteen_digits(time)
        {
            let seq = number(seq)?;
            return Ok(StreamId { ms, seq });
        }
        StreamId::parse_any(text, default_seq)
    }

    /// As [`StreamId::parse`], for times of any length.
    fn parse_any(text: &[u8], default_seq: u64) -> Result<StreamId, InvalidId> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(InvalidId);
        }
        match text.iter().position(|&byte| byte == b'-') {
            Some(dash) => Ok(StreamId {
                ms: number(&text[..dash])?,
                seq: number(&text[dash + 1..])?,
            }),
            None => Ok(StreamId {
                ms: number(text)?,
                seq: default_seq,
            }),
        }
    }

    /// The number before the dash of `ms-*` in the spelling of [`StreamId::parse`].
    ///
    /// # Errors
    /// [`InvalidId`] if it is not a decimal number of 64 bits.
    pub fn parse_ms(text: &[u8]) -> Result<u64, InvalidId> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(InvalidId);
        }
        number(text)
    }

    /// Writes `ms-seq` into `buffer` and returns the part of it that was used.
    #[inline]
    pub fn write_text(self, buffer: &mut [u8; ID_TEXT_BYTES_MAX]) -> &[u8] {
        let mut digits = itoa::Buffer::new();
        let ms = digits.format(self.ms).as_bytes();
        let dash = ms.len();
        buffer[..dash].copy_from_slice(ms);
        buffer[dash] = b'-';
        let seq = digits.format(self.seq).as_bytes();
        let end = dash + 1 + seq.len();
        buffer[dash + 1..end].copy_from_slice(seq);
        &buffer[..end]
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// A text that is not an ID. Displays what Redis says after `ERR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid stream ID specified as stream command argument")]
pub struct InvalidId;

/// Longer texts are refused before they are read.
const TEXT_BYTES_MAX: usize = 127;

/// The number of digits in the time of an entry added between 2001 and 2286.
const TIME_DIGITS: usize = 13;

#[inline]
fn number(text: &[u8]) -> Result<u64, InvalidId> {
    match *text {
        [digit @ b'0'..=b'9'] => Ok(u64::from(digit - b'0')),
        // Anything unusual is looked at again.
        _ => eight_to_sixteen_digits(text).map_or_else(|| any_number(text), Ok),
    }
}

/// A number of 8 to 16 digits, nothing else: eight digits are read as one word.
#[inline]
fn eight_to_sixteen_digits(text: &[u8]) -> Option<u64> {
    let upper_digits = text.len().checked_sub(8).filter(|&upper| upper <= 8)?;
    let lower = eight_digits(u64::from_le_bytes(*text.last_chunk()?))?;
    if upper_digits == 0 {
        return Some(lower);
    }
    // The digits before the last eight, moved up behind zeros.
    let first = u64::from_le_bytes(*text.first_chunk()?);
    let moved = 64 - 8 * upper_digits as u32;
    let upper = eight_digits(first << moved | ZEROS & !(u64::MAX << moved))?;
    Some(upper * 100_000_000 + lower)
}

/// Eight digits, the first in the lowest byte. Neighbours are joined: single digits to numbers of
/// two digits, then of four, then of eight.
#[inline]
fn eight_digits(text: u64) -> Option<u64> {
    // The upper half of every byte must be that of `0`, even after six is added.
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let plus_six = text.wrapping_add(0x0606_0606_0606_0606);
    if text & UPPER != ZEROS || plus_six & UPPER != ZEROS {
        return None;
    }
    let digits = text & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100) + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

/// Eight times the digit zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

fn any_number(text: &[u8]) -> Result<u64, InvalidId> {
    let digits = match text {
        [b'0'..=b'9', ..] => text,
        _ => after_lead(text),
    };
    if digits.is_empty() {
        return Err(InvalidId);
    }
    let mut value = 0_u64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(InvalidId);
        }
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit)))
            .ok_or(InvalidId)?;
    }
    Ok(value)
}

/// What follows white space and a plus sign, as `strtoull` sees it.
fn after_lead(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text
        .iter()
        .position(|byte| !is_space(byte))
        .unwrap_or(text.len());
    let text = &text[start..];
    text.strip_prefix(b"+").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u64, u64)> {
        StreamId::parse(text.as_bytes(), 7)
            .ok()
            .map(|id| (id.ms, id.seq))
    }

    #[test]
    fn both_numbers_or_the_time_alone() {
        assert_eq!(parsed("5-3"), Some((5, 3)));
        assert_eq!(parsed("5"), Some((5, 7)));
        assert_eq!(parsed("0-0"), Some((0, 0)));
        let max = "18446744073709551615-18446744073709551615";
        assert_eq!(parsed(max), Some((u64::MAX, u64::MAX)));
    }

    #[test]
    fn what_redis_reads_is_read() {
        assert_eq!(parsed("01-1"), Some((1, 1)));
        assert_eq!(parsed("5-00018446744073709551615"), Some((5, u64::MAX)));
        assert_eq!(parsed("+2-1"), Some((2, 1)));
        assert_eq!(parsed("3-+1"), Some((3, 1)));
        assert_eq!(parsed(" 7-1"), Some((7, 1)));
        assert_eq!(parsed(" +7"), Some((7, 7)));
    }

    #[test]
    fn everything_else_is_no_id() {
        for text in [
            "",
            "-",
            "+",
            "*",
            "$",
            "(1",
            "-1",
            "1-",
            "--1",
            "1--1",
            "1-1-1",
            "1 -1",
            "1-1 ",
            "++1",
            "+ 1",
            "0x10-1",
            "1e3",
            "1-*",
            "18446744073709551616",
            "1-18446744073709551616",
            "99999999999999999999999",
            "1-1\0",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_read_digit_by_digit_or_eight_at_once() {
        let digits = "98765432109876543210";
        for len in 1..=digits.len() {
            for start in 0..=digits.len() - len {
                let text = &digits[start..start + len];
                assert_eq!(number(text.as_bytes()).ok(), text.parse().ok(), "{text}");
                for at in 0..len {
                    for odd in [b'/', b':', b'-', 0, b' ', b'0' | 0x80, 0xff] {
                        let mut text = text.as_bytes().to_vec();
                        text[at] = odd;
                        assert_eq!(number(&text), any_number(&text), "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn times_of_thirteen_digits_are_read_like_others() {
        let long = format!("1700000000000-{}1", "0".repeat(112));
        let longer = format!("1700000000000-{}1", "0".repeat(113));
        let texts = [
            "0000000000000-3",
            "1700000000000-3",
            "1700000000000-45",
            "1700000000000-",
            "1700000000000-x",
            "1700000000000",
            "17000000000001",
            "1700000000001-6",
            "170000000000-17",
            "5-1",
            "+700000000000-8",
            "+700000000000-9",
            " 1700000000000-1",
            "",
            &long,
            &longer,
        ];
        for text in texts {
            let text = text.as_bytes();
            let parsed = StreamId::parse(text, 7);
            assert_eq!(parsed, StreamId::parse_any(text, 7), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_128_bytes_is_refused() {
        let zeros = "0".repeat(126);
        assert_eq!(parsed(&format!("{zeros}1")), Some((1, 7)));
        assert_eq!(parsed(&format!("{zeros}01")), None);
        assert_eq!(
            StreamId::parse_ms(format!("{zeros}01").as_bytes()),
            Err(InvalidId)
        );
    }

    #[test]
    fn neighbours_carry_between_the_numbers() {
        assert_eq!(StreamId::new(1, u64::MAX).next(), Some(StreamId::new(2, 0)));
        assert_eq!(
            StreamId::new(2, 0).previous(),
            Some(StreamId::new(1, u64::MAX))
        );
        assert_eq!(StreamId::new(2, 5).next(), Some(StreamId::new(2, 6)));
        assert_eq!(StreamId::new(2, 5).previous(), Some(StreamId::new(2, 4)));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.previous(), None);
    }

    #[test]
    fn the_text_reads_back() {
        for id in [
            StreamId::MIN,
            StreamId::MAX,
            StreamId::new(1_700_000_000_000, 12),
        ] {
            let mut buffer = [0; ID_TEXT_BYTES_MAX];
            let text = id.write_text(&mut buffer);
            assert_eq!(text, id.to_string().as_bytes());
            assert_eq!(StreamId::parse(text, 9), Ok(id));
        }
    }
}
