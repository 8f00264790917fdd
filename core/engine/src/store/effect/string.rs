//! Changes of strings.

use values::{SizeKind, StringValue, Value};

use super::encode::{Line, Out};
use super::{Changed, Family};
use crate::store::apply::{Access, DECIDED, Store};
use crate::store::keyspace::{Record, SizeClass};
use crate::time::UnixMs;

/// A string is set, or grows, or changes in part.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub enum StringChange<'a> {
    /// `SET key value [PXAT ms]`: the key holds this string, whatever it held before.
    Set { value: &'a [u8], expiry: Expiry },
    /// `APPEND key tail`: on a missing key the same as `SET`.
    Append { tail: &'a [u8] },
    /// `SETRANGE key offset value`, zero bytes filling a gap. The value is not empty.
    SetRange { offset: u32, value: &'a [u8] },
}

/// What becomes of a key's expiry when its value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The key does not expire.
    Never,
    /// As before (`KEEPTTL`).
    Keep,
    /// From this time on the key is gone.
    At(UnixMs),
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};
    use crate::store::effect::key::events::{EXPIRE_NAME, PERSIST_NAME};

    const fn string(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::String)
    }

    const SET_NAME: Name = name("set");
    const INCRBY_NAME: Name = name("incrby");
    const INCRBYFLOAT_NAME: Name = name("incrbyfloat");

    /// The string was set.
    pub const SET: &Event = &string(&[SET_NAME]).overwriting(Overwriting::Before);
    /// The string was set, and when it expires.
    pub const SET_EXPIRE: &Event =
        &string(&[SET_NAME, EXPIRE_NAME]).overwriting(Overwriting::Before);
    /// The same, told in the order of `MSETEX`.
    pub const EXPIRE_SET: &Event =
        &string(&[EXPIRE_NAME, SET_NAME]).overwriting(Overwriting::Before);
    /// Something was added to the integer in a string.
    pub const INCRBY: &Event = &string(&[INCRBY_NAME]);
    /// The same, and the key has got an expiry.
    pub const INCRBY_EXPIRE: &Event = &string(&[INCRBY_NAME, EXPIRE_NAME]);
    /// The same, and the key has lost its expiry.
    pub const INCRBY_PERSIST: &Event = &string(&[INCRBY_NAME, PERSIST_NAME]);
    /// Something was added to the floating-point number in a string.
    pub const INCRBYFLOAT: &Event = &string(&[INCRBYFLOAT_NAME]);
    /// The same, and the key has got an expiry.
    pub const INCRBYFLOAT_EXPIRE: &Event = &string(&[INCRBYFLOAT_NAME, EXPIRE_NAME]);
    /// The same, and the key has lost its expiry.
    pub const INCRBYFLOAT_PERSIST: &Event = &string(&[INCRBYFLOAT_NAME, PERSIST_NAME]);
    /// The string is longer.
    pub const APPEND: &Event = &string(&[name("append")]);
    /// A part of the string was set.
    pub const SETRANGE: &Event = &string(&[name("setrange")]);
    /// Bits of the string were set.
    pub const SETBIT: &Event = &string(&[name("setbit")]);
}

impl Family for StringChange<'_> {}

impl StringChange<'_> {
    #[inline(always)]
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        let amount = match *self {
            StringChange::Set { value, expiry } => store.set_string(key, value, expiry),
            StringChange::Append { tail } => store.append_string(key, tail),
            StringChange::SetRange { offset, value } => {
                store.set_range(key, offset as usize, value)
            }
        };
        Changed::by_event(amount)
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            StringChange::Set { value, expiry } => match expiry {
                Expiry::Never => Line::new(out, 3, "SET").arg(key).arg(value).end(),
                Expiry::Keep => Line::new(out, 4, "SET")
                    .arg(key)
                    .arg(value)
                    .arg(b"KEEPTTL")
                    .end(),
                Expiry::At(at) => Line::new(out, 5, "SET")
                    .arg(key)
                    .arg(value)
                    .arg(b"PXAT")
                    .int(at.0)
                    .end(),
            },
            StringChange::Append { tail } => Line::new(out, 3, "APPEND").arg(key).arg(tail).end(),
            StringChange::SetRange { offset, value } => Line::new(out, 4, "SETRANGE")
                .arg(key)
                .int(i64::from(offset))
                .arg(value)
                .end(),
        }
    }
}

