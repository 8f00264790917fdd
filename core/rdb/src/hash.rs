//! Hashes.
//!
//! | code | body |
//! |---|---|
//! | 4 | number; that many pairs of strings |
//! | 16 | a string: a listpack of fields and values in turn |

use collections::hash::NameHasher;
use values::{Hash, Value};

use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{Digest, Hasher, digest_of};
use crate::encode::Encoder;
use crate::limits::STRING_BYTES_MAX;
use crate::listpack::{Element, Reader, Writer};
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;

const STRINGS: u8 = 4;
/// Redis 7.0 and later.
const LISTPACK: u8 = 16;

impl Stored for Hash {
    const CODES: &'static [u8] = &[STRINGS, LISTPACK];

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
        let mut hash = Hash::new();
        if code == LISTPACK {
            let mut listpack = Vec::new();
            from.string(&mut listpack, STRING_BYTES_MAX, "a hash")?;
            let mut reader = Reader::new(&listpack).map_err(|fault| from.fault(fault))?;
            while let Some(field) = reader.next().map_err(|fault| from.fault(fault))? {
                let value = reader.element("the value of a field");
                let value = value.map_err(|fault| from.fault(fault))?;
                if !hash.set(&bytes_of(field), &bytes_of(value), hasher) {
                    return Err(from.contradiction("a hash has a field twice"));
                }
            }
        } else {
            let (mut field, mut value) = (Vec::new(), Vec::new());
            for _ in 0..from.number("the number of fields of a hash")? {
                from.string(&mut field, STRING_BYTES_MAX, "a field of a hash")?;
                from.string(&mut value, STRING_BYTES_MAX, "a value of a hash")?;
                if !hash.set(&field, &value, hasher) {
                    return Err(from.contradiction("a hash has a field twice"));
                }
            }
        }
        if hash.is_empty() {
            return Err(from.contradiction("a hash has no fields"));
        }
        Ok(Value::from(hash))
    }
}

fn bytes_of(element: Element<'_>) -> Vec<u8> {
    match element {
        Element::Integer(integer) => integer.to_string().into_bytes(),
        Element::Bytes(bytes) => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests;
