//! The checksum at the end of files and payloads: CRC-64 with the polynomial of Jones,
//! `ad93d23594c935a9`, reflected, starting from 0 (in the catalogue of CRCs: CRC-64/REDIS).

use crc_fast::{CrcAlgorithm, Digest};

/// A checksum of bytes that come in pieces.
#[derive(Debug)]
pub(crate) struct Checksum(Digest);

impl Checksum {
    pub(crate) fn new() -> Checksum {
        Checksum(Digest::new(CrcAlgorithm::Crc64Redis))
    }

    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.update(bytes);
        }
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finalize()
    }
}

/// The checksum of these bytes.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Redis, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn pieces_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| (i * 7) as u8).collect();
        for cut in [0, 1, 8, 15, 16, 17, 128, 500, 999, 1000] {
            let (head, tail) = bytes.split_at(cut);
            let mut pieces = Checksum::new();
            pieces.update(head);
            pieces.update(tail);
            assert_eq!(pieces.value(), checksum(&bytes));
        }
    }
}
