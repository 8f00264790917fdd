//! How effects change strings.

use values::{Key, StringValue, Value};

use super::{DECIDED, Tx};
use crate::lsn::Lsn;
use crate::store::dropped::What;
use crate::store::effect::{Effect, Expiry};
use crate::store::keyspace::Record;

impl Tx<'_> {
    pub(super) fn change_string(&mut self, effect: &Effect<'_>) -> u64 {
        match *effect {
            Effect::Set { key, value, expiry } => self.set(key, value, expiry),
            Effect::Append { key, tail } => {
                let changed = self.edit_string(key, |string| string.append(tail));
                if changed {
                    1
                } else {
                    self.set(key, tail, Expiry::Never)
                }
            }
            Effect::SetRange { key, offset, value } => {
                let offset = offset as usize;
                let edit = |string: &mut StringValue| string.set_range(offset, value);
                if self.edit_string(key, edit) {
                    return 1;
                }
                self.set(key, b"", Expiry::Never);
                u64::from(self.edit_string(key, edit))
            }
            _ => unreachable!("not for a string: {effect:?}"),
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8], expiry: Expiry) -> u64 {
        let hash = self.data.keyspace.hash(key);
        let lsn = self.data.log.open();
        let value = Value::String(self.string_of(value));
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
            // A stream has more that is due than its expiry.
            Some(record) if at == old_at && matches!(record.value, Value::String(_)) => {
                let old = std::mem::replace(&mut record.value, value);
                record.changed = lsn;
                self.data.dropped.take(What::Value(old));
            }
            _ => {
                let record = Record::new(Key::from(key), value, at, lsn, self.now.unix());
                self.put_record(self.database, hash, record);
            }
        }
        self.touched(key);
        1
    }

    /// The string of an argument's bytes, which it shares if they are many.
    #[inline]
    fn string_of(&self, bytes: &[u8]) -> StringValue {
        match self.large(bytes) {
            Some(large) => StringValue::from_shared(large.clone()),
            None => StringValue::from_bytes(bytes),
        }
    }

    /// Changes an existing string in place. Whether there was one.
    fn edit_string(&mut self, key: &[u8], edit: impl FnOnce(&mut StringValue)) -> bool {
        let hash = self.data.keyspace.hash(key);
        let lsn: Lsn = self.data.log.open();
        let over_at = self.over_at();
        let Some(record) = self.data.keyspace.find_mut(self.database, hash, key) else {
            return false;
        };
        if record.is_expired(over_at) {
            self.expire(key);
            return false;
        }
        let Value::String(string) = &mut record.value else {
            panic!("{DECIDED}");
        };
        edit(string);
        record.changed = lsn;
        self.touched(key);
        true
    }
}
