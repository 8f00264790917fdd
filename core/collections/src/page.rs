//! A page: short elements one after another in a single piece of memory.
//!
//! | bytes | meaning |
//! |---|---|
//! | from the start | the elements, with nothing in between |
//! | then | room |
//! | up to the end | two bytes for each element, the last one first: its form and its end |
//!
//! So any element is found at once, and it costs two bytes more than it has. The text of an integer
//! is kept as the integer, which is shorter. An element may have a date, six bytes behind its own.
//! A page takes what an allocator would give it anyway, so it is as small as its content. A clone
//! shares the memory; a write to a page that is shared makes a new one.

mod finder;
mod items;
mod memory;

use crate::element::Element;
use crate::hash::{is_same, short_word};

use memory::{Fill, Memory, ROOM_MAX};

pub(crate) use finder::Finder;
pub(crate) use items::Items;
pub(crate) use memory::HEAD_BYTES;

/// What a page needs for each element.
pub(crate) const SLOT_BYTES: usize = 2;

/// The lower bits of a slot say where the element ends, the upper ones its form.
const END_MASK: u16 = (1 << 13) - 1;
const TEXT: u16 = 0;
const INTEGER: u16 = 1 << 13;
const PLACE: u16 = 2 << 13;
/// Added to the form of an element that has a date.
const DATED: u16 = 4 << 13;

/// How many bytes a date takes.
pub(crate) const DATE_BYTES: usize = 6;

/// The latest date that there is.
pub const DATE_MAX: u64 = (1 << (DATE_BYTES as u32 * u8::BITS)) - 1;

const _: () = assert!(Page::BYTES_MAX <= END_MASK as usize);

/// Elements in one piece of memory.
#[derive(Clone)]
pub(crate) struct Page(Memory);

/// The elements of a page, found faster one after another: where they are is known.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    fill: Fill,
    memory: &'a [u8],
}

/// What a page keeps as an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// Bytes.
    Text(&'a [u8]),
    /// The canonical text of an integer.
    Integer(i64),
    /// Where the bytes are, for whoever has put it in.
    Place(u32),
}

/// An item as it lies in a page.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    form: u16,
    text: &'a [u8],
    number: [u8; size_of::<i64>()],
    number_len: usize,
    date: Option<u64>,
}

impl<'a> Item<'a> {
    /// The item of these bytes.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8]) -> Item<'a> {
        match Element::of(bytes) {
            Element::Integer(integer) => Item::Integer(integer),
            Element::Text(_) | Element::Shared(_) => Item::Text(bytes),
        }
    }

    /// As it lies in a page.
    #[inline]
    pub(crate) fn pack(self) -> Packed<'a> {
        let (form, text, number): (u16, &[u8], i64) = match self {
            Item::Text(text) => (TEXT, text, 0),
            Item::Integer(integer) => (INTEGER, &[], integer),
            Item::Place(place) => (PLACE, &[], i64::from(place)),
        };
        // As many bytes as it takes to get the number back by its sign.
        let significant_bits = i64::BITS - (number ^ (number >> (i64::BITS - 1))).leading_zeros();
        let number_len = match form {
            INTEGER if number != 0 => significant_bits as usize / 8 + 1,
            PLACE => size_of::<u32>(),
            _ => 0,
        };
        Packed {
            form,
            text,
            number: number.to_le_bytes(),
            number_len,
            date: None,
        }
    }
}

impl Packed<'_> {
    /// The same with this date, which is at most [`DATE_MAX`], or with none.
    #[inline]
    pub(crate) fn dated(self, date: Option<u64>) -> Self {
        Packed { date, ..self }
    }

    /// Its date.
    #[inline]
    pub(crate) fn date(&self) -> Option<u64> {
        self.date
    }

    /// Its bytes without those of a date.
    #[inline]
    fn bytes(&self) -> &[u8] {
        if self.form == TEXT {
            self.text
        } else {
            &self.number[..self.number_len]
        }
    }

    /// How many bytes it has, with those of a date.
    #[inline]
    fn len(&self) -> usize {
        let date_len = if self.date.is_some() { DATE_BYTES } else { 0 };
        self.bytes().len() + date_len
    }

    /// What it takes in a page.
    #[inline]
    pub(crate) fn cost(&self) -> usize {
        self.len() + SLOT_BYTES
    }
}

