//! The log service on real NATS servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod support;

use std::time::{Duration, Instant};

use cluster::{LogService, OpenError, ServiceConfig, TrimError, trim};
use nix::sys::signal::Signal;
use replication::{Chain, Event, Position, Publish, Read, Seq, Source, Ticket};
use serde_json::json;
use support::{alone, jetstream, leader_of, on_three, run, servers, user};
use tokio::time::{sleep, timeout};
use weir_tests::link::{Direction, Link, Traffic};
use weir_tests::nats::{Nats, Sync};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between records, and between looks for new ones.
const PACE: Duration = Duration::from_millis(5);

fn record(seq: u64) -> Vec<u8> {
    format!("record {seq}").into_bytes()
}

fn publish(ticket: u64, expected: u64, bytes: Vec<u8>) -> Publish {
    Publish {
        ticket: Ticket(ticket),
        expected: Seq(expected),
        bytes,
    }
}

async fn next(service: &mut LogService) -> Event {
    timeout(PATIENCE, service.next()).await.unwrap()
}

/// All records from one on, and the number of the last one that the log has.
async fn read(service: &mut LogService, from: u64, source: Source) -> (Vec<Vec<u8>>, Seq) {
    let ticket = Ticket(1 << 32);
    let from = Seq(from);
    service.read(Read {
        ticket,
        from,
        source,
    });
    let mut records = Vec::new();
    loop {
        match next(service).await {
            Event::Found { seq, bytes, .. } => {
                assert_eq!(seq.0, from.0 + records.len() as u64);
                records.push(bytes);
            }
            Event::End { last, .. } => return (records, last),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn records_are_appended_where_they_are_expected_and_read_back() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "records");
    run(async {
        let mut service = LogService::open(&config).await.unwrap();
        let bytes_max = service.body_bytes_max();
        assert!((1 << 19..1 << 20).contains(&bytes_max), "{bytes_max}");
        let nothing = (Vec::new(), Seq(0));
        assert_eq!(read(&mut service, 1, Source::Any).await, nothing);
        assert_eq!(read(&mut service, 1, Source::Leader).await, nothing);

        // More than one request for records brings.
        let count = 600;
        for seq in 1..=count {
            let publish = publish(seq, seq - 1, record(seq));
            service.publish(publish).await;
        }
        for seq in 1..=count {
            let (ticket, seq) = (Ticket(seq), Seq(seq));
            assert_eq!(next(&mut service).await, Event::Acked { ticket, seq });
        }
        let largest = vec![b'x'; bytes_max + 96];
        service.publish(publish(1000, count, largest.clone())).await;
        let (ticket, seq) = (Ticket(1000), Seq(count + 1));
        assert_eq!(next(&mut service).await, Event::Acked { ticket, seq });
        for wrong in [0, count, count + 2] {
            service
                .publish(publish(1001 + wrong, wrong, record(0)))
                .await;
            let ticket = Ticket(1001 + wrong);
            assert_eq!(next(&mut service).await, Event::Refused { ticket });
        }

        let records = (1..=count).map(record).chain([largest]);
        let records: Vec<_> = records.collect();
        for source in [Source::Any, Source::Leader] {
            let (found, last) = read(&mut service, 1, source).await;
            assert!(found == records, "{source:?}");
            assert_eq!(last, Seq(count + 1));
        }
        let (found, last) = read(&mut service, count, Source::Any).await;
        assert!(found == records[599..]);
        assert_eq!(last, Seq(count + 1));
    });
}

#[test]
fn a_record_that_is_too_long_for_the_servers_is_not_sent() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "long");
    run(async {
        let mut service = LogService::open(&config).await.unwrap();
        service.publish(publish(1, 0, vec![0; (1 << 20) + 1])).await;
        let failed = Event::Failed { ticket: Ticket(1) };
        assert_eq!(next(&mut service).await, failed);
    });
}

