//! Three servers that share a log on three NATS servers: real processes, killed and paused.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use weir_tests::audit::until;
use weir_tests::client::Client;
use weir_tests::group::{Group, NAME, SERVERS};
use weir_tests::peers::weir;
use weir_tests::value::Value;

/// How often the lead is handed over, because a reply that comes too late does so seldom.
const HAND_OVERS: usize = 12;

/// Appends an entry under an idempotent ID. `None` if this server does not take it.
fn append(client: &mut Client, number: usize) -> Option<Vec<u8>> {
    let (id, value) = (format!("i{number}"), number.to_string());
    let request = ["XADD", "s", "IDMP", "p", &id, "*", "n", &value];
    match client.command(&request) {
        Ok(Value::Bulk(id)) => Some(id),
        _ => None,
    }
}

/// The same on whichever server takes it, however long that takes.
fn append_somewhere(group: &Group, number: usize) -> Result<Vec<u8>> {
    let mut id = None;
    until("the entry is appended", || {
        id = (0..SERVERS).find_map(|server| append(&mut group.client(server).ok()?, number));
        Ok(id.is_some())
    })?;
    Ok(id.unwrap_or_default())
}

/// The numbers that a server shows, once it shows this many.
fn numbers(group: &Group, server: usize, count: usize) -> Result<Vec<usize>> {
    group.numbers(server, "s", count)
}

#[test]
fn what_was_acknowledged_is_there_once_when_leaders_are_killed() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let (mut count, mut gaps) = (0, Vec::new());
    for _ in 0..3 {
        let leader = group.leader()?;
        let mut client = group.client(leader)?;
        let mut last = Vec::new();
        for _ in 0..100 {
            count += 1;
            let id = append(&mut client, count);
            ensure!(id.is_some(), "the leader does not take number {count}");
            last = id.unwrap_or_default();
        }
        // Nobody knows what becomes of this one.
        let (id, value) = (format!("i{}", count + 1), (count + 1).to_string());
        client.send(&["XADD", "s", "IDMP", "p", &id, "*", "n", &value])?;
        group.kill(leader)?;
        let killed = Instant::now();
        ensure!(
            append_somewhere(&group, count)? == last,
            "the retry has another ID"
        );
        gaps.push(killed.elapsed());
        count += 1;
        append_somewhere(&group, count)?;
        group.start_server(leader)?;
    }
    ensure!(
        gaps.iter().all(|gap| *gap < Duration::from_secs(10)),
        "{gaps:?}"
    );
    let expected: Vec<usize> = (1..=count).collect();
    for server in 0..SERVERS {
        ensure!(
            numbers(&group, server, count)? == expected,
            "server {server}"
        );
    }
    Ok(())
}

#[test]
fn a_leader_that_stops_hands_over_and_followers_serve_what_they_have() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let leader = group.leader()?;
    let follower = (leader + 1) % SERVERS;
    let mut client = group.client(leader)?;
    ensure!(append(&mut client, 1).is_some());
    ensure!(numbers(&group, follower, 1)? == [1]);
    let mut reader = group.reader(follower)?;
    match reader.command(&["SET", "k", "v"])? {
        Value::Error(text) => {
            ensure!(text.starts_with(b"READONLY ") || text.starts_with(b"MOVED "))
        }
        other => anyhow::bail!("a follower takes a write: {other}"),
    }
    // One who waits at a follower gets what the leader appends.
    reader.send(&["XREAD", "BLOCK", "30000", "STREAMS", "s", "$"])?;
    let mut other = group.client(follower)?;
    until("the reader waits", || {
        let listed = other.command(&["CLIENT", "LIST"])?;
        let listed = listed.as_bytes().unwrap_or_default();
        Ok(String::from_utf8_lossy(listed).contains("cmd=xread"))
    })?;
    ensure!(append(&mut client, 2).is_some());
    ensure!(
        matches!(reader.read()?, Value::Array(_)),
        "the reader gets nothing"
    );
    wait_for_followers(&mut client)?;
    let mut waits = group.client(leader)?;
    waits.send(&["BLPOP", "nothing", "0"])?;
    let begun = Instant::now();
    group.signal(leader, Signal::SIGTERM)?;
    append_somewhere(&group, 3)?;
    let took = begun.elapsed();
    ensure!(took < Duration::from_secs(2), "{took:?}");
    match waits.read() {
        Ok(Value::Error(text)) => ensure!(text.starts_with(b"UNBLOCKED ")),
        Ok(Value::Closed) | Err(_) => {}
        Ok(other) => anyhow::bail!("who waited was answered: {other}"),
    }
    group.wait_for_end(leader)?;
    group.start_server(leader)?;
    for server in 0..SERVERS {
        ensure!(numbers(&group, server, 3)? == [1, 2, 3]);
    }
    Ok(())
}