/// What is kept in this form as these bytes.
#[inline(always)]
fn item(form: u16, bytes: &[u8]) -> Item<'_> {
    match form {
        TEXT => Item::Text(bytes),
        _ => item_of_other_form(form, bytes),
    }
}

#[inline(never)]
fn item_of_other_form(form: u16, bytes: &[u8]) -> Item<'_> {
    let bytes = match form & DATED {
        0 => bytes,
        _ => split_date(bytes).0,
    };
    match form & !DATED {
        INTEGER => Item::Integer(unpack(bytes)),
        PLACE => Item::Place(unpack(bytes) as u32),
        _ => Item::Text(bytes),
    }
}

/// The number whose little-endian bytes these are.
#[inline]
fn unpack(bytes: &[u8]) -> i64 {
    let beyond = u64::BITS.saturating_sub(8 * bytes.len() as u32);
    // Its sign comes from above.
    let shifted = short_word(bytes).checked_shl(beyond).unwrap_or(0);
    shifted.cast_signed() >> (beyond % u64::BITS)
}

impl Page {
    /// What elements of a page may take with their slots.
    pub(crate) const BYTES_MAX: usize = ROOM_MAX;

    /// A page without elements, with room for this many bytes.
    fn with_room(bytes: usize) -> Page {
        let room = allocated(bytes + HEAD_BYTES) - HEAD_BYTES;
        Page(Memory::with_room(bytes, room))
    }

    /// A page of these elements.
    pub(crate) fn of(items: &[Packed<'_>]) -> Page {
        let mut page = Page::with_room(items.iter().map(Packed::cost).sum());
        page.splice(0, 0, items);
        page
    }

    /// Puts elements where `removed` others begin at `at`. There must be room for them
    /// ([`Page::cost_after`]).
    pub(crate) fn splice(&mut self, at: usize, removed: usize, added: &[Packed<'_>]) {
        debug_assert!(at + removed <= self.len(), "who asks knows what is there");
        let added_bytes: usize = added.iter().map(Packed::len).sum();
        let content = self.content();
        let (start, end) = (content.start(at), content.start(at + removed));
        let used = content.used();
        let (count, count_after) = (self.len(), self.len() + added.len() - removed);
        let used_after = used + added_bytes - (end - start);
        self.make_room(used_after + count_after * SLOT_BYTES);
        self.0.write(|fill, memory| {
            let room = memory.len();
            let slot = |index: usize| room - index * SLOT_BYTES;
            let moved = (start + added_bytes).wrapping_sub(end) as u16;
            // Whichever needs less room than before goes first, since the other may move there.
            if moved != 0 && count_after > count {
                memory.copy_within(end..used, start + added_bytes);
            }
            if count_after != count {
                memory.copy_within(slot(count)..slot(at + removed), slot(count_after));
            }
            if moved != 0 && count_after <= count {
                memory.copy_within(end..used, start + added_bytes);
            }
            if moved != 0 {
                let behind = slot(count_after)..slot(at + added.len());
                move_ends(&mut memory[behind], moved);
            }
            let mut from = start;
            for (index, item) in (at..).zip(added) {
                let bytes = item.bytes();
                let (mut end, mut form) = (from + bytes.len(), item.form);
                memory[from..end].copy_from_slice(bytes);
                if let Some(date) = item.date {
                    let date = &date.to_le_bytes()[..DATE_BYTES];
                    memory[end..end + DATE_BYTES].copy_from_slice(date);
                    end += DATE_BYTES;
                    form |= DATED;
                }
                from = end;
                let written = (end as u16 | form).to_le_bytes();
                memory[slot(index + 1)..slot(index)].copy_from_slice(&written);
            }
            fill.count = count_after as u16;
            fill.used = used_after as u16;
        });
    }

    /// Cuts off the elements from `at` on. Both pages then have room for this many more bytes.
    pub(crate) fn split_off(&mut self, at: usize, more: usize) -> Page {
        let right = self.part(at, self.len(), more);
        *self = self.part(0, at, more);
        right
    }

    /// Puts the elements of another page behind those of this one. There must be room for both.
    pub(crate) fn append(&mut self, right: &Page) {
        let (used, count) = (self.content().used(), self.len());
        self.make_room(self.cost() + right.cost());
        let (elements, slots) = right.content().parts(0, right.len());
        self.0.write(|fill, memory| {
            let room = memory.len();
            memory[used..used + elements.len()].copy_from_slice(elements);
            let count_after = count + slots.len() / SLOT_BYTES;
            let written = &mut memory[room - count_after * SLOT_BYTES..room - count * SLOT_BYTES];
            written.copy_from_slice(slots);
            move_ends(written, used as u16);
            fill.count = count_after as u16;
            fill.used = (used + elements.len()) as u16;
        });
    }

    /// What is in it.
    #[inline]
    pub(crate) fn content(&self) -> Content<'_> {
        Content {
            fill: self.0.fill(),
            memory: self.0.bytes(),
        }
    }

    /// The number of elements.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.0.fill().count)
    }

