//! The string value: an integer, a few bytes in place, or bytes on the heap.
//!
//! 16 bytes. What a client sets is kept exact in size; the first
//! change in place makes it what Redis calls `raw`: a growing buffer, or if it is short and
//! overwritten, bytes of just its size.
//! A frozen view shares heap bytes, and the first change after it copies them once. The caller
//! checks limits on length, since only it knows the setting.

use std::fmt;
use std::hint::black_box;
use std::ops::Range;

use triomphe::{Arc, ThinArc};

use crate::typed::{SizeKind, Typed};
use crate::value::Value;
use collections::{BOXED_BYTES_MAX, Boxed, allocated, parse_integer};

/// A string's bytes. Equal if the bytes are, however they are kept.
#[derive(Clone)]
pub struct StringValue(Repr);

#[derive(Clone)]
enum Repr {
    /// The bytes are the canonical text of this number.
    Integer(i64),
    Short {
        len: u8,
        bytes: [u8; SHORT_BYTES_MAX],
    },
    /// As set, and short enough for a clone to copy it; if marked, overwritten in part at least
    /// once.
    Boxed(Boxed),
    /// As set, one allocation of just the right size.
    Exact(ThinArc<(), u8>),
    /// Changed in place at least once; has room to grow.
    Growing(Arc<Vec<u8>>),
}

/// What fits beside the tag and the length in 16 bytes.
const SHORT_BYTES_MAX: usize = 14;

/// From this length on, a growing string does not double its room.
const LARGE_BYTES: usize = 1 << 20;

/// How long key and string together may be for Redis to keep them in one piece. Clients see it in
/// `OBJECT ENCODING`.
const EMBEDDED_BYTES_MAX: usize = 41;

const _: () = assert!(size_of::<StringValue>() == 16 && size_of::<Option<StringValue>>() == 16);

/// Room to format an integer in, for [`StringValue::as_bytes`].
pub type Scratch = itoa::Buffer;

/// How a string is kept, as far as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As a number.
    Int,
    /// In one piece, never changed in place.
    Embstr,
    /// On its own.
    Raw,
}

impl Encoding {
    /// The name that `OBJECT ENCODING` answers.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Int => "int",
            Encoding::Embstr => "embstr",
            Encoding::Raw => "raw",
        }
    }
}

