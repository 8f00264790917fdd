//! `INFO` has the fields of Redis that have a meaning here, and its figures, `LATENCY` and
//! `SLOWLOG` follow what happens.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fields of Redis 8.6.3 that weir does not have, and why. A name that ends in `*` stands for all
/// that begin so.
const LEFT_OUT: &[(&str, &str)] = &[
    ("active_defrag_hits", "nothing is defragmented"),
    ("active_defrag_key_*", "nothing is defragmented"),
    ("active_defrag_misses", "nothing is defragmented"),
    (
        "allocator_muzzy",
        "the allocator tells it only through unsafe calls",
    ),
    ("aof_last_cow_size", "a rewrite does not fork"),
    ("atomicvar_api", "Rust has one such interface"),
    ("current_active_defrag_time", "nothing is defragmented"),
    ("current_cow_*", "nothing forks"),
    (
        "current_eviction_exceeded_time",
        "how long memory is above its limit is not measured",
    ),
    (
        "dump_payload_sanitizations",
        "every payload is checked in full, always",
    ),
    (
        "expired_stale_perc",
        "expired keys are found by their time, not by sampling",
    ),
    ("gcc_version", "no C compiler made it"),
    ("instantaneous_input_repl_kbps", "there is no replication"),
    ("instantaneous_output_repl_kbps", "there is no replication"),
    (
        "io_threaded_total_prefetch_batches",
        "a look ahead belongs to one client, not to a batch of them",
    ),
    ("mem_clients_slaves", "there is no replication"),
    ("mem_cluster_*", "there is no cluster"),
    (
        "mem_not_counted_for_evict",
        "nothing is evicted, and maxmemory counts everything",
    ),
    (
        "mem_overhead_db_hashtable_rehashing",
        "tables grow one small table at a time",
    ),
    ("mem_replica_full_sync_buffer", "there is no replication"),
    ("mem_replication_backlog", "there is no replication"),
    ("mem_total_replication_buffers", "there is no replication"),
    ("migrate_cached_sockets", "there is no MIGRATE"),
    ("module", "there are no modules"),
    ("module_fork_*", "there are no modules"),
    ("rdb_last_cow_size", "a snapshot does not fork"),
    (
        "reply_buffer_*",
        "a connection has no reply buffer of a fixed size",
    ),
    ("slave_expires_tracked_keys", "there is no replication"),
    ("total_active_defrag_time", "nothing is defragmented"),
    (
        "total_eviction_exceeded_time",
        "how long memory was above its limit is not measured",
    ),
    (
        "unexpected_error_replies",
        "effects of the journal are no commands that could answer errors",
    ),
];

/// Fields of weir that Redis does not have; the page of INFO says what they mean.
const OWN: &[&str] = &[
    "idmp_dropped",
    "idmp_duplicates",
    "idmp_evicted",
    "io_threads",
    "journal_background_sync_histogram_usec",
    "journal_background_sync_usec",
    "journal_batches",
    "journal_batches_per_sync",
    "journal_groups",
    "journal_health",
    "journal_sync_histogram_usec",
    "journal_sync_usec",
    "journal_syncs",
    "journal_write_histogram_usec",
    "journal_write_usec",
    "journal_written_bytes",
    "last_lsn",
    "pattern_clients",
    "pattern_reads",
    "server_name",
    "total_effects_applied",
    "weir_version",
];

/// Fields whose kind of value differs from Redis, and why.
const OTHER_KIND: &[(&str, &str)] = &[(
    "redis_build_id",
    "a checksum of Redis' sources, which may have letters; 0 here",
)];

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Percent,
    /// `name=number,…`
    Counters,
    Text,
}

fn kind(value: &str) -> Kind {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_counter = |pair: &str| {
        let pair = pair.split_once('=');
        pair.is_some_and(|(_, value)| is_number(value))
    };
    if is_number(value) {
        Kind::Number
    } else if value.strip_suffix('%').is_some_and(is_number) {
        Kind::Percent
    } else if value.split(',').all(is_counter) {
        Kind::Counters
    } else {
        Kind::Text
    }
}

