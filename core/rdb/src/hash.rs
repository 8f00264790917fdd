//! Hashes.
//!
//! | code | body |
//! |---|---|
//! | 4 | number; that many pairs of strings |
//! | 9 | a string: a zipmap (`hash/zipmap.rs`) |
//! | 13 | a string: a ziplist of fields and values in turn |
//! | 16 | a string: a listpack of the same |

mod zipmap;

use collections::hash::NameHasher;
use values::{Hash, Thresholds, Value};

use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{Digest, Hasher, digest_of};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::listpack::{self, Writer};
use crate::row::Row;
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;
use crate::ziplist;

const STRINGS: u8 = 4;
/// Before Redis 2.6.
const ZIPMAP: u8 = 9;
/// Redis 2.6 to 6.2.
const ZIPLIST: u8 = 13;
/// Redis 7.0 and later.
const LISTPACK: u8 = 16;

impl Stored for Hash {
    const CODES: &'static [u8] = &[STRINGS, ZIPMAP, ZIPLIST, LISTPACK];

    fn code(&self) -> u8 {
        if self.is_listpack() {
            LISTPACK
        } else {
            STRINGS
        }
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.is_listpack() {
            let mut listpack = Writer::default();
            listpack.begin();
            for entry in self.iter() {
                for part in [entry.name(), entry.value()] {
                    part.with_bytes(|bytes| listpack.bytes(bytes));
                }
            }
            out.blob(listpack.finish());
            return out.drain();
        }
        out.number(self.len() as u64);
        for entry in self.iter() {
            for part in [entry.name(), entry.value()] {
                part.with_bytes(|bytes| out.string(bytes));
            }
            out.drain()?;
        }
        Ok(())
    }

    /// Fields have no order: they are digested one by one and added up.
    fn add_to_digest(&self, _now_ms: u64, out: &mut Encoder<Hasher>) {
        let fields = self.iter().map(|entry| {
            digest_of(|out| {
                for part in [entry.name(), entry.value()] {
                    part.with_bytes(|bytes| out.string(bytes));
                }
            })
        });
        out.bytes(&fields.fold(Digest::default(), Digest::and).bytes());
    }

    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        _extras: &Extras,
    ) -> Read<Value, S> {
        let hasher = NameHasher::new([context.hash_seed, 0]);
        let mut fields = Fields {
            hash: Hash::new(),
            hasher,
            thresholds: &context.thresholds,
        };
        match code {
            ZIPMAP | ZIPLIST | LISTPACK => {
                let mut row = Vec::new();
                from.string(&mut row, STRING_BYTES_MAX, "a hash")?;
                let read = match code {
                    ZIPMAP => zipmap::Reader::new(&row).and_then(|row| fields.take_all(row)),
                    ZIPLIST => ziplist::Reader::new(&row).and_then(|row| fields.take_all(row)),
                    _ => listpack::Reader::new(&row).and_then(|row| fields.take_all(row)),
                };
                read.map_err(|fault| from.fault(fault))?;
            }
            _ => {
                let (mut field, mut value) = (Vec::new(), Vec::new());
                for _ in 0..from.number("the number of fields of a hash")? {
                    from.string(&mut field, STRING_BYTES_MAX, "a field of a hash")?;
                    from.string(&mut value, STRING_BYTES_MAX, "a value of a hash")?;
                    let taken = fields.take(&field, &value);
                    taken.map_err(|fault| from.fault(fault))?;
                }
            }
        }
        if fields.hash.is_empty() {
            return Err(from.contradiction("a hash has no fields"));
        }
        Ok(Value::from(fields.hash))
    }
}

/// The fields read so far.
struct Fields<'c> {
    hash: Hash,
    hasher: NameHasher,
    thresholds: &'c Thresholds,
}

impl Fields<'_> {
    fn take(&mut self, field: &[u8], value: &[u8]) -> Result<(), Fault> {
        match self.hash.set(field, value, self.hasher, self.thresholds) {
            true => Ok(()),
            false => Err(Fault::Contradiction("a hash has a field twice")),
        }
    }

    /// Takes fields and values in turn.
    fn take_all<'a>(&mut self, mut row: impl Row<'a>) -> Result<(), Fault> {
        while let Some(field) = row.next()? {
            let value = row.element("the value of a field")?;
            field.with_bytes(|field| value.with_bytes(|value| self.take(field, value)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
