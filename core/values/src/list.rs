//! The list value: elements in the order of their places.
//!
//! A [`Sequence`] with one thing more: a list that Redis would keep as a listpack says so, whatever
//! it is kept in here ([`Thresholds`]). For that it knows how long the listpack would be. Redis
//! goes back to a listpack when all is in one node of a quicklist and is half of what it may be.
//! Nodes of Redis are not known here; all elements together count instead.

use collections::element::Shared;
use collections::map::Longs;
use collections::sequence::Range;
use collections::{Element, Sequence};

use crate::label::Label;
use crate::listpack;
use crate::thresholds::Thresholds;
use crate::typed::{SizeKind, Typed};
use crate::value::Value;

/// How many bytes a listpack has at most where the setting bounds the number of elements.
const LISTPACK_BYTES_MAX: usize = 8192;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where the first element is.
    Left,
    /// Where the last element is.
    Right,
}

impl End {
    /// The one on the other side.
    pub fn other(self) -> End {
        match self {
            End::Left => End::Right,
            End::Right => End::Left,
        }
    }
}

/// Elements in order.
#[derive(Clone, Debug, Default)]
pub struct List(Sequence);

/// An element that was taken out.
#[derive(Debug)]
pub enum Taken {
    /// Bytes that are not the canonical text of an integer.
    Text(Vec<u8>),
    /// The canonical text of an integer.
    Integer(i64),
    /// Many bytes.
    Shared(Shared),
}

impl Taken {
    /// As it goes into a list.
    pub fn get(&self) -> Element<'_> {
        match self {
            Taken::Text(bytes) => Element::Text(bytes),
            Taken::Integer(integer) => Element::Integer(*integer),
            Taken::Shared(bytes) => Element::Shared(bytes),
        }
    }
}

/// In the note of the sequence: Redis would not keep it as a listpack. The other bits are the
/// length that the elements have in a listpack, or the lower part of it.
const QUICKLIST: u32 = 1 << 31;

/// A list of less weight than this has the whole length of its listpack in the note.
const LENGTH_KNOWN_WEIGHT_MAX: usize = 1 << 24;

impl List {
    /// No elements.
    pub const fn new() -> List {
        List(Sequence::new())
    }

    /// Says before elements come how many they are and how many bytes they have together. From that
    /// follows, as in Redis, whether the list goes on as a listpack.
    #[inline]
    pub fn expect(&mut self, count: usize, bytes: usize, thresholds: &Thresholds) {
        let max = thresholds.list_max_listpack_size;
        let (count, bytes) = (self.len() + count, self.listpack_bytes() + bytes);
        let is_too_large = match bytes_max(max) {
            Some(bytes_max) => bytes > bytes_max,
            None => bytes > LISTPACK_BYTES_MAX || count > count_max(max),
        };
        if is_too_large {
            self.0.set_note(self.0.note() | QUICKLIST);
        }
    }

    /// Puts an element in at an end, after it was [expected](List::expect).
    #[inline]
    pub fn push(&mut self, end: End, element: Element<'_>, longs: &mut impl Longs) {
        let index = match end {
            End::Left => 0,
            End::Right => self.len(),
        };
        self.insert(index, element, longs);
    }