fn text(client: &mut Client, command: &[&str]) -> String {
    let reply = client.command(command).unwrap();
    String::from_utf8(reply.as_bytes().unwrap().to_vec()).unwrap()
}

fn fields(client: &mut Client) -> BTreeMap<String, String> {
    let info = text(client, &["INFO", "everything"]);
    let pairs = info.lines().filter_map(|line| line.split_once(':'));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    pairs.collect()
}

fn number(fields: &BTreeMap<String, String>, name: &str) -> f64 {
    fields[name].parse().unwrap()
}

/// One of the counters in a field's value.
fn counter(fields: &BTreeMap<String, String>, name: &str, counter: &str) -> u64 {
    let pairs = fields[name]
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(found, _)| *found == counter);
    found.unwrap().1.parse().unwrap()
}

/// Does the same on both, so that counters of the same names exist.
fn prepare(server: &Server) -> BTreeMap<String, String> {
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for command in [
        &["SET", "a", "1"][..],
        &["SET", "b", "1", "EX", "1000"],
        &["XADD", "s", "*", "f", "v"],
        &["GET", "a"],
        &["GET", "missing"],
        &["XLEN", "a"],
    ] {
        client.command(command).unwrap();
    }
    fields(&mut client)
}

#[test]
fn info_has_each_field_of_redis_that_has_a_meaning_here() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let settings = [("appendonly", "yes")];
    let redis = prepare(&Server::start_with(&redis, &settings).unwrap());
    let weir = prepare(&Server::start_with(&peers::weir().unwrap(), &settings).unwrap());
    let is_listed = |name: &str, listed: &str| match listed.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == listed,
    };
    let left_out = |name: &str| LEFT_OUT.iter().any(|(listed, _)| is_listed(name, listed));
    let is_missing = |name: &&String| !weir.contains_key(*name) && !left_out(name);
    let missing: Vec<_> = redis.keys().filter(is_missing).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}");
    for (listed, reason) in LEFT_OUT {
        assert!(!reason.is_empty());
        assert!(
            redis.keys().any(|name| is_listed(name, listed)),
            "Redis has no {listed}"
        );
        assert!(
            !weir.keys().any(|name| is_listed(name, listed)),
            "weir has {listed}"
        );
    }
    let own: Vec<_> = weir
        .keys()
        .filter(|name| !redis.contains_key(*name))
        .collect();
    // Each thread that serves clients has a line; how many there are depends on the machine.
    let own: Vec<_> = own
        .into_iter()
        .filter(|name| !name.starts_with("io_thread_"))
        .collect();
    assert_eq!(own, OWN);
    let differs = |(name, value): (&String, &String)| {
        let ours = weir.get(name)?;
        let is_listed = OTHER_KIND.iter().any(|(listed, _)| listed == name);
        let differs = kind(ours) != kind(value) && !is_listed;
        differs.then(|| format!("{name}: {value} of Redis, {ours} of weir"))
    };
    let differences: Vec<String> = redis.iter().filter_map(differs).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn keys_are_counted_by_size_as_in_redis() {
    let counted = |binary: &Path| {
        let server = Server::start(binary).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        for size in [0, 1, 2, 3, 22, 44, 1023, 1024, 3_000_000, 40_000_000] {
            let key = format!("string:{size}");
            client.command(&["SET", &key, ""]).unwrap();
            if size > 0 {
                let last = (size - 1).to_string();
                client.command(&["SETRANGE", &key, &last, "x"]).unwrap();
            }
        }
        for words in [
            "SET number 12345",
            "SET number -1000000",
            "INCR number",
            "HSET h:1 a 1",
            "HSET h:2 a 1 b 2 c 3 d 4",
            "HDEL h:2 d",
            "HSET h:3 a 1",
            "HDEL h:3 a",
            "RPUSH list a b c d e",
            "LMOVE list other LEFT LEFT",
            "SADD set 1 2 3",
            "SREM set 1",
            "SADD words a b c d",
            "ZADD scores 1 a 2 b 3 c 4 d",
            "ZADD scores 5 a",
            "ZADD scores 5 e 6 f 7 g 8 h",
            "ZREM scores a",
            "ZADD ranks 1 a 2 b 3 c",
            "ZREMRANGEBYRANK ranks 0 0",
            "ZADD popped 1 a 2 b",
            "ZPOPMIN popped",
            "ZADD emptied 1 a",
            "ZPOPMAX emptied",
            "ZUNIONSTORE union 2 scores ranks",
            "XADD stream * f v",
            "SETBIT bits 100 1",
            "SET gone 1",
            "DEL gone",
            "COPY h:2 h:2 DB 3",
            "SELECT 3",
            "MSET a 1 b 22 c 333",
            "RENAME c a",
            "SWAPDB 3 4",
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            client.command(&words).unwrap();
        }
        let section = text(&mut client, &["INFO", "keysizes"]);
        assert!(text(&mut client, &["INFO"]).ends_with(&section));
        assert!(text(&mut client, &["INFO", "all"]).ends_with(&section));
        client.command(&["FLUSHALL"]).unwrap();
        (section, text(&mut client, &["INFO", "keysizes"]))
    };
    let (section, emptied) = counted(&peers::weir().unwrap());
    assert!(section.contains("\r\ndb4_distrib_hashes_items:2=1\r\n"));
    assert!(section.contains(",1K=1,2M=1,32M=1\r\n"), "{section}");
    assert_eq!(emptied, "# Keysizes\r\n");
    if let Some(redis) = Peers::binary("redis86-server").unwrap() {
        assert_eq!(counted(&redis), (section, emptied));
    }
}

