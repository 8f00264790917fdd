//! What servers that share a log show of it: by INFO, and whether they are ready by HTTP.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use weir_tests::audit::until;
use weir_tests::group::{Group, SERVERS};
use weir_tests::http::{Answer, ask, get};
use weir_tests::json_schema;
use weir_tests::nats::Nats;
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

/// What a server says of its group.
fn told(group: &Group, server: usize) -> Result<BTreeMap<String, String>> {
    let told = group.client(server)?.command(&["INFO", "group"])?;
    let told = String::from_utf8_lossy(told.as_bytes().context("no text")?).into_owned();
    let lines = told.lines().filter_map(|line| line.split_once(':'));
    Ok(lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[test]
fn info_tells_of_nodes_the_log_and_who_keeps_it() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let leader = group.leader()?;
    let mut client = group.client(leader)?;
    for _ in 0..10 {
        client.command(&["XADD", "s", "*", "f", "v"])?;
    }
    for server in 0..SERVERS {
        until("the server knows of everything", || {
            let told = told(&group, server)?;
            let lsn = told.get("group_durable_lsn").context("no LSN")?;
            let nodes = (0..SERVERS).filter_map(|number| told.get(&format!("group_node{number}")));
            let applied = nodes.filter(|node| node.contains(&format!(",applied={lsn},")));
            let servers =
                (0..SERVERS).filter_map(|number| told.get(&format!("group_log_server{number}")));
            let servers: Vec<&String> = servers.filter(|it| it.contains(",current=1,")).collect();
            let leads = servers
                .iter()
                .filter(|it| it.contains(",role=leader,"))
                .count();
            Ok(applied.count() == SERVERS && servers.len() == SERVERS && leads == 1)
        })?;
    }
    // What was counted is told some times a second.
    let mut told_by_leader = BTreeMap::new();
    until("commits are counted", || {
        told_by_leader = told(&group, leader)?;
        let is_counted = |name: &str| {
            let counted = told_by_leader.get(name).and_then(|it| it.parse().ok());
            counted.is_some_and(|count: u64| count >= 10)
        };
        Ok(["group_commit_batches", "group_log_sequence"]
            .iter()
            .all(|name| is_counted(name)))
    })?;
    let figure = |name: &str| told_by_leader.get(name).map_or("", String::as_str);
    ensure!(figure("group_role") == "leader" && figure("group_log") == "good");
    ensure!(figure("group_elections") == "1" && figure("group_doubts") == "0");
    ensure!(figure("group_commit_usec").starts_with("count="));
    ensure!(!figure("group_commit_usec").starts_with("count=0,"));
    ensure!((1..=2000).contains(&figure("group_lease_ms").parse::<u64>()?));
    let metrics = get(group.http(leader)?, "/metrics")?.body;
    for sample in [
        "weir_cluster_role{cluster=\"test\",role=\"leader\"} 1",
        "weir_cluster_role{cluster=\"test\",role=\"follower\"} 0",
        "weir_cluster_elections_total 1",
        "weir_cluster_doubts_total 0",
        "weir_cluster_log_healthy{health=\"good\"} 1",
        &format!(
            "weir_cluster_node_down{{node=\"{}\"}} 0",
            group.address(leader)?
        ),
        &format!(
            "weir_cluster_log_server_current{{server=\"{}\"}} 1",
            Nats::name(0)
        ),
    ] {
        ensure!(
            metrics.contains(&format!("\n{sample}\n")),
            "{sample}: {metrics}"
        );
    }
    for name in [
        "lease_remaining_seconds",
        "commit_duration_seconds_count",
        "node_lag{",
    ] {
        let name = format!("\nweir_cluster_{name}");
        ensure!(metrics.contains(&name), "{name}: {metrics}");
    }
    let document = get(group.http(leader)?, "/api/v1/openapi.json")?.body;
    let document: Value = serde_json::from_str(&document)?;
    let path = "/api/v1/cluster";
    let schema = &document["paths"][path]["get"]["responses"]["200"]["content"];
    let cluster: Value = serde_json::from_str(&get(group.http(leader)?, path)?.body)?;
    json_schema::check(
        &cluster,
        &schema["application/json"]["schema"],
        &document,
        path,
    )
    .map_err(anyhow::Error::msg)?;
    ensure!(cluster["nodes"].as_array().map(Vec::len) == Some(SERVERS));
    let json = [("content-type", "application/json")];
    let follower = group.http((leader + 1) % SERVERS)?;
    let refused = ask(follower, "POST", "/api/v1/cluster/failover", &json, "{}")?;
    ensure!(
        refused.status == 422 && refused.body.contains("this server follows"),
        "{refused:?}"
    );
    // One that is gone is not current, and counts as such.
    let gone = (0..SERVERS).find(|server| figure("group_log_connected") != Nats::name(*server));
    let gone = gone.context("all are connected")?;
    group.nats.kill(gone)?;
    until("the leader knows that one is gone", || {
        let told = told(&group, leader)?;
        let line = told
            .values()
            .find(|it| it.starts_with(&format!("name={},", Nats::name(gone))));
        Ok(line.is_some_and(|line| line.contains(",current=0,")))
    })
}

/// Runs `weir cluster`; whether it went well, and all that it printed.
fn cluster(words: &[&str]) -> Result<(bool, String)> {
    let mut command = Command::new(weir()?);
    let output = command.arg("cluster").args(words).output()?;
    let printed = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&printed).into_owned(),
    ))
}

#[test]
fn the_command_line_shows_a_group_and_hands_the_lead_over() -> Result<()> {
    let Some(mut group) = Group::start(&weir()?)? else {
        return Ok(());
    };
    let leader = group.leader()?;
    let (follower, third) = ((leader + 1) % SERVERS, (leader + 2) % SERVERS);
    let addresses = (0..SERVERS).map(|server| Ok(group.address(server)?.to_string()));
    let addresses = addresses.collect::<Result<Vec<_>>>()?;
    // One node is enough to find all, and one that is not there does no harm.
    let nodes = format!("127.0.0.1:1,{}", addresses[follower]);
    let mut printed = String::new();
    until("all is well", || {
        let (is_well, told) = cluster(&["status", "--nodes", &nodes])?;
        printed = told;
        Ok(is_well)
    })?;
    for address in &addresses {
        ensure!(printed.contains(&format!("\n{address}  ")), "{printed}");
    }
    ensure!(printed.matches("  current").count() == SERVERS, "{printed}");

    let to = ["failover", "--nodes", &nodes, "--to", &addresses[third]];
    let (is_done, told) = cluster(&to)?;
    ensure!(is_done && told.starts_with(&addresses[third]), "{told}");
    ensure!(group.leader()? == third);
    let (_, told) = cluster(&to)?;
    ensure!(told.ends_with(" leads already\n"), "{told}");

    // A node that is gone is named, and so is why.
    group.kill(leader)?;
    let (is_well, told) = cluster(&["status", "--nodes", &nodes])?;
    let gone = format!("{} does not answer (", addresses[leader]);
    ensure!(!is_well && told.contains(&gone), "{told}");
    let (is_well, told) = cluster(&["status", "--nodes", "127.0.0.1:1"])?;
    ensure!(
        !is_well && told.contains("127.0.0.1:1 tells of no group"),
        "{told}"
    );
    Ok(())
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
