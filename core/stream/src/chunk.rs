//! One chunk: a run of entries in ID order, about 16 KiB of them, in one buffer.
//!
//! | part of an entry | bytes |
//! |---|---|
//! | head | 1: bit 7 deleted; bit 6 a sequence follows; bits 0 to 5 the field-name set, 63: none |
//! | time | delta: milliseconds above the chunk's base |
//! | sequence, if bit 6 | delta: above the base's in its millisecond, else the number itself |
//! | no set: fields | delta: how many |
//! | each value; without a set each name and value | length, then the bytes |
//!
//! Marks every few entries make a search logarithmic (`marks.rs`). Deleting sets a bit or, at the
//! front, moves on; a chunk with too many dead bytes is rewritten. This file writes and decodes the
//! bytes, `chunk/search.rs` finds entries in them, `render.rs` makes RESP of them; how chunks make
//! a stream is in `entries.rs`.

mod search;

use triomphe::Arc;

use crate::StreamId;
use crate::limits::CHUNK_BYTES_MAX;
use crate::marks::{Key, Marks};
use crate::node::Node;
use crate::shape::{Fields, Found, Shape, Shapes};
use crate::varint::{delta_bytes, length_bytes, put_delta, put_length, take_delta, take_length};

/// A run of entries. Cloning copies all of it, so it lives behind a reference count.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// At or below the ID of every entry; deltas count from here.
    base: StreamId,
    data: Vec<u8>,
    marks: Marks,
    shapes: Option<Arc<Shapes>>,
    /// Which of the shapes some entry refers to, one bit each.
    shapes_used: u64,
    /// Bytes of dead entries: deleted, or before the front.
    dead_bytes: u32,
    /// The offset of the first live entry.
    front: u16,
    /// How many entries lie before the front.
    front_ordinal: u16,
    /// How many entries the data holds, dead ones too.
    ordinals: u16,
    live: u16,
    shape_hint: u8,
}

/// How an entry is going to be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    shape: u8,
    /// Bytes behind the ID.
    pub(crate) body_bytes: usize,
    /// Names that are not among them.
    pub(crate) shared_name_bytes: usize,
    pub(crate) field_count: usize,
}

/// How much to reserve beyond what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Only what the allocator gives anyway: for the first chunk, because most streams never have a
    /// second one.
    Tight,
    /// As much again.
    Double,
}

/// An entry's head, decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) id: StreamId,
    /// Where the entry begins.
    pub(crate) at: usize,
    /// Where its fields begin.
    pub(crate) body: usize,
    bits: u8,
}

const DEAD: u8 = 1 << 7;
const HAS_SEQ: u8 = 1 << 6;
const SHAPE: u8 = HAS_SEQ - 1;
const NO_SHAPE: u8 = SHAPE;

impl Head {
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.bits & DEAD == 0
    }
}

impl Form {
    /// Returns whether the entry would carry its own names.
    pub(crate) fn is_own(&self) -> bool {
        self.shape == NO_SHAPE
    }
}

impl Chunk {
    /// A chunk for entries from `base` on that may use these sets of names.
    pub(crate) fn new(base: StreamId, shapes: Option<Arc<Shapes>>, bytes: usize) -> Chunk {
        Chunk {
            base,
            data: Vec::with_capacity(bytes),
            marks: Marks::default(),
            shapes,
            shapes_used: 0,
            dead_bytes: 0,
            front: 0,
            front_ordinal: 0,
            ordinals: 0,
            live: 0,
            shape_hint: 0,
        }
    }

