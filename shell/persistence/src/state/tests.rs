//! Commands leave orders, the persistence carries them out, and the engine sees the result.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::error::CmdError;
use engine::server::{Conflicts, Order, Reload, ReloadInto, ReloadSource};
use journal::{Health, Listener, Lsn};
use resp::{ArgvBuf, Protocol, Reply};

use super::*;
use crate::limits::JOURNAL_BACKLOG_BYTES_MAX;
use crate::load::Load;
use crate::open;

const NOW: Now = Now {
    unix_us: 1_000_000,
    mono: Mono(1000),
};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server has, without its sockets and threads.
struct Server {
    engine: Engine,
    persistence: Persistence,
    journal: Arc<JournalSlot>,
    session: SessionId,
}

impl Server {
    fn start(folder: &std::path::Path, appendonly: &str) -> Server {
        let mut settings = Settings::default();
        settings.set("dir", folder.to_str().unwrap()).unwrap();
        settings.set("appendonly", appendonly).unwrap();
        settings.set("aof-reserve-size", "0").unwrap();
        settings.set("enable-debug-command", "yes").unwrap();
        let config = Config::resolve(&settings);
        let new = || Engine::new(settings.clone(), 1, NOW, &commands::TABLE);
        let loaded = open::load(new(), &config, &Load::default(), NOW).unwrap();
        let journal = Arc::new(JournalSlot::default());
        let mut persistence = Persistence::new(config, Arc::clone(&journal), Arc::default());
        let mut engine = new();
        persistence.loaded(&mut engine, loaded, NOW);
        let session = engine.connect(String::new(), String::new(), NOW);
        Server {
            engine,
            persistence,
            journal,
            session,
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), NOW, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    /// Ends a turn as the server does: the journal is given what happened, then orders are carried
    /// out.
    fn end_turn(&mut self) {
        if let Some(journal) = self.journal.taking() {
            let last = self.engine.log().last();
            journal.submit(self.engine.effects(), last);
            self.engine.effects_taken();
            journal.kick();
        }
        for order in self.engine.take_orders() {
            match order {
                Order::Snapshot { waiting } => {
                    self.persistence
                        .begin_snapshot(&mut self.engine, waiting, NOW);
                }
                Order::RewriteJournal => self.persistence.begin_rewrite(&mut self.engine, NOW),
                other => panic!("nobody ordered {other:?}"),
            }
        }
    }

    fn figures(&self) -> PersistenceFigures {
        self.engine.server.shell.persistence
    }

    /// Looks until nothing runs in the background.
    fn wait(&mut self) {
        let begun = Instant::now();
        while self.figures().snapshotting || self.figures().rewriting {
            assert!(begun.elapsed() < PATIENCE);
            thread::yield_now();
            self.persistence.look(&mut self.engine, NOW);
        }
    }
}

const SAVING: &str = "-ERR Background save already in progress\r\n";
const REWRITING: &str = "-ERR Background append only file rewriting already in progress\r\n";

#[test]
fn a_command_leaves_an_order_and_changes_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "yes");
    server.ask("SET key value");
    let before = server.figures();
    assert_eq!(server.ask("BGSAVE"), "+Background saving started\r\n");
    assert_eq!(
        server.ask("BGREWRITEAOF"),
        "+Background append only file rewriting started\r\n"
    );
    // In the same turn: nothing has begun yet, and a second one is refused all the same.
    assert_eq!(server.figures(), before);
    for (request, reply) in [
        ("BGSAVE", SAVING),
        ("SAVE", SAVING),
        ("SHUTDOWN SAVE", SAVING),
        ("BGREWRITEAOF", REWRITING),
        ("DEBUG LOADAOF", REWRITING),
    ] {
        assert_eq!(server.ask(request), reply, "{request}");
    }
    let info = server.ask("INFO persistence");
    assert!(info.contains("rdb_bgsave_in_progress:1\r\n"), "{info}");
    assert!(info.contains("aof_rewrite_in_progress:1\r\n"), "{info}");

    server.end_turn();
    assert!(server.figures().snapshotting && server.figures().rewriting);
    assert_eq!(server.ask("BGSAVE"), SAVING);
    assert_eq!(server.ask("BGREWRITEAOF"), REWRITING);

    server.wait();
    let after = server.figures();
    assert_eq!((after.snapshots, after.rewrites), (1, 1));
    assert!(!after.snapshot_failed && !after.rewrite_failed);
    assert!(folder.path().join("dump.rdb").is_file());
    assert_eq!(server.ask("BGSAVE"), "+Background saving started\r\n");
}

