//! The numbers inside a chunk: how lengths and ID deltas are stored.
//!
//! A delta takes seven bits a byte, lowest first, the top bit set where more follow (LEB128). A
//! length below 253 is one byte; greater ones are a marker and two, four or eight bytes, little
//! endian. Decoding trusts its input: chunks are only ever written by this crate.

/// Appends a delta: 1 byte below 128, at most 10.
#[inline]
pub(crate) fn put_delta(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the delta at `*at` and moves `at` behind it.
#[inline]
pub(crate) fn take_delta(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0_u64;
    let mut shift = 0;
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
        shift += 7;
    }
}

/// Returns how many bytes [`put_delta`] writes.
#[inline]
pub(crate) fn delta_bytes(value: u64) -> usize {
    match value {
        0..0x80 => 1,
        // Seven bits a byte.
        _ => (64 - value.leading_zeros() as usize).div_ceil(7),
    }
}

const TWO_BYTES: u8 = 253;
const FOUR_BYTES: u8 = 254;
const EIGHT_BYTES: u8 = 255;

/// Appends a length: 1 byte below 253, then 3, 5 or 9.
#[inline]
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    if length < usize::from(TWO_BYTES) {
        out.push(length as u8);
    } else if length <= usize::from(u16::MAX) {
        out.push(TWO_BYTES);
        out.extend_from_slice(&(length as u16).to_le_bytes());
    } else if length <= u32::MAX as usize {
        out.push(FOUR_BYTES);
        out.extend_from_slice(&(length as u32).to_le_bytes());
    } else {
        out.push(EIGHT_BYTES);
        out.extend_from_slice(&(length as u64).to_le_bytes());
    }
}

/// Reads the length at `*at` and moves `at` behind it.
#[inline]
pub(crate) fn take_length(bytes: &[u8], at: &mut usize) -> usize {
    let first = bytes[*at];
    *at += 1;
    if first < TWO_BYTES {
        usize::from(first)
    } else {
        long_length(bytes, at, first)
    }
}

#[cold]
fn long_length(bytes: &[u8], at: &mut usize, marker: u8) -> usize {
    let width = match marker {
        TWO_BYTES => 2,
        FOUR_BYTES => 4,
        _ => 8,
    };
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(&bytes[*at..*at + width]);
    *at += width;
    u64::from_le_bytes(wide) as usize
}

/// Returns how many bytes [`put_length`] writes.
#[inline]
pub(crate) fn length_bytes(length: usize) -> usize {
    match length {
        0..253 => 1,
        253..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_round_trip_at_every_width() {
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, u64::MAX >> shift] {
                let mut bytes = vec![7];
                put_delta(&mut bytes, value);
                assert_eq!(bytes.len(), 1 + delta_bytes(value));
                let mut at = 1;
                assert_eq!(take_delta(&bytes, &mut at), value);
                assert_eq!(at, bytes.len());
            }
        }
    }

    #[test]
    fn lengths_round_trip_at_every_width() {
        for length in [
            0,
            1,
            252,
            253,
            254,
            255,
            0xffff,
            0x1_0000,
            u32::MAX as usize,
            1 << 32,
        ] {
            let mut bytes = vec![7];
            put_length(&mut bytes, length);
            assert_eq!(bytes.len(), 1 + length_bytes(length));
            let mut at = 1;
            assert_eq!(take_length(&bytes, &mut at), length);
            assert_eq!(at, bytes.len());
        }
    }
}
