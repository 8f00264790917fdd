//! Handing out the packing of streams, and taking it in again.

use stream::Stream;

use crate::Engine;
use crate::store::packing::PackingBatch;
use crate::time::{Now, UnixMs};

impl Engine {
    /// How many batches of chunks are held to be packed.
    pub fn packing_queue_len(&self) -> usize {
        self.data.packing.len()
    }

    /// Takes the next chunks to be packed. They stay readable and may be changed until
    /// [`Engine::end_packing`].
    pub fn begin_packing(&mut self) -> Option<PackingBatch> {
        self.data.packing.pop()
    }

    /// Takes in what was packed, and prepares the next batch of the stream if more of it has
    /// waited. What is left of the batch is memory to be freed, better without a lock. Chunks of a
    /// stream that has moved since stay plain until they are changed or loaded.
    pub fn end_packing(&mut self, batch: &mut PackingBatch, now: Now) {
        let data = &mut self.data;
        let hash = data.keyspace.hash(&batch.key);
        let (database, through) = (batch.database, batch.through);
        let (queue, is_wanted) = (&mut data.packing, data.stream_compress);
        data.keyspace.edit(database, hash, &batch.key, |record| {
            let Some(stream) = record.value.get_mut::<Stream>() else {
                return;
            };
            for job in &mut batch.jobs {
                stream.finish_packing(job);
            }
            if is_wanted {
                queue.add(stream, (database, &batch.key), through, now);
            }
        });
    }

    /// Packs everything that waits up to that time: while an engine is filled, before it serves
    /// anybody.
    pub(crate) fn pack_all(&mut self, at: UnixMs) {
        for due in self.data.keyspace.due_by(at) {
            let record = self.data.keyspace.find_due(due);
            if record.value().get::<Stream>().is_none() {
                continue;
            }
            self.data
                .keyspace
                .edit_due(due, UnixMs(i64::MIN), |record| {
                    if let Some(stream) = record.value.get_mut::<Stream>() {
                        stream.pack();
                    }
                });
        }
    }
}
