//! What one client can make the server hold: replies that nobody reads, requests that are never
//! run.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use weir_tests::client::{Client, Protocol};
use weir_tests::server::Server;
use weir_tests::sockets::{figure, raw, read_exactly, request, server, text, until};

const MEGABYTE: usize = 1_000_000;

fn bulk(value: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

/// The most memory that the server has had so far, according to the system, in bytes.
fn peak(server: &Server) -> usize {
    let path = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.unwrap().split_ascii_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

/// Waits until this many clients have replies that they do not take.
fn until_stuck(client: &mut Client, count: usize) {
    until(|| {
        let list = text(client, &["CLIENT", "LIST"]);
        let stuck = list.lines().filter(|line| !line.contains(" obl=0 "));
        stuck.count() == count
    });
}

/// With a journal, whose syncs replies wait for, and without.
const WAYS: [&[(&str, &str)]; 2] = [
    &[("io-threads", "2")],
    &[
        ("io-threads", "2"),
        ("appendonly", "yes"),
        ("appendfsync", "always"),
    ],
];

/// A way to ask for a gigabyte that is a few megabytes in fact, and what comes.
struct Ask {
    requests: Vec<u8>,
    /// What the reply begins with, before the values.
    opening: Vec<u8>,
    values: usize,
}

#[test]
fn replies_that_nobody_reads_refer_to_values() {
    let value = vec![b'v'; 10 * MEGABYTE];
    let get = request(&[b"GET", b"k"]);
    let keys = [vec![b"MGET".as_slice()], vec![b"k".as_slice(); 100]].concat();
    let queued = [
        b"+OK\r\n".as_slice(),
        &b"+QUEUED\r\n".repeat(100),
        b"*100\r\n",
    ];
    let asks = [
        Ask {
            requests: request(&keys),
            opening: b"*100\r\n".to_vec(),
            values: 100,
        },
        Ask {
            requests: [b"MULTI\r\n", get.repeat(100).as_slice(), b"EXEC\r\n"].concat(),
            opening: queued.concat(),
            values: 100,
        },
        Ask {
            requests: get.repeat(100),
            opening: Vec::new(),
            values: 1,
        },
    ];
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        other.command(&[b"SET".as_slice(), b"k", &value]).unwrap();
        let before = peak(&server);
        let mut streams = Vec::new();
        for ask in &asks {
            for _ in 0..10 {
                let mut stream = raw(&server);
                stream.write_all(&ask.requests).unwrap();
                streams.push((stream, ask));
            }
        }
        until_stuck(&mut other, streams.len());
        let gained = peak(&server) - before;
        assert!(gained < 20 * MEGABYTE, "{gained} bytes for references");
        // The values that are asked for go, and yet each reply is whole.
        other.command(&["APPEND", "k", "more"]).unwrap();
        for (stream, ask) in streams.iter_mut().step_by(10) {
            assert!(read_exactly(stream, ask.opening.len()) == ask.opening);
            for _ in 0..ask.values.min(5) {
                assert!(read_exactly(stream, bulk(&value).len()) == bulk(&value));
            }
        }
        drop(streams);
        until(|| figure(&mut other, "connected_clients") == 1);
    }
}

#[test]
fn many_values_that_are_not_large_are_referred_to_once_they_are_much() {
    let server = server(&[]);
    let mut other = server.connect(Protocol::Resp2).unwrap();
    let value = vec![b'v'; 15_000];
    other.command(&[b"SET".as_slice(), b"k", &value]).unwrap();
    let before = peak(&server);
    let count = 20_000;
    let keys = [vec![b"MGET".as_slice()], vec![b"k".as_slice(); count]].concat();
    let mut stream = raw(&server);
    stream.write_all(&request(&keys)).unwrap();
    until_stuck(&mut other, 1);
    let gained = peak(&server) - before;
    assert!(
        gained < 20 * MEGABYTE,
        "{gained} bytes of {}",
        count * 15_000
    );
    assert_eq!(read_exactly(&mut stream, 8), b"*20000\r\n");
    for _ in 0..count {
        assert!(read_exactly(&mut stream, bulk(&value).len()) == bulk(&value));
    }
}

#[test]
fn a_reply_above_the_limit_is_not_built_and_ends_the_connection() {
    for way in WAYS {
        // "*10\r\n" and ten times "$100000\r\n…\r\n".
        let reply_bytes = 5 + 10 * (9 + 100_000 + 2);
        let limit = format!("normal {reply_bytes} 0 0");
        let settings = [way, &[("client-output-buffer-limit", limit.as_str())]].concat();
        let server = server(&settings);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        let value = vec![b'v'; 100_000];
        other.command(&[b"SET".as_slice(), b"k", &value]).unwrap();
        other.command(&["SET", "one", "1"]).unwrap();

        let at_the_bound = [vec![b"MGET".as_slice()], vec![b"k".as_slice(); 10]].concat();
        let mut stream = raw(&server);
        stream.write_all(&request(&at_the_bound)).unwrap();
        assert!(read_exactly(&mut stream, reply_bytes).ends_with(&bulk(&value)));

        let one_more = [at_the_bound.as_slice(), &[b"none".as_slice()]].concat();
        stream.write_all(&request(&one_more)).unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_or(0), 0);

        // A transaction is done, whatever happens to its reply.
        let mut stream = raw(&server);
        let get = request(&[b"GET", b"k"]).repeat(11);
        let incr = request(&[b"INCR", b"one"]);
        let requests = [b"MULTI\r\n", get.as_slice(), &incr, b"EXEC\r\n"].concat();
        stream.write_all(&requests).unwrap();
        // Replies that came before may have left before.
        stream.read_to_end(&mut Vec::new()).unwrap_or(0);
        assert_eq!(text(&mut other, &["GET", "one"]), "2");

        // A client that takes no replies is not disconnected for them.
        let mut stream = raw(&server);
        stream.write_all(b"CLIENT REPLY OFF\r\n").unwrap();
        stream.write_all(&request(&one_more)).unwrap();
        stream.write_all(b"CLIENT REPLY ON\r\n").unwrap();
        assert_eq!(read_exactly(&mut stream, 5), b"+OK\r\n");
        assert_eq!(
            figure(&mut other, "client_output_buffer_limit_disconnections"),
            2
        );
        assert!(server.log().contains("client-output-buffer-limit"));
    }
}

