//! The sparse form: runs of equal registers, in their order.
//!
//! | bits | a run of |
//! |---|---|
//! | `00nnnnnn` | n + 1 zeros |
//! | `01nnnnnn nnnnnnnn` | n + 1 zeros |
//! | `1vvvvvnn` | n + 1 registers of v + 1 |
//!
//! Which runs there are depends on the order in which registers were raised: neighbours are joined
//! only around the one that was raised last. Others read these bytes, so the order of steps in
//! [`raise`] is part of the format.

use smallvec::SmallVec;

use super::element::Register;
use super::estimate::Histogram;
use super::{Fault, REGISTERS};

/// A run of equal registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// What they are.
    pub rank: u8,
    /// How many there are.
    pub len: usize,
    /// How many bytes it takes: zeros have a short form and a long one.
    pub bytes: usize,
}

/// The longest run of zeros in one byte.
const SHORT_ZEROS_MAX: usize = 1 << 6;
/// The longest run of zeros in two.
const LONG_ZEROS_MAX: usize = 1 << 14;
/// The longest run of other registers.
const EQUAL_MAX: usize = 1 << 2;
/// The highest of them.
const RANK_MAX: u8 = 1 << 5;

const _: () = assert!(LONG_ZEROS_MAX >= REGISTERS);

/// What became of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raised {
    /// It was not lower.
    Not,
    /// It is raised.
    Done,
    /// The form cannot hold it, or not in so few bytes. Nothing happened.
    NoRoom,
}

/// The runs, up to one that is cut short.
pub(super) fn runs(body: &[u8]) -> impl Iterator<Item = Result<Run, Fault>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let run = first(rest);
        match run {
            Ok(run) => rest = &rest[run.bytes..],
            Err(_) => rest = &[],
        }
        Some(run)
    })
}

/// The first run. There is at least one byte.
#[inline]
fn first(body: &[u8]) -> Result<Run, Fault> {
    let byte = body[0];
    let low = usize::from(byte & 0x3f);
    Ok(match byte >> 6 {
        0 => Run {
            rank: 0,
            len: low + 1,
            bytes: 1,
        },
        1 => Run {
            rank: 0,
            len: (low << 8 | usize::from(*body.get(1).ok_or(Fault::Corrupted)?)) + 1,
            bytes: 2,
        },
        _ => Run {
            rank: (byte >> 2 & 0x1f) + 1,
            len: usize::from(byte & 3) + 1,
            bytes: 1,
        },
    })
}

/// How many registers have each rank.
pub(super) fn histogram(body: &[u8]) -> Result<Histogram, Fault> {
    let (mut counts, mut count) = ([0; 64], 0);
    for run in runs(body) {
        let run = run?;
        counts[usize::from(run.rank)] += run.len as u32;
        count += run.len;
        if count > REGISTERS {
            break;
        }
    }
    whole(count).map(|()| counts)
}

/// Raises registers to these where they are lower.
pub(super) fn merge_into(body: &[u8], registers: &mut [u8; REGISTERS]) -> Result<(), Fault> {
    let mut count = 0;
    for run in runs(body) {
        let run = run?;
        if run.rank > 0 {
            let place = registers.get_mut(count..count + run.len);
            let place = place.ok_or(Fault::Corrupted)?;
            place.iter_mut().for_each(|own| *own = run.rank.max(*own));
        }
        count += run.len;
        if count > REGISTERS {
            break;
        }
    }
    whole(count)
}

/// There are as many registers as there should be.
fn whole(count: usize) -> Result<(), Fault> {
    match count == REGISTERS {
        true => Ok(()),
        false => Err(Fault::Corrupted),
    }
}

/// A register.
pub(super) fn get(body: &[u8], index: usize) -> Result<u8, Fault> {
    find(body, index).map(|found| found.run.rank)
}

/// Where a register is.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Where the run before its own begins.
    before: usize,
    /// Where its run begins.
    at: usize,
    run: Run,
    /// How many registers of the run come before it.
    skipped: usize,
}

fn find(body: &[u8], index: usize) -> Result<Found, Fault> {
    let (mut before, mut at, mut skipped) = (0, 0, index);
    while at < body.len() {
        let run = first(&body[at..])?;
        if skipped < run.len {
            return Ok(Found {
                before,
                at,
                run,
                skipped,
            });
        }
        skipped -= run.len;
        before = at;
        at += run.bytes;
    }
    Err(Fault::Corrupted)
}

/// Raises a register of those behind `start`, unless the whole would have more than `bytes_max`
/// bytes.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    register: Register,
    bytes_max: usize,
) -> Result<Raised, Fault> {
    let rank = register.rank();
    if rank > RANK_MAX {
        return Ok(Raised::NoRoom);
    }
    let found = find(&bytes[start..], register.index())?;
    let Found { run, skipped, .. } = found;
    if run.rank >= rank {
        return Ok(Raised::Not);
    }
    let mut parts = SmallVec::<[u8; 8]>::new();
    push(run.rank, skipped, &mut parts);
    push(rank, 1, &mut parts);
    push(run.rank, run.len - skipped - 1, &mut parts);
    // The length before neighbours are joined is what counts.
    let longer = bytes.len() + parts.len() - run.bytes;
    if longer > bytes.len() && longer > bytes_max {
        return Ok(Raised::NoRoom);
    }
    let at = start + found.at;
    bytes.splice(at..at + run.bytes, parts);
    join(bytes, start + found.before);
    Ok(Raised::Done)
}

/// How many runs can have a new neighbour: the one that was split, in three, and one on each side.
const JOINED_RUNS: usize = 5;

/// Joins runs of equal registers, from a place on.
fn join(bytes: &mut Vec<u8>, from: usize) {
    let mut at = from;
    for _ in 0..JOINED_RUNS {
        let Some(Ok(run)) = bytes.get(at..).filter(|rest| !rest.is_empty()).map(first) else {
            return;
        };
        let next = at + run.bytes;
        let following = bytes.get(next..).filter(|rest| !rest.is_empty()).map(first);
        match following {
            Some(Ok(other))
                if run.rank > 0 && other.rank == run.rank && run.len + other.len <= EQUAL_MAX =>
            {
                bytes[at] = equal(run.rank, run.len + other.len);
                bytes.remove(next);
            }
            Some(_) | None => at = next,
        }
    }
}

/// Writes a run of equal registers, if there are any.
fn push(rank: u8, len: usize, into: &mut impl Extend<u8>) {
    match (rank, len) {
        (_, 0) => {}
        (0, _) => push_zeros(len, into),
        (_, _) => into.extend([equal(rank, len)]),
    }
}

/// Writes a run of zeros, at most as many as there are registers.
pub(super) fn push_zeros(len: usize, into: &mut impl Extend<u8>) {
    let n = len - 1;
    if len <= SHORT_ZEROS_MAX {
        into.extend([n as u8]);
    } else {
        into.extend([0x40 | (n >> 8) as u8, n as u8]);
    }
}

/// A run of registers that are not zero.
fn equal(rank: u8, len: usize) -> u8 {
    0x80 | (rank - 1) << 2 | (len - 1) as u8
}
