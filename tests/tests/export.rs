//! `weir export`: Redis 8.6.3 loads what it writes, and what it leaves out is told.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::{all_types, data_set};

const CACHE: &[(&str, &str)] = &[("appendonly", "no"), ("databases", "20")];
const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("databases", "20")];

const LIBRARY: &str = "#!lua name=mylib\nredis.register_function('f', function() return 1 end)";

/// What Redis has, in streams that have more.
const KEPT: &str = "
XADD numbers 1-1 f v
XADD numbers 2-1 f v
XCFGSET numbers IDMP-MODE MONOTONE IDMP-GAPS ERROR IDMP-DURATION 86400
XADD numbers IDMP till 1 * f v
XADD numbers IDMP till 2 * f v
XADD fenced 1-1 f v
XADD fenced IDMP till a * f v
XADD jobs 1-1 f v
XADD jobs 2-1 f v
XADD jobs 3-1 f v
XGROUP CREATE jobs workers 0
XREADGROUP GROUP workers ann COUNT 2 STREAMS jobs >
SELECT 19
XADD late 1-1 f v
SELECT 0
";

/// What Redis has not.
const LEFT_OUT: &str = "
XCFGSET counted IDMP-STATS ON
XIDMPEPOCH fenced till
XGROUP SETCFG jobs workers CLAIM 30000 MAXDELIVERIES 5 DEADLETTER jobs:dead
XNACK jobs workers FAIL IDS 1 2-1
SELECT 19
XADD late AT 4102444800000 * f v
XADD late AT 4102444800001 IDMP till a * f v
SELECT 0
";

const REPORT: &str = "\
left out: of key \"counted\" of database 0: IDMP-STATS ON
left out: of key \"fenced\" of database 0: the epoch of producers: 1
left out: of key \"jobs\" of database 0: CLAIM 30000 of group \"workers\"
left out: of key \"jobs\" of database 0: MAXDELIVERIES 5 of group \"workers\"
left out: of key \"jobs\" of database 0: DEADLETTER jobs:dead of group \"workers\"
changed: of key \"jobs\" of database 0: entries that were given back to group \"workers\", and are held by consumer \"given-back\" now: 1
left out: of key \"numbers\" of database 0: IDMP-MODE MONOTONE
left out: of key \"numbers\" of database 0: IDMP-GAPS ERROR
left out: of key \"numbers\" of database 0: the last number of producers: 1
left out: of key \"late\" of database 19: delayed entries: 2
";

fn weir_does(arguments: &[&str]) -> Output {
    let weir = peers::weir().unwrap();
    Command::new(weir).args(arguments).output().unwrap()
}

/// Exports, and returns what was told.
#[track_caller]
fn export(source: &Path, target: &Path) -> String {
    let [source, target] = [source, target].map(|path| path.to_str().unwrap());
    let exported = weir_does(&["export", source, "--to", target]);
    let complaint = String::from_utf8_lossy(&exported.stderr);
    assert!(exported.status.success(), "{complaint}");
    String::from_utf8(exported.stdout).unwrap()
}

/// Exports in vain; returns why.
#[track_caller]
fn refused(source: &Path, target: &Path) -> String {
    let [source, target] = [source, target].map(|path| path.to_str().unwrap());
    let exported = weir_does(&["export", source, "--to", target]);
    assert!(!exported.status.success());
    assert!(exported.stdout.is_empty());
    String::from_utf8(exported.stderr).unwrap()
}

/// The names and contents of all files in a data folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.insert(path.display().to_string(), content);
        }
    }
    found
}

#[track_caller]
fn ask(client: &mut Client, request: &str) -> String {
    let words: Vec<&str> = request.split(' ').collect();
    let reply = client.command(&words).unwrap().to_string();
    assert!(!reply.starts_with('-'), "{request}: {reply}");
    reply
}

/// A weir with data of every kind, some of which Redis does not have.
fn begin(data: &Path, settings: &[(&str, &str)]) -> (Server, Client) {
    let server = Server::start_in(&peers::weir().unwrap(), data, settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    data_set::make(&mut client).unwrap();
    all_types::make(&mut client).unwrap();
    client.command(&["FUNCTION", "LOAD", LIBRARY]).unwrap();
    ask(&mut client, "XADD counted 1-1 f v");
    for request in [KEPT, LEFT_OUT]
        .map(str::trim)
        .iter()
        .flat_map(|all| all.lines())
    {
        ask(&mut client, request);
    }
    (server, client)
}

/// What can be seen of the data that both have, a line for each request.
fn look(client: &mut Client) -> Vec<String> {
    let mut seen = data_set::look(client).unwrap();
    seen.extend(all_types::look(client).unwrap());
    for request in [
        "FCALL f 0",
        "XRANGE numbers - +",
        "XRANGE fenced - +",
        "XRANGE jobs - +",
        "SELECT 19",
        "XRANGE late - +",
        "SELECT 0",
    ] {
        let words: Vec<&str> = request.split(' ').collect();
        seen.push(format!("{request}: {}", client.command(&words).unwrap()));
    }
    seen
}

#[track_caller]
fn assert_same(before: &[String], after: &[String]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after);
    }
}

