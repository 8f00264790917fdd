//! The annotation line before each group of batches, and the padding behind the last one.
//!
//! A log file is a sequence of RESP commands, as Redis writes it. weir puts one line before each
//! group that it commits, and Redis skips lines that begin with `#`. The line comes first, not
//! last, for three reasons: a reader knows how much to read and check without parsing a single
//! command; commands that a Redis appended later can be told from a torn group; and a torn line can
//! never swallow the end of a command.
#![doc = include_str!("annotation.md")]

use std::fmt::{self, Write};

use crc_fast::{CrcAlgorithm, Digest};

use crate::limits::{GROUP_BATCHES_MAX, GROUP_BYTES_MAX, LINE_BYTES_MAX};
use batch::Lsn;

/// The start of every annotation of this version.
pub(crate) const PREFIX: &[u8] = b"#weir:1 ";

/// The start of every annotation of any version.
pub(crate) const ANY_VERSION: &[u8] = b"#weir:";

/// What an annotation line says about the group that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The LSN of the group's last batch.
    pub last: Lsn,
    /// How many batches the group has; 0 for a mark, which only says where the log is.
    pub batch_count: u64,
    /// The length of the group's bytes, without this line.
    pub body_bytes: u64,
    /// How many batches before this group were not known to be durable when it was written; at
    /// [`GROUP_BATCHES_MAX`], any number.
    pub lag: u64,
    /// CRC32C of this line up to the blank before `crc=`, followed by the group's bytes.
    pub checksum: u32,
}

/// Why a line is not an annotation that this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The line does not follow the format.
    #[error("the annotation line is malformed")]
    Malformed,
    /// The line has another version number.
    #[error("the annotation line is of a version that this weir does not know")]
    UnknownVersion,
}

impl Header {
    /// The header of a group that ends with batch `last` and has these bytes.
    pub fn of(last: Lsn, batch_count: u64, lag: u64, body: &[u8]) -> Self {
        Header::of_pieces(last, batch_count, lag, &[body])
    }

    /// The same, where the bytes are in several pieces.
    pub fn of_pieces(last: Lsn, batch_count: u64, lag: u64, body: &[&[u8]]) -> Self {
        let mut header = Header {
            last,
            batch_count,
            body_bytes: body.iter().map(|piece| piece.len() as u64).sum(),
            lag,
            checksum: 0,
        };
        header.checksum = header.checksum_with(body);
        header
    }

    /// A mark: "the log is at `at`, and everything up to there is durable".
    pub fn mark(at: Lsn) -> Self {
        Header::of(at, 0, 0, b"")
    }

    /// The LSN just before the group's first batch.
    pub fn previous(&self) -> Lsn {
        Lsn::new(self.last.since(Lsn::new(self.batch_count)))
    }

    /// The LSN up to which the writer knew the log to be durable when it wrote this group.
    pub fn vouched(&self) -> Lsn {
        if self.lag == GROUP_BATCHES_MAX {
            return Lsn::ZERO;
        }
        Lsn::new(self.previous().since(Lsn::new(self.lag)))
    }

    /// Returns whether these are the bytes that the header was made for.
    pub fn matches(&self, body: &[u8]) -> bool {
        body.len() as u64 == self.body_bytes && self.checksum == self.checksum_with(&[body])
    }

    /// The line, ready to be written.
    pub fn encode(&self) -> Line {
        let mut line = self.covered();
        // The limits on each number keep the line within its array.
        let written = write!(line, " crc={:08x}\r\n", self.checksum);
        assert!(written.is_ok(), "an annotation line has a bounded length");
        line
    }

