use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::encode::{Compression, Encoder};

/// A source that brings its bytes in small pieces.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
    consumed: usize,
}

impl Source for Pieces<'_> {
    type Error = Infallible;

    fn fill(&mut self) -> Result<&[u8], Infallible> {
        let end = (self.size - self.consumed % self.size).min(self.rest.len());
        Ok(&self.rest[..end])
    }

    fn consume(&mut self, len: usize) {
        self.rest = &self.rest[len..];
        self.consumed += len;
    }
}

fn decoder(bytes: &[u8], size: usize) -> Decoder<Pieces<'_>> {
    Decoder::new(
        Pieces {
            rest: bytes,
            size,
            consumed: 0,
        },
        Summed::Yes,
    )
}

impl Decoder<Pieces<'_>> {
    fn owned(
        &mut self,
        limit: u64,
        expected: &'static str,
    ) -> Result<Vec<u8>, ReadError<Infallible>> {
        self.with_string(limit, expected, <[u8]>::to_vec)
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused() {
    let mut bytes = Vec::from([0x80]);
    bytes.extend(11_u32.to_be_bytes());
    bytes.extend([b'x'; 11]);
    let read = |limit| decoder(&bytes, 100).owned(limit, "a string");
    assert_eq!(read(11).unwrap(), [b'x'; 11]);
    let fault = Fault::TooLong {
        what: "a string",
        length: 11,
        limit: 10,
    };
    assert_eq!(
        read(10).unwrap_err(),
        ReadError::Format(FormatError { offset: 5, fault })
    );
}

#[test]
fn a_great_length_with_few_bytes_reserves_little() {
    let mut bytes = Vec::from([0x80]);
    bytes.extend((STRING_BYTES_MAX as u32).to_be_bytes());
    let mut out = Vec::new();
    let mut decoder = decoder(&bytes, 100);
    decoder
        .string(&mut out, STRING_BYTES_MAX, "a string")
        .unwrap_err();
    assert!(out.capacity() <= TRUSTED_BYTES_MAX);
}

#[test]
fn the_source_is_given_back_where_reading_stopped() {
    let bytes = b"\x03abcrest";
    for size in 1..=bytes.len() {
        let mut decoder = decoder(bytes, size);
        assert_eq!(decoder.owned(3, "a string").unwrap(), b"abc");
        assert_eq!(decoder.into_source().rest, b"rest");
    }
}

#[test]
fn forms_that_no_one_writes_are_refused() {
    for first in [0x82, 0xbf, 0xc4, 0xff] {
        let bytes = [first; 20];
        assert!(decoder(&bytes, 20).owned(100, "a string").is_err());
        assert!(decoder(&bytes, 20).skip_string("a string").is_err());
    }
    assert!(decoder(&[0xc0, 1], 20).number("a length").is_err());
}

proptest! {
    #[test]
    fn numbers_and_strings_are_read_back_whatever_the_pieces(
        numbers in prop::collection::vec(prop_oneof![any::<u64>(), 0..0x5000_u64, Just(u64::from(u32::MAX))], 0..6),
        strings in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..100),
                prop::collection::vec(0_u8..2, 0..2000),
                any::<i64>().prop_map(|value| value.to_string().into_bytes()),
                any::<i32>().prop_map(|value| value.to_string().into_bytes()),
                any::<i16>().prop_map(|value| value.to_string().into_bytes()),
                any::<i8>().prop_map(|value| value.to_string().into_bytes()),
            ],
            0..6,
        ),
        size in 1_usize..50,
        compression in prop::sample::select(vec![Compression::Lzf, Compression::Off]),
    ) {
        let mut encoder = Encoder::new(Vec::new(), compression);
        for &number in &numbers {
            encoder.number(number);
        }
        for string in &strings {
            encoder.string(string);
        }
        let bytes = encoder.finish().unwrap();
        let mut reading = decoder(&bytes, size);
        for &number in &numbers {
            prop_assert_eq!(reading.number("a number").unwrap(), number);
        }
        for string in &strings {
            prop_assert_eq!(&reading.owned(STRING_BYTES_MAX, "a string").unwrap(), string);
        }
        let checksum = reading.checksum().unwrap().unwrap();
        prop_assert_eq!(reading.array("the checksum").unwrap(), checksum.to_le_bytes());
        prop_assert!(reading.is_at_end().unwrap());

        let mut skipping = decoder(&bytes, size);
        for _ in &numbers {
            skipping.number("a number").unwrap();
        }
        for _ in &strings {
            skipping.skip_string("a string").unwrap();
        }
        prop_assert_eq!(skipping.offset(), bytes.len() as u64 - 8);
    }
}
