//! Which pipelines are looked ahead: those on many keys, and those that look for elements of a
//! large value.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, KeysAhead, Protocol, Reply};

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

struct Server {
    engine: Engine,
    client: SessionId,
}

impl Server {
    fn new() -> Server {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), NOW);
        Server { engine, client }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.client, argv.as_argv(), NOW, &mut reply);
        String::from_utf8_lossy(&reply.into_bytes()).into_owned()
    }

    /// How many of these requests are looked at.
    fn looked_at(&mut self, requests: &[&str]) -> usize {
        let mut input = Vec::new();
        for request in requests {
            let words: Vec<&str> = request.split(' ').collect();
            input.extend(format!("*{}\r\n", words.len()).into_bytes());
            for word in words {
                input.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
            }
        }
        let first: ArgvBuf = requests[0].split(' ').collect();
        self.engine
            .look_ahead(self.client, first.as_argv(), KeysAhead::new(&input))
    }
}

#[test]
fn elements_of_large_values_are_looked_for_together() {
    let mut server = Server::new();
    for from in (0..60_000).step_by(1000) {
        let numbers = from..from + 1000;
        let of = |each: &dyn Fn(u32) -> String| numbers.clone().map(each).collect::<String>();
        server.ask(&format!("HSET hash{}", of(&|n| format!(" field:{n} v"))));
        server.ask(&format!("SADD set{}", of(&|n| format!(" member:{n}"))));
        server.ask(&format!("ZADD zset{}", of(&|n| format!(" {n} member:{n}"))));
        server.ask(&format!("RPUSH list{}", of(&|n| format!(" element:{n}"))));
    }
    server.ask("ZADD few 1 member:1");
    let looked = [
        ["HSET hash field:1 a", "HSET hash new:1 b"],
        ["HGET hash field:7", "HGET hash none"],
        ["SADD set member:1", "SADD set new:1"],
        ["SISMEMBER set member:8", "SREM set none"],
        ["ZADD zset 5 member:9", "ZADD zset 1.5 new:1"],
        ["ZINCRBY zset 1 member:9", "ZINCRBY zset nan none"],
        ["ZRANK zset member:10", "ZSCORE zset member:10"],
        ["ZPOPMIN zset", "ZPOPMIN zset"],
    ];
    for requests in looked {
        assert_eq!(server.looked_at(&requests), 2, "{requests:?}");
        // What is looked at is only read.
        assert_eq!(server.ask("ZCARD zset"), ":60000\r\n");
    }
    let passed_over = [
        ["GET none", "GET none"],
        ["ZADD few 1 member:1", "ZADD few 2 member:2"],
        ["HSET list field:1 a", "HSET list field:2 a"],
        ["ZADD hash 1 member:1", "ZADD hash 2 member:2"],
        ["LINDEX list 7", "LINDEX list 8"],
        ["ZRANGEBYSCORE zset 1", "ZRANGEBYSCORE zset 2"],
        ["NOTHING zset member:1", "NOTHING zset member:2"],
    ];
    for requests in passed_over {
        assert_eq!(server.looked_at(&requests), 0, "{requests:?}");
    }
    // One request has nothing to wait with.
    assert_eq!(server.looked_at(&["ZSCORE zset member:1"]), 0);
}

#[test]
fn many_keys_are_looked_up_together() {
    let mut server = Server::new();
    let requests = [
        "SET key:1 a",
        "GET key:2",
        "GET none",
        "ZADD key:3 1 member",
    ];
    assert_eq!(server.looked_at(&requests), 0);
    for number in 0..engine::limits::LOOK_AHEAD_KEYS_MIN {
        server.ask(&format!("SET key:{number} v"));
    }
    assert_eq!(server.looked_at(&requests), 4);
    assert_eq!(server.ask("GET key:1"), "$1\r\nv\r\n");
    // More keys than are looked up at once.
    let keys: String = (0..100).map(|number| format!(" key:{number}")).collect();
    let many = format!("EVALSHA sha 100{keys}");
    let scripts = [many.as_str(), "EVALSHA sha 0", "FCALL function 1 key:1 a"];
    assert_eq!(server.looked_at(&scripts), 3);
}
