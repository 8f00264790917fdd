//! Reading entries: one of them, and runs of them upwards and downwards.

use std::fmt;

use resp::{Bytes, Kept, Reply};
use smallvec::SmallVec;
use triomphe::Arc;

use crate::StreamId;
use crate::chunk::{Chunk, Head};
use crate::entries::{Entries, Place, kept_chunk};
use crate::id::ID_TEXT_BYTES_MAX;
use crate::packed::Opened;
use crate::render::Renderer;
use crate::shape::Shape;
use crate::varint::take_length;

/// An entry where it is stored, or a copy of it if its chunk is packed.
#[derive(Clone)]
pub struct EntryRef<'e> {
    chunk: Opened<'e>,
    head: Head,
}

impl<'e> EntryRef<'e> {
    #[inline]
    pub(crate) fn new(chunk: Opened<'e>, head: Head) -> EntryRef<'e> {
        EntryRef { chunk, head }
    }

    /// Its ID.
    #[inline]
    pub fn id(&self) -> StreamId {
        self.head.id
    }

    /// The number of fields.
    pub fn field_count(&self) -> usize {
        match self.chunk.shape(&self.head) {
            Some(shape) => shape.field_count(),
            None => self.chunk.own_fields(&self.head).1,
        }
    }

    /// Its fields, name and value, in the order in which they were appended.
    pub fn fields(&self) -> FieldIter<'_> {
        let shape = self.chunk.shape(&self.head);
        let (at, left) = match shape {
            Some(shape) => (self.head.body, shape.field_count()),
            None => self.chunk.own_fields(&self.head),
        };
        FieldIter {
            data: self.chunk.data(),
            at,
            shape,
            left,
        }
    }

    /// Returns whether it has the names of another entry, in the same order.
    #[inline]
    pub fn has_names_of(&self, other: &EntryRef<'_>) -> bool {
        let shapes = (self.chunk.shape(&self.head), other.chunk.shape(&other.head));
        if let (Some(own), Some(others)) = shapes
            && std::ptr::eq(own, others)
        {
            return true;
        }
        let (own, others) = (self.fields(), other.fields());
        own.len() == others.len() && own.zip(others).all(|((a, _), (b, _))| a == b)
    }

    /// The values of its fields.
    #[inline]
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut fields = self.fields();
        std::iter::from_fn(move || fields.next_value())
    }

    /// Writes `[id, [name, value, …]]`.
    #[inline]
    pub fn write(&self, reply: &mut Reply) {
        if self.chunk.is_lent_large() {
            reply.array(2);
            reply.bulk(self.id().write_text(&mut [0; ID_TEXT_BYTES_MAX]));
            return self.write_large_fields(reply);
        }
        reply.raw_with(|out| {
            let mut renderer = Renderer::new(out);
            renderer.entry(&self.chunk, &self.head);
            renderer.finish();
        });
    }

    /// Writes `[name, value, …]`, for a reply that says more about the entry.
    pub fn write_fields(&self, reply: &mut Reply) {
        if self.chunk.is_lent_large() {
            return self.write_large_fields(reply);
        }
        reply.raw_with(|out| {
            let mut renderer = Renderer::new(out);
            renderer.fields_alone(&self.chunk, &self.head);
            renderer.finish();
        });
    }

    /// How many bytes [`EntryRef::write`] writes.
    pub fn reply_bytes(&self) -> usize {
        let id_bytes = self.id().write_text(&mut [0; ID_TEXT_BYTES_MAX]).len();
        b"*2\r\n".len() + bulk_bytes(id_bytes) + self.fields_bytes()
    }

    /// How many bytes [`EntryRef::write_fields`] writes.
    pub(crate) fn fields_bytes(&self) -> usize {
        let fields = self.fields();
        let head = b"*\r\n".len() + digits(2 * fields.len());
        let pair = |(name, value): (&[u8], &[u8])| bulk_bytes(name.len()) + bulk_bytes(value.len());
        head + fields.map(pair).sum::<usize>()
    }

    /// Writes fields, some of which may be large; the reply refers to those.
    #[cold]
    fn write_large_fields(&self, reply: &mut Reply) {
        let fields = self.fields();
        reply.array(2 * fields.len());
        let data = self.chunk.data().as_ptr_range();
        for text in fields.flat_map(|(name, value)| [name, value]) {
            match self.chunk.lent() {
                // Names that several entries share are elsewhere, and short.
                Some(chunk) if reply.refers_to(text.len()) && data.contains(&text.as_ptr()) => {
                    let start = text.as_ptr().addr() - data.start.addr();
                    reply.bulk_shared(Box::new(ChunkText {
                        chunk: chunk.clone_arc(),
                        range: start..start + text.len(),
                    }));
                }
                _ => reply.bulk(text),
            }
        }
    }
}

/// How many bytes a text of this length has as a bulk string.
pub(crate) fn bulk_bytes(len: usize) -> usize {
    b"$\r\n".len() + digits(len) + len + b"\r\n".len()
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// A text within a chunk, as it was when the range was read.
#[derive(Debug)]
struct ChunkText {
    chunk: Arc<Chunk>,
    range: std::ops::Range<usize>,
}

impl Bytes for ChunkText {
    fn bytes(&self) -> &[u8] {
        &self.chunk.data()[self.range.clone()]
    }

    fn kept(&self) -> Kept {
        kept_chunk(&self.chunk)
    }
}

impl fmt::Debug for EntryRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryRef")
            .field("id", &self.head.id)
            .finish_non_exhaustive()
    }
}

