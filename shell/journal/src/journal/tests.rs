use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Condvar;
use std::sync::Mutex as StdMutex;

use super::*;
use crate::file_disk::FileDisk;
use crate::local::LocalLog;
use crate::log::SnapshotFormat;
use crate::names::Names;
use crate::recovery::{Ending, Item, Recovery, Report, TornTail};

type Files = LocalLog<FileDisk>;

/// The signal by which a process ends itself.
const SIGABRT: i32 = 6;

/// Everything that is in the log of a folder: the base, the batches, and the log itself.
fn read(folder: &Path) -> (Vec<u8>, Vec<u8>, Files, Report) {
    let disk = Arc::new(FileDisk::open(folder).unwrap());
    let names = Names::new("appendonly.aof");
    let mut recovery = Recovery::open(disk, names, TornTail::Cut).unwrap();
    let (mut base, mut batches) = (Vec::new(), Vec::new());
    while let Some(item) = recovery.next().unwrap() {
        match item {
            Item::Base(mut reader) => drop(reader.read_to_end(&mut base).unwrap()),
            Item::BaseCommands(bytes) => base.extend_from_slice(bytes),
            Item::Batches(found) => batches.extend_from_slice(found.bytes),
        }
    }
    let (log, report) = recovery.finish().unwrap();
    (base, batches, log, report)
}

fn batch(number: u64) -> Vec<u8> {
    let text = number.to_string();
    format!("*2\r\n$3\r\nADD\r\n${}\r\n{text}\r\n", text.len()).into_bytes()
}

fn batches(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    numbers.flat_map(batch).collect()
}

/// Lets a thread wait for an LSN.
#[derive(Default)]
struct Waiter {
    released: StdMutex<u64>,
    changed: Condvar,
}

impl Waiter {
    fn wait_for(&self, lsn: u64) {
        let released = self.released.lock().unwrap();
        drop(
            self.changed
                .wait_while(released, |released| *released < lsn)
                .unwrap(),
        );
    }
}

impl Listener for Waiter {
    fn released(&self, up_to: Lsn) {
        *self.released.lock().unwrap() = up_to.number();
        self.changed.notify_all();
    }

    fn health_changed(&self, _: &Health) {}
}

/// A shard: the holder of the lock appends the next batch.
fn submit(shard: &Mutex<u64>, journal: &Journal<Files>) -> u64 {
    let mut shard = shard.lock();
    *shard += 1;
    let lsn = *shard;
    journal.submit(&mut batch(lsn).into(), Lsn::new(lsn));
    drop(shard);
    journal.kick();
    lsn
}

#[test]
fn what_many_producers_submit_is_there_after_a_restart() {
    for policy in [
        SyncPolicy::Always,
        SyncPolicy::EverySecond,
        SyncPolicy::Never,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (.., log, report) = read(folder.path());
        assert_eq!(report.ending, Ending::Empty);
        let journal = Journal::start(log, policy).unwrap();
        let waiter = Arc::new(Waiter::default());
        journal.notify(Arc::clone(&waiter) as Arc<dyn Listener>);
        let shard = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let lsn = submit(&shard, &journal);
                        waiter.wait_for(lsn);
                        assert!(journal.released().number() >= lsn);
                    }
                });
            }
        });
        let stats = journal.stats();
        assert_eq!(stats.counters.batches, 200);
        assert!(stats.counters.groups <= 200);
        let times = journal.take_times();
        assert_eq!(times.writes.len() as u64, stats.counters.groups);
        let waited_for = match policy {
            SyncPolicy::Always => stats.counters.syncs,
            SyncPolicy::EverySecond | SyncPolicy::Never => 0,
        };
        assert_eq!(times.syncs.len() as u64, waited_for);
        journal.close().unwrap();
        drop(journal);
        let (base, found, log, report) = read(folder.path());
        assert_eq!(
            (base.len(), report.last, report.ending),
            (0, Lsn::new(200), Ending::Closed)
        );
        assert!(found == batches(1..=200));
        assert_eq!(log.last(), Lsn::new(200));
    }
}

