//! The settings of a stream.

use std::num::NonZeroU32;

use super::{Form, Retain, Row, SettingValue, Settings, retain};

/// What a stream was told. [`crate::Retention`] has what Redis can be told too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamSettings {
    /// `IDMP-CONFLICT`.
    pub on_conflict: OnConflict,
    /// `IDMP-STATS`: whether what happens to each producer's appends is counted.
    pub counts_producers: bool,
    /// `IDMP-MODE`.
    pub iid_mode: IidMode,
    /// `IDMP-GAPS`: what becomes of an append whose ID is not the next number.
    pub on_gap: OnGap,
    /// `IDMP-PIDS`: how many producers are known at most, beside those that are only known for
    /// their epochs.
    pub producers_max: Option<NonZeroU32>,
    /// `RETAIN-…`: which entries stay.
    pub retain: Retain,
}

/// What idempotent IDs are, and what is remembered of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IidMode {
    /// Any bytes, of which the latest of each producer are remembered for a while, as in Redis.
    #[default]
    Window,
    /// Numbers that grow, of which the last of each producer is remembered for ever.
    Monotone,
}

/// What becomes of an append whose ID leaves out numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnGap {
    /// It is added.
    #[default]
    Allow,
    /// It is refused.
    Error,
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
        Row {
            word: "IDMP-MODE",
            tag: 3,
            form: Form::Word(&["WINDOW", "MONOTONE"]),
            get: |settings| SettingValue::Number(settings.iid_mode as u64),
            set: |settings, value| {
                settings.iid_mode = match value.number() {
                    0 => IidMode::Window,
                    _ => IidMode::Monotone,
                }
            },
        },
        Row {
            word: "IDMP-GAPS",
            tag: 4,
            form: Form::Word(&["ALLOW", "ERROR"]),
            get: |settings| SettingValue::Number(settings.on_gap as u64),
            set: |settings, value| {
                settings.on_gap = match value.number() {
                    0 => OnGap::Allow,
                    _ => OnGap::Error,
                }
            },
        },
        Row {
            word: "IDMP-PIDS",
            tag: 5,
            form: Form::Number {
                min: 0,
                max: u32::MAX as u64,
            },
            get: |settings| {
                let max = settings.producers_max.map_or(0, NonZeroU32::get);
                SettingValue::Number(max.into())
            },
            set: |settings, value| {
                let max = u32::try_from(value.number()).unwrap_or(u32::MAX);
                settings.producers_max = NonZeroU32::new(max);
            },
        },
        retain::MAXLEN,
        retain::AGE,
        retain::BYTES,
        retain::REFS,
    ];
}
