//! Settings in two steps: what was given ([`Settings`], text checked against its row) and what it
//! means, with every default resolved: [`Config`] to engine and commands, [`ShellConfig`] to the
//! shell. Values are read by name in this folder only; everybody else has the types.
//!
//! One row for each setting: those that weir has in `config/rows.rs`, those that only Redis has in
//! `config/of_redis.rs`. Command line, configuration file, `CONFIG GET`/`SET`, the sample file and
//! the reference page come from the rows. Clocks, disks and logs are never settings.

mod addresses;
mod bytes_or_percent;
mod eviction;
mod file;
mod keyspace_events;
mod of_redis;
mod output_limits;
mod percentiles;
mod rewrite;
mod rows;
mod save_points;
mod setting;
mod settings;
mod shared_log;
mod shell;
mod tls;

use stream::{NodeLimits, Retention};
use values::Thresholds;
use values::hyperloglog::SparseBytesMax;

use self::bytes_or_percent::BytesOrPercent;
use crate::address::is_on_this_machine;

pub use addresses::BindAddress;
pub use eviction::{Candidates, Eviction, Policy, Preference, Tracking};
pub use file::{DIRECTIVES, Directive, FileLine, RENAME_COMMAND, read_lines};
pub use keyspace_events::KeyspaceEvents;
pub use output_limits::{ClientClass, LimitsByClass, OutputLimits};
pub use percentiles::Percentile;
pub use rewrite::rewritten;
pub use rows::{APPENDONLY, BIND, DIR, PORT, REQUIREPASS, SECRET_SETTINGS, TLS_PORT};
pub use save_points::{SavePoint, SavePoints};
pub use setting::{Kind, Setting, SettingError, Standing, When, parse_bytes};
pub use settings::Settings;
pub use shared_log::{LogSnapshots, SharedLogConfig, SharedLogFault};
pub use shell::{DataConfig, Fsync, HttpConfig, LogLevel, ShellConfig};
pub use tls::{ClientCertificates, TlsConfig};

/// Every setting: those that weir has, then those that only Redis has.
pub static SETTINGS: &[Setting] = &joined();

/// The save points of Redis if `save` is not given. With a journal weir needs none.
pub const SAVE_POINTS_OF_REDIS: &str = "3600 1 300 100 60 10000";

const fn joined() -> [Setting; rows::ROWS.len() + of_redis::ROWS.len()] {
    let mut all = [rows::ROWS[0]; rows::ROWS.len() + of_redis::ROWS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < rows::ROWS.len() {
            rows::ROWS[index]
        } else {
            of_redis::ROWS[index - rows::ROWS.len()]
        };
        index += 1;
    }
    all
}

/// Why a stored value can be parsed.
const CANONICAL: &str = "a setting takes only values in their canonical form";

/// Who may use what is restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Nobody.
    Nobody,
    /// Clients of a unix socket or of the loopback address.
    ThisMachine,
    /// Everybody.
    Everybody,
}

impl Permission {
    fn of(settings: &Settings, name: &str) -> Permission {
        match settings.text(name) {
            "yes" => Permission::Everybody,
            "local" => Permission::ThisMachine,
            "no" => Permission::Nobody,
            word => panic!("{name} is {word}"),
        }
    }

    /// Returns whether a client at these addresses may.
    pub fn allows(self, address: &str, local_address: &str) -> bool {
        match self {
            Permission::Nobody => false,
            Permission::Everybody => true,
            Permission::ThisMachine => is_on_this_machine(address, local_address),
        }
    }
}

/// What a load does with things that weir lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// It fails and names the first.
    Refuse,
    /// It leaves them out and notes each.
    Skip,
}

