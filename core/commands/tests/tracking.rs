//! Clients that track keys: who is told what, and what that waits for before it leaves.

use std::collections::BTreeMap;

use commands::TABLE;
use engine::clients::delivery::Outgoing;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

const BEGIN_MS: u64 = 1000;

/// Clients of an engine, and what has come to each of them beside replies.
struct Node {
    engine: Engine,
    now: Now,
    clients: Vec<SessionId>,
    pushed: BTreeMap<SessionId, String>,
}

impl Node {
    fn new(count: usize) -> Node {
        let now = Now {
            mono: Mono(BEGIN_MS),
            unix_us: 1_790_000_000_000_000,
        };
        let mut node = Node {
            engine: Engine::new(Settings::default(), 7, now, &TABLE),
            now,
            clients: Vec::new(),
            pushed: BTreeMap::new(),
        };
        for client in 0..count {
            let id = node.engine.connect(String::new(), String::new(), now);
            node.clients.push(id);
            node.ask(client, "HELLO 3");
        }
        node
    }

    fn run(&mut self, client: usize, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp3);
        let id = self.clients[client];
        let _ = self
            .engine
            .request(id, argv.as_argv(), self.now, &mut reply);
        shown(&reply.into_bytes())
    }

    /// Runs a request. Returns its reply.
    fn ask(&mut self, client: usize, request: &str) -> String {
        let reply = self.run(client, request);
        self.deliver();
        reply
    }

    fn deliver(&mut self) {
        for delivery in self.engine.take_deliveries() {
            let pushed = self.pushed.entry(delivery.session).or_default();
            pushed.push_str(&shown(&delivery.bytes.into_bytes()));
        }
    }

    /// What has come to a client since this was asked last.
    fn pushed(&mut self, client: usize) -> String {
        self.pushed
            .remove(&self.clients[client])
            .unwrap_or_default()
    }

    fn figures(&self) -> (usize, usize, usize, usize) {
        let tracking = self.engine.tracking();
        (
            tracking.clients(),
            tracking.keys(),
            tracking.items(),
            tracking.prefixes(),
        )
    }
}

/// Bytes as a line of text.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.replace("\r\n", " ")
}

fn invalidated(keys: &[&str]) -> String {
    let keys = keys.iter().map(|key| format!("${} {key} ", key.len()));
    let keys: Vec<String> = keys.collect();
    format!(">2 $10 invalidate *{} {}", keys.len(), keys.concat())
}

const EVERYTHING: &str = ">2 $10 invalidate _ ";

#[test]
fn what_clients_are_told_waits_for_the_change_and_is_there_once() {
    let mut node = Node::new(100);
    node.engine.set_journalling(Journalling::On);
    for client in 1..100 {
        node.ask(client, "CLIENT TRACKING ON");
        node.ask(client, "MGET a b");
    }
    node.run(0, "SET a 1");
    node.run(0, "SET b 1");
    let last = node.engine.log().last();
    let outbox = node.engine.take_outbox();
    let [Outgoing::Many(broadcast)] = outbox.as_slice() else {
        panic!("{outbox:?}");
    };
    assert_eq!((broadcast.to.len(), broadcast.depends_on), (99, last));
    let both = invalidated(&["a"]) + &invalidated(&["b"]);
    assert_eq!(shown(&broadcast.bytes.0), both);
    assert_eq!(node.figures(), (99, 0, 0, 0));
    // The same for those who are told of all keys, each of which is told once.
    for client in 1..100 {
        node.ask(client, "CLIENT TRACKING OFF");
        node.ask(client, "CLIENT TRACKING ON BCAST");
    }
    for request in ["SET b 1", "SET a 1", "SET b 2"] {
        node.run(0, request);
    }
    let last = node.engine.log().last();
    let outbox = node.engine.take_outbox();
    let [Outgoing::Many(broadcast)] = outbox.as_slice() else {
        panic!("{outbox:?}");
    };
    assert_eq!((broadcast.to.len(), broadcast.depends_on), (99, last));
    assert_eq!(shown(&broadcast.bytes.0), invalidated(&["a", "b"]));
}

#[test]
fn a_key_that_expires_or_is_evicted_is_told() {
    let mut node = Node::new(2);
    node.ask(1, "CLIENT TRACKING ON NOLOOP");
    node.ask(0, "SET a 1 PX 10");
    node.ask(0, "SET b 1 PX 10");
    node.ask(1, "MGET a b");
    node.now.unix_us += 20_000;
    node.now.mono = Mono(BEGIN_MS + 20);
    // It is not its own doing that the key expires, though it finds that out.
    assert_eq!(node.ask(1, "GET a"), "_ ");
    assert_eq!(node.pushed(1), invalidated(&["a"]));
    node.engine.timer(node.now);
    node.deliver();
    assert_eq!(node.pushed(1), invalidated(&["b"]));
    // It has read after the key was gone, so it is told of what comes next.
    node.ask(0, "SET a 2");
    assert_eq!(node.pushed(1), invalidated(&["a"]));
    node.ask(1, "GET a");
    node.ask(0, "CONFIG SET maxmemory 1 maxmemory-policy allkeys-lru");
    node.engine.server.shell.used_memory = 1 << 20;
    node.engine.timer(node.now);
    node.deliver();
    assert_eq!(node.pushed(1), invalidated(&["a"]));
}

