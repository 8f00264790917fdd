//! What a setting is: a row of data, and how a text becomes a value of it.

use thiserror::Error;

use super::bytes_or_percent::BytesOrPercent;
use super::output_limits::LimitsByClass;
use super::{BindAddress, CANONICAL, KeyspaceEvents, Percentile, SavePoints};
use crate::error::CmdError;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name as in Redis.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its default.
    pub default: &'static str,
    /// When a new value counts.
    pub when: When,
    /// One line of documentation with the unit, or why the setting has no effect.
    pub doc: &'static str,
    /// Whether weir has it.
    pub standing: Standing,
    /// Another name of it, from earlier versions of Redis; empty if there is none.
    pub alias: &'static str,
}

/// Whether weir has a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// weir does what it says.
    Works,
    /// It is a setting of Redis that means nothing here; any value of it is accepted.
    NoEffect,
    /// It asks Redis for something that weir does not have; only the default, which does not ask
    /// for it, is accepted.
    Missing,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number within bounds.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A number of bytes within bounds; `k`, `kb`, `m`, `mb`, `g`, `gb` are understood.
    Bytes {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// An octal number from 0.
    Octal {
        /// Greatest value.
        max: u32,
    },
    /// A number of bytes, or a share of `maxmemory` in percent.
    BytesOrPercent,
    /// `yes` or `no`.
    Flag,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// How much may wait to be sent, by class of clients.
    OutputLimits,
    /// Letters, one for each class of events.
    KeyspaceEvents,
    /// Shares in percent, between spaces.
    Percentiles,
    /// Seconds and changes in turn.
    SavePoints,
    /// Addresses to listen on, between spaces.
    Addresses,
    /// The name of a file, without a folder.
    FileName,
    /// Any text.
    Text,
}

/// When a new value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once, by `CONFIG SET`.
    Live,
    /// At once, by `CONFIG SET`, if what it depends on outside of the engine (a port, a disk)
    /// allows it.
    ByShell,
    /// The same, for clients that `enable-protected-configs` allows to.
    Protected,
    /// Only when the server starts.
    AtStart,
}

/// Why a value was refused. The text follows `CONFIG SET failed … - ` and stands in start-up
/// errors.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// No such setting.
    #[error("unknown setting '{0}'")]
    Unknown(String),
    /// Cannot change while the server runs.
    #[error("can't set immutable config")]
    Immutable,
    /// Can change while the server runs, but this client may not do it.
    #[error("can't set protected config")]
    Protected,
    /// Given twice in one command.
    #[error("duplicate parameter")]
    Duplicate,
    /// Not a whole number.
    #[error("argument couldn't be parsed into an integer")]
    NotAnInteger,
    /// Not a number of bytes.
    #[error("argument must be a memory value")]
    NotBytes,
    /// Neither a number of bytes nor a share.
    #[error("argument must be a memory or percent value")]
    NeitherBytesNorPercent,
    /// More than 100 percent.
    #[error("percentage argument must be less or equal to 100")]
    AboveAll,
    /// Outside the bounds.
    #[error("argument must be between {min} and {max} inclusive")]
    OutOfRange {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// Not an octal number.
    #[error("argument couldn't be parsed as an octal number")]
    NotOctal,
    /// An octal number outside its bounds.
    #[error("argument must be between 0 and {max:o} inclusive")]
    OctalOutOfRange {
        /// Greatest value.
        max: u32,
    },
    /// Neither `yes` nor `no`.
    #[error("argument must be 'yes' or 'no'")]
    NotAFlag,
    /// None of the words.
    #[error("argument(s) must be one of the following: {0}")]
    NotAChoice(String),
    /// A path where a name is wanted.
    #[error("{0} can't be a path, just a filename")]
    NotAFileName(&'static str),
    /// Makes no sense for a reason of its own.
    #[error("{0}")]
    Invalid(&'static str),
    /// The value asks for something that weir lacks.
    #[error("{reason}; only '{only}' is accepted")]
    Missing {
        /// Why it is not there.
        reason: &'static str,
        /// The value that does not ask for it.
        only: &'static str,
    },
}

impl SettingError {
    /// The error for a client that wanted to change the setting of that name.
    pub fn refusal(&self, name: &str) -> CmdError {
        CmdError::SettingRefused {
            name: name.to_owned(),
            reason: self.to_string(),
        }
    }
}

impl Setting {
    /// The same setting, which has another name too.
    pub(super) const fn alias(self, alias: &'static str) -> Setting {
        Setting { alias, ..self }
    }

    /// The value in its canonical form. Parts of a setting that the text does not name stay as in
    /// `before`.
    ///
    /// # Errors
    /// Why the text is not a value of this setting.
    pub fn canonical(&self, text: &str, before: &str) -> Result<String, SettingError> {
        let value = self.parsed(text, before)?;
        if self.standing == Standing::Missing && value != self.default {
            return Err(SettingError::Missing {
                reason: self.doc,
                only: self.default,
            });
        }
        Ok(value)
    }

    /// Its names: its own, and the other one if there is one.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name, self.alias]
            .into_iter()
            .filter(|name| !name.is_empty())
    }

    /// Returns whether it has this name, in any case of letters.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn parsed(&self, text: &str, before: &str) -> Result<String, SettingError> {
        match self.kind {
            Kind::Integer { min, max } => {
                let n: i64 = text.parse().map_err(|_| SettingError::NotAnInteger)?;
                in_range(n, min, max)
            }
            Kind::Bytes { min, max } => {
                in_range(parse_bytes(text).ok_or(SettingError::NotBytes)?, min, max)
            }
            Kind::Octal { max } => {
                let n = i64::from_str_radix(text, 8).map_err(|_| SettingError::NotOctal)?;
                u32::try_from(n)
                    .ok()
                    .filter(|n| *n <= max)
                    .map(|n| format!("{n:o}"))
                    .ok_or(SettingError::OctalOutOfRange { max })
            }
            Kind::BytesOrPercent => BytesOrPercent::parse(text).map(|value| value.to_string()),
            Kind::Flag => match text.to_ascii_lowercase() {
                flag if flag == "yes" || flag == "no" => Ok(flag),
                _ => Err(SettingError::NotAFlag),
            },
            Kind::Choice(words) => {
                let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                found
                    .map(|word| (*word).to_owned())
                    .ok_or_else(|| SettingError::NotAChoice(words.join(", ")))
            }
            Kind::OutputLimits => {
                let before = LimitsByClass::default().changed(before).expect(CANONICAL);
                before.changed(text).map(|limits| limits.to_string())
            }
            Kind::KeyspaceEvents => KeyspaceEvents::parse(text).map(|events| events.to_string()),
            Kind::Percentiles => {
                Percentile::parse_all(text).map(|percentiles| Percentile::text_of(&percentiles))
            }
            Kind::SavePoints => SavePoints::parse(text).map(|points| points.to_string()),
            Kind::Addresses => {
                BindAddress::parse_all(text).map(|addresses| BindAddress::text_of(&addresses))
            }
            Kind::FileName if text.contains('/') => Err(SettingError::NotAFileName(self.name)),
            Kind::FileName | Kind::Text => Ok(text.to_owned()),
        }
    }
}

fn in_range(n: i64, min: i64, max: i64) -> Result<String, SettingError> {
    if (min..=max).contains(&n) {
        Ok(n.to_string())
    } else {
        Err(SettingError::OutOfRange { min, max })
    }
}

/// A number of bytes with an optional unit, as configuration files have it.
pub fn parse_bytes(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: i64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}
