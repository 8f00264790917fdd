//! What the settings say of a log that several servers share (`log`), and what they must say.

use std::path::PathBuf;

use super::{CANONICAL, Settings};

/// A log that several servers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLogConfig {
    /// The servers that keep it (`log`), at least one.
    pub servers: Vec<String>,
    /// The group of servers that share it.
    pub group: String,
    /// Where clients reach this server, as `HOST:PORT`.
    pub announce: String,
    /// The user of the log, and the password; none if the servers ask nobody.
    pub user: Option<(String, String)>,
    /// The user who asks the servers whether they sync, and the password; none if nobody asks.
    pub system_user: Option<(String, String)>,
    /// On how many servers it is kept.
    pub replicas: u8,
    /// How much longer than a lease a follower waits, in percent.
    pub drift_percent: u32,
    /// How many bytes a second a follower reads again in the background; 0: none.
    pub verify_bytes_per_s: u64,
    /// Which snapshots are made; none if no place is named for them.
    pub snapshots: Option<LogSnapshots>,
}

/// Snapshots behind which a log is trimmed that several servers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSnapshots {
    /// Where they are kept (`log-snapshots`).
    pub folder: PathBuf,
    /// After how many records the next one is made, at least 1.
    pub records: u64,
}

/// Why settings are none that a log can be shared by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharedLogFault {
    /// A setting of the log without the log.
    #[error("{0} is set, and there is no log: set log to the addresses of NATS servers")]
    NoLog(&'static str),
    /// Something is missing.
    #[error("log is set, and {0} is not")]
    Missing(&'static str),
    /// The data would be kept in another place, too.
    #[error(
        "log and {0} contradict one another: with log, data is kept there, and neither in a \
         journal nor in snapshots"
    )]
    KeptElsewhere(&'static str),
    /// No place where clients could go.
    #[error("announce is {0:?}, and must be HOST:PORT")]
    Announce(String),
    /// Nothing says whether servers sync.
    #[error(
        "log-system-user is not set: it asks the NATS servers whether they sync what they \
         acknowledge. Without that, acknowledged entries may get lost; log-development yes allows it"
    )]
    Unchecked,
}

/// The setting that says where the log is.
const LOG: &str = "log";

/// Those that mean nothing without it, and are empty by default.
const OF_LOG: [&str; 7] = [
    "announce",
    "group",
    "log-password",
    "log-snapshots",
    "log-system-password",
    "log-system-user",
    "log-user",
];

impl SharedLogConfig {
    pub(super) fn resolve(settings: &Settings) -> Option<SharedLogConfig> {
        let user = |name, password| {
            let user = settings.text(name);
            (!user.is_empty()).then(|| (user.to_owned(), settings.text(password).to_owned()))
        };
        let is_checked = !settings.flag("log-development");
        let system_user = user("log-system-user", "log-system-password");
        settings.shares_log().then(|| SharedLogConfig {
            servers: servers(settings),
            group: settings.text("group").to_owned(),
            announce: settings.text("announce").to_owned(),
            user: user("log-user", "log-password"),
            system_user: system_user.filter(|_| is_checked),
            replicas: settings.number("log-replicas"),
            drift_percent: settings.number("log-drift"),
            verify_bytes_per_s: settings.number::<u64>("log-verify-rate") << 10,
            snapshots: LogSnapshots::resolve(settings),
        })
    }

    /// The host and the port of an address like `announce`, if it is one.
    pub fn host_and_port(announce: &str) -> Option<(&str, u16)> {
        let (host, port) = announce.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let is_good = !host.is_empty() && !host.contains(char::is_whitespace);
        let port = port.parse().ok().filter(|port| *port > 0)?;
        is_good.then_some((host, port))
    }
}

impl LogSnapshots {
    fn resolve(settings: &Settings) -> Option<LogSnapshots> {
        let place = settings.text("log-snapshots");
        (!place.is_empty()).then(|| LogSnapshots {
            folder: PathBuf::from(place),
            records: settings.number("log-snapshot-records"),
        })
    }
}

impl Settings {
    /// Returns whether several servers share the log.
    pub fn shares_log(&self) -> bool {
        !servers(self).is_empty()
    }

