//! A key with 32 bits of its owner, in the room that short keys leave.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use triomphe::Arc;

use super::{Key, Repr};

/// A key, and a label that its owner changes, also where the key is shared.
#[derive(Debug)]
pub struct Labelled(Kept);

#[derive(Debug)]
enum Kept {
    Short {
        len: u8,
        bytes: [u8; SHORT_BYTES_MAX],
        label: AtomicU32,
    },
    Long {
        label: AtomicU32,
        bytes: Arc<[u8]>,
    },
    Shared {
        label: AtomicU32,
        bytes: Arc<Vec<u8>>,
    },
}

/// What fits beside tag, length and label in 24 bytes.
const SHORT_BYTES_MAX: usize = 18;

const _: () = assert!(size_of::<Labelled>() == 24);

impl Labelled {
    /// A key with its first label.
    #[inline]
    pub fn new(key: Key, label: u32) -> Labelled {
        let label = AtomicU32::new(label);
        Labelled(match key.0 {
            Repr::Short { len, bytes } => match bytes.split_first_chunk() {
                Some((first, _)) if usize::from(len) <= SHORT_BYTES_MAX => Kept::Short {
                    len,
                    bytes: *first,
                    label,
                },
                _ => Kept::Long {
                    label,
                    bytes: Arc::from(&bytes[..usize::from(len)]),
                },
            },
            Repr::Long(bytes) => Kept::Long { label, bytes },
            Repr::Shared(bytes) => Kept::Shared { label, bytes },
        })
    }

    /// The key, to be kept elsewhere without a copy of a long one.
    pub fn key(&self) -> Key {
        match &self.0 {
            Kept::Short { .. } => Key::from(&**self),
            Kept::Long { bytes, .. } => Key(Repr::Long(bytes.clone())),
            Kept::Shared { bytes, .. } => Key(Repr::Shared(bytes.clone())),
        }
    }

    /// The label.
    #[inline]
    pub fn label(&self) -> u32 {
        self.labelled().load(Ordering::Relaxed)
    }

    /// Changes the label.
    #[inline]
    pub fn set_label(&self, label: u32) {
        self.labelled().store(label, Ordering::Relaxed);
    }

    /// Memory outside of it, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Short { .. } => 0,
            Kept::Long { .. } | Kept::Shared { .. } => self.key().heap_bytes(),
        }
    }

    #[inline]
    fn labelled(&self) -> &AtomicU32 {
        match &self.0 {
            Kept::Short { label, .. } | Kept::Long { label, .. } | Kept::Shared { label, .. } => {
                label
            }
        }
    }
}

impl Clone for Labelled {
    fn clone(&self) -> Self {
        Labelled::new(self.key(), self.label())
    }
}

impl Deref for Labelled {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes, .. } => &bytes[..usize::from(*len).min(SHORT_BYTES_MAX)],
            Kept::Long { bytes, .. } => bytes,
            Kept::Shared { bytes, .. } => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stays_with_its_key_and_a_clone_has_its_own() {
        for len in 0..40 {
            let bytes = vec![b'k'; len];
            for key in [
                Key::from(bytes.as_slice()),
                Key::from_shared(Arc::new(bytes.clone())),
            ] {
                let labelled = Labelled::new(key.clone(), 7);
                assert_eq!((&*labelled, labelled.label()), (bytes.as_slice(), 7));
                assert_eq!(labelled.key(), key);
                let clone = labelled.clone();
                clone.set_label(8);
                assert_eq!((labelled.label(), clone.label()), (7, 8));
                assert_eq!(&*clone, bytes.as_slice());
            }
        }
    }

    #[test]
    fn a_key_of_18_bytes_needs_no_memory_of_its_own() {
        assert_eq!(Labelled::new(Key::from(&[b'k'; 18]), 0).heap_bytes(), 0);
        assert_eq!(Labelled::new(Key::from(&[b'k'; 19]), 0).heap_bytes(), 32);
    }
}