    /// What the elements take with their slots, in bytes.
    #[inline]
    pub(crate) fn cost(&self) -> usize {
        let Fill { count, used } = self.0.fill();
        usize::from(used) + usize::from(count) * SLOT_BYTES
    }

    /// The same once some elements have taken the place of `removed` others that begin at `at`.
    #[inline]
    pub(crate) fn cost_after(&self, at: usize, removed: usize, added: &[Packed<'_>]) -> usize {
        let content = self.content();
        let gone = content.start(at + removed) - content.start(at) + removed * SLOT_BYTES;
        self.cost() - gone + added.iter().map(Packed::cost).sum::<usize>()
    }

    /// Memory on the heap, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    /// What its owner has noted about it; 0 at first.
    #[inline]
    pub(crate) fn note(&self) -> u32 {
        self.0.note()
    }

    /// Notes something about it.
    #[inline]
    pub(crate) fn set_note(&mut self, note: u32) {
        self.0.set_note(note);
    }

    /// The element at `at`, which is there.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Item<'_> {
        self.content().get(at)
    }

    /// The date of the element at `at`.
    #[inline]
    pub(crate) fn date(&self, at: usize) -> Option<u64> {
        self.content().date(at)
    }

    /// Gives the element at `at` this date, or none. There must be room for it.
    pub(crate) fn set_date(&mut self, at: usize, date: Option<u64>) {
        let content = self.content();
        let (count, used, end) = (self.len(), content.used(), content.start(at + 1));
        let text_end = match content.slot(at) & DATED {
            0 => end,
            _ => end - DATE_BYTES,
        };
        let end_after = text_end + date.map_or(0, |_| DATE_BYTES);
        let used_after = used + end_after - end;
        self.make_room(used_after + count * SLOT_BYTES);
        self.0.write(|fill, memory| {
            if end_after != end {
                memory.copy_within(end..used, end_after);
                let slots = memory.len() - count * SLOT_BYTES..memory.len() - at * SLOT_BYTES;
                move_ends(&mut memory[slots], end_after.wrapping_sub(end) as u16);
                // The higher byte of its slot.
                let slot = memory.len() - at * SLOT_BYTES - 1;
                memory[slot] ^= (DATED >> u8::BITS) as u8;
            }
            if let Some(date) = date {
                memory[text_end..end_after].copy_from_slice(&date.to_le_bytes()[..DATE_BYTES]);
            }
            fill.used = used_after as u16;
        });
    }

