//! The settings of a group.

use super::{Row, Settings};

/// What a group was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {}

impl Settings for GroupSettings {
    const ROWS: &'static [Row<GroupSettings>] = &[];
}
