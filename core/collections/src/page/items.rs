//! A walk over the elements of a page: each begins where the one before it ends.

use super::{Content, END_MASK, Item, SLOT_BYTES, item};

/// Some elements of a page, in both directions.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    memory: &'a [u8],
    /// The slots of those that are left, the last one first.
    slots: &'a [u8],
    /// Where the first of these begins.
    start: usize,
}

impl<'a> Content<'a> {
    /// The elements from `from` on, before `to`, which are there.
    #[inline]
    pub(crate) fn items(&self, from: usize, to: usize) -> Items<'a> {
        let memory = self.memory;
        Items {
            memory,
            slots: &memory[memory.len() - to * SLOT_BYTES..memory.len() - from * SLOT_BYTES],
            start: self.start(from),
        }
    }
}

impl Items<'_> {
    pub(crate) const NONE: Items<'static> = Items {
        memory: &[],
        slots: &[],
        start: 0,
    };
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Item<'a>> {
        let (rest, slot) = self.slots.split_last_chunk()?;
        self.slots = rest;
        let slot = u16::from_le_bytes(*slot);
        let end = usize::from(slot & END_MASK);
        let bytes = &self.memory[self.start..end];
        self.start = end;
        Some(item(slot & !END_MASK, bytes))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.slots.len() / SLOT_BYTES;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Items<'_> {
    #[inline(always)]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (slot, rest) = self.slots.split_first_chunk()?;
        self.slots = rest;
        let start = match rest.first_chunk() {
            Some(before) => usize::from(u16::from_le_bytes(*before) & END_MASK),
            None => self.start,
        };
        let slot = u16::from_le_bytes(*slot);
        let bytes = &self.memory[start..usize::from(slot & END_MASK)];
        Some(item(slot & !END_MASK, bytes))
    }
}

impl ExactSizeIterator for Items<'_> {}