    /// The bytes of the element at `at`, a text without a date.
    #[inline]
    pub(crate) fn text(&self, at: usize) -> &[u8] {
        self.content().text(at)
    }

    /// As [`Content::position`].
    #[inline]
    pub(crate) fn position<const STEP: usize>(&self, sought: &Packed<'_>) -> Option<usize> {
        self.content().position::<STEP>(sought)
    }

    /// Where to split the page, so that both sides have about as many bytes, and some elements.
    pub(crate) fn middle(&self) -> usize {
        let content = self.content();
        let half = content.used() / 2;
        let middle = (1..self.len()).find(|&at| content.start(at) >= half);
        middle.unwrap_or(self.len() / 2).max(1)
    }

    /// A page of some of the elements, with room for this many more bytes.
    fn part(&self, from: usize, to: usize, more: usize) -> Page {
        let content = self.content();
        let (elements, slots) = content.parts(from, to);
        let mut part = Page::with_room(elements.len() + slots.len() + more);
        part.fill(elements, slots, content.start(from));
        part.set_note(self.note());
        part
    }

    /// Fills a page that is empty with elements and their slots, whose ends count from `start` on.
    fn fill(&mut self, elements: &[u8], slots: &[u8], start: usize) {
        self.0.write(|fill, memory| {
            memory[..elements.len()].copy_from_slice(elements);
            let at = memory.len() - slots.len();
            let written = &mut memory[at..];
            written.copy_from_slice(slots);
            if start > 0 {
                move_ends(written, start.wrapping_neg() as u16);
            }
            fill.count = (slots.len() / SLOT_BYTES) as u16;
            fill.used = elements.len() as u16;
        });
    }

    /// Makes the page unshared, with room for this many bytes. Frees memory if much of it is no
    /// longer used.
    fn make_room(&mut self, bytes: usize) {
        let room = self.0.bytes().len();
        let fits = bytes <= room && room <= bytes * 2 + HEAD_BYTES;
        if fits && self.0.is_unique() {
            return;
        }
        *self = self.part(0, self.len(), bytes.saturating_sub(self.cost()));
    }
}