impl StringValue {
    /// The string of these bytes, kept as a number if they are a number's canonical text.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> StringValue {
        match parse_integer(bytes) {
            Some(value) => StringValue::from_integer(value),
            None => StringValue::from_text(bytes),
        }
    }

    /// The string of these bytes, never kept as a number (the result of `INCRBYFLOAT`).
    #[inline]
    pub fn from_text(bytes: &[u8]) -> StringValue {
        match u8::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= SHORT_BYTES_MAX => {
                let mut short = [0; SHORT_BYTES_MAX];
                short[..bytes.len()].copy_from_slice(bytes);
                StringValue(Repr::Short { len, bytes: short })
            }
            _ if bytes.len() <= BOXED_BYTES_MAX => StringValue(Repr::Boxed(Boxed::of(bytes))),
            _ => StringValue(Repr::Exact(ThinArc::from_header_and_slice((), bytes))),
        }
    }

    /// The string of a buffer, taken as it is (the result of `BITOP`).
    pub fn from_buffer(bytes: Vec<u8>) -> StringValue {
        StringValue::from_shared(Arc::new(bytes))
    }

    /// The string of a buffer that others have too, taken as it is: a large argument of a request.
    pub fn from_shared(bytes: Arc<Vec<u8>>) -> StringValue {
        StringValue(Repr::Growing(bytes))
    }

    /// The canonical text of a number.
    #[inline]
    pub fn from_integer(value: i64) -> StringValue {
        StringValue(Repr::Integer(value))
    }

    /// Becomes the canonical text of a number (`INCR`, `DECRBY`, …).
    #[inline]
    pub fn set_integer(&mut self, value: i64) {
        self.0 = Repr::Integer(value);
    }

    /// Adds bytes at the end. Amortised O(length of `tail`) unless a frozen view shares the string.
    pub fn append(&mut self, tail: &[u8]) {
        self.edit_with_room(tail.len()).extend_from_slice(tail);
    }

    /// Overwrites from `offset` on with `patch`; a gap before `offset` is filled with zero bytes.
    /// An empty `patch` changes nothing, as in `SETRANGE`.
    pub fn set_range(&mut self, offset: usize, patch: &[u8]) {
        if patch.is_empty() {
            return;
        }
        let end = offset.saturating_add(patch.len());
        if end <= BOXED_BYTES_MAX
            && let Some(bytes) = self.edit_short(end)
        {
            bytes[offset..end].copy_from_slice(patch);
            return;
        }
        let bytes = self.edit_up_to(end);
        bytes[offset..end].copy_from_slice(patch);
    }

    /// Puts these bytes in the place of all others, as a change in place.
    pub fn put(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Repr::Boxed(old) if old.is_marked() && old.len() == bytes.len() => {
                old.bytes_mut().copy_from_slice(bytes);
            }
            Repr::Growing(..) => {
                let buffer = self.edit();
                buffer.clear();
                buffer.extend_from_slice(bytes);
            }
            _ if bytes.len() <= BOXED_BYTES_MAX => self.0 = Repr::Boxed(Boxed::of(bytes).marked()),
            Repr::Integer(_) | Repr::Short { .. } | Repr::Boxed(_) | Repr::Exact(_) => {
                self.0 = Repr::Growing(Arc::new(bytes.to_vec()));
            }
        }
    }

    /// The bytes as a growing buffer, unshared, for changes in place (`SETBIT`, `BITFIELD`).
    pub fn edit(&mut self) -> &mut Vec<u8> {
        self.edit_with_room(0)
    }

    /// The bytes; `scratch` holds them if the string is kept as a number.
    #[inline]
    pub fn as_bytes<'a>(&'a self, scratch: &'a mut Scratch) -> &'a [u8] {
        match &self.0 {
            Repr::Integer(value) => scratch.format(*value).as_bytes(),
            Repr::Short { len, bytes } => &bytes[..usize::from(*len).min(SHORT_BYTES_MAX)],
            Repr::Boxed(bytes) => bytes.bytes(),
            Repr::Exact(bytes) => &bytes.slice,
            Repr::Growing(bytes) => bytes,
        }
    }

    /// Calls `read` with the bytes.
    #[inline]
    pub fn with_bytes<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        read(self.as_bytes(&mut Scratch::new()))
    }

    /// The bytes, if they are where a clone of the string shares them.
    #[inline]
    pub fn heap(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Integer(_) | Repr::Short { .. } | Repr::Boxed(_) => None,
            Repr::Exact(bytes) => Some(&bytes.slice),
            Repr::Growing(bytes) => Some(bytes),
        }
    }

    /// How many strings share the bytes on the heap, this one included.
    pub fn holders(&self) -> usize {
        match &self.0 {
            Repr::Integer(_) | Repr::Short { .. } | Repr::Boxed(_) => 1,
            Repr::Exact(bytes) => ThinArc::strong_count(bytes),
            Repr::Growing(bytes) => Arc::strong_count(bytes),
        }
    }

    /// Returns where the bytes are from `start` to `end`, both included; a negative position counts
    /// from the end (-1 is the last byte), and positions beyond an end are moved to it. That is
    /// `GETRANGE`.
    pub fn range(&self, start: i64, end: i64) -> Range<usize> {
        let len = i64::try_from(self.len()).unwrap_or(i64::MAX);
        // Two negative positions in the wrong order are empty before either is moved to the start.
        if start < 0 && end < 0 && start > end {
            return 0..0;
        }
        let from_start = |position: i64| match position {
            0.. => position,
            _ => position.saturating_add(len).max(0),
        };
        let (start, end) = (from_start(start), from_start(end).min(len - 1));
        match (usize::try_from(start), usize::try_from(end)) {
            (Ok(start), Ok(end)) if start <= end => start..end + 1,
            _ => 0..0,
        }
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }

    /// The number whose canonical text this is.
    #[inline]
    pub fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Repr::Integer(value) => Some(*value),
            Repr::Short { .. } | Repr::Boxed(_) | Repr::Exact(_) | Repr::Growing(_) => {
                self.with_bytes(parse_integer)
            }
        }
    }

    /// The length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Integer(value) => {
                let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
                digits as usize + usize::from(*value < 0)
            }
            Repr::Short { len, .. } => usize::from(*len),
            Repr::Boxed(bytes) => bytes.len(),
            Repr::Exact(bytes) => bytes.slice.len(),
            Repr::Growing(bytes) => bytes.len(),
        }
    }

    /// Returns whether the string has no bytes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how Redis would keep the string under a key of this many bytes.
    pub fn encoding(&self, key_len: usize) -> Encoding {
        match &self.0 {
            Repr::Integer(_) => Encoding::Int,
            Repr::Boxed(bytes) if bytes.is_marked() => Encoding::Raw,
            Repr::Short { .. } | Repr::Boxed(_) | Repr::Exact(_)
                if key_len.saturating_add(self.len()) <= EMBEDDED_BYTES_MAX =>
            {
                Encoding::Embstr
            }
            Repr::Short { .. } | Repr::Boxed(_) | Repr::Exact(_) | Repr::Growing(_) => {
                Encoding::Raw
            }
        }
    }

    /// Memory outside of the value itself, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Integer(_) | Repr::Short { .. } => 0,
            Repr::Boxed(bytes) => bytes.heap_bytes(),
            Repr::Exact(bytes) => allocated(2 * size_of::<usize>() + bytes.slice.len()),
            Repr::Growing(bytes) => {
                allocated(size_of::<usize>() + size_of::<Vec<u8>>()) + allocated(bytes.capacity())
            }
        }
    }

    /// How much new memory a change of the bytes up to `end` fills with a copy of the string; 0 if
    /// it changes in place, or becomes so much longer that most of that memory is zeros.
    pub fn bytes_to_copy(&self, end: usize) -> usize {
        let len = self.len();
        if end / 2 >= len || self.has_room_up_to(end) {
            return 0;
        }
        match end.saturating_sub(len) {
            0 => len,
            more => len.saturating_add(room_for(len, more)),
        }
    }

    /// Moves the bytes into other memory, which then belongs to the string, and returns the string
    /// as it was. Nothing is moved if they do not fit in, and the memory is returned as an empty
    /// string.
    #[must_use]
    pub fn move_to(&mut self, mut memory: Vec<u8>) -> StringValue {
        memory.clear();
        let fits = memory.capacity() >= self.len();
        if fits {
            self.with_bytes(|bytes| memory.extend_from_slice(bytes));
        }
        let mut other = StringValue::from_buffer(memory);
        if fits {
            std::mem::swap(self, &mut other);
        }
        other
    }

    fn has_room_up_to(&self, end: usize) -> bool {
        matches!(&self.0, Repr::Growing(bytes) if bytes.is_unique() && bytes.capacity() >= end)
    }

    /// The bytes at their own size, with zeros up to `end` if there were fewer, if they are short
    /// and no growing buffer.
    fn edit_short(&mut self, end: usize) -> Option<&mut [u8]> {
        let len = self.len();
        if matches!(self.0, Repr::Growing(..)) || len > BOXED_BYTES_MAX {
            return None;
        }
        let is_patched = matches!(&self.0, Repr::Boxed(bytes) if bytes.is_marked());
        if !is_patched || len < end {
            let mut patched = [0; BOXED_BYTES_MAX];
            self.with_bytes(|bytes| patched[..len].copy_from_slice(bytes));
            self.0 = Repr::Boxed(Boxed::of(&patched[..len.max(end)]).marked());
        }
        match &mut self.0 {
            Repr::Boxed(bytes) => Some(bytes.bytes_mut()),
            Repr::Integer(_) | Repr::Short { .. } | Repr::Exact(_) | Repr::Growing(_) => None,
        }
    }

    /// The bytes as a growing buffer that no one shares, with zeros up to `end` if it was shorter.
    fn edit_up_to(&mut self, end: usize) -> &mut Vec<u8> {
        let len = self.len();
        if end >= LARGE_BYTES && end / 2 >= len {
            // Mostly zeros: the system gives pages of them when they are first touched, so that
            // nobody waits until all are written. What is added next, which is little as a rule,
            // finds room.
            let mut longer = vec![0; end.saturating_add(LARGE_BYTES)];
            longer.truncate(end);
            self.with_bytes(|bytes| longer[..len].copy_from_slice(bytes));
            self.0 = Repr::Growing(Arc::new(longer));
        }
        let bytes = self.edit_with_room(end.saturating_sub(self.len()));
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes
    }

    /// The bytes as a growing buffer that no one shares, with room for `more` bytes.
    fn edit_with_room(&mut self, more: usize) -> &mut Vec<u8> {
        let unshared = matches!(&self.0, Repr::Growing(bytes) if bytes.is_unique());
        if !unshared {
            let len = self.len();
            let room = match more {
                0 => 0,
                _ => room_for(len, more),
            };
            let mut copy = Vec::with_capacity(len.saturating_add(room));
            self.with_bytes(|bytes| copy.extend_from_slice(bytes));
            self.0 = Repr::Growing(Arc::new(copy));
        }
        let Repr::Growing(bytes) = &mut self.0 else {
            unreachable!("made a growing buffer just above")
        };
        let bytes = Arc::make_mut(bytes);
        if bytes.len() >= LARGE_BYTES && bytes.capacity() - bytes.len() < more {
            bytes.reserve_exact(room_for(bytes.len(), more));
        }
        bytes
    }
}

