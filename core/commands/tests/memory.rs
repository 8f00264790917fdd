//! `MEMORY USAGE` tells what keys take in memory by the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// Counts what is allocated now, each piece as jemalloc gives it.
struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(collections::allocated(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED_BYTES.fetch_sub(collections::allocated(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Node {
    engine: Engine,
    session: SessionId,
    reply: Option<Reply>,
}

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

impl Node {
    fn new() -> Node {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), NOW);
        Node {
            engine,
            session,
            reply: Some(Reply::new(Protocol::Resp2)),
        }
    }

    fn ask(&mut self, request: &[&str]) {
        let argv: ArgvBuf = request.iter().copied().collect();
        let mut reply = self.reply.take().unwrap_or(Reply::new(Protocol::Resp2));
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), NOW, &mut reply);
        assert!(!reply.as_bytes().starts_with(b"-"), "{request:?}");
        // What was not measured yet is kept until it is.
        self.engine.measured(None, 0, NOW);
        reply.clear();
        self.reply = Some(reply);
    }

    /// What all keys take, as they say themselves.
    fn told_bytes(&self) -> usize {
        let keyspace = self.engine.keyspace();
        let records = keyspace.records(0);
        records
            .filter_map(|record| keyspace.memory_bytes(0, record.key(), 0))
            .sum()
    }
}

/// How many keys are made where each is small.
const KEYS: usize = 62_500;

/// How often one value is added to.
const STEPS: usize = 20_000;

#[test]
fn values_know_how_many_bytes_they_take() {
    type Step = fn(&mut Node, usize);
    let types: [(&str, Step); 10] = [
        ("a string", |node, _| {
            node.ask(&[
                "APPEND",
                "k",
                "some bytes that come to those that are there",
            ]);
        }),
        ("a stream", |node, number| {
            let id = format!("{}-1", number + 1);
            let value = format!("{number}").repeat(9);
            node.ask(&["XADD", "k", &id, "field", &value, &value, "value"]);
        }),
        ("a hash", |node, number| {
            let field = format!("field:{number}");
            node.ask(&["HSET", "k", &field, &field]);
        }),
        ("a list", |node, number| {
            let element = format!("element:{number}").repeat(4);
            node.ask(&["RPUSH", "k", &element]);
        }),
        ("a set", |node, number| {
            let member = format!("member:{number}").repeat(3);
            node.ask(&["SADD", "k", &member]);
        }),
        ("a sorted set", |node, number| {
            let (score, member) = (number.to_string(), format!("member:{number}").repeat(3));
            node.ask(&["ZADD", "k", &score, &member]);
        }),
        ("strings that expire, as keys", |node, number| {
            let key = format!("key:{number}");
            node.ask(&["SET", &key, "v", "EX", "100000"]);
        }),
        ("short strings", |node, number| {
            let key = format!("key:{number}");
            node.ask(&["SET", &key, &"v".repeat(number % 20)]);
        }),
        ("strings", |node, number| {
            let key = format!("key:{number}");
            node.ask(&["SET", &key, &"v".repeat(23 + number % 700)]);
        }),
        ("keys with long names", |node, number| {
            let key = format!("{}:{number}", "key".repeat(30));
            node.ask(&["SET", &key, "v"]);
        }),
    ];
    let mut failed = Vec::new();
    for (name, step) in types {
        let mut node = Node::new();
        node.ask(&["SET", "warm", "v"]);
        let before = ALLOCATED_BYTES.load(Ordering::Relaxed);
        let (told_before, mut looks) = (node.told_bytes(), 0);
        // Few keys are far apart in a directory.
        let (steps, first) = match name.ends_with('s') {
            true => (KEYS, KEYS / 2),
            false => (STEPS, 0),
        };
        for number in 0..steps {
            step(&mut node, number);
            // Now and then, as it grows; what an engine has anyway is small beside it.
            let allocated = ALLOCATED_BYTES.load(Ordering::Relaxed) - before;
            if allocated > 300_000 && number > first && number % 997 == 0 {
                let told = node.told_bytes() - told_before;
                let ratio = told as f64 / allocated as f64;
                looks += 1;
                if !(0.95..=1.05).contains(&ratio) {
                    failed.push(format!("{name}, {number}: {ratio:.3}"));
                }
            }
        }
        assert!(looks > 5, "{name}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