#[test]
fn a_rewrite_goes_on_while_batches_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let (.., log, _) = read(folder.path());
    let journal = Journal::start(log, SyncPolicy::Always).unwrap();
    let shard = Mutex::new(0);
    for round in 1..=3 {
        for _ in 0..10 {
            submit(&shard, &journal);
        }
        let at = *shard.lock();
        let pending = journal.begin_rewrite(Lsn::new(at)).unwrap();
        assert!(matches!(
            journal.begin_rewrite(Lsn::new(at)),
            Err(SnapshotError::InProgress)
        ));
        submit(&shard, &journal);
        let mut rewrite = pending.wait().unwrap();
        assert_eq!(rewrite.at(), Lsn::new(at));
        submit(&shard, &journal);
        if round == 2 {
            drop(rewrite);
        } else {
            write!(rewrite, "REDIS{at}").unwrap();
            rewrite.finish(SnapshotFormat::Rdb).unwrap();
        }
        assert!(!journal.is_rewriting());
    }
    journal.close().unwrap();
    drop(journal);
    let (base, found, log, report) = read(folder.path());
    assert_eq!(base, b"REDIS34");
    assert!(found == batches(35..=36));
    assert_eq!(
        report.files,
        ["appendonly.aof.2.base.rdb", "appendonly.aof.4.incr.aof"]
    );
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "appendonly.aof.2.base.rdb",
            "appendonly.aof.4.incr.aof",
            "appendonly.aof.lock",
            "appendonly.aof.manifest"
        ]
    );
    assert_eq!(log.manifest().history, []);
}

#[test]
fn nothing_can_be_asked_of_a_journal_that_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (.., log, _) = read(folder.path());
    let journal = Journal::start(log, SyncPolicy::Always).unwrap();
    let pending = journal.begin_rewrite(Lsn::ZERO).unwrap();
    let rewrite = pending.wait().unwrap();
    journal.close().unwrap();
    assert!(!journal.accepts_writes());
    assert!(matches!(
        rewrite.finish(SnapshotFormat::Rdb),
        Err(SnapshotError::GivenUp)
    ));
    assert!(matches!(
        journal.begin_rewrite(Lsn::ZERO),
        Err(SnapshotError::GivenUp)
    ));
    journal.close().unwrap();
}

#[test]
fn the_policy_can_be_changed_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (.., log, _) = read(folder.path());
    let journal = Journal::start(log, SyncPolicy::Never).unwrap();
    let waiter = Arc::new(Waiter::default());
    journal.notify(Arc::clone(&waiter) as Arc<dyn Listener>);
    let shard = Mutex::new(0);
    waiter.wait_for(submit(&shard, &journal));
    assert_eq!(
        (journal.written(), journal.durable()),
        (Lsn::new(1), Lsn::ZERO)
    );
    journal.set_policy(SyncPolicy::Always);
    waiter.wait_for(submit(&shard, &journal));
    assert_eq!(journal.durable(), Lsn::new(2));
}

/// Panics when it is called, like a callback with a bug.
struct Faulty;

impl Listener for Faulty {
    fn released(&self, up_to: Lsn) {
        assert!(up_to == Lsn::ZERO, "planted");
    }

    fn health_changed(&self, _: &Health) {}
}

#[test]
fn a_panic_on_the_journals_thread_ends_the_process_and_loses_nothing() {
    const FOLDER: &str = "WEIR_TEST_JOURNAL_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        // This is the process that ends.
        let (.., log, _) = read(Path::new(&folder));
        let journal = Journal::start(log, SyncPolicy::Always).unwrap();
        let waiter = Arc::new(Waiter::default());
        journal.notify(Arc::clone(&waiter) as Arc<dyn Listener>);
        journal.notify(Arc::new(Faulty));
        submit(&Mutex::new(0), &journal);
        waiter.wait_for(2);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let this = "journal::tests::a_panic_on_the_journals_thread_ends_the_process_and_loses_nothing";
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{said}");
    assert!(said.contains("planted"), "{said}");
    assert!(said.contains("start the server again"), "{said}");
    let (_, found, ..) = read(folder.path());
    assert!(found == batches(1..=1));
}
