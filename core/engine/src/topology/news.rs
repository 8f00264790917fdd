//! What Sentinels publish when a view of the group takes the place of another: the same channels
//! and texts, so that their clients notice a change of the lead.

use super::{Node, Topology};

/// A channel, and a message for it.
pub(crate) type Message = (&'static str, String);

/// What has changed, in the order in which a Sentinel tells of it. Nothing is told of the first
/// view.
pub(crate) fn changes(old: Option<&Topology>, new: &Topology) -> Vec<Message> {
    let mut messages = Vec::new();
    let Some(old) = old else {
        return messages;
    };
    let new_nodes = || new.nodes.iter().filter(|node| old.find(node.id).is_none());
    let has_other_leader = old.leader.is_some() && old.leader != new.leader;
    for node in &new.nodes {
        let was_down = old.find(node.id).is_some_and(|node| node.is_down);
        // A leader that was just replaced is told of as what it was.
        let view = if has_other_leader { old } else { new };
        if node.is_down != was_down && node.id != new.own {
            went_or_came(view, node, &mut messages);
        }
    }
    if new.epoch > old.epoch {
        messages.push(("+new-epoch", new.epoch.to_string()));
    }
    if has_other_leader && let (Some(before), Some(now)) = (old.leader(), new.leader()) {
        let text = format!(
            "{} {} {} {} {}",
            new.name, before.host, before.port, now.host, now.port
        );
        messages.push(("+switch-master", text));
        messages.extend(new.followers().map(|node| ("+slave", as_slave(new, node))));
    } else {
        let added = new_nodes().filter(|node| Some(node.id) != new.leader);
        messages.extend(added.map(|node| ("+slave", as_slave(new, node))));
    }
    messages.extend(new_nodes().map(|node| ("+sentinel", as_sentinel(new, node))));
    messages
}

/// A node is silent, or is heard of again. It is a server and a Sentinel in one.
fn went_or_came(view: &Topology, node: &Node, messages: &mut Vec<Message>) {
    let (subjective, objective) = match node.is_down {
        true => ("+sdown", "+odown"),
        false => ("-sdown", "-odown"),
    };
    if Some(node.id) == view.leader {
        let master = format!("master {} {} {}", view.name, node.host, node.port);
        let quorum = view.quorum();
        let of_quorum = match node.is_down {
            true => format!("{master} #quorum {quorum}/{quorum}"),
            false => master.clone(),
        };
        messages.push((subjective, master));
        messages.push((objective, of_quorum));
    } else {
        messages.push((subjective, as_slave(view, node)));
    }
    messages.push((subjective, as_sentinel(view, node)));
}

fn as_slave(view: &Topology, node: &Node) -> String {
    let Node { host, port, .. } = node;
    format!("slave {host}:{port} {host} {port}{}", of_master(view))
}

fn as_sentinel(view: &Topology, node: &Node) -> String {
    let Node { id, host, port, .. } = node;
    format!("sentinel {id} {host} {port}{}", of_master(view))
}

fn of_master(view: &Topology) -> String {
    match view.leader() {
        Some(leader) => format!(" @ {} {} {}", view.name, leader.host, leader.port),
        None => String::new(),
    }
}