#[test]
fn redis_loads_what_is_exported_and_the_rest_is_told() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    for settings in [JOURNAL, CACHE] {
        let data = tempfile::tempdir().unwrap();
        let (server, mut client) = begin(data.path(), settings);
        let mut before = look(&mut client);
        if settings == CACHE {
            ask(&mut client, "SAVE");
        }
        server.stop().unwrap();
        let source = files(data.path());

        let target = tempfile::tempdir().unwrap();
        let new = target.path().join("new");
        let report = export(data.path(), &new);
        assert!(report.starts_with(REPORT), "{report}");
        assert!(files(data.path()) == source, "the source is only read");

        let server = Server::start_in(&redis, &new, JOURNAL).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let mut after = look(&mut client);
        for lines in [&mut before, &mut after] {
            lines.retain(|line| !line.contains("IDMPAUTO"));
        }
        assert_same(&before, &after);
        // What was given back is not lost: any claim finds it.
        let claimed = ask(&mut client, "XAUTOCLAIM jobs workers bob 3600000 0 JUSTID");
        assert!(
            claimed.contains("2-1") && !claimed.contains("1-1"),
            "{claimed}"
        );
        // A retry within Redis' window is still a duplicate.
        let first = ask(&mut client, "XADD fenced IDMP till a * f v");
        assert!(
            before
                .iter()
                .any(|line| line.starts_with("XRANGE fenced") && line.contains(&first))
        );
        server.stop().unwrap();

        // The base is a snapshot, for a Redis without append-only file.
        let cache = tempfile::tempdir().unwrap();
        let again = target.path().join("again");
        export(data.path(), &again);
        let base = again.join("appendonlydir/appendonly.aof.1.base.rdb");
        fs::copy(base, cache.path().join("dump.rdb")).unwrap();
        let server = Server::start_in(&redis, cache.path(), CACHE).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let mut after = look(&mut client);
        after.retain(|line| !line.contains("IDMPAUTO"));
        assert_same(&before, &after);
        server.stop().unwrap();
    }
}

#[test]
fn a_configuration_says_how_files_are_called_and_all_is_listed_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("weir.conf"));
    fs::create_dir(&data).unwrap();
    let names = [("appenddirname", "log"), ("appendfilename", "weir.aof")];
    let text: String = names
        .iter()
        .map(|(name, value)| format!("{name} {value}\n"))
        .collect();
    fs::write(&file, format!("dir {}\n{text}", data.display())).unwrap();
    let settings = [JOURNAL, &names].concat();
    let server = Server::start_in(&peers::weir().unwrap(), &data, &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for number in 0..110 {
        ask(
            &mut client,
            &format!("XADD stream-{number} AT 4102444800000 * f v"),
        );
    }
    server.stop().unwrap();

    let told = |target: &str, options: &[&str]| {
        let target = folder.path().join(target);
        let to = ["export", "--config", file.to_str().unwrap(), "--to"];
        let all = [&to[..], &[target.to_str().unwrap()], options].concat();
        let exported = weir_does(&all);
        assert!(exported.status.success());
        String::from_utf8(exported.stdout).unwrap()
    };
    let cut = told("first", &[]);
    assert_eq!(cut.matches("delayed entries: 1\n").count(), 100);
    assert!(
        cut.contains("\nand 10 more, which --all lists\n110 keys "),
        "{cut}"
    );
    assert!(
        cut.contains("110 keys have lost something, 110 delayed entries"),
        "{cut}"
    );
    let all = told("second", &["--all"]);
    assert_eq!(all.matches("delayed entries: 1\n").count(), 110);
    assert!(!all.contains("--all"), "{all}");
    // The folder of the journal by itself will do, and its files may have any name.
    export(&data.join("log"), &folder.path().join("third"));
}

