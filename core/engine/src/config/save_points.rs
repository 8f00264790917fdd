//! `save`: when a snapshot is due automatically.

use std::fmt;

use super::SettingError;

/// A snapshot is due once both numbers are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot; at least 1.
    pub seconds: u64,
    /// Changes made since then.
    pub changes: u64,
}

/// All save points; none if snapshots are only written when asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavePoints(Vec<SavePoint>);

impl SavePoints {
    /// Reads seconds and changes in turn; no words at all mean none.
    pub(super) fn parse(text: &str) -> Result<SavePoints, SettingError> {
        const INVALID: SettingError = SettingError::Invalid("Invalid save parameters");
        let numbers: Option<Vec<u64>> = text
            .split_ascii_whitespace()
            .map(|word| word.parse::<u32>().ok().map(u64::from))
            .collect();
        let numbers = numbers.ok_or(INVALID)?;
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() || pairs.iter().any(|[seconds, _]| *seconds == 0) {
            return Err(INVALID);
        }
        let point = |&[seconds, changes]: &[u64; 2]| SavePoint { seconds, changes };
        Ok(SavePoints(pairs.iter().map(point).collect()))
    }

    /// Returns whether snapshots are only written when asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The point that makes a snapshot due this many changes and seconds after the last one.
    pub fn reached(&self, changes: u64, seconds: u64) -> Option<SavePoint> {
        let is_reached =
            |point: &&SavePoint| changes >= point.changes && seconds > point.seconds && changes > 0;
        self.0.iter().find(is_reached).copied()
    }
}

impl fmt::Display for SavePoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, SavePoint { seconds, changes }) in self.0.iter().enumerate() {
            let gap = if index > 0 { " " } else { "" };
            write!(f, "{gap}{seconds} {changes}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_when_changes_and_time_have_come_together() {
        let points = SavePoints::parse(" 3600 1  60 100 ").unwrap();
        assert_eq!(points.to_string(), "3600 1 60 100");
        assert_eq!(points.reached(99, 3600), None);
        assert_eq!(
            points.reached(1, 3601).map(|point| point.seconds),
            Some(3600)
        );
        assert_eq!(points.reached(100, 61).map(|point| point.seconds), Some(60));
        assert_eq!(points.reached(0, 9999), None);
        assert!(SavePoints::parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_pairs_of_numbers_is_refused() {
        for text in ["x", "10", "3600 1 10", "0 1", "-1 1", "1 -1", "1 1x"] {
            assert!(SavePoints::parse(text).is_err(), "{text}");
        }
    }
}
