//! What was evicted stays away: after a kill, the server has what it had before, whichever keys the
//! policy chose.

use anyhow::{Context, Result, ensure};
use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::value::Value;

/// Bytes that keys may take, beside what the server takes without any.
const BYTES: u64 = 3_000_000;

const ROUNDS: u64 = 1200;

fn settings(policy: &str) -> [(&str, &str); 5] {
    [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("enable-debug-command", "yes"),
        // Nothing is forgotten meanwhile.
        ("stream-idmp-duration", "86400"),
        ("maxmemory-policy", policy),
    ]
}

/// A field of `INFO`.
fn info(client: &mut Client, field: &str) -> Result<u64> {
    let text = client.command(&["INFO", "everything"])?.to_string();
    let (_, found) = text.split_once(&format!("{field}:")).context("no field")?;
    let digits = found.split(|c: char| !c.is_ascii_digit()).next();
    Ok(digits.unwrap_or_default().parse()?)
}

/// Writes more than there is memory for, into values of several types, and reads some of it.
fn write(client: &mut Client) -> Result<()> {
    let value = "v".repeat(1000);
    for round in 0..ROUNDS {
        let number = round.to_string();
        let key = |kind: &str| format!("{kind}:{}", round % 100);
        let (string, earlier) = (format!("string:{round}"), format!("string:{}", round / 2));
        let (hash, list, sorted, stream) = (key("hash"), key("list"), key("sorted"), key("stream"));
        let requests: [&[&str]; 6] = [
            &["SET", &string, &value],
            &["GET", &earlier],
            &["HSET", &hash, &number, &value],
            &["RPUSH", &list, &value],
            &["ZADD", &sorted, "1", &number],
            &["XADD", &stream, "IDMP", "p", &number, "*", "f", &value],
        ];
        for request in requests {
            client.send(request)?;
        }
        for request in requests {
            let reply = client.read()?;
            ensure!(!matches!(reply, Value::Error(_)), "{request:?}: {reply}");
        }
    }
    Ok(())
}

fn come_back_as_before(policy: &str) -> Result<()> {
    let (binary, data) = (peers::weir()?, tempfile::tempdir()?);
    let settings = settings(policy);
    let server = Server::start_in(&binary, data.path(), &settings)?;
    let mut client = server.connect(Protocol::Resp2)?;
    let memory_max = info(&mut client, "used_memory")? + BYTES;
    client.command(&["CONFIG", "SET", "maxmemory", &memory_max.to_string()])?;
    write(&mut client)?;
    // From here on nothing is evicted, so what is there is what was acknowledged.
    client.command(&["CONFIG", "SET", "maxmemory", "0"])?;
    let evicted = info(&mut client, "evicted_keys")?;
    ensure!(evicted > 100, "{policy}: {evicted} were evicted");
    let before = [&["DBSIZE"][..], &["DEBUG", "DIGEST"]].map(|look| client.command(look));
    let server = server.kill_and_restart(&binary, data.path(), &settings)?;
    let mut client = server.connect(Protocol::Resp2)?;
    let after = [&["DBSIZE"][..], &["DEBUG", "DIGEST"]].map(|look| client.command(look));
    for (before, after) in before.into_iter().zip(after) {
        let (before, after) = (before?, after?);
        ensure!(before == after, "{policy}: {before} before, {after} after");
    }
    server.stop()
}

#[test]
fn what_any_policy_has_evicted_does_not_come_back_after_a_kill() {
    for policy in [
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-lrm",
        "allkeys-random",
    ] {
        come_back_as_before(policy).unwrap();
    }
}