#[test]
fn the_page_of_info_names_each_field_of_our_own() {
    let page = include_str!("../../core/commands/src/server/info.md");
    for name in OWN {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn figures_of_the_journal_follow_its_syncs() {
    let settings = [("appendonly", "yes"), ("appendfsync", "always")];
    let server = Server::start_with(&peers::weir().unwrap(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let writes = 50;
    for index in 0..writes {
        client
            .command(&["XADD", "s", "*", "f", &index.to_string()])
            .unwrap();
    }
    let begun = Instant::now();
    let found = loop {
        let found = fields(&mut client);
        if number(&found, "journal_batches") as usize == writes {
            break found;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:#?}");
        thread::yield_now();
    };
    // A single client that waits for each reply does not share its syncs.
    assert_eq!(number(&found, "journal_syncs") as usize, writes);
    assert_eq!(number(&found, "journal_groups") as usize, writes);
    assert_eq!(found["journal_batches_per_sync"], "1.00");
    assert!(number(&found, "journal_written_bytes") > 0.0);
    for kind in ["write", "sync"] {
        let name = format!("journal_{kind}_usec");
        assert_eq!(counter(&found, &name, "count") as usize, writes);
        assert!(counter(&found, &name, "max") <= counter(&found, &name, "sum"));
        // The last step of the histogram includes everything.
        let histogram = &found[&format!("journal_{kind}_histogram_usec")];
        let last = histogram.rsplit('=').next().unwrap();
        assert_eq!(last.parse::<usize>().unwrap(), writes, "{histogram}");
    }
    assert_eq!(counter(&found, "journal_background_sync_usec", "count"), 0);
    assert_eq!(counter(&found, "journal_background_sync_usec", "p99"), 0);
    assert_eq!(number(&found, "aof_delayed_fsync"), 0.0);
}

#[test]
fn debug_sleep_is_in_latency_and_slowlog() {
    // Other commands take less, on a busy machine too.
    let settings = [
        ("latency-monitor-threshold", "50"),
        ("slowlog-log-slower-than", "100000"),
    ];
    let server = Server::start_with(&peers::weir().unwrap(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    client.command(&["DEBUG", "SLEEP", "0.1"]).unwrap();
    let Value::Array(latest) = client.command(&["LATENCY", "LATEST"]).unwrap() else {
        panic!("no array");
    };
    let event = |name: &str| {
        let events = latest.iter().filter_map(|event| match event {
            Value::Array(parts) => Some(parts),
            _ => None,
        });
        let mut found = events.filter(|parts| parts[0].as_bytes() == Some(name.as_bytes()));
        found.next().cloned()
    };
    let parts = event("command").expect("an event of a command");
    assert!(matches!(parts[2], Value::Int(100..)), "{parts:?}");
    let Value::Array(slow) = client.command(&["SLOWLOG", "GET"]).unwrap() else {
        panic!("no array");
    };
    let Value::Array(entry) = &slow[0] else {
        panic!("no entry")
    };
    assert!(matches!(entry[2], Value::Int(100_000..)), "{entry:?}");
    let words = ["DEBUG", "SLEEP", "0.1"].map(|word| Value::Bulk(word.into()));
    assert_eq!(entry[3], Value::Array(words.to_vec()));
    assert_eq!(slow.len(), 1);
}

#[test]
fn traffic_is_counted() {
    let settings = [("io-threads", "1")];
    let server = Server::start_with(&peers::weir().unwrap(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let before = fields(&mut client);
    for _ in 0..10 {
        client.command(&["PING"]).unwrap();
    }
    let after = fields(&mut client);
    let grown = |name: &str| number(&after, name) - number(&before, name);
    assert_eq!(grown("total_reads_processed"), 11.0);
    assert_eq!(grown("total_writes_processed"), 11.0);
    assert_eq!(grown("io_threaded_reads_processed"), 0.0);
    assert!(grown("eventloop_cycles") >= 11.0);
    assert!(grown("eventloop_duration_sum") >= 1.0);
    assert_eq!(counter(&after, "io_thread_0", "clients"), 1);
    let listener = format!("name=tcp,bind=127.0.0.1,port={}", server.address().port());
    assert_eq!(after["listener0"], listener);
    client.command(&["CONFIG", "RESETSTAT"]).unwrap();
    let reset = fields(&mut client);
    assert!(number(&reset, "total_reads_processed") <= 2.0);
}

#[test]
fn the_last_load_is_told_as_redis_tells_it() {
    let load = |binary: &Path| {
        let server = Server::start(binary).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let loaded = |client: &mut Client| {
            let found = fields(client);
            ["keys_loaded", "keys_expired"]
                .map(|name| found[&format!("rdb_last_load_{name}")].clone())
        };
        let before = loaded(&mut client);
        for command in [
            &["DEBUG", "SET-ACTIVE-EXPIRE", "0"][..],
            &["SET", "a", "1"],
            &["XADD", "s", "*", "f", "v"],
            &["SET", "b", "1", "PX", "1"],
        ] {
            client.command(command).unwrap();
        }
        // Nobody may ask for the key meanwhile: that would remove it.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5) {
            thread::yield_now();
        }
        client.command(&["DEBUG", "RELOAD"]).unwrap();
        let first = loaded(&mut client);
        client.command(&["DEBUG", "RELOAD"]).unwrap();
        (before, first, loaded(&mut client))
    };
    let told = load(&peers::weir().unwrap());
    let nothing = ["0", "0"].map(str::to_owned);
    assert_eq!(told.0, nothing);
    assert_eq!(told.1, ["2", "1"].map(str::to_owned));
    assert_eq!(told.2, ["2", "0"].map(str::to_owned));
    if let Some(redis) = Peers::binary("redis86-server").unwrap() {
        assert_eq!(load(&redis), told);
    }
}

#[test]
fn keys_that_the_timer_removes_are_counted_apart() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    client.command(&["SET", "a", "1", "PX", "1"]).unwrap();
    let begun = Instant::now();
    loop {
        let found = fields(&mut client);
        if number(&found, "expired_keys_active") == 1.0 {
            assert_eq!(number(&found, "expired_keys"), 1.0);
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:#?}");
        thread::yield_now();
    }
}
