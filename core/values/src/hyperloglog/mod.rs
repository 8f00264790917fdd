//! HyperLogLogs, which are strings: Redis' bytes, read and changed in place.
//!
//! A HyperLogLog estimates how many different elements were added. It has 16,384 registers. An
//! element is hashed ([`Register::of`]); a part of the hash names a register, which keeps the
//! longest run of zeros that the rest of any hash began with ([`estimate`]).
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `HYLL` |
//! | 4 | 1 | how registers are kept: 0 dense, 1 sparse |
//! | 5 | 3 | not used, kept as they are |
//! | 8 | 8 | the last estimate, little-endian; no longer true if its highest bit is set |
//! | 16 | | the registers: dense ([`dense`]), or sparse ([`sparse`]) |
//!
//! Clients can read these bytes (`GET`, `DUMP`) and write them (`SET`), so they are the same as in
//! Redis to the last bit, and nothing in them is trusted.

mod dense;
mod element;
mod estimate;
mod self_test;
mod sparse;

pub use element::Register;
pub use estimate::Registers;
pub use self_test::{Failed, self_test};
pub use sparse::Run;

/// The length of the header.
const HEADER_BYTES: usize = 16;

/// The length of a dense HyperLogLog.
const DENSE_BYTES: usize = HEADER_BYTES + dense::BYTES;

/// How many registers there are.
pub const REGISTERS: usize = 1 << 14;

/// Where the estimate is.
pub const ESTIMATE_OFFSET: usize = 8;

/// The byte with the bit that says that the estimate is no longer true.
const STALE_OFFSET: usize = 15;
const STALE: u8 = 0x80;

const MAGIC: &[u8] = b"HYLL";
const DENSE: u8 = 0;
const SPARSE: u8 = 1;

/// How registers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Six bits for each.
    Dense,
    /// Runs of equal ones.
    Sparse,
}

/// What is wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They are no HyperLogLog.
    NotOne,
    /// They begin like one, but do not have all registers, or too many.
    Corrupted,
}

/// How long a sparse HyperLogLog may become by an addition (`hll-sparse-max-bytes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SparseBytesMax(pub usize);

impl SparseBytesMax {
    /// Only what the sparse form cannot hold makes it dense.
    pub const NONE: SparseBytesMax = SparseBytesMax(usize::MAX);
}

/// The bytes of a HyperLogLog, as they are in a string.
#[derive(Debug, Clone, Copy)]
pub struct HyperLogLog<'a> {
    header: &'a [u8],
    form: Form,
    body: &'a [u8],
}

