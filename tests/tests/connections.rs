//! What can happen to a connection, whatever the requests: pieces, ends, clients that do not read,
//! clients that wait.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use weir_tests::client::{Client, Protocol};
use weir_tests::sockets::{
    PATIENCE, figure, figure_in, raw, read_exactly, request, server, text, until,
};
use weir_tests::value::Value;

/// With and without a journal, and with several threads: replies leave in other ways.
const WAYS: [&[(&str, &str)]; 3] = [
    &[("io-threads", "1")],
    &[("io-threads", "2")],
    &[
        ("io-threads", "2"),
        ("appendonly", "yes"),
        ("appendfsync", "always"),
    ],
];

fn connected(client: &mut Client) -> usize {
    figure(client, "connected_clients")
}

fn blocked(client: &mut Client) -> usize {
    figure(client, "blocked_clients")
}

#[test]
fn what_has_run_or_waits_is_no_longer_in_the_query_buffer() {
    for way in WAYS {
        let server = server(way);
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let mut waiting = raw(&server);
        let long = vec![b'k'; 10_000];
        let wait = [b"XREAD", &b"BLOCK"[..], b"0", b"STREAMS", &long, b"$"];
        waiting.write_all(&request(&wait)).unwrap();
        until(|| blocked(&mut client) == 1);
        let list = text(&mut client, &["CLIENT", "LIST"]);
        let line = list.lines().find(|line| line.contains("cmd=xread"));
        assert!(line.is_some_and(|line| line.contains(" qbuf=0 ")), "{list}");
        let mut idle = server.connect(Protocol::Resp2).unwrap();
        idle.command(&["SET", "k", "v"]).unwrap();
        let list = text(&mut client, &["CLIENT", "LIST"]);
        let line = list.lines().find(|line| line.contains("cmd=set"));
        assert!(line.is_some_and(|line| line.contains(" qbuf=0 ")), "{list}");
    }
}

#[test]
fn requests_may_come_in_any_pieces() {
    let large = vec![b'x'; 300_000];
    let mut requests = request(&[b"ECHO", b"begin"]);
    let mut replies = b"$5\r\nbegin\r\n".to_vec();
    for index in 0..40 {
        let text = format!("value {index}");
        requests.extend(request(&[b"ECHO", text.as_bytes()]));
        replies.extend(format!("${}\r\n{text}\r\n", text.len()).into_bytes());
    }
    requests.extend(request(&[b"SET", b"large", &large]));
    replies.extend(b"+OK\r\n");
    requests.extend(b"PING\r\n");
    replies.extend(b"+PONG\r\n");
    requests.extend(request(&[b"GET", b"large"]));
    replies.extend(format!("${}\r\n", large.len()).into_bytes());
    replies.extend(&large);
    replies.extend(b"\r\n");
    for way in WAYS {
        let server = server(way);
        for piece in [1, 2, 7, 13, 1_000, 64 * 1024, usize::MAX] {
            let mut stream = raw(&server);
            // Large values come in larger pieces, or it would take minutes.
            let (head, tail) = requests.split_at(1_500);
            for piece in head.chunks(piece).chain(tail.chunks(piece.max(4_000))) {
                stream.write_all(piece).unwrap();
            }
            assert!(
                read_exactly(&mut stream, replies.len()) == replies,
                "pieces of {piece}"
            );
        }
    }
}

#[test]
fn what_a_request_allows_counts_for_what_is_behind_it_in_the_same_write() {
    let auth = |value: &[u8]| request(&[b"AUTH", value]);
    let set = |len: usize| request(&[b"SET", b"k", &vec![b'v'; len]]);
    let too_large = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n".to_vec();
    let limit = |bytes: &[u8]| request(&[b"CONFIG", b"SET", b"proto-max-bulk-len", bytes]);
    let wrong = request(&[b"HELLO", b"3", b"AUTH", b"default", b"no"]);
    let (unknown, large) = (
        "-ERR Protocol error: unauthenticated bulk length\r\n",
        "-ERR Protocol error: invalid bulk length\r\n",
    );
    let refused = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        text(&mut other, &["CONFIG", "SET", "requirepass", "secret"]);
        for (requests, replies) in [
            (
                vec![auth(b"secret"), set(20_000)],
                "+OK\r\n+OK\r\n".to_owned(),
            ),
            (
                vec![wrong.clone(), set(20_000)],
                [refused, unknown].concat(),
            ),
            (
                vec![auth(b"secret"), request(&[b"RESET"]), set(20_000)],
                ["+OK\r\n+RESET\r\n", unknown].concat(),
            ),
            (
                vec![
                    auth(b"secret"),
                    limit(b"1mb"),
                    set(1 << 20),
                    too_large.clone(),
                ],
                ["+OK\r\n+OK\r\n+OK\r\n", large].concat(),
            ),
            (
                vec![auth(b"secret"), limit(b"2mb"), set((1 << 20) + 1)],
                "+OK\r\n+OK\r\n+OK\r\n".to_owned(),
            ),
        ] {
            let mut stream = raw(&server);
            stream.write_all(&requests.concat()).unwrap();
            let got = read_exactly(&mut stream, replies.len());
            assert_eq!(String::from_utf8(got).unwrap(), replies);
        }
    }
}

