//! What a Sentinel tells of the servers and Sentinels that it watches: fields and their order are
//! those of Redis.

use std::borrow::Cow;

use engine::Now;
use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::topology::{Node, Role, Topology};
use resp::Reply;

use super::named::named;

/// Redis' default, in milliseconds; no change of the lead takes nearly as long.
const FAILOVER_TIMEOUT_MS: u64 = 180_000;

/// Names of fields with their values.
type Fields<'t> = Vec<(&'static str, Cow<'t, str>)>;

/// `SENTINEL MASTERS`
pub(super) fn masters(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let led = ctx
        .server
        .topology()
        .and_then(|topology| Some((topology, topology.leader()?)));
    ctx.reply.array(usize::from(led.is_some()));
    if let Some((topology, leader)) = led {
        write(ctx.reply, &of_master(topology, leader, ctx.now));
    }
    Ok(())
}

/// `SENTINEL MASTER master-name`
pub(super) fn master(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = named(args, ctx.server)?;
    let leader = topology.leader();
    let leader = leader.ok_or(TopologyError::NoSuchMaster)?;
    let fields = of_master(topology, leader, ctx.now);
    write(ctx.reply, &fields);
    Ok(())
}

/// `SENTINEL REPLICAS master-name`, `SENTINEL SLAVES master-name`
pub(super) fn replicas(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = named(args, ctx.server)?;
    let followers = topology.followers();
    let all = followers.map(|node| of_replica(topology, node, ctx.now));
    let all: Vec<Fields<'_>> = all.collect();
    ctx.reply.array(all.len());
    all.iter().for_each(|fields| write(ctx.reply, fields));
    Ok(())
}

/// `SENTINEL SENTINELS master-name`: all nodes but this one.
pub(super) fn sentinels(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = named(args, ctx.server)?;
    let others = topology.others();
    let all = others.map(|node| of_sentinel(topology, node, ctx.now));
    let all: Vec<Fields<'_>> = all.collect();
    ctx.reply.array(all.len());
    all.iter().for_each(|fields| write(ctx.reply, fields));
    Ok(())
}

fn write(reply: &mut Reply, fields: &Fields<'_>) {
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
}

fn of_master<'t>(topology: &'t Topology, leader: &'t Node, now: Now) -> Fields<'t> {
    let silent_ms = topology.silent_ms(leader, now);
    let mut flags = match leader.is_down {
        true => "s_down,o_down,master,disconnected".to_owned(),
        false => "master".to_owned(),
    };
    if topology.role == Role::Candidate {
        flags.push_str(",failover_in_progress");
    }
    let name = topology.name.as_str().into();
    let mut fields = first_fields(name, leader, flags.into(), silent_ms);
    if leader.is_down {
        let down_ms = silent_ms.saturating_sub(topology.down_after_ms);
        fields.push(("s-down-time", text(down_ms)));
        fields.push(("o-down-time", text(down_ms)));
    }
    let others = topology.nodes.len().saturating_sub(1);
    fields.extend([
        ("down-after-milliseconds", text(topology.down_after_ms)),
        ("info-refresh", text(silent_ms)),
        ("role-reported", "master".into()),
        ("role-reported-time", text(silent_ms)),
        ("config-epoch", text(topology.epoch)),
        ("num-slaves", text(topology.followers().count())),
        ("num-other-sentinels", text(others)),
        ("quorum", text(topology.quorum())),
        ("failover-timeout", text(FAILOVER_TIMEOUT_MS)),
        ("parallel-syncs", "1".into()),
    ]);
    fields
}

fn of_replica<'t>(topology: &'t Topology, node: &'t Node, now: Now) -> Fields<'t> {
    let silent_ms = topology.silent_ms(node, now);
    let flags = match node.is_down {
        true => "s_down,slave,disconnected",
        false => "slave",
    };
    let name = format!("{}:{}", node.host, node.port).into();
    let mut fields = first_fields(name, node, flags.into(), silent_ms);
    if node.is_down {
        let down_ms = silent_ms.saturating_sub(topology.down_after_ms);
        fields.push(("s-down-time", text(down_ms)));
    }
    let leader = topology.leader();
    let unled_ms = match leader {
        Some(leader) if leader.is_down => topology.silent_ms(leader, now),
        Some(_) | None => 0,
    };
    fields.extend([
        ("down-after-milliseconds", text(topology.down_after_ms)),
        ("info-refresh", text(silent_ms)),
        ("role-reported", "slave".into()),
        ("role-reported-time", text(silent_ms)),
        ("master-link-down-time", text(unled_ms)),
        (
            "master-link-status",
            if topology.is_led() { "ok" } else { "err" }.into(),
        ),
        (
            "master-host",
            leader.map_or("?", |leader| leader.host.as_str()).into(),
        ),
        ("master-port", text(leader.map_or(0, |leader| leader.port))),
        ("slave-priority", "100".into()),
        ("slave-repl-offset", text(node.applied.number())),
        ("replica-announced", "1".into()),
    ]);
    fields
}

fn of_sentinel<'t>(topology: &'t Topology, node: &'t Node, now: Now) -> Fields<'t> {
    let silent_ms = topology.silent_ms(node, now);
    let flags = match (node.is_down, topology.is_led()) {
        (true, _) => "s_down,sentinel,disconnected",
        (false, true) => "sentinel",
        (false, false) => "sentinel,master_down",
    };
    let name = node.id.to_string().into();
    let mut fields = first_fields(name, node, flags.into(), silent_ms);
    if node.is_down {
        let down_ms = silent_ms.saturating_sub(topology.down_after_ms);
        fields.push(("s-down-time", text(down_ms)));
    }
    fields.extend([
        ("down-after-milliseconds", text(topology.down_after_ms)),
        ("last-hello-message", text(silent_ms)),
        ("voted-leader", "?".into()),
        ("voted-leader-epoch", "0".into()),
    ]);
    fields
}

/// What is told of all kinds.
fn first_fields<'t>(
    name: Cow<'t, str>,
    node: &'t Node,
    flags: Cow<'t, str>,
    silent_ms: u64,
) -> Fields<'t> {
    let last_ping_ms = if node.is_down { silent_ms } else { 0 };
    vec![
        ("name", name),
        ("ip", node.host.as_str().into()),
        ("port", text(node.port)),
        ("runid", node.id.to_string().into()),
        ("flags", flags),
        ("link-pending-commands", "0".into()),
        ("link-refcount", "1".into()),
        ("last-ping-sent", text(last_ping_ms)),
        ("last-ok-ping-reply", text(silent_ms)),
        ("last-ping-reply", text(silent_ms)),
    ]
}

fn text(number: impl ToString) -> Cow<'static, str> {
    number.to_string().into()
}
