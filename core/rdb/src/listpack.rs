//! The listpack: a row of integers and strings in one string.
//!
//! | offset | size | meaning |
//! |---|---|---|
//! | 0 | 4 | length of the whole in bytes, little endian |
//! | 4 | 2 | number of elements, little endian; 65535 for that many or more |
//! | 6 | | the elements |
//! | last | 1 | `ff` |
//!
//! An element is its head, its data, and then the length of both, so that the row can be read
//! backwards: 7 bits a byte, the highest first, each but the first with the top bit set.
//!
//! | head | data | meaning |
//! |---|---|---|
//! | `0xxxxxxx` | | integer from 0 to 127 |
//! | `10xxxxxx` | x bytes | string |
//! | `110xxxxx` `xxxxxxxx` | | integer of 13 bits, signed |
//! | `1110xxxx` `xxxxxxxx` | x bytes | string |
//! | `f0`, 4 bytes little endian | that many bytes | string |
//! | `f1`, `f2`, `f3`, `f4` | 2, 3, 4, 8 bytes, little endian | integer, signed |
//!
//! Source: the author's listpack specification (`antirez/listpack`). A string that is the canonical
//! text of an integer is kept as that integer.

use values::listpack::element_bytes;
pub(crate) use values::listpack::{FRAME_BYTES, integer_bytes};
use values::parse_integer;

use crate::error::Fault;
use crate::row::{Element, Row};

const HEADER_BYTES: usize = 6;
const END: u8 = 0xff;

/// Reads the elements from the first to the last.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins to read a listpack that is exactly `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Fault> {
        let Some((&[a, b, c, d, _, _], body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Fault::Truncated {
                expected: "the head of a listpack",
            });
        };
        let len = u64::from(u32::from_le_bytes([a, b, c, d]));
        if len != bytes.len() as u64 {
            return Err(Fault::Unexpected {
                expected: "the length of the listpack",
                found: len,
            });
        }
        match body {
            [rest @ .., END] => Ok(Reader { rest }),
            _ => Err(Fault::Contradiction("the listpack does not end with ff")),
        }
    }

    /// The next element if it is of one of the forms that nearly all have, and whole.
    #[inline]
    fn short_element(&mut self) -> Option<Element<'a>> {
        let (element, tail) = match *self.rest {
            [value @ 0..=0x7f, 1, ref tail @ ..] => (Element::Integer(i64::from(value)), tail),
            [head @ 0xc0..=0xdf, low, 2, ref tail @ ..] => (integer_of_13_bits(head, low), tail),
            [head @ 0x80..=0xbf, ref tail @ ..] => short_bytes(tail, usize::from(head & 0x3f), 1)?,
            [0xe0, len, ref tail @ ..] => short_bytes(tail, usize::from(len), 2)?,
            _ => return None,
        };
        self.rest = tail;
        Some(element)
    }

    fn next_of_any_form(&mut self) -> Result<Option<Element<'a>>, Fault> {
        let Some((&head, tail)) = self.rest.split_first() else {
            return Ok(None);
        };
        let before = self.rest.len();
        let (element, tail) = match head {
            0..=0x7f => (Element::Integer(i64::from(head)), tail),
            0x80..=0xbf => take_bytes(tail, usize::from(head & 0x3f))?,
            0xc0..=0xdf => {
                let ([low], tail) = take(tail)?;
                (integer_of_13_bits(head, low), tail)
            }
            0xe0..=0xef => {
                let ([low], tail) = take(tail)?;
                take_bytes(tail, usize::from(u16::from_be_bytes([head & 0x0f, low])))?
            }
            0xf0 => {
                let (len, tail) = take(tail)?;
                take_bytes(tail, u32::from_le_bytes(len) as usize)?
            }
            0xf1 => {
                let (data, tail) = take(tail)?;
                (Element::Integer(i64::from(i16::from_le_bytes(data))), tail)
            }
            0xf2 => {
                let ([a, b, c], tail) = take(tail)?;
                (
                    Element::Integer(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)),
                    tail,
                )
            }
            0xf3 => {
                let (data, tail) = take(tail)?;
                (Element::Integer(i64::from(i32::from_le_bytes(data))), tail)
            }
            0xf4 => {
                let (data, tail) = take(tail)?;
                (Element::Integer(i64::from_le_bytes(data)), tail)
            }
            0xf5..=0xff => {
                let found = u64::from(head);
                return Err(Fault::Unexpected {
                    expected: "an element of a listpack",
                    found,
                });
            }
        };
        self.rest = skip_length(tail, before - tail.len())?;
        Ok(Some(element))
    }

    /// The next element, which must be an integer.
    #[inline]
    pub(crate) fn integer(&mut self, expected: &'static str) -> Result<i64, Fault> {
        match self.next()? {
            Some(Element::Integer(value)) => Ok(value),
            Some(Element::Bytes(_)) => Err(Fault::Contradiction("a string stands for a number")),
            None => Err(Fault::Truncated { expected }),
        }
    }
}