/// How much to reserve behind a string of `len` bytes that is about to get `more`.
fn room_for(len: usize, more: usize) -> usize {
    if len < LARGE_BYTES {
        return more;
    }
    // An allocator can mostly extend a large piece a little in place, but it cannot double it
    // without copying all of it. Memory that is reserved and not written takes no pages, and what
    // is added next, which is little as a rule, finds room.
    more.saturating_add(LARGE_BYTES).max(len / 8)
}

impl Typed for StringValue {
    const NAME: &'static str = "string";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::Strings);

    #[inline]
    fn of(value: &Value) -> Option<&StringValue> {
        if let Value::String(_, string) = value {
            Some(string)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut StringValue> {
        if let Value::String(_, string) = value {
            Some(string)
        } else {
            None
        }
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    fn encoding(&self, key_len: usize) -> &'static str {
        self.encoding(key_len).name()
    }

    fn heap_bytes(&self, _: usize) -> usize {
        self.heap_bytes()
    }

    #[inline]
    fn weight(&self) -> usize {
        self.heap_bytes()
    }

    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self) {
        let ends = |bytes: &[u8]| (bytes.first().copied(), bytes.last().copied());
        black_box(self.with_bytes(ends));
    }
}

impl Default for StringValue {
    /// The empty string.
    fn default() -> StringValue {
        StringValue::from_text(b"")
    }
}

impl From<&[u8]> for StringValue {
    #[inline]
    fn from(bytes: &[u8]) -> StringValue {
        StringValue::from_bytes(bytes)
    }
}

impl PartialEq for StringValue {
    fn eq(&self, other: &StringValue) -> bool {
        self.as_bytes(&mut Scratch::new()) == other.as_bytes(&mut Scratch::new())
    }
}

impl Eq for StringValue {}

impl fmt::Debug for StringValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_bytes(|bytes| {
            write!(
                f,
                "\"{}\" ({})",
                bytes.escape_ascii(),
                self.encoding(0).name()
            )
        })
    }
}

#[cfg(test)]
mod tests;
