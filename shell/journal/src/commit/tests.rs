use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::file_disk::FileDisk;
use crate::local::LocalLog;
use crate::log::{SnapshotFormat, SyncJob, Trimmed};
use crate::names::Names;
use crate::recovery::{Recovery, TornTail};

/// A journal in a folder of its own, with a clock in milliseconds.
struct Machine {
    commit: Commit<LocalLog<FileDisk>>,
    submitted: u64,
    now_ms: u64,
    _folder: tempfile::TempDir,
}

type Files = LocalLog<FileDisk>;

fn machine(policy: SyncPolicy) -> Machine {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
    let names = Names::new("appendonly.aof");
    let (log, _) = Recovery::open(disk, names, TornTail::Cut)
        .unwrap()
        .finish()
        .unwrap();
    let commit = Commit::new(log, policy);
    Machine {
        commit,
        submitted: 0,
        now_ms: 10_000,
        _folder: folder,
    }
}

impl Machine {
    fn apply(&mut self, event: Event<Files>) -> Flush<Files> {
        self.commit
            .apply(event, Elapsed::new(Duration::from_millis(self.now_ms)));
        self.commit.flush()
    }

    /// Submits a batch of this size.
    fn submit(&mut self, bytes: usize) -> Flush<Files> {
        self.submitted += 1;
        let last = Lsn::new(self.submitted);
        let batches = vec![b'x'; bytes].into();
        self.apply(Event::Gathered(Gathered {
            batches,
            last,
            cut: None,
        }))
    }

    /// Another program appends to the log, and returns the file and what it holds now.
    fn somebody_else_writes(&self) -> (PathBuf, Vec<u8>) {
        let files = fs::read_dir(self._folder.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let increments = files.filter(|path| path.to_string_lossy().ends_with(".incr.aof"));
        let file = increments.max().unwrap();
        let bytes = [fs::read(&file).unwrap(), b"*1\r\n$4\r\nPING\r\n".to_vec()].concat();
        fs::write(&file, &bytes).unwrap();
        (file, bytes)
    }

    /// Asks for a snapshot of the state of now.
    fn cut(&mut self) -> Flush<Files> {
        let at = Lsn::new(self.submitted);
        let cut = Some(Cut { bytes: 0, at });
        self.apply(Event::Gathered(Gathered {
            last: at,
            cut,
            ..Gathered::default()
        }))
    }

    fn after_ms(&mut self, ms: u64) -> Flush<Files> {
        self.now_ms += ms;
        self.apply(Event::Tick)
    }

    fn end_sync(&mut self, flush: &mut Flush<Files>) -> Flush<Files> {
        let job = flush.sync.take().unwrap();
        let result = job.run();
        self.apply(Event::Synced(job, result))
    }

    /// Written, durable, released.
    fn position(&self) -> [u64; 3] {
        let Position {
            written,
            durable,
            released,
        } = self.commit.position();
        [written.number(), durable.number(), released.number()]
    }
}

#[test]
fn always_releases_what_is_durable() {
    let mut machine = machine(SyncPolicy::Always);
    let flush = machine.submit(10);
    assert!(flush.sync.is_none() && flush.wake_at.is_none());
    assert_eq!(machine.position(), [1, 1, 1]);
}

#[test]
fn every_second_releases_what_is_written_and_syncs_once_a_second() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut first = machine.submit(10);
    assert_eq!(machine.position(), [1, 0, 1]);
    // The machine has long been running, so the first sync is due at once.
    assert!(machine.submit(10).sync.is_none(), "two at a time");
    machine.end_sync(&mut first);
    assert_eq!(machine.position(), [2, 1, 2]);
    let flush = machine.after_ms(999);
    assert!(flush.sync.is_none());
    assert_eq!(
        flush.wake_at,
        Some(Elapsed::new(Duration::from_millis(11_000)))
    );
    let mut flush = machine.after_ms(1);
    machine.end_sync(&mut flush);
    assert_eq!(machine.position(), [2, 2, 2]);
    assert_eq!(machine.after_ms(5000).wake_at, None);
}

