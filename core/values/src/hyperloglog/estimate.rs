//! From registers to an estimate: how many elements make registers look like this.
//!
//! The estimator is that of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
//! sketches" (2017), section 4: it needs no tables and no cases. It looks only at how many
//! registers have each rank. The order of operations on floating-point numbers is a part of it,
//! since the same registers have to give the same estimate as in Redis.

use super::REGISTERS;
use super::element::{RANK_MAX, Register};

/// How many registers have each rank.
pub(super) type Histogram = [u32; 64];

/// Registers by their number, one byte each: what several HyperLogLogs have together.
#[derive(Debug)]
pub struct Registers(Box<[u8; REGISTERS]>);

impl Registers {
    /// All of them zero.
    pub fn new() -> Registers {
        Registers(Box::new([0; REGISTERS]))
    }

    /// Adds an element.
    pub fn add(&mut self, element: &[u8]) {
        let register = Register::of(element);
        if let Some(rank) = self.0.get_mut(register.index()) {
            *rank = (*rank).max(register.rank());
        }
    }

    /// How many different elements raise registers like this.
    pub fn estimate(&self) -> u64 {
        let mut counts = [[0_u32; 256]; 4];
        for group in self.0.as_chunks::<4>().0 {
            for (counts, rank) in counts.iter_mut().zip(group) {
                counts[usize::from(*rank)] += 1;
            }
        }
        let mut histogram = [0; 64];
        for (rank, sum) in histogram.iter_mut().enumerate() {
            *sum = counts.iter().map(|counts| counts[rank]).sum();
        }
        of(&histogram)
    }

    /// Each rank, in the order of the registers.
    pub fn ranks(&self) -> impl ExactSizeIterator<Item = u8> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn all(&self) -> &[u8; REGISTERS] {
        &self.0
    }

    pub(super) fn all_mut(&mut self) -> &mut [u8; REGISTERS] {
        &mut self.0
    }

    /// Those that are not zero, in their order.
    pub(super) fn raised(&self) -> impl Iterator<Item = Register> + '_ {
        let all = (0..).zip(self.0.iter());
        let raised = all.filter(|(_, rank)| **rank > 0);
        raised.map(|(index, rank)| Register::new(index, *rank))
    }
}

impl Default for Registers {
    fn default() -> Registers {
        Registers::new()
    }
}

/// How many different elements there were, by how many registers have each rank.
pub(super) fn of(histogram: &Histogram) -> u64 {
    const COUNT: f64 = REGISTERS as f64;
    /// 1 / (2 ln 2): the correction for infinitely many registers.
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let q = usize::from(RANK_MAX) - 1;
    let at = |rank: usize| f64::from(histogram[rank]);
    let mut sum = COUNT * tau((COUNT - at(q + 1)) / COUNT);
    for rank in (1..=q).rev() {
        sum = (sum + at(rank)) * 0.5;
    }
    sum += COUNT * sigma(at(0) / COUNT);
    (ALPHA * COUNT * COUNT / sum).round() as u64
}

/// The part of registers that are zero: x + x² 1 + x⁴ 2 + x⁸ 4 + …
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * power;
        power += power;
        if sum == before {
            return sum;
        }
    }
}

/// The part of registers that are as high as they can be.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut power, mut rest) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = rest;
        power *= 0.5;
        rest -= (1.0 - x).powi(2) * power;
        if rest == before {
            return rest / 3.0;
        }
    }
}
