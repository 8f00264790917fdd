//! Settings in two steps: what was said ([`Settings`], text checked against its row) and what it means
//! ([`Config`], every default resolved).
//!
//! One row a setting, in `config/rows.rs`; command line, configuration file, `CONFIG GET`/`SET`, the
//! sample file and the reference page come from the rows. Clocks, disks and logs are never settings.

mod bytes_or_percent;
mod output_limits;
mod rows;
mod save_points;

use stream::{NodeLimits, Retention};
use thiserror::Error;

use self::bytes_or_percent::BytesOrPercent;
use self::output_limits::ByClass;
use crate::replay::OnUnknown;

pub use output_limits::OutputLimits;
pub use rows::SETTINGS;
pub use save_points::{SavePoint, SavePoints};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name as in Redis.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value if nothing is said.
    pub default: &'static str,
    /// When a new value counts.
    pub when: When,
    /// One line of documentation, with the unit.
    pub doc: &'static str,
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
    /// A number of bytes, or a share of `maxmemory` in percent.
    BytesOrPercent,
    /// `yes` or `no`.
    Flag,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// How much may wait to be sent, by class of clients.
    OutputLimits,
    /// Seconds and changes in turn.
    SavePoints,
    /// Any text.
    Text,
}

/// When a new value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once, by `CONFIG SET`.
    Live,
    /// Only when the server starts.
    AtStart,
}

/// Why a value was refused. The text follows `CONFIG SET failed … - ` and stands in start-up errors.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// No such setting.
    #[error("unknown setting '{0}'")]
    Unknown(String),
    /// Cannot change while the server runs.
    #[error("can't set immutable config")]
    Immutable,
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
    /// More than all.
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
    /// Neither `yes` nor `no`.
    #[error("argument must be 'yes' or 'no'")]
    NotAFlag,
    /// None of the words.
    #[error("argument(s) must be one of the following: {0}")]
    NotAChoice(String),
    /// The value makes no sense for a reason of its own.
    #[error("{0}")]
    Invalid(&'static str),
}

impl Setting {
    /// The value in its canonical form. Of a setting with parts, those that the text does not name are as
    /// `before`.
    ///
    /// # Errors
    /// Why the text is no value of this setting.
    pub fn canonical(&self, text: &str, before: &str) -> Result<String, SettingError> {
        match self.kind {
            Kind::Integer { min, max } => {
                let n: i64 = text.parse().map_err(|_| SettingError::NotAnInteger)?;
                in_range(n, min, max)
            }
            Kind::Bytes { min, max } => {
                in_range(parse_bytes(text).ok_or(SettingError::NotBytes)?, min, max)
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
                let before = ByClass::default().changed(before).expect(CANONICAL);
                before.changed(text).map(|limits| limits.to_string())
            }
            Kind::SavePoints => SavePoints::parse(text).map(|points| points.to_string()),
            Kind::Text => Ok(text.to_owned()),
        }
    }
}

/// Why a value that is kept can be read again.
const CANONICAL: &str = "a setting takes only values in their canonical form";

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

/// What was said of every setting, defaults where nothing was.
#[derive(Debug, Clone)]
pub struct Settings {
    values: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            values: SETTINGS
                .iter()
                .map(|setting| setting.default.to_owned())
                .collect(),
        }
    }
}

impl Settings {
    /// The row and value of each setting, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &str)> {
        SETTINGS.iter().zip(self.values.iter().map(String::as_str))
    }

    /// The row of a setting, its name in any case of letters.
    pub fn row(&self, name: &str) -> Option<&'static Setting> {
        SETTINGS
            .iter()
            .find(|setting| setting.name.eq_ignore_ascii_case(name))
    }

    /// The value of a setting.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(setting, _)| setting.name == name)
            .map(|(_, value)| value)
    }

    /// Says a value, at any time before the server starts.
    ///
    /// # Errors
    /// An unknown name or a value that does not fit its row.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), SettingError> {
        let index = SETTINGS
            .iter()
            .position(|setting| setting.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| SettingError::Unknown(name.to_owned()))?;
        self.values[index] = SETTINGS[index].canonical(text, &self.values[index])?;
        Ok(())
    }

    /// The value of a setting that the program knows by name. A name that no row has is an error of
    /// the program, and never the default of anything.
    pub fn text(&self, name: &str) -> &str {
        self.value(name)
            .unwrap_or_else(|| panic!("no setting is called {name}"))
    }

    /// The value of a setting that is a number, of a type that holds all that its row allows.
    pub fn number<N: TryFrom<i64>>(&self, name: &str) -> N {
        let number = self.text(name).parse().ok();
        number
            .and_then(|number: i64| N::try_from(number).ok())
            .unwrap_or_else(|| panic!("{name} is no number of its type"))
    }

    /// The value of a setting that is a flag.
    pub fn flag(&self, name: &str) -> bool {
        match self.text(name) {
            "yes" => true,
            "no" => false,
            _ => panic!("{name} is no flag"),
        }
    }

    fn int(&self, name: &str) -> i64 {
        self.number(name)
    }
}

