//! Client-side caching over sockets: clients of weir are told of the same keys as those of Redis.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeSet;

use weir_tests::client::{Client, Protocol};
use weir_tests::differential::random::Random;
use weir_tests::peers::Peers;
use weir_tests::server::Server;
use weir_tests::sockets::{figure, server, until};
use weir_tests::value::Value;

/// Clients that track, and one behind them that does not.
const CLIENTS: usize = 5;

/// Steps of a run: a request of one client, and what all are told because of it.
const STEPS: usize = 4000;

/// Where its random numbers come from.
const SEED: u64 = 1;

/// A request, words apart by spaces. Capital letters stand for keys, numbers and values.
fn request(random: &mut Random, shapes: &[&str]) -> String {
    let shape = random.pick(shapes);
    let words = shape.split(' ').map(|word| match word {
        "K" => random
            .pick(&["k", "k1", "k2", "l", "s", "h", "z", "x"])
            .to_owned(),
        "N" => random.below(3).to_string(),
        "V" => random.pick(&["a", "b", "1", "22"]).to_owned(),
        word => word.to_owned(),
    });
    let words: Vec<String> = words.collect();
    words.join(" ")
}

/// Requests that only read, most of them by name.
const READS: &[&str] = &[
    "GET K",
    "GET K",
    "GET K",
    "MGET K K K",
    "EXISTS K K",
    "STRLEN K",
    "TYPE K",
    "TTL K",
    "DUMP K",
    "OBJECT ENCODING K",
    "LRANGE K 0 -1",
    "LLEN K",
    "SMEMBERS K",
    "SINTER K K",
    "SINTERCARD 2 K K",
    "HGETALL K",
    "HGET K V",
    "ZRANGE K 0 -1",
    "ZDIFF 2 K K",
    "XLEN K",
    "XRANGE K - +",
    "XREAD STREAMS K K 0 0",
    "XINFO STREAM K",
    "PFCOUNT K",
    "BITCOUNT K",
    "BITFIELD_RO K GET u8 0",
    "LCS K K",
    "SORT_RO K ALPHA",
    "TOUCH K",
    "GETRANGE K 0 1",
    "EVAL_RO return{redis.call('get',KEYS[1])} 1 K",
    "EVAL return{redis.call('exists',KEYS[1])} 1 K",
    "EVAL_RO return{1} 1 K",
];

/// Requests that write. `LTRIM` is not among them: Redis tells of it though nothing is trimmed.
const WRITES: &[&str] = &[
    "SET K V",
    "SET K V",
    "SET K V NX",
    "SET K V XX GET",
    "SET K V KEEPTTL",
    "MSET K V K V",
    "MSETNX K V K V",
    "DEL K",
    "DEL K K",
    "UNLINK K",
    "INCR K",
    "APPEND K V",
    "SETRANGE K N V",
    "SETBIT K N 1",
    "GETSET K V",
    "GETDEL K",
    "GETEX K",
    "GETEX K EX 100",
    "GETEX K PERSIST",
    "EXPIRE K 100",
    "EXPIRE K -1",
    "PERSIST K",
    "RENAME K K",
    "RENAMENX K K",
    "COPY K K REPLACE",
    "MOVE K 1",
    "LPUSH K V",
    "RPUSHX K V",
    "LPOP K",
    "LSET K 0 V",
    "LREM K 0 V",
    "LMOVE K K LEFT RIGHT",
    "SADD K V",
    "SREM K V",
    "SMOVE K K V",
    "SPOP K 5",
    "SINTERSTORE K K K",
    "HSET K V V",
    "HDEL K V",
    "HINCRBY K V N",
    "HEXPIRE K 100 FIELDS 1 V",
    "HPERSIST K FIELDS 1 V",
    "ZADD K N V",
    "ZREM K V",
    "ZPOPMIN K",
    "ZINCRBY K N V",
    "ZUNIONSTORE K 2 K K",
    "ZRANGESTORE K K 0 -1",
    "XADD K * V V",
    "XTRIM K MAXLEN N",
    "XGROUP CREATE K g $ MKSTREAM",
    "XGROUP CREATE K g 0",
    "XGROUP DESTROY K g",
    "PFADD K V",
    "PFMERGE K K",
    "BITOP NOT K K",
    "SORT K ALPHA STORE K",
    "EVAL return{redis.call('set',KEYS[1],ARGV[1]),redis.call('get',KEYS[2])} 2 K K V",
    "EVAL return{redis.call('get',KEYS[1]),redis.call('del',KEYS[1])} 1 K",
];

const OTHERS: &[&str] = &[
    "FLUSHDB",
    "FLUSHALL",
    "SELECT 0",
    "SELECT 1",
    "WATCH K",
    "UNWATCH",
    "RESET",
    "KEYS *",
    "DBSIZE",
    "CLIENT ID_OF_NOBODY",
];

