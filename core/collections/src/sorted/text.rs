//! A text as it is kept: the bytes of a short one lie in a page; a long one has a head of its own,
//! and its other bytes are shared.

use smallvec::SmallVec;
use triomphe::Arc;

use crate::element::Shared;
use crate::key::Key;
use crate::packed::Long;
use crate::page::allocated;

/// A text of an order.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// All of its bytes.
    Whole(&'a [u8]),
    /// A long one.
    Long(&'a LongText),
}

impl Text<'_> {
    /// A copy of its bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Text::Whole(bytes) => bytes.to_vec(),
            Text::Long(text) => [text.head(), text.rest()].concat(),
        }
    }
}

/// How long heads usually are.
const HEAD_BYTES: usize = 16;

/// A text of many bytes. The memory of all but its head is that of whoever shares it.
#[derive(Clone, Debug)]
pub struct LongText {
    head: SmallVec<[u8; HEAD_BYTES]>,
    rest: Shared,
}

impl LongText {
    /// One that begins with this head.
    pub fn new(head: &[u8], rest: Shared) -> LongText {
        let head = SmallVec::from_slice(head);
        LongText { head, rest }
    }

    /// Its first bytes.
    #[inline]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes behind its head.
    #[inline]
    pub fn rest(&self) -> &Shared {
        &self.rest
    }
}

impl Long for Arc<LongText> {
    fn len(&self) -> usize {
        self.head.len()
    }

    fn heap_bytes(&self) -> usize {
        allocated(size_of::<usize>() + size_of::<LongText>())
    }
}

/// Where a run of texts begins, or began: the bound of a node outlives the text that it is made of.
#[derive(Clone)]
pub(super) enum Bound {
    Short(Key),
    Long(Arc<LongText>),
}

// A node reads many of them.
const _: () = assert!(size_of::<Bound>() == size_of::<Key>());

impl Bound {
    /// At a text of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Bound {
        Bound::Short(Key::from(bytes))
    }

    #[inline]
    pub(super) fn text(&self) -> Text<'_> {
        match self {
            Bound::Short(key) => Text::Whole(key),
            Bound::Long(text) => Text::Long(text),
        }
    }
}