#[test]
fn whole_databases_that_change_are_told_of_as_a_whole() {
    let mut node = Node::new(4);
    node.ask(0, "SET a 1");
    node.ask(1, "CLIENT TRACKING ON");
    node.ask(2, "CLIENT TRACKING ON BCAST PREFIX x");
    for request in ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1"] {
        node.ask(1, "GET a");
        assert_eq!(node.figures(), (2, 1, 1, 1));
        node.ask(0, request);
        for client in 1..3 {
            assert_eq!(node.pushed(client), EVERYTHING, "{request}");
        }
        assert_eq!(node.pushed(3), "");
        assert_eq!(node.figures(), (2, 0, 0, 1));
        node.ask(0, "SET a 2");
        assert_eq!(node.pushed(1), "");
    }
    // What is loaded from a file may be anything.
    let contents = node.engine.contents();
    node.engine.clear_contents();
    node.engine.set_contents(contents);
    node.engine.contents_exchanged(node.now);
    node.deliver();
    assert_eq!(node.pushed(1), EVERYTHING);
}

#[test]
fn clients_that_end_leave_nothing() {
    for end in ["CLIENT TRACKING OFF", "RESET", "QUIT"] {
        let mut node = Node::new(3);
        node.ask(0, "CLIENT TRACKING ON");
        node.ask(0, "MGET a b");
        node.ask(1, "CLIENT TRACKING ON BCAST PREFIX a");
        assert_eq!(node.figures(), (2, 2, 2, 1));
        for client in 0..2 {
            node.ask(client, end);
        }
        if end != "QUIT" {
            assert_eq!(node.figures(), (0, 2, 2, 0), "{end}");
            node.ask(2, "SET a 1");
            assert_eq!((node.pushed(0), node.pushed(1)), Default::default());
            // What it has read before counts if it begins again.
            node.ask(0, "HELLO 3");
            node.ask(0, "CLIENT TRACKING ON OPTIN");
            node.ask(2, "MSET a 1 b 1");
            assert_eq!(node.pushed(0), invalidated(&["b"]));
            node.ask(0, "CLIENT TRACKING OFF");
        }
        for client in 0..2 {
            let id = node.clients[client];
            node.engine.disconnect(id);
        }
        assert_eq!(node.figures(), (0, 0, 0, 0), "{end}");
        let memory = node.engine.server.sessions.iter();
        assert!(memory.map(|it| it.memory_bytes()).all(|bytes| bytes < 1024));
    }
}

#[test]
fn what_is_kept_in_mind_counts_as_memory_of_the_client() {
    let mut node = Node::new(2);
    let memory = |node: &Node| {
        let id = node.clients[0];
        node.engine.server.sessions.find(id).unwrap().memory_bytes()
    };
    node.ask(0, "CLIENT TRACKING ON");
    let before = memory(&node);
    let long = "x".repeat(1000);
    for key in ["a", "b", &long] {
        node.ask(0, &format!("GET {key}"));
        node.ask(0, &format!("GET {key}"));
    }
    let all = memory(&node) - before;
    assert!((1200..2000).contains(&all), "{all}");
    node.ask(1, &format!("SET {long} 1"));
    let short = memory(&node) - before;
    assert!((100..400).contains(&short), "{short}");
    node.ask(1, "FLUSHALL");
    assert_eq!(memory(&node), before);
}

#[test]
fn a_table_that_is_made_smaller_shrinks_bit_by_bit() {
    let mut node = Node::new(2);
    node.ask(0, "CLIENT TRACKING ON");
    let keys: Vec<String> = (0..3000).map(|key| format!("k{key}")).collect();
    node.ask(0, &format!("MGET {}", keys.join(" ")));
    assert_eq!((node.figures().1, node.pushed(0).as_str()), (3000, ""));
    node.ask(1, "CONFIG SET tracking-table-max-keys 10");
    assert_eq!(node.engine.next_deadline(node.now), Some(node.now.mono));
    node.engine.timer(node.now);
    assert_eq!(node.figures().1, 2000);
    node.engine.timer(node.now);
    node.engine.timer(node.now);
    assert_eq!((node.figures().1, node.figures().2), (10, 10));
    assert_ne!(node.engine.next_deadline(node.now), Some(node.now.mono));
    node.deliver();
    assert_eq!(node.pushed(0).matches("invalidate").count(), 2990);
}