/// Who may use `DEBUG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Debugging {
    /// Nobody.
    Nobody,
    /// Clients of a unix socket or of the loopback address.
    ThisMachine,
    /// Everybody.
    Everybody,
}

/// What the settings mean: a plain value that commands and shell read. Made by [`Config::resolve`] only,
/// so that no field can disagree with its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Number of databases.
    pub databases: u16,
    /// The password of the default user; empty if none is asked for.
    pub requirepass: String,
    /// Longest argument of a request, and longest string that a command makes, in bytes.
    pub bulk_bytes_max: usize,
    /// What a new stream remembers of its producers.
    pub retention: Retention,
    /// When a run of entries that approximate trimming removes whole is full.
    pub node_limits: NodeLimits,
    /// Whether full chunks of streams are packed.
    pub stream_compress: bool,
    /// What a load does with things that weir does not have.
    pub on_unknown: OnUnknown,
    /// Whether expired keys are removed before somebody asks for them.
    pub active_expire: bool,
    /// Commands that took longer are in the slow log, in microseconds; negative: none.
    pub slow_log_us: i64,
    /// Entries that the slow log keeps.
    pub slow_log_len: usize,
    /// Events that took longer are kept for `LATENCY`, in milliseconds; 0: none.
    pub latency_threshold_ms: u64,
    /// How much the journal may grow beyond its base before it is rewritten, in percent; 0: never.
    pub rewrite_growth_percent: u64,
    /// A smaller journal is not rewritten by itself, in bytes.
    pub rewrite_bytes_min: u64,
    /// How long replies wait for a disk that does not answer, in milliseconds; 0: as long as it takes.
    pub journal_wait_ms: u64,
    /// When a snapshot is due by itself.
    pub save_points: SavePoints,
    /// Who may use `DEBUG`.
    pub debugging: Debugging,
    /// Beyond this, commands that need more memory are refused, in bytes; 0: never.
    pub memory_bytes_max: u64,
    /// How much of its requests may wait for a client, those of a transaction included, in bytes.
    pub query_bytes_max: usize,
    /// What all clients may take together, in bytes; 0: no limit.
    pub clients_bytes_max: u64,
    /// Clients that may be connected at once.
    pub clients_max: usize,
    /// How much may wait to be sent to a client.
    pub output_limits: OutputLimits,
    /// Seconds after which an idle client is disconnected; 0: never.
    pub client_timeout_s: u64,
}

impl Config {
    /// What the settings mean.
    pub fn resolve(settings: &Settings) -> Config {
        Config {
            databases: settings.int("databases") as u16,
            requirepass: settings.text("requirepass").to_owned(),
            bulk_bytes_max: settings.int("proto-max-bulk-len") as usize,
            retention: Retention {
                duration_s: settings.int("stream-idmp-duration") as u32,
                maxsize: settings.int("stream-idmp-maxsize") as u32,
            },
            node_limits: NodeLimits {
                entries_max: settings.int("stream-node-max-entries") as u32,
                bytes_max: settings.int("stream-node-max-bytes") as u32,
            },
            stream_compress: settings.flag("stream-compress"),
            on_unknown: match settings.text("load-unknown") {
                "skip" => OnUnknown::Skip,
                _ => OnUnknown::Refuse,
            },
            active_expire: settings.flag("active-expire"),
            slow_log_us: settings.int("slowlog-log-slower-than"),
            slow_log_len: settings.int("slowlog-max-len") as usize,
            latency_threshold_ms: settings.int("latency-monitor-threshold") as u64,
            rewrite_growth_percent: settings.int("auto-aof-rewrite-percentage") as u64,
            rewrite_bytes_min: settings.int("auto-aof-rewrite-min-size") as u64,
            journal_wait_ms: settings.int("aof-wait-timeout") as u64,
            save_points: SavePoints::parse(settings.text("save")).expect(CANONICAL),
            debugging: match settings.text("enable-debug-command") {
                "yes" => Debugging::Everybody,
                "local" => Debugging::ThisMachine,
                "no" => Debugging::Nobody,
                word => panic!("enable-debug-command is {word}"),
            },
            memory_bytes_max: settings.int("maxmemory") as u64,
            query_bytes_max: settings.int("client-query-buffer-limit") as usize,
            // What is there was canonical before.
            clients_bytes_max: BytesOrPercent::parse(settings.text("maxmemory-clients"))
                .expect(CANONICAL)
                .of(settings.int("maxmemory") as u64),
            clients_max: settings.int("maxclients") as usize,
            output_limits: ByClass::default()
                .changed(settings.text("client-output-buffer-limit"))
                .expect(CANONICAL)
                .normal(),
            client_timeout_s: settings.int("timeout") as u64,
        }
    }
}
