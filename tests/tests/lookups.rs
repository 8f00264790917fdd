//! `keyspace_hits` and `keyspace_misses` count the same as in Redis, for every command that names a
//! key.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeSet;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

/// Requests for every command that names a key; `K` and `K2` stand for keys.
const REQUESTS: &[&str] = &[
    "APPEND K x",
    "BITCOUNT K",
    "BITFIELD K GET u8 0",
    "BITFIELD K SET u8 0 1",
    "BITFIELD_RO K GET u8 0",
    "BITOP AND d K K2",
    "BITOP NOT d K",
    "BITPOS K 1",
    "BLMOVE K d LEFT RIGHT 0.01",
    "BLMPOP 0.01 1 K LEFT",
    "BLPOP K 0.01",
    "BRPOP K 0.01",
    "BRPOPLPUSH K d 0.01",
    "BZMPOP 0.01 1 K MIN",
    "BZPOPMAX K 0.01",
    "BZPOPMIN K 0.01",
    "COPY K K2",
    "COPY K K2 REPLACE",
    "COPY K d",
    "COPY K d DB 1",
    "DECR K",
    "DECRBY K 2",
    "DEL K",
    "DEL K K2",
    "DELEX K",
    "DELEX K IFEQ 1",
    "DIGEST K",
    "DUMP K",
    "EXISTS K",
    "EXISTS K K K2",
    "EXPIRE K 100",
    "EXPIRE K 100 XX",
    "EXPIREAT K 99999999999",
    "EXPIRETIME K",
    "GEOADD K 1 1 m",
    "GEODIST K m n",
    "GEOHASH K m",
    "GEOPOS K m",
    "GEORADIUS K 1 1 1 m",
    "GEORADIUSBYMEMBER K m 1 m",
    "GEORADIUSBYMEMBER_RO K m 1 m",
    "GEORADIUS_RO K 1 1 1 m",
    "GEOSEARCH K FROMMEMBER m BYRADIUS 1 m",
    "GEOSEARCHSTORE d K FROMMEMBER m BYRADIUS 1 m",
    "GET K",
    "GETBIT K 1",
    "GETDEL K",
    "GETEX K",
    "GETEX K EX 100",
    "GETRANGE K 0 1",
    "GETSET K x",
    "HDEL K f",
    "HDEL K f g",
    "HDEL K none",
    "HEXISTS K f",
    "HEXPIRE K 100 FIELDS 1 f",
    "HEXPIREAT K 9999999999 FIELDS 1 f",
    "HEXPIRETIME K FIELDS 1 f",
    "HGET K f",
    "HGET K none",
    "HGETALL K",
    "HGETDEL K FIELDS 1 f",
    "HGETDEL K FIELDS 2 f g",
    "HGETEX K EX 100 FIELDS 1 f",
    "HGETEX K FIELDS 1 f",
    "HINCRBY K f 1",
    "HINCRBY K h 1",
    "HINCRBYFLOAT K f 1.5",
    "HKEYS K",
    "HLEN K",
    "HMGET K f none",
    "HMSET K f 1",
    "HPERSIST K FIELDS 1 f",
    "HPEXPIRE K 100000 FIELDS 1 f",
    "HPEXPIREAT K 9999999999999 FIELDS 1 f",
    "HPEXPIRETIME K FIELDS 1 f",
    "HPTTL K FIELDS 1 f",
    "HRANDFIELD K",
    "HRANDFIELD K 2",
    "HSCAN K 0",
    "HSET K f 1",
    "HSET K f 1 h 2",
    "HSETEX K FIELDS 1 f 1",
    "HSETEX K FXX FIELDS 1 h 1",
    "HSETNX K f 1",
    "HSETNX K h 1",
    "HSTRLEN K f",
    "HTTL K FIELDS 1 f",
    "HVALS K",
    "INCR K",
    "INCRBY K 2",
    "INCRBYFLOAT K 1.5",
    "LCS K K2",
    "LCS K K2 LEN",
    "LINDEX K 0",
    "LINSERT K BEFORE a x",
    "LLEN K",
    "LMOVE K K LEFT RIGHT",
    "LMOVE K d LEFT RIGHT",
    "LMPOP 1 K LEFT",
    "LMPOP 2 K2 K LEFT",
    "LPOP K",
    "LPOP K 9",
    "LPOS K a",
    "LPUSH K x",
    "LPUSHX K x",
    "LRANGE K 0 -1",
    "LREM K 0 a",
    "LSET K 0 x",
    "LTRIM K 0 0",
    "LTRIM K 5 9",
    "MEMORY USAGE K",
    "MGET K K",
    "MGET K K2",
    "MOVE K 1",
    "MSET K 1 K2 2",
    "MSETEX 1 K 1 NX",
    "MSETEX 1 K 1 XX",
    "MSETEX 2 K 1 K2 2",
    "MSETNX K 1 K2 2",
    "OBJECT ENCODING K",
    "OBJECT FREQ K",
    "OBJECT IDLETIME K",
    "OBJECT REFCOUNT K",
    "PERSIST K",
    "PEXPIRE K 100000",
    "PEXPIREAT K 99999999999999",
    "PEXPIRETIME K",
    "PFADD K e",
    "PFCOUNT K",
    "PFCOUNT K K2",
    "PFDEBUG ENCODING K",
    "PFMERGE K K2",
    "PFMERGE d K",
    "PSETEX K 100000 x",
    "PTTL K",
    "RENAME K K",
    "RENAME K K2",
    "RENAME K d",
    "RENAMENX K K2",
    "RENAMENX K d",
    "RESTORE K 0 x",
    "RESTORE K 0 x REPLACE",
    "RESTORE-ASKING K 0 x",
    "RESTORE-ASKING K 0 x REPLACE",
    "RPOP K",
    "RPOPLPUSH K d",
    "RPUSH K x",
    "RPUSHX K x",
    "SADD K m",
    "SCARD K",
    "SDIFF K K2",
    "SDIFF K2 K",
    "SDIFFSTORE d K K2",
    "SET K 1",
    "SET K 1 GET",
    "SET K 1 IFEQ 1",
    "SET K 1 IFNE 1",
    "SET K 1 KEEPTTL",
    "SET K 1 NX",
    "SET K 1 XX",
    "SETBIT K 1 1",
    "SETEX K 100 x",
    "SETNX K x",
    "SETRANGE K 0 x",
    "SETRANGE K 1 EMPTY",
    "SINTER K K2",
    "SINTERCARD 2 K K2",
    "SINTERSTORE d K K2",
    "SISMEMBER K m",
    "SMEMBERS K",
    "SMISMEMBER K m n",
    "SMOVE K K m",
    "SMOVE K d m",
    "SORT K",
    "SORT K BY nosort GET w_* GET #",
    "SORT K ALPHA BY w_*->f STORE d",
    "SORT_RO K ALPHA GET K",
    "SPOP K",
    "SPOP K 9",
    "SRANDMEMBER K",
    "SRANDMEMBER K 2",
    "SREM K m",
    "SREM K m n",
    "SSCAN K 0",
    "STRLEN K",
    "SUBSTR K 0 1",
    "SUNION K K2",
    "SUNIONSTORE d K K2",
    "TOUCH K K2",
    "TTL K",
    "TYPE K",
    "UNLINK K K2",
    "WATCH K",
    "XACK K g 1-1",
    "XACK K nog 1-1",
    "XACKDEL K g IDS 1 1-1",
    "XADD K 0-0 a b",
    "XADD K 9-1 a b",
    "XADD K IDMP p 1 * a b",
    "XADD K MAXLEN 1 9-1 a b",
    "XADD K NOMKSTREAM 9-1 a b",
    "XAUTOCLAIM K g c 0 0",
    "XCFGSET K IDMP-DURATION 5",
    "XCLAIM K g c 0 1-1",
    "XDEL K 1-1",
    "XDELEX K IDS 1 1-1",
    "XGROUP CREATE K h 0",
    "XGROUP CREATE K h 0 MKSTREAM",
    "XGROUP CREATECONSUMER K g c2",
    "XGROUP DELCONSUMER K g c",
    "XGROUP DESTROY K g",
    "XGROUP SETID K g 0",
    "XINFO CONSUMERS K g",
    "XINFO CONSUMERS K nog",
    "XINFO GROUPS K",
    "XINFO STREAM K",
    "XINFO STREAM K FULL",
    "XLEN K",
    "XPENDING K g",
    "XPENDING K g - + 10",
    "XPENDING K nog",
    "XRANGE K - +",
    "XREAD BLOCK 10 STREAMS K 9",
    "XREAD BLOCK 10 STREAMS K K2 9 9",
    "XREAD STREAMS K $",
    "XREAD STREAMS K +",
    "XREAD STREAMS K 0",
    "XREAD STREAMS K K2 0 0",
    "XREADGROUP GROUP g c BLOCK 10 STREAMS K >",
    "XREADGROUP GROUP g c CLAIM 0 STREAMS K >",
    "XREADGROUP GROUP g c STREAMS K 0",
    "XREADGROUP GROUP g c STREAMS K >",
    "XREADGROUP GROUP nog c STREAMS K >",
    "XREVRANGE K + -",
    "XSETID K 9-9",
    "XTRIM K MAXLEN 1",
    "XTRIM K MINID 1-2",
    "ZADD K 1 m",
    "ZADD K XX 1 m",
    "ZCARD K",
    "ZCOUNT K 0 1",
    "ZDIFF 2 K K2",
    "ZDIFFSTORE d 2 K K2",
    "ZINCRBY K 1 m",
    "ZINTER 2 K K2",
    "ZINTERCARD 2 K K2",
    "ZINTERSTORE d 2 K K2",
    "ZLEXCOUNT K - +",
    "ZMPOP 1 K MIN",
    "ZMSCORE K m none",
    "ZPOPMAX K",
    "ZPOPMIN K 9",
    "ZRANDMEMBER K",
    "ZRANDMEMBER K 2",
    "ZRANGE K 0 -1",
    "ZRANGEBYLEX K - +",
    "ZRANGEBYSCORE K 0 1",
    "ZRANGESTORE d K 0 -1",
    "ZRANK K m",
    "ZREM K m",
    "ZREM K m n",
    "ZREMRANGEBYLEX K - +",
    "ZREMRANGEBYRANK K 0 0",
    "ZREMRANGEBYSCORE K 0 1",
    "ZREVRANGE K 0 -1",
    "ZREVRANGEBYLEX K + -",
    "ZREVRANGEBYSCORE K 1 0",
    "ZREVRANK K m",
    "ZSCAN K 0",
    "ZSCORE K m",
    "ZUNION 2 K K2",
    "ZUNIONSTORE d 2 K K2",
];

