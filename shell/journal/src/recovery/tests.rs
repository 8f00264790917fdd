use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::annotation::Header;
use crate::file_disk::FileDisk;
use crate::local::LocalLog;
use crate::log::{Group, Log, Pace, SnapshotFormat, SnapshotSink, Trimmed};

const PREFIX: &str = "appendonly.aof";
const FIRST: &str = "appendonly.aof.1.incr.aof";
const SECOND: &str = "appendonly.aof.2.incr.aof";

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
    bytes
}

fn batch(number: u64) -> Vec<u8> {
    command(&["SET", "key", &number.to_string()])
}

/// What came back.
#[derive(Debug, Default, PartialEq)]
struct Found {
    base: Vec<u8>,
    batches: Vec<u8>,
    last: u64,
    foreign: u64,
    cuts: usize,
}

fn open_with(folder: &Path, torn_tail: TornTail) -> Result<Recovery<FileDisk>, RecoveryError> {
    let disk = Arc::new(FileDisk::open(folder).unwrap());
    Recovery::open(disk, Names::new(PREFIX), torn_tail)
}

fn read_with(
    folder: &Path,
    torn_tail: TornTail,
) -> Result<(Found, LocalLog<FileDisk>), RecoveryError> {
    let mut recovery = open_with(folder, torn_tail)?;
    let mut found = Found::default();
    let mut next = Lsn::ZERO.next();
    while let Some(item) = recovery.next()? {
        match item {
            Item::Base(mut reader) => drop(reader.read_to_end(&mut found.base).unwrap()),
            Item::BaseCommands(bytes) => found.base.extend_from_slice(bytes),
            Item::Batches(batches) => {
                assert!(batches.first >= next, "LSNs go on");
                next = batches.last.next();
                found.batches.extend_from_slice(batches.bytes);
            }
        }
    }
    let (log, report) = recovery.finish()?;
    found.last = report.last.number();
    found.foreign = report.foreign_batches;
    found.cuts = report.cuts.len();
    Ok((found, log))
}

fn read(folder: &Path) -> Result<Found, RecoveryError> {
    read_with(folder, TornTail::Cut).map(|(found, _)| found)
}

/// Appends batches, one group each, and leaves as a killed process does.
fn append(folder: &Path, numbers: std::ops::RangeInclusive<u64>) {
    let (_, mut log) = read_with(folder, TornTail::Cut).unwrap();
    for number in numbers {
        let bytes = batch(number);
        let last = Lsn::new(number);
        let group = Group {
            pieces: &[&bytes],
            last,
            pace: Pace::SyncNext,
        };
        log.append(log.last(), group).unwrap();
        log.sync().unwrap();
    }
}

/// A folder with five groups, and what its one increment holds without the padding.
fn five() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 1..=5);
    let mut content = std::fs::read(folder.path().join(FIRST)).unwrap();
    let padding = content
        .iter()
        .rposition(|&byte| byte != b'#' && byte != b'\n')
        .unwrap()
        + 2;
    assert!(content.len().is_multiple_of(4096) && content.len() > padding + 60_000);
    content.truncate(padding);
    (folder, content)
}

fn write_folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = String::new();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
        let kind = if name.contains(".base.") { 'b' } else { 'i' };
        let seq = name.split('.').nth(2).unwrap();
        manifest.push_str(&format!("file {name} seq {seq} type {kind}\n"));
    }
    std::fs::write(folder.path().join("appendonly.aof.manifest"), manifest).unwrap();
    folder
}

#[test]
fn an_empty_folder_becomes_an_empty_log() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(folder.path()).unwrap(), Found::default());
    let manifest = std::fs::read_to_string(folder.path().join("appendonly.aof.manifest")).unwrap();
    assert_eq!(manifest, format!("file {FIRST} seq 1 type i\n"));
    assert_eq!(read(folder.path()).unwrap(), Found::default());
}

#[test]
fn padding_is_skipped_and_cut_off() {
    let (folder, content) = five();
    let found = read(folder.path()).unwrap();
    assert_eq!(found.batches, (1..=5).flat_map(batch).collect::<Vec<_>>());
    assert_eq!((found.last, found.cuts), (5, 0));
    assert!(std::fs::read(folder.path().join(FIRST)).unwrap() == content);
    append(folder.path(), 6..=7);
    assert_eq!(read(folder.path()).unwrap().last, 7);
}

#[test]
fn a_file_cut_anywhere_comes_back_as_a_prefix() {
    let (folder, content) = five();
    let begin = Header::mark(Lsn::ZERO).encode().as_bytes().len();
    for len in (begin..content.len()).step_by(3) {
        std::fs::write(folder.path().join(FIRST), &content[..len]).unwrap();
        assert!(matches!(
            read_with(folder.path(), TornTail::Refuse),
            Err(RecoveryError::Torn { .. }) | Ok((Found { cuts: 0, .. }, _))
        ));
        let found = read(folder.path()).unwrap();
        let expected: Vec<u8> = (1..=found.last).flat_map(batch).collect();
        assert_eq!(found.batches, expected);
        let again = read(folder.path()).unwrap();
        assert_eq!(again, Found { cuts: 0, ..found });
    }
}