#[test]
fn ranges_that_nobody_reads_refer_to_the_stream() {
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        // One large entry, and many small ones.
        let large = vec![b'l'; 10 * MEGABYTE];
        let append = [b"XADD".as_slice(), b"s", b"1-1", b"f", &large];
        other.command(&append).unwrap();
        let count = 50_000;
        let mut filler = raw(&server);
        let mut expected = [b"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n", &*bulk(&large)].concat();
        let mut appends = Vec::new();
        for number in 1..=count {
            let id = format!("2-{number}");
            appends.extend(request(&[b"XADD", b"s", id.as_bytes(), b"f", &[b'v'; 100]]));
            expected.extend(b"*2\r\n");
            expected.extend(bulk(id.as_bytes()));
            expected.extend(b"*2\r\n$1\r\nf\r\n");
            expected.extend(bulk(&[b'v'; 100]));
        }
        let sent = thread::spawn({
            let mut stream = filler.try_clone().unwrap();
            move || stream.write_all(&appends).unwrap()
        });
        for number in 1..=count {
            let id = bulk(format!("2-{number}").as_bytes());
            assert!(read_exactly(&mut filler, id.len()) == id);
        }
        sent.join().unwrap();
        other.command(&["XGROUP", "CREATE", "s", "g", "0"]).unwrap();
        let (all, head) = (format!("*{}\r\n", count + 1), "*1\r\n*2\r\n$1\r\ns\r\n");
        let asks = [
            (request(&[b"XRANGE", b"s", b"-", b"+"]), all.clone()),
            (
                request(&[b"XREAD", b"STREAMS", b"s", b"0"]),
                format!("{head}{all}"),
            ),
            (
                request(&[b"XREADGROUP", b"GROUP", b"g", b"c", b"STREAMS", b"s", b">"]),
                format!("{head}{all}"),
            ),
        ];
        let before = peak(&server);
        let mut streams = Vec::new();
        for (requests, opening) in &asks {
            let times = match requests.starts_with(b"*7") {
                true => 1,
                false => 10,
            };
            for _ in 0..times {
                let mut stream = raw(&server);
                stream.write_all(requests).unwrap();
                streams.push((stream, opening.as_bytes()));
            }
        }
        until_stuck(&mut other, streams.len());
        let gained = peak(&server) - before;
        assert!(gained < 40 * MEGABYTE, "{gained} bytes for references");
        // The entries go, and yet each reply is whole.
        other.command(&["XTRIM", "s", "MAXLEN", "0"]).unwrap();
        for (stream, opening) in streams.iter_mut().step_by(10) {
            assert!(read_exactly(stream, opening.len()) == *opening);
            assert!(read_exactly(stream, expected.len()) == expected);
        }
    }
}

