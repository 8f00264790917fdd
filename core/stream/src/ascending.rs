//! Lists of IDs, as clients send them, in the order of IDs.

use crate::StreamId;

/// The IDs in ascending order, each with its place in the list. An ID that comes twice keeps the
/// order of its places.
///
/// A list has fewer IDs than there are numbers of 32 bits, as a request does.
pub fn ascending(ids: &[StreamId]) -> Vec<(StreamId, u32)> {
    let numbered = ids.iter().copied().zip(0..);
    if ids.is_sorted() {
        return numbered.collect();
    }
    if let Some(mut words) = words(ids) {
        words.sort_unstable();
        let place_bits = bits(ids.len() as u64);
        let places = words
            .into_iter()
            .map(|word| word & !(u64::MAX << place_bits));
        return places
            .map(|place| (ids[place as usize], place as u32))
            .collect();
    }
    let mut numbered: Vec<_> = numbered.collect();
    numbered.sort_by_key(|(id, _)| *id);
    numbered
}

/// Each ID and its place as one number, which sorts several times as fast; `None` if the IDs are
/// too far apart for that.
fn words(ids: &[StreamId]) -> Option<Vec<u64>> {
    let (mut low, mut high) = (*ids.first()?, StreamId::MIN);
    for id in ids {
        (low.ms, low.seq) = (low.ms.min(id.ms), low.seq.min(id.seq));
        (high.ms, high.seq) = (high.ms.max(id.ms), high.seq.max(id.seq));
    }
    let place_bits = bits(ids.len() as u64);
    let time_shift = place_bits + bits(high.seq - low.seq);
    if time_shift + bits(high.ms - low.ms) > u64::BITS {
        return None;
    }
    let word = |(id, place): (&StreamId, u64)| {
        let time = (id.ms - low.ms).checked_shl(time_shift).unwrap_or(0);
        time | (id.seq - low.seq) << place_bits | place
    };
    Some(ids.iter().zip(0..).map(word).collect())
}

/// How many bits a number takes.
fn bits(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_sorted_and_keep_their_places(
            parts in prop::collection::vec((any::<u64>(), any::<u64>()), 0..300),
            ms_shift in prop_oneof![Just(0_u32), Just(30), Just(63)],
            seq_shift in prop_oneof![Just(0_u32), Just(45), Just(62)],
        ) {
            let id = |(ms, seq): (u64, u64)| StreamId::new(ms >> ms_shift, seq >> seq_shift);
            let ids: Vec<StreamId> = parts.into_iter().map(id).collect();
            let mut expected: Vec<(StreamId, u32)> = ids.iter().copied().zip(0..).collect();
            expected.sort_unstable();
            prop_assert_eq!(ascending(&ids), expected);
        }
    }

    #[test]
    fn ids_at_both_ends_are_sorted() {
        let ids = [StreamId::MAX, StreamId::MIN, StreamId::MAX];
        let expected = [(StreamId::MIN, 1), (StreamId::MAX, 0), (StreamId::MAX, 2)];
        assert_eq!(ascending(&ids), expected);
        let far = [StreamId::new(7, u64::MAX >> 2), StreamId::new(7, 0)];
        assert_eq!(ascending(&far), [(far[1], 1), (far[0], 0)]);
    }
}
