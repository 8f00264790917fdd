//! Bits of byte strings: bit 0 is the highest of the first byte, and what is beyond the end is
//! zero.

use engine::args::parse_i64;
use engine::error::{BitmapError, CmdError};
use engine::limits::STRING_BYTES_MAX;
use engine::store::apply::Store;
use engine::store::effect::{Effect, Event, StringChange};

/// Reads the place of a bit that a string may have under any setting.
pub(super) fn parse_offset(text: &[u8]) -> Result<u64, CmdError> {
    let offset = parse_i64(text).and_then(|offset| u64::try_from(offset).ok());
    check_offset(
        offset.ok_or(CmdError::Bitmap(BitmapError::BitOffset))?,
        STRING_BYTES_MAX,
    )
}

/// Checks that a string of at most this many bytes may have a bit there.
pub(super) fn check_offset(offset: u64, bytes_max: usize) -> Result<u64, CmdError> {
    if offset / 8 < bytes_max as u64 {
        Ok(offset)
    } else {
        Err(CmdError::Bitmap(BitmapError::BitOffset))
    }
}

/// The byte in which a bit lies.
pub(super) fn byte_of(offset: u64) -> usize {
    usize::try_from(offset / 8).unwrap_or(usize::MAX)
}

/// Up to 64 bits from an offset on, as a number whose lowest bit is the last of them.
pub(super) fn read(bytes: &[u8], offset: u64, len: u32) -> u64 {
    let (_, window) = window(bytes, offset, len);
    let shift = bits_behind(offset, len);
    let mask = (1_u128 << len) - 1;
    ((window >> shift) & mask) as u64
}

/// A few bytes that go over those of a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    first: usize,
    window: [u8; 16],
    count: usize,
}

impl Patch {
    /// Writes the bytes into the string of a key.
    pub(super) fn apply(&self, key: &[u8], event: &'static Event, store: &mut Store<'_>) {
        let set_range = StringChange::SetRange {
            offset: self.first as u32,
            value: self.bytes(),
        };
        store.apply(&Effect::on(key, set_range), event);
    }

    fn bytes(&self) -> &[u8] {
        &self.window[16 - self.count..]
    }
}

/// The bytes around up to 64 bits with those replaced.
pub(super) fn replaced(bytes: &[u8], offset: u64, len: u32, value: u64) -> Patch {
    let (first, window) = window(bytes, offset, len);
    let shift = bits_behind(offset, len);
    let mask = ((1_u128 << len) - 1) << shift;
    let window = (window & !mask) | ((u128::from(value) << shift) & mask);
    Patch {
        first,
        window: window.to_be_bytes(),
        count: window_bytes(offset, len),
    }
}

/// Returns how many bytes this many bits touch: 9 at most.
fn window_bytes(offset: u64, len: u32) -> usize {
    (offset % 8 + u64::from(len)).div_ceil(8) as usize
}

/// The first byte that the bits touch, and all of them as one number.
fn window(bytes: &[u8], offset: u64, len: u32) -> (usize, u128) {
    let first = byte_of(offset);
    let byte = |at: usize| u128::from(bytes.get(at).copied().unwrap_or(0));
    let window = (first..first + window_bytes(offset, len)).fold(0, |all, at| all << 8 | byte(at));
    (first, window)
}

/// Returns how many bits of the window come after those that are meant.
fn bits_behind(offset: u64, len: u32) -> u32 {
    window_bytes(offset, len) as u32 * 8 - (offset % 8) as u32 - len
}

/// Returns how many bits are set.
pub(super) fn count(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let ones = |ones: u64, more: u32| ones + u64::from(more);
    let in_words = words
        .iter()
        .map(|word| u64::from_be_bytes(*word).count_ones());
    let in_rest = rest.iter().map(|byte| byte.count_ones());
    in_words.chain(in_rest).fold(0, ones)
}

/// Returns where the first bit of a kind lies.
pub(super) fn position(bytes: &[u8], bit: bool) -> Option<u64> {
    let all_other = if bit { 0 } else { u8::MAX };
    let (words, _) = bytes.as_chunks::<8>();
    let skipped = words.iter().take_while(|word| **word == [all_other; 8]);
    let skipped = skipped.count() * 8;
    let rest = &bytes[skipped..];
    let at = skipped + rest.iter().position(|byte| *byte != all_other)?;
    let byte = bytes[at];
    let leading = if bit {
        byte.leading_zeros()
    } else {
        byte.leading_ones()
    };
    Some(at as u64 * 8 + u64::from(leading))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bit(bytes: &[u8], at: u64) -> u64 {
        let byte = bytes.get(byte_of(at)).copied().unwrap_or(0);
        u64::from(byte >> (7 - at % 8) & 1)
    }

    proptest! {
        #[test]
        fn bits_are_read_one_by_one(
            bytes in prop::collection::vec(any::<u8>(), 0..20),
            offset in 0_u64..200,
            len in 1_u32..=64,
        ) {
            let naive = (offset..offset + u64::from(len)).fold(0, |all, at| all << 1 | bit(&bytes, at));
            prop_assert_eq!(read(&bytes, offset, len), naive);
        }

        #[test]
        fn bits_around_the_replaced_ones_stay(
            bytes in prop::collection::vec(any::<u8>(), 30),
            offset in 0_u64..160,
            len in 1_u32..=64,
            value: u64,
        ) {
            let patch = replaced(&bytes, offset, len, value);
            let mut changed = bytes.clone();
            changed[patch.first..][..patch.count].copy_from_slice(patch.bytes());
            let mask = u64::MAX >> (64 - len);
            prop_assert_eq!(read(&changed, offset, len), value & mask);
            for at in (0..240).filter(|at| !(offset..offset + u64::from(len)).contains(at)) {
                prop_assert_eq!(bit(&changed, at), bit(&bytes, at));
            }
        }

        #[test]
        fn counting_and_finding_agree_with_single_bits(
            bytes in prop::collection::vec(prop_oneof![Just(0), Just(255), any::<u8>()], 0..40),
        ) {
            let len = bytes.len() as u64 * 8;
            prop_assert_eq!(count(&bytes), (0..len).map(|at| bit(&bytes, at)).sum::<u64>());
            for wanted in [false, true] {
                let first = (0..len).find(|at| bit(&bytes, *at) == u64::from(wanted));
                prop_assert_eq!(position(&bytes, wanted), first);
            }
        }
    }
}