#[test]
fn damage_before_the_last_group_is_refused_and_named() {
    let (folder, content) = five();
    let last_group = content.len() - content.len() / 6;
    for at in (0..content.len()).step_by(7) {
        let mut damaged = content.clone();
        damaged[at] ^= 0x20;
        std::fs::write(folder.path().join(FIRST), &damaged).unwrap();
        match read(folder.path()) {
            Err(RecoveryError::Damaged { name, damage, .. }) => {
                assert_eq!(name, FIRST);
                assert!(damage.offset <= at as u64);
            }
            Ok(found) => assert!(at >= last_group && found.last == 4, "{at}: {found:?}"),
            Err(error) => panic!("{at}: {error}"),
        }
        // Nothing was changed by refusing.
        if at < last_group {
            assert!(std::fs::read(folder.path().join(FIRST)).unwrap() == damaged);
        }
    }
}

#[test]
fn a_message_says_what_to_do() {
    let (folder, mut content) = five();
    content[100] ^= 1;
    std::fs::write(folder.path().join(FIRST), &content).unwrap();
    let message = read(folder.path()).unwrap_err().to_string();
    assert_eq!(
        message,
        "appendonly.aof.1.incr.aof is damaged at offset 38: the checksum of a group does not match, \
         although the group at offset 106 was written when these bytes were durable; `weir check` \
         says more, and `weir repair` writes what is whole into a new file beside it"
    );
}

#[test]
fn a_second_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, log) = read_with(folder.path(), TornTail::Cut).unwrap();
    assert!(matches!(
        read(folder.path()),
        Err(RecoveryError::Locked { .. })
    ));
    drop(log);
    read(folder.path()).unwrap();
}

#[test]
fn commands_that_redis_appended_behind_padding_are_read_and_left_alone() {
    let (folder, _) = five();
    let mut content = std::fs::read(folder.path().join(FIRST)).unwrap();
    let select = command(&["SELECT", "0"]);
    let appended = [&select[..], b"#TS:1795449548\r\n", &batch(6)].concat();
    content.extend(&appended);
    content.extend(b"*3\r\n$3\r\nSE");
    std::fs::write(folder.path().join(FIRST), &content).unwrap();
    let found = read(folder.path()).unwrap();
    assert_eq!((found.last, found.foreign, found.cuts), (7, 2, 1));
    assert!(found.batches.ends_with(&appended));
    // weir goes on in a file of its own.
    append(folder.path(), 8..=8);
    let found = read(folder.path()).unwrap();
    assert_eq!((found.last, found.foreign, found.cuts), (8, 2, 0));
    assert!(folder.path().join(SECOND).exists());
}

#[test]
fn what_redis_wrote_is_read_and_its_torn_transaction_cut_off() {
    let multi = [command(&["MULTI"]), batch(1), batch(2), command(&["EXEC"])].concat();
    let content = [command(&["SELECT", "0"]), batch(0), multi.clone()].concat();
    let torn = [&content[..], &multi[..multi.len() - 3]].concat();
    let folder = write_folder(&[(FIRST, &torn)]);
    let found = read(folder.path()).unwrap();
    assert_eq!((found.last, found.foreign, found.cuts), (3, 3, 1));
    assert_eq!(found.batches, content);
    assert!(std::fs::read(folder.path().join(FIRST)).unwrap() == content);
    let broken = [&content[..], b"garbage", &content].concat();
    let folder = write_folder(&[(FIRST, &broken)]);
    assert!(matches!(
        read(folder.path()),
        Err(RecoveryError::Damaged { .. })
    ));
}

#[test]
fn only_the_last_file_may_be_torn() {
    let content = [command(&["SELECT", "0"]), batch(1)].concat();
    let torn = &content[..content.len() - 1];
    let folder = write_folder(&[(FIRST, torn), (SECOND, &content)]);
    assert!(matches!(
        read(folder.path()),
        Err(RecoveryError::Damaged { .. })
    ));
    let folder = write_folder(&[(FIRST, &content), (SECOND, torn)]);
    assert_eq!(read(folder.path()).unwrap().last, 3);
}

#[test]
fn a_base_may_be_a_snapshot_or_commands_or_both() {
    const BASE: &str = "appendonly.aof.1.base.rdb";
    let commands = [command(&["SELECT", "0"]), batch(1)].concat();
    let folder = write_folder(&[(BASE, b"REDIS0012..."), (FIRST, &commands)]);
    let found = read(folder.path()).unwrap();
    assert_eq!(
        (&found.base[..], &found.batches, found.last),
        (&b"REDIS0012..."[..], &commands, 2)
    );

    let folder = write_folder(&[(BASE, &commands), (FIRST, &commands)]);
    let found = read(folder.path()).unwrap();
    assert_eq!(
        (&found.base, &found.batches, found.last),
        (&commands, &commands, 2)
    );

    let mixed = [b"REDIS0012...", &commands[..]].concat();
    let folder = write_folder(&[(BASE, &mixed), (FIRST, b"")]);
    let mut recovery = open_with(folder.path(), TornTail::Cut).unwrap();
    assert!(matches!(recovery.next(), Ok(Some(Item::Base(_)))));
    recovery.base_ended_at(12);
    assert!(
        matches!(recovery.next(), Ok(Some(Item::BaseCommands(bytes))) if bytes == &commands[..])
    );
    assert!(matches!(recovery.next(), Ok(None)));
    let total = recovery.progress();
    assert_eq!(total.bytes_read, total.bytes_total);
    drop(recovery);

    let folder = write_folder(&[(BASE, &commands[..commands.len() - 1]), (FIRST, b"")]);
    assert!(matches!(
        read(folder.path()),
        Err(RecoveryError::Damaged { .. })
    ));
}

