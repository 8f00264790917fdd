//! redis-rs does real stream work on weir, in both protocols.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use redis::streams::{
    StreamAddOptions, StreamAutoClaimOptions, StreamConfigOptions, StreamDeletionPolicy,
    StreamReadOptions, StreamReadReply, XAckDelStatusCode,
};
use redis::{Connection, ErrorKind, RedisResult, ServerErrorKind, TypedCommands};
use weir_tests::peers;
use weir_tests::server::Server;

/// Makes further connections of the same kind.
type Connect<'a> = &'a dyn Fn() -> RedisResult<Connection>;

/// Runs `work` on an empty server, in RESP2 and in RESP3.
fn on_weir(work: fn(&mut Connection, Connect<'_>)) -> anyhow::Result<()> {
    let server = Server::start(&peers::weir()?)?;
    for protocol in ["resp2", "resp3"] {
        let connect = || {
            let url = format!("redis://{}/?protocol={protocol}", server.address());
            let connection = redis::Client::open(url)?.get_connection()?;
            connection.set_read_timeout(Some(Duration::from_secs(20)))?;
            Ok(connection)
        };
        let mut connection = connect()?;
        connection.flushall()?;
        work(&mut connection, &connect);
    }
    Ok(())
}

fn ids(reply: &StreamReadReply) -> Vec<String> {
    reply
        .keys
        .iter()
        .flat_map(|key| &key.ids)
        .map(|entry| entry.id.clone())
        .collect()
}

/// Appends an entry; returns its ID, which exists because the key may be created.
fn add(connection: &mut Connection, n: usize) -> RedisResult<String> {
    Ok(connection.xadd("s", "*", &[("n", n)])?.unwrap_or_default())
}

#[test]
fn groups_read_claim_and_acknowledge() {
    on_weir(|connection, _| {
        connection.xgroup_create_mkstream("s", "g", "0").unwrap();
        let added: Vec<String> = (0..6).map(|n| add(connection, n).unwrap()).collect();
        let options = StreamReadOptions::default().group("g", "alice").count(4);
        let read = connection
            .xread_options(&["s"], &[">"], &options)
            .unwrap()
            .unwrap();
        assert_eq!(ids(&read), added[..4]);
        assert_eq!(connection.xack("s", "g", &[&added[0]]).unwrap(), 1);
        assert_eq!(connection.xpending("s", "g").unwrap().count(), 3);
        assert_eq!(connection.xdel("s", &[&added[2]]).unwrap(), 1);
        let options = StreamAutoClaimOptions::default().count(10);
        let claimed = connection
            .xautoclaim_options("s", "g", "bob", 0, "0-0", options)
            .unwrap();
        let taken: Vec<&String> = claimed.claimed.iter().map(|entry| &entry.id).collect();
        assert_eq!(taken, [&added[1], &added[3]]);
        assert_eq!(claimed.deleted_ids, [added[2].clone()]);
        let groups = connection.xinfo_groups("s").unwrap().groups;
        assert_eq!(
            (groups[0].consumers, groups[0].pending, groups[0].lag),
            (2, 2, Some(2))
        );
        let outcome = connection
            .xack_del(
                "s",
                "g",
                &[added[1].as_str(), "9-9"],
                StreamDeletionPolicy::DelRef,
            )
            .unwrap();
        assert!(matches!(
            outcome.as_slice(),
            [
                XAckDelStatusCode::AcknowledgedAndDeleted,
                XAckDelStatusCode::IdNotFound
            ]
        ));
    })
    .unwrap();
}

#[test]
fn a_waiting_reader_is_woken() {
    on_weir(|connection, connect| {
        connection.xgroup_create_mkstream("s", "g", "$").unwrap();
        let mut other = connect().unwrap();
        let mut reader = connect().unwrap();
        let waiting = thread::spawn(move || {
            let options = StreamReadOptions::default()
                .group("g", "alice")
                .block(20_000);
            reader
                .xread_options(&["s"], &[">"], &options)
                .unwrap()
                .unwrap()
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let info: String = redis::cmd("INFO").arg("clients").query(connection).unwrap();
            if info.contains("blocked_clients:1") {
                break;
            }
            assert!(Instant::now() < deadline, "the reader does not wait");
            thread::sleep(Duration::from_millis(2));
        }
        let id = add(&mut other, 7).unwrap();
        assert_eq!(ids(&waiting.join().unwrap()), [id]);
    })
    .unwrap();
}

#[test]
fn pipelines_and_transactions_work() {
    on_weir(|connection, connect| {
        let mut pipeline = redis::pipe();
        for n in 1..=500 {
            pipeline.xadd("s", format!("{n}-1"), &[("n", n)]);
        }
        let added: Vec<String> = pipeline.query(connection).unwrap();
        assert_eq!((added.len(), added[499].as_str()), (500, "500-1"));
        let (id, length): (String, usize) = redis::pipe()
            .atomic()
            .xadd("s", "501-1", &[("n", 1)])
            .xlen("s")
            .query(connection)
            .unwrap();
        assert_eq!((id.as_str(), length), ("501-1", 501));

        redis::cmd("WATCH").arg("k").exec(connection).unwrap();
        connect().unwrap().set("k", "other").unwrap();
        let outcome: Option<(String,)> = redis::pipe()
            .atomic()
            .set("k", "mine")
            .query(connection)
            .unwrap();
        assert_eq!(outcome, None);
        assert_eq!(connection.get("k").unwrap().as_deref(), Some("other"));
    })
    .unwrap();
}

#[test]
fn a_retried_append_is_stored_once() {
    on_weir(|connection, _| {
        let options = StreamAddOptions::default().idmp("p", "i1");
        let mut append = || {
            connection
                .xadd_options("s", "*", &[("order", "1")], &options)
                .unwrap()
                .unwrap()
        };
        let first = append();
        assert_eq!(append(), first);
        let options = StreamConfigOptions::with_idempotency_seconds(300).unwrap();
        connection.xcfgset("s", &options).unwrap();
        let info = connection.xinfo_stream_with_idempotency("s").unwrap();
        assert_eq!(
            (info.iids_added, info.iids_duplicates, info.idmp_duration),
            (1, 1, 300)
        );
        assert_eq!(connection.xlen("s").unwrap(), 1);
    })
    .unwrap();
}

#[test]
fn errors_keep_their_kind() {
    on_weir(|connection, _| {
        connection.set("k", "v").unwrap();
        let refused: RedisResult<Option<String>> = connection.xadd("k", "*", &[("f", "v")]);
        assert!(refused.unwrap_err().code() == Some("WRONGTYPE"));
        let missing = connection.xinfo_stream("missing").unwrap_err();
        assert_eq!(
            missing.kind(),
            ErrorKind::Server(ServerErrorKind::ResponseError)
        );
        let all: HashMap<String, String> = redis::cmd("CONFIG")
            .arg("GET")
            .arg("databases")
            .query(connection)
            .unwrap();
        assert_eq!(all["databases"], "16");
    })
    .unwrap();
}
