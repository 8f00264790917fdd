//! A frozen view of one stream, for figures that no command tells.
//!
//! Whoever looks must have asked for the stream by a command before, so that the rules of users
//! hold.

use engine::Now;
use stream::Stream;

use crate::routes::Asked;

/// The stream of this name in the database that the address names, and the time; none if there is
/// no such stream. It is a few pointers, however large the stream is.
pub(crate) fn of_stream(asked: &Asked<'_>, key: &[u8]) -> Option<(Stream, Now)> {
    let database = u16::try_from(asked.database()).ok()?;
    asked.caller.served.shard.look(|engine, now| {
        let keyspace = engine.keyspace();
        if database >= keyspace.database_count() {
            return None;
        }
        let record = keyspace.find(database, keyspace.hash(key), key)?;
        let stream = record.value().get::<Stream>()?;
        (!record.is_expired(now.unix())).then(|| (stream.clone(), now))
    })
}

/// How many entries of a stream wait to be appended.
pub(crate) fn delayed(stream: &Stream) -> u64 {
    stream.delayed().map_or(0, |delayed| delayed.len() as u64)
}
