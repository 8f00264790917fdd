//! The settings of a group.

use super::{Form, Row, SettingValue, Settings};
use crate::limits::DEAD_LETTER_KEY_BYTES_MAX;
use crate::pending::DELIVERY_COUNT_MAX;

/// What a group was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// `CLAIM`: after how many milliseconds a pending entry is given to whoever reads next; 0 for
    /// never.
    pub claim_idle_ms: u64,
    /// `MAXDELIVERIES`: how often an entry is delivered at most, before it goes to the dead-letter
    /// stream; 0 for any number of times.
    pub deliveries_max: u64,
    /// `DEADLETTER`: the key of the dead-letter stream; empty for none.
    pub dead_letter_key: Vec<u8>,
    /// `MAXPENDING`: how many entries a consumer has pending at most by reading; 0 for any number.
    pub pending_max: u64,
    /// `BACKOFF`: how long an entry waits after its first delivery until it is given again, and how
    /// long it does at most, in milliseconds; (0, 0) for not at all.
    pub backoff_ms: (u64, u64),
    /// `JITTER`: by how many percent such a pause is shortened at most.
    pub jitter_percent: u64,
    /// `IDLECONSUMERS`: after how many milliseconds without a call a consumer goes that has nothing
    /// pending; 0 for never.
    pub idle_consumers_ms: u64,
}

impl Settings for GroupSettings {
    const ROWS: &'static [Row<GroupSettings>] = &[
        Row {
            word: "CLAIM",
            tag: 1,
            form: Form::Number {
                min: 0,
                max: i64::MAX as u64,
            },
            get: |settings| SettingValue::Number(settings.claim_idle_ms),
            set: |settings, value| settings.claim_idle_ms = value.number(),
        },
        Row {
            word: "MAXDELIVERIES",
            tag: 2,
            form: Form::Number {
                min: 0,
                max: DELIVERY_COUNT_MAX,
            },
            get: |settings| SettingValue::Number(settings.deliveries_max),
            set: |settings, value| settings.deliveries_max = value.number(),
        },
        Row {
            word: "DEADLETTER",
            tag: 3,
            form: Form::Text {
                bytes_max: DEAD_LETTER_KEY_BYTES_MAX,
            },
            get: |settings| SettingValue::Text(&settings.dead_letter_key),
            set: |settings, value| settings.dead_letter_key = value.text().to_vec(),
        },
        Row {
            word: "MAXPENDING",
            tag: 4,
            form: Form::Number {
                min: 0,
                max: i64::MAX as u64,
            },
            get: |settings| SettingValue::Number(settings.pending_max),
            set: |settings, value| settings.pending_max = value.number(),
        },
        Row {
            word: "BACKOFF",
            tag: 5,
            form: Form::Span {
                max: i64::MAX as u64,
            },
            get: |settings| {
                let (first_ms, max_ms) = settings.backoff_ms;
                SettingValue::Span(first_ms, max_ms)
            },
            set: |settings, value| settings.backoff_ms = value.span(),
        },
        Row {
            word: "JITTER",
            tag: 6,
            form: Form::Number { min: 0, max: 100 },
            get: |settings| SettingValue::Number(settings.jitter_percent),
            set: |settings, value| settings.jitter_percent = value.number(),
        },
        Row {
            word: "IDLECONSUMERS",
            tag: 7,
            form: Form::Number {
                min: 0,
                max: i64::MAX as u64,
            },
            get: |settings| SettingValue::Number(settings.idle_consumers_ms),
            set: |settings, value| settings.idle_consumers_ms = value.number(),
        },
    ];
}

/// Which entries go to a dead-letter stream, and to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetterRule<'g> {
    /// The key of the stream, in the database of the group's.
    pub key: &'g [u8],
    /// Entries that were delivered this often are not delivered again. Those that were given up
    /// for good have [`DELIVERY_COUNT_MAX`].
    pub deliveries_max: u64,
}

impl GroupSettings {
    /// Where entries go that are not to be delivered again, if the group has such a place.
    #[inline]
    pub fn dead_letter(&self) -> Option<DeadLetterRule<'_>> {
        let key = self.dead_letter_key.as_slice();
        (!key.is_empty()).then_some(DeadLetterRule {
            key,
            deliveries_max: match self.deliveries_max {
                0 => DELIVERY_COUNT_MAX,
                told => told,
            },
        })
    }
}