#[test]
fn what_failed_is_told_and_may_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.rdb");
    let mut server = Server::start(folder.path(), "no");
    assert_eq!(
        server.ask("BGREWRITEAOF"),
        server.ask("DEBUG LOADAOF"),
        "there is no journal"
    );
    // A folder is in the way of the file.
    std::fs::create_dir(&path).unwrap();
    server.ask("BGSAVE");
    server.end_turn();
    server.wait();
    assert!(server.figures().snapshot_failed);
    assert_eq!(server.figures().snapshot_failures, 1);

    std::fs::remove_dir(&path).unwrap();
    assert_eq!(server.ask("BGSAVE"), "+Background saving started\r\n");
    server.end_turn();
    server.wait();
    let after = server.figures();
    assert!(!after.snapshot_failed && path.is_file());
    assert_eq!((after.snapshots, after.snapshot_failures), (1, 0));
}

/// A disk that does not answer: the journal's thread stands still until this is dropped.
struct Standstill(Mutex<mpsc::Receiver<()>>);

impl Listener for Standstill {
    fn released(&self, _: Lsn) {
        self.0.lock().unwrap().recv().ok();
    }

    fn health_changed(&self, _: &Health) {}
}

impl Server {
    /// Turns the journal on, up to where its base is to be written.
    fn begin_journal(&mut self) -> Beginning {
        let prepared = prepare(self.persistence.config.clone()).unwrap();
        self.persistence
            .begin_journal(&mut self.engine, prepared, NOW)
            .unwrap()
    }
}

#[test]
fn a_journal_that_begins_gives_up_if_clients_are_faster_than_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "no");
    server.ask("SET before 1");
    let beginning = server.begin_journal();
    let (goes_on, stands) = mpsc::channel();
    let journal = server.journal.taking().unwrap();
    goes_on.send(()).unwrap();
    journal.notify(Arc::new(Standstill(Mutex::new(stands))));
    // The thread takes one batch, and stands still when it has released it.
    server.ask("SET first 1");
    server.end_turn();
    let begun = Instant::now();
    while journal.backlog_bytes() > 0 {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
    let value = "v".repeat(1 << 20);
    let mut batches = 0;
    while journal.backlog_bytes() <= JOURNAL_BACKLOG_BYTES_MAX {
        server.persistence.look(&mut server.engine, NOW);
        assert!(server.journal.is_beginning(), "after {batches} batches");
        assert_eq!(server.ask(&format!("SET k {value}")), "+OK\r\n");
        server.end_turn();
        batches += 1;
    }
    assert!(batches >= JOURNAL_BACKLOG_BYTES_MAX >> 20);
    server.persistence.look(&mut server.engine, NOW);
    assert!(!server.journal.is_beginning() && server.journal.taking().is_none());
    // Nothing gathers any more, and clients are served as before.
    assert_eq!(server.ask("SET after 1"), "+OK\r\n");
    assert!(!server.engine.log().has_bytes());

    drop(goes_on);
    let background = Arc::clone(server.persistence.background());
    let begun = beginning.write(&background);
    let result = server
        .persistence
        .journal_begun(&mut server.engine, &begun, NOW);
    assert!(result.is_err_and(|error| error.contains("slower than the clients")));
    begun.settle(&Err(String::new()));
    assert!(!server.figures().journal_begins && !server.figures().journalling);
    // What is on the disk is not taken for everything by a start with a journal.
    let again = Server::start(folder.path(), "no").begin_journal();
    drop(again);
}

#[test]
fn a_file_is_not_loaded_while_a_journal_begins() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "no");
    server.ask("SET k saved");
    server.persistence.save(&mut server.engine, NOW).unwrap();
    server.ask("SET k now");
    let beginning = server.begin_journal();
    let reload = Reload {
        source: ReloadSource::File,
        before: ReloadInto::Emptied,
        conflicts: Conflicts::Refused,
    };
    let persistence = &mut server.persistence;
    let refused = persistence.reload(&mut server.engine, reload, NOW);
    assert!(matches!(refused, Err(CmdError::NotNow)), "{refused:?}");
    assert_eq!(server.ask("GET k"), "$3\r\nnow\r\n");
    server.ask("SET while 1");
    server.end_turn();

    let background = Arc::clone(server.persistence.background());
    let begun = beginning.write(&background);
    let result = server
        .persistence
        .journal_begun(&mut server.engine, &begun, NOW);
    begun.settle(&result);
    result.unwrap();
    // Now it may be, and the journal has it.
    let persistence = &mut server.persistence;
    persistence.reload(&mut server.engine, reload, NOW).unwrap();
    assert_eq!(server.ask("GET k"), "$5\r\nsaved\r\n");
    server.journal.close();
    drop(server);
    let mut server = Server::start(folder.path(), "yes");
    assert_eq!(server.ask("GET k"), "$5\r\nsaved\r\n");
    assert_eq!(server.ask("GET while"), "$-1\r\n");
}

