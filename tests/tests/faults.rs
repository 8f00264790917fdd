//! What a disk can do to weir: nothing acknowledged is lost, and it says what is wrong and what to
//! do.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::programs::run;
use weir_tests::server::Server;
use weir_tests::value::Value;

const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(data: &Path) -> Server {
    Server::start_in(&peers::weir().unwrap(), data, JOURNAL).unwrap()
}

/// What a server says if it does not start.
fn refusal(data: &Path) -> String {
    match Server::start_in(&peers::weir().unwrap(), data, JOURNAL) {
        Ok(server) => panic!("it starts: {}", server.log()),
        Err(error) => format!("{error:#}"),
    }
}

fn append(client: &mut Client, id: usize) {
    let reply = client.command(&["XADD", "s", &format!("{id}-1"), "f", &format!("value {id}")]);
    assert!(matches!(reply.unwrap(), Value::Bulk(_)));
}

fn len(client: &mut Client) -> i64 {
    client.command(&["XLEN", "s"]).unwrap().as_int().unwrap()
}

fn increment(data: &Path) -> PathBuf {
    data.join("appendonlydir/appendonly.aof.1.incr.aof")
}

/// Starts a server, appends entries, and kills it.
fn killed_with(data: &Path, entries: usize) {
    let server = start(data);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for id in 1..=entries {
        append(&mut client, id);
    }
    server.kill().unwrap();
}

fn weir(arguments: [&str; 1], file: &Path) -> Output {
    let mut command = Command::new(peers::weir().unwrap());
    command.args(arguments).arg(file).output().unwrap()
}

fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it does not come about");
        thread::yield_now();
    }
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let first = start(data.path());
    let said = refusal(data.path());
    assert!(
        said.contains("another server uses this directory"),
        "{said}"
    );
    assert!(said.contains("appendonlydir"), "{said}");
    append(&mut first.connect(Protocol::Resp2).unwrap(), 1);
    first.kill().unwrap();
    assert_eq!(
        len(&mut start(data.path()).connect(Protocol::Resp2).unwrap()),
        1
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_said_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    fs::set_permissions(data.path(), Permissions::from_mode(0o555)).unwrap();
    let started = Server::start_unprivileged(&peers::weir().unwrap(), data.path(), JOURNAL);
    let said = format!("{:#}", started.err().unwrap());
    assert!(said.contains("appendonlydir: Permission denied"), "{said}");
}

#[test]
fn a_folder_that_becomes_read_only_keeps_the_journal_from_being_rewritten_not_from_being_written() {
    let data = tempfile::tempdir().unwrap();
    fs::set_permissions(data.path(), Permissions::from_mode(0o777)).unwrap();
    let binary = peers::weir().unwrap();
    let server = Server::start_unprivileged(&binary, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    append(&mut client, 1);
    let folder = data.path().join("appendonlydir");
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    client.command(&["BGREWRITEAOF"]).unwrap();
    until(|| {
        let info = client
            .command(&["INFO", "persistence"])
            .unwrap()
            .to_string();
        info.contains("aof_last_bgrewrite_status:err")
    });
    append(&mut client, 2);
    server.kill().unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    assert_eq!(
        len(&mut start(data.path()).connect(Protocol::Resp2).unwrap()),
        2
    );
}

#[test]
fn a_torn_end_is_cut_and_said() {
    let data = tempfile::tempdir().unwrap();
    killed_with(data.path(), 20);
    let file = increment(data.path());
    let bytes = fs::read(&file).unwrap();
    let ahead = bytes
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'#' | b'\n'));
    let end = bytes.len() - ahead.count();
    OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(end as u64 - 3)
        .unwrap();
    let report = weir(["check"], &file);
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        report.status.success() && text.contains("torn at"),
        "{text}"
    );

    let server = start(data.path());
    assert_eq!(len(&mut server.connect(Protocol::Resp2).unwrap()), 19);
    let log = server.log();
    assert_eq!(log.matches("torn").count(), 1, "{log}");
    assert!(log.contains("appendonly.aof.1.incr.aof"), "{log}");
}

#[test]
fn damage_in_the_middle_is_named_and_what_is_whole_can_be_saved() {
    let data = tempfile::tempdir().unwrap();
    killed_with(data.path(), 20);
    let file = increment(data.path());
    let bytes = fs::read(&file).unwrap();
    let at = bytes
        .windows(8)
        .position(|bytes| bytes == b"value 10")
        .unwrap();
    let damaged = OpenOptions::new().write(true).open(&file).unwrap();
    damaged.write_all_at(b"V", at as u64).unwrap();

    let said = refusal(data.path());
    assert!(
        said.contains("appendonly.aof.1.incr.aof is damaged at offset"),
        "{said}"
    );
    let report = weir(["check"], &file);
    let text = String::from_utf8_lossy(&report.stderr).into_owned();
    assert!(
        !report.status.success() && text.contains("damaged at"),
        "{text}"
    );

    let report = weir(["repair"], &file);
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        report.status.success() && text.contains("lost: LSN "),
        "{text}"
    );
    fs::rename(file.with_extension("aof.repaired"), &file).unwrap();
    assert_eq!(
        len(&mut start(data.path()).connect(Protocol::Resp2).unwrap()),
        9
    );
}

