//! What the generator draws.

use super::*;

#[test]
fn an_episode_depends_on_its_seed_alone() {
    let first = episode(Random::new(7), Focus::All, 500);
    assert_eq!(first, episode(Random::new(7), Focus::All, 500));
    assert_ne!(first, episode(Random::new(8), Focus::All, 500));
}

/// The commands that are drawn whose names begin so.
fn drawn(prefix: char) -> Vec<String> {
    drawn_with(Focus::All, prefix)
}

fn drawn_with(focus: Focus, prefix: char) -> Vec<String> {
    let mut names: Vec<String> = (0..20)
        .flat_map(|seed| episode(Random::new(seed), focus, 1000))
        .map(|command| command.name())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn every_hash_command_is_drawn() {
    let expected = [
        "hdel",
        "hexists",
        "hexpire",
        "hexpireat",
        "hexpiretime",
        "hget",
        "hgetall",
        "hgetdel",
        "hgetex",
        "hincrby",
        "hincrbyfloat",
        "hkeys",
        "hlen",
        "hmget",
        "hmset",
        "hpersist",
        "hpexpire",
        "hpexpireat",
        "hpexpiretime",
        "hpttl",
        "hrandfield",
        "hscan",
        "hset",
        "hsetex",
        "hsetnx",
        "hstrlen",
        "httl",
        "hvals",
    ];
    assert_eq!(drawn('h'), expected);
}

#[test]
fn every_sorted_set_command_is_drawn() {
    let expected = [
        "zadd",
        "zcard",
        "zcount",
        "zdiff",
        "zdiffstore",
        "zincrby",
        "zinter",
        "zintercard",
        "zinterstore",
        "zlexcount",
        "zmpop",
        "zmscore",
        "zpopmax",
        "zpopmin",
        "zrandmember",
        "zrange",
        "zrangebylex",
        "zrangebyscore",
        "zrangestore",
        "zrank",
        "zrem",
        "zremrangebylex",
        "zremrangebyrank",
        "zremrangebyscore",
        "zrevrange",
        "zrevrangebylex",
        "zrevrangebyscore",
        "zrevrank",
        "zscan",
        "zscore",
        "zunion",
        "zunionstore",
    ];
    assert_eq!(drawn('z'), expected);
}

#[test]
fn every_stream_command_is_drawn() {
    let expected = [
        "xack",
        "xackdel",
        "xadd",
        "xautoclaim",
        "xcfgset",
        "xclaim",
        "xdel",
        "xdelex",
        "xgroup",
        "xidmprecord",
        "xinfo",
        "xlen",
        "xpending",
        "xrange",
        "xread",
        "xreadgroup",
        "xrevrange",
        "xsetid",
        "xtrim",
    ];
    assert_eq!(drawn('x'), expected);
}

#[test]
fn every_list_command_is_drawn() {
    let expected = [
        "lcs", "lindex", "linsert", "llen", "lmove", "lmpop", "lpop", "lpos", "lpush", "lpushx",
        "lrange", "lrem", "lset", "ltrim",
    ];
    assert_eq!(drawn('l'), expected);
    let names = drawn_with(Focus::Lists, 'r');
    for name in ["rpop", "rpoplpush", "rpush", "rpushx"] {
        assert!(names.iter().any(|drawn| drawn == name), "{name}");
    }
    let names = drawn_with(Focus::Lists, 'b');
    for name in ["blmove", "blmpop", "blpop", "brpop", "brpoplpush"] {
        assert!(names.iter().any(|drawn| drawn == name), "{name}");
    }
}

#[test]
fn every_set_command_is_drawn() {
    let expected = "sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers \
                    smismember smove spop srandmember srem sscan sunion sunionstore";
    let names = drawn_with(Focus::Sets, 's');
    for name in expected.split_whitespace() {
        assert!(names.iter().any(|drawn| drawn == name), "{name}");
    }
}

#[test]
fn every_command_on_places_is_drawn() {
    let expected = "geoadd geodist geohash geopos georadius georadius_ro georadiusbymember \
                    georadiusbymember_ro geosearch geosearchstore";
    let names = drawn_with(Focus::Places, 'g');
    for name in expected.split_whitespace() {
        assert!(names.iter().any(|drawn| drawn == name), "{name}");
    }
}
