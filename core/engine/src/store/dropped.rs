//! What is no longer part of the keyspace, or of a client, and takes long to free.
//!
//! Freeing a large value takes milliseconds to seconds, and nobody should wait for that. So what is
//! removed is kept until the shell has released its lock, takes it and drops it. That holds memory
//! a little longer, but never more than one large value, or several up to a bound; anything beyond
//! is freed at once.

use resp::{ArgvBuf, Large};
use stream::{Forgotten, Group, Removed};
use values::Value;

use crate::clients::pattern_reads::Turns;
use crate::clients::session::{Queue, Session, Watched};
use crate::clients::tracking::ForgottenTable;
use crate::clients::waiting::Wait;
use crate::limits::{DROPPED_BYTES_MAX, DROPPED_BYTES_MIN, RECORD_BYTES};
use crate::store::keyspace::{Emptied, Record};

/// Something large to be dropped.
#[derive(Debug)]
pub struct Dropped {
    _what: What,
    bytes: usize,
}

impl Dropped {
    /// About how many bytes are freed with it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes large arguments of requests that have run, if they are much that nobody shares.
    pub fn arguments(spent: &mut Vec<Large>) -> Option<Dropped> {
        let own = spent.iter().filter(|large| large.is_unique());
        let bytes = own.map(|large| large.capacity()).sum();
        (bytes >= DROPPED_BYTES_MIN).then(|| Dropped {
            _what: What::Longs(std::mem::take(spent)),
            bytes,
        })
    }
}

/// What may take long to free.
#[derive(Debug)]
pub enum What {
    /// The content of a database.
    Records(Emptied),
    /// A key with its value.
    Record(Record),
    /// A value that was overwritten.
    Value(Value),
    /// Long parts of collections.
    Longs(Vec<Large>),
    /// A consumer group.
    Group(Group),
    /// Idempotent IDs of a stream.
    Forgotten(Forgotten),
    /// Entries of a stream.
    Entries(Removed),
    /// The commands of a transaction that has ended.
    Queue(Queue),
    /// A client that has gone, with what it had queued, watched and waited for.
    Session(Box<Session>),
    /// The keys that a client watched.
    Watched(Watched),
    /// What was known of the keys that clients track.
    Tracked(ForgottenTable),
    /// Streams that were known to have something.
    Turns(Turns),
    /// What a client waited for.
    Wait(Wait),
    /// A request that was held back.
    Request(ArgvBuf),
}

impl What {
    /// About how many bytes it takes; a fast estimate.
    fn bytes(&self) -> usize {
        match self {
            What::Records(emptied) => emptied.records.len() * RECORD_BYTES,
            What::Record(record) => record.weight(),
            What::Value(value) => value.weight(),
            What::Longs(longs) => longs.iter().map(|long| long.len()).sum(),
            What::Group(group) => group.weight(),
            What::Forgotten(forgotten) => forgotten.bytes(),
            What::Entries(removed) => removed.bytes(),
            What::Queue(queue) => queue.bytes,
            What::Session(session) => session.own_bytes(),
            What::Watched(watched) => watched.bytes(),
            What::Tracked(table) => table.bytes(),
            What::Turns(turns) => turns.heap_bytes(),
            What::Wait(wait) => wait.heap_bytes(),
            What::Request(request) => request.heap_bytes(),
        }
    }
}

/// What waits to be dropped.
#[derive(Debug, Default)]
pub(crate) struct Discard {
    waiting: Vec<Dropped>,
    bytes: usize,
}

impl Discard {
    /// Takes something that was removed: keeps it if it is large, otherwise frees it at once.
    #[inline]
    pub(crate) fn take(&mut self, what: What) {
        let bytes = what.bytes();
        if bytes >= DROPPED_BYTES_MIN {
            self.keep(what, bytes);
        }
    }

    /// The same for a value that was overwritten.
    #[inline]
    pub(crate) fn take_value(&mut self, value: Value) {
        let bytes = value.weight();
        if bytes >= DROPPED_BYTES_MIN {
            self.keep(What::Value(value), bytes);
        }
    }

    #[cold]
    fn keep(&mut self, what: What, bytes: usize) {
        let all = self.bytes.saturating_add(bytes);
        if all > DROPPED_BYTES_MAX && !self.waiting.is_empty() {
            return;
        }
        self.bytes = all;
        self.waiting.push(Dropped { _what: what, bytes });
    }

    /// About how many bytes wait.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns what waits.
    pub(crate) fn take_all(&mut self) -> Vec<Dropped> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use values::StringValue;

    use super::*;

    fn string(len: usize) -> What {
        What::Value(StringValue::from_buffer(vec![b'x'; len]).into())
    }

    #[test]
    fn large_values_wait_and_small_ones_do_not() {
        let mut discard = Discard::default();
        discard.take(string(100));
        assert!(discard.is_empty());
        discard.take(string(DROPPED_BYTES_MIN));
        let taken = discard.take_all();
        assert_eq!(taken.len(), 1);
        assert!(taken[0].bytes() >= DROPPED_BYTES_MIN);
        assert!(discard.is_empty());
    }

    #[test]
    fn arguments_are_freed_later_if_they_are_much_that_nobody_shares() {
        let large = |len| Large::new(vec![b'x'; len]);
        let shared = large(4 * DROPPED_BYTES_MIN);
        let mut spent = vec![large(DROPPED_BYTES_MIN - 1), shared.clone()];
        assert!(Dropped::arguments(&mut spent).is_none());
        assert_eq!(spent.len(), 2);
        drop(shared);
        let dropped = Dropped::arguments(&mut spent);
        assert!(dropped.is_some_and(|dropped| dropped.bytes() >= 5 * DROPPED_BYTES_MIN - 1));
        assert!(spent.is_empty());
    }

    #[test]
    fn one_value_of_any_size_waits_or_several_up_to_the_bound() {
        let mut discard = Discard::default();
        discard.take(string(DROPPED_BYTES_MAX + 1));
        discard.take(string(DROPPED_BYTES_MIN));
        assert_eq!(discard.take_all().len(), 1);
        let quarter = DROPPED_BYTES_MAX / 4;
        for _ in 0..10 {
            discard.take(string(quarter));
        }
        assert!(discard.bytes <= DROPPED_BYTES_MAX);
        assert_eq!(discard.take_all().len(), 3);
    }
}
