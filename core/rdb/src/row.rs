//! A row of elements in one string: a listpack, or the ziplist that came before it.

use crate::error::Fault;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl Element<'_> {
    /// Calls `read` with the bytes.
    #[inline]
    pub(crate) fn with_bytes<R>(self, read: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Element::Integer(integer) => read(itoa::Buffer::new().format(integer).as_bytes()),
            Element::Bytes(bytes) => read(bytes),
        }
    }
}

/// What reads such a row from the first element to the last.
pub(crate) trait Row<'a> {
    /// The next element; `None` after the last.
    fn next(&mut self) -> Result<Option<Element<'a>>, Fault>;

    /// The next element, which must be there.
    #[inline]
    fn element(&mut self, expected: &'static str) -> Result<Element<'a>, Fault> {
        self.next()?.ok_or(Fault::Truncated { expected })
    }
}