#[test]
fn a_policy_counts_for_what_is_behind_it_in_the_same_write_and_not_before_it() {
    const ROUNDS: usize = 20;
    let server = server(&[("appendonly", "yes"), ("appendfsync", "no")]);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let mut other = server.connect(Protocol::Resp2).unwrap();
    let policy = |word: &str| request(&[b"CONFIG", b"SET", b"appendfsync", word.as_bytes()]);
    let before = figure(&mut other, "journal_syncs");
    for round in 0..ROUNDS {
        let key = format!("key {round}");
        let write = request(&[b"SET", key.as_bytes(), b"v"]);
        client
            .send_raw(&[policy("always"), write, policy("no")].concat())
            .unwrap();
        for _ in 0..3 {
            assert_eq!(client.read().unwrap().to_string(), "+OK");
        }
    }
    until(|| figure(&mut other, "journal_syncs") >= before + ROUNDS);
}

#[test]
fn a_client_that_ends_its_side_gets_all_its_replies() {
    for way in WAYS {
        let server = server(way);
        let mut stream = raw(&server);
        let add = request(&[b"XADD", b"s", b"*", b"f", b"v"]);
        stream.write_all(&add.repeat(1_000)).unwrap();
        stream.write_all(&request(&[b"XLEN", b"s"])).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut replies = Vec::new();
        stream.read_to_end(&mut replies).unwrap();
        assert!(replies.ends_with(b"\r\n:1000\r\n"));
    }
}

#[test]
fn requests_behind_one_that_waits_are_served_after_it() {
    for way in WAYS {
        let server = server(way);
        let mut stream = raw(&server);
        let wait = request(&[b"XREAD", b"BLOCK", b"0", b"STREAMS", b"s", b"$"]);
        let behind = request(&[b"ECHO", b"behind"]);
        let (first, second) = behind.split_at(9);
        stream
            .write_all(&[wait.as_slice(), &behind, first].concat())
            .unwrap();
        let mut other = server.connect(Protocol::Resp2).unwrap();
        until(|| blocked(&mut other) == 1);
        stream.write_all(second).unwrap();
        other.command(&["XADD", "s", "1-1", "f", "v"]).unwrap();
        let expected =
            b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n\
            $6\r\nbehind\r\n$6\r\nbehind\r\n";
        assert_eq!(read_exactly(&mut stream, expected.len()), expected);
    }
}

#[test]
fn a_client_that_goes_while_it_waits_is_let_go() {
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        for end in [Shutdown::Write, Shutdown::Both] {
            let mut stream = raw(&server);
            let wait = request(&[b"XREAD", b"BLOCK", b"0", b"STREAMS", b"s", b"$"]);
            stream.write_all(&wait).unwrap();
            until(|| connected(&mut other) == 2);
            stream.shutdown(end).unwrap();
            until(|| connected(&mut other) == 1);
        }
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody_and_gets_everything_in_the_end() {
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        let value = vec![b'v'; 100_000];
        other.command(&[b"SET".as_slice(), b"k", &value]).unwrap();
        let mut stream = raw(&server);
        // More than the sockets between both take.
        let count = 500;
        stream
            .write_all(&request(&[b"GET", b"k"]).repeat(count))
            .unwrap();
        stream.write_all(&request(&[b"ECHO", b"end"])).unwrap();
        until(|| {
            let list = text(&mut other, &["CLIENT", "LIST"]);
            list.lines().any(|line| !line.contains(" obl=0 "))
        });
        assert_eq!(
            other.command(&["PING"]).unwrap(),
            Value::Simple("PONG".into())
        );
        let one = [b"$100000\r\n", value.as_slice(), b"\r\n"].concat();
        for _ in 0..count {
            assert!(read_exactly(&mut stream, one.len()) == one);
        }
        assert_eq!(read_exactly(&mut stream, 9), b"$3\r\nend\r\n");
    }
}