impl Server {
    /// Turns the journal off, up to where what it was given is made durable.
    fn end_journal(&mut self) -> Result<Option<Ending>, &'static str> {
        let config = Config {
            journalling: false,
            ..self.persistence.config.clone()
        };
        self.persistence.end_journal(&mut self.engine, config, NOW)
    }
}

#[test]
fn a_journal_is_turned_off_on_a_disk_that_does_not_answer_and_keeps_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "yes");
    let (goes_on, stands) = mpsc::channel();
    let journal = server.journal.whole().unwrap();
    goes_on.send(()).unwrap();
    journal.notify(Arc::new(Standstill(Mutex::new(stands))));
    server.ask("SET released 1");
    server.end_turn();
    until(|| journal.backlog_bytes() == 0);
    server.ask("SET waiting 1");
    server.end_turn();
    let waiting = server.engine.log().last();
    // Under the lock, nothing waits for the disk.
    let ending = server.end_journal().unwrap().unwrap();
    let settles = thread::spawn(|| ending.settle());
    // Clients are served, and what they write now is for no journal.
    assert_eq!(server.ask("SET later 1"), "+OK\r\n");
    assert!(!server.engine.log().has_bytes() && server.journal.taking().is_none());
    // A reply that waits goes on waiting, and becomes an error if the disk takes too long. Who
    // finds that out tells the listeners, and so waits for the one that stands still.
    let awaited = server.journal.awaited().unwrap();
    assert!(awaited.released() < waiting);
    let ends = Arc::new(AtomicBool::new(false));
    let looks = thread::spawn({
        let (slot, ends) = (Arc::clone(&server.journal), Arc::clone(&ends));
        move || {
            while !ends.load(Ordering::Relaxed) {
                slot.look_for_stall(1);
                thread::yield_now();
            }
        }
    });
    until(|| matches!(awaited.health(), Health::Slow(_)));
    assert!(!settles.is_finished());

    ends.store(true, Ordering::Relaxed);
    drop(goes_on);
    looks.join().unwrap();
    settles.join().unwrap();
    assert_eq!(awaited.released(), waiting);
    server.persistence.journal_ended(&mut server.engine, NOW);
    assert!(server.journal.awaited().is_none() && !server.figures().journalling);
    assert_eq!(server.ask("SET k 1"), "+OK\r\n");
    drop(server);
    let mut server = Server::start(folder.path(), "yes");
    assert_eq!(server.ask("EXISTS released waiting later k"), ":2\r\n");
}

#[test]
fn a_journal_is_not_turned_off_while_it_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "yes");
    server.ask("SET k kept");
    server.end_turn();
    let journal = server.journal.whole().unwrap();
    until(|| journal.written() == server.engine.log().last());
    // Somebody else writes to it, and nobody has looked at its health yet.
    let increment = folder
        .path()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    let mut file = File::options().append(true).open(increment).unwrap();
    file.write_all(b"*3\r\n$3\r\nSET\r\n$7\r\nforeign\r\n$1\r\n1\r\n")
        .unwrap();
    server.ask("SET k lost");
    server.end_turn();
    until(|| matches!(journal.health(), Health::Fenced(_)));
    assert_eq!(server.end_journal().err(), Some(BEING_LOADED));
    assert!(server.persistence.takes_reload());
    assert_eq!(server.end_journal().err(), Some(BEING_LOADED));
    assert!(!server.persistence.takes_reload());

    server.journal.close();
    let loaded = open::load(
        server.engine.empty_like(NOW),
        &server.persistence.reload_config(),
        &Load::default(),
        NOW,
    );
    drop(journal);
    server
        .persistence
        .loaded(&mut server.engine, loaded.unwrap(), NOW);
    assert_eq!(
        server.ask("MGET k foreign"),
        "*2\r\n$4\r\nkept\r\n$1\r\n1\r\n"
    );
    assert!(server.journal.whole().is_some());
    server.end_journal().unwrap().unwrap().settle();
}

/// Waits for something that happens by itself.
fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
}