    /// Checks what the settings say of a log that several servers share, if they do.
    ///
    /// # Errors
    /// [`SharedLogFault`]
    pub fn check_shared_log(&self) -> Result<(), SharedLogFault> {
        if !self.shares_log() {
            let said = OF_LOG.iter().find(|name| !self.text(name).is_empty());
            return said.map_or(Ok(()), |name| Err(SharedLogFault::NoLog(name)));
        }
        if self.is_said("appendonly") && self.flag("appendonly") {
            return Err(SharedLogFault::KeptElsewhere("appendonly"));
        }
        if self.is_said("save") && !self.text("save").is_empty() {
            return Err(SharedLogFault::KeptElsewhere("save"));
        }
        for name in ["group", "announce"] {
            if self.text(name).is_empty() {
                return Err(SharedLogFault::Missing(name));
            }
        }
        let announce = self.text("announce");
        if SharedLogConfig::host_and_port(announce).is_none() {
            return Err(SharedLogFault::Announce(announce.to_owned()));
        }
        match self.text("log-system-user").is_empty() && !self.flag("log-development") {
            true => Err(SharedLogFault::Unchecked),
            false => Ok(()),
        }
    }

    /// Turns off what keeps data in other places, if several servers share the log.
    pub(super) fn keep_nothing_beside_log(&mut self) {
        if self.shares_log() {
            self.set("appendonly", "no").expect(CANONICAL);
            self.set("save", "").expect(CANONICAL);
        }
    }
}

fn servers(settings: &Settings) -> Vec<String> {
    let words = settings.text(LOG).split([',', ' ']);
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShellConfig;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, value).unwrap();
        }
        settings
    }

    const GOOD: [(&str, &str); 4] = [
        ("log", "nats://a:4222, b"),
        ("group", "orders"),
        ("announce", "10.0.0.1:6379"),
        ("log-system-user", "sys"),
    ];

    fn fault(more: &[(&str, &str)]) -> Option<SharedLogFault> {
        let pairs: Vec<_> = GOOD.iter().chain(more).copied().collect();
        settings(&pairs).check_shared_log().err()
    }

    #[test]
    fn a_log_is_what_the_settings_say() {
        assert_eq!(ShellConfig::resolve(&Settings::default()).shared_log, None);
        let log = ShellConfig::resolve(&settings(&GOOD)).shared_log.unwrap();
        assert_eq!(log.servers, ["nats://a:4222", "b"]);
        let system_user = Some(("sys".to_owned(), String::new()));
        assert_eq!((log.user, log.system_user), (None, system_user));
        assert_eq!((log.replicas, log.drift_percent), (3, 25));
        assert_eq!((log.snapshots, log.verify_bytes_per_s), (None, 1 << 20));
        let mut completed = settings(&GOOD);
        completed.complete();
        let config = ShellConfig::resolve(&completed);
        assert!(!config.data.journalling);
        assert_eq!(completed.value("save"), Some(""));
    }

    #[test]
    fn snapshots_are_made_where_a_place_is_named() {
        let pairs = [("log-snapshots", "/mnt/s"), ("log-snapshot-records", "7")];
        let pairs: Vec<_> = GOOD.into_iter().chain(pairs).collect();
        let log = ShellConfig::resolve(&settings(&pairs)).shared_log.unwrap();
        let expected = LogSnapshots {
            folder: PathBuf::from("/mnt/s"),
            records: 7,
        };
        assert_eq!(log.snapshots, Some(expected));
        let alone = settings(&[("log-snapshots", "/mnt/s")]).check_shared_log();
        assert_eq!(alone, Err(SharedLogFault::NoLog("log-snapshots")));
    }

    #[test]
    fn settings_that_contradict_one_another_are_refused() {
        use SharedLogFault::{Announce, KeptElsewhere, Missing, NoLog, Unchecked};
        assert_eq!(fault(&[]), None);
        assert_eq!(fault(&[("appendonly", "no"), ("save", "")]), None);
        for (name, value, expected) in [
            ("appendonly", "yes", KeptElsewhere("appendonly")),
            ("save", "60 1", KeptElsewhere("save")),
            ("group", "", Missing("group")),
            ("announce", "", Missing("announce")),
            ("announce", "a", Announce("a".to_owned())),
            ("log-system-user", "", Unchecked),
            ("log", "", NoLog("announce")),
            ("log", " , ", NoLog("announce")),
        ] {
            assert_eq!(fault(&[(name, value)]), Some(expected), "{name} {value}");
        }
        let development = [("log-system-user", ""), ("log-development", "yes")];
        assert_eq!(fault(&development), None);
        assert_eq!(Settings::default().check_shared_log(), Ok(()));
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let of = SharedLogConfig::host_and_port;
        assert_eq!(of("a:1"), Some(("a", 1)));
        assert_eq!(of("[::1]:65535"), Some(("::1", 65535)));
        for bad in [
            "", "a", ":1", "a:", "a:0", "a:65536", "::1:1", "[::1:1", "a b:1",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
