//! Packing the full chunks of streams, beside everything else.
//!
//! A stream that may have chunks to pack waits in a queue for a moment. Then only those chunks are
//! packed that it had when the wait began: what is trimmed soon is never packed, however fast
//! entries come and go. The engine's driver takes a [`PackingBatch`], does the work anywhere (the
//! server does it on a separate thread, without the lock), and gives it back. Packing is not an
//! effect: apart from the memory used, nothing that a client, a replay or a file can see depends on
//! it.

use std::collections::VecDeque;
use std::num::NonZeroU16;

use stream::{PackJob, Stream, StreamId};
use values::Key;

use crate::limits::PACKING_DELAY_MS;
use crate::store::apply::Data;
use crate::store::keyspace::Record;
use crate::time::{Mono, Now};

/// Streams that wait to be packed.
#[derive(Debug, Clone, Default)]
pub(crate) struct PackingQueue {
    pub(crate) waiting: VecDeque<Waiting>,
    last_ticket: u16,
}

/// A place in the queue. A stream's record holds the ticket of its place; a place whose ticket is
/// in no record belongs to a stream that is gone, and is skipped. Tickets are reused after 65,535
/// others. Then a stale place may lead to a stream too early, which does no harm: the stream gets
/// another ticket with its next place.
pub(crate) type PackingTicket = NonZeroU16;

/// A stream that waits to be packed.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) due: Mono,
    /// The stream's last ID when the wait began: chunks above it have not waited yet.
    pub(crate) through: StreamId,
    pub(crate) database: u16,
    pub(crate) key: Key,
    pub(crate) ticket: PackingTicket,
}

/// Some chunks of one stream, to be packed.
#[derive(Debug)]
pub struct PackingBatch {
    pub(crate) database: u16,
    pub(crate) key: Key,
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
    /// Notes that the record's stream may have chunks to pack, unless that is noted already.
    #[inline]
    pub(crate) fn note(&mut self, database: u16, record: &Record, now: Now) {
        let Some(stream) = record.value().get::<Stream>() else {
            return;
        };
        if stream.entries().wants_packing() && record.packing_ticket().is_none() {
            let due = now.mono.plus(PACKING_DELAY_MS);
            self.push(database, record, stream.last_id(), due);
        }
    }

    #[cold]
    pub(crate) fn push(&mut self, database: u16, record: &Record, through: StreamId, due: Mono) {
        if record.packing_ticket().is_some() {
            return;
        }
        let ticket = NonZeroU16::new(self.last_ticket.wrapping_add(1)).unwrap_or(NonZeroU16::MIN);
        self.last_ticket = ticket.get();
        record.set_packing_ticket(Some(ticket));
        self.waiting.push_back(Waiting {
            due,
            through,
            database,
            key: record.name().clone(),
            ticket,
        });
    }
}

impl Data {
    /// Notes that the stream of this key may have chunks to pack.
    pub(crate) fn schedule_packing(&mut self, database: u16, key: &[u8], now: Now) {
        let hash = self.keyspace.hash(key);
        if let Some(record) = self.keyspace.find(database, hash, key) {
            self.packing.note(database, record, now);
        }
    }
}
