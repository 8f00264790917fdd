//! The keys of a database by the sizes of their values, as `INFO keysizes` counts them.
//!
//! They are counted where records come and go, and where a value is changed in place
//! ([`super::Keyspace::resized`]), so that nobody has to walk over all keys. Within a class, a
//! value may grow and shrink as it likes.

use values::{SizeKind, Value};

/// Sizes from a power of two up to the next one are one class, and 0 is another. The last has what
/// is beyond.
const CLASSES: usize = 48;

/// How many keys have values of which sizes: the classes of each kind in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes([u64; CLASSES * SizeKind::ALL.len()]);

/// The place of a value's size among those that are counted; beyond them, if its type is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SizeClass(usize);

impl SizeClass {
    #[inline]
    pub(crate) fn of(value: &Value) -> SizeClass {
        match value.size() {
            Some((kind, size)) => SizeClass::of_size(kind, size),
            None => SizeClass(usize::MAX),
        }
    }

    /// That of a value of this kind and size.
    #[inline]
    pub(crate) fn of_size(kind: SizeKind, size: usize) -> SizeClass {
        let class = (usize::BITS - size.leading_zeros()) as usize;
        SizeClass(kind as usize * CLASSES + class.min(CLASSES - 1))
    }
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes([0; CLASSES * SizeKind::ALL.len()])
    }
}

impl Sizes {
    /// The sizes of these values.
    pub fn of<'v>(values: impl Iterator<Item = &'v Value>) -> Sizes {
        let mut sizes = Sizes::default();
        values.for_each(|value| sizes.add(SizeClass::of(value)));
        sizes
    }

    #[inline]
    pub(super) fn add(&mut self, class: SizeClass) {
        if let Some(count) = self.0.get_mut(class.0) {
            *count += 1;
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, class: SizeClass) {
        if let Some(count) = self.0.get_mut(class.0) {
            debug_assert!(*count > 0, "a change in place was not counted");
            *count = count.saturating_sub(1);
        }
    }

    /// The classes of a kind that have keys: the least size of each, and the number of keys.
    pub fn classes(&self, kind: SizeKind) -> impl Iterator<Item = (u64, u64)> {
        let first = kind as usize * CLASSES;
        let counts = self.0[first..first + CLASSES].iter().enumerate();
        let least = |class: usize| class.checked_sub(1).map_or(0, |power| 1 << power);
        counts
            .filter(|(_, count)| **count > 0)
            .map(move |(class, count)| (least(class), *count))
    }
}

#[cfg(test)]
mod tests {
    use values::StringValue;

    use super::*;

    #[test]
    fn a_power_of_two_begins_a_class_and_there_are_classes_enough() {
        let sizes = [0, 1, 2, 3, 4, 7, 8, 1023, 1024];
        let values = sizes.map(|size| Value::from(StringValue::from_text(&vec![b'x'; size])));
        let sizes = Sizes::of(values.iter());
        let classes: Vec<_> = sizes.classes(SizeKind::Strings).collect();
        let expected = [(0, 1), (1, 1), (2, 2), (4, 2), (8, 1), (512, 1), (1024, 1)];
        assert_eq!(classes, expected);
        assert_eq!(sizes.classes(SizeKind::Hashes).count(), 0);
        const { assert!(1 << (CLASSES - 2) > crate::limits::STRING_BYTES_MAX) };
    }
}
