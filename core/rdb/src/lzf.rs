//! LZF, the compression of long strings.
//!
//! A compressed string is a row of segments, told apart by the top three bits of the first byte:
//!
//! | first byte | then | meaning |
//! |---|---|---|
//! | `000nnnnn` | n + 1 bytes | these bytes |
//! | `lllooooo` (l from 1 to 6) | `oooooooo` | l + 2 bytes again, from o + 1 bytes back |
//! | `111ooooo` | `llllllll` `oooooooo` | l + 9 bytes again, from o + 1 bytes back |
//!
//! A repetition may reach into what it makes itself. The length of the whole is kept elsewhere.

/// The bytes cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// How far back a repetition can reach, in bytes.
const DISTANCE_MAX: usize = 1 << 13;
const LITERAL_MAX: usize = 1 << 5;
const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = (1 << 8) + 8;

/// No three bytes unpack to more than this; a length beyond that is a lie.
pub(crate) const RATIO_MAX: usize = MATCH_MAX / 3;

/// Unpacks `packed` to `out`, which must become exactly `len` bytes longer.
pub(crate) fn unpack(packed: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), Damaged> {
    if len.div_ceil(RATIO_MAX) > packed.len() {
        return Err(Damaged);
    }
    let start = out.len();
    out.resize(start.saturating_add(len).saturating_add(SLACK), 0);
    let unpacked = fill(packed, len, out.get_mut(start..).unwrap_or_default());
    out.truncate(start + len);
    unpacked
}

/// Room after the end, so that short copies can all have the same length.
const SLACK: usize = LITERAL_MAX;

/// Unpacks `packed` to the first `len` bytes of `out`, which has [`SLACK`] more.
fn fill(packed: &[u8], len: usize, out: &mut [u8]) -> Result<(), Damaged> {
    let mut at = 0;
    let mut rest = packed;
    while let [control, tail @ ..] = rest {
        let control = usize::from(*control);
        if control < LITERAL_MAX {
            let literal_len = control + 1;
            if literal_len > len - at {
                return Err(Damaged);
            }
            let to = out.get_mut(at..).ok_or(Damaged)?;
            match (tail.first_chunk::<LITERAL_MAX>(), to.first_chunk_mut()) {
                (Some(from), Some(to)) => *to = *from,
                _ => {
                    let from = tail.get(..literal_len).ok_or(Damaged)?;
                    to.get_mut(..literal_len)
                        .ok_or(Damaged)?
                        .copy_from_slice(from);
                }
            }
            at += literal_len;
            rest = tail.get(literal_len..).ok_or(Damaged)?;
            continue;
        }
        let (match_len, low, tail) = match (control >> 5, tail) {
            (7, [more, low, tail @ ..]) => (usize::from(*more) + 9, low, tail),
            (short @ 1..=6, [low, tail @ ..]) => (short + 2, low, tail),
            _ => return Err(Damaged),
        };
        let distance = ((control & 0x1f) << 8 | usize::from(*low)) + 1;
        if distance > at || match_len > len - at {
            return Err(Damaged);
        }
        repeat(out, at, distance, match_len);
        at += match_len;
        rest = tail;
    }
    if at == len { Ok(()) } else { Err(Damaged) }
}

/// Writes `len` bytes at `at` that begin `distance` back; what is copied grows where they overlap.
#[inline]
fn repeat(out: &mut [u8], at: usize, distance: usize, len: usize) {
    const BLOCK: usize = 16;
    let Some(out) = out.get_mut(at - distance..at + len + BLOCK) else {
        return;
    };
    // Whole blocks, if none of them needs bytes that it makes itself.
    let step = if distance >= BLOCK { BLOCK } else { 1 };
    let mut done = 0;
    while done < len {
        let (from, to) = out.split_at_mut(distance + done);
        if step == 1 {
            if let (Some(from), Some(to)) = (from.get(done), to.first_mut()) {
                *to = *from;
            }
        } else if let (Some(from), Some(to)) = (
            from.get(done..).and_then(<[u8]>::first_chunk::<BLOCK>),
            to.first_chunk_mut::<BLOCK>(),
        ) {
            *to = *from;
        }
        done += step;
    }
}

/// Packs strings, and keeps its table from one to the next.
#[derive(Debug)]
pub(crate) struct Packer {
    /// Where three bytes with this hash were seen last, as `base` + position; 0 for never.
    seen: Box<[u32; 1 << TABLE_BITS]>,
    /// Added to positions, so that what an earlier string left in the table is too far back to be
    /// used.
    base: u32,
}

const TABLE_BITS: u32 = 13;

impl Packer {
    pub(crate) fn new() -> Packer {
        Packer {
            seen: Box::new([0; 1 << TABLE_BITS]),
            base: 1,
        }
    }

