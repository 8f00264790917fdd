//! Writing the building blocks: bytes, lengths, strings. `decode.rs` has their form.

use values::parse_integer;

use crate::checksum::Checksum;
use crate::limits::{PIECE_BYTES, UNCOMPRESSED_BYTES_MAX};
use crate::lzf::{Packed, Packer};
use crate::source::Sink;

/// How long strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// With LZF, where that makes them shorter (`rdbcompression yes`).
    Lzf,
    /// Never.
    Off,
}

/// Gathers bytes and hands them to a sink in pieces.
#[derive(Debug)]
pub(crate) struct Encoder<K> {
    out: Vec<u8>,
    /// How much is gathered before it goes to the sink, in bytes.
    piece_bytes: usize,
    sink: K,
    written: u64,
    checksum: Checksum,
    compression: Compression,
    packer: Option<Packer>,
}

impl<K: Sink> Encoder<K> {
    pub(crate) fn new(sink: K, compression: Compression) -> Encoder<K> {
        Encoder {
            out: Vec::new(),
            piece_bytes: PIECE_BYTES,
            sink,
            written: 0,
            checksum: Checksum::new(),
            compression,
            packer: None,
        }
    }

    /// The number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written + self.out.len() as u64
    }

    /// Hands over what was gathered, if that is enough to be worth it. Call it between values and
    /// within long ones.
    #[inline]
    pub(crate) fn drain(&mut self) -> Result<(), K::Error> {
        if self.out.len() < self.piece_bytes {
            return Ok(());
        }
        self.flush()
    }

    /// Hands over all that was gathered.
    pub(crate) fn flush(&mut self) -> Result<(), K::Error> {
        self.checksum.update(&self.out);
        self.sink.write(&self.out)?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    /// Writes the checksum of everything before it, and gives back the sink.
    pub(crate) fn finish(mut self) -> Result<K, K::Error> {
        self.flush()?;
        let checksum = self.checksum.value();
        self.bytes(&checksum.to_le_bytes());
        self.flush()?;
        Ok(self.sink)
    }

    /// Returns whether nothing is handed over before the end.
    pub(crate) fn keeps_all(&self) -> bool {
        self.piece_bytes == usize::MAX
    }

    /// The present end, for [`Encoder::number_at`].
    pub(crate) fn place(&self) -> usize {
        self.out.len()
    }

    /// Puts a number before what was written since `place`, of which nothing was handed over.
    pub(crate) fn number_at(&mut self, place: usize, number: u64) {
        let end = self.out.len();
        self.number(number);
        let number_bytes = self.out.len() - end;
        if let Some(since) = self.out.get_mut(place..) {
            since.rotate_right(number_bytes);
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A length, count or other number.
    #[inline]
    pub(crate) fn number(&mut self, number: u64) {
        push_number(&mut self.out, number);
    }

    /// A string, in the shortest of its forms.
    pub(crate) fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= INTEGER_BYTES_MAX {
            let integer = parse_integer(bytes).and_then(|value| i32::try_from(value).ok());
            if let Some(value) = integer {
                return self.integer(value);
            }
        }
        self.blob(bytes);
    }

    /// A string that is not the text of an integer.
    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        if bytes.len() > UNCOMPRESSED_BYTES_MAX && self.packed(bytes) == Packed::Yes {
            return;
        }
        self.number(bytes.len() as u64);
        self.bytes(bytes);
    }

    fn integer(&mut self, value: i32) {
        let [a, b, ..] = value.to_le_bytes();
        match value {
            -0x80..=0x7f => self.bytes(&[0xc0, a]),
            -0x8000..=0x7fff => self.bytes(&[0xc1, a, b]),
            _ => {
                self.byte(0xc2);
                self.bytes(&value.to_le_bytes());
            }
        }
    }

    /// Writes the string packed, if that is shorter by more than the head that it then needs.
    fn packed(&mut self, bytes: &[u8]) -> Packed {
        if self.compression == Compression::Off {
            return Packed::No;
        }
        let packer = self.packer.get_or_insert_with(Packer::new);
        // The packed length comes before the packed bytes. So these are made at the end first, and
        // then the head is inserted before them.
        let start = self.out.len();
        let limit = bytes.len() - HEAD_BYTES;
        if packer.pack(bytes, limit, &mut self.out) == Packed::No {
            return Packed::No;
        }
        let packed_len = self.out.len() - start;
        self.byte(0xc3);
        self.number(packed_len as u64);
        self.number(bytes.len() as u64);
        if let Some(both) = self.out.get_mut(start..) {
            both.rotate_left(packed_len);
        }
        Packed::Yes
    }
}

impl Encoder<Vec<u8>> {
    /// One that gathers everything in this memory, as long as it fits in.
    pub(crate) fn keeping_all(memory: Vec<u8>, compression: Compression) -> Encoder<Vec<u8>> {
        let mut encoder = Encoder {
            piece_bytes: usize::MAX,
            ..Encoder::new(Vec::new(), compression)
        };
        encoder.out = memory;
        encoder.out.clear();
        encoder
    }

    /// Writes the checksum of everything before it, and returns all of it.
    pub(crate) fn finish_all(mut self) -> Vec<u8> {
        debug_assert!(
            self.keeps_all() && self.written == 0,
            "some was handed over"
        );
        self.checksum.update(&self.out);
        let checksum = self.checksum.value();
        self.bytes(&checksum.to_le_bytes());
        self.out
    }
}

/// The longest text of an integer that has a form of its own: `-2147483648`.
const INTEGER_BYTES_MAX: usize = 11;

/// What packing must save at least, as in Redis: about what the head of a packed string takes.
const HEAD_BYTES: usize = 4;

/// A length, count or other number, to a buffer.
#[inline]
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    match number {
        0..0x40 => out.push(number as u8),
        0x40..0x4000 => out.extend_from_slice(&(number as u16 | 0x4000).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}
