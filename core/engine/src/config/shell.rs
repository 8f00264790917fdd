//! What the settings mean to the shell: addresses, threads, files, the log. Read by name here, so
//! that the shell has types that a misspelt name cannot get around.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::{BindAddress, CANONICAL, Settings, SharedLogConfig, TlsConfig};

/// What the settings mean to the shell: a plain value, made by [`ShellConfig::resolve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellConfig {
    /// Where TCP clients connect (`bind`); the shell looks names up.
    pub bind: Vec<BindAddress>,
    /// 0: no TCP.
    pub port: u16,
    /// How clients connect by TLS.
    pub tls: TlsConfig,
    /// Where operators look at the server by HTTP.
    pub http: HttpConfig,
    /// Connections that may wait to be accepted (`tcp-backlog`).
    pub backlog: i32,
    /// None: no unix socket.
    pub unix_socket: Option<PathBuf>,
    /// Permissions of the unix socket (`unixsocketperm`); none: as the system sets them.
    pub unix_socket_mode: Option<u32>,
    /// None: one a core, within a bound of the shell.
    pub io_threads: Option<NonZeroUsize>,
    /// Silence after which a TCP client is probed (`tcp-keepalive`); zero: never.
    pub keepalive: Duration,
    /// Holds the ID of the process while it runs.
    pub pid_file: Option<PathBuf>,
    /// None: standard output.
    pub log_file: Option<PathBuf>,
    /// How important a message must be to be logged.
    pub log_level: LogLevel,
    /// Where data is kept, and how.
    pub data: DataConfig,
    /// The log that several servers share; none: the data is this server's own.
    pub shared_log: Option<SharedLogConfig>,
}

/// Where operators look at the server by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where it listens (`http-bind`); the shell looks names up.
    pub bind: Vec<BindAddress>,
    /// 0: not at all.
    pub port: u16,
    /// Names by which it may be called, besides localhost and addresses (`http-hosts`).
    pub hosts: Vec<String>,
    /// It speaks TLS (`http-tls`).
    pub tls: bool,
}

/// Where data is kept, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The folder of everything (`dir`), as given.
    pub dir: PathBuf,
    /// Changes go to a journal (`appendonly`).
    pub journalling: bool,
    /// The name of the journal's folder, within `dir` (`appenddirname`).
    pub journal_folder: String,
    /// What the names of the journal's files begin with (`appendfilename`).
    pub journal_stem: String,
    /// When the journal is synced (`appendfsync`).
    pub fsync: Fsync,
    /// A journal whose end a crash tore is cut back and loaded (`aof-load-truncated`); otherwise
    /// the server does not start.
    pub cut_torn_tail: bool,
    /// Room that is kept for when the disk is full, in bytes (`aof-reserve-size`).
    pub reserve_bytes: u64,
    /// The name of the snapshot, within `dir` (`dbfilename`).
    pub snapshot: String,
}

/// When the journal is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before a reply leaves that depends on it.
    Always,
    /// Once a second.
    EverySecond,
    /// When the operating system does so.
    Never,
}

/// How important a message must be to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// As in Redis; the same as `Notice`.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What needs attention.
    Warning,
    /// Nothing at all.
    Nothing,
}

impl ShellConfig {
    /// What the settings mean to the shell.
    pub fn resolve(settings: &Settings) -> ShellConfig {
        let mode = u32::from_str_radix(settings.text("unixsocketperm"), 8).expect(CANONICAL);
        ShellConfig {
            bind: BindAddress::parse_all(settings.text("bind")).expect(CANONICAL),
            port: settings.number("port"),
            tls: TlsConfig::resolve(settings),
            http: HttpConfig::resolve(settings),
            backlog: settings.number("tcp-backlog"),
            unix_socket: settings.path("unixsocket"),
            unix_socket_mode: (mode != 0).then_some(mode),
            io_threads: NonZeroUsize::new(settings.number("io-threads")),
            keepalive: Duration::from_secs(settings.number("tcp-keepalive")),
            pid_file: settings.path("pidfile"),
            log_file: settings.path("logfile"),
            log_level: LogLevel::of(settings),
            data: DataConfig::resolve(settings),
            shared_log: SharedLogConfig::resolve(settings),
        }
    }
}

impl ShellConfig {
    /// The port that clients are told: that of TLS if there is no other.
    pub fn told_port(&self) -> u16 {
        match self.port {
            0 => self.tls.port,
            port => port,
        }
    }
}

impl HttpConfig {
    fn resolve(settings: &Settings) -> HttpConfig {
        let hosts = settings.text("http-hosts").split_whitespace();
        HttpConfig {
            bind: BindAddress::parse_all(settings.text("http-bind")).expect(CANONICAL),
            port: settings.number("http-port"),
            hosts: hosts.map(str::to_ascii_lowercase).collect(),
            tls: settings.flag("http-tls"),
        }
    }
}

impl DataConfig {
    fn resolve(settings: &Settings) -> DataConfig {
        DataConfig {
            dir: PathBuf::from(settings.text("dir")),
            journalling: settings.flag("appendonly"),
            journal_folder: settings.text("appenddirname").to_owned(),
            journal_stem: settings.text("appendfilename").to_owned(),
            fsync: Fsync::of(settings),
            cut_torn_tail: settings.flag("aof-load-truncated"),
            reserve_bytes: settings.number("aof-reserve-size"),
            snapshot: settings.text("dbfilename").to_owned(),
        }
    }
}

impl Fsync {
    pub(super) fn of(settings: &Settings) -> Fsync {
        match settings.text("appendfsync") {
            "always" => Fsync::Always,
            "everysec" => Fsync::EverySecond,
            "no" => Fsync::Never,
            word => panic!("appendfsync is {word}"),
        }
    }
}

