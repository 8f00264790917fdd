//! The settings of a stream.

use super::{Form, Row, SettingValue, Settings};

/// What a stream was told. [`crate::Retention`] has what Redis can be told too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamSettings {
    /// `IDMP-CONFLICT`.
    pub on_conflict: OnConflict,
    /// `IDMP-STATS`: whether what happens to each producer's appends is counted.
    pub counts_producers: bool,
}

/// What becomes of an idempotent append whose ID was used before, for an entry with other fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It is a duplicate like any other, as in Redis.
    #[default]
    Ignore,
    /// It is refused.
    Error,
}

impl Settings for StreamSettings {
    const ROWS: &'static [Row<StreamSettings>] = &[
        Row {
            word: "IDMP-CONFLICT",
            tag: 1,
            form: Form::Word(&["IGNORE", "ERROR"]),
            get: |settings| SettingValue::Number(settings.on_conflict as u64),
            set: |settings, value| {
                settings.on_conflict = match value.number() {
                    0 => OnConflict::Ignore,
                    _ => OnConflict::Error,
                }
            },
        },
        Row {
            word: "IDMP-STATS",
            tag: 2,
            form: Form::Word(&["OFF", "ON"]),
            get: |settings| SettingValue::Number(settings.counts_producers.into()),
            set: |settings, value| settings.counts_producers = value.number() != 0,
        },
    ];
}