    /// Returns how an entry with these fields would be stored. Inlined because nearly every entry
    /// comes this way once, and what it finds need not go through memory.
    #[inline(always)]
    pub(crate) fn form<'f>(&self, fields: impl Fields<'f>) -> Form {
        let shapes = self.shapes.as_deref();
        match shapes.and_then(|shapes| shapes.find(self.shape_hint, fields.clone())) {
            Some(found) => shared_form(found),
            None => own_form(fields),
        }
    }

    /// The form of an entry with the names of the last one, which has a set of names; `None` if
    /// there are not as many values.
    #[inline]
    pub(crate) fn form_like_last<'f>(
        &self,
        values: impl ExactSizeIterator<Item = &'f [u8]>,
    ) -> Option<Form> {
        let shape = self.shapes.as_deref()?.at(self.shape_hint);
        if values.len() != shape.field_count() {
            return None;
        }
        let value_bytes = values
            .map(|value| length_bytes(value.len()) + value.len())
            .sum();
        Some(shared_form(Found {
            index: self.shape_hint,
            shape,
            value_bytes,
        }))
    }

    /// Keeps the names of these fields as a set and returns the form that uses it, if it fits.
    pub(crate) fn share_names<'f>(&mut self, fields: impl Fields<'f>) -> Option<Form> {
        let shapes = self.shapes.get_or_insert_default();
        if shapes.is_full() {
            return None;
        }
        let shape = Arc::make_mut(shapes).add(fields.clone())?;
        shapes.find(shape, fields).map(shared_form)
    }

    /// Bytes that an entry of this form would take here.
    #[inline]
    pub(crate) fn entry_bytes(&self, id: StreamId, form: Form) -> usize {
        let (ms, seq) = if self.data.is_empty() {
            (0, 0)
        } else {
            self.delta(id)
        };
        1 + delta_bytes(ms) + if seq == 0 { 0 } else { delta_bytes(seq) } + form.body_bytes
    }

    /// Returns whether an entry of this many bytes still fits.
    #[inline]
    pub(crate) fn has_room(&self, entry_bytes: usize) -> bool {
        self.data.is_empty() || self.data.len() + entry_bytes <= CHUNK_BYTES_MAX
    }

    /// Uses this memory, if it has no entries yet.
    pub(crate) fn use_memory(&mut self, memory: Vec<u8>) {
        if self.data.is_empty() {
            self.data = memory;
            self.data.clear();
        }
    }

    /// Reserves memory for an entry of this many bytes.
    #[inline]
    pub(crate) fn reserve(&mut self, entry_bytes: usize, growth: Growth) {
        if self.data.capacity() - self.data.len() < entry_bytes {
            self.grow(entry_bytes, growth);
        }
    }

    /// Appends an entry. `id` is above every entry here, there is room, `form` is of this chunk.
    #[inline]
    pub(crate) fn append<'f>(
        &mut self,
        id: StreamId,
        mut fields: impl Fields<'f>,
        form: Form,
        entry_bytes: usize,
        node: Node,
    ) {
        let at = self.begin_entry(id, form, node);
        if form.shape == NO_SHAPE {
            put_delta(&mut self.data, fields.len() as u64 / 2);
            for text in fields.clone().take(fields.len() & !1) {
                self.put_text(text);
            }
        } else {
            self.shape_hint = form.shape;
            self.shapes_used |= 1 << form.shape;
            while let (Some(_name), Some(value)) = (fields.next(), fields.next()) {
                self.put_text(value);
            }
        }
        debug_assert_eq!(self.data.len() - at, entry_bytes);
        self.ordinals += 1;
        self.live += 1;
    }

    /// Appends an entry whose names are a set of this chunk, the one of the entry before it.
    #[inline]
    pub(crate) fn append_values<'f>(
        &mut self,
        id: StreamId,
        values: impl Iterator<Item = &'f [u8]>,
        form: Form,
        entry_bytes: usize,
        node: Node,
    ) {
        let at = self.begin_entry(id, form, node);
        for value in values {
            self.put_text(value);
        }
        debug_assert_eq!(self.data.len() - at, entry_bytes);
        self.ordinals += 1;
        self.live += 1;
    }

    /// Writes what stands before an entry's fields; where it begins.
    #[inline]
    fn begin_entry(&mut self, id: StreamId, form: Form, node: Node) -> usize {
        let at = self.data.len();
        if at == 0 {
            self.base = id;
        }
        let (ms, seq) = self.delta(id);
        let key = || Key::new(ms, seq);
        self.marks.note(at, self.ordinals, key, node);
        let seq_bit = if seq == 0 { 0 } else { HAS_SEQ };
        self.data.push(form.shape | seq_bit);
        put_delta(&mut self.data, ms);
        if seq != 0 {
            put_delta(&mut self.data, seq);
        }
        at
    }

    /// Marks the entry at this offset deleted. It is live.
    pub(crate) fn delete(&mut self, at: usize) {
        let end = self.end(&self.head(at));
        self.data[at] |= DEAD;
        self.live -= 1;
        self.dead_bytes += (end - at) as u32;
        if at == self.front() && self.live > 0 {
            self.skip_dead_at_front();
        }
    }

    /// Removes every entry up to and including this ID; returns how many were live.
    pub(crate) fn cut_through(&mut self, id: StreamId) -> u16 {
        let before = self.live;
        let mut at = self.front();
        while self.live > 0 {
            let head = self.head(at);
            if head.id > id {
                break;
            }
            let end = self.end(&head);
            if head.is_live() {
                self.live -= 1;
                self.dead_bytes += (end - at) as u32;
            }
            self.front_ordinal += 1;
            at = end;
        }
        if self.live > 0 {
            self.front = at as u16;
            self.skip_dead_at_front();
        }
        before - self.live
    }

    /// Forgets everything but the sets of names. Nothing is live.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.data.shrink_to(EMPTY_BYTES);
        self.marks = Marks::default();
        (self.dead_bytes, self.shapes_used) = (0, 0);
        (self.front, self.front_ordinal, self.ordinals) = (0, 0, 0);
    }

    /// Frees the memory of dead entries if there are enough of them to be worth the copying. Says
    /// what [`Chunk::rewrite`] says.
    pub(crate) fn reclaim(&mut self) -> Node {
        let dead = self.dead_bytes as usize;
        if dead >= RECLAIM_BYTES_MIN && dead * 4 > self.data.len() {
            self.rewrite()
        } else {
            Node::Continues
        }
    }

    /// Lets a node begin with the first entry.
    pub(crate) fn begin_node(&mut self) {
        self.marks.begin_node();
    }

    /// Frees what growing has reserved in excess, because the chunk is not going to be appended to.
    pub(crate) fn seal(&mut self) {
        if self.data.capacity() - self.data.len() > self.data.len() / 16 {
            self.data.shrink_to_fit();
        }
        self.marks.seal();
    }

    /// Takes the encoded entries out, to reuse their memory.
    pub(crate) fn take_data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    /// Gives a chunk without data the encoded entries that it had.
    pub(crate) fn put_data(&mut self, data: Vec<u8>) {
        self.data = data;
    }

    /// The same chunk without its data: counts, names and marks. Nothing that looks at entries may
    /// be called on it.
    pub(crate) fn without_data(&self) -> Chunk {
        Chunk {
            data: Vec::new(),
            marks: self.marks.clone(),
            shapes: self.shapes.clone(),
            ..*self
        }
    }

    /// The chunk's lower bound.
    #[inline]
    pub(crate) fn base(&self) -> StreamId {
        self.base
    }

    /// Returns how many entries are live.
    #[inline]
    pub(crate) fn live(&self) -> u16 {
        self.live
    }

    /// Returns how many entries the data holds, dead ones too.
    pub(crate) fn ordinals(&self) -> u16 {
        self.ordinals
    }

    /// The sets of names, for a chunk that follows this one.
    pub(crate) fn shapes_for_next(&self) -> Option<Arc<Shapes>> {
        let shapes = self.shapes.as_ref()?;
        if shapes.is_full() && self.shapes_used.count_ones() < crate::limits::SHAPES_MAX as u32 {
            return Some(Arc::new(shapes.only(self.shapes_used)));
        }
        Some(shapes.clone())
    }

    /// The sets of names that entries refer to.
    #[inline]
    pub(crate) fn shapes(&self) -> Option<&Arc<Shapes>> {
        self.shapes.as_ref()
    }

    /// The encoded entries.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Reads a little of what an append needs: the end of the last entry, its set of names, counts.
    #[inline]
    pub(crate) fn peek(&self) -> u64 {
        let last = self.data.last().map_or(0, |byte| u64::from(*byte));
        let shapes = self.shapes.as_deref();
        let names = shapes.and_then(|shapes| shapes.peek(self.shape_hint));
        let counts = self.base.ms ^ self.shapes_used ^ u64::from(self.live);
        last ^ u64::from(names.unwrap_or_default()) ^ counts
    }

    /// Returns where the first live entry begins.
    #[inline]
    pub(crate) fn front(&self) -> usize {
        usize::from(self.front)
    }

    /// Decodes the head of the entry at this offset.
    #[inline]
    pub(crate) fn head(&self, at: usize) -> Head {
        let bits = self.data[at];
        let mut body = at + 1;
        let ms = take_delta(&self.data, &mut body);
        let mut seq = 0;
        if bits & HAS_SEQ != 0 {
            seq = take_delta(&self.data, &mut body);
        }
        if ms == 0 {
            seq += self.base.seq;
        }
        Head {
            id: StreamId {
                ms: self.base.ms + ms,
                seq,
            },
            at,
            body,
            bits,
        }
    }

    /// The set of names of an entry, if it has one.
    #[inline]
    pub(crate) fn shape(&self, head: &Head) -> Option<&Shape> {
        let index = head.bits & SHAPE;
        if index == NO_SHAPE {
            return None;
        }
        self.shapes.as_deref().map(|shapes| shapes.at(index))
    }

    /// Returns where the fields of an entry without a set begin, and how many there are.
    #[inline]
    pub(crate) fn own_fields(&self, head: &Head) -> (usize, usize) {
        let mut at = head.body;
        let count = take_delta(&self.data, &mut at) as usize;
        (at, count)
    }

    /// Returns where the entry ends.
    #[inline]
    pub(crate) fn end(&self, head: &Head) -> usize {
        let (mut at, texts) = match self.shape(head) {
            Some(shape) => (head.body, shape.field_count()),
            None => {
                let (at, count) = self.own_fields(head);
                (at, 2 * count)
            }
        };
        for _ in 0..texts {
            let bytes = take_length(&self.data, &mut at);
            at += bytes;
        }
        at
    }

    /// Bytes on the heap, without the shared sets of names.
    pub(crate) fn heap_bytes(&self) -> usize {
        let own = size_of::<usize>() + size_of::<Chunk>();
        own + self.data.capacity() + self.marks.heap_bytes()
    }

    #[inline]
    fn delta(&self, id: StreamId) -> (u64, u64) {
        let ms = id.ms - self.base.ms;
        (
            ms,
            if ms == 0 {
                id.seq - self.base.seq
            } else {
                id.seq
            },
        )
    }

    #[inline]
    fn put_text(&mut self, text: &[u8]) {
        put_length(&mut self.data, text.len());
        self.data.extend_from_slice(text);
    }

    #[cold]
    fn grow(&mut self, entry_bytes: usize, growth: Growth) {
        let needed = self.data.len() + entry_bytes;
        let grown = match growth {
            Growth::Tight => needed,
            Growth::Double => 2 * needed,
        };
        let capacity = size_class(grown.min(CHUNK_BYTES_MAX).max(needed));
        // To grow a piece of memory in place the allocator has to look up what it is, which costs
        // more than to copy a short one.
        if capacity <= COPIED_BYTES_MAX {
            let mut grown = Vec::with_capacity(capacity);
            grown.extend_from_slice(&self.data);
            self.data = grown;
        } else {
            self.data.reserve_exact(capacity - self.data.len());
        }
    }

    /// Moves the front to the first live entry; there is one.
    fn skip_dead_at_front(&mut self) {
        let mut at = self.front();
        while let Some(head) = self.head_before_end(at).filter(|head| !head.is_live()) {
            at = self.end(&head);
            self.front_ordinal += 1;
        }
        self.front = at as u16;
    }

    /// Moves the live entries together. A node that lost its first entry begins with the next one;
    /// says whether one begins with what comes behind this chunk.
    pub(crate) fn rewrite(&mut self) -> Node {
        let marks = std::mem::take(&mut self.marks);
        let mut nodes = marks.nodes().peekable();
        let (mut at, mut to, mut ordinal) = (self.front(), 0, 0);
        let mut node = Node::Continues;
        while at < self.data.len() {
            let head = self.head(at);
            let end = self.end(&head);
            while nodes.next_if(|mark| mark.offset() <= at).is_some() {
                node = Node::Begins;
            }
            if head.is_live() {
                self.data.copy_within(at..end, to);
                let (ms, seq) = self.delta(head.id);
                self.marks.note(to, ordinal, || Key::new(ms, seq), node);
                node = Node::Continues;
                to += end - at;
                ordinal += 1;
            }
            at = end;
        }
        self.data.truncate(to);
        if self.data.capacity() > to + to / 4 {
            self.data.shrink_to_fit();
        }
        self.ordinals = ordinal;
        self.front = 0;
        self.front_ordinal = 0;
        self.dead_bytes = 0;
        node
    }
}

/// What a chunk without entries may keep reserved.
const EMPTY_BYTES: usize = 256;

/// Up to this size, more memory for entries is new memory.
const COPIED_BYTES_MAX: usize = 2048;

/// Below this a rewrite would cost more than it gives.
const RECLAIM_BYTES_MIN: usize = 512;

/// What an allocator gives for this many bytes: jemalloc has four sizes per doubling.
fn size_class(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}

#[inline]
fn shared_form(found: Found<'_>) -> Form {
    Form {
        shape: found.index,
        body_bytes: found.value_bytes,
        shared_name_bytes: found.shape.name_bytes(),
        field_count: found.shape.field_count(),
    }
}

/// The form of an entry that carries its own names.
fn own_form<'f>(fields: impl Fields<'f>) -> Form {
    let field_count = fields.len() / 2;
    let texts = fields.take(2 * field_count);
    let text_bytes: usize = texts
        .map(|text| length_bytes(text.len()) + text.len())
        .sum();
    let body_bytes = delta_bytes(field_count as u64) + text_bytes;
    Form {
        shape: NO_SHAPE,
        body_bytes,
        shared_name_bytes: 0,
        field_count,
    }
}
