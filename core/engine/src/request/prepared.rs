//! Commands that wait until the shell has made something ready for them that takes long and needs
//! nothing of the engine meanwhile: memory, or the payload of a value.
//!
//! Such a command has done nothing before, so it is as if it had come later.

use values::Value;

use crate::Engine;
use crate::clients::session::SessionId;
use crate::server::Place;
use crate::time::Now;

/// A value as it was at one moment, of which a payload is to be made. The keyspace shares it, and
/// what changes there is copied first.
#[derive(Debug)]
pub struct Unwritten(Value);

impl Unwritten {
    /// Its payload, as `DUMP` answers it.
    pub fn payload(self) -> Vec<u8> {
        let memory = Vec::with_capacity(rdb::expected_bytes(&self.0));
        rdb::dump_in(memory, &self.0)
    }
}

impl Engine {
    /// Memory was made ready for the command of a client that waits for it
    /// ([`Order::PrepareMemory`](crate::server::Order::PrepareMemory)), which runs now. What it had
    /// no use for comes back.
    pub fn memory_prepared(&mut self, id: SessionId, memory: Vec<u8>, now: Now) -> Vec<u8> {
        self.data.prepared = Some(memory);
        self.resume_prepared(id, now);
        self.data.prepared.take().unwrap_or_default()
    }

    /// The value whose payload a client waits for
    /// ([`Order::PreparePayload`](crate::server::Order::PreparePayload)), as it is now; `None` if
    /// it is gone. This takes no time, and the payload is to be made without the engine.
    pub fn value_at(&self, place: &Place, now: Now) -> Option<Unwritten> {
        let keyspace = &self.data.keyspace;
        let Place { database, key } = place;
        let record = keyspace.find(*database, keyspace.hash(key), key)?;
        (!record.is_expired(now.unix())).then(|| Unwritten(record.value().clone()))
    }

    /// The payload was made that the command of a client waits for, which runs now. Without one, it
    /// makes it by itself. What it had no use for comes back.
    pub fn payload_prepared(
        &mut self,
        id: SessionId,
        payload: Option<Vec<u8>>,
        now: Now,
    ) -> Vec<u8> {
        self.data.payload = payload;
        self.resume_prepared(id, now);
        self.data.payload.take().unwrap_or_default()
    }

    fn resume_prepared(&mut self, id: SessionId, now: Now) {
        self.data.keyspace.begin_request();
        // Its lookups were counted when it came.
        let (hits, misses) = (self.data.stats.hits, self.data.stats.misses);
        self.resume(id, now);
        (self.data.stats.hits, self.data.stats.misses) = (hits, misses);
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
    }
}
