//! How fast the journal commits on the disk of this machine.
//!
//! One thread acts as an I/O thread with C clients, each of which sends a batch, waits until it is
//! released, and sends the next. `cargo run --release --example group_commit -- FOLDER [seconds]`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use journal::{
    Encoded, FileDisk, Health, Journal, Listener, LocalLog, Lsn, Names, PendingRewrite, Recovery,
    SnapshotFormat, SyncPolicy, TornTail,
};

struct Waker {
    released: AtomicU64,
    thread: Thread,
}

impl Listener for Waker {
    fn released(&self, up_to: Lsn) {
        self.released.store(up_to.number(), Ordering::Release);
        self.thread.unpark();
    }

    fn health_changed(&self, _: &Health) {}
}

fn open(folder: &Path) -> LocalLog<FileDisk> {
    let disk = Arc::new(FileDisk::open(folder).expect("the folder can be opened"));
    let names = Names::new("appendonly.aof");
    let recovery = Recovery::open(disk, names, TornTail::Cut).expect("the log can be read");
    recovery.finish().expect("the log can be continued").0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .expect("usage: group_commit FOLDER [seconds]");
    let seconds = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    let folder = Path::new(&folder).join("group-commit-bench");
    raw_syncs(&folder.with_extension("raw"), Duration::from_secs(1));
    let time = Duration::from_secs(seconds);
    for (policy, clients, batch_bytes, base_bytes) in [
        (SyncPolicy::Always, 1, 170, 0),
        (SyncPolicy::Always, 50, 170, 0),
        (SyncPolicy::Always, 50, 16 * 170, 0),
        (SyncPolicy::Always, 500, 170, 0),
        (SyncPolicy::EverySecond, 50, 170, 0),
        (SyncPolicy::Never, 50, 170, 0),
        (SyncPolicy::Always, 50, 170, 1 << 30),
        (SyncPolicy::EverySecond, 50, 170, 1 << 30),
    ] {
        let _ = std::fs::remove_dir_all(&folder);
        let load = Load {
            policy,
            clients,
            batch_bytes,
            base_bytes,
            time,
        };
        run(&folder, load);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

/// What clients do, and how large a base is written at the same time.
#[derive(Clone, Copy)]
struct Load {
    policy: SyncPolicy,
    clients: usize,
    batch_bytes: usize,
    base_bytes: usize,
    time: Duration,
}

/// Acts as a background thread that rewrites the log.
fn write_base(pending: PendingRewrite<LocalLog<FileDisk>>, bytes: usize) {
    let mut rewrite = pending.wait().expect("a rewrite can begin");
    let piece = vec![b'b'; 64 << 10];
    let begin = Instant::now();
    rewrite.write_all(b"REDIS").expect("there is room");
    for _ in 0..bytes / piece.len() {
        rewrite.write_all(&piece).expect("there is room");
    }
    rewrite.finish(SnapshotFormat::Rdb).expect("the disk works");
    println!(
        "  a base of {} MiB took {:.1?}",
        bytes >> 20,
        begin.elapsed()
    );
}

fn run(folder: &Path, load: Load) {
    let Load {
        policy,
        clients,
        batch_bytes,
        base_bytes,
        time,
    } = load;
    let journal = Journal::start(open(folder), policy).expect("a thread can be started");
    let waker = Arc::new(Waker {
        released: AtomicU64::new(0),
        thread: thread::current(),
    });
    journal.notify(Arc::clone(&waker) as Arc<dyn Listener>);
    let batch = vec![b'x'; batch_bytes];
    let mut buffer = Encoded::default();
    let mut waiting: std::collections::VecDeque<(u64, Instant)> = Default::default();
    let (mut lsn, mut idle) = (0, clients);
    let mut latencies = Vec::new();
    let begin = Instant::now();
    let mut background = None;
    while begin.elapsed() < time {
        if base_bytes > 0 && background.is_none() && begin.elapsed() > time / 10 {
            let pending = journal
                .begin_rewrite(Lsn::new(lsn))
                .expect("no rewrite is in progress");
            background = Some(thread::spawn(move || write_base(pending, base_bytes)));
        }
        // The batches of clients that sent at about the same time are handed over one by one and
        // kicked off once, as a server's thread does.
        for _ in 0..std::mem::take(&mut idle) {
            lsn += 1;
            waiting.push_back((lsn, Instant::now()));
            buffer.push(&batch);
            journal.submit(&mut buffer, Lsn::new(lsn));
        }
        journal.kick();
        let released = waker.released.load(Ordering::Acquire);
        let now = Instant::now();
        while let Some(&(first, sent)) = waiting.front()
            && first <= released
        {
            latencies.push(now.duration_since(sent));
            waiting.pop_front();
            idle += 1;
        }
        if idle == 0 {
            thread::park_timeout(Duration::from_millis(100));
        }
    }
    let took = begin.elapsed().as_secs_f64();
    let stats = journal.stats();
    let cpu = cpu_seconds();
    if let Some(background) = background {
        background.join().expect("the rewrite succeeds");
    }
    journal.close().expect("the log is complete");
    drop(journal);
    let begin = Instant::now();
    drop(open(folder));
    let recovery = begin.elapsed();
    latencies.sort();
    let at = |share: usize| {
        latencies[(latencies.len() * share / 1000).min(latencies.len() - 1)].as_secs_f64() * 1e6
    };
    let bytes = stats.size.log_bytes as f64 / stats.counters.batches as f64;
    println!(
        "{policy:?} c{clients} {batch_bytes} B: {:.0} batches/s, {:.0} groups/s, p50 {:.0} us, p99 {:.0} us, \
         p99.9 {:.0} us, max {:.0} us, {bytes:.1} B/batch on disk, read back in {recovery:.0?}, cpu so far {cpu:.2} s",
        latencies.len() as f64 / took,
        stats.counters.groups as f64 / took,
        at(500),
        at(990),
        at(999),
        at(1000),
    );
}

/// What the disk can do at best: 230 bytes and a sync, growing the file or overwriting it.
fn raw_syncs(path: &Path, time: Duration) {
    for mode in ["growing", "overwriting"] {
        let file = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .open(path)
            .expect("the folder takes files");
        if mode == "overwriting" {
            file.write_all_at(&vec![0; 8 << 20], 0)
                .expect("there is room");
            file.sync_all().expect("the disk works");
        }
        let begin = Instant::now();
        let mut latencies = Vec::new();
        while begin.elapsed() < time {
            let start = Instant::now();
            let offset = latencies.len() as u64 * 230;
            file.write_all_at(&[b'x'; 230], offset)
                .expect("there is room");
            file.sync_data().expect("the disk works");
            latencies.push(start.elapsed());
        }
        latencies.sort();
        let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e6;
        println!(
            "raw fdatasync, {mode}: p50 {:.0} us, p99 {:.0} us",
            at(50),
            at(99)
        );
    }
    let _ = std::fs::remove_file(path);
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|text| text.parse().ok())
        .collect();
    fields.iter().sum::<f64>() / 100.0
}
