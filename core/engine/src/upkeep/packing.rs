//! Handing out the packing of streams, and taking it in again.

use stream::{Stream, StreamId};
use values::Key;

use crate::Engine;
use crate::limits::{PACKING_BATCH_CHUNKS_MAX, PACKING_LOOKS_MAX};
use crate::store::packing::{PackingBatch, Waiting};
use crate::time::{Mono, Now};
impl Engine {
    /// How many places there are in the queue of streams that may have chunks to pack.
    pub fn packing_queue_len(&self) -> usize {
        self.data.packing.waiting.len()
    }

    /// Returns whether a stream has waited long enough.
    pub fn is_packing_due(&self, now: Now) -> bool {
        let first = self.data.packing.waiting.front();
        self.data.stream_compress && first.is_some_and(|waiting| waiting.due <= now.mono)
    }

    /// Takes the next chunks to be packed, if any are found at once; where there are none,
    /// [`Engine::is_packing_due`] tells whether to look again. They stay readable and may be
    /// changed until [`Engine::end_packing`].
    pub fn begin_packing(&mut self, now: Now) -> Option<PackingBatch> {
        for _ in 0..PACKING_LOOKS_MAX {
            if !self.is_packing_due(now) {
                return None;
            }
            let waiting = self.data.packing.waiting.pop_front()?;
            let Waiting {
                through,
                database,
                key,
                ticket,
                ..
            } = waiting;
            let keyspace = &mut self.data.keyspace;
            let Some(database) = keyspace.queued_in(database, &key, ticket) else {
                continue;
            };
            let hash = keyspace.hash(&key);
            let Some(record) = keyspace.find_mut(database, hash, &key) else {
                continue;
            };
            let Some(stream) = record.value.get_mut::<Stream>() else {
                continue;
            };
            let jobs = stream.packing_jobs(PACKING_BATCH_CHUNKS_MAX, through);
            record.set_packing_ticket(None);
            if !jobs.is_empty() {
                return Some(PackingBatch {
                    database,
                    key,
                    through,
                    jobs,
                });
            }
            self.pack_more(database, &key, through, now);
        }
        None
    }

    /// Packs everything, however new: while an engine is filled, before it serves anybody.
    pub(crate) fn pack_all(&mut self) {
        let end_of_time = Now {
            mono: Mono(u64::MAX),
            ..Now::default()
        };
        while self.is_packing_due(end_of_time) {
            if let Some(mut batch) = self.begin_packing(end_of_time) {
                batch.run();
                self.end_packing(&mut batch, end_of_time);
            }
        }
    }

    /// Takes in what was packed. What is left of the batch is memory to be freed, better without a
    /// lock.
    pub fn end_packing(&mut self, batch: &mut PackingBatch, now: Now) {
        let hash = self.data.keyspace.hash(&batch.key);
        let record = self
            .data
            .keyspace
            .find_mut(batch.database, hash, &batch.key);
        if let Some(record) = record
            && let Some(stream) = record.value.get_mut::<Stream>()
        {
            for job in &mut batch.jobs {
                stream.finish_packing(job);
            }
        }
        self.pack_more(batch.database, &batch.key, batch.through, now);
    }

    /// Lets a stream that has more to pack wait at the end of the queue: no longer than it takes,
    /// for what has waited before.
    fn pack_more(&mut self, database: u16, key: &Key, through: StreamId, now: Now) {
        let hash = self.data.keyspace.hash(key);
        if let Some(record) = self.data.keyspace.find(database, hash, key)
            && let Some(stream) = record.value().get::<Stream>()
        {
            if stream.entries().wants_packing_through(through) {
                self.data.packing.push(database, record, through, now.mono);
            } else {
                self.data.packing.note(database, record, now);
            }
        }
    }
}
