//! A thread that serves over sockets, with a journal whose disk stands still for as long as the
//! test wants.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

use engine::Engine;
use engine::config::Settings;
use journal::{Health, Listener, Lsn};
use parking_lot::{Condvar, Mutex};
use persistence::limits::JOURNAL_BACKLOG_BYTES_MAX;
use persistence::{Config, Load};

use super::*;
use crate::clock::Clock;
use crate::limits::SMALL_CYCLE_BYTES;
use crate::socket::tests::Buffered;

/// How long something may take that happens by itself.
const TIME_ENOUGH: Duration = Duration::from_secs(60);

/// Keeps the journal's thread from going on, as a disk does that does not answer.
#[derive(Default)]
struct Standstill {
    stands: Mutex<bool>,
    changed: Condvar,
}

impl Standstill {
    fn set(&self, stands: bool) {
        *self.stands.lock() = stands;
        self.changed.notify_all();
    }
}

impl Listener for Standstill {
    fn released(&self, _: Lsn) {
        self.changed
            .wait_while(&mut self.stands.lock(), |stands| *stands);
    }

    fn health_changed(&self, _: &Health) {}
}

/// Lets the journal go on whatever happens, or nobody could end it.
struct Guard(Arc<Standstill>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn shard(folder: &std::path::Path) -> Arc<Shard> {
    let clock = Clock::start();
    let mut settings = Settings::default();
    settings.set("dir", folder.to_str().unwrap()).unwrap();
    settings.set("aof-reserve-size", "0").unwrap();
    let config = Config::resolve(&settings);
    let now = clock.now();
    let engine = || Engine::new(settings.clone(), 1, now, &commands::TABLE);
    let loaded = persistence::load(engine(), &config, &Load::default(), now).unwrap();
    let shard = Shard::new(engine(), clock);
    let mut guard = shard.lock();
    let state = &mut *guard;
    state.persistence.loaded(&mut state.engine, loaded, now);
    drop(guard);
    Arc::new(shard)
}

/// A client that the thread with this mailbox serves.
fn connect(mailbox: &Mailbox) -> UnixStream {
    connect_as(mailbox, Socket::Unix)
}

fn connect_as(
    mailbox: &Mailbox,
    socket: impl FnOnce(mio::net::UnixStream) -> Socket,
) -> UnixStream {
    let (client, server) = UnixStream::pair().unwrap();
    client.set_read_timeout(Some(TIME_ENOUGH)).unwrap();
    client.set_write_timeout(Some(TIME_ENOUGH)).unwrap();
    server.set_nonblocking(true).unwrap();
    let socket = socket(mio::net::UnixStream::from_std(server));
    mailbox.post(Message::Accepted(socket));
    client
}

const ALLOCATOR: Allocator = Allocator {
    pages: || (0, 0),
    used: || 0,
    of_thread: || 0,
    give_back: || (),
};

fn ask(client: &mut UnixStream, request: &[u8], reply: &[u8]) {
    client.write_all(request).unwrap();
    let mut came = vec![0; reply.len()];
    client.read_exact(&mut came).unwrap();
    assert_eq!(
        came.escape_ascii().to_string(),
        reply.escape_ascii().to_string()
    );
}

#[test]
fn what_a_client_without_replies_submits_to_a_slow_disk_is_bounded() {
    const VALUE_BYTES: usize = 1_000_000;
    const SETS: u64 = 100;
    let folder = tempfile::tempdir().unwrap();
    let shard = shard(folder.path());
    let io = IoThread::new(ACCEPTING_THREAD + 1, Arc::clone(&shard), ALLOCATOR).unwrap();
    let mailbox = io.mailbox();
    let disk = Arc::new(Standstill::default());
    let journal = shard.journal.awaited().unwrap();
    journal.notify(Arc::clone(&disk) as Arc<dyn Listener>);
    let guard = Guard(Arc::clone(&disk));
    let serving = thread::spawn(move || io.run());

    let mut other = connect(&mailbox);
    ask(&mut other, b"PING\r\n", b"+PONG\r\n");
    disk.set(true);
    let mut silent = connect(&mailbox);
    let sending = thread::spawn(move || {
        let head = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${VALUE_BYTES}\r\n");
        let set = [head.as_bytes(), &[b'v'; VALUE_BYTES], b"\r\n"].concat();
        silent.write_all(b"CLIENT REPLY OFF\r\n").unwrap();
        for _ in 0..SETS {
            silent.write_all(&set).unwrap();
        }
        ask(&mut silent, b"CLIENT REPLY ON\r\n", b"+OK\r\n");
    });

    let begun = Instant::now();
    while journal.backlog_bytes() <= JOURNAL_BACKLOG_BYTES_MAX {
        assert!(begun.elapsed() < TIME_ENOUGH, "so much is not submitted");
        thread::yield_now();
    }
    // In each turn of the thread that answers the other client, it could have gone on.
    let mut backlogs = Vec::new();
    for _ in 0..100 {
        ask(&mut other, b"PING\r\n", b"+PONG\r\n");
        backlogs.push(journal.backlog_bytes());
    }
    let most = JOURNAL_BACKLOG_BYTES_MAX + 2 * VALUE_BYTES;
    assert!(backlogs.iter().all(|bytes| *bytes <= most), "{backlogs:?}");
    assert!(!sending.is_finished());

    drop(guard);
    sending.join().unwrap();
    assert_eq!(shard.lock().engine.stats().changes, SETS);
    mailbox.post(Message::Stop);
    serving.join().unwrap();
}

const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

/// A thread that the test lets serve turn by turn, and clients that it has accepted.
fn by_turns(folder: &std::path::Path) -> (IoThread, Events, [UnixStream; 2]) {
    let mut io = IoThread::new(ACCEPTING_THREAD + 1, shard(folder), ALLOCATOR).unwrap();
    let mailbox = io.mailbox();
    let clients = [connect(&mailbox), connect(&mailbox)];
    let mut events = Events::with_capacity(EVENTS_MAX);
    while io.connections.len() < clients.len() {
        io.turn(&mut events);
    }
    (io, events, clients)
}

fn expect(client: &mut UnixStream, reply: &[u8]) {
    let mut came = vec![0; reply.len()];
    client.read_exact(&mut came).unwrap();
    assert_eq!(came, reply);
}

#[test]
fn the_log_is_woken_when_nothing_more_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let (mut io, mut events, [mut one, mut other]) = by_turns(folder.path());
    one.write_all(SET).unwrap();
    io.turn(&mut events);
    assert_eq!((io.submitted, io.turns_unkicked), (Submitted::Batches, 0));
    other.write_all(SET).unwrap();
    io.turn(&mut events);
    assert_eq!((io.submitted, io.turns_unkicked), (Submitted::Batches, 1));
    while io.submitted == Submitted::Batches {
        io.turn(&mut events);
    }
    let journal = io.shard.journal.awaited().unwrap();
    while journal.released() < Lsn::new(2) {
        io.turn(&mut events);
    }
    io.connections.release();
    for client in [&mut one, &mut other] {
        expect(client, b"+OK\r\n");
    }
}

