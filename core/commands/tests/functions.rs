//! Libraries of functions as the engine sees them: what runs them here knows a language of one
//! word.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::error::{CmdError, LibraryError, ScriptError};
use engine::limits::{LIBRARIES_BYTES_MAX, LIBRARIES_MAX};
use engine::scripting::{
    Answer, Function, Job, LibraryId, Runs, ScriptFlags, ScriptHost, Sha, Step,
};
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// Takes each line `fn NAME` of a library as a function, which answers its number.
#[derive(Debug, Default)]
struct Toy {
    loads: usize,
    reply: Vec<u8>,
}

impl ScriptHost for Toy {
    fn compile(&mut self, _script: Sha, _body: &[u8]) -> Result<(), Vec<u8>> {
        Ok(())
    }

    fn forget(&mut self, _script: Sha) {}

    fn clear(&mut self) {}

    fn load(&mut self, _library: LibraryId, code: &[u8]) -> Step<'_> {
        self.loads += 1;
        let text = String::from_utf8_lossy(code);
        if text.lines().any(|line| line == "loop") {
            return Step::Tick;
        }
        let names = text.lines().filter_map(|line| line.strip_prefix("fn "));
        let function = |name: &str| Function {
            name: name.as_bytes().into(),
            description: None,
            flags: ScriptFlags::NONE,
        };
        Step::Registered(names.map(function).collect())
    }

    fn unload(&mut self, _library: LibraryId) {}

    fn begin(&mut self, job: Job<'_>) -> Step<'_> {
        let Runs::Function(_, index) = job.runs else {
            return Step::Failed(CmdError::Script(ScriptError::NoScript));
        };
        self.reply = format!(":{index}\r\n").into_bytes();
        Step::Done(&self.reply)
    }

    fn go_on(&mut self, answer: Answer) -> Step<'_> {
        match answer {
            Answer::Kill => {
                let text = "timeout".to_owned();
                Step::Failed(LibraryError::NotRegistered(text).into())
            }
            Answer::GoOn | Answer::Reply(_) | Answer::ReplyThenTick(_) | Answer::Verdict(_) => {
                Step::Tick
            }
        }
    }

    fn used_bytes(&self) -> u64 {
        0
    }
}

fn now() -> Now {
    Now {
        unix_us: 1_700_000_000_000_000,
        mono: Mono(1000),
    }
}

struct Node {
    engine: Engine,
    client: SessionId,
}

impl Node {
    fn of(mut engine: Engine) -> Node {
        let client = engine.connect(String::new(), String::new(), now());
        Node { engine, client }
    }

    fn with_toy() -> Node {
        let mut engine = empty();
        engine.server.functions.set_host(Box::<Toy>::default());
        engine.set_journalling(Journalling::On);
        Node::of(engine)
    }

    fn ask(&mut self, request: &[&[u8]]) -> String {
        let argv: ArgvBuf = request.iter().copied().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let outcome = self
            .engine
            .request(self.client, argv.as_argv(), now(), &mut reply);
        assert!(outcome.depends_on <= self.engine.log().last());
        String::from_utf8_lossy(&reply.into_bytes())
            .trim_end()
            .to_owned()
    }

    fn say(&mut self, request: &str) -> String {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        self.ask(&words)
    }

    fn load(&mut self, code: &str) -> String {
        self.ask(&[b"FUNCTION", b"LOAD", code.as_bytes()])
    }

    fn texts(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let libraries = self.engine.libraries().iter();
        libraries
            .map(|(name, code)| (name.to_vec(), code.to_vec()))
            .collect()
    }
}

fn empty() -> Engine {
    Engine::new(Settings::default(), 1, now(), &commands::TABLE)
}

/// An engine that has replayed what another has encoded.
fn replayed(node: &mut Node) -> Engine {
    let bytes = node.engine.effects().to_vec();
    let last = node.engine.log().last();
    let mut engine = empty();
    let mut replay = engine.begin_replay(now());
    engine.replay(&mut replay, &bytes, Author::Weir).unwrap();
    engine.end_replay(replay, last, Journalling::On);
    engine
}

#[test]
fn a_replay_keeps_libraries_and_runs_none() {
    let mut node = Node::with_toy();
    node.load("#!lua name=a\nfn first\nfn second");
    node.load("#!lua name=gone\nfn third");
    node.load("#!lua name=b\nfn fourth");
    let replaced = b"#!lua name=b\nfn fifth";
    assert_eq!(
        node.ask(&[b"FUNCTION", b"LOAD", b"REPLACE", replaced]),
        "$1\r\nb"
    );
    assert_eq!(node.say("FUNCTION DELETE gone"), "+OK");
    // It has nothing that runs a library.
    let back = replayed(&mut node);
    let mut back = Node::of(back);
    assert_eq!(back.texts(), node.texts());
    assert_eq!(back.texts().len(), 2);
    // Their functions are known as soon as something asks for them.
    back.engine.server.functions.set_host(Box::<Toy>::default());
    assert_eq!(back.say("FCALL SECOND 0"), ":1");
    assert_eq!(back.say("FCALL fifth 0"), ":0");
    assert_eq!(back.say("FCALL fourth 0"), "-ERR Function not found");
    assert_eq!(back.say("FUNCTION STATS"), node.say("FUNCTION STATS"));
}

