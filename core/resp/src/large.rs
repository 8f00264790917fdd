//! Large arguments: each has a buffer of its own, so that keeping one shares it instead of copying
//! it.

use triomphe::Arc;

use crate::rope::{Bytes, Kept};

/// The bytes of a large argument.
pub type Large = Arc<Vec<u8>>;

impl Bytes for Large {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn kept(&self) -> Kept {
        Kept {
            address: self.as_slice().as_ptr().addr(),
            bytes: self.capacity(),
            holders: Arc::strong_count(self),
        }
    }
}

/// The large argument, if it is one of these, whose bytes these are: at the same place, not just
/// the same.
pub fn find_large<'a>(larges: &'a [Large], bytes: &[u8]) -> Option<&'a Large> {
    larges
        .iter()
        .find(|large| std::ptr::eq(large.as_slice(), bytes))
}
