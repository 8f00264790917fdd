//! Packing the full chunks of streams, beside everything else.
//!
//! A stream that may have chunks to pack waits for a moment, which is part of its own deadline.
//! Then the chunks that have waited are taken as a [`PackingBatch`]. The engine's driver does the
//! work anywhere (the server does it on a separate thread, without the lock), and gives the batch
//! back. Packing is not an effect: apart from the memory used, nothing that a client, a replay or a
//! file can see depends on it.

use std::collections::VecDeque;

use stream::{PackJob, Stream, StreamId};
use values::{Key, Value};

use crate::limits::{PACKING_BATCH_CHUNKS_MAX, PACKING_CHUNK_US, PACKING_CHUNKS_MAX};
use crate::limits::{PACKING_DELAY_MS, PACKING_RETRY_MS};
use crate::time::Now;

/// Chunks that the driver has not taken yet, to be packed.
#[derive(Debug, Default)]
pub(crate) struct PackingQueue {
    batches: VecDeque<PackingBatch>,
    chunks: usize,
    /// When, in microseconds since the epoch, those are packed that were told to come again.
    busy_until_us: u64,
}

/// Some chunks of one stream, to be packed.
#[derive(Debug)]
pub struct PackingBatch {
    pub(crate) database: u16,
    pub(crate) key: Key,
    /// Chunks of the stream that begin after this entry have not waited yet.
    pub(crate) through: StreamId,
    pub(crate) jobs: Vec<PackJob>,
}

impl PackingBatch {
    /// Does the work: some 20 microseconds for each of at most [`PACKING_BATCH_CHUNKS_MAX`] chunks.
    pub fn run(&mut self) {
        for job in &mut self.jobs {
            job.run();
        }
    }
}

impl PackingQueue {
    /// How many batches nobody has taken yet.
    pub(crate) fn len(&self) -> usize {
        self.batches.len()
    }

    /// Adds the next chunks of a stream, which have waited up to the entry `through`. If it has no
    /// such chunk, others may wait.
    pub(crate) fn add(
        &mut self,
        stream: &mut Stream,
        (database, key): (u16, &Key),
        through: StreamId,
        now: Now,
    ) {
        let jobs = stream.packing_jobs(PACKING_BATCH_CHUNKS_MAX, through);
        if !jobs.is_empty() {
            self.chunks += jobs.len();
            self.batches.push_back(PackingBatch {
                database,
                key: key.clone(),
                through,
                jobs,
            });
        } else if stream.entries().wants_packing_through(through) {
            // It has looked at as many as it may at a time.
            stream.wait_longer_for_packing(now.stream_ms(), through);
        } else {
            wait_for_packing(stream, now);
        }
    }

    /// Does what a stream has waited for: takes its chunks, or lets it come again if there is no
    /// room for them.
    pub(crate) fn waited(&mut self, stream: &mut Stream, of: (u16, &Key), now: Now) {
        let Some(through) = stream.end_wait_for_packing() else {
            return;
        };
        if self.chunks < PACKING_CHUNKS_MAX {
            self.add(stream, of, through, now);
        } else {
            stream.wait_longer_for_packing(self.come_again_ms(now), through);
        }
    }

    /// Takes the chunks that were added first.
    pub(crate) fn pop(&mut self) -> Option<PackingBatch> {
        let batch = self.batches.pop_front()?;
        self.chunks -= batch.jobs.len();
        Some(batch)
    }

    /// When a stream is to come again that finds the queue full, in milliseconds since the epoch.
    /// Each comes behind those that were sent away before, so that few of them come in vain.
    fn come_again_ms(&mut self, now: Now) -> u64 {
        let soon_us = (now.stream_ms() + PACKING_RETRY_MS).saturating_mul(1000);
        let busy_until_us = self.busy_until_us.saturating_add(PACKING_CHUNK_US);
        self.busy_until_us = busy_until_us.max(soon_us);
        self.busy_until_us / 1000
    }
}

/// Lets a stream that may have chunks to pack wait for a moment, unless it does already.
#[inline]
pub(crate) fn wait_for_packing(stream: &mut Stream, now: Now) {
    if stream.has_to_wait_for_packing() {
        stream.wait_for_packing(now.stream_ms().saturating_add(PACKING_DELAY_MS));
    }
}

/// The same for a value that may be a stream.
pub(crate) fn wait_for_packing_of(value: &mut Value, now: Now) {
    let waits = value.get::<Stream>().map(Stream::has_to_wait_for_packing);
    if waits == Some(true)
        && let Some(stream) = value.get_mut::<Stream>()
    {
        wait_for_packing(stream, now);
    }
}
