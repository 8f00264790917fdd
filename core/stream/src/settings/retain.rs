//! Which entries a stream keeps, as settings of it.

use super::{Form, Row, SettingValue, StreamSettings};
use crate::trim::References;

/// How much a stream keeps; what is beyond that goes by itself. 0 stands for no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retain {
    /// `RETAIN-MAXLEN`: how many entries.
    pub len_max: u64,
    /// `RETAIN-AGE`: for how many milliseconds, counted from the time in the entry's ID.
    pub age_ms_max: u64,
    /// `RETAIN-BYTES`: how many bytes of chunks; see [`crate::Entries::chunk_bytes`].
    pub bytes_max: u64,
    /// `RETAIN-REFS`: what becomes of pending entries that go, and which entries stay for them.
    pub references: References,
}

impl Retain {
    /// Returns whether there is any bound.
    pub fn is_on(&self) -> bool {
        self.len_max > 0 || self.age_ms_max > 0 || self.bytes_max > 0
    }
}

const BOUND: Form = Form::Number {
    min: 0,
    max: i64::MAX as u64,
};

pub(super) const MAXLEN: Row<StreamSettings> = Row {
    word: "RETAIN-MAXLEN",
    tag: 10,
    form: BOUND,
    get: |settings| SettingValue::Number(settings.retain.len_max),
    set: |settings, value| settings.retain.len_max = value.number(),
};

pub(super) const AGE: Row<StreamSettings> = Row {
    word: "RETAIN-AGE",
    tag: 11,
    form: BOUND,
    get: |settings| SettingValue::Number(settings.retain.age_ms_max),
    set: |settings, value| settings.retain.age_ms_max = value.number(),
};

pub(super) const BYTES: Row<StreamSettings> = Row {
    word: "RETAIN-BYTES",
    tag: 12,
    form: BOUND,
    get: |settings| SettingValue::Number(settings.retain.bytes_max),
    set: |settings, value| settings.retain.bytes_max = value.number(),
};

pub(super) const REFS: Row<StreamSettings> = Row {
    word: "RETAIN-REFS",
    tag: 13,
    form: Form::Word(&["KEEPREF", "DELREF", "ACKED"]),
    get: |settings| SettingValue::Number(settings.retain.references as u64),
    set: |settings, value| {
        settings.retain.references = match value.number() {
            0 => References::Keep,
            1 => References::Delete,
            _ => References::Acknowledged,
        }
    },
};
