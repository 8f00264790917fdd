//! Sections about the group of nodes; a server that is alone has only the first.

use engine::Now;
use engine::command::Ctx;
use engine::observe::stages::Stage;
use engine::server::{LogSnapshotFigures, Server};
use engine::topology::{LogFigures, Node, Topology};

use super::sections::times;
use super::sheet::Sheet;

/// What clients of Redis look for: who leads, who follows, and how far they are.
pub(super) fn replication(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let last = ctx.store.log().last().number();
    let topology = ctx.server.topology();
    sheet.section("Replication");
    let mut slaves = 0;
    match topology {
        Some(topology) if !topology.leads() => {
            sheet.line("role", "slave");
            following(sheet, topology, last, ctx.now);
            sheet.line("connected_slaves", slaves);
        }
        _ => {
            sheet.line("role", "master");
            let followers = topology.into_iter().flat_map(Topology::followers);
            let live: Vec<&Node> = followers.filter(|node| !node.is_down).collect();
            slaves = live.len();
            sheet.line("connected_slaves", slaves);
            for (number, node) in live.into_iter().enumerate() {
                let lag_s = topology.map_or(0, |it| it.silent_ms(node, ctx.now) / 1000);
                sheet.line(
                    &format!("slave{number}"),
                    format_args!(
                        "ip={},port={},state=online,offset={},lag={lag_s}",
                        node.host,
                        node.port,
                        node.applied.number(),
                    ),
                );
            }
        }
    }
    let failover_state = match ctx.server.pause.is_handing_over() {
        true => "failover-in-progress",
        false => "no-failover",
    };
    sheet.line("master_failover_state", failover_state);
    match topology {
        Some(topology) => sheet.line("master_replid", topology.replication_id()),
        None => sheet.line("master_replid", &ctx.server.shell.run_id),
    }
    sheet.line("master_replid2", "0".repeat(40));
    sheet.line("master_repl_offset", last);
    sheet.line("second_repl_offset", -1);
    sheet.line("repl_backlog_active", 0);
    sheet.line("repl_backlog_size", 0);
    sheet.line("repl_backlog_first_byte_offset", 0);
    sheet.line("repl_backlog_histlen", 0);
}

/// What a follower says of its leader.
fn following(sheet: &mut Sheet, topology: &Topology, last: u64, now: Now) {
    let leader = topology.leader();
    let silent_ms = leader.map(|leader| topology.silent_ms(leader, now));
    sheet.line("master_host", leader.map_or("?", |leader| &leader.host));
    sheet.line("master_port", leader.map_or(0, |leader| leader.port));
    let is_up = topology.is_led() && topology.current_at.is_some();
    sheet.line("master_link_status", if is_up { "up" } else { "down" });
    let silent_s = silent_ms.map_or(-1, |ms| (ms / 1000).cast_signed());
    sheet.line("master_last_io_seconds_ago", silent_s);
    sheet.flag("master_sync_in_progress", topology.current_at.is_none());
    sheet.line("slave_read_repl_offset", last);
    sheet.line("slave_repl_offset", last);
    if !is_up {
        sheet.line("master_link_down_since_seconds", silent_s);
    }
    sheet.line("slave_priority", 100);
    sheet.line("slave_read_only", 1);
    sheet.line("replica_announced", 1);
}

