//! The progress of something that takes long, for a terminal.

use std::time::Duration;

use journal::Progress;

/// The pause between two lines.
const PAUSE: Duration = Duration::from_secs(2);

/// Decides when there is something to tell.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    told: Duration,
}

impl Meter {
    /// What to print about this progress, made in that time; nothing if it is too early, or too
    /// often.
    pub(crate) fn at(&mut self, progress: Progress, elapsed: Duration) -> Option<String> {
        if elapsed < self.told + PAUSE {
            return None;
        }
        self.told = elapsed;
        let Progress {
            bytes_read,
            bytes_total,
        } = progress;
        let percent = u128::from(bytes_read) * 100 / u128::from(bytes_total.max(1));
        Some(format!(
            "{bytes_read} of {bytes_total} bytes read ({percent}%)"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_when_a_while_has_gone_by_and_not_before() {
        let progress = Progress {
            bytes_read: 30,
            bytes_total: 120,
        };
        let mut meter = Meter::default();
        assert_eq!(meter.at(progress, Duration::from_millis(1999)), None);
        let text = meter.at(progress, PAUSE);
        assert_eq!(text.as_deref(), Some("30 of 120 bytes read (25%)"));
        assert_eq!(meter.at(progress, PAUSE + Duration::from_millis(1)), None);
        assert!(meter.at(Progress::default(), 2 * PAUSE).is_some());
    }
}
