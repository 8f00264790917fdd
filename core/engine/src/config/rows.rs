//! The settings, sorted by name. Names, ranges and defaults are Redis' where Redis has them.

use super::Kind::{
    Addresses, Bytes, BytesOrPercent, Choice, FileName, Flag, Integer, KeyspaceEvents, Octal,
    OutputLimits, Percentiles, SavePoints, Text,
};
use super::When::{AtStart, ByShell, Live, Protected};
use super::eviction::POLICY;
use super::{Kind, Setting, Standing, When};
use crate::limits::STRING_BYTES_MAX;

/// Settings whose values are left out of the slow log and `MONITOR`.
pub const SECRET_SETTINGS: &[&str] = &[
    REQUIREPASS,
    "tls-key-file-pass",
    "log-password",
    "log-system-password",
];

/// A number that is not negative.
const COUNT: Kind = Integer {
    min: 0,
    max: i32::MAX as i64,
};

/// The name of the setting that turns the journal on and off.
pub const APPENDONLY: &str = "appendonly";

/// The name of the setting for the addresses to listen on.
pub const BIND: &str = "bind";

/// The name of the setting for the folder of the data.
pub const DIR: &str = "dir";

/// The name of the setting for the TCP port.
pub const PORT: &str = "port";

/// The name of the setting for the password of the default user.
pub const REQUIREPASS: &str = "requirepass";

/// The name of the setting for the port of TLS.
pub const TLS_PORT: &str = "tls-port";

const fn row(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    when: When,
    doc: &'static str,
) -> Setting {
    Setting {
        name,
        kind,
        default,
        when,
        doc,
        standing: Standing::Works,
        alias: "",
    }
}

const ANY: Kind = Integer {
    min: 0,
    max: i64::MAX,
};
const BYTES: Kind = Bytes {
    min: 0,
    max: i64::MAX,
};