#[test]
fn a_reader_whose_reply_is_too_much_goes_and_nobody_else() {
    let server = server(&[("client-output-buffer-limit", "normal 50000 0 0")]);
    let mut other = server.connect(Protocol::Resp2).unwrap();
    for number in 1..=2000 {
        let id = format!("{number}-1");
        let value = [b'v'; 400];
        other
            .command(&[b"XADD".as_slice(), b"s", id.as_bytes(), b"f", &value])
            .unwrap();
    }
    other.command(&["XGROUP", "CREATE", "s", "g", "0"]).unwrap();
    let new = "XREADGROUP GROUP g c STREAMS s >";
    let by_size = "XREADGROUP GROUP g c MAXSIZE 10000000 STREAMS s >";
    let asks = [
        "XREAD MAXSIZE 10000000 STREAMS s 0",
        "XREAD MAXSIZE 10000000 STREAMS none s 0 0",
        "XREAD STREAMS s s 0 0",
        by_size,
        new,
        "XREADGROUP GROUP g c STREAMS s 0",
        "XREADGROUP GROUP g d CLAIM 0 STREAMS s >",
        "XAUTOCLAIM s g e 0 - COUNT 2000",
        "XPENDING s g - + 100000",
        "XINFO STREAM s FULL COUNT 0",
    ];
    for (number, ask) in asks.iter().enumerate() {
        for protocol in ["2", "3"] {
            let mut stream = raw(&server);
            if [new, by_size].contains(ask) {
                other.command(&["XGROUP", "SETID", "s", "g", "0"]).unwrap();
            }
            let requests = format!("CLIENT REPLY SKIP\r\nHELLO {protocol}\r\n{ask}\r\n");
            stream.write_all(requests.as_bytes()).unwrap();
            let got = stream.read_to_end(&mut Vec::new()).unwrap_or(0);
            assert_eq!(got, 0, "{ask}");
        }
        let disconnections = figure(&mut other, "client_output_buffer_limit_disconnections");
        assert_eq!(disconnections, 2 * (number + 1), "{ask}");
    }
}

/// Sends, and returns whether the connection is still there and a reply came that begins like this.
fn is_answered(stream: &mut TcpStream, requests: &[u8], expected: &[u8]) -> bool {
    // The server may have closed it in the middle.
    let _ = stream.write_all(requests);
    let mut reply = vec![0; expected.len()];
    stream.read_exact(&mut reply).is_ok() && reply == expected
}

