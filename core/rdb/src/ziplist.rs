//! The ziplist: what a row of integers and strings was in before Redis 7.0.
//!
//! | offset | size | meaning |
//! |---|---|---|
//! | 0 | 4 | length of the whole in bytes, little endian |
//! | 4 | 4 | offset of the last element, little endian; of the end if there is none |
//! | 8 | 2 | number of elements, little endian; 65535 for that many or more |
//! | 10 | | the elements |
//! | last | 1 | `ff` |
//!
//! An element is the length of the one before it (a byte up to 253, or `fe` and 4 bytes, little
//! endian), its head, and its data.
//!
//! | head | data | meaning |
//! |---|---|---|
//! | `00xxxxxx` | x bytes | string |
//! | `01xxxxxx` `xxxxxxxx` | x bytes | string |
//! | `80`, 4 bytes big endian | that many bytes | string |
//! | `c0`, `d0`, `e0` | 2, 4, 8 bytes, little endian | integer, signed |
//! | `f0`, `fe` | 3 bytes little endian, 1 byte | integer, signed |
//! | `f1` to `fd` | | integer from 0 to 12 |
//!
//! It is read and never written.

use crate::error::Fault;
use crate::row::{Element, Row};

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;

/// Reads the elements from the first to the last.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// How long the element before is, with its head; 0 before the first.
    before: usize,
    /// Where the next element begins.
    at: usize,
    /// Where the last one should.
    tail: usize,
    /// How many there should be in all, if the head can tell, and how many were read.
    count: Option<usize>,
    read: usize,
}

impl<'a> Reader<'a> {
    /// Begins to read a ziplist that is exactly `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Fault> {
        let Some((&[a, b, c, d, e, f, g, h, i, j], body)) =
            bytes.split_first_chunk::<HEADER_BYTES>()
        else {
            return Err(Fault::Truncated {
                expected: "the head of a ziplist",
            });
        };
        let len = u64::from(u32::from_le_bytes([a, b, c, d]));
        if len != bytes.len() as u64 {
            return Err(Fault::Unexpected {
                expected: "the length of the ziplist",
                found: len,
            });
        }
        let [rest @ .., END] = body else {
            return Err(Fault::Contradiction("the ziplist does not end with ff"));
        };
        let count = u16::from_le_bytes([i, j]);
        let reader = Reader {
            rest,
            before: 0,
            at: HEADER_BYTES,
            tail: u32::from_le_bytes([e, f, g, h]) as usize,
            count: (count < u16::MAX).then_some(usize::from(count)),
            read: 0,
        };
        if rest.is_empty() && reader.tail != HEADER_BYTES {
            return Err(WRONG_TAIL);
        }
        Ok(reader)
    }

    /// The length that the next element gives for the one before, and what follows it.
    fn length_before(&self) -> Result<(usize, &'a [u8]), Fault> {
        let ([first], tail) = take(self.rest)?;
        match first {
            0..=0xfd => Ok((usize::from(first), tail)),
            0xfe => {
                let (len, tail) = take(tail)?;
                Ok((u32::from_le_bytes(len) as usize, tail))
            }
            END => Err(Fault::Unexpected {
                expected: "the length of an element of a ziplist",
                found: u64::from(first),
            }),
        }
    }
}

impl<'a> Row<'a> for Reader<'a> {
    fn next(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if self.rest.is_empty() {
            return match self.count {
                Some(count) if count != self.read => Err(Fault::Contradiction(
                    "the ziplist does not have as many elements as it says",
                )),
                Some(_) | None => Ok(None),
            };
        }
        let (before, tail) = self.length_before()?;
        if before != self.before {
            return Err(Fault::Contradiction(
                "the length of the element before is wrong",
            ));
        }
        let (element, tail) = element(tail)?;
        let len = self.rest.len() - tail.len();
        if tail.is_empty() && self.at != self.tail {
            return Err(WRONG_TAIL);
        }
        self.rest = tail;
        self.before = len;
        self.at += len;
        self.read += 1;
        Ok(Some(element))
    }
}

/// An element from its head on, and what follows it.
fn element(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Fault> {
    let ([head], tail) = take(bytes)?;
    let low = head & 0x3f;
    match head {
        0..=0x3f => text(tail, usize::from(low)),
        0x40..=0x7f => {
            let ([second], tail) = take(tail)?;
            text(tail, usize::from(u16::from_be_bytes([low, second])))
        }
        0x80 => {
            let (len, tail) = take(tail)?;
            text(tail, u32::from_be_bytes(len) as usize)
        }
        0xc0 => {
            let (data, tail) = take(tail)?;
            Ok((integer(i16::from_le_bytes(data)), tail))
        }
        0xd0 => {
            let (data, tail) = take(tail)?;
            Ok((integer(i32::from_le_bytes(data)), tail))
        }
        0xe0 => {
            let (data, tail) = take(tail)?;
            Ok((integer(i64::from_le_bytes(data)), tail))
        }
        0xf0 => {
            let ([a, b, c], tail) = take(tail)?;
            Ok((integer(i32::from_le_bytes([0, a, b, c]) >> 8), tail))
        }
        0xf1..=0xfd => Ok((integer((head & 0x0f) - 1), tail)),
        0xfe => {
            let (data, tail) = take(tail)?;
            Ok((integer(i8::from_le_bytes(data)), tail))
        }
        0x81..=0xbf | 0xc1..=0xcf | 0xd1..=0xdf | 0xe1..=0xef | END => Err(Fault::Unexpected {
            expected: "an element of a ziplist",
            found: u64::from(head),
        }),
    }
}

fn integer(value: impl Into<i64>) -> Element<'static> {
    Element::Integer(value.into())
}

