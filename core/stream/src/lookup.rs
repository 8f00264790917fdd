//! Looking up entries by ID, one after the other.
//!
//! Who goes through a list of IDs mostly meets neighbours. A [`Lookup`] keeps the chunk open that it looked
//! at last, so that a packed one is unpacked once and not for each of them.

use crate::StreamId;
use crate::entries::{Entries, Place};
use crate::packed::Opened;
use crate::range::EntryRef;

/// Looks entries up; remembers where it was.
#[derive(Clone, Debug)]
pub struct Lookup<'e> {
    entries: &'e Entries,
    /// The last chunk and where it is.
    open: Option<(Place, Opened<'e>)>,
}

impl<'e> Lookup<'e> {
    #[inline]
    pub(crate) fn new(entries: &'e Entries) -> Lookup<'e> {
        Lookup {
            entries,
            open: None,
        }
    }

    /// The entry with this ID.
    #[inline]
    pub fn entry(&mut self, id: StreamId) -> Option<EntryRef<'e>> {
        let chunk = self.chunk(id)?;
        let head = chunk.find(id)?;
        Some(EntryRef::new(chunk.clone(), head))
    }

    /// Whether there is an entry with this ID.
    #[inline]
    pub fn contains(&mut self, id: StreamId) -> bool {
        self.chunk(id).is_some_and(|chunk| chunk.find(id).is_some())
    }

    /// The chunk that an entry with this ID must be in.
    #[inline]
    fn chunk(&mut self, id: StreamId) -> Option<&Opened<'e>> {
        let place = self.entries.place_of(id)?;
        if self.open.as_ref().is_none_or(|(open, _)| *open != place) {
            let spare = self.open.take().and_then(|(_, chunk)| chunk.into_spare());
            self.open = Some((place, self.entries.open(place, spare)?));
        }
        self.open.as_ref().map(|(_, chunk)| chunk)
    }
}