#[test]
fn a_client_may_send_so_much_and_no_more_before_it_is_run() {
    const LIMIT: usize = 1 << 20;
    for way in WAYS {
        let settings = [way, &[("client-query-buffer-limit", "1mb")]].concat();
        let server = server(&settings);
        let mut other = server.connect(Protocol::Resp2).unwrap();

        // One request, at the bound and one byte above.
        let around = request(&[b"SET", b"k", &vec![b'v'; LIMIT]]).len() - LIMIT;
        for (len, is_taken) in [(LIMIT - around, true), (LIMIT - around + 1, false)] {
            let set = request(&[b"SET", b"k", &vec![b'v'; len]]);
            assert_eq!(is_answered(&mut raw(&server), &set, b"+OK\r\n"), is_taken);
        }

        // A transaction: what is queued counts together with what comes.
        let mut stream = raw(&server);
        assert!(is_answered(&mut stream, b"MULTI\r\n", b"+OK\r\n"));
        let set = request(&[b"SET", b"k", &[b'v'; 10_000]]);
        let queued = (0..200)
            .take_while(|_| is_answered(&mut stream, &set, b"+QUEUED\r\n"))
            .count();
        assert!((95..105).contains(&queued), "{queued} requests of 10 KB");

        // Short requests count with what it takes to keep them.
        let mut stream = raw(&server);
        assert!(is_answered(&mut stream, b"MULTI\r\n", b"+OK\r\n"));
        let queued = (0..20_000)
            .take_while(|_| is_answered(&mut stream, b"PING\r\n", b"+QUEUED\r\n"))
            .count();
        assert!((5_000..20_000).contains(&queued), "{queued} short requests");

        // Watched keys, whose names are kept once for here and where all watches are.
        for (name_bytes, counted) in [(10_000, 95..105), (10, 1_000..3_000)] {
            let mut stream = raw(&server);
            let watched = (0..20_000)
                .take_while(|number| {
                    let key = format!("{number:0>name_bytes$}");
                    is_answered(
                        &mut stream,
                        &request(&[b"WATCH", key.as_bytes()]),
                        b"+OK\r\n",
                    )
                })
                .count();
            assert!(counted.contains(&watched), "{watched} keys of {name_bytes}");
        }

        // What a client says of itself.
        let mut stream = raw(&server);
        let name = vec![b'n'; LIMIT / 2 - 60];
        let said = [
            request(&[b"CLIENT", b"SETNAME", &name]),
            request(&[b"CLIENT", b"SETINFO", b"LIB-NAME", &name]),
            request(&[b"CLIENT", b"SETINFO", b"LIB-VER", &name[..200]]),
        ];
        let taken = said.map(|set| is_answered(&mut stream, &set, b"+OK\r\n"));
        assert_eq!(taken, [true, true, false]);

        // A request that waits for a key: it has the name, and the wait has it once more.
        let mut stream = raw(&server);
        let key = vec![b'k'; LIMIT / 5];
        let wait = request(&[b"XREAD", b"BLOCK", b"0", b"STREAMS", &key, b"$"]);
        stream.write_all(&wait).unwrap();
        until(|| figure(&mut other, "blocked_clients") == 1);
        let list = text(&mut other, &["CLIENT", "LIST"]);
        let waits = list
            .lines()
            .find(|line| line.contains(" cmd=xread "))
            .unwrap();
        let mut words = waits.split(' ');
        let taken = words.find_map(|word| word.strip_prefix("tot-mem="));
        let taken: usize = taken.unwrap().parse().unwrap();
        assert!((2 * key.len()..3 * key.len()).contains(&taken), "{taken}");

        assert_eq!(
            figure(&mut other, "client_query_buffer_limit_disconnections"),
            6
        );
        assert!(server.log().contains("client-query-buffer-limit"));
    }
}

#[test]
fn watched_keys_take_no_more_memory_than_is_counted() {
    const KEYS: usize = 100_000;
    let server = server(&[("io-threads", "1")]);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let used = figure(&mut client, "used_memory");
    for first in (0..KEYS).step_by(1000) {
        let keys = (first..first + 1000).map(|number| format!("{number:0>100}"));
        let watch: Vec<String> = std::iter::once("WATCH".to_owned()).chain(keys).collect();
        client.command(&watch).unwrap();
    }
    let gained = figure(&mut client, "used_memory") - used;
    let list = text(&mut client, &["CLIENT", "LIST"]);
    let mut words = list.split(' ');
    let counted = words.find_map(|word| word.strip_prefix("tot-mem="));
    let counted: usize = counted.unwrap().parse().unwrap();
    assert!(
        gained <= counted,
        "{gained} bytes, of which {counted} counted"
    );
    assert!(
        counted < 2 * gained,
        "{gained} bytes, of which {counted} counted"
    );
}