impl<'a> HyperLogLog<'a> {
    /// Looks at the header of a string.
    ///
    /// # Errors
    /// [`Fault::NotOne`].
    pub fn of(bytes: &'a [u8]) -> Result<HyperLogLog<'a>, Fault> {
        if !bytes.starts_with(MAGIC) {
            return Err(Fault::NotOne);
        }
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(Fault::NotOne)?;
        let form = match header[MAGIC.len()] {
            DENSE if body.len() == dense::BYTES => Form::Dense,
            SPARSE => Form::Sparse,
            _ => return Err(Fault::NotOne),
        };
        Ok(HyperLogLog { header, form, body })
    }

    /// How registers are kept.
    pub fn form(self) -> Form {
        self.form
    }

    /// The estimate that was kept, if it is still true.
    pub fn kept_estimate(self) -> Option<u64> {
        let kept = self.header[ESTIMATE_OFFSET..].first_chunk().copied();
        let kept = kept.map(u64::from_le_bytes)?;
        (self.header[STALE_OFFSET] & STALE == 0).then_some(kept)
    }

    /// How many different elements there were, from the registers.
    ///
    /// # Errors
    /// [`Fault::Corrupted`].
    pub fn estimate(self) -> Result<u64, Fault> {
        let histogram = match self.form {
            Form::Dense => dense::histogram(self.body),
            Form::Sparse => sparse::histogram(self.body)?,
        };
        Ok(estimate::of(&histogram))
    }

    /// Raises registers to those of this one where they are lower.
    ///
    /// # Errors
    /// [`Fault::Corrupted`]; some may have been raised.
    pub fn merge_into(self, registers: &mut Registers) -> Result<(), Fault> {
        match self.form {
            Form::Dense => dense::merge_into(self.body, registers.all_mut()),
            Form::Sparse => sparse::merge_into(self.body, registers.all_mut())?,
        }
        Ok(())
    }

    /// Returns whether adding to these registers would raise none. Sparse ones are looked at only
    /// up to the register.
    ///
    /// # Errors
    /// [`Fault::Corrupted`]: the register is not there.
    pub fn has(self, register: Register) -> Result<bool, Fault> {
        let rank = match self.form {
            Form::Dense => dense::get(self.body, register.index()),
            Form::Sparse => sparse::get(self.body, register.index())?,
        };
        Ok(rank >= register.rank())
    }

    /// The runs of the sparse form, whether they are all there or not (`PFDEBUG DECODE`).
    pub fn runs(self) -> impl Iterator<Item = Run> {
        let body = match self.form {
            Form::Dense => &[],
            Form::Sparse => self.body,
        };
        sparse::runs(body).map_while(Result::ok)
    }
}

/// A HyperLogLog without elements, sparse.
pub fn empty() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 8);
    bytes.extend_from_slice(MAGIC);
    bytes.resize(HEADER_BYTES, 0);
    bytes[MAGIC.len()] = SPARSE;
    bytes[STALE_OFFSET] = STALE;
    sparse::push_zeros(REGISTERS, &mut bytes);
    bytes
}

/// Raises a register, and returns whether it was lower. The estimate is kept as it is: see
/// [`make_stale`]. What is sparse becomes dense if the register cannot be written in that form, or
/// takes more bytes than allowed.
///
/// # Errors
/// What is wrong with the bytes, which stay as they were.
pub fn raise(
    bytes: &mut Vec<u8>,
    register: Register,
    sparse_bytes_max: SparseBytesMax,
) -> Result<bool, Fault> {
    if HyperLogLog::of(bytes)?.form == Form::Sparse {
        match sparse::raise(bytes, HEADER_BYTES, register, sparse_bytes_max.0)? {
            sparse::Raised::Not => return Ok(false),
            sparse::Raised::Done => return Ok(true),
            sparse::Raised::NoRoom => make_dense(bytes)?,
        }
    }
    Ok(dense::raise(&mut bytes[HEADER_BYTES..], register))
}

/// Raises registers, all in their order.
///
/// # Errors
/// See [`raise`].
pub fn raise_all(
    bytes: &mut Vec<u8>,
    registers: &Registers,
    sparse_bytes_max: SparseBytesMax,
) -> Result<(), Fault> {
    for register in registers.raised() {
        if HyperLogLog::of(bytes)?.form == Form::Dense {
            break;
        }
        raise(bytes, register, sparse_bytes_max)?;
    }
    if HyperLogLog::of(bytes)?.form == Form::Dense {
        dense::raise_all(&mut bytes[HEADER_BYTES..], registers);
    }
    Ok(())
}

/// Makes a sparse HyperLogLog dense. Header and registers stay what they are.
///
/// # Errors
/// What is wrong with the bytes, which stay as they were.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let old = HyperLogLog::of(bytes)?;
    if old.form == Form::Dense {
        return Ok(());
    }
    let mut registers = Registers::new();
    old.merge_into(&mut registers)?;
    bytes.truncate(HEADER_BYTES);
    bytes[MAGIC.len()] = DENSE;
    bytes.resize(DENSE_BYTES, 0);
    dense::raise_all(&mut bytes[HEADER_BYTES..], &registers);
    Ok(())
}

/// Notes that the estimate is no longer true. Nothing happens to bytes that are no HyperLogLog.
pub fn make_stale(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(STALE_OFFSET) {
        *byte |= STALE;
    }
}

#[cfg(test)]
mod tests;
