//! The name of a key: bytes, short ones in place.
//!
//! A key is written once and compared often. Up to 22 bytes are stored in the key itself. A longer
//! one is shared, so that a clone for a frozen view or a waiter never copies bytes. One that came
//! as a large argument of a request shares the buffer into which it was received.

mod stamped;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use triomphe::Arc;

pub use stamped::{STAMP_MAX, Sought, Stamped, Timed};

use crate::page::allocated;

/// A key's bytes. Derefs to `[u8]`; equal, ordered and hashed as those.
#[derive(Clone)]
pub struct Key(Repr);

#[derive(Clone)]
enum Repr {
    Short {
        len: u8,
        bytes: [u8; SHORT_BYTES_MAX],
    },
    Long(Arc<[u8]>),
    /// A buffer that others have too.
    Shared(Arc<Vec<u8>>),
}

/// What fits beside the tag and the length in 24 bytes.
const SHORT_BYTES_MAX: usize = 22;

const _: () = assert!(size_of::<Key>() == 24 && size_of::<Option<Key>>() == 24);

impl Key {
    /// The key of a buffer that others have too, taken as it is: a large argument of a request.
    pub fn from_shared(bytes: Arc<Vec<u8>>) -> Key {
        Key(Repr::Shared(bytes))
    }

    /// Memory outside of the key itself, in bytes; shared memory counts in full.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Short { .. } => 0,
            Repr::Long(bytes) => allocated(size_of::<usize>() + bytes.len()),
            Repr::Shared(bytes) => {
                allocated(size_of::<usize>() + size_of::<Vec<u8>>()) + allocated(bytes.capacity())
            }
        }
    }
}

impl From<&[u8]> for Key {
    #[inline]
    fn from(bytes: &[u8]) -> Key {
        match u8::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= SHORT_BYTES_MAX => {
                let mut short = [0; SHORT_BYTES_MAX];
                short[..bytes.len()].copy_from_slice(bytes);
                Key(Repr::Short { len, bytes: short })
            }
            _ => Key(Repr::Long(Arc::from(bytes))),
        }
    }
}

impl<const N: usize> From<&[u8; N]> for Key {
    fn from(bytes: &[u8; N]) -> Key {
        Key::from(bytes.as_slice())
    }
}

impl Deref for Key {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Short { len, bytes } => &bytes[..usize::from(*len).min(SHORT_BYTES_MAX)],
            Repr::Long(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Key) -> bool {
        **self == **other
    }
}

impl Eq for Key {}

impl PartialEq<[u8]> for Key {
    #[inline]
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_of_22_bytes_needs_no_memory_of_its_own() {
        assert_eq!(Key::from(&[b'k'; 22]).heap_bytes(), 0);
        assert_eq!(Key::from(&[b'k'; 23]).heap_bytes(), 32);
        assert_eq!(&*Key::from(b""), b"");
    }

    #[test]
    fn a_clone_of_a_long_key_shares_its_bytes() {
        let key = Key::from(&[b'k'; 100]);
        let clone = key.clone();
        assert_eq!(key.as_ptr(), clone.as_ptr());
    }

    #[test]
    fn a_key_can_be_a_buffer_that_is_there() {
        let buffer = Arc::new(vec![b'k'; 100]);
        let key = Key::from_shared(buffer.clone());
        assert_eq!(key.as_ptr(), buffer.as_slice().as_ptr());
        assert_eq!(key, Key::from(&[b'k'; 100]));
        assert_eq!(key.heap_bytes(), 144);
    }

    proptest! {
        #[test]
        fn keys_compare_as_their_bytes(
            a in prop::collection::vec(0_u8..3, 0..40),
            b in prop::collection::vec(0_u8..3, 0..40),
        ) {
            let (left, right) = (Key::from(a.as_slice()), Key::from(b.as_slice()));
            prop_assert_eq!(&*left, a.as_slice());
            prop_assert_eq!(left == right, a == b);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }
    }
}