#[test]
fn a_pipeline_of_long_requests_gives_others_their_turn() {
    let server = server(&[("io-threads", "1")]);
    let connect = || server.connect(Protocol::Resp2).unwrap();
    let (mut client, mut other) = (connect(), connect());
    let count = ["BITCOUNT", "long"];
    client
        .command(&["SETRANGE", "long", "15999999", "x"])
        .unwrap();
    client.command(&count).unwrap();
    let begun = Instant::now();
    client.command(&count).unwrap();
    // As many as take some seconds, and are read at once.
    let each = begun.elapsed().max(Duration::from_micros(100));
    let requests = (3_000_000 / each.as_micros()).clamp(20, 3000) as usize;
    client
        .send_raw("BITCOUNT long\r\n".repeat(requests).as_bytes())
        .unwrap();
    client.read().unwrap();
    // Some have run, and a client that comes now does not wait for all of them.
    let stats = text(&mut other, &["INFO", "commandstats"]);
    let (_, calls) = stats.split_once("cmdstat_bitcount:calls=").unwrap();
    let (calls, _) = calls.split_once(',').unwrap();
    let ran = calls.parse::<usize>().unwrap() - 2;
    assert!(ran > 0 && ran < requests, "{ran} of {requests}");
    for _ in 1..requests {
        assert_eq!(client.read().unwrap(), Value::Int(4));
    }
}

#[test]
fn a_client_that_takes_no_replies_is_closed_at_the_limit() {
    for (limit, least, most) in [
        ("normal 2mb 0 0", Duration::ZERO, PATIENCE),
        ("normal 0 1mb 1", Duration::from_secs(1), PATIENCE),
    ] {
        let server = server(&[("client-output-buffer-limit", limit)]);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        other
            .command(&[b"SET".as_slice(), b"k", &vec![b'v'; 8_000_000]])
            .unwrap();
        let mut stream = raw(&server);
        let begun = Instant::now();
        stream
            .write_all(&request(&[b"GET", b"k"]).repeat(4))
            .unwrap();
        stream.peek(&mut [0]).unwrap();
        until(|| connected(&mut other) == 1);
        let mut end = Vec::new();
        // What the sockets between both had taken is less than was asked for.
        let _ = stream.read_to_end(&mut end);
        assert!(end.len() < 32_000_000);
        assert!((least..most).contains(&begun.elapsed()), "{limit}");
    }
}

#[test]
fn a_client_that_takes_no_replies_can_be_killed() {
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        let value = vec![b'v'; 20_000_000];
        other.command(&[b"SET".as_slice(), b"k", &value]).unwrap();
        let mut stream = raw(&server);
        stream.write_all(&request(&[b"GET", b"k"])).unwrap();
        stream.peek(&mut [0]).unwrap();
        let address = stream.local_addr().unwrap().to_string();
        let killed = other.command(&["CLIENT", "KILL", "ADDR", &address]);
        assert_eq!(killed.unwrap(), Value::Int(1));
        until(|| connected(&mut other) == 1);
        let mut taken = Vec::new();
        let _cut_short = stream.read_to_end(&mut taken);
        assert!(taken.len() < value.len(), "the whole reply was kept for it");
    }
}

#[test]
fn one_client_more_than_there_may_be_is_told_so() {
    let server = server(&[("maxclients", "2"), ("io-threads", "2")]);
    let mut first = server.connect(Protocol::Resp2).unwrap();
    until(|| connected(&mut first) == 1);
    let second = server.connect(Protocol::Resp2).unwrap();
    until(|| connected(&mut first) == 2);
    let mut third = raw(&server);
    let mut told = Vec::new();
    third.read_to_end(&mut told).unwrap();
    assert_eq!(told, b"-ERR max number of clients reached\r\n");
    drop(second);
    until(|| connected(&mut first) == 1);
    let mut again = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(
        again.command(&["PING"]).unwrap(),
        Value::Simple("PONG".into())
    );
}

#[test]
fn clients_for_whom_there_is_no_file_descriptor_are_served_when_others_have_gone() {
    let server = server(&[("io-threads", "2")]);
    let process = Pid::from_raw(server.process_id().cast_signed());
    let limit = Rlimit {
        current: Some(40),
        maximum: Some(40),
    };
    prlimit(process, Resource::Nofile, limit).unwrap();
    let mut streams: Vec<TcpStream> = (0..60).map(|_| raw(&server)).collect();
    for stream in &mut streams {
        stream.write_all(b"PING\r\n").unwrap();
    }
    // Connections are accepted in their order.
    let mut rest = streams.split_off(50);
    until(|| server.log().contains("cannot accept a connection"));
    drop(streams);
    for stream in &mut rest {
        assert_eq!(read_exactly(stream, 7), b"+PONG\r\n");
    }
}