#[test]
fn a_late_sync_holds_replies_back() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut flush = machine.submit(10);
    assert!(flush.sync.is_some());
    machine.after_ms(1999);
    machine.submit(10);
    assert_eq!(machine.position(), [2, 0, 2]);
    machine.after_ms(1);
    machine.submit(10);
    assert_eq!(machine.position(), [3, 0, 2]);
    assert_eq!(machine.commit.counters().delayed_syncs, 1);
    machine.end_sync(&mut flush);
    assert_eq!(machine.position(), [3, 1, 3]);
}

#[test]
fn many_bytes_are_synced_before_their_second_has_passed() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut flush = machine.submit(10);
    machine.end_sync(&mut flush);
    assert!(machine.submit(3 << 20).sync.is_none());
    assert!(machine.submit(1 << 20).sync.is_some());
}

#[test]
fn never_releases_what_is_written() {
    let mut machine = machine(SyncPolicy::Never);
    assert!(machine.submit(10).wake_at.is_none());
    assert!(machine.after_ms(60_000).sync.is_none());
    assert_eq!(machine.position(), [1, 0, 1]);
    machine.apply(Event::Policy(SyncPolicy::Always));
    assert_eq!(machine.position(), [1, 1, 1]);
}

#[test]
fn a_cut_waits_until_no_sync_runs() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut sync = machine.submit(10);
    machine.submit(10);
    assert!(machine.cut().snapshot.is_none());
    // What follows belongs in the next file.
    machine.submit(10);
    assert_eq!(machine.position(), [2, 0, 2]);
    let sink = machine.end_sync(&mut sync).snapshot.unwrap().unwrap();
    assert_eq!(machine.position(), [3, 2, 3]);
    let refused = machine.cut().snapshot.unwrap();
    assert!(matches!(refused, Err(SnapshotError::InProgress)));
    let snapshot = sink.finish(SnapshotFormat::Rdb).unwrap();
    let stored = machine
        .apply(Event::SnapshotWritten(snapshot))
        .stored
        .unwrap();
    stored.unwrap().remove();
    machine.apply(Event::Trimmed);
    let manifest = machine.commit.log().manifest();
    assert_eq!((manifest.increments.len(), manifest.history.len()), (1, 0));
}

#[test]
fn a_close_waits_until_no_sync_runs() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut sync = machine.submit(10);
    assert!(machine.apply(Event::Close).closed.is_none());
    assert!(matches!(machine.end_sync(&mut sync).closed, Some(Ok(()))));
    assert_eq!(machine.position(), [1, 1, 1]);
}

#[test]
fn each_write_and_each_sync_is_timed_and_told_once() {
    let mut machine = machine(SyncPolicy::Always);
    // Each look at the clock comes a millisecond after the one before.
    let looks = std::sync::atomic::AtomicU64::new(0);
    machine.commit = machine.commit.timed_by(move || {
        let look = looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Elapsed::new(Duration::from_millis(look))
    });
    for _ in 0..3 {
        machine.submit(10);
    }
    let mut times = Times::default();
    machine.commit.move_times(&mut times);
    let ms = Duration::from_millis(1);
    assert_eq!(times.writes, [ms; 3]);
    assert_eq!(times.syncs, [ms; 3]);
    assert_eq!(machine.commit.counters().syncs, 3);
    assert!(times.background_syncs.is_empty());
    let mut again = Times::default();
    machine.commit.move_times(&mut again);
    assert_eq!(again, Times::default());
}

#[test]
fn a_sync_in_the_background_takes_until_it_is_reported() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut flush = machine.submit(10);
    assert!(machine.commit.is_syncing());
    machine.now_ms += 700;
    machine.end_sync(&mut flush);
    assert!(!machine.commit.is_syncing());
    let mut times = Times::default();
    machine.commit.move_times(&mut times);
    assert_eq!(times.background_syncs, [Duration::from_millis(700)]);
    assert!(times.syncs.is_empty());
}

#[test]
fn so_many_times_are_kept_while_nobody_asks_and_no_more() {
    let mut times = Times::default();
    for _ in 0..=crate::limits::TIMES_MAX {
        times.note_write(Duration::ZERO);
    }
    assert_eq!(times.writes.len(), crate::limits::TIMES_MAX);
    let mut kept = Times::default();
    kept.note_write(Duration::ZERO);
    kept.take_from(&mut times);
    assert_eq!(kept.writes.len(), crate::limits::TIMES_MAX);
    assert!(times.writes.is_empty());
}

