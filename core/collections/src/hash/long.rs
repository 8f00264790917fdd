//! What a long name comes to before it is hashed: values of polynomials at a secret point.
//!
//! SipHash has to wait for each word before the next, and takes 40 ms for a name of 200 MB, during
//! which nobody else is served. This takes little more than half of that. A name is cut into words
//! of seven bytes, dealt out to lanes. Each lane is the value of a polynomial, whose coefficients
//! are its words, modulo a prime.
//!
//! Two names of one length differ in some lane, and two polynomials have the same value at no more
//! points than they have coefficients. So the names come to the same with a probability of at most
//! one in 2^60 for each word of a lane: 2^-38 for names of 200 MB. That holds for whoever does not
//! know the point, and nobody learns of it: what a name comes to is hashed under the secret key.

/// The prime, 2^61 - 1.
const PRIME: u64 = (1 << PRIME_BITS) - 1;
const PRIME_BITS: u32 = 61;

/// Points are less than half of the prime, so that what a lane carries on never overflows.
const POINT_MASK: u64 = PRIME >> 1;

/// A word must be less than the prime.
const WORD_BYTES: usize = 7;
const WORD_MASK: u64 = (1 << (8 * WORD_BYTES)) - 1;

/// How many lanes are worked on at once.
pub(super) const LANES: usize = 8;
const BLOCK_BYTES: usize = LANES * WORD_BYTES;

/// The values of the lanes of a name, filled up with zeros. They tell it from others of its length.
pub(super) fn lanes(name: &[u8], point: u64) -> [u64; LANES] {
    let point = u128::from(point & POINT_MASK);
    let mut lanes = [0; LANES];
    let (blocks, rest) = name.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        take(&mut lanes, block, point);
    }
    let mut last = [0; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    take(&mut lanes, &last, point);
    lanes.map(|lane| lane % PRIME)
}

/// Goes on by one word in each lane.
#[inline(always)]
fn take(lanes: &mut [u64; LANES], block: &[u8; BLOCK_BYTES], point: u128) {
    for (lane, carried) in lanes.iter_mut().enumerate() {
        let product = u128::from(*carried) * point;
        // 2^61 counts as 1. The upper part is at most half of what was carried, so the sum stays
        // below 2^63.
        *carried = (product as u64 & PRIME) + (product >> PRIME_BITS) as u64 + word(block, lane);
    }
}

/// The word of a lane: eight bytes are read, one of which belongs to its neighbour.
#[inline(always)]
fn word(block: &[u8; BLOCK_BYTES], lane: usize) -> u64 {
    let at = lane * WORD_BYTES;
    let read = |at: usize| {
        let bytes = block.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    match lane {
        lane if lane + 1 < LANES => read(at) & WORD_MASK,
        _ => read(at - 1) >> 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by the definition: one word after the other, each sum reduced at once.
    fn plain(name: &[u8], point: u64) -> [u64; LANES] {
        let mut lanes = [0_u128; LANES];
        let mut padded = name.to_vec();
        padded.resize((name.len() / BLOCK_BYTES + 1) * BLOCK_BYTES, 0);
        for (number, bytes) in padded.chunks(WORD_BYTES).enumerate() {
            let word = bytes
                .iter()
                .rev()
                .fold(0, |word, b| word << 8 | u128::from(*b));
            let lane = &mut lanes[number % LANES];
            *lane = (*lane * u128::from(point & POINT_MASK) + word) % u128::from(PRIME);
        }
        lanes.map(|lane| lane as u64)
    }

    #[test]
    fn lanes_are_the_polynomials_that_they_should_be() {
        for point in [0, 1, 2, 0x0123_4567_89ab_cdef, POINT_MASK, u64::MAX] {
            for len in (0..200).chain([1_000, 5_600, 10_007]) {
                let mixed: Vec<u8> = (0..len).map(|n| (n * 97 + n / 7) as u8).collect();
                for name in [mixed, vec![0xff; len]] {
                    assert_eq!(lanes(&name, point), plain(&name, point), "{len} {point}");
                }
            }
        }
    }
}
