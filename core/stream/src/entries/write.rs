//! Entries of a range as RESP: the first of them at once, and, if there are many, the rest as a run
//! that is rendered when it is sent.

use resp::{Mark, Reply, SHARED_LATE_BYTES};

use super::run::{Direction, EntryRun};
use super::{Entries, Place};
use crate::StreamId;
use crate::limits::{DEFERRED_BYTES_MIN, DEFERRED_LATE_ENTRIES_MIN};
use crate::packed::Unpacked;
use crate::range::EntryRef;
use crate::render::Renderer;

/// What was written of a range.
pub(super) struct Written {
    /// How many entries.
    pub(super) count: u64,
    /// Where the entries begin (or end, if written downwards) that are still to be written, if any.
    pub(super) rest: Option<StreamId>,
}

/// Why no more entries are written into the same buffer.
enum Stop<'e> {
    /// There are no more, or no more are wanted.
    End,
    /// Enough bytes were written; this is the rest.
    Full(Option<StreamId>),
    /// The next chunk is one large entry, to be referred to.
    LargeAt(Place),
    /// This entry is large.
    Large(EntryRef<'e>),
}

/// About how many bytes will be written behind a chunk of some entries and bytes, if `left` entries
/// are left, and no chunk is written after `bytes_max` bytes.
#[inline]
fn expected((entries, bytes): (u64, usize), left: u64, bytes_max: usize) -> usize {
    let all = (bytes as u64).saturating_mul(left) / entries.max(1);
    usize::try_from(all)
        .unwrap_or(usize::MAX)
        .min(bytes_max + bytes)
}

impl Entries {
    /// Writes the entries from `start` to `end`, both included, lowest first and at most `limit`:
    /// each as `[id, [name, value, …]]`. Returns how many, including those that will be written
    /// when the reply is sent. Chunks that have to be unpacked are looked for in `unpacked`, and
    /// left there.
    pub fn write_range(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
    ) -> u64 {
        let begun = reply.mark();
        let bytes_max = self.written_at_once(start, end, limit, reply);
        let written = self.write_up(start, end, limit, bytes_max, unpacked, reply, |_| {});
        let Some(next) = written.rest else {
            return written.count;
        };
        let (left, end) = self.lowest(next, end, limit - written.count);
        self.write_later(Direction::Up, (next, end), left, &written, begun, reply)
    }

    /// The same, and reports the ID of each entry.
    #[inline]
    pub fn write_range_noting(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
        mut note: impl FnMut(StreamId),
    ) -> u64 {
        let begun = reply.mark();
        let bytes_max = self.written_at_once(start, end, limit, reply);
        let written = self.write_up(start, end, limit, bytes_max, unpacked, reply, &mut note);
        let Some(next) = written.rest else {
            return written.count;
        };
        let (left, end) = self.note_range(next, end, limit - written.count, unpacked, note);
        self.write_later(Direction::Up, (next, end), left, &written, begun, reply)
    }

    /// As [`Entries::write_range`], highest first.
    pub fn write_range_reverse(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        reply: &mut Reply,
    ) -> u64 {
        let begun = reply.mark();
        let bytes_max = self.written_at_once(start, end, limit, reply);
        let written = self.write_down(start, end, limit, bytes_max, reply);
        let Some(next) = written.rest else {
            return written.count;
        };
        let (left, start) = self.highest(start, next, limit - written.count);
        self.write_later(Direction::Down, (start, next), left, &written, begun, reply)
    }

    /// Leaves `left` entries between two IDs to be rendered when the reply is sent, behind what was
    /// written since `begun`. Returns how many there are together.
    #[cold]
    fn write_later(
        &self,
        direction: Direction,
        ends: (StreamId, StreamId),
        left: u64,
        written: &Written,
        begun: Mark,
        reply: &mut Reply,
    ) -> u64 {
        let so_far = (written.count, reply.len_since(begun));
        reply.run(Box::new(EntryRun::new(self, direction, ends, left, so_far)));
        written.count + left
    }

    /// From how many bytes on the rest of the entries is rendered later. A reply that is already
    /// long takes only a few more at once.
    #[inline]
    fn written_at_once(&self, start: StreamId, end: StreamId, limit: u64, reply: &Reply) -> usize {
        // Counting looks into the chunks at both ends, which takes longer than writing a few
        // entries.
        if reply.copied() < SHARED_LATE_BYTES || limit < DEFERRED_LATE_ENTRIES_MIN {
            return DEFERRED_BYTES_MIN;
        }
        let count = limit.min(self.count_between(start, end));
        match count < DEFERRED_LATE_ENTRIES_MIN {
            true => DEFERRED_BYTES_MIN,
            false => 0,
        }
    }

