//! Looking up entries by ID, one after the other.
//!
//! The IDs in a list are mostly neighbours. A [`Lookup`] keeps the chunk open that it looked at
//! last, so that a packed one is unpacked once and not for each ID. If the IDs jump about, it keeps
//! more chunks, up to a bound.

use std::collections::BTreeMap;

use triomphe::Arc;

use crate::StreamId;
use crate::chunk::Chunk;
use crate::entries::{Entries, Place};
use crate::limits::LOOKUP_CHUNKS_MAX;
use crate::packed::Opened;
use crate::range::EntryRef;

/// Looks entries up; remembers where it was.
#[derive(Clone, Debug)]
pub struct Lookup<'e> {
    entries: &'e Entries,
    /// The last chunk and where it is.
    open: Option<(Place, Opened<'e>)>,
    /// Chunks that were unpacked before; used once a lookup has gone back.
    kept: BTreeMap<Place, Arc<Chunk>>,
    has_gone_back: bool,
}

impl<'e> Lookup<'e> {
    #[inline]
    pub(crate) fn new(entries: &'e Entries) -> Lookup<'e> {
        Lookup {
            entries,
            open: None,
            kept: BTreeMap::new(),
            has_gone_back: false,
        }
    }

    /// The entry with this ID.
    #[inline]
    pub fn entry(&mut self, id: StreamId) -> Option<EntryRef<'e>> {
        let chunk = self.chunk(id)?;
        let head = chunk.find(id)?;
        Some(EntryRef::new(chunk.clone(), head))
    }

    /// Returns whether there is an entry with this ID.
    #[inline]
    pub fn contains(&mut self, id: StreamId) -> bool {
        self.chunk(id).is_some_and(|chunk| chunk.find(id).is_some())
    }

    /// The chunk that an entry with this ID must be in.
    #[inline]
    fn chunk(&mut self, id: StreamId) -> Option<&Opened<'e>> {
        let place = self.entries.place_of(id)?;
        if self.open.as_ref().is_none_or(|(open, _)| *open != place) {
            let spare = self.open.take().and_then(|(last, chunk)| {
                self.has_gone_back |= last > place;
                self.keep(last, chunk.into_spare()?)
            });
            let opened = match self.kept.remove(&place) {
                Some(chunk) => Opened::Own(chunk),
                None => self.entries.open(place, spare)?,
            };
            self.open = Some((place, opened));
        }
        self.open.as_ref().map(|(_, chunk)| chunk)
    }

    /// Keeps an unpacked chunk if it may be asked for again. Returns one that is no longer needed.
    fn keep(&mut self, place: Place, chunk: Arc<Chunk>) -> Option<Arc<Chunk>> {
        if !self.has_gone_back {
            return Some(chunk);
        }
        self.kept.insert(place, chunk);
        if self.kept.len() <= LOOKUP_CHUNKS_MAX {
            return None;
        }
        self.kept.pop_first().map(|(_, chunk)| chunk)
    }
}
