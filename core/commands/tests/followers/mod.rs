//! A node that follows, or hands the lead over, changes nothing, whatever it is asked.

use std::path::Path;

use engine::store::log::Journalling;
use resp::ArgvBuf;

use super::member::Server;

/// The requests of each script in `tests/events`, where every command that writes is.
fn scripts() -> Vec<Vec<ArgvBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|it| it == "txt"));
    let requests = |text: String| {
        let requests = text.lines().filter_map(|line| line.split_once("> "));
        let requests = requests.filter(|(client, _)| !client.starts_with([' ', '#']));
        let words = requests.map(|(_, text)| resp::split_line(text.as_bytes()).unwrap());
        words.collect()
    };
    let texts = texts.map(|path| std::fs::read_to_string(path).unwrap());
    let mut scripts: Vec<Vec<ArgvBuf>> = texts.map(requests).collect();
    let others = [
        "DEBUG POPULATE 10",
        "DEBUG POPULATE 10 other 100",
        "DEBUG RELOAD",
        "DEBUG RELOAD NOSAVE MERGE",
        "DEBUG LOADAOF",
        "DEBUG SET-ACTIVE-EXPIRE 1",
        "BGREWRITEAOF",
        // What the first round leaves has something to change for the second.
        "FLUSHALL",
        "PFCOUNT h",
        "PFADD h a b c",
        "SCRIPT LOAD return(1)",
        "SCRIPT FLUSH",
        "EVAL redis.call('set',KEYS[1],'v') 1 k",
        "SORT l STORE k",
        "SET k v PX 10",
        "GET k",
    ];
    let words = |text: &str| text.split(' ').map(str::as_bytes).collect();
    scripts.push(others.into_iter().map(words).collect());
    scripts
}

fn leader() -> Server {
    let mut server = Server::with(&[("enable-debug-command", "yes")]);
    server.engine.set_journalling(Journalling::On);
    server.follow(Some(2));
    server
}

#[test]
fn nothing_that_is_asked_of_a_follower_changes_what_it_has() {
    let mut requests = 0;
    for script in scripts() {
        let mut server = leader();
        for request in &script {
            let client = server.connect();
            server.ask_words(client, request);
            server.engine.take_orders();
        }
        server.engine.set_journalling(Journalling::Replaying);
        server.follow(Some(1));
        let observer = server.connect();
        let before = server.ask(observer, "DEBUG DIGEST");
        for request in &script {
            let client = server.connect();
            server.ask_words(client, request);
            server.engine.take_orders();
            requests += 1;
            assert_eq!(server.ask(observer, "DEBUG DIGEST"), before, "{request:?}");
        }
    }
    assert!(requests > 200, "{requests}");
}

#[test]
fn nothing_is_written_while_the_lead_is_handed_over() {
    for script in scripts() {
        let mut server = leader();
        for request in &script {
            let client = server.connect();
            server.ask_words(client, request);
            server.engine.take_orders();
        }
        server.engine.effects_taken();
        let before = server.engine.log().last();
        server.engine.server.pause.hand_over(true);
        for request in &script {
            let client = server.connect();
            server.ask_words(client, request);
            server.wait(1000);
            server.engine.timer(server.now);
            assert_eq!(server.engine.log().last(), before, "{request:?}");
        }
    }
}

#[test]
fn what_writes_without_saying_so_is_refused_with_a_reason() {
    let mut server = leader();
    let client = server.connect();
    server.check(
        client,
        &[
            ("DEBUG POPULATE 2", "+OK\r\n"),
            ("DBSIZE", ":2\r\n"),
            (
                "DEBUG RELOAD",
                "-ERR The nodes of a group load their data from the log that they share\r\n",
            ),
        ],
    );
    server.engine.server.pause.hand_over(true);
    let in_progress = "-ERR FAILOVER already in progress.\r\n";
    server.check(client, &[("DEBUG POPULATE 3", in_progress)]);
    server.engine.server.pause.hand_over(false);
    server.follow(Some(1));
    let client = server.connect();
    let read_only = "-READONLY You can't write against a read only replica.\r\n";
    server.check(
        client,
        &[("DEBUG POPULATE 3", read_only), ("DBSIZE", ":2\r\n")],
    );
}