impl<'a> Content<'a> {
    /// The number of elements.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.fill.count)
    }

    /// Where the elements are in memory.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.memory.as_ptr().addr()
    }

    /// The bytes of the element at `at`, a text without a date.
    #[inline]
    pub(crate) fn text(&self, at: usize) -> &'a [u8] {
        self.stored(at).1
    }

    /// The element at `at`, which is there.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Item<'a> {
        let (form, bytes) = self.stored(at);
        item(form, bytes)
    }

    /// The date of the element at `at`.
    #[inline]
    pub(crate) fn date(&self, at: usize) -> Option<u64> {
        match self.slot(at) & DATED {
            0 => None,
            _ => Some(split_date(self.stored(at).1).1),
        }
    }

    /// Where this one, which has no date, is among the elements at 0, `STEP`, 2 * `STEP` and so on.
    ///
    /// Most names that are as long as the one that is sought end otherwise, so the last word of
    /// each is looked at, and nothing is called before it is the same.
    #[inline]
    pub(crate) fn position<const STEP: usize>(&self, sought: &Packed<'_>) -> Option<usize> {
        let bytes = sought.bytes();
        let memory = self.memory;
        // A form and a length are a slot whose element begins at 0.
        let form_and_len = sought.form.wrapping_add(bytes.len() as u16);
        let (last, mask) = last_word(bytes);
        let slots = &memory[memory.len() - self.len() * SLOT_BYTES..];
        let mut start = 0;
        for (index, group) in slots.rchunks_exact(STEP * SLOT_BYTES).enumerate() {
            let slot_at = |at| match group.get(at..).and_then(|slot| slot.first_chunk()) {
                Some(slot) => u16::from_le_bytes(*slot),
                None => 0,
            };
            // The first element of a group has the last slot.
            let slot = slot_at(group.len() - SLOT_BYTES);
            if slot.wrapping_sub(start) == form_and_len {
                let element = &memory[..usize::from(slot & END_MASK)];
                let ends_alike = element
                    .last_chunk()
                    .is_none_or(|word| (u64::from_le_bytes(*word) ^ last) & mask == 0);
                if ends_alike && is_same(&element[usize::from(start)..], bytes) {
                    return Some(index * STEP);
                }
            }
            start = slot_at(0) & END_MASK;
        }
        None
    }

    /// Reads something of each line of a processor's cache in which there is something, to have
    /// them there. Returns what nobody needs.
    #[inline]
    pub(crate) fn touch(&self) -> usize {
        const LINE_BYTES: usize = 64;
        let slots = self.memory.len() - self.len() * SLOT_BYTES;
        let (elements, slots) = (&self.memory[..self.used()], &self.memory[slots..]);
        let read = |bytes: &[u8]| -> usize {
            let lines = bytes.chunks(LINE_BYTES);
            lines
                .filter_map(<[u8]>::first)
                .map(|byte| usize::from(*byte))
                .sum()
        };
        read(elements) + read(slots)
    }

    #[inline]
    fn used(&self) -> usize {
        usize::from(self.fill.used)
    }

    #[inline]
    fn slot(&self, at: usize) -> u16 {
        let memory = self.memory;
        let from = memory.len() - (at + 1) * SLOT_BYTES;
        u16::from_le_bytes([memory[from], memory[from + 1]])
    }

    /// Where the element at `at` begins.
    #[inline]
    fn start(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(before) => usize::from(self.slot(before) & END_MASK),
            None => 0,
        }
    }

    /// The form and the bytes of the element at `at`.
    #[inline]
    fn stored(&self, at: usize) -> (u16, &'a [u8]) {
        let memory = self.memory;
        let slots = &memory[memory.len() - (at + 1) * SLOT_BYTES..];
        // The slot of the element before it lies behind its own, and is read with it.
        let (slot, start) = match slots.first_chunk() {
            Some([low, high, low_before, high_before]) => (
                u16::from_le_bytes([*low, *high]),
                u16::from_le_bytes([*low_before, *high_before]) & END_MASK,
            ),
            None => (self.slot(at), 0),
        };
        let end = usize::from(slot & END_MASK);
        (slot & !END_MASK, &memory[usize::from(start)..end])
    }

    /// The bytes of some elements, and their slots.
    fn parts(&self, from: usize, to: usize) -> (&'a [u8], &'a [u8]) {
        let memory = self.memory;
        let slots = memory.len() - to * SLOT_BYTES..memory.len() - from * SLOT_BYTES;
        (&memory[self.start(from)..self.start(to)], &memory[slots])
    }
}

/// The last eight bytes as a word, or all in its upper part if they are fewer, and which bits of
/// the word that is.
#[inline]
fn last_word(bytes: &[u8]) -> (u64, u64) {
    match bytes.last_chunk() {
        Some(word) => (u64::from_le_bytes(*word), u64::MAX),
        None => {
            let beyond = u64::BITS - 8 * bytes.len() as u32;
            let shifted = |word: u64| word.checked_shl(beyond).unwrap_or(0);
            (shifted(short_word(bytes)), shifted(u64::MAX))
        }
    }
}

/// The bytes of an element that has a date, and the date.
#[inline]
fn split_date(bytes: &[u8]) -> (&[u8], u64) {
    match bytes.split_last_chunk::<DATE_BYTES>() {
        Some((bytes, [a, b, c, d, e, f])) => {
            (bytes, u64::from_le_bytes([*a, *b, *c, *d, *e, *f, 0, 0]))
        }
        None => (bytes, 0),
    }
}