/// The fields of an entry: name and value.
#[derive(Clone, Debug)]
pub struct FieldIter<'e> {
    data: &'e [u8],
    at: usize,
    shape: Option<&'e Shape>,
    left: usize,
}

impl<'e> FieldIter<'e> {
    #[inline]
    fn text(&mut self) -> &'e [u8] {
        let bytes = take_length(self.data, &mut self.at);
        let text = &self.data[self.at..self.at + bytes];
        self.at += bytes;
        text
    }

    /// The next value, without its name.
    #[inline]
    fn next_value(&mut self) -> Option<&'e [u8]> {
        self.left = self.left.checked_sub(1)?;
        if self.shape.is_none() {
            self.text();
        }
        Some(self.text())
    }
}

impl<'e> Iterator for FieldIter<'e> {
    type Item = (&'e [u8], &'e [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let name = match self.shape {
            Some(shape) => shape.name(&shape.pieces()[shape.field_count() - self.left]),
            None => self.text(),
        };
        self.left -= 1;
        Some((name, self.text()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for FieldIter<'_> {}

/// Entries of a range, lowest ID first.
#[derive(Clone, Debug)]
pub struct Range<'e> {
    entries: &'e Entries,
    chunk: Option<Opened<'e>>,
    place: Place,
    at: usize,
    end: StreamId,
}

impl<'e> Range<'e> {
    #[inline]
    pub(crate) fn new(entries: &'e Entries, start: StreamId, end: StreamId) -> Range<'e> {
        let place = entries.place_from(start);
        let chunk = entries.chunk(place);
        let at = chunk.as_ref().map_or(0, |chunk| chunk.seek(start).0);
        Range {
            entries,
            chunk,
            place,
            at,
            end,
        }
    }
}

impl<'e> Iterator for Range<'e> {
    type Item = EntryRef<'e>;

    #[inline]
    fn next(&mut self) -> Option<EntryRef<'e>> {
        loop {
            let chunk = self.chunk.as_ref()?;
            if let Some(head) = chunk.live_from(self.at) {
                if head.id > self.end {
                    self.chunk = None;
                    return None;
                }
                self.at = chunk.end(&head);
                return Some(EntryRef::new(chunk.clone(), head));
            }
            let spare = self.chunk.take().and_then(Opened::into_spare);
            self.chunk = self.entries.place_after(self.place).and_then(|place| {
                self.place = place;
                self.entries.open(place, spare)
            });
            self.at = self.chunk.as_ref().map_or(0, |chunk| chunk.front());
        }
    }
}

/// Entries of a range, highest ID first.
#[derive(Clone, Debug)]
pub struct RangeReverse<'e> {
    entries: &'e Entries,
    chunk: Option<Opened<'e>>,
    place: Place,
    /// Where the next entries begin, the last of them first.
    offsets: SmallVec<[u16; 16]>,
    /// Where the walk down continues after these.
    at: usize,
    start: StreamId,
}

impl<'e> RangeReverse<'e> {
    pub(crate) fn new(entries: &'e Entries, start: StreamId, end: StreamId) -> RangeReverse<'e> {
        let place = entries.place_of(end).unwrap_or(Place::FIRST);
        let chunk = entries.chunk(place);
        let at = chunk.as_ref().map_or(0, |chunk| match end.next() {
            Some(above) => chunk.seek(above).0,
            None => chunk.data().len(),
        });
        RangeReverse {
            entries,
            chunk,
            place,
            offsets: SmallVec::new(),
            at,
            start,
        }
    }

    /// The next entry, and the chunk that it is in.
    pub(crate) fn next_in_chunk(&mut self) -> Option<(&Opened<'e>, Head)> {
        let head = self.next_head()?;
        Some((self.chunk.as_ref()?, head))
    }

    /// The next entry, which is in the chunk that is open.
    fn next_head(&mut self) -> Option<Head> {
        loop {
            let chunk = self.chunk.as_deref()?;
            while let Some(offset) = self.offsets.pop() {
                let head = chunk.head(offset.into());
                if head.id < self.start {
                    self.chunk = None;
                    return None;
                }
                if head.is_live() {
                    return Some(head);
                }
            }
            chunk.group_before(self.at, &mut self.offsets);
            match self.offsets.first() {
                Some(&first) => self.at = first.into(),
                None => {
                    let spare = self.chunk.take().and_then(Opened::into_spare);
                    self.chunk = self.entries.place_before(self.place).and_then(|place| {
                        self.place = place;
                        self.entries.open(place, spare)
                    });
                    self.at = self.chunk.as_ref().map_or(0, |chunk| chunk.data().len());
                }
            }
        }
    }
}

impl<'e> Iterator for RangeReverse<'e> {
    type Item = EntryRef<'e>;

    fn next(&mut self) -> Option<EntryRef<'e>> {
        let head = self.next_head()?;
        let chunk = self.chunk.as_ref()?;
        Some(EntryRef::new(chunk.clone(), head))
    }
}