#[test]
fn what_is_exported_goes_back_to_weir() {
    let weir = peers::weir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let (server, mut client) = begin(data.path(), JOURNAL);
    let before = look(&mut client);
    server.stop().unwrap();
    let target = tempfile::tempdir().unwrap();
    export(data.path(), target.path());

    let back = tempfile::tempdir().unwrap();
    let [from, to] = [target.path(), back.path()].map(|path| path.to_str().unwrap());
    let imported = weir_does(&["import", from, "--dir", to, "--databases", "20"]);
    let report = String::from_utf8(imported.stdout).unwrap();
    assert!(report.ends_with(", 0 were left out\n"), "{report}");
    let server = Server::start_in(&weir, back.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let mut after = look(&mut client);
    assert_same(&before, &after);
    server.stop().unwrap();

    // Nothing is left to leave out.
    let again = tempfile::tempdir().unwrap();
    let report = export(back.path(), again.path());
    assert!(report.contains("; 0 keys have lost something"), "{report}");
    let server = Server::start_in(&weir, again.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    after = look(&mut client);
    assert_same(&before, &after);
    server.stop().unwrap();
}

#[test]
fn delayed_entries_that_are_due_are_exported() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, "XADD late DELAY 700 * f due");
    ask(&mut client, "XADD late DELAY 3600000 * f waits");
    // It is not due before the server has stopped.
    server.stop().unwrap();
    thread::sleep(Duration::from_millis(800));
    let target = tempfile::tempdir().unwrap();
    let report = export(data.path(), target.path());
    assert!(report.contains("delayed entries: 1\n"), "{report}");
    let server = Server::start_in(&peers::weir().unwrap(), target.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let entries = ask(&mut client, "XRANGE late - +");
    assert!(
        entries.contains("due") && !entries.contains("waits"),
        "{entries}"
    );
    server.stop().unwrap();
}

#[test]
fn data_that_a_server_has_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let target = data.path().join("new");
    let why = refused(data.path(), &target);
    assert!(why.contains("a server runs on "), "{why}");
    assert!(!target.exists());
    server.stop().unwrap();
    export(data.path(), &target);
}

#[test]
fn folders_that_cannot_be_meant_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let target = data.path().join("new");
    let why = refused(data.path(), &target);
    assert!(
        why.contains("there is neither a journal (*.manifest"),
        "{why}"
    );
    let why = refused(&data.path().join("none"), &target);
    assert!(why.contains("none: No such file"), "{why}");
    assert!(!target.exists());
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    server.stop().unwrap();
    let why = refused(data.path(), data.path());
    assert!(
        why.contains("is not empty; name a new folder with --to"),
        "{why}"
    );
    fs::write(&target, "a file").unwrap();
    let why = refused(data.path(), &target);
    assert!(
        why.contains("a folder must be there, and it is a file"),
        "{why}"
    );
}

#[test]
fn a_torn_end_is_told_and_damage_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for number in 0..50 {
        ask(&mut client, &format!("XADD stream * number {number}"));
    }
    server.stop().unwrap();
    let journal = data.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let whole = fs::read(&journal).unwrap();

    let mut torn = whole.clone();
    torn.extend_from_slice(b"#weir:1 lsn=51 n=1 len=500");
    fs::write(&journal, torn).unwrap();
    let target = tempfile::tempdir().unwrap();
    let report = export(data.path(), &target.path().join("torn"));
    assert!(
        report.contains("left out: 26 bytes of the journal's end"),
        "{report}"
    );

    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x20;
    fs::write(&journal, damaged).unwrap();
    let new = target.path().join("damaged");
    let why = refused(data.path(), &new);
    assert!(why.contains("appendonly.aof.1.incr.aof"), "{why}");
    assert!(!new.exists());
}

#[test]
fn a_disk_that_is_full_leaves_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for number in 0..4 {
        let value = "v".repeat(200_000);
        ask(&mut client, &format!("SET {number} {value}"));
    }
    server.stop().unwrap();
    let target = tempfile::tempdir().unwrap();
    // A limit on the size of files counts as a full disk. It is in kilobytes here.
    let script = "trap '' XFSZ; ulimit -f 300; exec \"$0\" export \"$1\" --to \"$2\"";
    let exported = Command::new("bash")
        .args(["-c", script])
        .arg(peers::weir().unwrap())
        .args([data.path(), target.path()])
        .output()
        .unwrap();
    let why = String::from_utf8(exported.stderr).unwrap();
    assert!(!exported.status.success());
    assert!(why.contains("the data cannot be written to "), "{why}");
    assert!(why.contains("File too large"), "{why}");
    assert!(files(target.path()).is_empty());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}