#[test]
fn a_journal_with_a_request_that_weir_cannot_do_is_refused_by_name_and_place() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("appendonlydir");
    fs::create_dir(&folder).unwrap();
    let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    fs::write(folder.join("appendonly.aof.manifest"), manifest).unwrap();
    let journal =
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$4\r\nVREM\r\n$1\r\nv\r\n$1\r\nx\r\n";
    fs::write(increment(data.path()), journal).unwrap();
    let said = refusal(data.path());
    let place = format!(
        "appendonly.aof.1.incr.aof at offset {}",
        journal.find("*3\r\n$4").unwrap()
    );
    assert!(said.contains(&place), "{said}");
    // Only once, however many errors wrap it.
    let reason = "it holds command VREM of key \"v\"";
    assert_eq!(said.matches(reason).count(), 1, "{said}");
    assert_eq!(fs::read_to_string(increment(data.path())).unwrap(), journal);

    let kept = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
    fs::write(increment(data.path()), kept).unwrap();
    let server = start(data.path());
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(client.command(&["GET", "a"]).unwrap().to_string(), "\"1\"");
}

/// Makes something that is not a file.
fn make_no_file(kind: FileType, path: &Path) {
    match kind {
        FileType::Fifo => mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, 0).unwrap(),
        FileType::Socket => drop(UnixListener::bind(path).unwrap()),
        FileType::Directory => fs::create_dir(path).unwrap(),
        // A link to a device counts as the device.
        _ => symlink("/dev/zero", path).unwrap(),
    }
}

#[test]
fn what_is_no_file_where_one_must_be_is_named_and_not_waited_for() {
    let kinds = [
        (FileType::Fifo, "a FIFO"),
        (FileType::Socket, "a socket"),
        (FileType::Directory, "a folder"),
        (FileType::CharacterDevice, "a device"),
    ];
    let files = [
        "appendonlydir/appendonly.aof.1.incr.aof",
        "appendonlydir/appendonly.aof.manifest",
        "appendonlydir/appendonly.aof.lock",
    ];
    let kept = tempfile::tempdir().unwrap();
    killed_with(kept.path(), 1);
    for (kind, word) in kinds {
        let expected = format!("a file must be there, and it is {word}");
        for file in files {
            let moved = kept.path().join("moved");
            fs::rename(kept.path().join(file), &moved).unwrap();
            make_no_file(kind, &kept.path().join(file));
            let said = refusal(kept.path());
            let name = file.rsplit('/').next().unwrap();
            assert!(said.contains(name) && said.contains(&expected), "{said}");
            match kind {
                FileType::Directory => fs::remove_dir(kept.path().join(file)).unwrap(),
                _ => fs::remove_file(kept.path().join(file)).unwrap(),
            }
            fs::rename(&moved, kept.path().join(file)).unwrap();
        }
        let data = tempfile::tempdir().unwrap();
        make_no_file(kind, &data.path().join("dump.rdb"));
        let said = refusal(data.path());
        assert!(
            said.contains("dump.rdb") && said.contains(&expected),
            "{said}"
        );

        let settings = data.path().join("weir.conf");
        make_no_file(kind, &settings);
        let started = run(Command::new(peers::weir().unwrap()).arg(&settings));
        let said = format!("{:#}", started.unwrap_err());
        assert!(
            said.contains("weir.conf") && said.contains(&expected),
            "{said}"
        );

        if kind != FileType::Directory {
            let data = tempfile::tempdir().unwrap();
            make_no_file(kind, &data.path().join("appendonlydir"));
            let said = refusal(data.path());
            let expected = format!("a folder must be there, and it is {word}");
            assert!(
                said.contains("appendonlydir") && said.contains(&expected),
                "{said}"
            );
        }
    }
    let server = start(kept.path());
    assert_eq!(len(&mut server.connect(Protocol::Resp2).unwrap()), 1);
}

#[test]
fn an_empty_file_of_a_journal_is_whole() {
    let data = tempfile::tempdir().unwrap();
    killed_with(data.path(), 0);
    let report = weir(["check"], &increment(data.path()));
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        text.contains("0 batches in 0 groups (after LSN 0): whole"),
        "{text}"
    );
}

#[test]
fn a_snapshot_is_written_by_itself_at_a_save_point_and_at_the_end() {
    let data = tempfile::tempdir().unwrap();
    let cache = &[("appendonly", "no"), ("save", "1 2")];
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), cache).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let info = |client: &mut Client| {
        client
            .command(&["INFO", "persistence"])
            .unwrap()
            .to_string()
    };
    append(&mut client, 1);
    append(&mut client, 2);
    assert!(info(&mut client).contains("rdb_changes_since_last_save:2"));
    until(|| info(&mut client).contains("rdb_saves:1\\r\\n"));
    assert!(info(&mut client).contains("rdb_changes_since_last_save:0"));
    append(&mut client, 3);
    server.stop().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), cache).unwrap();
    assert_eq!(len(&mut server.connect(Protocol::Resp2).unwrap()), 3);
}