#[test]
fn what_is_restored_is_one_batch_and_replayed_as_such() {
    let mut node = Node::with_toy();
    node.load("#!lua name=a\nfn x");
    node.load("#!lua name=b\nfn y");
    // Each function changes to the other library.
    let swapped: [&[u8]; 2] = [b"#!lua name=a\nfn y", b"#!lua name=b\nfn x"];
    let payload = rdb::dump_libraries(swapped.into_iter());
    let before = node.engine.log().last();
    assert_eq!(
        node.ask(&[b"FUNCTION", b"RESTORE", &payload, b"REPLACE"]),
        "+OK"
    );
    assert_eq!(node.engine.log().last(), before.next());
    let texts = node.texts();
    assert_eq!(texts[0].1, swapped[0]);
    assert_eq!(Node::of(replayed(&mut node)).texts(), texts);
    let only = rdb::dump_libraries(swapped[..1].iter().copied());
    assert_eq!(node.ask(&[b"FUNCTION", b"RESTORE", &only, b"FLUSH"]), "+OK");
    assert_eq!(node.texts().len(), 1);
    assert_eq!(Node::of(replayed(&mut node)).texts(), node.texts());
    assert_eq!(node.say("FUNCTION FLUSH"), "+OK");
    assert_eq!(Node::of(replayed(&mut node)).texts(), []);
}

#[test]
fn requests_of_redis_for_libraries_are_replayed() {
    let code = "#!lua name=a\nfn x";
    let payload = rdb::dump_libraries(std::iter::once(b"#!lua name=b\nfn y".as_slice()));
    let requests: [&[&[u8]]; 3] = [
        &[b"FUNCTION", b"LOAD", code.as_bytes()],
        &[b"FUNCTION", b"RESTORE", &payload, b"APPEND"],
        &[b"FUNCTION", b"DELETE", b"a"],
    ];
    let mut bytes = Vec::new();
    for request in requests {
        bytes.extend_from_slice(format!("*{}\r\n", request.len()).as_bytes());
        for argument in request {
            bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            bytes.extend_from_slice(argument);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    let mut engine = empty();
    let mut replay = engine.begin_replay(now());
    engine.replay(&mut replay, &bytes, Author::Other).unwrap();
    engine.end_replay(replay, Lsn::new(3), Journalling::On);
    let names: Vec<_> = Node::of(engine)
        .texts()
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(names, [b"b"]);
}

#[test]
fn a_reply_that_shows_libraries_depends_on_what_changed_them_last() {
    let mut node = Node::with_toy();
    node.load("#!lua name=a\nfn x");
    let changed = node.engine.log().last();
    node.say("SET k v");
    for request in [
        "FCALL x 0",
        "FUNCTION LIST",
        "FUNCTION DUMP",
        "FUNCTION STATS",
    ] {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let client = node.client;
        let outcome = node
            .engine
            .request(client, argv.as_argv(), now(), &mut reply);
        assert_eq!(outcome.depends_on, changed, "{request}");
    }
}

const TOO_MANY: &str = "-ERR Too many libraries are loaded. FUNCTION DELETE makes room.";

#[test]
fn libraries_are_bounded_in_number() {
    let mut node = Node::with_toy();
    for number in 0..LIBRARIES_MAX {
        let loaded = node.load(&format!("#!lua name=l{number}\nfn f{number}"));
        assert!(loaded.starts_with('$'), "{loaded}");
    }
    assert_eq!(node.load("#!lua name=other\nfn other"), TOO_MANY);
    let payload = rdb::dump_libraries(std::iter::once(b"#!lua name=o\nfn o".as_slice()));
    assert_eq!(node.ask(&[b"FUNCTION", b"RESTORE", &payload]), TOO_MANY);
    let again = b"#!lua name=l7\nfn other";
    let replaced = node.ask(&[b"FUNCTION", b"LOAD", b"REPLACE", again]);
    assert_eq!(replaced, "$2\r\nl7");
    node.say("FUNCTION DELETE l7");
    assert_eq!(node.load("#!lua name=other\nfn other"), "$5\r\nother");
}

#[test]
fn libraries_are_bounded_in_bytes() {
    let mut node = Node::with_toy();
    let code = |name: &str, bytes: usize| {
        let mut code = format!("#!lua name={name}\nfn {name}\n");
        code.extend(std::iter::repeat_n('-', bytes - code.len()));
        code
    };
    // Beside the text, its name and what is known of its function count.
    node.load(&code("a", LIBRARIES_BYTES_MAX - 1000));
    let functions = node.engine.server.functions.bytes();
    let left = 1000 - 2 - 2 * functions;
    assert_eq!(node.load(&code("b", left + 1)), TOO_MANY);
    assert_eq!(node.say("FCALL b 0"), "-ERR Function not found");
    assert_eq!(node.load(&code("b", left)), "$1\r\nb");
    assert_eq!(node.say("FCALL b 0"), ":0");
}

#[test]
fn a_library_that_does_not_end_is_ended() {
    let mut node = Node::with_toy();
    let failed = "-ERR Error registering functions: timeout";
    assert_eq!(node.load("#!lua name=a\nloop"), failed);
    assert_eq!(node.texts(), []);
}

#[test]
fn what_a_snapshot_has_of_functions_is_kept_even_if_it_cannot_be_read() {
    let mut engine = empty();
    engine.load_library(b"#!lua name=a\nloop".to_vec()).unwrap();
    engine.load_library(b"#!lua name=b\nfn x".to_vec()).unwrap();
    let nameless = engine.load_library(b"fn y".to_vec());
    assert_eq!(nameless, Err(LibraryError::MetadataMissing.into()));
    let mut node = Node::of(engine);
    node.engine.server.functions.set_host(Box::<Toy>::default());
    assert_eq!(node.say("FCALL x 0"), ":0");
    assert_eq!(node.texts().len(), 2);
    let orders = node.engine.take_orders();
    assert!(format!("{orders:?}").contains("The library a has no functions"));
}
