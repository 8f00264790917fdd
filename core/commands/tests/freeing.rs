//! What is accepted while the disk is full: commands that only free memory, alone and in
//! transactions.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use commands::COMMANDS;
use engine::clients::session::SessionId;
use engine::command::Entry;
use engine::config::Settings;
use engine::server::Writes;
use engine::table::Flags;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

const NOW: Now = Now {
    unix_us: 1_700_000_000_000_000,
    mono: Mono(1000),
};

fn ask(engine: &mut Engine, session: SessionId, words: &str) -> String {
    let argv: ArgvBuf = words.split(' ').collect();
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = engine.request(session, argv.as_argv(), NOW, &mut reply);
    String::from_utf8(reply.take().into_bytes()).unwrap()
}

fn full() -> Writes {
    Writes::Freeing("the disk is full".to_owned())
}

#[test]
fn what_only_frees_memory_is_accepted_on_a_full_disk() {
    let mut engine = Engine::new(Settings::default(), 1, NOW, &commands::TABLE);
    let session = engine.connect(String::new(), String::new(), NOW);
    let ask = |engine: &mut Engine, words: &str| ask(engine, session, words);
    for request in [
        "SET a 1",
        "SET b 1",
        "SET c 1",
        "XADD s 1-1 f v",
        "RPUSH l a b c",
        "ZADD z 1 a 2 b",
        "SADD m a b",
    ] {
        assert!(!ask(&mut engine, request).starts_with('-'));
    }
    // Queued while all was well.
    ask(&mut engine, "MULTI");
    ask(&mut engine, "DEL c");
    ask(&mut engine, "SET d 1");
    engine.server.writes = full();
    let refusal = "-MISCONF the disk is full\r\n";
    let aborted = ask(&mut engine, "EXEC");
    assert!(aborted.starts_with("-EXECABORT"), "{aborted}");
    for (request, reply) in [
        ("SET a 2", refusal),
        ("GETDEL a", refusal),
        ("XADD s 2-1 f v", refusal),
        ("EXPIRE a 10", refusal),
        ("GET a", "$1\r\n1\r\n"),
        ("DEL a", ":1\r\n"),
        ("XDEL s 1-1", ":1\r\n"),
        ("LPOP l", refusal),
        ("BRPOP l 0", refusal),
        ("LMPOP 1 l LEFT", refusal),
        ("LTRIM l 1 -1", "+OK\r\n"),
        ("LREM l 1 c", ":1\r\n"),
        ("ZPOPMIN z", refusal),
        ("ZREM z a", ":1\r\n"),
        ("SPOP m", refusal),
        ("SREM m a", ":1\r\n"),
        ("MULTI", "+OK\r\n"),
        ("GET b", "+QUEUED\r\n"),
        ("UNLINK b", "+QUEUED\r\n"),
        ("EXEC", "*2\r\n$1\r\n1\r\n:1\r\n"),
        ("MULTI", "+OK\r\n"),
        ("DEL c", "+QUEUED\r\n"),
        ("SET c 2", refusal),
    ] {
        assert_eq!(ask(&mut engine, request), reply, "{request}");
    }
    assert!(ask(&mut engine, "EXEC").starts_with("-EXECABORT"));
    engine.server.writes = Writes::Refused("the disk is slow".to_owned());
    assert_eq!(ask(&mut engine, "DEL c"), "-MISCONF the disk is slow\r\n");
    engine.server.writes = Writes::Accepted;
    assert_eq!(ask(&mut engine, "DEL c"), ":1\r\n");
}

#[test]
fn the_page_about_disks_names_what_only_frees_memory() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/disk.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (_, rest) = text.split_once("The first are ").unwrap();
    let (list, _) = rest.split_once(';').unwrap();
    let list = list.replace(" and ", ", ").replace(['\n', ' '], " ");
    let mut named: Vec<&str> = list.split(", ").map(str::trim).collect();
    named.sort_unstable();
    let full_name = |container: &str, entry: &Entry| {
        let name = format!("{container} {}", entry.spec.name);
        name.trim().to_ascii_uppercase()
    };
    let mut frees = Vec::new();
    for entry in COMMANDS.iter().copied().flatten() {
        let own = std::iter::once(("", entry));
        let subcommands = entry.subcommands.iter().map(|sub| (entry.spec.name, sub));
        for (container, entry) in own.chain(subcommands) {
            if entry.spec.frees {
                assert!(
                    entry.spec.flags.has(Flags::WRITE) && !entry.spec.flags.has(Flags::DENY_OOM)
                );
                frees.push(full_name(container, entry));
            }
        }
    }
    frees.sort_unstable();
    assert_eq!(named, frees);
}
