//! Long patterns over long texts: all places of a part are tried at once, with one bit for each.
//!
//! Trying them one by one takes time in proportion to pattern times text, which is seconds for
//! twenty thousand letters over a name of 200 KB. With 64 places to a word it takes a hundredth,
//! and a set of letters is read once.

use super::{Letters, fold, set_items};

/// What one byte must be: a bit for each, letters folded if their case does not matter.
type Element = [u64; 4];

/// The same as [`super::matches`].
pub(super) fn matches(pattern: &[u8], text: &[u8], letters: Letters) -> bool {
    let parts = parts(pattern, letters);
    let [first, rest @ ..] = &parts[..] else {
        return text.is_empty();
    };
    let Some((last, middle)) = rest.split_last() else {
        return first.len() == text.len() && fits(first, text, letters);
    };
    let Some(inner) = text.len().checked_sub(first.len() + last.len()) else {
        return false;
    };
    let (head, tail) = text.split_at(first.len());
    let (mut body, foot) = tail.split_at(inner);
    if !fits(first, head, letters) || !fits(last, foot, letters) {
        return false;
    }
    for part in middle.iter().filter(|part| !part.is_empty()) {
        let Some(end) = first_end(part, body, letters) else {
            return false;
        };
        body = &body[end..];
    }
    true
}

/// The parts of a pattern between its stars.
fn parts(pattern: &[u8], letters: Letters) -> Vec<Vec<Element>> {
    let mut parts = vec![Vec::new()];
    let mut at = 0;
    while let Some((byte, rest)) = pattern.get(at..).and_then(<[u8]>::split_first) {
        at += 1;
        let mut element = [0; 4];
        match (byte, rest) {
            (b'*', _) => {
                parts.push(Vec::new());
                continue;
            }
            (b'?', _) => element = [u64::MAX; 4],
            (b'[', set) => {
                let mut add =
                    |low: u8, high: u8| (low..=high).for_each(|byte| put(&mut element, byte));
                let (len, negated) = set_items(set, letters, &mut add);
                if negated {
                    element = element.map(|word| !word);
                }
                at += len;
            }
            (b'\\', [escaped, ..]) => {
                put(&mut element, fold(*escaped, letters));
                at += 1;
            }
            (plain, _) => put(&mut element, fold(*plain, letters)),
        }
        if let Some(part) = parts.last_mut() {
            part.push(element);
        }
    }
    parts
}

fn put(element: &mut Element, byte: u8) {
    element[usize::from(byte >> 6)] |= 1 << (byte & 63);
}

fn has(element: &Element, byte: u8) -> bool {
    element[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

/// Returns whether bytes fit as many elements.
fn fits(part: &[Element], text: &[u8], letters: Letters) -> bool {
    let mut both = part.iter().zip(text);
    both.all(|(element, byte)| has(element, fold(*byte, letters)))
}

/// Returns where the first place ends at which a part fits.
fn first_end(part: &[Element], text: &[u8], letters: Letters) -> Option<usize> {
    let words = part.len().div_ceil(64);
    // For each byte, a bit for each element that it fits.
    let mut fitting = vec![0_u64; 256 * words];
    for (at, element) in part.iter().enumerate() {
        for byte in (0..=u8::MAX).filter(|byte| has(element, *byte)) {
            fitting[usize::from(byte) * words + at / 64] |= 1 << (at % 64);
        }
    }
    // A bit for each element: whether all up to it fit the bytes before this one.
    let mut begun = vec![0_u64; words];
    let last_bit = (part.len() - 1) % 64;
    for (at, byte) in text.iter().enumerate() {
        let fitting = &fitting[usize::from(fold(*byte, letters)) * words..][..words];
        let mut carry = 1;
        for (word, fitting) in begun.iter_mut().zip(fitting) {
            let next = *word >> 63;
            *word = (*word << 1 | carry) & fitting;
            carry = next;
        }
        if begun[words - 1] >> last_bit & 1 == 1 {
            return Some(at + 1);
        }
    }
    None
}
