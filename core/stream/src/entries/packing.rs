//! Which chunks are packed, and when.
//!
//! A stream that may have something to pack first waits for as long as its owner says. Then only
//! those chunks are packed that it had when the wait began: what is trimmed soon is never packed,
//! however fast entries come and go. The owner asks for jobs, runs them wherever and whenever it
//! likes, and hands them in. A chunk that was changed meanwhile stays as it is. The tail and the
//! full chunks right before it stay plain for clients that read what was just written. So do the
//! first two chunks of a stream that is trimmed, because each trim looks at the entry at its bound,
//! less than a node after the front. An append only notes that a chunk became full.

use std::collections::VecDeque;

use triomphe::Arc;

use super::{Block, Entries, Place, Slot};
use crate::StreamId;
use crate::chunk::Chunk;
use crate::limits::{PACKING_BACKOFF_MAX, PACKING_LOOKS_MAX, PLAIN_CHUNKS};
use crate::packed::{Packed, Stored};

/// How far packing has come.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    /// Chunks that begin up to here were looked at.
    through: StreamId,
    /// There may be something to pack.
    is_due: bool,
    /// Entries were removed at the front.
    is_trimmed: bool,
    /// How many of the last chunks did not get smaller; see [`PACKING_BACKOFF_MAX`].
    failed: u16,
    /// How many chunks are skipped before the next one is tried.
    skip: u16,
    /// The wait before something is packed, which few streams are in at a time.
    wait: Option<Box<Wait>>,
}

#[derive(Clone, Debug)]
struct Wait {
    until_ms: u64,
    /// The stream's last ID when the wait began: chunks above it have not waited yet.
    through: StreamId,
}

impl Packing {
    pub(super) const NONE: Packing = Packing {
        through: StreamId::MIN,
        is_due: false,
        is_trimmed: false,
        failed: 0,
        skip: 0,
        wait: None,
    };

    /// There is one more full chunk. `is_long`: there are more than those that stay plain.
    pub(super) fn note_sealed(&mut self, is_long: bool) {
        self.is_due |= is_long;
    }

    /// A chunk that was looked at is plain again, or may now become smaller.
    pub(super) fn note_changed(&mut self, first: StreamId) {
        self.through = self.through.min(first.previous().unwrap_or(StreamId::MIN));
        self.is_due = true;
    }
}

/// A chunk to be packed. It can be done in another thread than the one that owns the stream.
#[derive(Debug)]
pub struct PackJob {
    first: StreamId,
    chunk: Arc<Chunk>,
    packed: Option<Packed>,
}

impl PackJob {
    /// Does the work; some 20 microseconds.
    pub fn run(&mut self) {
        self.packed = Packed::of(&self.chunk);
    }
}

impl Entries {
    /// Returns whether [`Entries::packing_jobs`] may have something to do.
    #[inline]
    pub fn wants_packing(&self) -> bool {
        self.packing.is_due
    }

    /// Returns whether there may be something to pack that does not wait yet.
    #[inline]
    pub fn has_to_wait_for_packing(&self) -> bool {
        self.packing.is_due && self.packing.wait.is_none()
    }

    /// Lets what there is to pack up to the entry `through` wait until then, in milliseconds since
    /// the epoch.
    pub fn wait_for_packing(&mut self, until_ms: u64, through: StreamId) {
        self.packing.wait = Some(Box::new(Wait { until_ms, through }));
    }

    /// Until when something waits to be packed, in milliseconds since the epoch.
    #[inline]
    pub fn packing_due_ms(&self) -> Option<u64> {
        let wait = self.packing.wait.as_ref();
        wait.map(|wait| wait.until_ms)
    }

    /// Ends the wait. Returns up to where something waited.
    pub fn end_wait_for_packing(&mut self) -> Option<StreamId> {
        let wait = self.packing.wait.take();
        wait.map(|wait| wait.through)
    }

    /// Returns whether [`Entries::packing_jobs`] may find something, now and with this bound.
    pub fn wants_packing_through(&self, through: StreamId) -> bool {
        let next = self.next_to_look_at();
        let next = next.and_then(|place| slot(&self.blocks, place));
        self.packing.is_due && next.is_none_or(|slot| slot.first <= through)
    }