    /// Packs `bytes` to the end of `out` if that takes at most `limit` bytes. If not, `out` is as
    /// before.
    pub(crate) fn pack(&mut self, bytes: &[u8], limit: usize, out: &mut Vec<u8>) -> Packed {
        let Some(base) = self.claim(bytes.len()) else {
            return Packed::No;
        };
        let start = out.len();
        let mut literal = bytes;
        let mut at = 0;
        while let Some(&[a, b, c]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let position = base + at as u32;
            #[expect(
                clippy::indexing_slicing,
                reason = "`slot_of` has as many bits as the table"
            )]
            let slot = &mut self.seen[slot_of(a, b, c)];
            let distance = (position - std::mem::replace(slot, position).min(position)) as usize;
            let match_len = match distance {
                1..=DISTANCE_MAX if distance <= at => matching(bytes, at - distance, at),
                _ => 0,
            };
            if match_len < MATCH_MIN {
                at += 1;
                continue;
            }
            let (before, after) = literal.split_at(literal.len() - (bytes.len() - at));
            push_literals(out, before);
            push_match(out, distance, match_len);
            if out.len() - start > limit {
                out.truncate(start);
                return Packed::No;
            }
            literal = after.get(match_len..).unwrap_or_default();
            at += match_len;
        }
        push_literals(out, literal);
        if out.len() - start > limit {
            out.truncate(start);
            return Packed::No;
        }
        Packed::Yes
    }

    /// A base from which positions up to `len` are free; `None` if the string is too long to count.
    fn claim(&mut self, len: usize) -> Option<u32> {
        let step = u32::try_from(len + DISTANCE_MAX).ok()?;
        let next = match self.base.checked_add(step) {
            Some(next) => next,
            None => {
                self.seen.fill(0);
                self.base = 1;
                self.base.checked_add(step)?
            }
        };
        Some(std::mem::replace(&mut self.base, next))
    }
}

/// The result of packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    Yes,
    No,
}

#[inline]
fn slot_of(a: u8, b: u8, c: u8) -> usize {
    let bytes = u32::from_le_bytes([a, b, c, 0]);
    (bytes.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// Returns how many bytes from `at` on are as those from `from` on.
#[inline]
fn matching(bytes: &[u8], from: usize, at: usize) -> usize {
    let (Some(earlier), Some(later)) = (bytes.get(from..), bytes.get(at..)) else {
        return 0;
    };
    let later = later.get(..MATCH_MAX).unwrap_or(later);
    let mut len = 0;
    let eights = earlier
        .as_chunks::<8>()
        .0
        .iter()
        .zip(later.as_chunks::<8>().0);
    for (a, b) in eights {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return len + differing.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let tails = earlier.iter().zip(later).skip(len);
    len + tails.take_while(|(a, b)| a == b).count()
}

fn push_literals(out: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(LITERAL_MAX) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

fn push_match(out: &mut Vec<u8>, distance: usize, len: usize) {
    let offset = distance - 1;
    let high = (offset >> 8) as u8;
    let low = offset as u8;
    if len < 9 {
        out.extend_from_slice(&[((len - 2) as u8) << 5 | high, low]);
    } else {
        out.extend_from_slice(&[7 << 5 | high, (len - 9) as u8, low]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(packer: &mut Packer, bytes: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        assert_eq!(packer.pack(bytes, usize::MAX, &mut out), Packed::Yes);
        out.split_off(6)
    }

    #[test]
    fn a_thousand_equal_bytes_unpack_from_what_redis_made_of_them() {
        let packed = [
            0x01, 0x61, 0x61, 0xe0, 0xff, 0x00, 0xe0, 0xff, 0x00, 0xe0, 0xff, 0x00, 0xe0, 0xc3,
            0x00, 0x01, 0x61, 0x61,
        ];
        let mut out = Vec::new();
        unpack(&packed, 1000, &mut out).unwrap();
        assert_eq!(out, [b'a'; 1000]);
    }

    #[test]
    fn what_does_not_get_short_enough_is_left_alone() {
        let mut out = Vec::new();
        assert_eq!(
            Packer::new().pack(b"abcdefghijklmnop", 15, &mut out),
            Packed::No
        );
        assert!(out.is_empty());
    }

    #[test]
    fn a_length_that_so_few_bytes_cannot_give_is_refused_before_memory_is_reserved() {
        let mut out = Vec::new();
        assert_eq!(
            unpack(&[0xe0, 0xff, 0x00], usize::MAX, &mut out),
            Err(Damaged)
        );
        assert_eq!(out.capacity(), 0);
    }

    #[test]
    fn the_table_is_cleared_before_positions_overflow() {
        let mut packer = Packer::new();
        packer.base = u32::MAX - 10;
        let bytes = [b'x'; 300];
        let packed = pack(&mut packer, &bytes);
        let mut out = Vec::new();
        unpack(&packed, 300, &mut out).unwrap();
        assert_eq!(out, bytes);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_packed_unpacks_to_the_same(
            strings in prop::collection::vec(prop::collection::vec(0_u8..4, 0..2000), 1..4),
            gap in 0_usize..10_000,
        ) {
            let mut packer = Packer::new();
            for mut bytes in strings {
                // A repetition that is at, or just beyond, the reach.
                let copy = bytes.clone();
                bytes.extend((0..gap).map(|i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]));
                bytes.extend(copy);
                let packed = pack(&mut packer, &bytes);
                let mut out = Vec::new();
                prop_assert_eq!(unpack(&packed, bytes.len(), &mut out), Ok(()));
                prop_assert!(out == bytes);
                prop_assert_eq!(unpack(&packed, bytes.len() + 1, &mut Vec::new()), Err(Damaged));
            }
        }

        #[test]
        fn arbitrary_bytes_are_unpacked_or_refused(
            packed in prop::collection::vec(any::<u8>(), 0..200),
            len in 0_usize..5000,
        ) {
            let mut out = Vec::new();
            if unpack(&packed, len, &mut out).is_ok() {
                prop_assert_eq!(out.len(), len);
            }
        }
    }
}
