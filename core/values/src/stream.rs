//! What a stream knows of itself as the value of a key. The stream is a crate of its own.

use std::hint::black_box;

use stream::Stream;
use triomphe::Arc;

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
            Some(Arc::make_mut(stream))
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
        let next = match (forgets, self.entries().packing_due_ms()) {
            (Some(forgets), Some(packs)) => Some(forgets.min(packs)),
            (forgets, packs) => forgets.or(packs),
        };
        let earlier = |next: Option<u64>, due| Some(next.map_or(due, |next| next.min(due)));
        let next = self
            .delayed_due_ms()
            .map_or(next, |appends| earlier(next, appends));
        let next = self
            .retention_due_ms()
            .map_or(next, |trims| earlier(next, trims));
        self.idle_look_due_ms()
            .map_or(next, |looks| earlier(next, looks))
    }

    #[inline]
    fn prefetch(&self) {
        black_box(self.peek());
    }
}
