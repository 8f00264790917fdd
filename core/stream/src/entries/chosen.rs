//! Entries of a reply that are chosen one by one, because a consumer has them pending or claims
//! them. The first of them are written at once; if there are many, the rest become runs that are
//! rendered when they are sent.

use resp::{Kept, Parts, Protocol, RUN_STEP_BYTES, Reply, Run, SHARED_LATE_BYTES};

use super::{Block, Entries};
use crate::StreamId;
use crate::id::ID_TEXT_BYTES_MAX;
use crate::limits::{CHOSEN_RUN_ENTRIES_MAX, DEFERRED_BYTES_MIN, DEFERRED_LATE_BYTES_MIN};
use crate::range::{EntryRef, bulk_bytes};

/// An entry of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its ID.
    pub id: StreamId,
    /// How it was pending until now, if the reply tells that.
    pub past: Option<Past>,
}

/// How an entry was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// For how long it was idle, in milliseconds; -1 if it was given back.
    pub idle_ms: i64,
    /// How often it was delivered.
    pub deliveries: i64,
}

impl Chosen {
    /// Writes `[id, fields]` or `[id, fields, idle time, deliveries]`; for an entry that is gone,
    /// `[id, null]`.
    pub fn write(&self, entry: Option<&EntryRef<'_>>, reply: &mut Reply) {
        let mut id_text = [0; ID_TEXT_BYTES_MAX];
        match (entry, self.past) {
            (Some(entry), None) => entry.write(reply),
            (Some(entry), Some(past)) => {
                reply.array(4);
                reply.bulk(self.id.write_text(&mut id_text));
                entry.write_fields(reply);
                reply.int(past.idle_ms);
                reply.int(past.deliveries);
            }
            (None, _) => {
                reply.array(2);
                reply.bulk(self.id.write_text(&mut id_text));
                reply.null_array();
            }
        }
    }

    /// How many bytes [`Chosen::write`] writes.
    pub fn reply_bytes(&self, entry: Option<&EntryRef<'_>>, protocol: Protocol) -> usize {
        let id_bytes = self.id.write_text(&mut [0; ID_TEXT_BYTES_MAX]).len();
        let head = b"*2\r\n".len() + bulk_bytes(id_bytes);
        let int = |number: i64| b":\r\n".len() + itoa::Buffer::new().format(number).len();
        match (entry, self.past) {
            (Some(entry), None) => head + entry.fields_bytes(),
            (Some(entry), Some(past)) => {
                head + entry.fields_bytes() + int(past.idle_ms) + int(past.deliveries)
            }
            (None, _) => match protocol {
                Protocol::Resp2 => head + b"*-1\r\n".len(),
                Protocol::Resp3 => head + b"_\r\n".len(),
            },
        }
    }
}

/// Writes chosen entries. Whoever has written the last of them calls [`ChosenWriter::finish`].
#[derive(Debug)]
pub struct ChosenWriter {
    /// From how many bytes on entries are left to be rendered later.
    at_once: usize,
    /// What was written at once: entries and their bytes.
    count: usize,
    bytes: usize,
    /// Those of the next run.
    later: Vec<Chosen>,
}

impl ChosenWriter {
    /// Begins with the next entry of the reply.
    #[inline]
    pub fn new(reply: &Reply) -> ChosenWriter {
        ChosenWriter {
            at_once: match reply.copied() < SHARED_LATE_BYTES {
                true => DEFERRED_BYTES_MIN,
                false => DEFERRED_LATE_BYTES_MIN,
            },
            count: 0,
            bytes: 0,
            later: Vec::new(),
        }
    }

    /// Writes one more, found in `entries` as `entry`. Nothing is written if the reply is full.
    #[inline]
    pub fn write(
        &mut self,
        entries: &Entries,
        chosen: Chosen,
        entry: Option<&EntryRef<'_>>,
        reply: &mut Reply,
    ) {
        if reply.is_full() {
            return;
        }
        if self.bytes < self.at_once {
            let start = reply.mark();
            chosen.write(entry, reply);
            self.bytes += reply.len_since(start);
            self.count += 1;
            return;
        }
        self.later.push(chosen);
        if self.later.len() == CHOSEN_RUN_ENTRIES_MAX {
            self.finish(entries, reply);
        }
    }

    /// Makes a run of those that are still to be written.
    pub fn finish(&mut self, entries: &Entries, reply: &mut Reply) {
        let later = std::mem::take(&mut self.later);
        let ids = || later.iter().map(|chosen| chosen.id);
        if let (Some(first), Some(last)) = (ids().min(), ids().max())
            && !reply.is_full()
        {
            reply.run(Box::new(ChosenRun {
                view: entries.view(first, last),
                entry_bytes: self.bytes / self.count.max(1),
                chosen: later,
                next: 0,
            }));
        }
    }
}

/// Entries as they were when they were chosen.
#[derive(Debug)]
struct ChosenRun {
    view: Entries,
    chosen: Vec<Chosen>,
    /// The next to be written.
    next: usize,
    /// About how many bytes one has in the reply.
    entry_bytes: usize,
}

impl Run for ChosenRun {
    fn write_some(&mut self, reply: &mut Reply) {
        let start = reply.mark();
        let mut look = self.view.look_up();
        for chosen in &self.chosen[self.next..] {
            chosen.write(look.entry(chosen.id).as_ref(), reply);
            self.next += 1;
            if reply.len_since(start) >= RUN_STEP_BYTES {
                break;
            }
        }
    }

    fn bytes_left(&self) -> usize {
        let left = self.chosen.len() - self.next;
        left.saturating_mul(self.entry_bytes.max(1))
    }

    fn own_bytes(&self) -> usize {
        size_of::<ChosenRun>()
            + self.chosen.capacity() * size_of::<Chosen>()
            + self.view.blocks.capacity() * size_of::<Block>()
    }

    fn refers_to<'r>(&'r self, see: &mut dyn FnMut(Kept, Option<&'r dyn Parts>)) {
        self.view.refers_to(see);
    }
}