#[test]
fn readers_of_several_threads_are_woken_by_one_append() {
    for way in WAYS {
        let server = server(way);
        let mut readers: Vec<Client> = (0..20)
            .map(|_| server.connect(Protocol::Resp2).unwrap())
            .collect();
        for reader in &mut readers {
            reader
                .send(&["XREAD", "BLOCK", "0", "STREAMS", "s", "$"])
                .unwrap();
        }
        let mut writer = server.connect(Protocol::Resp2).unwrap();
        until(|| blocked(&mut writer) == 20);
        writer.command(&["XADD", "s", "1-1", "f", "v"]).unwrap();
        let woken: Vec<String> = readers
            .iter_mut()
            .map(|reader| reader.read().unwrap().to_string())
            .collect();
        assert!(
            woken
                .iter()
                .all(|reply| *reply == woken[0] && reply.contains("1-1"))
        );
    }
}

#[test]
fn the_last_reply_of_a_connection_is_counted_as_sent() {
    let bulk = |len: usize| format!("${len}\r\n\r\n").len() + len;
    for way in WAYS {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        // That the server answers was found out by another connection, whose replies are counted
        // first: then from one INFO to the next only this connection's reply is added.
        let mut expected = 0;
        until(|| {
            let info = text(&mut other, &["INFO", "stats"]);
            let sent = figure_in(&info, "total_net_output_bytes");
            let is_steady = sent == expected;
            expected = sent + bulk(info.len());
            is_steady
        });
        for round in 0..10 {
            // A thread that was held up may count what it had sent before only now.
            until(|| {
                let mut stream = raw(&server);
                text(&mut other, &["CONFIG", "RESETSTAT"]);
                stream
                    .write_all(&request(&[b"ECHO", &[b'x'; 1000]]))
                    .unwrap();
                read_exactly(&mut stream, bulk(1000));
                if round % 2 == 0 {
                    drop(stream);
                }
                let mut expected = "+OK\r\n".len() + bulk(1000);
                let mut is_exact = false;
                // A reply may be here a moment before its bytes are counted.
                until(|| {
                    let info = text(&mut other, &["INFO", "stats"]);
                    let sent = figure_in(&info, "total_net_output_bytes");
                    is_exact = sent == expected;
                    let is_counted = sent >= expected;
                    expected += bulk(info.len());
                    is_counted
                });
                is_exact
            });
        }
    }
}

#[test]
fn monitors_that_do_not_read_share_what_they_are_shown_and_are_closed_at_the_bound() {
    const MONITORS: usize = 20;
    let slow_journal = [("io-threads", "2"), ("appendonly", "yes")];
    for way in [WAYS[0], WAYS[1], &slow_journal] {
        let server = server(way);
        let mut other = server.connect(Protocol::Resp2).unwrap();
        let monitors: Vec<TcpStream> = (0..MONITORS)
            .map(|_| {
                let mut monitor = raw(&server);
                monitor.write_all(b"MONITOR\r\n").unwrap();
                assert_eq!(read_exactly(&mut monitor, 5), b"+OK\r\n");
                monitor
            })
            .collect();
        let used = |client: &mut Client| -> usize {
            let info = text(client, &["INFO", "memory"]);
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:"));
            line.unwrap().trim().parse().unwrap()
        };
        let before = used(&mut other);
        let mut most = before;
        let value = vec![b'v'; 1_000_000];
        let shown = [0, 1].map(|index| {
            let mut sent = 0;
            while connected(&mut other) > 1 {
                match index {
                    0 if sent >= 20_000_000 => break,
                    _ => other.command(&[b"ECHO".as_slice(), &value]).unwrap(),
                };
                sent += value.len();
                most = most.max(used(&mut other));
                assert!(sent < 100_000_000, "nobody was closed");
            }
            sent
        });
        // Each of them holds up to 32 MB and all together little more than one.
        assert!(most - before < 100_000_000, "{} bytes", most - before);
        assert!(shown[0] >= 20_000_000 && shown[0] + shown[1] > 30_000_000);
        drop(monitors);
        // Short lines, one at a time.
        let mut monitor = raw(&server);
        monitor.write_all(b"MONITOR\r\n").unwrap();
        assert_eq!(read_exactly(&mut monitor, 5), b"+OK\r\n");
        let before = used(&mut other);
        for _ in 0..5_000 {
            other.command(&["ECHO", "x"]).unwrap();
        }
        let grown = used(&mut other).saturating_sub(before);
        assert!(grown < 2_000_000, "{grown} bytes for 5,000 short lines");
    }
}
