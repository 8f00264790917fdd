//! Requests: encoded once, then only the parts that vary are written over.
//!
//! A [`Template`] is one request whose arguments consist of [`Piece`]s. What varies depends on the
//! serial number of the request and on nothing else, so that every peer gets the same bytes and a
//! run can be checked afterwards.

mod line;

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

/// Appends a request with these arguments.
pub fn encode(arguments: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// A part of an argument.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// These bytes, each time.
    Fixed(&'a [u8]),
    /// The serial number in this many decimal digits.
    Serial(usize),
    /// This many letters and digits, different each time, that do not compress.
    Text(usize),
    /// This many decimal digits, different each time.
    Digits(usize),
    /// One of these texts, which all have the length of the first.
    Pick(&'static [&'static [u8]]),
}

/// One request, ready to be repeated.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    /// Where the last arguments begin, which [`Template::tail_digest`] covers.
    tail: usize,
}

#[derive(Debug, Clone)]
struct Hole {
    start: usize,
    length: usize,
    fill: Fill,
}

#[derive(Debug, Clone)]
enum Fill {
    Serial,
    Text,
    Digits,
    Pick(&'static [&'static [u8]]),
}

impl Template {
    /// A request with these arguments; the last `tail_count` of them are what
    /// [`Template::tail_digest`] covers.
    pub fn new(arguments: &[&[Piece<'_>]], tail_count: usize) -> Self {
        let mut template = Self {
            bytes: format!("*{}\r\n", arguments.len()).into_bytes(),
            holes: Vec::new(),
            tail: 0,
        };
        for (index, pieces) in arguments.iter().enumerate() {
            if index + tail_count == arguments.len() {
                template.tail = template.bytes.len();
            }
            let length: usize = pieces.iter().map(Piece::length).sum();
            template
                .bytes
                .extend_from_slice(format!("${length}\r\n").as_bytes());
            for piece in *pieces {
                template.push(*piece);
            }
            template.bytes.extend_from_slice(b"\r\n");
        }
        template
    }

    /// A request in which nothing varies.
    pub fn fixed(arguments: &[&[u8]]) -> Self {
        let pieces: Vec<[Piece<'_>; 1]> = arguments
            .iter()
            .map(|bytes| [Piece::Fixed(bytes)])
            .collect();
        let slices: Vec<&[Piece<'_>]> = pieces.iter().map(|piece| &piece[..]).collect();
        Self::new(&slices, 0)
    }

    /// A line without RESP's array around its words, as one types it into a terminal.
    pub fn inline(line: &str) -> Self {
        Self {
            bytes: format!("{line}\r\n").into_bytes(),
            holes: Vec::new(),
            tail: 0,
        }
    }

    /// Appends the request with this serial number.
    pub fn write(&self, serial: u64, texts: &Texts, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let mut random = mix(serial);
        for hole in &self.holes {
            let place = &mut out[start + hole.start..start + hole.start + hole.length];
            match hole.fill {
                Fill::Serial => write_digits(serial, place),
                Fill::Text => place.copy_from_slice(texts.window(random, hole.length)),
                Fill::Digits => write_digits(random, place),
                Fill::Pick(choices) => {
                    place.copy_from_slice(choices[(random >> 32) as usize % choices.len()]);
                }
            }
            random = mix(random);
        }
    }

    /// A digest of the last arguments of the request with this serial number, as they stand in
    /// RESP.
    pub fn tail_digest(&self, serial: u64, texts: &Texts) -> u64 {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        self.write(serial, texts, &mut bytes);
        xxh3_64(&bytes[self.tail..])
    }

    /// Length of the request in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    fn push(&mut self, piece: Piece<'_>) {
        let fill = match piece {
            Piece::Fixed(bytes) => {
                self.bytes.extend_from_slice(bytes);
                return;
            }
            Piece::Serial(_) => Fill::Serial,
            Piece::Text(_) => Fill::Text,
            Piece::Digits(_) => Fill::Digits,
            Piece::Pick(choices) => Fill::Pick(choices),
        };
        let length = piece.length();
        self.holes.push(Hole {
            start: self.bytes.len(),
            length,
            fill,
        });
        self.bytes.resize(self.bytes.len() + length, b'0');
    }
}

impl Piece<'_> {
    fn length(&self) -> usize {
        match self {
            Piece::Fixed(bytes) => bytes.len(),
            Piece::Serial(length) | Piece::Text(length) | Piece::Digits(length) => *length,
            Piece::Pick(choices) => choices[0].len(),
        }
    }
}

/// Random letters and digits to cut values from, made once: copying is cheaper than drawing.
/// A clone shares them.
#[derive(Debug, Clone)]
pub struct Texts(Arc<[u8]>);

impl Texts {
    /// The same texts each time.
    pub fn new() -> Self {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut state = 1;
        let mut bytes = Vec::with_capacity(TEXT_BYTES);
        while bytes.len() < TEXT_BYTES {
            state = mix(state);
            bytes.extend((0..8).map(|index| ALPHABET[(state >> (index * 6)) as usize & 63]));
        }
        Self(bytes.into())
    }

    fn window(&self, random: u64, length: usize) -> &[u8] {
        let start = (random >> 20) as usize % (TEXT_BYTES - length);
        &self.0[start..start + length]
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::new()
    }
}

/// Far larger than what a server could compress at a time, so that windows do not repeat within its
/// reach.
const TEXT_BYTES: usize = 4 << 20;

/// A well-mixed number from another one (the finaliser of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Writes the last digits of the number that fit, with leading zeros.
fn write_digits(mut number: u64, place: &mut [u8]) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_array_of_bulk_strings() {
        let mut out = Vec::new();
        encode(&[b"SET", b"k", b""], &mut out);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
    }

    #[test]
    fn pieces_are_filled_by_the_serial_number_alone() {
        let template = Template::new(
            &[
                &[Piece::Fixed(b"X")],
                &[Piece::Fixed(b"id-"), Piece::Serial(4)],
                &[
                    Piece::Text(8),
                    Piece::Pick(&[b"on ", b"off"]),
                    Piece::Digits(3),
                ],
            ],
            1,
        );
        let texts = Texts::new();
        let write = |serial| {
            let mut out = Vec::new();
            template.write(serial, &texts, &mut out);
            out
        };
        let seven = write(7);
        assert!(seven.starts_with(b"*3\r\n$1\r\nX\r\n$7\r\nid-0007\r\n$14\r\n"));
        assert_eq!(seven.len(), template.byte_len());
        assert_eq!(seven, write(7));
        assert_ne!(seven[24..], write(8)[24..]);
        assert_eq!(template.tail_digest(7, &texts), xxh3_64(&seven[24..]));
    }

    #[test]
    fn a_fixed_template_repeats_its_bytes() {
        let mut plain = Vec::new();
        encode(&[b"PING"], &mut plain);
        let mut out = Vec::new();
        Template::fixed(&[b"PING"]).write(3, &Texts::new(), &mut out);
        assert_eq!(out, plain);
    }
}
