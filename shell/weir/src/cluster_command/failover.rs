//! `weir cluster failover`: the leader hands over, and another node leads.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::arguments::Arguments;
use super::node::{self, Node};
use super::peer::Peer;

/// How long another node may take to lead.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Has the leader hand over, to the node at `to` if one is named, and waits until another one
/// leads.
pub(super) fn run(arguments: &Arguments, to: Option<&str>) -> anyhow::Result<String> {
    let nodes = node::all(arguments)?;
    let leads = |node: &&Node| node.told().is_some_and(|told| told.leads());
    let leader = nodes.iter().find(leads);
    let leader = leader.context("no node leads, so none can hand over (weir cluster status)")?;
    let leader = leader.address.as_str();
    if to == Some(leader) {
        return Ok(format!("{leader} leads already\n"));
    }
    let login = arguments.login.as_ref();
    let mut peer = Peer::connect(leader, login)?;
    let begun = Instant::now();
    let asked = match to {
        None => peer.ask(&["FAILOVER"]),
        Some(to) => {
            let target = to.rsplit_once(':').context("--to needs HOST:PORT")?;
            let host = target.0.trim_start_matches('[').trim_end_matches(']');
            peer.ask(&["FAILOVER", "TO", host, target.1])
        }
    };
    asked.with_context(|| format!("{leader} does not hand over"))?;
    while begun.elapsed() < PATIENCE {
        thread::sleep(PAUSE);
        let others = nodes.iter().filter(|node| node.address != leader);
        let others = others.map(|node| Node::ask(&node.address, login));
        for node in others {
            if let Some(told) = node.told().filter(|told| told.leads()) {
                let (address, epoch) = (&node.address, told.text("group_epoch"));
                let ms = begun.elapsed().as_millis();
                return Ok(format!(
                    "{address} leads since epoch {epoch}, after {ms} ms\n"
                ));
            }
        }
    }
    bail!(
        "no other node leads after {} s; {leader} goes on if it could not hand over (weir cluster \
         status)",
        PATIENCE.as_secs()
    );
}