const WRONG_TAIL: Fault =
    Fault::Contradiction("the last element of the ziplist is not where it says");

const SHORT: Fault = Fault::Truncated {
    expected: "an element of a ziplist",
};

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Fault> {
    let (head, tail) = bytes.split_first_chunk().ok_or(SHORT)?;
    Ok((*head, tail))
}

fn text(bytes: &[u8], len: usize) -> Result<(Element<'_>, &[u8]), Fault> {
    let (data, tail) = bytes.split_at_checked(len).ok_or(SHORT)?;
    Ok((Element::Bytes(data), tail))
}

/// Writing ziplists, which only tests do.
#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use values::parse_integer;

    use super::*;

    /// The ziplist of these elements, those that read as integers kept as such, as Redis wrote it.
    pub(crate) fn ziplist(elements: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let mut out = vec![0; HEADER_BYTES];
        let (mut last, mut before) = (HEADER_BYTES, 0);
        for element in elements {
            last = out.len();
            match u8::try_from(before) {
                Ok(before) if before < 254 => out.push(before),
                _ => {
                    out.push(0xfe);
                    out.extend((before as u32).to_le_bytes());
                }
            }
            put(element.as_ref(), &mut out);
            before = out.len() - last;
        }
        out.push(END);
        let len = (out.len() as u32).to_le_bytes();
        let count = u16::try_from(elements.len()).unwrap_or(u16::MAX);
        out[..4].copy_from_slice(&len);
        out[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        out[8..10].copy_from_slice(&count.to_le_bytes());
        out
    }

    fn put(text: &[u8], out: &mut Vec<u8>) {
        if let Some(value) = parse_integer(text) {
            let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
            match value {
                0..=12 => out.push(0xf1 + a),
                -0x80..=0x7f => out.extend([0xfe, a]),
                -0x8000..=0x7fff => out.extend([0xc0, a, b]),
                -0x80_0000..=0x7f_ffff => out.extend([0xf0, a, b, c]),
                -0x8000_0000..=0x7fff_ffff => out.extend([0xd0, a, b, c, d]),
                _ => out.extend([0xe0, a, b, c, d, e, f, g, h]),
            }
            return;
        }
        match text.len() {
            0..0x40 => out.push(text.len() as u8),
            0x40..0x4000 => out.extend([(text.len() >> 8) as u8 | 0x40, text.len() as u8]),
            _ => {
                out.push(0x80);
                out.extend((text.len() as u32).to_be_bytes());
            }
        }
        out.extend_from_slice(text);
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut reader = Reader::new(bytes)?;
        let mut elements = Vec::new();
        while let Some(element) = reader.next()? {
            elements.push(element.with_bytes(<[u8]>::to_vec));
        }
        Ok(elements)
    }

    #[test]
    fn elements_of_all_forms_are_read() {
        let mut elements: Vec<Vec<u8>> = [0, 1, 63, 64, 250, 251, 252, 253, 16_383, 16_384, 70_000]
            .map(|len| vec![b'x'; len])
            .to_vec();
        for bits in [0, 3, 7, 15, 23, 31, 63] {
            let border = 1_i128 << bits;
            for value in [border - 1, border, -border - 1, -border] {
                elements.push(value.to_string().into_bytes());
            }
        }
        elements.extend((-2..15).map(|value: i32| value.to_string().into_bytes()));
        assert_eq!(read(&ziplist(&elements)).unwrap(), elements);
        assert_eq!(read(&ziplist(&[""; 0])).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_the_head_says_must_be_so() {
        let good = ziplist(&["a", "b", "7"]);
        for (at, expected) in [(0, "length"), (4, "last element"), (8, "as many elements")] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let message = read(&bad).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let mut bad = good.clone();
        // The length of the element before the second.
        bad[13] = 4;
        assert!(read(&bad).is_err());
        assert_eq!(read(&ziplist(&vec!["1"; 70_000])).unwrap().len(), 70_000);
    }

    proptest! {
        #[test]
        fn a_damaged_ziplist_is_read_or_refused(
            elements in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let mut bytes = ziplist(&elements);
            prop_assert_eq!(read(&bytes).unwrap(), elements);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = read(&bytes);
            bytes.truncate(at);
            prop_assert!(read(&bytes).is_err());
        }
    }
}