#[test]
fn what_was_trimmed_is_told_by_the_leader() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "trimmed");
    run(async {
        let mut service = LogService::open(&config).await.unwrap();
        for seq in 1..=5 {
            service.publish(publish(seq, seq - 1, record(seq))).await;
            assert!(matches!(next(&mut service).await, Event::Acked { .. }));
        }
        let purge = "$JS.API.STREAM.PURGE.weir-trimmed";
        jetstream(&config, purge, json!({ "seq": 4 })).await;
        for source in [Source::Any, Source::Leader] {
            let ticket = Ticket(9);
            let from = Seq(1);
            service.read(Read {
                ticket,
                from,
                source,
            });
            let first = next(&mut service).await;
            let expected = Event::Found {
                ticket,
                seq: Seq(4),
                trimmed_to: Seq(4),
                bytes: record(4),
            };
            assert_eq!(first, expected, "{source:?}");
        }
    });
}

#[test]
fn the_log_is_trimmed_behind_a_snapshot_of_itself_only() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "behind");
    run(async {
        let mut service = LogService::open(&config).await.unwrap();
        for seq in 1..=5 {
            service.publish(publish(seq, seq - 1, record(seq))).await;
            assert!(matches!(next(&mut service).await, Event::Acked { .. }));
        }
    });
    let snapshot = |seq, tip: &[u8]| Position {
        seq: Seq(seq),
        tip: Chain::after(tip),
        ..Position::default()
    };
    let at_3 = snapshot(3, &record(3));
    let beyond = trim(&config, &at_3, Seq(5)).unwrap_err();
    assert!(
        matches!(beyond, TrimError::BeyondSnapshot { .. }),
        "{beyond}"
    );
    let other = trim(&config, &snapshot(3, b"another"), Seq(4)).unwrap_err();
    assert!(matches!(other, TrimError::OtherLog { .. }), "{other}");
    // The log has not come to there.
    assert!(trim(&config, &snapshot(6, b""), Seq(2)).is_err());
    assert_eq!(trim(&config, &at_3, Seq(1)).unwrap(), Seq(1));
    assert_eq!(trim(&config, &at_3, Seq(3)).unwrap(), Seq(3));
    assert_eq!(trim(&config, &at_3, Seq(4)).unwrap(), Seq(4));
    // Others have done it.
    assert_eq!(trim(&config, &at_3, Seq(2)).unwrap(), Seq(4));
}

#[test]
fn a_stream_that_could_forget_is_refused() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "forgets");
    run(async {
        drop(LogService::open(&config).await.unwrap());
        let stream = json!({
            "name": "weir-forgets", "subjects": ["weir.forgets.log"], "max_age": 60_000_000_000_u64,
            "storage": "file", "num_replicas": 1, "discard": "new", "deny_delete": true,
            "allow_direct": true,
        });
        let answer = jetstream(&config, "$JS.API.STREAM.UPDATE.weir-forgets", stream).await;
        assert!(!answer.contains("error"), "{answer}");
        let error = LogService::open(&config).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(
                error,
                OpenError::Differs {
                    field: "max_age",
                    ..
                }
            ),
            "{text}"
        );
    });
}

#[test]
fn a_log_that_cannot_be_kept_as_required_is_not_opened() {
    let Some(nats) = servers(1) else { return };
    run(async {
        // One server cannot keep three copies.
        let error = LogService::open(&on_three(&nats, "three"))
            .await
            .unwrap_err();
        assert!(matches!(error, OpenError::Refused { .. }), "{error}");
        // One copy is for development.
        let one = ServiceConfig {
            replicas: 1,
            ..on_three(&nats, "one")
        };
        let error = LogService::open(&one).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Replicas { replicas: 1 }),
            "{error}"
        );
        let stranger = ServiceConfig {
            user: Some(user("stranger")),
            ..alone(&nats, "stranger")
        };
        let error = LogService::open(&stranger).await.unwrap_err();
        assert!(matches!(error, OpenError::Connect(_)), "{error}");
    });
}

