//! `MIGRATE` in the engine: what is left to the shell, and what happens when that is through.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::sync::Arc;

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::error::{CmdError, MigrationError};
use engine::limits::{MIGRATED_BYTES_MAX, MIGRATIONS_MAX};
use engine::server::Order;
use engine::server::migrations::{Transfer, Transferred};
use engine::{Engine, Mono, Next, Now};
use resp::{ArgvBuf, Protocol, Reply};
use values::{StringValue, Value};

const TOO_MUCH: &str = "-ERR too much is being migrated; migrate fewer keys at once, or later\r\n";

struct Server {
    engine: Engine,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        settings.set("enable-debug-command", "yes").unwrap();
        Server {
            engine: Engine::new(settings, 7, now, &commands::TABLE),
            now,
        }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    /// The reply to a request, if it does not wait.
    fn ask(&mut self, session: SessionId, words: &str) -> Option<String> {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = words
            .split(' ')
            .map(|word| word.trim_matches('\''))
            .collect();
        let outcome = self
            .engine
            .request(session, argv.as_argv(), self.now, &mut reply);
        let reply = String::from_utf8(reply.into_bytes()).unwrap();
        (outcome.then != Next::Wait).then_some(reply)
    }

    /// A client that moves keys, and what the shell has to send.
    fn migrate(&mut self, keys: &str) -> (SessionId, Arc<Transfer>) {
        let client = self.connect();
        let request = format!("MIGRATE h 1 '' 0 1000 KEYS {keys}");
        assert_eq!(self.ask(client, &request), None);
        let orders = self.engine.take_orders();
        let [Order::Migrate(transfer)] = &orders[..] else {
            panic!("{orders:?}");
        };
        (client, Arc::clone(transfer))
    }

    /// The target has taken the first keys. Returns what the client is answered, if it is.
    fn end(&mut self, (client, transfer): (SessionId, Arc<Transfer>), taken: usize) -> Vec<String> {
        let transferred = Transferred {
            taken: vec![true; taken],
            failure: None,
        };
        let now = self.now;
        self.engine
            .migration_ended(transfer.number, transferred, now);
        self.delivered(client)
    }

    fn delivered(&mut self, client: SessionId) -> Vec<String> {
        let deliveries = self.engine.take_deliveries().into_iter();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        deliveries
            .map(|delivery| {
                assert_eq!(delivery.session, client);
                text(delivery.bytes.into_bytes())
            })
            .collect()
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.unix_us += i64::try_from(ms).unwrap() * 1000;
        self.engine.timer(self.now);
    }
}

fn changed(count: usize) -> String {
    format!("-{}\r\n", MigrationError::Changed(count))
}

#[test]
fn so_many_migrations_wait_and_no_more() {
    let mut server = Server::new();
    let other = server.connect();
    server.ask(other, "SET k v");
    let begun: Vec<_> = (0..MIGRATIONS_MAX).map(|_| server.migrate("k")).collect();
    let refused = server.ask(other, "MIGRATE h 1 k 0 1000");
    assert_eq!(refused.as_deref(), Some(TOO_MUCH));
    // Those of clients that have gone count until the shell is through with them.
    let mut begun = begun.into_iter();
    let (gone, transfer) = begun.next().unwrap();
    server.engine.disconnect(gone);
    assert!(!server.engine.awaits_migration(transfer.number));
    let refused = server.ask(other, "MIGRATE h 1 k 0 1000");
    assert_eq!(refused.as_deref(), Some(TOO_MUCH));
    assert_eq!(server.end((gone, transfer), 1), Vec::<String>::new());
    let next = server.migrate("k");
    // Each of them moves the key, and only the first finds it.
    assert_eq!(server.end(next, 1), ["+OK\r\n"]);
    for migration in begun {
        assert_eq!(server.end(migration, 1), [changed(1)]);
    }
    server.ask(other, "SET k v");
    let all: Vec<_> = (0..MIGRATIONS_MAX).map(|_| server.migrate("k")).collect();
    assert_eq!(all.len(), MIGRATIONS_MAX);
}

#[test]
fn so_many_bytes_are_on_their_way_and_no_more() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, &format!("SET k0 {}", "x".repeat(1 << 25)));
    let each = server.ask(client, "MEMORY USAGE k0").unwrap();
    let each: usize = each.trim_matches([':', '\r', '\n']).parse().unwrap();
    let fit = MIGRATED_BYTES_MAX / each;
    // The values share the memory of one, and count each.
    for copy in 1..=fit {
        server.ask(client, &format!("COPY k0 k{copy}"));
    }
    let names = |count| {
        let names: Vec<String> = (0..count).map(|number| format!("k{number}")).collect();
        names.join(" ")
    };
    let all = format!("MIGRATE h 1 '' 0 1 KEYS {}", names(fit + 1));
    assert_eq!(server.ask(client, &all).as_deref(), Some(TOO_MUCH));
    assert!(server.engine.take_orders().is_empty());
    let most = server.migrate(&names(fit));
    let one_more = format!("MIGRATE h 1 k{fit} 0 1000");
    assert_eq!(server.ask(client, &one_more).as_deref(), Some(TOO_MUCH));
    assert_eq!(server.end(most, fit), ["+OK\r\n"]);
    let last = server.migrate(&format!("k{fit}"));
    assert_eq!(server.end(last, 1), ["+OK\r\n"]);
    assert_eq!(server.ask(client, "DBSIZE").as_deref(), Some(":0\r\n"));
}

