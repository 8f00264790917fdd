//! The idempotent ID that `XADD … IDMPAUTO` derives from what is appended.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

/// How many bytes a fingerprint has.
pub const FINGERPRINT_BYTES: usize = 16;

/// Makes a message of `n` pairs differ from one of `m` beyond what the pairs themselves say.
const PAIR_COUNT_FACTOR: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

/// The fingerprint of the fields and values of one message (alternating, as XADD takes them).
///
/// Two messages have the same fingerprint if they consist of the same pairs, in any order; each
/// pair counts as often as it occurs. A field name is hashed to 64 bits, which seed the 128-bit
/// hash of its value (both XXH3), so `ab c` and `a bc` have nothing in common; the hashes of the
/// pairs are added modulo 2^128, and a sum, unlike an exclusive or, does not lose a pair that
/// occurs twice.
///
/// `key` is mixed into every hash. It has to be the same wherever the same stream is written, after
/// a restart and on every replica, or remembered fingerprints would not be found again.
///
/// **How far to trust it.** Messages that nobody chose in order to collide do so with a probability
/// of about 2^-128 for two messages with the same field names, 2^-64 for two whose names differ
/// (the name's hash decides); a producer remembers at most 10,000 of them. XXH3 is not a
/// cryptographic hash: for messages of 17 to 240 bytes it multiplies the message with a secret, and
/// somebody who knows the secret can choose bytes that make a product zero and the rest irrelevant;
/// adding pairs is linear as well. So where `key` is public, someone who chooses the payloads can
/// make two *different* messages of one producer count as the same, and the later one is taken for
/// a duplicate: they can suppress messages of a producer that they share with others. With a secret
/// `key` the best known attack needs some 2^27 tries for one such pair, in a window of at most
/// 10,000 messages. If you cannot rely on that, give each origin a producer of its own, or name the
/// iid (`IDMP`). A cryptographic hash would cost more than the whole append.
pub fn fingerprint<'a>(
    pairs: impl IntoIterator<Item = &'a [u8]>,
    key: u64,
) -> [u8; FINGERPRINT_BYTES] {
    let mut arguments = pairs.into_iter();
    let mut sum = 0_u128;
    let mut pair_count = 0_u128;
    while let Some(field) = arguments.next() {
        // A last field without a value (XADD refuses that) counts as one with an empty value.
        let value = arguments.next().unwrap_or_default();
        sum = sum.wrapping_add(xxh3_128_with_seed(value, xxh3_64_with_seed(field, key)));
        pair_count += 1;
    }
    sum.wrapping_add(pair_count.wrapping_mul(PAIR_COUNT_FACTOR))
        .to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(text: &str) -> [u8; FINGERPRINT_BYTES] {
        fingerprint(text.split(' ').map(str::as_bytes), 0)
    }

    #[test]
    fn the_order_of_pairs_does_not_matter() {
        assert_eq!(of("a 1 b 2 c 3"), of("c 3 a 1 b 2"));
        assert_eq!(of("a 1 a 2"), of("a 2 a 1"));
    }

    #[test]
    fn different_multisets_of_pairs_differ() {
        let messages = [
            "a 1",
            "a 2",
            "1 a",
            "b 1",
            "a 1 a 1",
            "a 1 a 1 a 1",
            "a 1 b 2",
            "a 2 b 1",
            "a b 1 2",
            "ab c",
            "a bc",
            " abc",
            "abc ",
            "a 1 a 1 b 2",
            "a 1 b 2 b 2",
            "b 2 b 2",
            "b 2",
            "a 1 a 1 b 2 b 2",
            " ",
            "   ",
            "a 1 1 a",
        ];
        let distinct: BTreeSet<_> = messages.iter().map(|text| of(text)).collect();
        assert_eq!(distinct.len(), messages.len());
    }

    #[test]
    fn every_byte_of_every_length_counts() {
        let long = [7_u8; 2_000];
        let mut distinct = BTreeSet::new();
        let mut count = 0;
        for len in (0..300).chain([500, 1_024, 2_000]) {
            for value in [&long[..len], &[&long[..len], b"x"].concat()] {
                for pair in [[b"f", value], [value, b"f"]] {
                    distinct.insert(fingerprint(pair, 3));
                    count += 1;
                }
            }
        }
        assert_eq!(distinct.len(), count);
    }

    #[test]
    fn the_key_changes_it_and_releases_do_not() {
        let pairs = ["field", "value", "other", "thing"].map(str::as_bytes);
        assert_ne!(fingerprint(pairs, 0), fingerprint(pairs, 1));
        // Remembered fingerprints are stored: a change of this number forgets them all.
        assert_eq!(
            u128::from_le_bytes(fingerprint(pairs, 0)),
            230_456_361_247_433_299_436_029_319_552_700_266_228
        );
    }
}