/// What is under the first key. The other one is missing.
const STATES: [(&str, &[&str]); 7] = [
    ("nothing", &[]),
    ("a string", &["SET k 1"]),
    ("a list", &["RPUSH k a b"]),
    ("a set", &["SADD k m n"]),
    ("a sorted set", &["GEOADD k 1 1 m 1 2 n"]),
    ("a hash", &["HSET k f 1 g 2"]),
    (
        "a stream",
        &[
            "XADD k 1-1 a b",
            "XADD k 1-2 a b",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c COUNT 1 STREAMS k >",
        ],
    ),
];

/// Where weir counts differently on purpose.
const REVIEWED: &[(&str, &str, &str)] = &[
    (
        "SET K 1 IF",
        "nothing",
        "Redis counts what it compares with, but not that there is nothing.",
    ),
    (
        "SPOP K 9",
        "a set",
        "Redis answers a whole set as SUNION does, and counts that.",
    ),
    (
        "XREADGROUP GROUP g c",
        "a stream",
        "Redis looks a stream up twice and counts that.",
    ),
];

/// Commands that weir has and Redis 8.6 lacks, or that name a key only to ask about the server.
const LEFT_OUT: &[&str] = &[
    "blmovem",
    "debug",
    // Scripts look nothing up themselves.
    "eval",
    "eval_ro",
    "evalsha",
    "evalsha_ro",
    "fcall",
    "fcall_ro",
    "increx",
    "lmovem",
    // Transactions refuse it.
    "migrate",
    "sdiffcard",
    // Channels are no keys.
    "spublish",
    "ssubscribe",
    "sunioncard",
    "sunsubscribe",
    "xaddm",
    "xcfgget",
    "xdelayed",
    "xidmpepoch",
    "xidmplast",
    "xidmprecord",
    "xnack",
    "xredrive",
    "xundelay",
    "xtouch",
];