impl Store<'_> {
    fn set_string(&mut self, key: &[u8], value: &[u8], expiry: Expiry) -> u64 {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let size = SizeClass::of_size(SizeKind::Strings, value.len());
        let value = Value::from(self.string_of(value));
        let over_at = self.over_at();
        let mut old = self.data.keyspace.find_mut(self.database, hash, key);
        if old.as_ref().is_some_and(|old| old.is_expired(over_at)) {
            self.expire(key);
            old = None;
        }
        let old_at = old.as_ref().and_then(|old| old.expires_at());
        let at = match expiry {
            Expiry::At(at) => Some(at),
            Expiry::Keep => old_at,
            Expiry::Never => None,
        };
        match old {
            // Values of other types may have more that is due than the key's expiry.
            Some(record) if at == old_at && record.value.get::<StringValue>().is_some() => {
                let from = SizeClass::of(&record.value);
                let old = record.replace_value(value);
                record.set_changed(lsn);
                if self.access == Access::Use {
                    self.data.usage.note_use(record, self.now);
                }
                self.data.keyspace.resized(self.database, from, size);
                self.data.notifications.overwritten(self.database, key);
                self.data.dropped.take_value(old);
            }
            Some(_) | None => {
                let record = Record::new(self.key(key), value, at, lsn, self.now.unix());
                self.put_record(self.database, hash, record);
            }
        }
        1
    }

    fn append_string(&mut self, key: &[u8], tail: &[u8]) -> u64 {
        match self.edit_string(key, |string| string.append(tail)) {
            0 => self.set_string(key, tail, Expiry::Never),
            changed => changed,
        }
    }

    fn set_range(&mut self, key: &[u8], offset: usize, value: &[u8]) -> u64 {
        let edit = |string: &mut StringValue| string.set_range(offset, value);
        match self.edit_string(key, edit) {
            0 => {
                self.set_string(key, b"", Expiry::Never);
                self.edit_string(key, edit)
            }
            changed => changed,
        }
    }

    /// Puts bytes in place of those of a string, or makes one of them; its expiry stays.
    pub(super) fn put_string_bytes(&mut self, key: &[u8], bytes: &[u8]) -> u64 {
        let put = |string: &mut StringValue| string.put(bytes);
        match self.edit_string(key, put) {
            0 => {
                self.set_string(key, b"", Expiry::Never);
                self.edit_string(key, put)
            }
            changed => changed,
        }
    }

    /// The string of an argument's bytes, which it shares if they are many.
    #[inline]
    fn string_of(&self, bytes: &[u8]) -> StringValue {
        match self.large(bytes) {
            Some(large) => StringValue::from_shared(large.clone()),
            None => StringValue::from_bytes(bytes),
        }
    }

    /// Changes an existing string in place: 1. There was none: 0.
    pub(super) fn edit_string(&mut self, key: &[u8], edit: impl FnOnce(&mut StringValue)) -> u64 {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let Some(record) = self.data.keyspace.find_mut(self.database, hash, key) else {
            return 0;
        };
        if record.is_expired(over_at) {
            self.expire(key);
            return 0;
        }
        let from = SizeClass::of(&record.value);
        let string: &mut StringValue = record.value.get_mut().expect(DECIDED);
        if let Some(memory) = self.data.prepared.take() {
            let moved = string.move_to(memory);
            self.data.dropped.take_value(moved.into());
        }
        edit(string);
        record.set_changed(lsn);
        let to = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, to);
        1
    }
}
