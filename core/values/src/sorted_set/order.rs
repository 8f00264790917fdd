//! How a member lies among the others of its sorted set: behind its score.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | how many bytes of the score follow |
//! | 0 to 8 | the score as a double, the highest byte first, without zeros at its end |
//! | all others | the member |
//!
//! So a small integer takes a byte or two. Scores are compared as numbers: 0 and -0 are equal, and
//! then members decide. The bytes of a long member are shared with the map of scores, and what is
//! before them is apart.

use std::cmp::Ordering;

use collections::element::Shared;
use collections::sorted::{LongText, Order, Text};
use smallvec::SmallVec;

/// A member and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member<'a> {
    /// Its bytes.
    pub member: &'a [u8],
    /// Its score, which is never NaN.
    pub score: f64,
}

/// How many bytes say what score is before a member, at most.
pub(super) const HEAD_BYTES_MAX: usize = 1 + size_of::<f64>();

/// By score, then by member.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByScore;

impl Order for ByScore {
    type Point<'a> = Member<'a>;

    #[inline]
    fn point(text: &[u8]) -> Member<'_> {
        unpack(text)
    }

    #[inline]
    fn compare(text: Text<'_>, point: Member<'_>) -> Ordering {
        match text {
            Text::Whole(text) => {
                let one = unpack(text);
                compare((one.score, one.member), (point.score, point.member))
            }
            Text::Long(text) => compare_long(text, point),
        }
    }

    fn point_of_long(text: &LongText) -> Member<'_> {
        member_of(Text::Long(text))
    }

    fn head_len(text: &[u8]) -> usize {
        1 + text.first().map_or(0, |len| usize::from(*len))
    }
}

#[cold]
fn compare_long(text: &LongText, point: Member<'_>) -> Ordering {
    let Member { member, score } = member_of(Text::Long(text));
    // Mostly it is the one that is sought, which need not be read for that.
    if score == point.score && std::ptr::eq(member, point.member) {
        return Ordering::Equal;
    }
    compare((score, member), (point.score, point.member))
}

/// A long member behind its score.
pub(super) fn pack_long(score: f64, member: Shared) -> LongText {
    LongText::new(&pack(score, &[]), member)
}

/// The member and the score of a text.
#[inline]
pub(super) fn member_of(text: Text<'_>) -> Member<'_> {
    match text {
        Text::Whole(bytes) => unpack(bytes),
        Text::Long(text) => Member {
            member: text.rest(),
            score: unpack(text.head()).score,
        },
    }
}

/// Compares two members with their scores.
#[inline]
pub(super) fn compare(one: (f64, &[u8]), other: (f64, &[u8])) -> Ordering {
    match one.0.partial_cmp(&other.0) {
        Some(Ordering::Equal) | None => one.1.cmp(other.1),
        Some(order) => order,
    }
}

/// The bytes of a score that are kept.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    bytes: [u8; size_of::<f64>()],
    len: usize,
}

impl Packed {
    pub(super) fn of(score: f64) -> Packed {
        let bits = score.to_bits();
        let zeros = (bits.trailing_zeros() / u8::BITS) as usize;
        Packed {
            bytes: bits.to_be_bytes(),
            len: size_of::<f64>() - zeros,
        }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len.min(size_of::<f64>())]
    }
}

/// The score of these bytes.
#[inline]
pub(super) fn score_of(bytes: &[u8]) -> f64 {
    let mut all = [0; size_of::<f64>()];
    if let Some(head) = all.get_mut(..bytes.len()) {
        head.copy_from_slice(bytes);
    }
    f64::from_be_bytes(all)
}

/// A member behind its score.
pub(super) fn pack(score: f64, member: &[u8]) -> SmallVec<[u8; 96]> {
    let score = Packed::of(score);
    let mut text = SmallVec::with_capacity(HEAD_BYTES_MAX + member.len());
    text.push(score.len as u8);
    text.extend_from_slice(score.as_bytes());
    text.extend_from_slice(member);
    text
}

/// Puts the same behind other bytes.
pub(super) fn pack_into(score: f64, member: &[u8], bytes: &mut Vec<u8>) {
    let score = Packed::of(score);
    bytes.push(score.len as u8);
    bytes.extend_from_slice(score.as_bytes());
    bytes.extend_from_slice(member);
}

/// The member and the score of what [`pack`] has made.
#[inline]
fn unpack(text: &[u8]) -> Member<'_> {
    let Some((&len, rest)) = text.split_first() else {
        return Member {
            member: &[],
            score: 0.0,
        };
    };
    let len = usize::from(len);
    let (bytes, member) = rest.split_at_checked(len).unwrap_or((&[], rest));
    let score = match rest.first_chunk() {
        // One load for all of them; what is behind is cut off.
        Some(word) => {
            let cut = u64::BITS - u8::BITS * len as u32;
            let bits = u64::from_be_bytes(*word).checked_shr(cut).unwrap_or(0);
            f64::from_bits(bits.checked_shl(cut).unwrap_or(0))
        }
        None => score_of(bytes),
    };
    Member { member, score }
}
