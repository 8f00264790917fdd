//! What a type of values knows of itself.

use crate::ahead::{Ahead, Sought};
use crate::value::Value;

/// The headings under which keys are counted by the sizes of their values, in Redis' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeKind {
    /// Strings by their bytes.
    Strings,
    /// Lists by their elements.
    Lists,
    /// Sets by their members.
    Sets,
    /// Sorted sets by their members.
    SortedSets,
    /// Hashes by their fields.
    Hashes,
}

impl SizeKind {
    /// All of them, in order.
    pub const ALL: [SizeKind; 5] = [
        SizeKind::Strings,
        SizeKind::Lists,
        SizeKind::Sets,
        SizeKind::SortedSets,
        SizeKind::Hashes,
    ];

    /// How `INFO keysizes` calls it.
    pub fn name(self) -> &'static str {
        match self {
            SizeKind::Strings => "strings_sizes",
            SizeKind::Lists => "lists_items",
            SizeKind::Sets => "sets_items",
            SizeKind::SortedSets => "zsets_items",
            SizeKind::Hashes => "hashes_items",
        }
    }
}

/// A type that the value of a key may be of.
pub trait Typed {
    /// The type's name, as `TYPE` answers it.
    const NAME: &'static str;

    /// The content of a value of this type.
    fn of(value: &Value) -> Option<&Self>;

    /// The same, to be changed. Copies what a frozen view shares of it.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;

    /// Under which heading `INFO keysizes` counts values of this type; `None` if it does not.
    const SIZE_KIND: Option<SizeKind> = None;

    /// The size by which they are counted there: bytes, or elements.
    #[inline]
    fn size(&self) -> usize {
        0
    }

    /// How it is kept under a key of this many bytes, as `OBJECT ENCODING` answers it.
    fn encoding(&self, key_len: usize) -> &'static str;

    /// Memory outside of the [`Value`] itself, in bytes; shared memory counts in full. About
    /// `samples` parts are looked at, all of them if that is 0.
    fn heap_bytes(&self, samples: usize) -> usize;

    /// About how many bytes are freed with it, estimated without a walk over its parts.
    fn weight(&self) -> usize;

    /// When something is due for it, in milliseconds since the epoch.
    fn next_deadline_ms(&self) -> Option<u64>;

    /// Returns whether its key is gone at this time because all parts of it have expired.
    #[inline]
    fn is_over(&self, _now_ms: u64) -> bool {
        false
    }

    /// Returns whether parts of it expire.
    #[inline]
    fn has_expiring_parts(&self) -> bool {
        false
    }

    /// Reads what a command on it will look at first.
    fn prefetch(&self);

    /// Where it has what a request looks for, if it is so large that a look ahead helps.
    #[inline]
    fn ahead<'v>(&'v self, _sought: Sought<'v>) -> Option<Ahead<'v>> {
        None
    }
}
