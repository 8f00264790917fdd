//! The journal's state machine on a disk that fills up, step by step, with a clock that is moved by
//! hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use journal::{
    Commit, Cut, Elapsed, Event, Flush, Gathered, Health, LocalLog, Lsn, Names, Recovery,
    SnapshotFormat, SnapshotSink, SyncPolicy, TornTail, Trimmed,
};
use sim::disk::SimDisk;
use sim::rng::Rng;

type Log = LocalLog<SimDisk>;

struct Machine {
    disk: SimDisk,
    commit: Commit<Log>,
    submitted: u64,
    now_ms: u64,
    /// When the machine wants to be woken.
    wake_at: Option<Elapsed>,
}

const RESERVE_BYTES: u64 = 1000;

fn machine(reserve_bytes: u64) -> Machine {
    let disk = SimDisk::new(Rng::new(1));
    let log = open(&disk).with_reserve(reserve_bytes);
    Machine {
        disk,
        commit: Commit::new(log, SyncPolicy::Always),
        submitted: 0,
        now_ms: 5000,
        wake_at: None,
    }
}

fn open(disk: &SimDisk) -> Log {
    let names = Names::new("appendonly.aof");
    let recovery = Recovery::open(Arc::new(disk.clone()), names, TornTail::Cut).unwrap();
    recovery.finish().unwrap().0
}

impl Machine {
    fn apply(&mut self, event: Event<Log>) -> Flush<Log> {
        let now = Elapsed::new(Duration::from_millis(self.now_ms));
        self.commit.apply(event, now);
        let flush = self.commit.flush();
        self.wake_at = flush.wake_at;
        flush
    }

    /// Submits a batch with a value of this many bytes.
    fn submit(&mut self, len: usize) {
        self.submitted += 1;
        let mut bytes = format!("*2\r\n$3\r\nADD\r\n${len}\r\n").into_bytes();
        bytes.resize(bytes.len() + len, b'v');
        bytes.extend(b"\r\n");
        self.apply(Event::Gathered(Gathered {
            batches: bytes.into(),
            last: Lsn::new(self.submitted),
            cut: None,
        }));
    }

    /// Begins a rewrite of the current state.
    fn rewrite(&mut self) -> Flush<Log> {
        let at = Lsn::new(self.submitted);
        self.apply(Event::Gathered(Gathered {
            last: at,
            cut: Some(Cut { bytes: 0, at }),
            ..Gathered::default()
        }))
    }

    /// Lets as much time pass as the machine wants.
    fn wait(&mut self) {
        let at = self.wake_at.expect("it waits for nothing");
        let ms = at.since(Elapsed::default()).as_millis();
        self.now_ms = self.now_ms.max(u64::try_from(ms).unwrap());
        self.apply(Event::Tick);
    }

    /// Takes all room except this much.
    fn fill(&self, all_but: u64) {
        self.disk.set_capacity(self.disk.used_bytes() + all_but);
    }

    fn health(&self) -> &'static str {
        self.commit.health().name()
    }

    fn released(&self) -> u64 {
        self.commit.position().released.number()
    }
}

#[test]
fn the_way_down_and_up_again() {
    let mut machine = machine(RESERVE_BYTES);
    machine.submit(10);
    // What was written ahead is used up first.
    machine.fill(0);
    while machine.health() == "good" {
        machine.submit(300);
    }
    // The batch that found no room is in what was kept.
    assert_eq!(machine.health(), "reserve");
    assert_eq!(machine.released(), machine.submitted);
    machine.wait();
    assert_eq!(machine.health(), "reserve", "there is no room to keep");
    while machine.health() == "reserve" {
        machine.submit(300);
    }
    assert_eq!(machine.health(), "full");
    assert_eq!(machine.released(), machine.submitted - 1);
    machine.submit(10);
    machine.wait();
    assert_eq!(machine.health(), "full");
    // Room for what is held, but none to keep.
    machine.fill(RESERVE_BYTES);
    machine.wait();
    assert_eq!(machine.health(), "reserve");
    assert_eq!(machine.released(), machine.submitted);
    machine.fill(2 * RESERVE_BYTES);
    machine.wait();
    assert_eq!((machine.health(), machine.wake_at), ("good", None));
    machine.disk.kill();
    assert_eq!(open(&machine.disk).manifest().increments.len(), 1);
}

#[test]
fn a_rewrite_covers_what_is_held_or_leaves_it() {
    let mut machine = machine(0);
    machine.submit(10);
    machine.fill(0);
    while machine.health() == "good" {
        machine.submit(300);
    }
    assert_eq!(machine.health(), "full");
    let released = machine.released();
    // The first one fails: everything is as it was.
    let sink = machine.rewrite().snapshot.unwrap().unwrap();
    assert_eq!(sink.at(), Lsn::new(machine.submitted));
    drop(sink);
    machine.apply(Event::SnapshotAbandoned);
    assert_eq!((machine.health(), machine.released()), ("full", released));
    // The second one does not. What comes meanwhile waits, even for room that is there.
    let mut sink = machine.rewrite().snapshot.unwrap().unwrap();
    machine.disk.set_capacity(u64::MAX);
    machine.submit(10);
    sink.write_all(b"REDIS and so on").unwrap();
    assert_eq!((machine.health(), machine.released()), ("full", released));
    let base = sink.finish(SnapshotFormat::Rdb).unwrap();
    let stored = machine.apply(Event::SnapshotWritten(base)).stored.unwrap();
    assert_eq!(machine.released(), machine.submitted);
    stored.unwrap().remove();
    machine.apply(Event::Trimmed);
    assert_eq!((machine.health(), machine.wake_at), ("good", None));
    machine.disk.power_cycle();
    let log = open(&machine.disk);
    assert_eq!(log.manifest().increments.len(), 1);
    assert!(log.manifest().base.is_some());
    let commit = Commit::new(log, SyncPolicy::Always);
    assert_eq!(commit.position().written, Lsn::new(machine.submitted));
}

#[test]
fn a_rewrite_gives_way_to_the_log() {
    let mut machine = machine(RESERVE_BYTES);
    machine.submit(10);
    let mut sink = machine.rewrite().snapshot.unwrap().unwrap();
    machine.fill(0);
    while machine.health() == "good" {
        machine.submit(300);
    }
    let error = sink.write_all(b"REDIS").unwrap_err();
    assert_eq!(error.to_string(), "the log needs the room");
    drop(sink);
    machine.apply(Event::SnapshotAbandoned);
    // A rewrite that is wanted now should make room, and does not.
    let mut sink = machine.rewrite().snapshot.unwrap().unwrap();
    while machine.health() == "reserve" {
        machine.submit(300);
    }
    sink.write_all(b"REDIS").unwrap();
    assert!(matches!(machine.commit.health(), Health::Full(_)));
}