impl LogLevel {
    fn of(settings: &Settings) -> LogLevel {
        match settings.text("loglevel") {
            "debug" => LogLevel::Debug,
            "verbose" => LogLevel::Verbose,
            "notice" => LogLevel::Notice,
            "warning" => LogLevel::Warning,
            "nothing" => LogLevel::Nothing,
            word => panic!("loglevel is {word}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, When};

    /// Every word of a setting that is a choice, resolved.
    fn each_word<T>(name: &str, resolved: impl Fn(ShellConfig) -> T) -> Vec<T> {
        let mut settings = Settings::default();
        let Some(Kind::Choice(words)) = settings.row(name).map(|row| row.kind) else {
            unreachable!("{name} is a choice");
        };
        let values = words.iter().map(|word| {
            settings.set(name, word).unwrap();
            resolved(ShellConfig::resolve(&settings))
        });
        values.collect()
    }

    #[test]
    fn each_word_has_a_meaning_of_its_own() {
        let policies = each_word("appendfsync", |config| config.data.fsync);
        assert_eq!(policies, [Fsync::EverySecond, Fsync::Always, Fsync::Never]);
        let levels = each_word("loglevel", |config| config.log_level);
        assert_eq!(
            levels,
            [
                LogLevel::Debug,
                LogLevel::Verbose,
                LogLevel::Notice,
                LogLevel::Warning,
                LogLevel::Nothing
            ]
        );
    }

    #[test]
    fn what_the_shell_reads_fits_its_types_at_both_ends() {
        let least = [("port", "0"), ("tcp-backlog", "1"), ("io-threads", "0")];
        let most = [
            ("port", "65535"),
            ("tcp-backlog", "2147483647"),
            ("io-threads", "128"),
            ("tcp-keepalive", "2147483647"),
            ("tls-port", "65535"),
            ("http-port", "65535"),
            ("tls-session-cache-size", "2147483647"),
            ("tls-session-cache-timeout", "2147483647"),
            ("aof-reserve-size", "9223372036854775807"),
            ("unixsocketperm", "777"),
        ];
        let mut settings = Settings::default();
        for (name, value) in least {
            settings.set(name, value).unwrap();
        }
        let config = ShellConfig::resolve(&settings);
        assert_eq!(
            (config.port, config.backlog, config.io_threads),
            (0, 1, None)
        );
        assert_eq!((config.unix_socket, config.unix_socket_mode), (None, None));
        for (name, value) in most {
            settings.set(name, value).unwrap();
        }
        let config = ShellConfig::resolve(&settings);
        assert_eq!((config.port, config.backlog), (u16::MAX, i32::MAX));
        assert_eq!(config.unix_socket_mode, Some(0o777));
        assert_eq!(config.data.reserve_bytes, i64::MAX as u64);
    }

    #[test]
    fn permissions_are_octal_as_in_redis() {
        let mut settings = Settings::default();
        let mut refused = |text| {
            settings
                .set("unixsocketperm", text)
                .unwrap_err()
                .to_string()
        };
        let no_number = "argument couldn't be parsed as an octal number";
        assert_eq!(refused("999"), no_number);
        assert_eq!(refused("rwx"), no_number);
        let out_of_range = "argument must be between 0 and 777 inclusive";
        assert_eq!(refused("1777"), out_of_range);
        assert_eq!(refused("-1"), out_of_range);
        settings.set("unixsocketperm", "0770").unwrap();
        assert_eq!(settings.value("unixsocketperm"), Some("770"));
    }

    #[test]
    fn the_key_s_password_is_not_shown() {
        let mut settings = Settings::default();
        settings.set("tls-key-file-pass", "open sesame").unwrap();
        let config = ShellConfig::resolve(&settings);
        assert_eq!(config.tls.key_password, "open sesame");
        assert!(!format!("{config:?}").contains("sesame"));
    }

    /// A name that is misspelt must not pass for a default.
    #[test]
    #[should_panic(expected = "no setting is called apendonly")]
    fn a_misspelt_name_is_no_default() {
        Settings::default().flag("apendonly");
    }

    /// The resolved types and the engine's are compared where a command has changed something.
    #[test]
    fn a_setting_that_changes_live_changes_what_it_is_resolved_to() {
        let default = ShellConfig::resolve(&Settings::default());
        for (name, value) in [
            ("aof-load-truncated", "no"),
            ("appendfsync", "no"),
            ("appendonly", "no"),
            ("bind", "::1"),
            ("dbfilename", "other.rdb"),
            ("dir", "/"),
            ("loglevel", "nothing"),
            ("port", "1"),
            ("tcp-keepalive", "1"),
            ("tls-auth-clients", "optional"),
            ("tls-ca-cert-dir", "/"),
            ("tls-ca-cert-file", "ca.crt"),
            ("tls-cert-file", "weir.crt"),
            ("tls-ciphers", "HIGH"),
            ("tls-ciphersuites", "TLS_AES_128_GCM_SHA256"),
            ("tls-key-file", "weir.key"),
            ("tls-key-file-pass", "secret"),
            ("tls-port", "1"),
            ("tls-prefer-server-ciphers", "yes"),
            ("tls-protocols", "TLSv1.3"),
            ("tls-session-cache-size", "1"),
            ("tls-session-cache-timeout", "1"),
            ("tls-session-caching", "no"),
        ] {
            let mut settings = Settings::default();
            settings.set(name, value).unwrap();
            assert_ne!(settings.row(name).map(|row| row.when), Some(When::AtStart));
            assert_ne!(ShellConfig::resolve(&settings), default, "{name}");
        }
    }
}