fn ask(client: &mut Client, request: &str) -> Value {
    let words = request.split(' ').map(|word| match word {
        "K" => "k",
        "K2" => "k2",
        "EMPTY" => "",
        word => word,
    });
    client.command(&words.collect::<Vec<_>>()).unwrap()
}

/// Hits and misses since the last reset.
fn counted(client: &mut Client) -> (u64, u64) {
    let reply = ask(client, "INFO stats");
    let info = String::from_utf8_lossy(reply.as_bytes().unwrap()).into_owned();
    let figure = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    (figure("keyspace_hits:"), figure("keyspace_misses:"))
}

/// What a request counts, alone and in a transaction.
fn count(client: &mut Client, before: &[&str], request: &str) -> [(u64, u64); 2] {
    [false, true].map(|in_transaction| {
        ask(client, "FLUSHALL");
        for request in before {
            ask(client, request);
        }
        ask(client, "CONFIG RESETSTAT");
        if in_transaction {
            ask(client, "MULTI");
        }
        let mut reply = ask(client, request).to_string();
        if in_transaction {
            reply += &ask(client, "EXEC").to_string();
        }
        let is_refused = [
            "syntax error",
            "unknown command",
            "wrong number of arguments",
        ]
        .iter()
        .any(|text| reply.contains(text));
        assert!(!is_refused, "{request}: {reply}");
        counted(client)
    })
}

