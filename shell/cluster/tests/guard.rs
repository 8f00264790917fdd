//! Looking after a log on real NATS servers: what has changed is an alarm, and what is missing or
//! wrong is found, wherever it is.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[allow(dead_code, reason = "not every test does everything with a node")]
#[path = "support/machine.rs"]
mod machine;
#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use std::time::Duration;

use cluster::{LogService, OpenError, ServiceConfig, Ward, check_again, watch};
use machine::{Machine, wait_until};
use parking_lot::Mutex;
use replication::{Event, Position, Read, Seq, Source, Stop, StopReason, Ticket};
use serde_json::json;
use support::{alone, jetstream, run, servers};
use tokio::time::timeout;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a watch has found, until it has found something.
#[derive(Default)]
struct Found {
    verified: Mutex<Seq>,
    broken: Mutex<Option<Stop>>,
    /// Where to begin.
    at: Position,
    enough: Seq,
}

impl Ward for Found {
    fn is_over(&self) -> bool {
        self.broken.lock().is_some() || *self.verified.lock() >= self.enough
    }

    fn may_verify(&self) -> bool {
        true
    }

    fn beginning(&self, _: Seq) -> Option<Position> {
        Some(self.at)
    }

    fn alarm(&self, _: Option<String>) {}

    fn replica_differs(&self, stop: &Stop) {
        panic!("there is one replica: {stop}");
    }

    fn verified(&self, up_to: Seq) {
        *self.verified.lock() = up_to;
    }

    fn broken(&self, stop: Stop) {
        *self.broken.lock() = Some(stop);
    }
}

/// The records of a log that a node has led.
fn records(config: &ServiceConfig) -> Vec<Vec<u8>> {
    let machine = Machine::start(config, 1);
    wait_until("the node leads", || machine.leads());
    for number in 1..=10 {
        assert!(machine.execute(number));
        wait_until("it is durable", || machine.durable() == number);
    }
    drop(machine);
    run(async {
        let mut service = LogService::open(config).await.unwrap();
        let (ticket, from, source) = (Ticket(1), Seq(1), Source::Leader);
        service.read(Read {
            ticket,
            from,
            source,
        });
        let mut records = Vec::new();
        loop {
            match timeout(PATIENCE, service.next()).await.unwrap() {
                Event::Found { bytes, .. } => records.push(bytes),
                Event::End { .. } => break records,
                other => panic!("{other:?}"),
            }
        }
    })
}

/// What is found in another log that has these records, of which one was deleted.
fn found(config: &ServiceConfig, records: &[Vec<u8>], deleted: Option<u64>) -> Found {
    let (stream, subject) = (
        format!("weir-{}", config.group),
        format!("weir.{}.log", config.group),
    );
    run(async {
        let made = json!({
            "name": stream, "subjects": [subject], "num_replicas": 1, "storage": "file",
            "allow_direct": true,
        });
        let answer = jetstream(config, &format!("$JS.API.STREAM.CREATE.{stream}"), made).await;
        assert!(!answer.contains("error"), "{answer}");
        let user = config.user.clone().unwrap();
        let client = async_nats::ConnectOptions::with_user_and_password(user.user, user.password);
        let client = client.connect(&config.servers[..]).await.unwrap();
        for record in records {
            let sent = client.request(subject.clone(), record.clone().into());
            sent.await.unwrap();
        }
        if let Some(seq) = deleted {
            let delete = format!("$JS.API.STREAM.MSG.DELETE.{stream}");
            let answer = jetstream(config, &delete, json!({ "seq": seq })).await;
            assert!(answer.contains("\"success\":true"), "{answer}");
        }
    });
    let found = Found {
        enough: Seq(records.len() as u64),
        ..Found::default()
    };
    watch(config, 1 << 30, &found).unwrap();
    found
}

#[test]
fn a_log_is_read_again_and_what_is_wrong_is_named() {
    let Some(nats) = servers(1) else { return };
    let records = records(&alone(&nats, "whole"));
    assert!(records.len() > 10);
    let whole = found(&alone(&nats, "copy"), &records, None);
    assert_eq!(*whole.broken.lock(), None);
    assert_eq!(*whole.verified.lock(), whole.enough);

    let hole = found(&alone(&nats, "hole"), &records, Some(5));
    let stop = hole.broken.lock().unwrap();
    assert_eq!(stop.seq, Seq(5));
    assert!(matches!(stop.reason, StopReason::Gap { .. }), "{stop}");

    let mut damaged = records.clone();
    let middle = damaged[6].len() / 2;
    damaged[6][middle] ^= 1;
    let damaged = found(&alone(&nats, "damaged"), &damaged, None);
    let stop = damaged.broken.lock().unwrap();
    assert_eq!(stop.seq, Seq(7));
    assert!(matches!(stop.reason, StopReason::Damaged(_)), "{stop}");
}

#[test]
fn those_who_keep_a_log_are_asked_again() {
    let Some(nats) = servers(1) else { return };
    let config = alone(&nats, "edited");
    run(async {
        drop(LogService::open(&config).await.unwrap());
        check_again(&config).await.unwrap();
        let stream = json!({
            "name": "weir-edited", "subjects": ["weir.edited.log"], "max_age": 60_000_000_000_u64,
            "storage": "file", "num_replicas": 1, "discard": "new", "deny_delete": true,
            "allow_direct": true,
        });
        jetstream(&config, "$JS.API.STREAM.UPDATE.weir-edited", stream).await;
        let error = check_again(&config).await.unwrap_err();
        assert!(matches!(error, OpenError::Differs { .. }), "{error}");
        assert!(error.is_alarming());
        jetstream(&config, "$JS.API.STREAM.DELETE.weir-edited", json!({})).await;
        // It is not made again.
        for _ in 0..2 {
            let error = check_again(&config).await.unwrap_err();
            assert!(error.is_alarming(), "{error}");
        }
    });
    drop(nats);
    let error = run(check_again(&config)).unwrap_err();
    assert!(!error.is_alarming(), "{error}");
}
