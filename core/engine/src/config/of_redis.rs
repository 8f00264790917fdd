//! Settings that only Redis has, sorted by name, so that its configuration files start weir.
//!
//! Names, kinds, ranges and defaults are those that Redis 8.6.3 reports and enforces. Each row says
//! why the setting means nothing here, or what is missing.

use super::Kind::{Bytes, Choice, Flag, Integer, Text};
use super::When::{AtStart, Live};
use super::{Kind, Setting, Standing, When};

const fn no_effect(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    when: When,
    reason: &'static str,
) -> Setting {
    Setting {
        name,
        kind,
        default,
        when,
        doc: reason,
        standing: Standing::NoEffect,
        alias: "",
    }
}

const fn missing(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    when: When,
    reason: &'static str,
) -> Setting {
    Setting {
        standing: Standing::Missing,
        ..no_effect(name, kind, default, when, reason)
    }
}

const I32_MAX: i64 = i32::MAX as i64;
const ANY: Kind = Integer {
    min: 0,
    max: i64::MAX,
};
const COUNT: Kind = Integer {
    min: 0,
    max: I32_MAX,
};
const BYTES: Kind = Bytes {
    min: 0,
    max: i64::MAX,
};

const CLUSTER: &str = "all slots are on the leader of a group, and nodes speak through their log";
const CORES: &str = "the system chooses the cores that threads run on";
const DEFRAG: &str = "the allocator gives memory back by itself";
const EVICTION: &str = "a bounded number of keys is evicted at a time";
const FILES: &str = "weir writes its files in its own way, synced as appendfsync says";
const FREEING: &str = "what is large is always freed by a thread of its own";
const REPLICATION: &str = "nodes of a group follow a log that they share, and none another";
const VECTORS: &str = "there are no vector sets";