#[test]
fn what_was_submitted_before_the_policy_changed_keeps_what_it_was_promised() {
    // A sync that runs keeps the next one from being done at once.
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut first = machine.submit(10);
    machine.apply(Event::Policy(SyncPolicy::Always));
    machine.submit(10);
    assert_eq!(machine.position(), [2, 0, 1]);
    machine.apply(Event::Policy(SyncPolicy::Never));
    machine.submit(10);
    assert_eq!(machine.position(), [3, 0, 1]);
    machine.end_sync(&mut first);
    assert_eq!(machine.position(), [3, 3, 3]);
    machine.submit(10);
    assert_eq!(machine.position(), [4, 3, 4]);
}

#[test]
fn what_was_to_be_synced_within_a_second_is_not_forgotten_when_nothing_has_to_be() {
    let mut machine = machine(SyncPolicy::EverySecond);
    let mut first = machine.submit(10);
    machine.submit(10);
    machine.end_sync(&mut first);
    assert_eq!(machine.position(), [2, 1, 2]);
    machine.apply(Event::Policy(SyncPolicy::Never));
    assert_eq!(machine.position(), [2, 2, 2]);
}

#[test]
fn batches_that_are_numbered_backwards_or_not_at_all_are_not_taken() {
    for last in [1, 2] {
        let mut machine = machine(SyncPolicy::Always);
        machine.submit(10);
        machine.submit(10);
        let gathered = Gathered {
            batches: b"batch".to_vec().into(),
            last: Lsn::new(last),
            cut: None,
        };
        let apply = || machine.apply(Event::Gathered(gathered));
        assert!(catch_unwind(AssertUnwindSafe(apply)).is_err(), "{last}");
    }
}

#[test]
fn what_somebody_else_has_written_is_not_cut_off_where_a_file_ends() {
    let mut machine = machine(SyncPolicy::Always);
    machine.submit(10);
    let (file, foreign) = machine.somebody_else_writes();
    let flush = machine.cut();
    assert!(matches!(
        flush.snapshot,
        Some(Err(SnapshotError::Failed(_)))
    ));
    assert_eq!(fs::read(&file).unwrap(), foreign);
    machine.submit(10);
    assert!(matches!(machine.commit.health(), Health::Fenced(_)));
    let mut machine = super::tests::machine(SyncPolicy::Always);
    machine.submit(10);
    let (file, foreign) = machine.somebody_else_writes();
    let flush = machine.apply(Event::Close);
    assert!(matches!(flush.closed, Some(Err(_))));
    assert_eq!(fs::read(&file).unwrap(), foreign);
}

#[test]
fn who_is_fenced_releases_nothing_and_writes_nothing_not_even_a_snapshot() {
    let mut machine = machine(SyncPolicy::Always);
    machine.submit(10);
    let mut begun = machine.cut();
    let sink = begun.snapshot.take().unwrap().unwrap();
    let (file, foreign) = machine.somebody_else_writes();
    let flush = machine.submit(10);
    assert!(matches!(machine.commit.health(), Health::Fenced(_)));
    assert!(flush.sync.is_none() && !machine.commit.health().releases());
    assert_eq!(machine.position(), [1, 1, 1]);
    // Neither the snapshot that was begun nor another one takes the log's place.
    let snapshot = sink.finish(SnapshotFormat::Rdb).unwrap();
    let flush = machine.apply(Event::SnapshotWritten(snapshot));
    assert!(matches!(flush.stored, Some(Err(SnapshotError::GivenUp))));
    machine.submit(10);
    let flush = machine.cut();
    assert!(matches!(
        flush.snapshot,
        Some(Err(SnapshotError::Failed(_)))
    ));
    assert!(machine.after_ms(60_000).wake_at.is_none());
    let flush = machine.apply(Event::Close);
    assert!(matches!(flush.closed, Some(Err(_))));
    assert_eq!(machine.position(), [1, 1, 1]);
    assert_eq!(fs::read(file).unwrap(), foreign);
}
