//! What `PFSELFTEST` tests on the machine that it runs on: that both forms keep what was added, and
//! that estimates are as near to the truth as the algorithm promises.

use std::fmt;

use super::{Fault, HyperLogLog, REGISTERS, Register, Registers, SparseBytesMax};
use super::{dense, empty, make_dense, raise};

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// A register of the dense form is not what it was raised to.
    Register {
        /// Its number.
        index: usize,
        /// What it was raised to.
        raised_to: u8,
        /// What it is.
        found: u8,
    },
    /// The two forms have different registers after the same additions.
    Forms {
        /// After how many.
        added: u32,
    },
    /// An estimate is too far from the truth.
    Estimate {
        /// How many elements there are.
        added: u32,
        /// How many were estimated.
        estimate: u64,
    },
    /// A HyperLogLog that was made here is none.
    Made(Fault),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Register {
                index,
                raised_to,
                found,
            } => write!(f, "register {index} should be {raised_to} but is {found}"),
            Failed::Forms { added } => {
                write!(f, "dense and sparse forms differ after {added} elements")
            }
            Failed::Estimate { added, estimate } => {
                write!(f, "{added} elements were estimated as {estimate}")
            }
            Failed::Made(fault) => write!(f, "what was made is not whole: {fault:?}"),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Failed {
        Failed::Made(fault)
    }
}

/// How many elements are added. That takes some milliseconds.
const ELEMENTS: u32 = 100_000;

/// How far an estimate may be from the truth, as a part of it: about seven standard errors. For the
/// seed that the format has, the elements are always the same.
const ERROR_MAX: f64 = 0.06;

/// Tests the two forms and the estimator.
///
/// # Errors
/// The first thing that does not hold.
pub fn self_test() -> Result<(), Failed> {
    test_registers()?;
    let (mut sparse, mut dense) = (empty(), empty());
    make_dense(&mut dense)?;
    let mut next_check = 1;
    for added in 1..=ELEMENTS {
        let register = Register::of(&added.to_le_bytes());
        raise(&mut dense, register, SparseBytesMax::NONE)?;
        if added <= ELEMENTS / 100 {
            raise(&mut sparse, register, SparseBytesMax::NONE)?;
        }
        if added == next_check {
            next_check *= 10;
            if added <= ELEMENTS / 100 && ranks(&sparse)? != ranks(&dense)? {
                return Err(Failed::Forms { added });
            }
            let estimate = HyperLogLog::of(&dense)?.estimate()?;
            let distance = estimate as f64 - f64::from(added);
            if distance.abs() > (f64::from(added) * ERROR_MAX).ceil() {
                return Err(Failed::Estimate { added, estimate });
            }
        }
    }
    Ok(())
}

/// Each register keeps each value beside neighbours that have others.
fn test_registers() -> Result<(), Failed> {
    let mut body = vec![0; dense::BYTES];
    for step in 1..=super::element::RANK_MAX {
        for index in 0..REGISTERS {
            let raised_to = step.saturating_sub((index % 7) as u8);
            dense::raise(&mut body, Register::new(index as u16, raised_to));
            let found = dense::get(&body, index);
            if found != raised_to {
                return Err(Failed::Register {
                    index,
                    raised_to,
                    found,
                });
            }
        }
    }
    Ok(())
}

fn ranks(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut registers = Registers::new();
    HyperLogLog::of(bytes)?.merge_into(&mut registers)?;
    Ok(registers.ranks().collect())
}