#[test]
fn a_client_in_bcast_mode_is_told_of_what_its_user_may_read() {
    let mut node = Node::new(3);
    node.ask(
        0,
        "ACL SETUSER u on nopass +@all ~a* (%R~b* +get) (%W~c* +set)",
    );
    node.ask(1, "AUTH u x");
    for client in 1..3 {
        node.ask(client, "CLIENT TRACKING ON BCAST");
    }
    node.ask(0, "MSET a1 1 b1 1 c1 1 d1 1");
    assert_eq!(node.pushed(1), invalidated(&["a1", "b1"]));
    assert_eq!(node.pushed(2), invalidated(&["a1", "b1", "c1", "d1"]));
    node.ask(0, "MSET c1 1 d1 1");
    assert_eq!(node.pushed(1), "");
}

#[test]
fn what_two_have_changed_is_told_to_both_whatever_they_want_to_hear_of_their_own() {
    let mut node = Node::new(3);
    for client in 0..2 {
        node.ask(client, "CLIENT TRACKING ON BCAST NOLOOP");
    }
    node.ask(2, "CLIENT TRACKING ON BCAST");
    // All of it before anything goes out.
    node.run(0, "SET a 1");
    node.run(0, "SET b 1");
    node.run(1, "SET b 1");
    node.run(1, "SET c 1");
    node.deliver();
    assert_eq!(node.pushed(0), invalidated(&["b", "c"]));
    assert_eq!(node.pushed(1), invalidated(&["a", "b"]));
    assert_eq!(node.pushed(2), invalidated(&["a", "b", "c"]));
}

#[test]
fn what_is_told_follows_the_protocol_and_the_place_of_who_is_told() {
    let mut node = Node::new(4);
    let id = node.clients[0].client;
    node.ask(0, "HELLO 2");
    for client in 1..3 {
        node.ask(client, &format!("CLIENT TRACKING ON REDIRECT {id}"));
    }
    let read = |node: &mut Node| {
        node.ask(1, "GET a");
        node.ask(2, "GET a");
        node.ask(3, "SET a 1");
    };
    // It does not listen.
    read(&mut node);
    assert_eq!(node.pushed(0), "");
    node.ask(0, "SUBSCRIBE __redis__:invalidate");
    read(&mut node);
    let message = "*3 $7 message $20 __redis__:invalidate *1 $1 a ";
    assert_eq!(node.pushed(0), message);
    node.ask(3, "FLUSHALL");
    let message = "*3 $7 message $20 __redis__:invalidate $-1 ";
    assert_eq!(node.pushed(0), message);
    node.ask(0, "RESET");
    node.ask(0, "HELLO 3");
    read(&mut node);
    assert_eq!(node.pushed(0), invalidated(&["a"]));
    // When it has gone, the others hear of that.
    node.engine.disconnect(node.clients[0]);
    read(&mut node);
    let broken = format!(">2 $21 tracking-redir-broken :{id} ");
    assert_eq!((node.pushed(1), node.pushed(2)), (broken.clone(), broken));
    assert!(
        node.ask(1, "CLIENT TRACKINGINFO")
            .contains("broken_redirect")
    );
    let listed = node.ask(1, "CLIENT INFO");
    assert!(listed.contains(" flags=tR ") && listed.contains(&format!(" redir={id} ")));
    // A client that changes to RESP2 is told nothing: it could take a push for a reply.
    node.ask(1, "CLIENT TRACKING ON");
    node.ask(1, "GET a");
    node.run(3, "SET a 1");
    node.ask(1, "HELLO 2");
    assert_eq!(node.pushed(1), "");
}

#[test]
fn overlapping_prefixes_are_refused_with_one_reply_and_change_nothing() {
    let mut node = Node::new(1);
    let refused = "-ERR Prefix 'a' overlaps with another provided prefix 'ab'. Prefixes for a \
                   single client must not overlap. ";
    let asked = "CLIENT TRACKING ON BCAST PREFIX x PREFIX a PREFIX ab";
    assert_eq!(node.ask(0, asked), refused);
    assert_eq!(node.figures(), (0, 0, 0, 0));
    assert_eq!(node.ask(0, "CLIENT GETREDIR"), ":-1 ");
}

#[test]
fn what_is_said_of_caching_ends_with_the_transaction_in_which_it_was_said() {
    let mut node = Node::new(2);
    node.ask(0, "CLIENT TRACKING ON OPTIN");
    for request in [
        "MULTI",
        "GET a",
        "CLIENT CACHING YES",
        "GET b",
        "EXEC",
        "GET c",
    ] {
        node.ask(0, request);
    }
    node.ask(1, "MSET a 1 b 1 c 1");
    assert_eq!(node.pushed(0), invalidated(&["b"]));
    for request in ["CLIENT CACHING YES", "CLIENT ID", "GET a", "GET b"] {
        node.ask(0, request);
    }
    node.ask(1, "MSET a 1 b 1");
    assert_eq!(node.pushed(0), invalidated(&["a"]));
}