    /// Reads a line, with its line ending.
    ///
    /// # Errors
    /// [`HeaderError`], if this is not exactly what [`Header::encode`] would have written.
    pub fn decode(line: &[u8]) -> Result<Self, HeaderError> {
        let Some(mut rest) = line.strip_prefix(PREFIX) else {
            let version = line.strip_prefix(ANY_VERSION).unwrap_or_default();
            let digits = version
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let unknown = digits > 0 && &version[..digits] != b"1";
            return Err(if unknown {
                HeaderError::UnknownVersion
            } else {
                HeaderError::Malformed
            });
        };
        let number = |rest: &mut &[u8], key: &[u8]| -> Option<u64> {
            let tail = rest.strip_prefix(key)?;
            let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (number, tail) = tail.split_at(digits);
            *rest = tail;
            std::str::from_utf8(number).ok()?.parse().ok()
        };
        let fields = (|| {
            let last = Lsn::new(number(&mut rest, b"lsn=")?);
            let batch_count = number(&mut rest, b" n=")?;
            let body_bytes = number(&mut rest, b" len=")?;
            let lag = number(&mut rest, b" lag=").unwrap_or(0);
            let hex = rest.strip_prefix(b" crc=")?.strip_suffix(b"\r\n")?;
            let checksum = u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?;
            Some(Header {
                last,
                batch_count,
                body_bytes,
                lag,
                checksum,
            })
        })();
        fields
            .filter(|header| header.is_in_range() && header.encode().as_bytes() == line)
            .ok_or(HeaderError::Malformed)
    }

    fn is_in_range(&self) -> bool {
        self.last <= Lsn::MAX
            && self.batch_count <= GROUP_BATCHES_MAX
            && self.batch_count <= self.last.number()
            && self.body_bytes <= GROUP_BYTES_MAX
            && self.lag <= GROUP_BATCHES_MAX
            && (self.batch_count > 0 || self.body_bytes == 0)
    }

    /// The part of the line that the checksum covers.
    fn covered(&self) -> Line {
        let Header {
            last,
            batch_count,
            body_bytes,
            lag,
            checksum: _,
        } = self;
        let mut line = Line {
            bytes: [0; LINE_BYTES_MAX],
            len: 0,
        };
        let mut written = write!(line, "#weir:1 lsn={last} n={batch_count} len={body_bytes}");
        if *lag > 0 {
            written = written.and_then(|()| write!(line, " lag={lag}"));
        }
        assert!(written.is_ok(), "an annotation line has a bounded length");
        line
    }

    fn checksum_with(&self, body: &[&[u8]]) -> u32 {
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        digest.update(self.covered().as_bytes());
        body.iter().for_each(|piece| digest.update(piece));
        // A checksum of 32 bits, in the low half.
        digest.finalize() as u32
    }
}

/// An encoded annotation line.
#[derive(Clone, Copy)]
pub struct Line {
    bytes: [u8; LINE_BYTES_MAX],
    len: usize,
}

impl Line {
    /// The bytes of the line, with its line ending.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

/// What a line that begins with `#` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An annotation of weir, of this or another version.
    Group,
    /// Padding.
    Padding,
    /// A line of another program, which belongs to the commands (Redis' `#TS:` with a time).
    Other,
}

/// Padding ends at a multiple of this, so that padding which was partly overwritten cannot look
/// whole: what a disk writes in one piece divides this.
pub(crate) const PADDING_ALIGNMENT: u64 = 4096;