    /// Puts elements in at an end, one after the other, after they were [expected](List::expect).
    pub fn push_each<'e>(
        &mut self,
        end: End,
        elements: impl Iterator<Item = Element<'e>>,
        longs: &mut impl Longs,
    ) {
        let mut bytes = 0_usize;
        let elements = elements.inspect(|element| {
            bytes = bytes.wrapping_add(listpack::element_bytes(*element));
        });
        match end {
            End::Left => self.0.push_each_front(elements, longs),
            End::Right => self.0.push_each_back(elements, longs),
        }
        self.grow(bytes);
    }

    /// Puts an element in before the one at `index`, after it was [expected](List::expect).
    #[inline]
    pub fn insert(&mut self, index: usize, element: Element<'_>, longs: &mut impl Longs) {
        let bytes = listpack::element_bytes(element);
        self.0.insert_with(index, element, longs);
        self.grow(bytes);
    }

    /// Puts an element, after it was [expected](List::expect), in the place of the one at `index`,
    /// if there is one.
    pub fn set(
        &mut self,
        index: usize,
        element: Element<'_>,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) {
        if let Some(old) = self.0.get(index) {
            let gone = listpack::element_bytes(old);
            let bytes = listpack::element_bytes(element);
            self.0.set_with(index, element, longs);
            self.grow(bytes.wrapping_sub(gone));
            self.settle(thresholds);
        }
    }

    /// Takes out the elements from `from` on, before `to`.
    pub fn remove(
        &mut self,
        from: usize,
        to: usize,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) {
        let gone = self.0.range(from, to).map(listpack::element_bytes);
        let gone = gone.fold(0, usize::wrapping_add);
        self.0.remove_with(from, to, longs);
        self.grow(gone.wrapping_neg());
        self.settle(thresholds);
    }

    /// Takes out so many elements at an end, or all if there are fewer. Returns how many.
    pub fn remove_at(
        &mut self,
        end: End,
        count: usize,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) -> usize {
        let len = self.len();
        match end {
            End::Left => self.remove(0, count, thresholds, longs),
            End::Right => self.remove(len.saturating_sub(count), len, thresholds, longs),
        }
        len - self.len()
    }

    /// The elements from an end on, so many of them, which are there, in their order in the list.
    pub fn range_at(&self, end: End, count: usize) -> Range<'_> {
        let len = self.len();
        match end {
            End::Left => self.range(0, count),
            End::Right => self.range(len - count, len),
        }
    }

    /// Takes out elements that are equal to this one, and returns how many: the first ones if
    /// `count` is positive, the last ones if it is negative, all if it is 0.
    pub fn remove_equal(
        &mut self,
        count: i64,
        to: &[u8],
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) -> usize {
        let sought = Element::of(to);
        let at_most = match usize::try_from(count.unsigned_abs()) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(count) => count,
        };
        let equal = self.iter().enumerate().filter(|(_, it)| *it == sought);
        let mut found: Vec<usize> = if count < 0 {
            let len = self.len();
            let equal = self
                .iter()
                .rev()
                .enumerate()
                .filter(|(_, it)| *it == sought);
            equal.take(at_most).map(|(at, _)| len - 1 - at).collect()
        } else {
            equal.take(at_most).map(|(at, _)| at).collect()
        };
        found.sort_unstable();
        // From behind, so that what was found before stays where it is.
        for at in found.iter().rev() {
            self.remove(*at, at + 1, thresholds, longs);
        }
        found.len()
    }

    /// Takes out the element at an end.
    pub fn take(
        &mut self,
        end: End,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) -> Option<Taken> {
        let taken = match self.end(end)? {
            Element::Text(bytes) => Taken::Text(bytes.to_vec()),
            Element::Integer(integer) => Taken::Integer(integer),
            Element::Shared(bytes) => Taken::Shared(bytes.clone()),
        };
        let at = match end {
            End::Left => 0,
            End::Right => self.len() - 1,
        };
        self.remove(at, at + 1, thresholds, longs);
        Some(taken)
    }

    /// The element at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        self.0.get(index)
    }

    /// The element at an end.
    #[inline]
    pub fn end(&self, end: End) -> Option<Element<'_>> {
        self.get(match end {
            End::Left => 0,
            End::Right => self.len().saturating_sub(1),
        })
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The elements from `from` on, before `to`, in both directions.
    #[inline]
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        self.0.range(from, to)
    }

    /// All elements in both directions.
    pub fn iter(&self) -> Range<'_> {
        self.0.iter()
    }

    /// Returns whether Redis would keep it as a listpack.
    #[inline]
    pub fn is_listpack(&self) -> bool {
        self.0.note() & QUICKLIST == 0
    }

    /// How long the listpack of all elements is, of one that [`List::is_listpack`] or is light.
    #[inline]
    fn listpack_bytes(&self) -> usize {
        listpack::FRAME_BYTES + (self.0.note() & !QUICKLIST) as usize
    }

    /// Elements have become longer by so much, or shorter by the negative of it.
    #[inline]
    fn grow(&mut self, bytes: usize) {
        let note = self.0.note();
        let bytes = note.wrapping_add(bytes as u32) & !QUICKLIST;
        self.0.set_note(note & QUICKLIST | bytes);
    }

    /// Elements have gone: it may be a listpack again.
    #[inline]
    fn settle(&mut self, thresholds: &Thresholds) {
        if self.is_listpack() || self.0.weight() >= LENGTH_KNOWN_WEIGHT_MAX {
            return;
        }
        let max = thresholds.list_max_listpack_size;
        let is_small = match bytes_max(max) {
            Some(bytes_max) => self.listpack_bytes() <= bytes_max / 2,
            None => self.len() <= count_max(max) / 2,
        };
        if is_small {
            self.0.set_note(self.0.note() & !QUICKLIST);
        }
    }
}

/// How many bytes a listpack has at most by the setting, if that bounds bytes.
#[inline]
fn bytes_max(list_max_listpack_size: i32) -> Option<usize> {
    let steps = list_max_listpack_size.checked_neg()?.checked_sub(1)?;
    (steps >= 0).then(|| 4096 << steps.min(4))
}

/// How many elements it has at most by the setting, if that bounds elements.
#[inline]
fn count_max(list_max_listpack_size: i32) -> usize {
    usize::try_from(list_max_listpack_size).map_or(1, |max| max.max(1))
}

impl Typed for List {
    const NAME: &'static str = "list";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::Lists);

    #[inline]
    fn of(value: &Value) -> Option<&List> {
        if let Value::List(_, list) = value {
            Some(list)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut List> {
        if let Value::List(_, list) = value {
            Some(list)
        } else {
            None
        }
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    fn encoding(&self, _: usize) -> &'static str {
        if self.is_listpack() {
            "listpack"
        } else {
            "quicklist"
        }
    }

    fn heap_bytes(&self, _samples: usize) -> usize {
        self.0.heap_bytes()
    }

    #[inline]
    fn weight(&self) -> usize {
        self.0.weight()
    }

    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self) {
        std::hint::black_box(self.len());
    }
}

impl From<List> for Value {
    #[inline]
    fn from(list: List) -> Value {
        Value::List(Label::default(), list)
    }
}

#[cfg(test)]
mod tests;
