//! Sets.
//!
//! | code | body |
//! |---|---|
//! | 2 | number; that many strings |
//! | 11 | a string: an intset |
//! | 20 | a string: a listpack of the members |
//!
//! An intset is 4 bytes for how many bytes each integer has, 2, 4 or 8; 4 bytes for how many there
//! are; the integers in ascending order, signed. All of it is little endian.

use collections::hash::NameHasher;
use values::{Growth, Set, SetForm, Value};

use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{Digest, Hasher, digest_of};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::listpack::{Reader, Writer};
use crate::row::Row;
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;

const STRINGS: u8 = 2;
const INTSET: u8 = 11;
/// Redis 7.2 and later.
const LISTPACK: u8 = 20;

const TWICE: &str = "a set has a member twice";

impl Stored for Set {
    const CODES: &'static [u8] = &[STRINGS, INTSET, LISTPACK];

    fn code(&self) -> u8 {
        match self.form() {
            SetForm::Intset => INTSET,
            SetForm::Listpack => LISTPACK,
            SetForm::Hashtable => STRINGS,
        }
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        match self.form() {
            SetForm::Intset => {
                let mut integers: Vec<i64> = self.iter().filter_map(|it| it.as_integer()).collect();
                integers.sort_unstable();
                out.blob(&intset(&integers));
                out.drain()
            }
            SetForm::Listpack => {
                let mut listpack = Writer::default();
                listpack.begin();
                for member in self.iter() {
                    member.with_bytes(|bytes| listpack.bytes(bytes));
                }
                out.blob(listpack.finish());
                out.drain()
            }
            SetForm::Hashtable => {
                out.number(self.len() as u64);
                for member in self.iter() {
                    member.with_bytes(|bytes| out.string(bytes));
                    out.drain()?;
                }
                Ok(())
            }
        }
    }

    /// Members have no order: they are digested one by one and added up.
    fn add_to_digest(&self, _now_ms: u64, out: &mut Encoder<Hasher>) {
        let members = self
            .iter()
            .map(|member| digest_of(|out| member.with_bytes(|bytes| out.string(bytes))));
        out.bytes(&members.fold(Digest::default(), Digest::and).bytes());
    }

    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        _extras: &Extras,
    ) -> Read<Value, S> {
        let growth = Growth {
            hasher: NameHasher::new([context.hash_seed, 0]),
            thresholds: &context.thresholds,
        };
        let mut set = Set::new();
        match code {
            INTSET => {
                let mut bytes = Vec::new();
                from.string(&mut bytes, STRING_BYTES_MAX, "a set")?;
                let (width, integers) = integers_of(&bytes).map_err(|fault| from.fault(fault))?;
                let mut last = None;
                let mut digits = itoa::Buffer::new();
                for integer in integers.chunks_exact(width).map(integer_of) {
                    if last >= Some(integer) {
                        return Err(from.contradiction("an intset is not in ascending order"));
                    }
                    last = Some(integer);
                    set.add(digits.format(integer).as_bytes(), growth);
                }
                set.fit(growth);
            }
            LISTPACK => {
                let mut listpack = Vec::new();
                from.string(&mut listpack, STRING_BYTES_MAX, "a set")?;
                let mut reader = Reader::new(&listpack).map_err(|fault| from.fault(fault))?;
                while let Some(member) = reader.next().map_err(|fault| from.fault(fault))? {
                    let is_new =
                        member.with_bytes(|member| set.add_to_listpack(member, growth.hasher));
                    if !is_new {
                        return Err(from.contradiction(TWICE));
                    }
                }
                set.fit(growth);
            }
            _ => {
                let count = from.number("the number of members of a set")?;
                let mut member = Vec::new();
                for _ in 0..count {
                    from.string(&mut member, STRING_BYTES_MAX, "a member of a set")?;
                    if !set.add(&member, growth) {
                        return Err(from.contradiction(TWICE));
                    }
                }
            }
        }
        if set.is_empty() {
            return Err(from.contradiction("a set has no members"));
        }
        Ok(Value::from(set))
    }
}

/// The intset of these integers, which are in ascending order.
fn intset(integers: &[i64]) -> Vec<u8> {
    let ends = [integers.first(), integers.last()].map(|end| end.copied().unwrap_or(0));
    let width: u32 = if ends.iter().all(|it| i16::try_from(*it).is_ok()) {
        2
    } else if ends.iter().all(|it| i32::try_from(*it).is_ok()) {
        4
    } else {
        8
    };
    let mut bytes = Vec::with_capacity(8 + integers.len() * width as usize);
    bytes.extend_from_slice(&width.to_le_bytes());
    bytes.extend_from_slice(&(integers.len() as u32).to_le_bytes());
    for integer in integers {
        bytes.extend(integer.to_le_bytes().into_iter().take(width as usize));
    }
    bytes
}

/// How many bytes each integer of an intset has, and their bytes.
fn integers_of(bytes: &[u8]) -> Result<(usize, &[u8]), Fault> {
    const EXPECTED: &str = "the head of an intset";
    let truncated = Fault::Truncated { expected: EXPECTED };
    let (head, integers) = bytes.split_first_chunk::<8>().ok_or(truncated)?;
    let [a, b, c, d, count @ ..] = *head;
    let width = match u32::from_le_bytes([a, b, c, d]) {
        width @ (2 | 4 | 8) => width as usize,
        other => {
            return Err(Fault::Unexpected {
                expected: "the size of an intset's integers",
                found: u64::from(other),
            });
        }
    };
    let count = u64::from(u32::from_le_bytes(count));
    if count * width as u64 != integers.len() as u64 {
        return Err(Fault::Unexpected {
            expected: "the number of integers of an intset",
            found: count,
        });
    }
    Ok((width, integers))
}

fn integer_of(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
