//! Writing a snapshot.

use values::Value;

use super::{MAGIC, Usage};
use crate::code;
use crate::encode::{Compression, Encoder};
use crate::limits::VERSION_WRITTEN;
use crate::source::Sink;
use crate::value;

/// Writes a snapshot to a sink, record after record.
#[derive(Debug)]
pub struct SnapshotWriter<K> {
    out: Encoder<K>,
}

impl<K: Sink> SnapshotWriter<K> {
    /// Begins a snapshot.
    ///
    /// # Errors
    /// Those of the sink, as for all methods here.
    pub fn new(sink: K, compression: Compression) -> Result<SnapshotWriter<K>, K::Error> {
        let mut out = Encoder::new(sink, compression);
        out.bytes(MAGIC);
        let digit = |unit: u16| b'0' + (VERSION_WRITTEN / unit % 10) as u8;
        out.bytes(&[digit(1000), digit(100), digit(10), digit(1)]);
        Ok(SnapshotWriter { out })
    }

    /// Writes something about the file, such as `redis-ver`.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn auxiliary(&mut self, name: &[u8], value: &[u8]) -> Result<(), K::Error> {
        self.out.byte(code::AUXILIARY);
        self.out.string(name);
        self.out.string(value);
        self.out.drain()
    }

    /// Says to which database the keys that follow belong, how many there are, and how many of them
    /// expire. A reader uses the counts only to reserve memory and to report progress.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn database(&mut self, index: u64, keys: u64, expiring: u64) -> Result<(), K::Error> {
        self.out.byte(code::DATABASE);
        self.out.number(index);
        self.out.byte(code::RESIZE);
        self.out.number(keys);
        self.out.number(expiring);
        self.out.drain()
    }

    /// Writes the source of a function library.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn function(&mut self, library: &[u8]) -> Result<(), K::Error> {
        self.out.byte(code::FUNCTION);
        self.out.string(library);
        self.out.drain()
    }

    /// Writes a key and its value.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn record(
        &mut self,
        key: &[u8],
        value: &Value,
        expires_at_ms: Option<i64>,
        usage: Usage,
    ) -> Result<(), K::Error> {
        value::write_extras(value, &mut self.out)?;
        if let Some(at) = expires_at_ms {
            self.out.byte(code::EXPIRES_AT_MS);
            self.out.bytes(&at.to_le_bytes());
        }
        match usage {
            Usage::Unknown => {}
            Usage::IdleSeconds(seconds) => {
                self.out.byte(code::IDLE);
                self.out.number(seconds);
            }
            Usage::Frequency(frequency) => self.out.bytes(&[code::FREQUENCY, frequency]),
        }
        self.out.byte(value::code_of(value));
        self.out.string(key);
        value::write(value, &mut self.out)?;
        self.out.drain()
    }

    /// The number of bytes written so far.
    pub fn written_bytes(&self) -> u64 {
        self.out.written()
    }

    /// Ends the snapshot and gives back the sink, which has everything by then.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(mut self) -> Result<K, K::Error> {
        self.out.byte(code::END);
        self.out.finish()
    }
}