/// Every setting that only Redis has.
pub(super) const ROWS: &[Setting] = &[
    no_effect(
        "active-defrag-cycle-max",
        Integer { min: 1, max: 99 },
        "25",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-defrag-cycle-min",
        Integer { min: 1, max: 99 },
        "1",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-defrag-ignore-bytes",
        BYTES,
        "104857600",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-defrag-max-scan-fields",
        Integer {
            min: 1,
            max: i64::MAX,
        },
        "1000",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-defrag-threshold-lower",
        Integer { min: 0, max: 1_000 },
        "10",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-defrag-threshold-upper",
        Integer { min: 0, max: 1_000 },
        "100",
        Live,
        DEFRAG,
    ),
    no_effect(
        "active-expire-effort",
        Integer { min: 1, max: 10 },
        "1",
        Live,
        "expired keys are removed as soon as their time has come",
    ),
    no_effect("activedefrag", Flag, "no", Live, DEFRAG),
    no_effect(
        "activerehashing",
        Flag,
        "yes",
        Live,
        "tables of keys grow in small steps",
    ),
    no_effect("always-show-logo", Flag, "no", AtStart, "there is no logo"),
    missing(
        "aof-load-corrupt-tail-max-size",
        ANY,
        "0",
        Live,
        "a damaged journal is repaired by hand, with weir repair",
    ),
    no_effect("aof-rewrite-cpulist", Text, "", AtStart, CORES).alias("aof_rewrite_cpulist"),
    no_effect("aof-rewrite-incremental-fsync", Flag, "yes", Live, FILES),
    no_effect(
        "aof-timestamp-enabled",
        Flag,
        "no",
        Live,
        "the journal always tells times",
    ),
    no_effect(
        "aof-use-rdb-preamble",
        Flag,
        "yes",
        Live,
        "the base of the journal is always a snapshot",
    ),
    no_effect("bgsave-cpulist", Text, "", AtStart, CORES).alias("bgsave_cpulist"),
    no_effect(
        "bind-source-addr",
        Text,
        "",
        Live,
        "weir connects to nobody",
    ),
    no_effect("bio-cpulist", Text, "", AtStart, CORES).alias("bio_cpulist"),
    no_effect(
        "cluster-allow-pubsubshard-when-down",
        Flag,
        "yes",
        Live,
        CLUSTER,
    ),
    no_effect("cluster-allow-reads-when-down", Flag, "no", Live, CLUSTER),
    no_effect(
        "cluster-allow-replica-migration",
        Flag,
        "yes",
        Live,
        CLUSTER,
    ),
    no_effect(
        "cluster-announce-bus-port",
        Integer {
            min: 0,
            max: 65_535,
        },
        "0",
        Live,
        CLUSTER,
    ),
    no_effect("cluster-announce-hostname", Text, "", Live, CLUSTER),
    no_effect("cluster-announce-human-nodename", Text, "", Live, CLUSTER),
    no_effect("cluster-announce-ip", Text, "", Live, CLUSTER),
    no_effect(
        "cluster-announce-port",
        Integer {
            min: 0,
            max: 65_535,
        },
        "0",
        Live,
        CLUSTER,
    ),
    no_effect(
        "cluster-announce-tls-port",
        Integer {
            min: 0,
            max: 65_535,
        },
        "0",
        Live,
        CLUSTER,
    ),
    no_effect(
        "cluster-compatibility-sample-ratio",
        Integer { min: 0, max: 100 },
        "0",
        Live,
        CLUSTER,
    ),
    no_effect("cluster-config-file", Text, "nodes.conf", AtStart, CLUSTER),
    missing(
        "cluster-enabled",
        Flag,
        "no",
        AtStart,
        "keys are not divided among servers; cluster-protocol serves clients of a group as a cluster",
    ),
    no_effect("cluster-link-sendbuf-limit", BYTES, "0", Live, CLUSTER),
    no_effect("cluster-migration-barrier", COUNT, "1", Live, CLUSTER),
    no_effect("cluster-node-timeout", ANY, "15000", Live, CLUSTER),
    no_effect(
        "cluster-port",
        Integer {
            min: 0,
            max: 65_535,
        },
        "0",
        AtStart,
        CLUSTER,
    ),
    no_effect(
        "cluster-preferred-endpoint-type",
        Choice(&["ip", "hostname", "unknown-endpoint"]),
        "ip",
        Live,
        CLUSTER,
    ),
    no_effect("cluster-replica-no-failover", Flag, "no", Live, CLUSTER)
        .alias("cluster-slave-no-failover"),
    no_effect(
        "cluster-replica-validity-factor",
        COUNT,
        "10",
        Live,
        CLUSTER,
    )
    .alias("cluster-slave-validity-factor"),
    no_effect("cluster-require-full-coverage", Flag, "yes", Live, CLUSTER),
    no_effect(
        "cluster-slot-migration-handoff-max-lag-bytes",
        BYTES,
        "1048576",
        Live,
        CLUSTER,
    ),
    no_effect(
        "cluster-slot-migration-write-pause-timeout",
        ANY,
        "10000",
        Live,
        CLUSTER,
    ),
    no_effect(
        "cluster-slot-stats-enabled",
        Choice(&["no", "yes", "cpu", "net", "mem"]),
        "no",
        Live,
        CLUSTER,
    ),
    no_effect(
        "crash-log-enabled",
        Flag,
        "yes",
        Live,
        "a crash is always reported, and memory is never tested",
    ),
    no_effect(
        "crash-memcheck-enabled",
        Flag,
        "yes",
        Live,
        "a crash is always reported, and memory is never tested",
    ),
    no_effect(
        "daemonize",
        Flag,
        "no",
        AtStart,
        "weir stays in the foreground: whoever starts it may put it into the background",
    ),
    no_effect(
        "disable-thp",
        Flag,
        "yes",
        AtStart,
        "large pages are asked for, as there is no fork that they would make slow",
    ),
    no_effect(
        "dynamic-hz",
        Flag,
        "yes",
        Live,
        "what is due is done when it is due",
    ),
    no_effect(
        "enable-module-command",
        Choice(&["no", "yes", "local"]),
        "no",
        AtStart,
        "there are no modules",
    ),
    no_effect(
        "hide-user-data-from-log",
        Flag,
        "no",
        Live,
        "the log tells no data of users",
    ),
    no_effect(
        "hz",
        COUNT,
        "10",
        Live,
        "what is due is done when it is due",
    ),
    no_effect(
        "ignore-warnings",
        Text,
        "",
        Live,
        "weir starts with warnings",
    ),
    no_effect(
        "jemalloc-bg-thread",
        Flag,
        "yes",
        Live,
        "freed memory always goes back in the background",
    ),
    no_effect(
        "key-memory-histograms",
        Flag,
        "no",
        Live,
        "there are no histograms of keys",
    ),
    no_effect(
        "latency-tracking",
        Flag,
        "yes",
        Live,
        "the times of commands are always measured",
    ),
    no_effect("lazyfree-lazy-eviction", Flag, "no", Live, FREEING),
    no_effect("lazyfree-lazy-expire", Flag, "no", Live, FREEING),
    no_effect("lazyfree-lazy-server-del", Flag, "no", Live, FREEING),
    no_effect("lazyfree-lazy-user-del", Flag, "no", Live, FREEING),
    no_effect("lazyfree-lazy-user-flush", Flag, "no", Live, FREEING),
    no_effect(
        "locale-collate",
        Text,
        "",
        Live,
        "nothing is sorted by a locale yet",
    ),
    no_effect(
        "lookahead",
        Integer {
            min: 1,
            max: I32_MAX,
        },
        "16",
        Live,
        "weir looks ahead by itself",
    ),
    no_effect("masterauth", Text, "", Live, REPLICATION),
    no_effect("masteruser", Text, "", Live, REPLICATION),
    no_effect(
        "max-new-connections-per-cycle",
        Integer { min: 1, max: 1_000 },
        "10",
        Live,
        "all connections that wait are accepted",
    ),
    no_effect(
        "max-new-tls-connections-per-cycle",
        Integer { min: 1, max: 1_000 },
        "1",
        Live,
        "all connections that wait are accepted",
    ),
    no_effect(
        "maxmemory-eviction-tenacity",
        Integer { min: 0, max: 100 },
        "10",
        Live,
        EVICTION,
    ),
    no_effect("min-replicas-max-lag", COUNT, "10", Live, REPLICATION).alias("min-slaves-max-lag"),
    missing("min-replicas-to-write", COUNT, "0", Live, REPLICATION).alias("min-slaves-to-write"),
    no_effect("no-appendfsync-on-rewrite", Flag, "no", Live, FILES),
    missing(
        "oom-score-adj",
        Choice(&["no", "yes", "relative", "absolute"]),
        "no",
        Live,
        "the system's out-of-memory score is left as it is",
    ),
    no_effect(
        "oom-score-adj-values",
        Text,
        "0 200 800",
        Live,
        "the system's out-of-memory score is left as it is",
    ),
    no_effect(
        "proc-title-template",
        Text,
        "{title} {listen-addr} {server-mode}",
        Live,
        "the process keeps its name",
    ),
    no_effect(
        "propagation-error-behavior",
        Choice(&["ignore", "panic", "panic-on-replicas"]),
        "ignore",
        Live,
        REPLICATION,
    ),
    no_effect("rdb-del-sync-files", Flag, "no", Live, REPLICATION),
    no_effect("rdb-save-incremental-fsync", Flag, "yes", Live, FILES),
    no_effect(
        "rdbchecksum",
        Flag,
        "yes",
        AtStart,
        "snapshots always carry a checksum",
    ),
    no_effect(
        "rdbcompression",
        Flag,
        "yes",
        Live,
        "what is worth it is always compressed",
    ),
    no_effect("repl-backlog-size", BYTES, "1048576", Live, REPLICATION),
    no_effect("repl-backlog-ttl", ANY, "3600", Live, REPLICATION),
    no_effect("repl-disable-tcp-nodelay", Flag, "no", Live, REPLICATION),
    no_effect(
        "repl-diskless-load",
        Choice(&["disabled", "on-empty-db", "swapdb", "flushdb"]),
        "disabled",
        Live,
        REPLICATION,
    ),
    no_effect("repl-diskless-sync", Flag, "yes", Live, REPLICATION),
    no_effect("repl-diskless-sync-delay", COUNT, "5", Live, REPLICATION),
    no_effect(
        "repl-diskless-sync-max-replicas",
        COUNT,
        "0",
        Live,
        REPLICATION,
    ),
    no_effect(
        "repl-ping-replica-period",
        Integer {
            min: 1,
            max: I32_MAX,
        },
        "10",
        Live,
        REPLICATION,
    )
    .alias("repl-ping-slave-period"),
    no_effect(
        "repl-timeout",
        Integer {
            min: 1,
            max: I32_MAX,
        },
        "60",
        Live,
        REPLICATION,
    ),
    no_effect("replica-announce-ip", Text, "", Live, REPLICATION).alias("slave-announce-ip"),
    no_effect(
        "replica-announce-port",
        Integer {
            min: 0,
            max: 65_535,
        },
        "0",
        Live,
        REPLICATION,
    )
    .alias("slave-announce-port"),
    no_effect("replica-announced", Flag, "yes", Live, REPLICATION),
    no_effect(
        "replica-full-sync-buffer-limit",
        BYTES,
        "0",
        Live,
        REPLICATION,
    ),
    no_effect(
        "replica-ignore-disk-write-errors",
        Flag,
        "no",
        Live,
        REPLICATION,
    ),
    no_effect("replica-ignore-maxmemory", Flag, "yes", Live, REPLICATION)
        .alias("slave-ignore-maxmemory"),
    no_effect("replica-lazy-flush", Flag, "no", Live, REPLICATION).alias("slave-lazy-flush"),
    no_effect("replica-priority", COUNT, "100", Live, REPLICATION).alias("slave-priority"),
    no_effect("replica-read-only", Flag, "yes", Live, REPLICATION).alias("slave-read-only"),
    no_effect(
        "replica-serve-stale-data",
        Flag,
        "yes",
        Live,
        "replica-staleness-max says how old what a follower shows may be",
    )
    .alias("slave-serve-stale-data"),
    missing("replicaof", Text, "", AtStart, REPLICATION).alias("slaveof"),
    no_effect(
        "sanitize-dump-payload",
        Choice(&["no", "yes", "clients"]),
        "no",
        Live,
        "payloads are always checked",
    ),
    no_effect("server-cpulist", Text, "", AtStart, CORES).alias("server_cpulist"),
    no_effect(
        "set-proc-title",
        Flag,
        "yes",
        AtStart,
        "the process keeps its name",
    ),
    missing(
        "shutdown-on-sigint",
        Choice(&["default", "save", "nosave", "now", "force"]),
        "default",
        Live,
        "a signal stops weir as SHUTDOWN does",
    ),
    missing(
        "shutdown-on-sigterm",
        Choice(&["default", "save", "nosave", "now", "force"]),
        "default",
        Live,
        "a signal stops weir as SHUTDOWN does",
    ),
    no_effect("shutdown-timeout", COUNT, "10", Live, REPLICATION),
    missing(
        "socket-mark-id",
        Integer {
            min: 0,
            max: u32::MAX as i64,
        },
        "0",
        AtStart,
        "sockets are not marked",
    ),
    no_effect(
        "supervised",
        Choice(&["upstart", "systemd", "auto", "no"]),
        "no",
        AtStart,
        "weir tells systemd by itself that it is ready",
    ),
    missing(
        "syslog-enabled",
        Flag,
        "no",
        AtStart,
        "the log goes to standard output or to logfile",
    ),
    no_effect(
        "syslog-facility",
        Choice(&[
            "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ]),
        "local0",
        AtStart,
        "the log goes to standard output or to logfile",
    ),
    no_effect(
        "syslog-ident",
        Text,
        "redis",
        AtStart,
        "the log goes to standard output or to logfile",
    ),
    no_effect("tls-client-cert-file", Text, "", Live, REPLICATION),
    no_effect("tls-client-key-file", Text, "", Live, REPLICATION),
    no_effect("tls-client-key-file-pass", Text, "", Live, REPLICATION),
    no_effect("tls-cluster", Flag, "no", Live, CLUSTER),
    no_effect(
        "tls-dh-params-file",
        Text,
        "",
        Live,
        "keys are exchanged over elliptic curves only, which need no parameters",
    ),
    no_effect("tls-replication", Flag, "no", Live, REPLICATION),
    no_effect(
        "vset-force-single-threaded-execution",
        Flag,
        "no",
        Live,
        VECTORS,
    ),
];