const TRACKING: &[&str] = &[
    "CLIENT TRACKING ON",
    "CLIENT TRACKING ON",
    "CLIENT TRACKING ON NOLOOP",
    "CLIENT TRACKING ON OPTIN",
    "CLIENT TRACKING ON OPTOUT NOLOOP",
    "CLIENT TRACKING ON BCAST",
    "CLIENT TRACKING ON BCAST PREFIX k",
    "CLIENT TRACKING ON BCAST PREFIX k1 PREFIX l NOLOOP",
    "CLIENT TRACKING ON BCAST PREFIX x",
    "CLIENT TRACKING ON BCAST OPTIN",
    "CLIENT TRACKING ON OPTIN OPTOUT",
    "CLIENT TRACKING ON PREFIX k",
    "CLIENT TRACKING OFF",
    "CLIENT TRACKING OFF",
    "CLIENT CACHING YES",
    "CLIENT CACHING NO",
    "CLIENT CACHING YES",
    "CLIENT CACHING NO",
    "CLIENT TRACKINGINFO",
    "CLIENT GETREDIR",
];

/// A server and its clients.
struct Side {
    clients: Vec<Client>,
}

impl Side {
    fn new(server: &Server) -> Side {
        let connect = |_| server.connect(Protocol::Resp3).unwrap();
        Side {
            clients: (0..=CLIENTS).map(connect).collect(),
        }
    }

    /// Runs requests of a client one after another. Returns its replies, and what each client is
    /// told.
    fn step(&mut self, client: usize, requests: &[String]) -> (Vec<String>, Vec<BTreeSet<String>>) {
        let mut told = vec![BTreeSet::new(); self.clients.len()];
        let mut replies = Vec::new();
        for request in requests {
            let words: Vec<&str> = request.split(' ').collect();
            let reply = reply(&mut self.clients[client], &words, &mut told[client]);
            replies.push(reply);
            if request == "RESET" {
                reply_to_hello(&mut self.clients[client], &mut told[client]);
            }
        }
        for (client, told) in self.clients.iter_mut().zip(&mut told) {
            reply(client, &["PING"], told);
        }
        (replies, told)
    }
}

fn reply_to_hello(client: &mut Client, told: &mut BTreeSet<String>) {
    reply(client, &["HELLO", "3"], told);
}

/// The reply to a request. What comes before is told.
fn reply(client: &mut Client, words: &[&str], told: &mut BTreeSet<String>) -> String {
    client.send(words).unwrap();
    loop {
        match client.read().unwrap() {
            Value::Push(parts) => match parts[1].elements() {
                Some(keys) => told.extend(keys.iter().map(Value::to_string)),
                None => assert!(told.insert(parts[1].to_string())),
            },
            reply => return reply.to_string(),
        }
    }
}

/// Replies that are not the same on both sides by their nature.
fn is_own(request: &str) -> bool {
    [
        "DUMP", "XADD", "XRANGE", "XREAD", "XINFO", "HELLO", "OBJECT", "SPOP", "KEYS", "SMEMBERS",
    ]
    .iter()
    .any(|name| request.starts_with(name))
        || request.starts_with("SINTER ")
        || request.starts_with("HGETALL")
}

#[test]
fn clients_are_told_of_the_same_keys_as_by_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let redis = Server::start(&redis).unwrap();
    let weir = server(&[("appendonly", "no")]);
    let mut sides = [Side::new(&redis), Side::new(&weir)];
    let mut random = Random::new(SEED);
    let mut told_in_all = 0;
    for step in 0..STEPS {
        let client = random.below(CLIENTS as u64 + 1) as usize;
        // The last one never tracks, and a transaction is begun and ended in one step.
        let tracks = client < CLIENTS;
        let requests: Vec<String> = match random.below(40) {
            0..=3 if tracks => vec![request(&mut random, TRACKING)],
            4 if tracks => vec![
                request(&mut random, TRACKING),
                request(&mut random, READS),
                request(&mut random, READS),
            ],
            5 => vec![request(&mut random, OTHERS)],
            6..=9 => {
                let mut queued = vec!["MULTI".to_owned()];
                if tracks && random.below(3) == 0 {
                    queued.insert(0, request(&mut random, TRACKING));
                }
                for _ in 0..random.below(5) {
                    let shapes =
                        [READS, WRITES, TRACKING][random.below(2 + u64::from(tracks)) as usize];
                    queued.push(request(&mut random, shapes));
                }
                queued.push(random.pick(&["EXEC", "EXEC", "EXEC", "DISCARD"]).to_owned());
                queued
            }
            10..=24 => vec![request(&mut random, READS)],
            _ => vec![request(&mut random, WRITES)],
        };
        let [expected, found] = sides.each_mut().map(|side| side.step(client, &requests));
        assert_eq!(
            found.1, expected.1,
            "step {step}: client {client} {requests:?}"
        );
        if !requests.iter().any(|request| is_own(request)) {
            assert_eq!(
                found.0, expected.0,
                "step {step}: client {client} {requests:?}"
            );
        }
        told_in_all += found.1.iter().map(BTreeSet::len).sum::<usize>();
    }
    assert!(
        told_in_all > STEPS / 5,
        "clients were told {told_in_all} times"
    );
}

