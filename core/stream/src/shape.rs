//! Field-name sets: the names that many entries of a stream share, kept once.
//!
//! Most producers repeat one set of names. An entry of a known set stores its values alone; the
//! names are kept here as ready-made RESP, so that writing an entry only copies pieces. A table of
//! sets is shared by the chunks that use it. Which entries get a set is decided in `entries.rs`.

use collections::hash::is_same;
use smallvec::SmallVec;
use triomphe::Arc;

use crate::limits::{SHAPE_FIELDS_MAX, SHAPE_NAME_BYTES_MAX, SHAPES_MAX};
use crate::varint::length_bytes;

/// An entry's fields as they arrive: name, value, name, value.
pub(crate) trait Fields<'f>: ExactSizeIterator<Item = &'f [u8]> + Clone {}

impl<'f, T: ExactSizeIterator<Item = &'f [u8]> + Clone> Fields<'f> for T {}

/// One set of field names, in their order.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The pieces of RESP that come before each value, one after the other, then [`PADDING`].
    text: Box<[u8]>,
    pieces: Box<[Piece]>,
    name_bytes: usize,
}

/// Bytes after the last piece, so that a copy of fixed width may run past its end.
pub(crate) const PADDING: usize = 32;

/// Where in the text a piece lies: `start..end`, and its name: `name..end - 2`.
///
/// A piece ends what came before it, so that an entry is piece, value, piece, value, and a last
/// line end: `\r\n*4\r\n$1\r\na\r\n` before the first value of two, `\r\n$1\r\nb\r\n` before the
/// other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) start: u32,
    name: u32,
    pub(crate) end: u32,
}

impl Shape {
    /// The set of these names, or `None` if it is too large to be kept.
    fn of<'f>(fields: impl Fields<'f>) -> Option<Shape> {
        let count = fields.len() / 2;
        let names = || fields.clone().step_by(2).take(count);
        let name_bytes: usize = names().map(<[u8]>::len).sum();
        if count == 0 || count > SHAPE_FIELDS_MAX || name_bytes > SHAPE_NAME_BYTES_MAX {
            return None;
        }
        let mut text = Vec::with_capacity(name_bytes + 12 * count + 12 + PADDING);
        let mut pieces = Vec::with_capacity(count);
        let mut digits = itoa::Buffer::new();
        for (index, name) in names().enumerate() {
            let start = text.len() as u32;
            text.extend_from_slice(b"\r\n");
            if index == 0 {
                text.push(b'*');
                text.extend_from_slice(digits.format(2 * count).as_bytes());
                text.extend_from_slice(b"\r\n");
            }
            text.push(b'$');
            text.extend_from_slice(digits.format(name.len()).as_bytes());
            text.extend_from_slice(b"\r\n");
            let name_start = text.len() as u32;
            text.extend_from_slice(name);
            text.extend_from_slice(b"\r\n");
            pieces.push(Piece {
                start,
                name: name_start,
                end: text.len() as u32,
            });
        }
        text.resize(text.len() + PADDING, 0);
        Some(Shape {
            text: text.into_boxed_slice(),
            pieces: pieces.into_boxed_slice(),
            name_bytes,
        })
    }

    /// If these fields have exactly these names, the bytes that their values take in a chunk.
    #[inline(always)]
    fn value_bytes<'f>(&self, mut fields: impl Fields<'f>) -> Option<usize> {
        if fields.len() != 2 * self.pieces.len() {
            return None;
        }
        let mut bytes = 0;
        for piece in &self.pieces {
            let (Some(name), Some(value)) = (fields.next(), fields.next()) else {
                return None;
            };
            if !is_same(self.name(piece), name) {
                return None;
            }
            bytes += length_bytes(value.len()) + value.len();
        }
        Some(bytes)
    }

    pub(crate) fn field_count(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of the names alone.
    pub(crate) fn name_bytes(&self) -> usize {
        self.name_bytes
    }

    #[inline]
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The sum of a byte of the text and one of the places of its pieces.
    #[inline]
    fn peek(&self) -> u8 {
        let piece = self.pieces.first().map_or(0, |piece| piece.end as u8);
        piece.wrapping_add(self.text.first().copied().unwrap_or_default())
    }

    #[inline]
    pub(crate) fn name(&self, piece: &Piece) -> &[u8] {
        &self.text[piece.name as usize..piece.end as usize - 2]
    }

    fn heap_bytes(&self) -> usize {
        size_of::<usize>() + size_of::<Shape>() + self.text.len() + size_of_val(&*self.pieces)
    }
}

/// A set that fits an entry.
pub(crate) struct Found<'s> {
    pub(crate) index: u8,
    pub(crate) shape: &'s Shape,
    /// What the entry's values take in a chunk.
    pub(crate) value_bytes: usize,
}

/// The sets that a chunk's entries may refer to, by index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes {
    list: SmallVec<[Arc<Shape>; 1]>,
}

impl Shapes {
    /// The set at this index.
    #[inline]
    pub(crate) fn at(&self, index: u8) -> &Shape {
        &self.list[usize::from(index)]
    }

    /// Reads a little of the set at this index, if there is one.
    #[inline]
    pub(crate) fn peek(&self, index: u8) -> Option<u8> {
        self.list.get(usize::from(index)).map(|shape| shape.peek())
    }

    /// The set that these fields have; looks at `hint` first.
    #[inline(always)]
    pub(crate) fn find<'f>(&self, hint: u8, fields: impl Fields<'f>) -> Option<Found<'_>> {
        match self.find_at(hint, fields.clone()) {
            Some(found) => Some(found),
            None => self.find_anywhere(fields),
        }
    }

    /// The set at this index, if these fields have it.
    #[inline(always)]
    fn find_at<'f>(&self, index: u8, fields: impl Fields<'f>) -> Option<Found<'_>> {
        let shape = self.list.get(usize::from(index))?;
        let value_bytes = shape.value_bytes(fields)?;
        Some(Found {
            index,
            shape,
            value_bytes,
        })
    }

    #[inline(never)]
    fn find_anywhere<'f>(&self, fields: impl Fields<'f>) -> Option<Found<'_>> {
        (0..self.list.len() as u8).find_map(|index| self.find_at(index, fields.clone()))
    }

    /// Adds the set of these fields and returns its index; `None` if it does not fit.
    pub(crate) fn add<'f>(&mut self, fields: impl Fields<'f>) -> Option<u8> {
        if self.is_full() {
            return None;
        }
        self.list.push(Arc::new(Shape::of(fields)?));
        Some(self.list.len() as u8 - 1)
    }

    /// Returns whether no further set fits.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= SHAPES_MAX
    }

    /// The sets whose bit in `used` is set.
    pub(crate) fn only(&self, used: u64) -> Shapes {
        let is_used = |(index, _): &(usize, &Arc<Shape>)| used >> index & 1 == 1;
        Shapes {
            list: self
                .list
                .iter()
                .enumerate()
                .filter(is_used)
                .map(|(_, it)| it.clone())
                .collect(),
        }
    }

    /// Bytes on the heap, this table and its sets.
    pub(crate) fn heap_bytes(&self) -> usize {
        let spilled = if self.list.spilled() {
            self.list.capacity()
        } else {
            0
        };
        size_of::<usize>()
            + size_of::<Shapes>()
            + spilled * size_of::<Arc<Shape>>()
            + self
                .list
                .iter()
                .map(|shape| shape.heap_bytes())
                .sum::<usize>()
    }
}
