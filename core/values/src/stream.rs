//! What a stream knows of itself as the value of a key. The stream is a crate of its own.

use std::hint::black_box;

use collections::owned;
use stream::Stream;

use crate::typed::Typed;
use crate::value::Value;

impl Typed for Stream {
    const NAME: &'static str = "stream";

    #[inline]
    fn of(value: &Value) -> Option<&Stream> {
        if let Value::Stream(_, stream) = value {
            Some(stream)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Stream> {
        if let Value::Stream(_, stream) = value {
            Some(owned(stream))
        } else {
            None
        }
    }

    fn encoding(&self, _: usize) -> &'static str {
        "stream"
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        size_of::<Stream>() + self.heap_bytes(samples)
    }

    fn weight(&self) -> usize {
        self.weight()
    }

    /// The first of the idempotent IDs is to be forgotten, chunks have waited to be packed, an
    /// entry is to be appended, entries are to go because of the stream's bounds, or consumers
    /// because they are idle.
    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        let forgets = self.idempotence().next_deadline_ms();
        let next = earlier(forgets, self.entries().packing_due_ms());
        match self.has_rare_deadlines() {
            false => next,
            true => earlier(next, next_of_the_rare_ms(self)),
        }
    }

    #[inline]
    fn prefetch(&self) {
        black_box(self.peek());
    }
}

/// When an entry is to be appended, entries are to go because of the stream's bounds, or consumers
/// because they are idle. Apart, since few streams have any of that and every change asks.
#[cold]
fn next_of_the_rare_ms(stream: &Stream) -> Option<u64> {
    let next = earlier(stream.delayed_due_ms(), stream.retention_due_ms());
    earlier(next, stream.idle_look_due_ms())
}

/// The earlier one of two times, or the only one.
#[inline]
fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