    /// The next chunks to be packed, at most this many, of those that begin at `through` or below.
    /// There may be more as long as [`Entries::wants_packing_through`] says so.
    pub fn packing_jobs(&mut self, chunks_max: usize, through: StreamId) -> Vec<PackJob> {
        let mut jobs = Vec::new();
        let Some(end) = self.packing_end() else {
            self.packing.is_due = false;
            return jobs;
        };
        let mut place = self.next_to_look_at();
        let front = self.packing.is_trimmed.then(|| self.front_places());
        let chunks_max = if self.packing.failed > 0 {
            1
        } else {
            chunks_max
        };
        let mut looks = 0..PACKING_LOOKS_MAX;
        while jobs.len() < chunks_max && looks.next().is_some() {
            let Some((at, slot)) = place
                .filter(|&place| place < end)
                .and_then(|place| Some((place, slot(&self.blocks, place)?)))
            else {
                self.packing.is_due = false;
                return jobs;
            };
            if slot.first > through {
                return jobs;
            }
            self.packing.through = slot.first;
            place = self.place_after(at);
            let is_front = front.is_some_and(|places| places.contains(&Some(at)));
            let is_kept = slot.is_incompressible || is_front;
            let Stored::Plain(chunk) = &slot.chunk else {
                continue;
            };
            if is_kept {
                continue;
            }
            if let Some(skip) = self.packing.skip.checked_sub(1) {
                self.packing.skip = skip;
                continue;
            }
            jobs.push(PackJob {
                first: slot.first,
                chunk: chunk.clone(),
                packed: None,
            });
        }
        jobs
    }

    /// Accepts the result of [`PackJob::run`], unless the chunk has been changed or removed since.
    pub fn finish_packing(&mut self, job: &mut PackJob) {
        let Some(place) = self.place_of(job.first) else {
            return;
        };
        let Some(block) = self.blocks.get_mut(place.block) else {
            return;
        };
        let is_same = block.slots.get(place.slot).is_some_and(
            |slot| matches!(&slot.chunk, Stored::Plain(chunk) if Arc::ptr_eq(chunk, &job.chunk)),
        );
        if !is_same {
            return;
        }
        let Some(slot) = Arc::make_mut(&mut block.slots).get_mut(place.slot) else {
            return;
        };
        let packing = &mut self.packing;
        if let Some(packed) = job.packed.take() {
            slot.chunk = Stored::Packed(Arc::new(packed));
            (packing.failed, packing.skip) = (0, 0);
            self.weigh(place);
        } else {
            slot.is_incompressible = true;
            packing.failed = (packing.failed + 1).min(PACKING_BACKOFF_MAX);
            packing.skip = (1 << packing.failed) - 1;
        }
    }

    /// Packs all that can be packed, here and now.
    pub fn pack(&mut self) {
        while self.wants_packing() {
            for mut job in self.packing_jobs(usize::MAX, StreamId::MAX) {
                job.run();
                self.finish_packing(&mut job);
            }
        }
    }

    /// Notes that entries were removed at the front, and makes the chunks that are now the first
    /// ones plain.
    pub(super) fn keep_front_plain(&mut self) {
        self.packing.is_trimmed = true;
        for place in self.front_places().into_iter().flatten() {
            if let Some(block) = self.blocks.get_mut(place.block)
                && block
                    .slots
                    .get(place.slot)
                    .is_some_and(|slot| slot.chunk.is_packed())
                && let Some(slot) = Arc::make_mut(&mut block.slots).get_mut(place.slot)
            {
                slot.chunk.chunk_mut();
                self.weigh(place);
            }
        }
    }

    /// The chunks that trims look at.
    fn front_places(&self) -> [Option<Place>; 2] {
        [Some(Place::FIRST), self.place_after(Place::FIRST)]
    }

    /// The first chunk that was not looked at.
    fn next_to_look_at(&self) -> Option<Place> {
        match self.place_of(self.packing.through) {
            Some(through) => self.place_after(through),
            None => Some(Place::FIRST),
        }
    }

    /// The first of the chunks that stay plain because they are close to the tail.
    fn packing_end(&self) -> Option<Place> {
        let mut place = self.tail_place();
        for _ in 0..PLAIN_CHUNKS {
            place = self.place_before(place)?;
        }
        Some(place)
    }
}

/// The full chunk at that place.
fn slot(blocks: &VecDeque<Block>, place: Place) -> Option<&Slot> {
    blocks.get(place.block)?.slots.get(place.slot)
}