/// What weir says of a group beyond that.
pub(super) fn group(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let Some(topology) = ctx.server.topology() else {
        return;
    };
    let now = ctx.now;
    sheet.section("Group");
    sheet.line("group_name", &topology.name);
    sheet.line("group_node", topology.own);
    sheet.line("group_role", topology.role.name());
    sheet.line("group_epoch", topology.epoch);
    match topology.leader() {
        Some(leader) => sheet.line(
            "group_leader",
            format_args!("{}:{}", leader.host, leader.port),
        ),
        None => sheet.line("group_leader", ""),
    }
    let lease_ms = topology.lease_until;
    let lease_ms = lease_ms.map_or(0, |until| until.0.saturating_sub(now.mono.0));
    sheet.line("group_lease_ms", lease_ms);
    sheet.line("group_log", topology.log.name());
    sheet.line("group_durable_lsn", topology.durable.number());
    let staleness_ms = topology.staleness_ms(now);
    let staleness_ms = staleness_ms.map_or(-1, u64::cast_signed);
    sheet.line("group_staleness_ms", staleness_ms);
    log(sheet, ctx.server, now);
    let guard = &ctx.server.shell.log_guard;
    sheet.line("group_log_verified_seq", guard.verified_seq);
    sheet.line("group_log_alarm", &guard.alarm);
    if let Some(figures) = &ctx.server.shell.log_snapshots {
        snapshots(sheet, figures);
    }
    sheet.line("group_nodes", topology.nodes.len());
    for (number, node) in topology.nodes.iter().enumerate() {
        let role = match Some(node.id) == topology.leader {
            true => "leader",
            false => "follower",
        };
        sheet.line(
            &format!("group_node{number}"),
            format_args!(
                "id={},host={},port={},role={role},applied={},silent_ms={},down={},version={}",
                node.id,
                node.host,
                node.port,
                node.applied.number(),
                topology.silent_ms(node, now),
                u8::from(node.is_down),
                node.version,
            ),
        );
    }
}

/// Snapshots behind which the log is trimmed.
fn snapshots(sheet: &mut Sheet, figures: &LogSnapshotFigures) {
    sheet.line("group_snapshot_newest_seq", figures.newest_seq);
    sheet.line("group_snapshots_made", figures.made);
    sheet.flag("group_snapshot_in_progress", figures.is_making);
    sheet.line("group_snapshot_last_ms", figures.took_ms);
    sheet.line("group_log_trimmed_to", figures.trimmed_to);
    let is_well = figures.error.is_empty();
    sheet.line("group_snapshot_status", if is_well { "ok" } else { "err" });
    if !is_well {
        sheet.line("group_snapshot_error", &figures.error);
    }
}

/// What this node has counted and was told of the log.
fn log(sheet: &mut Sheet, server: &Server, now: Now) {
    let Some(LogFigures {
        sequence,
        under_way,
        elections,
        doubts,
        connected,
        servers,
        told,
    }) = server.topology().map(|topology| &topology.figures)
    else {
        return;
    };
    sheet.line("group_log_sequence", sequence);
    sheet.line("group_log_under_way", under_way);
    let journal = &server.shell.persistence.journal;
    sheet.line("group_log_backlog_bytes", journal.backlog_bytes);
    sheet.line("group_commits", journal.groups);
    sheet.line("group_commit_batches", journal.batches);
    sheet.line("group_commit_bytes", journal.bytes);
    times(sheet, "group_commit", server.stages.of(Stage::LogCommit));
    sheet.line("group_elections", elections);
    sheet.line("group_doubts", doubts);
    sheet.line("group_log_connected", connected);
    sheet.line("group_log_servers", servers.len());
    sheet.line("group_log_told_ms", now.mono.0.saturating_sub(told.0));
    for (number, server) in servers.iter().enumerate() {
        sheet.line(
            &format!("group_log_server{number}"),
            format_args!(
                "name={},role={},current={},lag={}",
                server.name,
                if server.leads { "leader" } else { "follower" },
                u8::from(server.is_current),
                server.lag,
            ),
        );
    }
}

/// What a Sentinel says of the master that it watches.
pub(super) fn sentinel(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let Some(topology) = ctx.server.topology() else {
        return;
    };
    sheet.section("Sentinel");
    sheet.line("sentinel_masters", 1);
    sheet.line("sentinel_tilt", 0);
    sheet.line("sentinel_tilt_since_seconds", -1);
    sheet.line("sentinel_total_tilt", 0);
    sheet.line("sentinel_running_scripts", 0);
    sheet.line("sentinel_scripts_queue_length", 0);
    sheet.line("sentinel_simulate_failure_flags", 0);
    let status = match topology.is_led() {
        true => "ok",
        false => "odown",
    };
    let leader = topology.leader();
    sheet.line(
        "master0",
        format_args!(
            "name={},status={status},address={}:{},slaves={},sentinels={}",
            topology.name,
            leader.map_or("?", |leader| &leader.host),
            leader.map_or(0, |leader| leader.port),
            topology.followers().count(),
            topology.nodes.len(),
        ),
    );
}
