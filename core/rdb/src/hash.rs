//! Hashes.
//!
//! | code | body |
//! |---|---|
//! | 4 | number; that many pairs of strings |
//! | 9 | a string: a zipmap (`hash/zipmap.rs`) |
//! | 13 | a string: a ziplist of fields and values in turn |
//! | 16 | a string: a listpack of the same |
//! | 22 | number; that many times a deadline (number, 0 for none), a field, and a value (strings) |
//! | 23 | a string: a listpack of fields, values and deadlines (0 for none) in turn |
//! | 24 | the first deadline (8 bytes, little endian), then as 22, but deadlines count from one less than the first |
//! | 25 | the first deadline (8 bytes, little endian), then as 23, in the order of deadlines, those without one last |
//!
//! Deadlines are in milliseconds since the epoch.

mod zipmap;

use collections::hash::NameHasher;
use collections::map::Copied;
use values::{Deadline, FIELD_DEADLINE_MS_MAX, Hash, Thresholds, Value};

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
/// Release candidates of Redis 7.4.
const STRINGS_UNTIL_EARLY: u8 = 22;
const LISTPACK_UNTIL_EARLY: u8 = 23;
/// Redis 7.4 and later.
const STRINGS_UNTIL: u8 = 24;
const LISTPACK_UNTIL: u8 = 25;

impl Stored for Hash {
    const CODES: &'static [u8] = &[
        STRINGS,
        ZIPMAP,
        ZIPLIST,
        LISTPACK,
        STRINGS_UNTIL_EARLY,
        LISTPACK_UNTIL_EARLY,
        STRINGS_UNTIL,
        LISTPACK_UNTIL,
    ];

    fn code(&self) -> u8 {
        match (self.is_listpack(), self.was_expiring()) {
            (true, false) => LISTPACK,
            (true, true) => LISTPACK_UNTIL,
            (false, _) if self.has_deadlines() => STRINGS_UNTIL,
            (false, _) => STRINGS,
        }
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        match self.code() {
            LISTPACK_UNTIL => return write_listpack_until(self, out),
            STRINGS_UNTIL => return write_strings_until(self, out),
            _ => {}
        }
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
                if let Some(deadline) = entry.date() {
                    out.number(deadline);
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
        if matches!(code, STRINGS_UNTIL_EARLY..=LISTPACK_UNTIL) {
            fields.hash.mark_expiring();
        }
        let first = match code {
            STRINGS_UNTIL | LISTPACK_UNTIL => {
                u64::from_le_bytes(from.array("the first deadline of a hash")?)
            }
            _ => 0,
        };
        match code {
            LISTPACK_UNTIL_EARLY | LISTPACK_UNTIL => {
                let mut row = Vec::new();
                from.string(&mut row, STRING_BYTES_MAX, "a hash")?;
                let row = listpack::Reader::new(&row);
                let read = row.and_then(|row| fields.take_all_until(row));
                read.map_err(|fault| from.fault(fault))?;
            }
            STRINGS_UNTIL_EARLY | STRINGS_UNTIL => {
                let (mut field, mut value) = (Vec::new(), Vec::new());
                for _ in 0..from.number("the number of fields of a hash")? {
                    let number = from.number("the deadline of a field")?;
                    let at = match (code, number) {
                        (_, 0) => Some(0),
                        (STRINGS_UNTIL, _) => first.checked_add(number - 1),
                        (_, at) => Some(at),
                    };
                    from.string(&mut field, STRING_BYTES_MAX, "a field of a hash")?;
                    from.string(&mut value, STRING_BYTES_MAX, "a value of a hash")?;
                    let deadline = at.map_or(Err(WRONG_DEADLINE), deadline_of);
                    let taken = deadline.and_then(|at| fields.take_until(&field, &value, at));
                    taken.map_err(|fault| from.fault(fault))?;
                }
            }
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

fn write_listpack_until<K: Sink>(hash: &Hash, out: &mut Encoder<K>) -> Result<(), K::Error> {
    let first = hash.deadlines().next().map_or(0, |(_, at)| at);
    out.bytes(&first.to_le_bytes());
    let mut listpack = Writer::default();
    listpack.begin();
    for (field, at) in hash.deadlines() {
        listpack.bytes(field);
        if let Some(value) = hash.get(field) {
            value.with_bytes(|bytes| listpack.bytes(bytes));
        }
        listpack.integer(at.cast_signed());
    }
    for entry in hash.iter().filter(|entry| entry.date().is_none()) {
        for part in [entry.name(), entry.value()] {
            part.with_bytes(|bytes| listpack.bytes(bytes));
        }
        listpack.integer(0);
    }
    out.blob(listpack.finish());
    out.drain()
}

fn write_strings_until<K: Sink>(hash: &Hash, out: &mut Encoder<K>) -> Result<(), K::Error> {
    let first = hash.deadlines().next().map_or(0, |(_, at)| at);
    out.bytes(&first.to_le_bytes());
    out.number(hash.len() as u64);
    for entry in hash.iter() {
        out.number(entry.date().map_or(0, |at| at.saturating_sub(first) + 1));
        for part in [entry.name(), entry.value()] {
            part.with_bytes(|bytes| out.string(bytes));
        }
        out.drain()?;
    }
    Ok(())
}

const WRONG_DEADLINE: Fault = Fault::Contradiction("the deadline of a field is out of range");

/// What a number says of a field's deadline: 0 that it has none.
fn deadline_of(number: u64) -> Result<Deadline, Fault> {
    match number {
        0 => Ok(Deadline::Never),
        1..=FIELD_DEADLINE_MS_MAX => Ok(Deadline::At(number)),
        _ => Err(WRONG_DEADLINE),
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
        self.take_until(field, value, Deadline::Never)
    }

    fn take_until(&mut self, field: &[u8], value: &[u8], at: Deadline) -> Result<(), Fault> {
        let (hasher, thresholds) = (self.hasher, self.thresholds);
        let hash = &mut self.hash;
        match hash.set_with(field, value, at, hasher, thresholds, &mut Copied) {
            true => Ok(()),
            false => Err(Fault::Contradiction("a hash has a field twice")),
        }
    }

    /// Takes fields, values and deadlines in turn.
    fn take_all_until<'a>(&mut self, mut row: listpack::Reader<'a>) -> Result<(), Fault> {
        while let Some(field) = row.next()? {
            let value = row.element("the value of a field")?;
            let at = u64::try_from(row.integer("the deadline of a field")?);
            let at = at.map_or(Err(WRONG_DEADLINE), deadline_of)?;
            field
                .with_bytes(|field| value.with_bytes(|value| self.take_until(field, value, at)))?;
        }
        Ok(())
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