#[test]
fn the_lead_goes_where_failover_says_and_who_asked_is_told_so() -> Result<()> {
    let Some(group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let leader = group.leader()?;
    let mut client = group.client(leader)?;
    wait_for_followers(&mut client)?;
    let refused = client.command(&["FAILOVER", "TO", "192.0.2.1", "1"])?;
    ensure!(
        matches!(refused, Value::Error(_)),
        "nobody is there: {refused}"
    );
    let (mut leader, mut number) = (leader, 0);
    for round in 0..HAND_OVERS {
        let mut client = group.client(leader)?;
        wait_for_followers(&mut client)?;
        let next = (leader + 1) % SERVERS;
        let at = group.address(next)?;
        let (host, port) = (at.ip().to_string(), at.port().to_string());
        let request = match round % 2 {
            0 => vec!["FAILOVER", "TO", &host, &port],
            _ => vec!["SENTINEL", "FAILOVER", NAME],
        };
        // What waits for the log when the lead is handed over is answered, too.
        for _ in 0..round % 3 {
            number += 1;
            let (id, value) = (format!("i{number}"), number.to_string());
            client.send(&["XADD", "s", "IDMP", "p", &id, "*", "n", &value])?;
        }
        client.send(&request)?;
        let begun = Instant::now();
        for _ in 0..round % 3 {
            let id = client.read()?;
            ensure!(matches!(id, Value::Bulk(_)), "round {round}: {id}");
        }
        let told = client.read()?;
        ensure!(
            told == Value::Simple(b"OK".to_vec()),
            "round {round}: {told}"
        );
        let mut leads = None;
        until("another one leads", || {
            leads = (0..SERVERS).find(|it| *it != leader && group.takes_writes(*it));
            Ok(leads.is_some())
        })?;
        let took = begun.elapsed();
        ensure!(took < Duration::from_secs(2), "round {round}: {took:?}");
        ensure!(
            round % 2 == 1 || leads == Some(next),
            "round {round}: {leads:?}"
        );
        leader = leads.unwrap_or_default();
    }
    // Those that led follow, with all they had.
    let expected: Vec<usize> = (1..=number).collect();
    for server in 0..SERVERS {
        ensure!(numbers(&group, server, number)? == expected);
    }
    Ok(())
}

/// Waits until a leader knows of the others, so that one can take over.
fn wait_for_followers(leader: &mut Client) -> Result<()> {
    let wanted = format!("connected_slaves:{}", SERVERS - 1);
    until("the leader knows of its followers", || {
        let told = leader.command(&["INFO", "replication"])?;
        let told = told.as_bytes().unwrap_or_default();
        Ok(String::from_utf8_lossy(told).contains(&wanted))
    })
}

#[test]
fn a_leader_that_was_paused_tells_nobody_what_it_knew() -> Result<()> {
    let Some(group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let old = group.leader()?;
    let mut client = group.client(old)?;
    ensure!(append(&mut client, 1).is_some());
    client.command(&["SET", "k", "old"])?;
    group.pause(old)?;
    // These wait in its socket.
    client.send(&["GET", "k"])?;
    let mut writer = group.client(old)?;
    writer.send(&["XADD", "s", "*", "n", "77"])?;
    let mut new = None;
    until("another one leads", || {
        new = (0..SERVERS).find(|server| *server != old && group.takes_writes(*server));
        Ok(new.is_some())
    })?;
    let mut at_new = group.client(new.unwrap_or_default())?;
    at_new.command(&["SET", "k", "new"])?;
    ensure!(append(&mut at_new, 2).is_some());
    group.signal(old, Signal::SIGCONT)?;
    match client.read() {
        Ok(Value::Bulk(value)) => ensure!(value == b"new", "what is old was shown"),
        Ok(Value::Error(_) | Value::Closed) | Err(_) => {}
        Ok(other) => anyhow::bail!("the old leader answers {other}"),
    }
    match writer.read() {
        Ok(Value::Error(_) | Value::Closed) | Err(_) => {}
        Ok(other) => anyhow::bail!("the old leader acknowledges: {other}"),
    }
    until(
        "the old leader has dropped what it knew, and follows",
        || {
            let Ok(mut reader) = group.reader(old) else {
                return Ok(false);
            };
            let value = reader.command(&["GET", "k"]);
            Ok(matches!(value, Ok(Value::Bulk(value)) if value == b"new"))
        },
    )?;
    ensure!(numbers(&group, old, 2)? == [1, 2]);
    Ok(())
}
