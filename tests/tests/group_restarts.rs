//! An upgrade of a group: each server is stopped and started again, one by one, under load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use weir_tests::audit::until;
use weir_tests::exactly_once::Clients;
use weir_tests::group::{Group, SERVERS};
use weir_tests::peers::weir;

/// How many append meanwhile, and the pause of each between two appends.
const PRODUCERS: u64 = 8;
const PACE: Duration = Duration::from_millis(10);

/// How long no append may be accepted on a busy machine. A leader that stops hands over.
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// How many appends there are, at least, before the next server is stopped.
const APPENDS: u64 = 400;

/// How old what a server shows may be that follows, in milliseconds.
const FRESH_MS: i64 = 1000;

#[test]
fn a_group_is_restarted_server_by_server_and_loses_nothing() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let finder = Arc::new(group.finder());
    let clients = Clients::start(&finder, PRODUCERS, PACE)?;
    let (mut appends, mut since, mut longest) = (0, Instant::now(), Duration::ZERO);
    let mut look = || {
        longest = longest.max(since.elapsed());
        if clients.appends() != appends {
            (appends, since) = (clients.appends(), Instant::now());
        }
        longest
    };
    // The leader comes last, as the page says: so there is one change of the lead.
    let leader = group.leader()?;
    for server in (1..=SERVERS).map(|after| (leader + after) % SERVERS) {
        group.signal(server, Signal::SIGTERM)?;
        until("the server ends", || {
            look();
            group.has_ended(server)
        })?;
        group.start_server(server)?;
        until("it follows again", || {
            look();
            let staleness = group.info(server, "group", "group_staleness_ms");
            let staleness: Option<i64> = staleness.ok().flatten().and_then(|it| it.parse().ok());
            Ok(staleness.is_some_and(|ms| (0..FRESH_MS).contains(&ms)))
        })?;
        until("all others have what the leader has", || {
            look();
            let known = finder.positions();
            Ok(known.is_ok_and(|(own, others)| {
                others.len() == SERVERS - 1 && others.iter().all(|it| *it + 1000 >= own)
            }))
        })?;
        let goal = clients.appends() + APPENDS;
        until("clients go on", || {
            look();
            Ok(clients.appends() >= goal)
        })?;
    }
    ensure!(group.leader()? != leader, "the leader was restarted");
    let longest = look();
    let audited = clients.stop(&*finder)?;
    ensure!(audited.appended > SERVERS * APPENDS as usize, "{audited:?}");
    ensure!(longest < LONGEST_GAP, "no append for {longest:?}");
    Ok(())
}