/// Everything that takes three servers, which take their time to begin: they are checked, and then
/// one of them is lost that a reader may be reading from.
#[test]
fn three_servers_must_sync_and_one_of_them_may_be_lost() {
    let Some(mut nats) = servers(3) else { return };
    nats.kill(2).unwrap();
    nats.start_server(2, Sync::Sometimes).unwrap();
    let config = on_three(&nats, "three");
    run(async {
        let error = LogService::open(&config).await.unwrap_err().to_string();
        assert!(error.contains("nats-2 does not sync"), "{error}");
    });
    nats.kill(2).unwrap();
    nats.start_server(2, Sync::Always).unwrap();
    run(async {
        let leader = leader_of(&config, &nats).await;
        let lost = (leader + 1) % 3;
        let at = |server: usize| ServiceConfig {
            servers: vec![nats.addresses()[server].clone()],
            ..config.clone()
        };
        // They find the other servers by themselves.
        let mut writer = LogService::open(&at(leader)).await.unwrap();
        // Of a server that is paused, only its silence tells.
        let longest_max = Duration::from_secs(1);
        for (first, signal) in [(1, Signal::SIGSTOP), (601, Signal::SIGKILL)] {
            let mut reader = LogService::open(&at(lost)).await.unwrap();
            assert_eq!(reader.server(), Nats::name(lost));
            let written = write(&mut writer, first, 600);
            let read = tail(&mut reader, first, 600, |count| {
                if count == 200 {
                    nats.signal(lost, signal).unwrap();
                }
            });
            let ((), longest) = tokio::join!(written, read);
            assert!(
                longest < longest_max,
                "nothing was read for {longest:?} after {signal}"
            );
            assert_ne!(reader.server(), Nats::name(lost));
            nats.signal(lost, Signal::SIGCONT).unwrap();
        }
    });
}

#[test]
fn a_log_goes_on_without_a_server_that_is_divided_from_the_others() {
    let Some(nats) = Nats::start_linked(&std::env::temp_dir(), 3, Sync::Always).unwrap() else {
        return;
    };
    let config = on_three(&nats, "divided");
    run(async {
        let mut writer = LogService::open(&config).await.unwrap();
        let leader = leader_of(&config, &nats).await;
        let divided = (leader + 1) % 3;
        write(&mut writer, 1, 100).await;
        let links = (0..3).filter_map(|other| {
            let (there, back) = (nats.link(divided, other)?, nats.link(other, divided)?);
            (other != divided).then_some([there, back])
        });
        let links: Vec<&Link> = links.flatten().collect();
        assert_eq!(links.len(), 4);
        for link in &links {
            link.set(Direction::There, Traffic::Silent);
            link.set(Direction::Back, Traffic::Silent);
        }
        // The two that are left go on.
        write(&mut writer, 101, 100).await;
        for link in &links {
            link.mend();
        }
        let at_divided = ServiceConfig {
            servers: vec![nats.addresses()[divided].clone()],
            ..config.clone()
        };
        let mut reader = LogService::open(&at_divided).await.unwrap();
        tail(&mut reader, 1, 200, |_| {}).await;
    });
}

/// Appends records, one every few milliseconds.
async fn write(service: &mut LogService, first: u64, count: u64) {
    for seq in first..first + count {
        service.publish(publish(seq, seq - 1, record(seq))).await;
        let (ticket, seq) = (Ticket(seq), Seq(seq));
        assert_eq!(next(service).await, Event::Acked { ticket, seq });
        sleep(PACE).await;
    }
}

/// Follows the log, and tells the count of records after each. Gives the longest wait for one.
async fn tail(
    service: &mut LogService,
    first: u64,
    count: u64,
    mut found: impl FnMut(u64),
) -> Duration {
    let mut longest = Duration::ZERO;
    let (mut read, mut last) = (0, Instant::now());
    while read < count {
        service.read(Read {
            ticket: Ticket(read),
            from: Seq(first + read),
            source: Source::Any,
        });
        loop {
            match next(service).await {
                Event::Found { seq, bytes, .. } => {
                    assert_eq!((seq.0, bytes), (first + read, record(first + read)));
                    read += 1;
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                    found(read);
                }
                Event::End { .. } | Event::Unavailable => break,
                other => panic!("{other:?}"),
            }
        }
        sleep(PACE).await;
    }
    longest
}
