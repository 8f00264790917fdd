//! Keys expire when they are to, whatever was done to them before, against a model that knows the
//! time of each.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeMap;

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

const START_MS: u64 = 1_790_000_000_000;

/// More than three tables of keys and their parts.
const KEYS: u16 = 400;

#[derive(Clone, Debug)]
enum Step {
    Set {
        key: u16,
        count: u16,
        px: Option<u32>,
    },
    Expire {
        key: u16,
        px: u32,
    },
    Persist {
        key: u16,
    },
    Delete {
        key: u16,
        count: u16,
    },
    Rename {
        from: u16,
        to: u16,
    },
    Swap,
    Flush,
    Wait {
        ms: u32,
    },
    GoBack {
        ms: u32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..KEYS;
    let px = || prop_oneof![1..50_u32, 1..2000_u32, Just(100_000_u32)];
    let step = prop_oneof![
        6 => (key(), 1..200_u16, prop::option::of(px()))
            .prop_map(|(key, count, px)| Step::Set { key, count, px }),
        3 => (key(), px()).prop_map(|(key, px)| Step::Expire { key, px }),
        2 => key().prop_map(|key| Step::Persist { key }),
        3 => (key(), 1..200_u16).prop_map(|(key, count)| Step::Delete { key, count }),
        2 => (key(), key()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => Just(Step::Swap),
        1 => Just(Step::Flush),
        5 => (1..500_u32).prop_map(|ms| Step::Wait { ms }),
        1 => (1..500_u32).prop_map(|ms| Step::GoBack { ms }),
    ];
    prop::collection::vec(step, 1..60)
}

/// A server, and when each of its keys expires: in database 0, and in database 1.
struct World {
    engine: Engine,
    session: SessionId,
    ms: u64,
    /// What a clock shows that never steps back.
    mono: u64,
    keys: [BTreeMap<u16, Option<u64>>; 2],
}

impl World {
    fn now(&self) -> Now {
        Now {
            unix_us: (START_MS + self.ms) as i64 * 1000,
            mono: Mono(self.mono),
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let now = self.now();
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), now, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    fn run(&mut self, step: Step) {
        let ms = self.ms;
        let at = |px: u32| ms + u64::from(px);
        let some = |key: u16, count: u16| (key..key.saturating_add(count)).map(|key| key % KEYS);
        match step {
            Step::Set { key, count, px } => {
                for key in some(key, count) {
                    match px {
                        Some(px) => self.ask(&format!("SET k{key} v PX {px}")),
                        None => self.ask(&format!("SET k{key} v")),
                    };
                    self.keys[0].insert(key, px.map(at));
                }
            }
            Step::Expire { key, px } => {
                self.ask(&format!("PEXPIRE k{key} {px}"));
                self.keys[0]
                    .entry(key)
                    .and_modify(|expires| *expires = Some(at(px)));
            }
            Step::Persist { key } => {
                self.ask(&format!("PERSIST k{key}"));
                self.keys[0]
                    .entry(key)
                    .and_modify(|expires| *expires = None);
            }
            Step::Delete { key, count } => {
                for key in some(key, count) {
                    self.ask(&format!("DEL k{key}"));
                    self.keys[0].remove(&key);
                }
            }
            Step::Rename { from, to } => {
                self.ask(&format!("RENAME k{from} k{to}"));
                if let Some(expires) = self.keys[0].remove(&from) {
                    self.keys[0].insert(to, expires);
                }
            }
            Step::Swap => {
                self.ask("SWAPDB 0 1");
                self.keys.swap(0, 1);
            }
            Step::Flush => {
                self.ask("FLUSHDB");
                self.keys[0].clear();
            }
            Step::Wait { ms } => {
                self.ms += u64::from(ms);
                self.mono += u64::from(ms);
            }
            Step::GoBack { ms } => self.ms = self.ms.saturating_sub(u64::from(ms)),
        }
    }

    /// Calls the timer for as long as it says that something is due.
    fn expire(&mut self) {
        let now = self.now();
        let mut calls = 0;
        while self
            .engine
            .next_deadline(now)
            .is_some_and(|at| at <= now.mono)
        {
            self.engine.timer(now);
            calls += 1;
            assert!(calls <= 10, "something is due, and is not done");
        }
        let ms = self.ms;
        for keys in &mut self.keys {
            keys.retain(|_, expires| expires.is_none_or(|at| at > ms));
        }
    }

    fn check(&mut self) {
        let keyspace = self.engine.keyspace();
        for (database, keys) in (0..).zip(&self.keys) {
            assert_eq!(keyspace.len(database), keys.len());
            let expiring = keys.values().flatten().count();
            assert_eq!(keyspace.expiring(database), expiring);
            for record in keyspace.records(database) {
                let name = std::str::from_utf8(record.key()).unwrap();
                let expires = keys[&name[1..].parse::<u16>().unwrap()];
                let at = expires.map(|ms| (START_MS + ms) as i64);
                assert_eq!(record.expires_at().map(|at| at.0), at);
            }
        }
        let times = self.keys.iter().flat_map(BTreeMap::values).flatten();
        let first = times.min().map(|at| Mono(self.mono + (at - self.ms)));
        let next = self.engine.next_deadline(self.now());
        assert!(first.is_none() || next.is_some_and(|next| Some(next) <= first));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn keys_expire_in_time_and_no_others_do(seed in any::<u64>(), steps in steps()) {
        let start = Now { unix_us: START_MS as i64 * 1000, mono: Mono(0) };
        let mut engine = Engine::new(Settings::default(), seed, start, &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), start);
        let keys = [BTreeMap::new(), BTreeMap::new()];
        let mut world = World { engine, session, ms: 0, mono: 0, keys };
        for step in steps {
            world.run(step);
            world.expire();
            world.check();
        }
    }
}