#[test]
fn what_is_sent_is_what_was_there_when_it_was_asked_for() {
    let mut server = Server::new();
    let other = server.connect();
    server.ask(other, "SET k before PX 5000");
    let migration = server.migrate("k none k");
    server.ask(other, "SET k behind");
    let [item] = &migration.1.items[..] else {
        panic!("one key");
    };
    let before = Value::from(StringValue::from_bytes(b"before"));
    assert_eq!(item.payload(), rdb::dump(&before));
    assert_eq!(item.ttl_ms(server.now.unix()), 5000);
    server.pass(10_000);
    assert_eq!(item.ttl_ms(server.now.unix()), 1);
    assert_eq!(server.end(migration, 1), [changed(1)]);
    let value = server.ask(other, "GET k");
    assert_eq!(value.as_deref(), Some("$6\r\nbehind\r\n"));
}

#[test]
fn keys_that_anything_has_changed_stay() {
    for change in [
        "SET k w",
        "APPEND k w",
        "DEL k",
        "RENAME other k",
        "PEXPIRE k 100000",
        "SWAPDB 0 1",
        "FLUSHALL",
        "COPY other k REPLACE",
    ] {
        let mut server = Server::new();
        let client = server.connect();
        server.ask(client, "MSET k v other w");
        let migration = server.migrate("k");
        let before = server.ask(client, change);
        assert!(
            before.is_some_and(|reply| !reply.starts_with('-')),
            "{change}"
        );
        let digest = server.ask(client, "DEBUG DIGEST");
        assert_eq!(server.end(migration, 1), [changed(1)], "{change}");
        assert_eq!(server.ask(client, "DEBUG DIGEST"), digest, "{change}");
    }
    // The data that is there may not even be that of this log.
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "SET k v");
    let migration = server.migrate("k");
    let contents = server.engine.contents();
    server.engine.clear_contents();
    server.engine.set_contents(contents);
    server.engine.contents_exchanged(server.now);
    assert_eq!(server.end(migration, 1), [changed(1)]);
    assert_eq!(server.ask(client, "EXISTS k").as_deref(), Some(":1\r\n"));
}

#[test]
fn a_key_whose_time_comes_on_its_way_has_moved() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "SET k v PX 10");
    let migration = server.migrate("k");
    server.pass(20);
    assert_eq!(server.end(migration, 1), ["+OK\r\n"]);
    assert_eq!(server.ask(client, "DBSIZE").as_deref(), Some(":0\r\n"));
}

#[test]
fn what_was_sent_is_deleted_when_writes_are_no_longer_held_back() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "MSET a 1 b 2");
    let migration = server.migrate("a");
    let given_up = server.migrate("b");
    let gone = given_up.0;
    server.ask(client, "CLIENT PAUSE 100 WRITE");
    let waiting = migration.0;
    assert_eq!(server.end(migration, 1), Vec::<String>::new());
    assert_eq!(server.end(given_up, 1), Vec::<String>::new());
    assert_eq!(server.ask(client, "DBSIZE").as_deref(), Some(":2\r\n"));
    server.engine.disconnect(gone);
    server.pass(200);
    assert_eq!(server.delivered(waiting), ["+OK\r\n"]);
    let left = server.ask(client, "KEYS *");
    assert_eq!(left.as_deref(), Some("*1\r\n$1\r\nb\r\n"));
}

#[test]
fn an_error_of_the_target_is_the_answer_and_what_it_has_is_deleted() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "MSET a 1 b 2 c 3");
    let (waiting, transfer) = server.migrate("a b c");
    let failure = MigrationError::Refused("BUSYKEY there".to_owned());
    let transferred = Transferred {
        taken: vec![true, false],
        failure: Some(CmdError::Migration(failure)),
    };
    let now = server.now;
    server
        .engine
        .migration_ended(transfer.number, transferred, now);
    let answer = "-ERR Target instance replied with error: BUSYKEY there\r\n";
    assert_eq!(server.delivered(waiting), [answer]);
    let left = server.ask(client, "MGET a b c");
    assert_eq!(left.as_deref(), Some("*3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n"));
    // A migration ends once.
    let again = Transferred {
        taken: vec![true; 3],
        failure: None,
    };
    server.engine.migration_ended(transfer.number, again, now);
    assert_eq!(server.delivered(waiting), Vec::<String>::new());
}
