//! Names of keys, groups and the like as values of labels.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};

use crate::limits::LABEL_BYTES_MAX;

/// A name as text: bytes that are no UTF-8 are written as `\xff`, and a backslash is doubled, so
/// that different names stay different. A long one is cut, and a number made of all of it follows.
pub(super) fn of(name: &[u8]) -> String {
    let (head, is_cut) = match name.get(..LABEL_BYTES_MAX) {
        Some(head) if name.len() > LABEL_BYTES_MAX => (head, true),
        _ => (name, false),
    };
    let mut label = String::with_capacity(head.len());
    for chunk in head.utf8_chunks() {
        label.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            write!(label, "\\x{byte:02x}").ok();
        }
    }
    if is_cut {
        let mut hasher = DefaultHasher::new();
        hasher.write(name);
        write!(label, "\\…{:016x}", hasher.finish()).ok();
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_names_have_different_labels_of_bounded_length() {
        assert_eq!(of(b"orders"), "orders");
        assert_eq!(of("Übung".as_bytes()), "Übung");
        assert_eq!(of(b"a\xff"), "a\\xff");
        assert_eq!(of(b"a\\xff"), "a\\\\xff");
        let whole = vec![b'a'; LABEL_BYTES_MAX];
        assert_eq!(of(&whole).len(), LABEL_BYTES_MAX);
        let longer = [&whole[..], b"b"].concat();
        let other = [&whole[..], b"c"].concat();
        assert_ne!(of(&longer), of(&other));
        let longest = of(&vec![0xff; 1 << 20]);
        assert!(
            longest.len() < 4 * LABEL_BYTES_MAX + 24,
            "{}",
            longest.len()
        );
    }
}
