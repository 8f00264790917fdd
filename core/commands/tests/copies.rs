//! Large values, names and messages are in memory once: received into a buffer, or made in one, and
//! from then on shared. By the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{LARGE_BYTES_MIN, Limits, Parser, Protocol, Reply};

/// Counts what was ever allocated, and what of it was to be zeros.
struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);
static ZEROED_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ZEROED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LARGE: usize = 8 << 20;

/// What a request may allocate beside what is large.
const SMALL: usize = 100_000;
/// What is free behind a string that has become large by a gap.
const ROOM: usize = 1 << 20;

struct Server {
    engine: Engine,
    client: SessionId,
}

/// What a request has allocated: in all, and as zeros.
#[derive(Debug, PartialEq, Eq)]
struct Allocated {
    bytes: usize,
    zeroed: usize,
}

impl Server {
    fn new() -> Server {
        let mut settings = Settings::default();
        // Each request is slow.
        let set = settings.set("slowlog-log-slower-than", "0");
        set.expect("it is a setting");
        let now = Now::default();
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), now);
        Server { engine, client }
    }

    /// Runs a request that was received as the shell does. Says what that allocated.
    fn ask(&mut self, argv: &[&[u8]]) -> Allocated {
        let mut parser = Parser::new();
        let mut input = Vec::new();
        let mut rest = Vec::new();
        rest.extend_from_slice(format!("*{}\r\n", argv.len()).as_bytes());
        for arg in argv {
            rest.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            rest.extend_from_slice(arg);
            rest.extend_from_slice(b"\r\n");
        }
        let limits = Limits::default();
        let mut sent = 0;
        let mut reply = Reply::new(Protocol::Resp2);
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        loop {
            let missing = parser.bytes_missing(input.len());
            let some = &rest[sent..(sent + missing.max(1000)).min(rest.len())];
            match parser.take_large() {
                Some(mut large) => {
                    large.extend_from_slice(&some[..missing.min(some.len())]);
                    sent += missing.min(some.len());
                    parser.give_back_large(large);
                }
                None => {
                    input.extend_from_slice(some);
                    sent += some.len();
                }
            }
            let allocated = ALLOCATED_BYTES.load(Ordering::Relaxed);
            let zeroed = ZEROED_BYTES.load(Ordering::Relaxed);
            let parsed = parser.parse(&input, &limits);
            if let Some(request) = parsed.expect("it is a request") {
                let _ = self
                    .engine
                    .request(self.client, request.argv, now, &mut reply);
                let last = Some((self.client, request.argv));
                self.engine.measured(last, 20_000_000, now);
                return Allocated {
                    bytes: ALLOCATED_BYTES.load(Ordering::Relaxed) - allocated,
                    zeroed: ZEROED_BYTES.load(Ordering::Relaxed) - zeroed,
                };
            }
            parser.set_aside(&mut input, LARGE_BYTES_MIN);
        }
    }

    /// The same, for a request that allocates so much that is large, and little else.
    #[track_caller]
    fn ask_for(&mut self, argv: &[&[u8]], large: usize) {
        let Allocated { bytes, zeroed } = self.ask(argv);
        assert!(
            (large..large + SMALL).contains(&bytes) && zeroed < SMALL,
            "{bytes} bytes and {zeroed} zeros rather than {large}"
        );
    }
}