#[test]
fn a_share_of_maxmemory_bounds_what_all_clients_take() {
    const MAXMEMORY: usize = 40 << 20;
    let server = server(&[("io-threads", "2")]);
    let mut other = server.connect(Protocol::Resp2).unwrap();
    other.command(&["CLIENT", "NO-EVICT", "on"]).unwrap();
    let mut set = |name: &str, value: &str| {
        other.command(&["CONFIG", "SET", name, value]).unwrap();
    };
    set("maxmemory", &MAXMEMORY.to_string());
    set("maxmemory-clients", "5%");
    let bound = MAXMEMORY / 20;

    let mut stream = raw(&server);
    let client_bytes = 20_000;
    assert!(is_answered(&mut stream, b"MULTI\r\n", b"+OK\r\n"));
    let fills = request(&[b"SET", b"k", &vec![b'v'; bound - client_bytes]]);
    assert!(is_answered(&mut stream, &fills, b"+QUEUED\r\n"));
    assert!(is_answered(&mut stream, b"PING\r\n", b"+QUEUED\r\n"));
    // The share is of what maxmemory is now.
    set("maxmemory", &(2 * MAXMEMORY).to_string());
    let more = request(&[b"SET", b"k", &vec![b'v'; client_bytes]]);
    assert!(is_answered(&mut stream, &more, b"+QUEUED\r\n"));
    assert!(is_answered(&mut stream, b"PING\r\n", b"+QUEUED\r\n"));
    set("maxmemory", &MAXMEMORY.to_string());
    assert!(!is_answered(&mut stream, b"PING\r\n", b"+QUEUED\r\n"));
    assert_eq!(figure(&mut other, "evicted_clients"), 1);

    // Without maxmemory it is a share of nothing, and bounds nothing.
    other.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    let mut stream = raw(&server);
    assert!(is_answered(&mut stream, b"MULTI\r\n", b"+OK\r\n"));
    for _ in 0..3 {
        assert!(is_answered(&mut stream, &fills, b"+QUEUED\r\n"));
    }
    assert!(is_answered(&mut stream, b"PING\r\n", b"+QUEUED\r\n"));
}

#[test]
fn the_clients_that_take_most_go_when_all_take_too_much() {
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        other.command(&["CLIENT", "NO-EVICT", "on"]).unwrap();
        other
            .command(&["CONFIG", "SET", "maxmemory-clients", "2mb"])
            .unwrap();
        let value = vec![b'v'; 300_000];
        let queue = |stream: &mut TcpStream, times: usize| {
            assert!(is_answered(stream, b"MULTI\r\n", b"+OK\r\n"));
            let set = request(&[b"SET", b"k", &value]);
            (0..times)
                .take_while(|_| is_answered(stream, &set, b"+QUEUED\r\n"))
                .count()
        };
        let (mut small, mut large, mut kept) = (raw(&server), raw(&server), raw(&server));
        assert_eq!(queue(&mut small, 1), 1);
        kept.write_all(b"CLIENT NO-EVICT on\r\n").unwrap();
        assert_eq!(read_exactly(&mut kept, 5), b"+OK\r\n");
        assert_eq!(queue(&mut kept, 3), 3);
        assert!(queue(&mut large, 10) < 4, "2 MB of them all");
        // Who takes less, or may not go, is still there.
        for stream in [&mut small, &mut kept] {
            assert!(is_answered(stream, b"PING\r\n", b"+QUEUED\r\n"));
        }
        assert_eq!(figure(&mut other, "evicted_clients"), 1);
        assert!(server.log().contains("maxmemory-clients"));
        let list = text(&mut other, &["CLIENT", "LIST"]);
        assert!(list.contains("multi-mem=300008 "), "{list}");
    }
}
