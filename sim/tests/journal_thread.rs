//! The journal with its thread, on a disk that fails: what a server sees of it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use journal::{
    Health, Journal, Listener, LocalLog, Lsn, Names, Operation, Recovery, SnapshotFormat,
    SyncPolicy, TornTail,
};
use sim::disk::{Failure, SimDisk};
use sim::rng::Rng;

type Log = LocalLog<SimDisk>;

#[derive(Default)]
struct Seen {
    state: Mutex<(u64, Health)>,
    changed: Condvar,
}

impl Seen {
    fn wait_until(&self, reached: impl Fn(u64, &Health) -> bool) -> Health {
        let state = self.state.lock().unwrap();
        let state = self
            .changed
            .wait_while(state, |(lsn, health)| !reached(*lsn, health));
        state.unwrap().1.clone()
    }
}

impl Listener for Seen {
    fn released(&self, up_to: Lsn) {
        self.state.lock().unwrap().0 = up_to.number();
        self.changed.notify_all();
    }

    fn health_changed(&self, health: &Health) {
        self.state.lock().unwrap().1 = health.clone();
        self.changed.notify_all();
    }
}

fn open(disk: &SimDisk) -> (Log, u64) {
    let names = Names::new("appendonly.aof");
    let recovery = Recovery::open(Arc::new(disk.clone()), names, TornTail::Cut).unwrap();
    let (log, report) = recovery.finish().unwrap();
    (log, report.last.number())
}

fn start(disk: &SimDisk, policy: SyncPolicy) -> (Journal<Log>, Arc<Seen>) {
    let journal = Journal::start(open(disk).0, policy).unwrap();
    let seen = Arc::new(Seen::default());
    journal.notify(Arc::clone(&seen) as Arc<dyn Listener>);
    (journal, seen)
}

fn submit(journal: &Journal<Log>, lsn: u64) {
    let mut batch = format!("*2\r\n$3\r\nADD\r\n$5\r\n{lsn:05}\r\n")
        .into_bytes()
        .into();
    journal.submit(&mut batch, Lsn::new(lsn));
    journal.kick();
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let disk = SimDisk::new(Rng::new(1));
    let (journal, seen) = start(&disk, SyncPolicy::Always);
    submit(&journal, 1);
    seen.wait_until(|lsn, _| lsn == 1);
    disk.set_capacity(0);
    // Space that was written ahead is there all the same.
    let mut lsn = 1;
    while journal.accepts_writes() {
        lsn += 1;
        submit(&journal, lsn);
        seen.wait_until(|released, health| released == lsn || !health.is_good());
    }
    assert!(lsn > 100);
    let health = seen.wait_until(|_, health| !health.is_good());
    assert!(matches!(&health, Health::Full(fault) if fault.operation == Operation::Write));
    assert_eq!(journal.released(), Lsn::new(lsn - 1));
    submit(&journal, lsn + 1);
    disk.set_capacity(u64::MAX);
    seen.wait_until(|released, health| released == lsn + 1 && health.is_good());
    assert!(journal.accepts_writes());
    journal.close().unwrap();
    drop(journal);
    disk.power_cycle();
    assert_eq!(open(&disk).1, lsn + 1);
}

#[test]
fn after_a_failed_sync_nothing_is_released_before_a_rewrite() {
    let disk = SimDisk::new(Rng::new(2));
    let (journal, seen) = start(&disk, SyncPolicy::Always);
    submit(&journal, 1);
    seen.wait_until(|lsn, _| lsn == 1);
    // The write, then the sync.
    disk.plan(disk.operations() + 2, Failure::Error);
    submit(&journal, 2);
    let health = seen.wait_until(|_, health| !health.is_good());
    assert!(matches!(&health, Health::Poisoned(fault) if fault.operation == Operation::Sync));
    assert_eq!(
        health.fault().unwrap().to_string(),
        "cannot sync appendonly.aof.1.incr.aof: simulated input/output error"
    );
    submit(&journal, 3);
    let mut rewrite = journal.begin_rewrite(Lsn::new(3)).unwrap().wait().unwrap();
    submit(&journal, 4);
    rewrite.write_all(b"REDIS and so on").unwrap();
    assert_eq!(journal.released(), Lsn::new(1));
    rewrite.finish(SnapshotFormat::Rdb).unwrap();
    seen.wait_until(|released, health| released == 4 && health.is_good());
    assert_eq!(journal.durable(), Lsn::new(4));
    // Like a killed process: nothing is closed.
    disk.kill();
    drop(journal);
    disk.power_cycle();
    assert_eq!(open(&disk).1, 4);
}

#[test]
fn a_close_says_what_is_missing() {
    let disk = SimDisk::new(Rng::new(3));
    let (journal, seen) = start(&disk, SyncPolicy::EverySecond);
    submit(&journal, 1);
    seen.wait_until(|lsn, _| lsn == 1);
    disk.plan(disk.operations() + 1, Failure::Error);
    assert!(journal.close().is_err());
}

#[test]
fn a_disk_that_does_not_answer_is_slow_until_it_does() {
    let disk = SimDisk::new(Rng::new(4));
    let (journal, seen) = start(&disk, SyncPolicy::Always);
    let at_once = Some(Duration::ZERO);
    journal.look_for_stall(at_once);
    assert!(
        journal.accepts_writes(),
        "nothing waits, so nothing is slow"
    );
    // Nobody wakes the thread, as if it waited for the disk.
    let mut batch = b"*1\r\n$4\r\nPING\r\n".to_vec().into();
    journal.submit(&mut batch, Lsn::new(1));
    journal.look_for_stall(None);
    journal.look_for_stall(Some(Duration::from_secs(3600)));
    assert!(journal.accepts_writes());
    journal.look_for_stall(at_once);
    assert!(!journal.accepts_writes());
    let health = seen.wait_until(|_, health| !health.is_good());
    assert!(matches!(health, Health::Slow(_)) && !health.releases());
    assert!(matches!(journal.health(), Health::Slow(_)));
    journal.kick();
    seen.wait_until(|released, _| released == 1);
    journal.look_for_stall(at_once);
    assert!(journal.accepts_writes());
    assert!(seen.wait_until(|_, health| health.is_good()).is_good());
}