impl<'a> Row<'a> for Reader<'a> {
    #[inline]
    fn next(&mut self) -> Result<Option<Element<'a>>, Fault> {
        match self.short_element() {
            Some(element) => Ok(Some(element)),
            None => self.next_of_any_form(),
        }
    }
}

#[inline]
fn integer_of_13_bits(head: u8, low: u8) -> Element<'static> {
    // Shifted up to where the sign is.
    let bits = u16::from_be_bytes([head, low]) << 3;
    Element::Integer(i64::from(bits.cast_signed() >> 3))
}

/// A string of `len` bytes with a head of `head_len`, if the length behind it takes one byte and is
/// right.
#[inline]
fn short_bytes(bytes: &[u8], len: usize, head_len: usize) -> Option<(Element<'_>, &[u8])> {
    let (data, tail) = bytes.split_at_checked(len)?;
    match tail {
        [behind @ 0..0x80, tail @ ..] if usize::from(*behind) == len + head_len => {
            Some((Element::Bytes(data), tail))
        }
        _ => None,
    }
}

const SHORT: Fault = Fault::Truncated {
    expected: "an element of a listpack",
};

#[inline]
fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Fault> {
    bytes
        .split_first_chunk()
        .map(|(head, tail)| (*head, tail))
        .ok_or(SHORT)
}

#[inline]
fn take_bytes(bytes: &[u8], len: usize) -> Result<(Element<'_>, &[u8]), Fault> {
    let (data, tail) = bytes.split_at_checked(len).ok_or(SHORT)?;
    Ok((Element::Bytes(data), tail))
}

/// Checks and skips the length that stands behind an element of `len` bytes.
#[inline]
fn skip_length(bytes: &[u8], len: usize) -> Result<&[u8], Fault> {
    if let [behind @ 0..0x80, tail @ ..] = bytes
        && usize::from(*behind) == len
    {
        return Ok(tail);
    }
    let mut expected = [0; LENGTH_BYTES_MAX];
    let expected = length_backwards(len, &mut expected);
    bytes.strip_prefix(expected).ok_or(Fault::Contradiction(
        "the length behind an element is wrong",
    ))
}

const LENGTH_BYTES_MAX: usize = 5;

#[inline]
fn length_backwards(len: usize, out: &mut [u8; LENGTH_BYTES_MAX]) -> &[u8] {
    let [a, b, c, d, e] = out;
    let bits = |shift: u32| (len >> shift) as u8 & 0x7f;
    let size = match len {
        0..0x80 => {
            *a = bits(0);
            1
        }
        0x80..0x4000 => {
            (*a, *b) = (bits(7), bits(0) | 0x80);
            2
        }
        0x4000..0x20_0000 => {
            (*a, *b, *c) = (bits(14), bits(7) | 0x80, bits(0) | 0x80);
            3
        }
        0x20_0000..0x1000_0000 => {
            (*a, *b, *c, *d) = (bits(21), bits(14) | 0x80, bits(7) | 0x80, bits(0) | 0x80);
            4
        }
        _ => {
            (*a, *b, *c) = (bits(28), bits(21) | 0x80, bits(14) | 0x80);
            (*d, *e) = (bits(7) | 0x80, bits(0) | 0x80);
            5
        }
    };
    out.get(..size).unwrap_or_default()
}

/// Returns how many bytes a string takes as an element.
#[inline]
pub(crate) fn text_bytes(text: &[u8]) -> usize {
    element_bytes(collections::Element::of(text))
}

/// Writes a listpack, element after element, into a buffer of its own that is used again.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    elements: usize,
}

/// A place in a listpack that is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bytes: usize,
    elements: usize,
}