#[test]
fn a_client_that_is_told_never_keeps_what_has_changed() {
    const WRITES: usize = 3000;
    let server = server(&[("appendonly", "no")]);
    let mut readers: Vec<Client> = (0..4)
        .map(|_| server.connect(Protocol::Resp3).unwrap())
        .collect();
    for (index, reader) in readers.iter_mut().enumerate() {
        let options: &[&str] = match index % 2 {
            0 => &["CLIENT", "TRACKING", "ON"],
            _ => &["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "n"],
        };
        assert_eq!(reader.command(options).unwrap().to_string(), "+OK");
    }
    let mut writer = server.connect(Protocol::Resp2).unwrap();
    let writing = std::thread::spawn(move || {
        for _ in 0..WRITES {
            writer.command(&["INCR", "n"]).unwrap();
        }
    });
    let reading = readers.into_iter().map(|mut reader| {
        std::thread::spawn(move || {
            // In the end, the cache has the last number, though nobody asks for it in vain.
            let mut asked = 0;
            let mut kept = String::new();
            while kept != WRITES.to_string() {
                asked += 1;
                let mut told = BTreeSet::new();
                kept = reply(&mut reader, &["GET", "n"], &mut told);
                kept.retain(|letter| letter.is_ascii_digit());
                if kept != WRITES.to_string() {
                    // It is told that this is not what is there any more.
                    while !matches!(reader.read().unwrap(), Value::Push(_)) {}
                }
            }
            asked
        })
    });
    let reading: Vec<_> = reading.collect();
    writing.join().unwrap();
    for reader in reading {
        assert!(reader.join().unwrap() <= WRITES + 1);
    }
}

#[test]
fn what_a_long_script_changes_is_told_when_it_has_ended() {
    let server = server(&[("busy-reply-threshold", "1")]);
    let mut tracker = server.connect(Protocol::Resp3).unwrap();
    let mut told = BTreeSet::new();
    reply(
        &mut tracker,
        &["CLIENT", "TRACKING", "ON", "BCAST"],
        &mut told,
    );
    let mut other = server.connect(Protocol::Resp2).unwrap();
    let script = "redis.call('set','a',1) for i = 1, 3e7 do end redis.call('set','b',1)";
    other.send(&["EVAL", script, "0"]).unwrap();
    let mut was_busy = false;
    until(|| {
        let answer = reply(&mut tracker, &["PING"], &mut told);
        let is_busy = answer.contains("BUSY");
        was_busy |= is_busy;
        assert!(!is_busy || told.is_empty(), "{told:?}");
        !told.is_empty()
    });
    assert!(was_busy, "the script was too short");
    assert_eq!(told.len(), 2, "{told:?}");
    other.read().unwrap();
}

#[test]
fn the_figures_show_what_is_tracked() {
    let server = server(&[]);
    let mut clients: Vec<Client> = (0..3)
        .map(|_| server.connect(Protocol::Resp3).unwrap())
        .collect();
    let mut told = BTreeSet::new();
    let requests: [(usize, &[&str]); 4] = [
        (0, &["CLIENT", "TRACKING", "ON"]),
        (1, &["CLIENT", "TRACKING", "ON", "NOLOOP"]),
        (0, &["MGET", "a", "b", "a"]),
        (1, &["GET", "a"]),
    ];
    for (client, request) in requests {
        reply(&mut clients[client], request, &mut told);
    }
    let prefixed = &[
        "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "p", "PREFIX", "q",
    ];
    reply(&mut clients[2], prefixed, &mut told);
    let mut main = server.connect(Protocol::Resp2).unwrap();
    let mut figures = || {
        [
            "tracking_clients",
            "tracking_total_keys",
            "tracking_total_items",
            "tracking_total_prefixes",
        ]
        .map(|name| figure(&mut main, name))
    };
    assert_eq!(figures(), [3, 2, 3, 2]);
    drop(clients);
    until(|| figures() == [0, 0, 0, 0]);
    assert!(told.is_empty(), "{told:?}");
}
