//! Elements that many clients move between lists are in one place each, however often the server is
//! killed, and what was pushed or taken out with a reply stays so.
#![expect(
    clippy::unwrap_used,
    reason = "all of it is one test, which fails at the first reply that it does not expect"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::value::Value;

const KILLS: u64 = 6;
const MOVERS: u64 = 8;
const PUSHERS: u64 = 3;
const TAKERS: u64 = 3;

/// The lists between which elements are moved, and how many there are.
const LISTS: [&str; 3] = ["a", "b", "c"];
const MOVED: u64 = 40;

/// The list through which elements go.
const QUEUE: &str = "queue";

const DURABLE: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// What the clients were told.
#[derive(Default)]
struct Told {
    pushed: Mutex<BTreeSet<String>>,
    taken: Mutex<BTreeSet<String>>,
    /// Pops without a reply: each may have taken an element.
    unanswered_pops: AtomicU64,
    moves: AtomicU64,
}

/// Sends requests until it is told to stop, to whichever server is there. `said` gets each request
/// and its reply, `None` if the connection was lost first.
fn keep_asking(
    address: SocketAddr,
    stop: &AtomicBool,
    mut next: impl FnMut() -> Vec<String>,
    mut said: impl FnMut(&[String], Option<Value>),
) {
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut client) = Client::connect(address, Protocol::Resp2) else {
            thread::yield_now();
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let request = next();
            let reply = client.command(&request).ok();
            let reply = reply.filter(|it| !matches!(it, Value::Closed));
            let is_lost = reply.is_none();
            said(&request, reply);
            if is_lost {
                break;
            }
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn mover(number: u64, address: SocketAddr, stop: &AtomicBool, told: &Told) {
    let mut turn = number;
    let next = || {
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = |shift: u32| LISTS[(turn >> shift) as usize % LISTS.len()];
        let end = |shift: u32| ["LEFT", "RIGHT"][(turn >> shift) as usize % 2];
        let (from, to) = (pick(20), pick(30));
        let (out, into) = (end(40), end(45));
        match turn >> 60 {
            0..8 => words(&format!("BLMOVE {from} {to} {out} {into} 0.05")),
            _ => words(&format!("LMOVE {from} {to} {out} {into}")),
        }
    };
    keep_asking(address, stop, next, |_, reply| {
        told.moves
            .fetch_add(u64::from(reply.is_some()), Ordering::Relaxed);
    });
}

fn pusher(number: u64, address: SocketAddr, stop: &AtomicBool, told: &Told) {
    let mut count = 0;
    let next = || {
        count += 1;
        words(&format!("RPUSH {QUEUE} {number}-{count}"))
    };
    keep_asking(address, stop, next, |request, reply| {
        if reply.is_some_and(|it| it.as_int().is_some()) {
            told.pushed.lock().unwrap().insert(request[2].clone());
        }
    });
}

fn taker(address: SocketAddr, stop: &AtomicBool, told: &Told) {
    let next = || words(&format!("BLPOP {QUEUE} 0.05"));
    keep_asking(address, stop, next, |_, reply| match reply {
        Some(reply) => {
            if let Some([_, element]) = reply.elements() {
                let element = String::from_utf8(element.as_bytes().unwrap().to_vec()).unwrap();
                let is_new = told.taken.lock().unwrap().insert(element.clone());
                assert!(is_new, "{element} was taken twice");
            }
        }
        None => {
            told.unanswered_pops.fetch_add(1, Ordering::Relaxed);
        }
    });
}

fn all_of(client: &mut Client, key: &str) -> Vec<String> {
    let reply = client.command(&["LRANGE", key, "0", "-1"]).unwrap();
    let elements = reply.elements().unwrap().iter();
    let texts = elements.map(|element| String::from_utf8_lossy(element.as_bytes().unwrap()).into());
    texts.collect()
}

/// Every moved element is in one place.
fn audit_moves(client: &mut Client) {
    // In a transaction, so that nothing moves between the looks.
    client.command(&["MULTI"]).unwrap();
    for key in LISTS {
        client.command(&["LRANGE", key, "0", "-1"]).unwrap();
    }
    let lists = client.command(&["EXEC"]).unwrap();
    let lists = lists.elements().unwrap().iter();
    let elements = lists.flat_map(|list| list.elements().unwrap());
    let mut found: Vec<u64> = elements
        .map(|it| {
            String::from_utf8_lossy(it.as_bytes().unwrap())
                .parse()
                .unwrap()
        })
        .collect();
    found.sort_unstable();
    assert!(found.iter().copied().eq(0..MOVED), "{found:?}");
}

#[test]
fn no_element_is_lost_or_in_two_lists_when_the_server_is_killed() {
    let weir = peers::weir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(&weir, data.path(), DURABLE).unwrap();
    let address = server.address();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for number in 0..MOVED {
        client
            .command(&["RPUSH", "a", &number.to_string()])
            .unwrap();
    }
    let (told, stop) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    let mut clients = Vec::new();
    for number in 0..MOVERS + PUSHERS + TAKERS {
        let (told, stop) = (Arc::clone(&told), Arc::clone(&stop));
        clients.push(thread::spawn(move || match number {
            0..MOVERS => mover(number, address, &stop, &told),
            MOVERS.. if number < MOVERS + PUSHERS => pusher(number, address, &stop, &told),
            _ => taker(address, &stop, &told),
        }));
    }
    let mut moved_before = 0;
    for _ in 0..KILLS {
        // Something has happened since the last time.
        while told.moves.load(Ordering::Relaxed) < moved_before + 200 {
            thread::sleep(Duration::from_millis(2));
        }
        server = server
            .kill_and_restart(&weir, data.path(), DURABLE)
            .unwrap();
        audit_moves(&mut server.connect(Protocol::Resp2).unwrap());
        moved_before = told.moves.load(Ordering::Relaxed);
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let mut client = server.connect(Protocol::Resp2).unwrap();
    audit_moves(&mut client);
    let left = all_of(&mut client, QUEUE);
    let places: BTreeSet<&String> = left.iter().collect();
    assert_eq!(places.len(), left.len(), "an element is twice in the queue");
    let (pushed, taken) = (told.pushed.lock().unwrap(), told.taken.lock().unwrap());
    assert!(!taken.is_empty() && !pushed.is_empty());
    let again: Vec<_> = taken.iter().filter(|it| places.contains(it)).collect();
    assert!(again.is_empty(), "taken out and still there: {again:?}");
    let gone = |it: &&String| !taken.contains(*it) && !places.contains(*it);
    let gone = pushed.iter().filter(gone).count() as u64;
    let unanswered = told.unanswered_pops.load(Ordering::Relaxed);
    assert!(
        gone <= unanswered,
        "{gone} are lost, {unanswered} pops had no reply"
    );
}
