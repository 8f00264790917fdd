//! The dense form: six bits for each register, the lowest bits of a byte first.

use super::REGISTERS;
use super::element::{RANK_MAX, Register};
use super::estimate::{Histogram, Registers};

/// How many bytes the registers take.
pub(super) const BYTES: usize = REGISTERS * BITS / 8;

const BITS: usize = 6;
const MASK: u32 = (1 << BITS) - 1;

const _: () = assert!(RANK_MAX as u32 <= MASK && REGISTERS.is_multiple_of(4));

/// A register.
pub(super) fn get(body: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    // The last register ends with the last byte.
    let high = body.get(at + 1).copied().unwrap_or(0);
    let pair = u32::from(body[at]) | u32::from(high) << 8;
    ((pair >> shift) & MASK) as u8
}

/// Raises a register, and returns whether it was lower.
pub(super) fn raise(body: &mut [u8], register: Register) -> bool {
    let (index, rank) = (register.index(), register.rank());
    let old = get(body, index);
    if old >= rank {
        return false;
    }
    let (at, shift) = place(index);
    // The bits in which the old value and the new one differ.
    let change = u32::from(old ^ rank) << shift;
    body[at] ^= change as u8;
    if let Some(high) = body.get_mut(at + 1) {
        *high ^= (change >> 8) as u8;
    }
    true
}

/// How many registers have each rank.
pub(super) fn histogram(body: &[u8]) -> Histogram {
    // Equal registers often follow one another; to count each in the same place would make it wait
    // for the one before it.
    let mut counts = [[0_u32; 1 << BITS]; 4];
    for three in body.as_chunks::<3>().0 {
        for (counts, rank) in counts.iter_mut().zip(four(*three)) {
            counts[usize::from(rank)] += 1;
        }
    }
    let [mut sum, others @ ..] = counts;
    for counts in others {
        sum.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    sum
}

/// Raises registers to these where they are lower.
pub(super) fn merge_into(body: &[u8], registers: &mut [u8; REGISTERS]) {
    // Spread out first, so that many are compared at once.
    let mut spread = [0; SPREAD];
    for (registers, packed) in registers
        .chunks_mut(SPREAD)
        .zip(body.chunks(SPREAD * BITS / 8))
    {
        let groups = spread.as_chunks_mut::<8>().0;
        for (eight, six) in groups.iter_mut().zip(packed.as_chunks::<6>().0) {
            *eight = eight_of(*six);
        }
        for (register, rank) in registers.iter_mut().zip(spread) {
            *register = rank.max(*register);
        }
    }
}

/// How many registers are spread out at a time.
const SPREAD: usize = 128;

const _: () = assert!(REGISTERS.is_multiple_of(SPREAD) && SPREAD.is_multiple_of(8));

/// The eight registers of six bytes: halves move apart until each has a byte.
#[inline]
fn eight_of([a, b, c, d, e, f]: [u8; 6]) -> [u8; 8] {
    let all = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    let fours = all & 0x00ff_ffff | (all & 0xffff_ff00_0000) << 8;
    let twos = fours & 0x0000_0fff_0000_0fff | (fours & 0x00ff_f000_00ff_f000) << 4;
    let ones = twos & 0x003f_003f_003f_003f | (twos & 0x0fc0_0fc0_0fc0_0fc0) << 2;
    ones.to_le_bytes()
}

/// Raises these to registers where they are lower.
pub(super) fn raise_all(body: &mut [u8], registers: &Registers) {
    let groups = registers.all().as_chunks::<4>().0;
    for (three, group) in body.as_chunks_mut::<3>().0.iter_mut().zip(groups) {
        let mut bits = 0;
        for (at, (rank, own)) in group.iter().zip(four(*three)).enumerate() {
            bits |= u32::from(own.max(*rank)) << (at * BITS);
        }
        let [a, b, c, _] = bits.to_le_bytes();
        *three = [a, b, c];
    }
}

/// The byte that a register begins in, and at which of its bits.
fn place(index: usize) -> (usize, usize) {
    let bit = index * BITS;
    (bit / 8, bit % 8)
}

/// The four registers of three bytes.
#[inline]
fn four([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_le_bytes([a, b, c, 0]);
    [0, BITS, 2 * BITS, 3 * BITS].map(|shift| ((bits >> shift) & MASK) as u8)
}
