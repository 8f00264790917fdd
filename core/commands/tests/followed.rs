//! What is taken from the log of effects can be read by itself, from any batch on, and an engine
//! that follows has the numbers of the one that wrote it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now, ReplayError};
use resp::{ArgvBuf, Protocol, Reply};

/// An engine, one client of it, and its clock.
struct Node {
    engine: Engine,
    session: SessionId,
    now: Now,
}

impl Node {
    fn new() -> Node {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(Settings::default(), 7, now, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), now);
        Node {
            engine,
            session,
            now,
        }
    }

    /// Runs requests, and gives the last reply and the batch that it depends on.
    fn ask(&mut self, requests: &[&str]) -> (String, Lsn) {
        let mut last = (String::new(), Lsn::ZERO);
        for request in requests {
            let mut reply = Reply::new(Protocol::Resp2);
            let argv: ArgvBuf = request.split(' ').collect();
            let outcome = self
                .engine
                .request(self.session, argv.as_argv(), self.now, &mut reply);
            last = (
                String::from_utf8(reply.into_bytes()).unwrap(),
                outcome.depends_on,
            );
        }
        last
    }

    /// Takes what is there as one group, with the numbers of its batches.
    fn take(&mut self, before: Lsn) -> (Vec<u8>, (Lsn, Lsn)) {
        let group = self.engine.effects().to_vec();
        self.engine.effects_taken();
        (group, (before.next(), self.engine.log().last()))
    }
}

const FIRST: &[&str] = &["SELECT 3", "SET a 1", "SET b 1", "SELECT 5", "SET c 1"];

/// It changes nothing that names a database by itself, then databases by name, then keys.
const SECOND: &[&str] = &[
    "SET c 2",
    "MULTI",
    "SET d 1",
    "SET e 1",
    "EXEC",
    "SWAPDB 3 5",
    "SET f 1",
];

#[test]
fn a_reader_begins_at_any_batch() {
    let mut live = Node::new();
    live.ask(FIRST);
    let first = live.take(Lsn::ZERO);
    assert_eq!(first.1, (Lsn::new(1), Lsn::new(3)));
    // The same moment: nothing but the new group makes it name time and database again.
    live.ask(SECOND);
    let second = live.take(Lsn::new(3));
    assert_eq!(second.1, (Lsn::new(4), Lsn::new(7)));
    let text = String::from_utf8(second.0.clone()).unwrap();
    assert!(
        text.starts_with("#t:1790000000000\r\n*2\r\n$6\r\nSELECT\r\n"),
        "{text}"
    );

    let keys = ["a", "b", "c", "d", "e", "f"];
    let shown = |node: &mut Node| {
        let mut shown = Vec::new();
        for database in [3, 5] {
            node.ask(&[&format!("SELECT {database}")]);
            shown.extend(keys.map(|key| node.ask(&[&format!("GET {key}")])));
        }
        shown
    };
    let expected = shown(&mut live);
    for has in 0..=7 {
        let has = Lsn::new(has);
        // The state that it begins with.
        let mut upto = Node::new();
        let requests: Vec<&str> = FIRST.iter().chain(SECOND).copied().collect();
        let mut rest = requests.as_slice();
        while upto.engine.log().last() < has {
            upto.ask(&rest[..1]);
            rest = &rest[1..];
        }
        let mut follower = Node::new();
        let state = upto.engine.effects().to_vec();
        follower.engine.set_journalling(Journalling::Off);
        let mut loaded = follower.engine.begin_replay(follower.now);
        follower
            .engine
            .replay_group(&mut loaded, &state, Author::Weir, (Lsn::new(1), has))
            .unwrap();
        follower
            .engine
            .end_replay(loaded, Lsn::ZERO, Journalling::Off);
        let mut replay = follower.engine.begin_replay_after(has, follower.now);
        for (group, numbers) in [&first, &second] {
            if numbers.1 > has {
                let engine = &mut follower.engine;
                engine
                    .replay_group(&mut replay, group, Author::Weir, *numbers)
                    .unwrap();
            }
        }
        assert_eq!(follower.engine.log().last(), Lsn::new(7), "after {has}");
        let (shown, known) = (shown(&mut follower), expected.iter());
        for ((reply, depends_on), (live, on)) in shown.iter().zip(known) {
            assert_eq!(reply, live, "after {has}");
            assert_eq!(depends_on, on, "after {has}");
        }
    }
}

#[test]
fn what_relies_on_an_earlier_group_is_not_guessed() {
    let group = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
    let select = b"*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n";
    let numbers = (Lsn::new(5), Lsn::new(5));
    let read = |bytes: &[u8], author| {
        let mut node = Node::new();
        let mut replay = node.engine.begin_replay_after(Lsn::new(4), node.now);
        let engine = &mut node.engine;
        engine.replay_group(&mut replay, bytes, author, numbers)
    };
    let with_database = [&select[..], group].concat();
    let with_both = [b"#t:5\r\n", &with_database[..]].concat();
    let dependent = |offset| Err(ReplayError::NotSelfContained { offset });
    assert_eq!(read(group, Author::Weir), dependent(0));
    assert_eq!(read(&with_database, Author::Weir), dependent(select.len()));
    assert_eq!(read(&with_both, Author::Weir), Ok(()));
    // Redis does not name times.
    assert_eq!(read(group, Author::Other), dependent(0));
    assert_eq!(read(&with_database, Author::Other), Ok(()));
}

#[test]
fn a_group_has_as_many_batches_as_the_log_says() {
    let mut live = Node::new();
    live.ask(&["SET a 1", "SET b 1"]);
    let (group, (first, last)) = live.take(Lsn::ZERO);
    for said in [last.next(), first] {
        let mut node = Node::new();
        let mut replay = node.engine.begin_replay(node.now);
        let engine = &mut node.engine;
        let read = engine.replay_group(&mut replay, &group, Author::Weir, (first, said));
        let offset = group.len();
        assert_eq!(
            read,
            Err(ReplayError::Misnumbered {
                offset,
                expected: said,
                found: last
            })
        );
    }
}

#[test]
fn an_engine_that_follows_changes_nothing_by_itself() {
    let mut live = Node::new();
    live.ask(&["SET a 1 PX 5", "SET b 1"]);
    let (group, numbers) = live.take(Lsn::ZERO);
    let mut follower = Node::new();
    let mut replay = follower.engine.begin_replay(follower.now);
    let engine = &mut follower.engine;
    engine
        .replay_group(&mut replay, &group, Author::Weir, numbers)
        .unwrap();
    assert_eq!(
        follower.ask(&["GET b"]),
        ("$1\r\n1\r\n".to_owned(), Lsn::new(2))
    );
    // It is over, but whether it is removed, the log says.
    follower.now.unix_us += 6_000;
    follower.engine.timer(follower.now);
    assert_eq!(
        follower.ask(&["GET a"]),
        ("$-1\r\n".to_owned(), Lsn::new(1))
    );
    assert_eq!(follower.engine.log().last(), Lsn::new(2));
    assert_eq!(follower.engine.keyspace().len(0), 2);
    assert!(!follower.engine.log().has_bytes());
}