/// Classifies by the first bytes of a line; `None` if they are too few to tell.
pub(crate) fn classify(line: &[u8]) -> Option<Kind> {
    if let [b'#', b'#' | b'\n', ..] = line {
        Some(Kind::Padding)
    } else if line.starts_with(ANY_VERSION) {
        Some(Kind::Group)
    } else if ANY_VERSION.starts_with(line) {
        None
    } else {
        Some(Kind::Other)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use proptest::prelude::*;

    use super::*;

    /// The worked example of the format's description.
    const DOCUMENT: &str = include_str!("annotation.md");

    #[test]
    fn a_line_that_would_be_cut_short_is_not_written() {
        let longest = |lag| Header {
            last: Lsn::new(u64::MAX),
            batch_count: u64::MAX,
            body_bytes: u64::MAX,
            lag,
            checksum: 0,
        };
        for lag in [u64::from(u32::MAX), u64::MAX] {
            assert!(!longest(lag).is_in_range());
            assert!(catch_unwind(|| longest(lag).encode()).is_err(), "{lag}");
        }
        let header = Header {
            last: Lsn::MAX,
            batch_count: GROUP_BATCHES_MAX,
            body_bytes: GROUP_BYTES_MAX,
            lag: GROUP_BATCHES_MAX,
            checksum: u32::MAX,
        };
        assert!(header.is_in_range());
        assert!(header.encode().as_bytes().ends_with(b" crc=ffffffff\r\n"));
    }

    #[test]
    fn the_documented_example_decodes() {
        let example = DOCUMENT
            .split("```text\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let bytes: Vec<u8> = example.replace('\n', "\r\n").into_bytes();
        let line_end = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let header = Header::decode(&bytes[..line_end]).unwrap();
        assert_eq!(
            (header.last, header.batch_count, header.lag),
            (Lsn::new(42), 2, 3)
        );
        let end = line_end + usize::try_from(header.body_bytes).unwrap();
        assert!(header.matches(&bytes[line_end..end]));
        assert_eq!(
            bytes[end..],
            Header::mark(Lsn::new(42)).encode().as_bytes()[..]
        );
        assert_eq!(
            (header.previous(), header.vouched()),
            (Lsn::new(40), Lsn::new(37))
        );
    }

    #[test]
    fn the_longest_line_fits() {
        let header = Header {
            last: Lsn::MAX,
            batch_count: GROUP_BATCHES_MAX,
            body_bytes: GROUP_BYTES_MAX,
            lag: GROUP_BATCHES_MAX,
            checksum: u32::MAX,
        };
        let line = header.encode();
        assert!(line.as_bytes().len() < 100, "{line:?}");
        assert_eq!(Header::decode(line.as_bytes()), Ok(header));
    }

    #[test]
    fn numbers_beyond_their_limits_are_refused() {
        let header = Header::of(Lsn::new(9), 9, 0, b"x");
        for bad in [
            Header {
                batch_count: 10,
                ..header
            },
            Header {
                last: Lsn::MAX.next(),
                ..header
            },
            Header {
                last: Lsn::MAX,
                batch_count: GROUP_BATCHES_MAX + 1,
                ..header
            },
            Header {
                body_bytes: GROUP_BYTES_MAX + 1,
                ..header
            },
            Header {
                lag: GROUP_BATCHES_MAX + 1,
                ..header
            },
            Header {
                batch_count: 0,
                ..header
            },
        ] {
            assert_eq!(
                Header::decode(bad.encode().as_bytes()),
                Err(HeaderError::Malformed)
            );
        }
    }

    #[test]
    fn another_version_is_named_as_such() {
        let unknown = |line: &[u8]| Header::decode(line) == Err(HeaderError::UnknownVersion);
        assert!(unknown(b"#weir:2 lsn=1 n=0 len=0 crc=00000000\r\n"));
        assert!(unknown(b"#weir:17\r\n"));
        assert!(!unknown(b"#weir:1\r\n"));
        assert!(!unknown(b"#TS:1\r\n"));
    }

    #[test]
    fn lines_are_told_apart_by_their_first_bytes() {
        assert_eq!(classify(b"#weir:1 l"), Some(Kind::Group));
        assert_eq!(classify(b"#we"), None);
        assert_eq!(classify(b"#"), None);
        assert_eq!(classify(b"##"), Some(Kind::Padding));
        assert_eq!(classify(b"#\n"), Some(Kind::Padding));
        assert_eq!(classify(b"#TS:1"), Some(Kind::Other));
        assert_eq!(classify(b"#wt"), Some(Kind::Other));
    }

    proptest! {
        #[test]
        fn headers_round_trip(last in 0..=Lsn::MAX.number(), n: u32, lag: u32, body: Vec<u8>) {
            let n = if body.is_empty() { 0 } else { u64::from(n).clamp(1, last.max(1)) };
            let header = Header::of(Lsn::new(last.max(n)), n, u64::from(lag), &body);
            prop_assert_eq!(Header::decode(header.encode().as_bytes()), Ok(header));
            prop_assert!(header.matches(&body));
        }

        #[test]
        fn a_flipped_bit_is_noticed(
            body in prop::collection::vec(any::<u8>(), 1..64),
            at: prop::sample::Index,
            bit in 0u32..8,
        ) {
            let header = Header::of(Lsn::new(7), 1, 0, &body);
            let mut bytes = header.encode().as_bytes().to_vec();
            let line_bytes = bytes.len();
            bytes.extend(&body);
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            let (line, body) = bytes.split_at(line_bytes);
            prop_assert!(!Header::decode(line).is_ok_and(|header| header.matches(body)));
        }

        #[test]
        fn any_line_decodes_or_is_refused(line: Vec<u8>) {
            let _ = Header::decode(&line);
            let _ = classify(&line);
        }
    }
}
