//! An element of a list, a set, a hash: bytes, as collections give them out.

use triomphe::Arc;

use crate::integer::parse_integer;

/// Room to format an integer in, for [`Element::as_bytes`].
pub type Scratch = itoa::Buffer;

/// Bytes that are kept in a piece of memory of their own, since they are many: a collection and a
/// reply refer to them without a copy.
pub type Shared = Arc<Vec<u8>>;

/// From this length on, bytes are kept as [`Shared`], so that a write to what is beside them does
/// not copy them.
pub const SHARED_BYTES_MIN: usize = 1 << 10;

/// An element as it is kept. The text of an integer is kept as the integer.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// Bytes that are not the canonical text of an integer.
    Text(&'a [u8]),
    /// The canonical text of an integer.
    Integer(i64),
    /// Many bytes.
    Shared(&'a Shared),
}

impl<'a> Element<'a> {
    /// The element that has these bytes.
    #[inline]
    pub fn of(bytes: &'a [u8]) -> Element<'a> {
        match parse_integer(bytes) {
            Some(integer) => Element::Integer(integer),
            None => Element::Text(bytes),
        }
    }

    /// The bytes; `scratch` holds them if they are the text of an integer.
    #[inline]
    pub fn as_bytes<'s>(&'s self, scratch: &'s mut Scratch) -> &'s [u8] {
        match self {
            Element::Text(bytes) => bytes,
            Element::Integer(integer) => scratch.format(*integer).as_bytes(),
            Element::Shared(bytes) => bytes,
        }
    }

    /// Calls `read` with the bytes.
    #[inline]
    pub fn with_bytes<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        read(self.as_bytes(&mut Scratch::new()))
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }

    /// The integer whose canonical text this is.
    #[inline]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Element::Integer(integer) => Some(*integer),
            Element::Text(_) | Element::Shared(_) => None,
        }
    }

    /// The number of bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Element::Text(bytes) => bytes.len(),
            Element::Integer(integer) => {
                let digits = integer.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
                digits as usize + usize::from(*integer < 0)
            }
            Element::Shared(bytes) => bytes.len(),
        }
    }

    /// Returns whether there are no bytes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PartialEq for Element<'_> {
    #[inline]
    fn eq(&self, other: &Element<'_>) -> bool {
        if let (Element::Integer(one), Element::Integer(other)) = (self, other) {
            return one == other;
        }
        self.as_bytes(&mut Scratch::new()) == other.as_bytes(&mut Scratch::new())
    }
}

impl Eq for Element<'_> {}

/// The first bytes of an element, as a number that is in the same order: most of many elements
/// differ in it, and then they need not be looked at to be compared.
pub fn head(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut head = [0; size_of::<u64>()];
            head[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(head)
        }
    }
}
