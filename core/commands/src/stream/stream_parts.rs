//! What commands that read several streams answer: a part for each that has something, in RESP3 a
//! map from keys to entries.

use resp::{Mark, Protocol, Reply};

/// Begins the reply for this many streams.
pub(super) fn write_streams(reply: &mut Reply, len: usize) {
    match reply.protocol() {
        Protocol::Resp2 => reply.array(len),
        Protocol::Resp3 => reply.map(len),
    }
}

/// Begins the part of one stream; its entries follow.
pub(super) fn write_stream(reply: &mut Reply, key: &[u8]) {
    if reply.protocol() == Protocol::Resp2 {
        reply.array(2);
    }
    reply.bulk(key);
}

/// Ends a reply that began at `start`, once it is known how many streams have something.
pub(super) fn end_streams(reply: &mut Reply, start: Mark, len: usize) {
    match reply.protocol() {
        Protocol::Resp2 => reply.array_since(start, len),
        Protocol::Resp3 => reply.map_since(start, len),
    }
}