/// Elements have moved by this many bytes, and so have the ends in their slots.
#[inline]
fn move_ends(slots: &mut [u8], moved: u16) {
    for slot in slots.chunks_exact_mut(SLOT_BYTES) {
        // An end stays within its bits, so that the form is not touched.
        let end = u16::from_le_bytes([slot[0], slot[1]]).wrapping_add(moved);
        slot.copy_from_slice(&end.to_le_bytes());
    }
}

/// What an allocator gives for this many bytes: a multiple of 16, and from 128 on one of four steps
/// to the next power of two.
pub const fn allocated(bytes: usize) -> usize {
    let step = if bytes <= 128 {
        16
    } else {
        bytes.next_power_of_two() / 8
    };
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(page: &Page) -> Vec<Vec<u8>> {
        let bytes = |at| match page.get(at) {
            Item::Text(text) => text.to_vec(),
            Item::Integer(integer) => integer.to_string().into_bytes(),
            Item::Place(place) => format!("at {place}").into_bytes(),
        };
        (0..page.len()).map(bytes).collect()
    }

    #[test]
    fn numbers_take_few_bytes_and_come_back() {
        let edges = (0..63).flat_map(|bits| [1_i64 << bits, (1 << bits) - 1]);
        let numbers = edges.flat_map(|number| [number, -number, !number]);
        for number in numbers.chain([i64::MAX, i64::MIN]) {
            let packed = Item::Integer(number).pack();
            assert_eq!(unpack(packed.bytes()), number);
            let text_len = number.to_string().len();
            assert!(packed.bytes().len() <= text_len, "{number}");
        }
    }

    #[test]
    fn memory_comes_in_the_steps_of_an_allocator() {
        let steps: [(usize, usize); 8] = [
            (24, 32),
            (128, 128),
            (129, 160),
            (256, 256),
            (257, 320),
            (1000, 1024),
            (1025, 1280),
            (8192, 8192),
        ];
        for (bytes, step) in steps {
            assert_eq!(allocated(bytes), step);
        }
    }

    fn element() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            3 => prop::collection::vec(any::<u8>(), 0..40),
            2 => any::<i16>().prop_map(|number| number.to_string().into_bytes()),
            1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_page_behaves_like_a_list(
            steps in prop::collection::vec(
                (any::<prop::sample::Index>(), 0_usize..3, prop::collection::vec(element(), 0..3)),
                0..80,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let (mut page, mut model) = (Page::of(&[]), Vec::new());
            let mut frozen = Vec::new();
            for (number, (at, removed, added)) in steps.into_iter().enumerate() {
                if number % 10 == 0 {
                    frozen.push((page.clone(), model.clone()));
                }
                let at = at.index(model.len() + 1);
                let removed = removed.min(model.len() - at);
                let items: Vec<_> = added.iter().map(|bytes| Item::of(bytes).pack()).collect();
                let cost = page.cost_after(at, removed, &items);
                page.splice(at, removed, &items);
                model.splice(at..at + removed, added);
                prop_assert_eq!(page.cost(), cost);
                prop_assert_eq!(bytes_of(&page), model.clone());
            }
            for (at, bytes) in model.iter().enumerate() {
                let first = model.iter().position(|other| other == bytes);
                prop_assert_eq!(page.position::<1>(&Item::of(bytes).pack()), first);
                prop_assert!(first <= Some(at));
            }
            let at = cut.index(model.len() + 1);
            let right = page.split_off(at, at);
            prop_assert_eq!(bytes_of(&page), model[..at].to_vec());
            prop_assert_eq!(bytes_of(&right), model[at..].to_vec());
            page.append(&right);
            prop_assert_eq!(bytes_of(&page), model);
            for (page, before) in frozen {
                prop_assert_eq!(bytes_of(&page), before);
            }
        }
    }
}
