//! Real clients in a group of three servers: each finds the leader, and goes on by itself when the
//! lead is handed over, and when the leader is paused or killed. Every append that was acknowledged
//! is there once.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use weir_tests::audit::until;
use weir_tests::exactly_once::{Clients, Servers};
use weir_tests::group::{Group, SERVERS};
use weir_tests::peers::weir;
use weir_tests::real_clients::{self, Mode};

/// The pause of a producer between two appends.
const PACE: Duration = Duration::from_millis(20);

/// How long a leader is paused: longer than until another one leads.
const PAUSE: Duration = Duration::from_secs(4);

/// The producers of each program, and the library that it has.
type Programs = Vec<(&'static str, Range<u64>)>;

#[test]
fn clients_of_sentinels_go_on_when_the_leader_changes() -> Result<()> {
    go_on_when_the_leader_changes(Mode::Sentinel)
}

#[test]
fn clients_of_a_cluster_go_on_when_the_leader_changes() -> Result<()> {
    go_on_when_the_leader_changes(Mode::Cluster)
}

fn go_on_when_the_leader_changes(mode: Mode) -> Result<()> {
    let Some(mut group) = Group::start_with(&weir()?, mode.settings())? else {
        return Ok(());
    };
    let finder = Arc::new(group.finder());
    let mut clients = Clients::none(&*finder)?;
    let mut programs = Vec::new();
    for client in real_clients::all(Path::new(env!("CARGO_BIN_EXE_group_redis_rs")))? {
        let name = client.name;
        programs.push((name, clients.join(client, (mode, &finder), PACE)?));
    }
    let go_on = |what| all_go_on(&programs, &clients).with_context(|| format!("{mode:?}, {what}"));
    go_on("at the start")?;
    redis::cmd("FAILOVER").exec(&mut finder.connect()?)?;
    go_on("after a planned change")?;
    let leader = group.leader()?;
    group.kill(leader)?;
    go_on("after the leader was killed")?;
    group.start_server(leader)?;
    until("all follow", || {
        let known = finder.positions();
        Ok(known.is_ok_and(|(_, others)| others.len() == SERVERS - 1))
    })?;
    let leader = group.leader()?;
    group.pause(leader)?;
    // Not every library notices that nothing comes from there, so this has to end.
    thread::sleep(PAUSE);
    group.signal(leader, Signal::SIGCONT)?;
    go_on("after the leader was paused")?;
    let audited = clients.stop(&*finder)?;
    ensure!(audited.acknowledged > 100, "{audited:?}");
    Ok(())
}

/// Waits until each producer has had some more replies.
fn all_go_on(programs: &Programs, clients: &Clients) -> Result<()> {
    for (name, producers) in programs {
        for producer in producers.clone() {
            let before = clients.appends_of(producer);
            until("a client goes on", || {
                Ok(clients.appends_of(producer) >= before + 5)
            })
            .with_context(|| format!("{name}, producer {producer}"))?;
        }
    }
    Ok(())
}