/// What the settings mean: a plain value that commands and shell read. Made by [`Config::resolve`]
/// only, so that no field can disagree with its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Number of databases.
    pub databases: u16,
    /// The password of the default user; empty if there is none.
    pub requirepass: String,
    /// A new user may use all channels.
    pub channels_by_default: bool,
    /// The file that users are kept in; empty if there is none.
    pub users_file: String,
    /// Entries that the log of denied requests keeps.
    pub denials_max: usize,
    /// A client of TLS acts as the user whose name its certificate has.
    pub users_by_certificate: bool,
    /// Longest argument of a request, and longest string that a command makes, in bytes.
    pub bulk_bytes_max: usize,
    /// What a new stream remembers of its producers.
    pub retention: Retention,
    /// When a node, a run of entries that approximate trimming removes whole, is full.
    pub node_limits: NodeLimits,
    /// When Redis keeps a value in a compact form.
    pub thresholds: Thresholds,
    /// Full chunks of streams are packed (`stream-compress`).
    pub stream_compress: bool,
    /// How long a sparse HyperLogLog may become.
    pub hll_sparse_bytes_max: SparseBytesMax,
    /// What a load does with things that weir lacks.
    pub on_unknown: OnUnknown,
    /// Expired keys are removed even if no command meets them.
    pub active_expire: bool,
    /// Commands that took longer are in the slow log, in microseconds; negative: none.
    pub slow_log_us: i64,
    /// Entries that the slow log keeps.
    pub slow_log_len: usize,
    /// Events that took longer are kept for `LATENCY`, in milliseconds; 0: none.
    pub latency_threshold_ms: u64,
    /// How much the journal may grow beyond its base before it is rewritten, in percent; 0: never.
    pub rewrite_growth_percent: u64,
    /// A journal smaller than this, in bytes, is not rewritten automatically.
    pub rewrite_bytes_min: u64,
    /// When the journal is synced.
    pub fsync: Fsync,
    /// How long replies wait for a disk that does not answer, in milliseconds; 0: as long as it
    /// takes.
    pub journal_wait_ms: u64,
    /// How long others wait for a command that is not finished before they are answered `BUSY`, in
    /// milliseconds; 0: as long as it takes.
    pub busy_reply_ms: u64,
    /// When a snapshot is due automatically.
    pub save_points: SavePoints,
    /// Who may use `DEBUG`.
    pub debugging: Permission,
    /// Who may change where data is kept.
    pub protected_settings: Permission,
    /// Beyond this, keys are evicted, and commands that need more memory are refused, in bytes; 0:
    /// never.
    pub memory_bytes_max: u64,
    /// Which keys are evicted.
    pub eviction: Eviction,
    /// Bytes of requests that a client may have sent and that have not run, queued ones included.
    pub query_bytes_max: usize,
    /// Memory that all clients may take together, in bytes; 0: no limit.
    pub clients_bytes_max: u64,
    /// Clients that may be connected at once.
    pub clients_max: usize,
    /// How much may wait to be sent to a client, by its class.
    pub output_limits: LimitsByClass,
    /// Keys that are kept in mind because clients that track have read them; 0: no bound.
    pub tracked_keys_max: usize,
    /// Which events of keys are published.
    pub keyspace_events: KeyspaceEvents,
    /// Which percentiles of the times of commands are told.
    pub percentiles: Vec<Percentile>,
    /// Seconds after which an idle client is disconnected; 0: never.
    pub client_timeout_s: u64,
    /// Without a password, clients on other machines are refused.
    pub protected: bool,
    /// Clients of a group are served as by a cluster.
    pub cluster_protocol: bool,
    /// By how many milliseconds what a follower shows may be out of date; 0: any number.
    pub staleness_ms_max: u64,
    /// Writes are refused once an automatic snapshot has failed.
    pub stop_writes_on_snapshot_error: bool,
}