#[test]
fn the_log_is_woken_at_once_for_much() {
    let folder = tempfile::tempdir().unwrap();
    let (mut io, mut events, [mut one, _other]) = by_turns(folder.path());
    one.write_all(&SET.repeat(SMALL_CYCLE_BYTES / SET.len() + 1))
        .unwrap();
    io.turn(&mut events);
    assert_eq!(io.submitted, Submitted::Nothing);
}

#[test]
fn the_log_is_woken_after_a_few_turns_whatever_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut io, mut events, [mut one, mut other]) = by_turns(folder.path());
    one.write_all(SET).unwrap();
    io.turn(&mut events);
    for turns in 1..=UNKICKED_TURNS_MAX {
        other.write_all(b"PING\r\n").unwrap();
        io.turn(&mut events);
        expect(&mut other, b"+PONG\r\n");
        assert_eq!(
            (io.submitted, io.turns_unkicked),
            (Submitted::Batches, turns)
        );
    }
    other.write_all(b"PING\r\n").unwrap();
    io.turn(&mut events);
    assert_eq!((io.submitted, io.turns_unkicked), (Submitted::Nothing, 0));
}

#[test]
fn what_a_socket_holds_back_is_asked_for_without_another_event() {
    const REQUESTS: usize = 100;
    let clock = Clock::start();
    let engine = Engine::new(Settings::default(), 1, clock.now(), &commands::TABLE);
    let shard = Arc::new(Shard::new(engine, clock));
    let io = IoThread::new(ACCEPTING_THREAD + 1, shard, ALLOCATOR).unwrap();
    let mailbox = io.mailbox();
    let serving = thread::spawn(move || io.run());

    let mut client = connect_as(&mailbox, |stream| Socket::Buffered(Buffered::new(stream)));
    let requests = b"*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n".repeat(REQUESTS);
    ask(&mut client, &requests, &b"$3\r\nabc\r\n".repeat(REQUESTS));
    // Its end is behind what it holds back, too.
    client.write_all(&requests).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).unwrap();
    assert_eq!(replies.len(), b"$3\r\nabc\r\n".len() * REQUESTS);

    mailbox.post(Message::Stop);
    serving.join().unwrap();
}