/// Every setting that weir has.
pub(super) const ROWS: &[Setting] = &[
    row(
        "acl-pubsub-default",
        Choice(&["allchannels", "resetchannels"]),
        "resetchannels",
        Live,
        "Which channels a new user may use: all or none.",
    ),
    row(
        "aclfile",
        Text,
        "",
        AtStart,
        "The file that users are kept in (ACL SAVE, ACL LOAD); empty: the configuration file.",
    ),
    row(
        "acllog-max-len",
        ANY,
        "128",
        Live,
        "Entries that the log of denied requests keeps (ACL LOG).",
    ),
    row(
        "active-expire",
        Flag,
        "yes",
        Live,
        "Remove expired keys even if no command meets them.",
    ),
    row(
        "announce",
        Text,
        "",
        AtStart,
        "With log: where clients reach this server, as HOST:PORT; the others of the group send them there.",
    ),
    row(
        "aof-load-truncated",
        Flag,
        "yes",
        Live,
        "Cut a journal whose end was torn by a crash back to its last whole batch; no: refuse to start.",
    ),
    row(
        "aof-reserve-size",
        BYTES,
        "8388608",
        AtStart,
        "Room that the journal keeps on the disk for when there is no other, in bytes, so that deleting and rewriting can make some; 0: none.",
    ),
    row(
        "aof-wait-timeout",
        Integer {
            min: 0,
            max: i32::MAX as i64,
        },
        "30000",
        Live,
        "How long replies wait for a disk that does not answer, in milliseconds, before they become errors; 0: as long as it takes.",
    ),
    row(
        "appenddirname",
        FileName,
        "appendonlydir",
        AtStart,
        "The folder of the journal, within dir.",
    ),
    row(
        "appendfilename",
        FileName,
        "appendonly.aof",
        AtStart,
        "What the names of the journal's files begin with.",
    ),
    row(
        "appendfsync",
        Choice(&["everysec", "always", "no"]),
        "always",
        Live,
        "When the journal is synced: before each reply leaves, each second, or never.",
    ),
    row(
        APPENDONLY,
        Flag,
        "yes",
        ByShell,
        "Write changes to the journal.",
    ),
    row(
        "auto-aof-rewrite-min-size",
        BYTES,
        "67108864",
        Live,
        "A journal smaller than this, in bytes, is not rewritten automatically.",
    ),
    row(
        "auto-aof-rewrite-percentage",
        Integer {
            min: 0,
            max: i32::MAX as i64,
        },
        "100",
        Live,
        "How much the journal may grow beyond its base before it is rewritten, in percent; 0: never.",
    ),
    row(
        BIND,
        Addresses,
        "127.0.0.1 -::1",
        ByShell,
        "Addresses to listen on. One that begins with - may be missing on this machine.",
    ),
    row(
        "busy-reply-threshold",
        Integer {
            min: 0,
            max: i64::MAX,
        },
        "5000",
        Live,
        "How long others wait for a command that takes long, in milliseconds, before they are answered BUSY; 0: as long as it takes.",
    )
    .alias("lua-time-limit"),
    row(
        "client-output-buffer-limit",
        OutputLimits,
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        Live,
        "What may wait to be sent to clients of a class, or be one reply: bytes, bytes for some seconds, and those seconds; 0: no limit, but what a reply copies is never more than 1 GiB.",
    ),
    row(
        "client-query-buffer-limit",
        Bytes {
            min: 1 << 20,
            max: i64::MAX,
        },
        "1073741824",
        Live,
        "What a client may have sent that was not run yet, requests queued since MULTI included, in bytes; more ends the connection.",
    ),
    row(
        "cluster-protocol",
        Flag,
        "no",
        AtStart,
        "Serve clients of a group of nodes as a cluster that has all slots on its leader; no: as Sentinels do.",
    ),
    row(
        "databases",
        Integer { min: 1, max: 1024 },
        "16",
        AtStart,
        "Number of databases.",
    ),
    row(
        "dbfilename",
        FileName,
        "dump.rdb",
        Protected,
        "The name of the snapshot file, within dir.",
    ),
    row(
        DIR,
        Text,
        ".",
        Protected,
        "The folder of the journal and snapshots.",
    ),
    row(
        "enable-debug-command",
        Choice(&["no", "yes", "local"]),
        "no",
        AtStart,
        "Who may use DEBUG: nobody, everybody, or clients on this machine.",
    ),
    row(
        "enable-protected-configs",
        Choice(&["no", "yes", "local"]),
        "no",
        AtStart,
        "Who may change dir and dbfilename while the server runs: nobody, everybody, or clients on this machine.",
    ),
    row(
        "group",
        Text,
        "",
        AtStart,
        "With log: the name of the group of servers that share the log.",
    ),
    row(
        "hash-max-listpack-entries",
        ANY,
        "512",
        Live,
        "Fields that a hash has at most for OBJECT ENCODING to call it a listpack.",
    )
    .alias("hash-max-ziplist-entries"),
    row(
        "hash-max-listpack-value",
        BYTES,
        "64",
        Live,
        "How long its fields and values are at most, in bytes.",
    )
    .alias("hash-max-ziplist-value"),
    row(
        "hll-sparse-max-bytes",
        BYTES,
        "3000",
        Live,
        "How long a sparse HyperLogLog may become before it is made dense, in bytes.",
    ),
    row(
        "http-bind",
        Addresses,
        "127.0.0.1 -::1",
        AtStart,
        "Addresses for http-port. On other addresses than the loopback only users with a password are served.",
    ),
    row(
        "http-hosts",
        Text,
        "",
        AtStart,
        "Names, between spaces, by which http-port may be called, besides localhost and addresses; other names are refused, so that no web page can reach it by one of its own.",
    ),
    row(
        "http-port",
        Integer {
            min: 0,
            max: 65535,
        },
        "0",
        AtStart,
        "The port of metrics, health and the API for operators, by HTTP; 0: none.",
    ),
    row(
        "http-tls",
        Flag,
        "no",
        AtStart,
        "http-port speaks TLS, with the certificate and the rules of tls-port, which must be set.",
    ),
    row(
        "io-threads",
        Integer { min: 0, max: 128 },
        "0",
        AtStart,
        "Threads that serve connections; 0: one a core, at most 8.",
    ),
    row(
        "latency-monitor-threshold",
        Integer {
            min: 0,
            max: i64::MAX,
        },
        "0",
        Live,
        "Events that take longer are kept for LATENCY, in milliseconds; 0: none.",
    ),
    row(
        "latency-tracking-info-percentiles",
        Percentiles,
        "50 99 99.9",
        Live,
        "Which percentiles of the times of commands INFO tells: shares in percent between spaces, at most 100.",
    ),
    row(
        "lfu-decay-time",
        COUNT,
        "1",
        Live,
        "Minutes without a use after which a key counts as used a little less often, under a policy of lfu; 0: never.",
    ),
    row(
        "lfu-log-factor",
        COUNT,
        "10",
        Live,
        "How many more uses it takes until a key counts as used more often, under a policy of lfu.",
    ),
    row(
        "list-compress-depth",
        Integer {
            min: 0,
            max: i32::MAX as i64,
        },
        "0",
        Live,
        "Nodes at each end of a list that Redis does not compress; here no list is compressed.",
    ),
    row(
        "list-max-listpack-size",
        Integer {
            min: i32::MIN as i64,
            max: i32::MAX as i64,
        },
        "-2",
        Live,
        "Elements that a list has at most for OBJECT ENCODING to call it a listpack; -1 to -5: bytes that they take at most, 4 KiB to 64 KiB.",
    )
    .alias("list-max-ziplist-size"),
    row(
        "load-unknown",
        Choice(&["refuse", "skip"]),
        "refuse",
        Live,
        "What becomes of keys of types that weir does not have and of modules' data when files of Redis are \
         loaded: the load is refused, or they are left out, and the log says what. What was left out is gone with the next \
         rewrite.",
    ),
    row(
        "log",
        Text,
        "",
        AtStart,
        "NATS servers, as HOST:PORT with commas between them, that keep a log which several weir servers share, instead of a journal on this disk; empty: none.",
    ),
    row(
        "log-development",
        Flag,
        "no",
        AtStart,
        "Do not ask the servers of log whether they sync, and allow one copy: for development, because acknowledged entries may get lost.",
    ),
    row(
        "log-drift",
        Integer { min: 0, max: 100 },
        "25",
        AtStart,
        "By how many percent longer than the lease of a leader a follower waits before it leads: the margin for clocks that differ.",
    ),
    row(
        "log-password",
        Text,
        "",
        AtStart,
        "The password of log-user.",
    ),
    row(
        "log-replicas",
        Integer { min: 1, max: 5 },
        "3",
        AtStart,
        "On how many NATS servers the log is kept, from 3; 1 with log-development.",
    ),
    row(
        "log-snapshot-records",
        Integer {
            min: 1,
            max: i64::MAX,
        },
        "500000",
        AtStart,
        "After how many records of log a server that follows makes the next snapshot of log-snapshots.",
    ),
    row(
        "log-snapshots",
        Text,
        "",
        AtStart,
        "A folder that all servers of a group see, in which one that follows keeps snapshots; log is trimmed behind them; empty: log grows without a bound.",
    ),
    row(
        "log-system-password",
        Text,
        "",
        AtStart,
        "The password of log-system-user.",
    ),
    row(
        "log-system-user",
        Text,
        "",
        AtStart,
        "A user of the system account of the NATS servers, which are asked whether they sync what they acknowledge.",
    ),
    row(
        "log-user",
        Text,
        "",
        AtStart,
        "As whom to connect to the servers of log; empty: they ask nobody.",
    ),
    row(
        "log-verify-rate",
        Integer {
            min: 0,
            max: 1 << 30,
        },
        "1024",
        AtStart,
        "How many KiB of log a second a server that follows reads again in the background, to see that all of it is whole; 0: none.",
    ),
    row(
        "logfile",
        Text,
        "",
        AtStart,
        "The file that the log is appended to, opened again at SIGHUP; empty: standard output.",
    ),
    row(
        "loglevel",
        Choice(&["debug", "verbose", "notice", "warning", "nothing"]),
        "notice",
        Live,
        "How much is logged.",
    ),
    row(
        "maxclients",
        Integer {
            min: 1,
            max: 1_000_000,
        },
        "10000",
        Live,
        "Clients that may be connected at once.",
    ),
    row(
        "maxmemory",
        BYTES,
        "0",
        Live,
        "Beyond this, in bytes, keys are evicted as maxmemory-policy says, or commands that need more memory are refused; 0: never.",
    ),
    row(
        "maxmemory-clients",
        BytesOrPercent,
        "0",
        Live,
        "What all clients may take together, in bytes or percent of maxmemory; those that take most are disconnected; 0: no limit.",
    ),
    row(
        "maxmemory-policy",
        POLICY,
        "noeviction",
        Live,
        "Which keys are evicted beyond maxmemory: of all or of those that expire (volatile), the least recently used, least frequently used or least recently modified, any, or those that expire first.",
    ),
    row(
        "maxmemory-samples",
        Integer { min: 1, max: 64 },
        "5",
        Live,
        "How many keys are looked at for each that is evicted.",
    ),
    row(
        "notify-keyspace-events",
        KeyspaceEvents,
        "",
        Live,
        "Which events of keys are published to channels, a letter each. K: to `__keyspace@<db>__:<key>`; E: to `__keyevent@<db>__:<event>`; g: any key; $: strings; l: lists; s: sets; h: hashes; z: sorted sets; t: streams; x: expired; e: evicted; A: all of these; m: missed; n: new; o: overwritten; c: of another type than before; d: accepted, nothing has it.",
    ),
    row(
        "pidfile",
        Text,
        "",
        AtStart,
        "A file that holds the ID of the process while it runs; empty: none.",
    ),
    row(
        PORT,
        Integer { min: 0, max: 65535 },
        "6379",
        ByShell,
        "TCP port; 0: none.",
    ),
    row(
        "protected-mode",
        Flag,
        "yes",
        Live,
        "Refuse clients on other machines as long as there is no password.",
    ),
    row(
        "proto-max-bulk-len",
        Bytes {
            min: 1 << 20,
            max: STRING_BYTES_MAX as i64,
        },
        "536870912",
        Live,
        "Longest argument of a request, and longest string that a command makes, in bytes.",
    ),
    row(
        "replica-staleness-max",
        ANY,
        "10000",
        Live,
        "By how much what a follower of a group shows may be out of date, in milliseconds; beyond it, reads are answered MASTERDOWN. 0: by any time.",
    ),
    row(
        REQUIREPASS,
        Text,
        "",
        Live,
        "The password that clients must give with AUTH; empty: none.",
    ),
    row(
        "save",
        SavePoints,
        "",
        Live,
        "When a snapshot is written automatically: pairs of seconds since the last one and of changes since then, both of which must be reached; empty: never.",
    ),
    row(
        "set-max-intset-entries",
        ANY,
        "512",
        Live,
        "Members that a set of integers has at most for OBJECT ENCODING to call it an intset.",
    ),
    row(
        "set-max-listpack-entries",
        ANY,
        "128",
        Live,
        "Members that another set has at most for OBJECT ENCODING to call it a listpack.",
    ),
    row(
        "set-max-listpack-value",
        ANY,
        "64",
        Live,
        "How long its members are at most, in bytes.",
    ),
    row(
        "slowlog-log-slower-than",
        Integer {
            min: -1,
            max: i64::MAX,
        },
        "10000",
        Live,
        "Commands that take longer are in the slow log, in microseconds; -1: none.",
    ),
    row(
        "slowlog-max-len",
        Integer {
            min: 0,
            max: i64::MAX,
        },
        "128",
        Live,
        "Entries that the slow log keeps.",
    ),
    row(
        "stop-writes-on-bgsave-error",
        Flag,
        "yes",
        Live,
        "Refuse writes while the last automatic snapshot has failed and there is no journal.",
    ),
    row(
        "stream-compress",
        Flag,
        "yes",
        Live,
        "Compress full chunks of streams in memory, except those at the end; what is compressed stays so.",
    ),
    row(
        "stream-idmp-duration",
        Integer {
            min: 1,
            max: 86_400,
        },
        "100",
        Live,
        "Seconds for which a new stream keeps idempotent IDs.",
    ),
    row(
        "stream-idmp-maxsize",
        Integer {
            min: 1,
            max: 10_000,
        },
        "100",
        Live,
        "Idempotent IDs that a new stream keeps per producer.",
    ),
    row(
        "stream-node-max-bytes",
        Bytes {
            min: 0,
            max: u32::MAX as i64,
        },
        "4096",
        Live,
        "Bytes of the runs of entries that approximate trimming removes whole; 0: no bound.",
    ),
    row(
        "stream-node-max-entries",
        Integer {
            min: 0,
            max: u32::MAX as i64,
        },
        "100",
        Live,
        "Entries in the runs that approximate trimming removes whole; 0: no bound.",
    ),
    row(
        "tcp-backlog",
        Integer {
            min: 1,
            max: i32::MAX as i64,
        },
        "511",
        AtStart,
        "Connections that may wait to be accepted.",
    ),
    row(
        "tcp-keepalive",
        Integer {
            min: 0,
            max: i32::MAX as i64,
        },
        "300",
        Live,
        "Seconds of silence after which a client is probed; 0: never.",
    ),
    row(
        "timeout",
        Integer {
            min: 0,
            max: i32::MAX as i64,
        },
        "0",
        Live,
        "Seconds after which an idle client is disconnected; 0: never.",
    ),
    row(
        "tls-auth-clients",
        Choice(&["no", "yes", "optional"]),
        "yes",
        ByShell,
        "Whether clients of TLS must show a certificate that an authority of tls-ca-cert-file or tls-ca-cert-dir has signed; optional: one that they show must be valid.",
    ),
    row(
        "tls-auth-clients-user",
        Choice(&["CN", "off"]),
        "off",
        Live,
        "CN: a client whose certificate has the name of a user as its common name acts as that user, without a password; who has none that is on acts as default, and ACL LOG tells of it.",
    ),
    row(
        "tls-ca-cert-dir",
        Text,
        "",
        ByShell,
        "A folder of files, each of which holds certificates of authorities of clients, in PEM.",
    ),
    row(
        "tls-ca-cert-file",
        Text,
        "",
        ByShell,
        "A file with certificates of authorities of clients, in PEM.",
    ),
    row(
        "tls-cert-file",
        Text,
        "",
        ByShell,
        "A file with the server's certificate and those between it and its authority, in PEM. To set it again, or any other setting of TLS, reads all files again, for new connections.",
    ),
    row(
        "tls-ciphers",
        Text,
        "",
        ByShell,
        "Ciphers of TLS 1.2 in the server's order, by the names of OpenSSL with : between them; empty: all that weir has, each of which is safe.",
    ),
    row(
        "tls-ciphersuites",
        Text,
        "",
        ByShell,
        "Ciphers of TLS 1.3 in the server's order, with : between them; empty: all three.",
    ),
    row(
        "tls-key-file",
        Text,
        "",
        ByShell,
        "A file with the private key of the server's certificate, in PEM: PKCS#8, plain or encrypted, PKCS#1 or SEC1.",
    ),
    row(
        "tls-key-file-pass",
        Text,
        "",
        ByShell,
        "The password of an encrypted tls-key-file.",
    ),
    row(
        TLS_PORT,
        Integer { min: 0, max: 65535 },
        "0",
        ByShell,
        "TCP port for clients that speak TLS; 0: none.",
    ),
    row(
        "tls-prefer-server-ciphers",
        Flag,
        "no",
        ByShell,
        "The server's order of ciphers counts, not the client's.",
    ),
    row(
        "tls-protocols",
        Text,
        "",
        ByShell,
        "Versions that clients may speak, TLSv1.2 or TLSv1.3 or both with a space between them; empty: both. There are no older ones.",
    ),
    row(
        "tls-session-cache-size",
        COUNT,
        "20480",
        ByShell,
        "Sessions that are kept to be resumed; 0: as many as 32 MiB hold, which is the bound in any case.",
    ),
    row(
        "tls-session-cache-timeout",
        COUNT,
        "300",
        ByShell,
        "Seconds for which a session can be resumed.",
    ),
    row(
        "tls-session-caching",
        Flag,
        "yes",
        ByShell,
        "Clients may resume sessions, which spares them and the server most of the handshake.",
    ),
    row(
        "tracking-table-max-keys",
        ANY,
        "1000000",
        Live,
        "Keys that are kept in mind because clients that track have read them (CLIENT TRACKING); if there are more, clients are told of some as if they had changed; 0: no bound.",
    ),
    row(
        "unixsocket",
        Text,
        "",
        AtStart,
        "Path of a unix socket to listen on; empty: none.",
    ),
    row(
        "unixsocketperm",
        Octal { max: 0o777 },
        "0",
        AtStart,
        "Permissions of the unix socket, octal; 0: as the system sets them.",
    ),
    row(
        "zset-max-listpack-entries",
        ANY,
        "128",
        Live,
        "Members that a sorted set has at most for OBJECT ENCODING to call it a listpack.",
    )
    .alias("zset-max-ziplist-entries"),
    row(
        "zset-max-listpack-value",
        BYTES,
        "64",
        Live,
        "How long its members are at most, in bytes.",
    )
    .alias("zset-max-ziplist-value"),
];
