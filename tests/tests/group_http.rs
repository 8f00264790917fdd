//! What servers that share a log say of it by HTTP: whether they are ready.

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use weir_tests::audit::until;
use weir_tests::group::{Group, SERVERS};
use weir_tests::http::{Answer, get};
use weir_tests::peers::weir;

fn ready(group: &Group, server: usize, parameters: &str) -> Result<Answer> {
    get(group.http(server)?, &format!("/readyz{parameters}"))
}

/// Waits until a server is not ready, and says so in words that begin like this.
fn wait_for_refusal(group: &Group, server: usize, begin: &str) -> Result<()> {
    until(begin, || {
        let answer = ready(group, server, "")?;
        Ok(answer.status == 503 && answer.body.starts_with(begin))
    })
}

#[test]
fn a_node_is_ready_for_what_it_may_answer() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let leader = group.leader()?;
    let follower = (leader + 1) % SERVERS;
    for parameters in ["", "?writes=true"] {
        let answer = ready(&group, leader, parameters)?;
        ensure!((answer.status, &*answer.body) == (200, "ready\n"));
    }
    until("the follower is ready", || {
        Ok(ready(&group, follower, "")?.body == "ready for reads\n")
    })?;
    let answer = ready(&group, follower, "?writes=true")?;
    ensure!((answer.status, &*answer.body) == (503, "another server leads\n"));
    let metrics = get(group.http(follower)?, "/metrics")?.body;
    ensure!(metrics.contains("\nweir_ready 1\n"), "{metrics}");

    // A leader that was paused until another one leads is not ready when it goes on, until it has
    // read the log again.
    group.pause(leader)?;
    until("another server leads", || {
        Ok((0..SERVERS).any(|server| server != leader && group.takes_writes(server)))
    })?;
    group.signal(leader, Signal::SIGCONT)?;
    ensure!(ready(&group, leader, "")?.status == 503);
    until("the server that was deposed follows", || {
        let answer = ready(&group, leader, "")?;
        ensure!(answer.body != "ready\n", "it says that it leads");
        Ok(answer.body == "ready for reads\n")
    })?;

    // Without a log, a leader has no lease, and a follower is soon too far behind.
    let (deposed, leader) = (leader, group.leader()?);
    let bound = ["CONFIG", "SET", "replica-staleness-max", "1000"];
    group.client(deposed)?.command(&bound)?;
    let patience = ["CONFIG", "SET", "aof-wait-timeout", "2000"];
    group.client(leader)?.command(&patience)?;
    for server in 0..SERVERS {
        group.nats.kill(server)?;
    }
    wait_for_refusal(&group, leader, "the lease of this leader has run out\n")?;
    wait_for_refusal(&group, deposed, "stale: ")?;
    wait_for_refusal(
        &group,
        leader,
        "writes are refused: the log does not answer\n",
    )
}