#[test]
fn missing_and_unreadable_files_are_named() {
    let folder = write_folder(&[(FIRST, b"")]);
    std::fs::remove_file(folder.path().join(FIRST)).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("appendonly.aof.1.incr.aof is in the manifest but not"),
        "{error}"
    );
    std::fs::write(folder.path().join("appendonly.aof.manifest"), "nonsense\n").unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("appendonly.aof.manifest, line 1: a key has no value"),
        "{error}"
    );
    let long = "#".repeat(usize::try_from(MANIFEST_BYTES_MAX).unwrap() - 1) + "\n";
    std::fs::write(folder.path().join("appendonly.aof.manifest"), &long).unwrap();
    read(folder.path()).unwrap();
    std::fs::write(folder.path().join("appendonly.aof.manifest"), long + "\n").unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the manifest is too long"), "{error}");
    let newer = b"#weir:2 lsn=0 n=0 len=0 crc=00000000\r\n";
    let folder = write_folder(&[(FIRST, newer)]);
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("a newer version of weir"), "{error}");
}

#[test]
fn a_log_for_a_data_set_in_memory_is_trusted_after_its_first_rewrite() {
    let (folder, _) = five();
    let append = |log: &mut LocalLog<FileDisk>, number| {
        let bytes = batch(number);
        let last = Lsn::new(number);
        let pace = Pace::SyncNext;
        log.append(
            log.last(),
            Group {
                pieces: &[&bytes],
                last,
                pace,
            },
        )
    };
    let recovery = open_with(folder.path(), TornTail::Cut).unwrap();
    let mut log = recovery.supersede().unwrap().at(Lsn::new(100));
    assert!(append(&mut log, 101).is_err());
    let sink = log.begin_snapshot(Lsn::new(103)).unwrap();
    append(&mut log, 104).unwrap();
    log.sync().unwrap();
    assert_eq!(log.durable(), Lsn::new(100));
    drop((sink, log));
    // Until then, the old log is what a restart finds.
    assert_eq!(read(folder.path()).unwrap().last, 5);

    let recovery = open_with(folder.path(), TornTail::Cut).unwrap();
    let mut log = recovery.supersede().unwrap().at(Lsn::new(100));
    let mut sink = log.begin_snapshot(Lsn::new(103)).unwrap();
    append(&mut log, 104).unwrap();
    log.sync().unwrap();
    sink.write_all(b"REDIS").unwrap();
    let snapshot = sink.finish(SnapshotFormat::Rdb).unwrap();
    log.put_snapshot(snapshot).unwrap().remove();
    assert_eq!(
        (log.durable(), log.fault().is_none()),
        (Lsn::new(104), true)
    );
    drop(log);
    let found = read(folder.path()).unwrap();
    assert_eq!(
        (&found.base[..], found.batches, found.last),
        (&b"REDIS"[..], batch(104), 104)
    );
    assert!(!folder.path().join(FIRST).exists());
}

#[test]
fn history_and_unfinished_files_are_removed() {
    let (folder, _) = five();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("appendonly.aof.1.base.rdb"), "old").unwrap();
    std::fs::write(path("temp-appendonly.aof.7.base"), "half").unwrap();
    let manifest = path("appendonly.aof.manifest");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(
        &manifest,
        text + "file appendonly.aof.1.base.rdb seq 1 type h\n",
    )
    .unwrap();
    assert_eq!(read(folder.path()).unwrap().last, 5);
    assert!(!path("appendonly.aof.1.base.rdb").exists());
    assert!(!path("temp-appendonly.aof.7.base").exists());
    assert!(
        !std::fs::read_to_string(&manifest)
            .unwrap()
            .contains("type h")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(
            prop_oneof![
                Just(b"#weir:1 lsn=1 n=1 len=3 crc=00000000\r\n".to_vec()),
                Just(Header::mark(Lsn::new(4)).encode().as_bytes().to_vec()),
                Just(batch(7)),
                Just(b"####\n".to_vec()),
                Just(b"#TS:1\r\n".to_vec()),
                Just(command(&["MULTI"])),
                prop::collection::vec(any::<u8>(), 0..20),
            ],
            0..12,
        ),
    ) {
        let folder = write_folder(&[(FIRST, &bytes.concat())]);
        if let Ok(found) = read(folder.path()) {
            let again = read(folder.path()).unwrap();
            prop_assert_eq!(again, Found { cuts: 0, ..found });
        }
    }
}
