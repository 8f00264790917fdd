//! What the messages of remembered iids were, so that another message with the same iid is told
//! from a retry. Kept only where a stream was told to (`IDMP-CONFLICT ERROR`).
//!
//! For each remembered iid it is a hash of the fields, found by the ID of the entry: beside the
//! windows, which cost the same whether it is there or not. It follows them: windows drop the
//! oldest, so what is here of a producer belongs to the latest iids of its window.

use std::collections::VecDeque;

use collections::directory::{Directory, Entry};
use triomphe::Arc;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::fingerprint::fingerprint;
use crate::StreamId;

/// The hash of a message: its fields and values, in any order. Producer and iid are its key, so it
/// is the same wherever the stream goes, and two messages that have the same hash under one iid
/// have not under others.
pub(super) fn hash<'a>(
    producer: &[u8],
    iid: &[u8],
    fields: impl IntoIterator<Item = &'a [u8]>,
) -> u64 {
    let key = xxh3_64_with_seed(iid, xxh3_64(producer));
    let both = u128::from_le_bytes(fingerprint(fields, key));
    ((both >> 64) as u64 ^ both as u64).max(UNKNOWN + 1)
}

/// The hash of a message that is not known.
const UNKNOWN: u64 = 0;

/// The hashes of messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    producers: Directory<OfProducer>,
}

/// The hashes of a producer's messages, in the order of its window.
#[derive(Clone, Debug)]
struct OfProducer {
    /// The hash of its name. Of two producers that share it, messages may be missing.
    producer_hash: u64,
    messages: Arc<VecDeque<(StreamId, u64)>>,
}

fn hash_of(producer: &OfProducer) -> u64 {
    producer.producer_hash
}

impl Messages {
    /// The hash of the message that became that entry of a producer, if it is known.
    pub(super) fn find(&self, producer_hash: u64, id: StreamId) -> Option<u64> {
        let is_it = |p: &OfProducer| p.producer_hash == producer_hash;
        let messages = &self.producers.find(producer_hash, is_it)?.messages;
        let mut latest_first = messages.iter().rev();
        let (_, hash) = latest_first.find(|(known, _)| *known == id)?;
        (*hash != UNKNOWN).then_some(*hash)
    }

    /// Adds the message that became an entry, the latest of its producer, whose window has
    /// `window_len` iids now.
    pub(super) fn push(
        &mut self,
        producer_hash: u64,
        id: StreamId,
        hash: Option<u64>,
        window_len: usize,
    ) {
        let is_it = |p: &OfProducer| p.producer_hash == producer_hash;
        let producer = match self.producers.entry(producer_hash, is_it, hash_of) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(OfProducer {
                producer_hash,
                messages: Arc::default(),
            }),
        };
        let messages = Arc::make_mut(&mut producer.messages);
        messages.push_back((id, hash.unwrap_or(UNKNOWN)));
        let excess = messages.len().saturating_sub(window_len);
        messages.drain(..excess);
    }

    /// Removes a producer that is forgotten.
    pub(super) fn remove(&mut self, producer_hash: u64) {
        let is_it = |p: &OfProducer| p.producer_hash == producer_hash;
        self.producers.remove(producer_hash, is_it, hash_of, 0);
    }

    /// About how many bytes of memory it takes, if there are this many messages.
    pub(super) fn allocated_bytes(&self, messages: usize) -> usize {
        let places = self.producers.len() * (size_of::<OfProducer>() * 3 / 2 + 64);
        places + messages * size_of::<(StreamId, u64)>()
    }
}
