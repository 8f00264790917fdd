//! How long what may take. All times are by the steady clock of the node that measures them.

use std::time::Duration;

use crate::limits::{BODY_BYTES_MAX, IN_FLIGHT_MAX};

/// The settings of a node. All nodes of a group must have the same `lease` and `drift_percent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a leader may answer after it has *sent* a record that was acknowledged.
    pub lease: Duration,
    /// By how many percent the clocks of two nodes may run at different rates (0 to 100). A
    /// follower waits this much longer than `lease` before it wants to lead.
    pub drift_percent: u32,
    /// An idle leader sends a record this often, so that its lease goes on.
    pub beat: Duration,
    /// An acknowledgement that has not come by then is in doubt.
    pub ack_timeout: Duration,
    /// A read that has not been answered by then is asked again, and the log counts as out of
    /// reach.
    pub read_timeout: Duration,
    /// How long a reader at the end waits before it reads again.
    pub poll: Duration,
    /// How long a node waits before it tries again what was refused or failed.
    pub retry: Duration,
    /// A log that ends before what this node has seen of it has lost something, if it still does
    /// after this time. A service that elects a leader of its own may give an old answer for a
    /// while.
    pub shortfall: Duration,
    /// How many records may be on their way (1 to [`IN_FLIGHT_MAX`]).
    pub in_flight_max: usize,
    /// How many may be on their way before a small group (1 to [`IN_FLIGHT_MAX`]). Beyond that it
    /// waits and grows: a record costs the service as much as tens of kilobytes in it, so more of
    /// them at a time would only be slower.
    pub small_in_flight_max: usize,
    /// A group of fewer bytes is a small one.
    pub small_bytes: usize,
    /// How long the body of one record may be, in bytes (1 to [`BODY_BYTES_MAX`]).
    pub body_bytes_max: usize,
}

/// Why settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An idle leader would lose its lease.
    #[error("a leader must send a record, and be told so, at least twice within its lease")]
    BeatTooSlow,
    /// A margin beyond twice the lease helps nobody.
    #[error("clocks may differ by at most 100 percent")]
    DriftTooLarge,
    /// See [`Settings::in_flight_max`].
    #[error("from 1 to {IN_FLIGHT_MAX} records may be in flight")]
    InFlight,
    /// See [`Settings::body_bytes_max`].
    #[error("a body has from 1 to {BODY_BYTES_MAX} bytes")]
    BodyBytes,
}

impl Settings {
    /// What fits a log on three machines in one place.
    pub const DEFAULT: Settings = Settings {
        lease: Duration::from_secs(2),
        drift_percent: 25,
        beat: Duration::from_millis(500),
        ack_timeout: Duration::from_millis(1000),
        read_timeout: Duration::from_millis(1000),
        poll: Duration::from_millis(10),
        retry: Duration::from_millis(50),
        shortfall: Duration::from_secs(15),
        in_flight_max: 16,
        small_in_flight_max: 2,
        small_bytes: 64 << 10,
        body_bytes_max: 1 << 19,
    };

    /// Checks the settings.
    ///
    /// # Errors
    /// The first rule that they break.
    pub fn check(self) -> Result<Settings, SettingsError> {
        if self.beat.saturating_mul(2) > self.lease {
            return Err(SettingsError::BeatTooSlow);
        }
        if self.drift_percent > 100 {
            return Err(SettingsError::DriftTooLarge);
        }
        for in_flight_max in [self.in_flight_max, self.small_in_flight_max] {
            if !(1..=IN_FLIGHT_MAX).contains(&in_flight_max) {
                return Err(SettingsError::InFlight);
            }
        }
        if !(1..=BODY_BYTES_MAX).contains(&self.body_bytes_max) {
            return Err(SettingsError::BodyBytes);
        }
        Ok(self)
    }

    /// How many records may be on their way before a group of this length is sent.
    pub(crate) fn in_flight_max_of(&self, bytes: usize) -> usize {
        match bytes < self.small_bytes {
            true => self.small_in_flight_max.min(self.in_flight_max),
            false => self.in_flight_max,
        }
    }

    /// How long a follower waits after the last record that it has received before it wants to
    /// lead.
    pub fn patience(&self) -> Duration {
        let margin = self.lease.saturating_mul(self.drift_percent) / 100;
        self.lease.saturating_add(margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_group_waits_for_all_but_a_few_records() {
        let settings = Settings::DEFAULT;
        for (bytes, in_flight_max) in [(0, 2), ((64 << 10) - 1, 2), (64 << 10, 16)] {
            assert_eq!(settings.in_flight_max_of(bytes), in_flight_max);
        }
        let one_at_a_time = Settings {
            in_flight_max: 1,
            ..settings
        };
        assert_eq!(one_at_a_time.in_flight_max_of(0), 1);
    }

    #[test]
    fn settings_hold_at_their_bounds_and_not_one_beyond() {
        let good = Settings::DEFAULT;
        assert_eq!(good.check(), Ok(good));
        assert_eq!(good.patience(), Duration::from_millis(2500));
        let beat = Duration::from_millis(1000);
        assert!(Settings { beat, ..good }.check().is_ok());
        let beat = Duration::from_millis(1001);
        assert_eq!(
            Settings { beat, ..good }.check(),
            Err(SettingsError::BeatTooSlow)
        );
        for (drift_percent, is_good) in [(0, true), (100, true), (101, false)] {
            let settings = Settings {
                drift_percent,
                ..good
            };
            assert_eq!(settings.check().is_ok(), is_good);
        }
        for (in_flight_max, is_good) in [(0, false), (1, true), (64, true), (65, false)] {
            let settings = Settings {
                in_flight_max,
                ..good
            };
            assert_eq!(settings.check().is_ok(), is_good);
            let settings = Settings {
                small_in_flight_max: in_flight_max,
                ..good
            };
            assert_eq!(settings.check().is_ok(), is_good);
        }
        for (body_bytes_max, is_good) in [
            (0, false),
            (1, true),
            (BODY_BYTES_MAX, true),
            (BODY_BYTES_MAX + 1, false),
        ] {
            let settings = Settings {
                body_bytes_max,
                ..good
            };
            assert_eq!(settings.check().is_ok(), is_good);
        }
    }
}