#[test]
fn lookups_are_counted_as_by_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let servers = [peers::weir().unwrap(), redis].map(|binary| Server::start(&binary).unwrap());
    let mut clients = servers
        .each_ref()
        .map(|server| server.connect(Protocol::Resp2).unwrap());
    let mut differences = Vec::new();
    for request in REQUESTS {
        for (state, before) in STATES {
            let [weir, redis] = clients
                .each_mut()
                .map(|client| count(client, before, request));
            let is_reviewed = REVIEWED
                .iter()
                .any(|(begin, of, _)| request.starts_with(begin) && *of == state);
            if weir != redis && !is_reviewed {
                differences.push(format!("{request} on {state}: {weir:?}, Redis {redis:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_command_that_names_a_key_is_among_the_requests() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let there: BTreeSet<String> = REQUESTS
        .iter()
        .map(|request| request.split(' ').next().unwrap().to_lowercase())
        .collect();
    let Value::Array(rows) = ask(&mut client, "COMMAND") else {
        panic!("COMMAND answers a list");
    };
    let mut missing = Vec::new();
    for row in rows {
        let Value::Array(row) = row else {
            panic!("a command is a list");
        };
        let name = String::from_utf8_lossy(row[0].as_bytes().unwrap()).into_owned();
        let key_specs = &row[8];
        let of_subcommands = row[9].to_string();
        let names_keys =
            *key_specs != Value::Array(Vec::new()) || of_subcommands.contains("begin_search");
        if names_keys && !there.contains(&name) && !LEFT_OUT.contains(&name.as_str()) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
