//! The settings of a group.

use super::{Form, Row, SettingValue, Settings};

/// What a group was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// `CLAIM`: after how many milliseconds a pending entry is given to whoever reads next; 0 for
    /// never.
    pub claim_idle_ms: u64,
}

impl Settings for GroupSettings {
    const ROWS: &'static [Row<GroupSettings>] = &[Row {
        word: "CLAIM",
        tag: 1,
        form: Form::Number {
            min: 0,
            max: i64::MAX as u64,
        },
        get: |settings| SettingValue::Number(settings.claim_idle_ms),
        set: |settings, value| settings.claim_idle_ms = value.number(),
    }];
}
