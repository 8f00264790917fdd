//! `client-output-buffer-limit`: how much may wait to be sent to a client, by class of clients.
//!
//! The text holds a class, a hard limit in bytes, a soft limit in bytes and seconds, for each
//! class. A value that names some classes leaves the others as they are.

use std::fmt;

use super::{SettingError, parse_bytes};

/// How much may wait to be sent to a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputLimits {
    /// More than this closes the connection, in bytes; 0: no limit.
    pub hard_bytes: u64,
    /// More than this closes it after [`OutputLimits::soft_s`], in bytes; 0: no limit.
    pub soft_bytes: u64,
    /// How long the soft limit may be exceeded, in seconds.
    pub soft_s: u64,
}

impl OutputLimits {
    /// Returns whether this many bytes exceed the hard limit.
    #[inline]
    pub fn is_above_hard(&self, bytes: usize) -> bool {
        self.hard_bytes > 0 && bytes as u64 > self.hard_bytes
    }

    /// Returns whether this many bytes exceed the soft limit.
    #[inline]
    pub fn is_above_soft(&self, bytes: usize) -> bool {
        self.soft_bytes > 0 && bytes as u64 > self.soft_bytes
    }

    /// Returns how many bytes may wait, by the hard limit.
    pub fn bytes_max(&self) -> usize {
        match self.hard_bytes {
            0 => usize::MAX,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        }
    }
}

/// What a client is to the server, as far as its limits depend on it. Those who see all commands
/// (`MONITOR`) are normal clients, as in Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientClass {
    /// It sends requests.
    #[default]
    Normal,
    /// It follows the server.
    Replica,
    /// It has subscribed to channels.
    PubSub,
}

/// The classes as they are written, in the order of [`ClientClass`], each with another word for it.
const CLASSES: [(&str, &str); 3] = [
    ("normal", "normal"),
    ("slave", "replica"),
    ("pubsub", "pubsub"),
];

/// The limits of all classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsByClass([OutputLimits; CLASSES.len()]);

impl LimitsByClass {
    /// Reads a value; classes that it does not name are as in `self`.
    pub(super) fn changed(mut self, text: &str) -> Result<LimitsByClass, SettingError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if !words.len().is_multiple_of(4) {
            return Err(SettingError::Invalid(
                "Wrong number of arguments in buffer limit configuration.",
            ));
        }
        for part in words.chunks_exact(4) {
            let class = CLASSES.iter().position(|(name, other)| {
                part[0].eq_ignore_ascii_case(name) || part[0].eq_ignore_ascii_case(other)
            });
            let class = class.ok_or(SettingError::Invalid(
                "Invalid client class specified in buffer limit configuration.",
            ))?;
            let bytes = |text: &str| parse_bytes(text).and_then(|bytes| u64::try_from(bytes).ok());
            let limits = (|| {
                Some(OutputLimits {
                    hard_bytes: bytes(part[1])?,
                    soft_bytes: bytes(part[2])?,
                    soft_s: part[3].parse().ok()?,
                })
            })();
            self.0[class] = limits.ok_or(SettingError::Invalid(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ))?;
        }
        Ok(self)
    }

    /// The limits of a class.
    #[inline]
    pub fn of(&self, class: ClientClass) -> OutputLimits {
        self.0[class as usize]
    }
}

impl fmt::Display for LimitsByClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ((name, _), limits)) in CLASSES.iter().zip(&self.0).enumerate() {
            let gap = if index > 0 { " " } else { "" };
            let OutputLimits {
                hard_bytes,
                soft_bytes,
                soft_s,
            } = limits;
            write!(f, "{gap}{name} {hard_bytes} {soft_bytes} {soft_s}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientClass, LimitsByClass};

    #[test]
    fn classes_that_are_not_named_stay() {
        let before = LimitsByClass::default()
            .changed("pubsub 32mb 8mb 60")
            .unwrap();
        let after = before.changed("normal 1mb 512kb 10 replica 1 2 3").unwrap();
        assert_eq!(
            after.to_string(),
            "normal 1048576 524288 10 slave 1 2 3 pubsub 33554432 8388608 60"
        );
        let hard = |class| after.of(class).hard_bytes;
        let classes = [
            ClientClass::Normal,
            ClientClass::Replica,
            ClientClass::PubSub,
        ];
        assert_eq!(classes.map(hard), [1 << 20, 1, 32 << 20]);
        assert!(after.changed("normal 1 2").is_err());
        assert!(after.changed("other 1 2 3").is_err());
        assert!(after.changed("normal 1 2 x").is_err());
    }
}