impl Writer {
    /// Starts a new one.
    pub(crate) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
        self.elements = 0;
    }

    /// How many bytes it would have if it ended here.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + 1
    }

    /// The present end, to [`roll back`](Writer::rollback) to.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            elements: self.elements,
        }
    }

    /// Forgets what was appended since `mark`.
    pub(crate) fn rollback(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.elements = mark.elements;
    }

    /// Replaces the first element, which must be an integer from 0 to 127, by another such integer.
    pub(crate) fn replace_first(&mut self, value: u8) {
        if let Some(first) = self.bytes.get_mut(HEADER_BYTES) {
            debug_assert!(*first < 0x80 && value < 0x80, "both fit into their head");
            *first = value;
        }
    }

    #[inline]
    pub(crate) fn integer(&mut self, value: i64) {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        // The whole element at once, its length at the end.
        let out = &mut self.bytes;
        match value {
            0..=127 => out.extend_from_slice(&[a, 1]),
            -4096..=4095 => out.extend_from_slice(&[b & 0x1f | 0xc0, a, 2]),
            -0x8000..=0x7fff => out.extend_from_slice(&[0xf1, a, b, 3]),
            -0x80_0000..=0x7f_ffff => out.extend_from_slice(&[0xf2, a, b, c, 4]),
            -0x8000_0000..=0x7fff_ffff => out.extend_from_slice(&[0xf3, a, b, c, d, 5]),
            _ => out.extend_from_slice(&[0xf4, a, b, c, d, e, f, g, h, 9]),
        }
        self.elements += 1;
    }

    /// Appends a string, as an integer if it reads as one.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if let Some(value) = parse_integer(bytes) {
            return self.integer(value);
        }
        let start = self.bytes.len();
        let len = bytes.len();
        match len {
            0..0x40 => self.bytes.push(len as u8 | 0x80),
            0x40..0x1000 => self
                .bytes
                .extend_from_slice(&[(len >> 8) as u8 | 0xe0, len as u8]),
            _ => {
                self.bytes.push(0xf0);
                self.bytes.extend_from_slice(&(len as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(bytes);
        self.end_element(start);
    }

    #[inline]
    fn end_element(&mut self, start: usize) {
        let mut length = [0; LENGTH_BYTES_MAX];
        let length = length_backwards(self.bytes.len() - start, &mut length);
        self.bytes.extend_from_slice(length);
        self.elements += 1;
    }

    /// Ends it; the whole listpack.
    pub(crate) fn finish(&mut self) -> &[u8] {
        self.bytes.push(END);
        let [a, b, c, d] = (self.bytes.len() as u32).to_le_bytes();
        let [e, f] = u16::try_from(self.elements)
            .unwrap_or(u16::MAX)
            .to_le_bytes();
        if let Some(head) = self.bytes.first_chunk_mut() {
            *head = [a, b, c, d, e, f];
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut reader = Reader::new(bytes)?;
        let mut elements = Vec::new();
        while let Some(element) = reader.next()? {
            elements.push(match element {
                Element::Integer(value) => value.to_string().into_bytes(),
                Element::Bytes(bytes) => bytes.to_vec(),
            });
        }
        Ok(elements)
    }

    fn write(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.begin();
        for element in elements {
            writer.bytes(element);
        }
        writer.finish().to_vec()
    }

    #[test]
    fn lengths_of_all_sizes_are_read_back() {
        let elements: Vec<Vec<u8>> = [
            0, 1, 63, 64, 125, 126, 127, 4095, 4096, 16_380, 16_384, 3_000_000,
        ]
        .map(|len| vec![b'x'; len])
        .to_vec();
        assert_eq!(read(&write(&elements)).unwrap(), elements);
    }

    #[test]
    fn integers_at_the_borders_of_their_sizes_are_read_back() {
        let mut elements = Vec::new();
        for bits in [7, 12, 15, 23, 31, 63] {
            let border = 1_i128 << bits;
            for value in [
                border - 1,
                border,
                border + 1,
                -border - 1,
                -border,
                -border + 1,
            ] {
                elements.push(value.to_string().into_bytes());
            }
        }
        assert_eq!(read(&write(&elements)).unwrap(), elements);
    }

    #[track_caller]
    fn check_size(text: &[u8]) {
        assert_eq!(
            write(&[text.to_vec()]).len(),
            FRAME_BYTES + text_bytes(text)
        );
    }

    #[test]
    fn sizes_are_known_before_writing() {
        for len in [
            0, 1, 63, 64, 125, 126, 127, 4094, 4095, 4096, 16_377, 16_378, 16_379, 3_000_000,
        ] {
            check_size(&vec![b'x'; len]);
        }
        for bits in [7, 12, 15, 23, 31, 62] {
            let border = 1_i64 << bits;
            for value in [border - 1, border, -border - 1, -border] {
                check_size(value.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn the_number_of_elements_stays_at_the_greatest_that_fits() {
        let listpack = write(&vec![b"1".to_vec(); 70_000]);
        assert_eq!(listpack.get(4..6), Some(&[0xff, 0xff][..]));
        assert_eq!(read(&listpack).unwrap().len(), 70_000);
    }

    proptest! {
        #[test]
        fn elements_are_read_back(
            elements in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..300),
                    any::<i64>().prop_map(|value| value.to_string().into_bytes()),
                    (-5000_i64..5000).prop_map(|value| value.to_string().into_bytes()),
                ],
                0..20,
            ),
        ) {
            prop_assert_eq!(read(&write(&elements)).unwrap(), elements);
        }

        #[test]
        fn a_damaged_listpack_is_read_or_refused(
            elements in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let mut bytes = write(&elements);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = read(&bytes);
            bytes.truncate(at);
            prop_assert!(read(&bytes).is_err());
        }
    }
}