impl Config {
    /// What the settings mean.
    pub fn resolve(settings: &Settings) -> Config {
        Config {
            databases: settings.int("databases") as u16,
            requirepass: settings.text("requirepass").to_owned(),
            channels_by_default: settings.text("acl-pubsub-default") == "allchannels",
            users_file: settings.text("aclfile").to_owned(),
            denials_max: settings.number("acllog-max-len"),
            users_by_certificate: settings.text("tls-auth-clients-user") == "CN",
            bulk_bytes_max: settings.int("proto-max-bulk-len") as usize,
            retention: Retention {
                duration_s: settings.int("stream-idmp-duration") as u32,
                maxsize: settings.int("stream-idmp-maxsize") as u32,
            },
            node_limits: NodeLimits {
                entries_max: settings.int("stream-node-max-entries") as u32,
                bytes_max: settings.int("stream-node-max-bytes") as u32,
            },
            thresholds: Thresholds {
                hash_max_listpack_entries: settings.number("hash-max-listpack-entries"),
                hash_max_listpack_value: settings.number("hash-max-listpack-value"),
                list_max_listpack_size: settings.number("list-max-listpack-size"),
                list_compress_depth: settings.number("list-compress-depth"),
                set_max_intset_entries: settings.number("set-max-intset-entries"),
                set_max_listpack_entries: settings.number("set-max-listpack-entries"),
                set_max_listpack_value: settings.number("set-max-listpack-value"),
                zset_max_listpack_entries: settings.number("zset-max-listpack-entries"),
                zset_max_listpack_value: settings.number("zset-max-listpack-value"),
            },
            stream_compress: settings.flag("stream-compress"),
            hll_sparse_bytes_max: SparseBytesMax(settings.int("hll-sparse-max-bytes") as usize),
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
            fsync: Fsync::of(settings),
            journal_wait_ms: settings.int("aof-wait-timeout") as u64,
            busy_reply_ms: settings.int("busy-reply-threshold") as u64,
            save_points: SavePoints::parse(settings.text("save")).expect(CANONICAL),
            debugging: Permission::of(settings, "enable-debug-command"),
            protected_settings: Permission::of(settings, "enable-protected-configs"),
            memory_bytes_max: settings.int("maxmemory") as u64,
            eviction: Eviction::of(settings),
            query_bytes_max: settings.int("client-query-buffer-limit") as usize,
            clients_bytes_max: BytesOrPercent::parse(settings.text("maxmemory-clients"))
                .expect(CANONICAL)
                .of(settings.int("maxmemory") as u64),
            clients_max: settings.int("maxclients") as usize,
            tracked_keys_max: settings.number("tracking-table-max-keys"),
            output_limits: LimitsByClass::default()
                .changed(settings.text("client-output-buffer-limit"))
                .expect(CANONICAL),
            keyspace_events: KeyspaceEvents::parse(settings.text("notify-keyspace-events"))
                .expect(CANONICAL),
            percentiles: Percentile::parse_all(settings.text("latency-tracking-info-percentiles"))
                .expect(CANONICAL),
            client_timeout_s: settings.int("timeout") as u64,
            protected: settings.flag("protected-mode"),
            cluster_protocol: settings.flag("cluster-protocol"),
            staleness_ms_max: settings.int("replica-staleness-max") as u64,
            stop_writes_on_snapshot_error: settings.flag("stop-writes-on-bgsave-error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, SETTINGS, Settings, Standing, Thresholds, of_redis, rows};

    #[test]
    fn rows_are_sorted_and_each_default_is_a_value_of_its_row() {
        assert!(rows::ROWS.is_sorted_by(|a, b| a.name < b.name));
        assert!(of_redis::ROWS.is_sorted_by(|a, b| a.name < b.name));
        for setting in SETTINGS {
            assert_eq!(
                setting.canonical(setting.default, "").as_deref(),
                Ok(setting.default),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn no_two_settings_share_a_name() {
        for setting in SETTINGS {
            for name in setting.names() {
                let called = SETTINGS.iter().filter(|other| other.is_called(name));
                assert_eq!(called.count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn thresholds_are_those_of_redis_by_default_and_follow_their_settings() {
        let mut settings = Settings::default();
        let thresholds = |settings: &Settings| Config::resolve(settings).thresholds;
        assert_eq!(thresholds(&settings), Thresholds::DEFAULT);
        for name in [
            "hash-max-ziplist-entries",
            "hash-max-ziplist-value",
            "list-max-ziplist-size",
            "list-compress-depth",
            "set-max-intset-entries",
            "set-max-listpack-entries",
            "set-max-listpack-value",
            "zset-max-ziplist-entries",
            "zset-max-ziplist-value",
        ] {
            assert_eq!(settings.set(name, "7"), Ok(()), "{name}");
        }
        let sevens = Thresholds {
            hash_max_listpack_entries: 7,
            hash_max_listpack_value: 7,
            list_max_listpack_size: 7,
            list_compress_depth: 7,
            set_max_intset_entries: 7,
            set_max_listpack_entries: 7,
            set_max_listpack_value: 7,
            zset_max_listpack_entries: 7,
            zset_max_listpack_value: 7,
        };
        assert_eq!(thresholds(&settings), sevens);
    }

    #[test]
    fn what_is_missing_cannot_be_asked_for() {
        let mut settings = Settings::default();
        let refused = settings.set("oom-score-adj", "yes");
        assert_eq!(
            refused.map_err(|error| error.to_string()),
            Err(
                "the system's out-of-memory score is left as it is; only 'no' is accepted"
                    .to_owned()
            )
        );
        assert_eq!(settings.set("slaveof", ""), Ok(()));
        assert_eq!(settings.set("hash-max-ziplist-entries", "7"), Ok(()));
        assert_eq!(settings.value("hash-max-listpack-entries"), Some("7"));
        let missing = SETTINGS
            .iter()
            .filter(|setting| setting.standing == Standing::Missing);
        assert!(missing.count() > 5);
    }
}