// One test: others would allocate meanwhile.
#[test]
fn what_is_large_is_in_memory_once() {
    let mut server = Server::new();
    let large = vec![b'x'; LARGE];
    let name = vec![b'n'; LARGE];

    // A gap is zeros that the system gives, not ones that are written.
    let far = LARGE.to_string();
    let Allocated { bytes, zeroed } = server.ask(&[b"SETRANGE", b"gap", far.as_bytes(), b"x"]);
    assert!(bytes < SMALL && (LARGE..LARGE + ROOM + SMALL).contains(&zeroed));
    // There is room behind, so that a little more does not move it.
    server.ask_for(&[b"APPEND", b"gap", b"xyz"], 0);
    let far = (8 * LARGE).to_string();
    let Allocated { bytes, zeroed } = server.ask(&[b"SETBIT", b"bits", far.as_bytes(), b"1"]);
    assert!(bytes < SMALL && (LARGE..LARGE + ROOM + SMALL).contains(&zeroed));

    // What arrives is kept as it is, a value as well as a name.
    server.ask_for(&[b"SET", b"a", &large], 0);
    server.ask_for(&[b"MSET", b"b", &large, b"c", b"short"], 0);
    server.ask_for(&[b"GETSET", b"a", &large], 0);
    server.ask_for(&[b"SET", &name, b"v"], 0);
    server.ask_for(&[b"GET", &name], 0);
    server.ask_for(&[b"WATCH", &name], 0);
    server.ask_for(&[b"UNWATCH"], 0);
    server.ask_for(&[b"RENAME", &name, b"d"], 0);
    server.ask_for(&[b"RENAME", b"d", &name], 0);
    server.ask_for(&[b"COPY", b"a", &name, b"REPLACE"], 0);
    server.ask_for(&[b"DEL", &name], 0);
    server.ask_for(&[b"XADD", &name, b"*", b"f", b"v"], 0);
    server.ask_for(&[b"UNLINK", &name], 0);

    // So is a member or a field, in whatever ways it is found.
    server.ask_for(&[b"SADD", b"set", &large], 0);
    server.ask_for(&[b"SISMEMBER", b"set", &large], 0);
    server.ask_for(&[b"SMOVE", b"set", b"other", &large], 0);
    server.ask_for(&[b"ZADD", b"z", b"1", &large, b"2", b"short"], 0);
    server.ask_for(&[b"ZADD", b"z", b"XX", b"GT", b"4", &large], 0);
    server.ask_for(&[b"ZINCRBY", b"z", b"-3.5", &large], 0);
    server.ask_for(&[b"ZSCORE", b"z", &large], 0);
    server.ask_for(&[b"ZRANK", b"z", &large], 0);
    server.ask_for(&[b"ZRANGE", b"z", b"0", b"-1"], 0);
    server.ask_for(&[b"ZPOPMIN", b"z"], 0);
    server.ask_for(&[b"ZADD", b"z", b"1", &large], 0);
    server.ask_for(&[b"ZREM", b"z", &large], 0);
    server.ask_for(&[b"HSET", b"h", &large, b"v"], 0);
    server.ask_for(&[b"HEXPIRE", b"h", b"100", b"FIELDS", b"1", &large], 0);
    server.ask_for(&[b"HPERSIST", b"h", b"FIELDS", b"1", &large], 0);
    server.ask_for(
        &[b"HSETEX", b"h", b"EX", b"9", b"FIELDS", b"1", &large, b"v"],
        0,
    );
    server.ask_for(&[b"HGETDEL", b"h", b"FIELDS", b"1", &large], 0);

    // What is answered is referred to.
    server.ask_for(&[b"ECHO", &large], 0);
    server.ask_for(&[b"PING", &large], 0);
    server.ask_for(&[b"GET", b"a"], 0);
    server.ask_for(&[b"COPY", b"a", b"e"], 0);

    // What is made is made once.
    for operation in ["AND", "OR", "XOR", "DIFF", "DIFF1", "ANDOR", "ONE"] {
        let operation = operation.as_bytes();
        server.ask_for(&[b"BITOP", operation, b"to", b"a", b"b", b"gap"], LARGE);
    }
    server.ask_for(&[b"BITOP", b"NOT", b"to", b"a"], LARGE);
    // What grows by much is moved once, and then has room for a little more.
    let appended = LARGE / 2;
    for key in [&b"a"[..], b"to"] {
        let grown = LARGE + appended + (1 << 20);
        server.ask_for(&[b"APPEND", key, &large[..appended]], grown);
        server.ask_for(&[b"APPEND", key, &large[..1_000_000]], 0);
    }
    // An entry lies among others, in a buffer of a size that the allocator has.
    let Allocated { bytes, zeroed } = server.ask(&[b"XADD", b"s", b"1-1", b"f", &large]);
    assert!((LARGE..LARGE / 4 * 5 + SMALL).contains(&bytes) && zeroed < SMALL);

    // A command that is refused or unknown copies nothing to say so.
    server.ask_for(&[&large, &large], 0);
    server.ask_for(&[b"LPUSH", b"a", &large], 0);
    server.ask_for(&[b"INCRBY", b"a", &large], 0);
}