    /// Writes entries lowest first, until there are none or about this many bytes.
    #[expect(
        clippy::too_many_arguments,
        reason = "a range, what bounds it, and where it goes"
    )]
    #[inline]
    pub(super) fn write_up(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        bytes_max: usize,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
        mut note: impl FnMut(StreamId),
    ) -> Written {
        let mut left = limit;
        let mut next = Some(self.place_from(start));
        if bytes_max == 0 {
            let rest = Some(start);
            return Written { count: 0, rest };
        }
        let begun = reply.mark();
        loop {
            let before = reply.len_since(begun);
            let stop = reply.raw_with(|out| {
                let mut renderer = Renderer::new(out);
                let mut stop = Stop::End;
                'chunks: while let Some(place) = next
                    && let Some(opened) = self.open_in(place, unpacked)
                {
                    if opened.is_lent_large() {
                        stop = Stop::LargeAt(place);
                        break;
                    }
                    let chunk = &*opened;
                    let (left_before, len_before) = (left, renderer.len());
                    let mut at = chunk.seek(start).0;
                    while let Some(head) = chunk.live_from(at) {
                        if left == 0 || head.id > end {
                            break 'chunks;
                        }
                        at = renderer.entry(chunk, &head);
                        note(head.id);
                        left -= 1;
                    }
                    next = self.place_after(place);
                    // A reader that follows the stream needs no more than what the last chunk has.
                    let behind = next.and_then(|next| self.first_at(next));
                    let Some(behind) = behind.filter(|behind| *behind <= end) else {
                        break;
                    };
                    let written = before + renderer.len();
                    if written >= bytes_max {
                        stop = Stop::Full(Some(behind));
                        break;
                    }
                    let in_chunk = (left_before - left, renderer.len() - len_before);
                    renderer.reserve(expected(in_chunk, left.min(self.len), bytes_max - written));
                }
                renderer.finish();
                stop
            });
            let rest = match stop {
                Stop::LargeAt(place) => {
                    for entry in self.entries_at(place, start) {
                        if left == 0 || entry.id() > end {
                            break;
                        }
                        entry.write(reply);
                        note(entry.id());
                        left -= 1;
                    }
                    next = self.place_after(place);
                    match reply.len_since(begun) < bytes_max {
                        true => continue,
                        false => next.and_then(|next| self.first_at(next)),
                    }
                }
                Stop::Full(rest) => rest,
                Stop::End | Stop::Large(_) => None,
            };
            return Written {
                count: limit - left,
                rest: rest.filter(|rest| left > 0 && *rest <= end),
            };
        }
    }

    /// Writes entries highest first, until there are none or about this many bytes.
    pub(super) fn write_down(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        bytes_max: usize,
        reply: &mut Reply,
    ) -> Written {
        let mut count = 0;
        if bytes_max == 0 {
            let rest = Some(end);
            return Written { count, rest };
        }
        let mut range = self.range_reverse(start, end);
        let begun = reply.mark();
        let rest = loop {
            let before = reply.len_since(begun);
            let stop = reply.raw_with(|out| {
                let mut renderer = Renderer::new(out);
                let mut stop = Stop::End;
                while count < limit
                    && let Some((chunk, head)) = range.next_in_chunk()
                {
                    if chunk.is_lent_large() {
                        stop = Stop::Large(EntryRef::new(chunk.clone(), head));
                        break;
                    }
                    renderer.entry(chunk, &head);
                    count += 1;
                    if before + renderer.len() >= bytes_max {
                        stop = Stop::Full(head.id.previous());
                        break;
                    }
                }
                renderer.finish();
                stop
            });
            match stop {
                Stop::Large(entry) => {
                    entry.write(reply);
                    count += 1;
                    if reply.len_since(begun) >= bytes_max {
                        break entry.id().previous();
                    }
                }
                Stop::Full(rest) => break rest,
                Stop::End | Stop::LargeAt(_) => break None,
            }
        };
        Written {
            count,
            rest: rest.filter(|rest| count < limit && *rest >= start),
        }
    }

    /// Calls `note` with the IDs of a range. Returns how many there are, and the last of them.
    fn note_range(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        mut note: impl FnMut(StreamId),
    ) -> (u64, StreamId) {
        let (mut left, mut last) = (limit, start);
        let mut next = Some(self.place_from(start));
        while let Some(place) = next
            && let Some(chunk) = self.open_in(place, unpacked)
        {
            let mut at = chunk.seek(start).0;
            while let Some(head) = chunk.live_from(at) {
                if left == 0 || head.id > end {
                    return (limit - left, last);
                }
                at = chunk.end(&head);
                last = head.id;
                note(last);
                left -= 1;
            }
            next = self.place_after(place);
        }
        (limit - left, last)
    }

    /// The live entries of the chunk at this place, from an ID on.
    fn entries_at(&self, place: Place, start: StreamId) -> impl Iterator<Item = EntryRef<'_>> {
        let chunk = self.chunk(place);
        let mut at = chunk.as_ref().map_or(0, |chunk| chunk.seek(start).0);
        std::iter::from_fn(move || {
            let chunk = chunk.as_ref()?;
            let head = chunk.live_from(at)?;
            at = chunk.end(&head);
            Some(EntryRef::new(chunk.clone(), head))
        })
    }
}
