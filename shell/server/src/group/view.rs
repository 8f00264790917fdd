//! What this node knows of its group, as the engine is told it.
//!
//! The log says who leads, and nodes say of themselves where and how far they are. Nodes that have
//! been silent for long are forgotten, and there is a bound to how many are kept: whoever may
//! publish on the group's subject can claim to be one.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::{LogServers, Presence, Standing, steady_now};
use engine::config::SharedLogConfig;
use engine::topology::{self, LogFigures, LogHealth, Node, Role, Topology};
use engine::{Lsn, Mono, Now};
use persistence::{Part, SharedLog};
use replication::{Epoch, NodeId, Status, Steady};

use super::Successor;

/// After how much silence a node counts as down, in milliseconds.
const DOWN_AFTER_MS: u64 = 3000;

/// After how much silence a node is forgotten, in milliseconds.
const FORGOTTEN_AFTER_MS: u64 = 60_000;

/// Most nodes that are kept.
const NODES_MAX: usize = 64;

/// Most servers of the log that are kept.
const LOG_SERVERS_MAX: usize = 16;

/// How long a follower may not have come to the end of the log before that counts as unavailable.
const UNAVAILABLE_AFTER: Duration = Duration::from_secs(1);

/// A group as one node sees it.
pub(super) struct View {
    group: String,
    own: NodeId,
    epoch: u64,
    leader: Option<NodeId>,
    nodes: BTreeMap<NodeId, Known>,
    /// What was counted and told of the log.
    figures: LogFigures,
    /// The node was in doubt when it last said what it is, and had read all of the log.
    is_in_doubt: bool,
    has_caught_up: bool,
}

/// What is known of a node.
struct Known {
    address: Address,
    applied: Lsn,
    heard: Mono,
    version: String,
}

#[derive(Clone)]
struct Address {
    host: String,
    port: u16,
}

impl View {
    /// A node that has heard of no other. `announce` is its address.
    pub(super) fn new(group: String, own: NodeId, announce: &str) -> View {
        let known = Address::parse(announce).map(|address| Known {
            address,
            applied: Lsn::ZERO,
            heard: Mono(0),
            version: String::new(),
        });
        View {
            group,
            own,
            epoch: 0,
            leader: None,
            nodes: known.map(|known| (own, known)).into_iter().collect(),
            figures: LogFigures::default(),
            is_in_doubt: false,
            has_caught_up: false,
        }
    }

    /// What this node says of itself: its number and its address.
    pub(super) fn greeting(&self) -> String {
        match self.nodes.get(&self.own) {
            Some(Known { address, .. }) if address.host.contains(':') => {
                format!("{} [{}]:{}", self.own.0, address.host, address.port)
            }
            Some(Known { address, .. }) => {
                format!("{} {}:{}", self.own.0, address.host, address.port)
            }
            None => self.own.0.to_string(),
        }
    }

    /// A node leads from here on, and says this of itself.
    pub(super) fn begun(&mut self, epoch: Epoch, greeting: &str, now: Now) {
        self.epoch = epoch.number;
        // Those that a node reads when it starts are history.
        self.figures.elections += u64::from(self.has_caught_up);
        self.leader = None;
        if let Some((id, address)) = read(greeting) {
            self.leader = Some(id);
            self.note(id, address, now);
        }
    }

    /// This node leads.
    pub(super) fn leads(&mut self, epoch: Epoch) {
        self.epoch = epoch.number;
        self.figures.elections += 1;
        self.leader = Some(self.own);
    }

    /// What the node is now.
    pub(super) fn stands(&mut self, standing: &Standing) {
        let is_in_doubt = matches!(standing.status, Status::InDoubt(_));
        self.figures.doubts += u64::from(is_in_doubt && !self.is_in_doubt);
        self.is_in_doubt = is_in_doubt;
        self.has_caught_up = standing.has_caught_up;
        self.figures.sequence = standing.position.seq.0;
        self.figures.under_way = standing.under_way as u64;
    }

    /// Who keeps the log.
    pub(super) fn kept_by(&mut self, servers: LogServers, now: Now) {
        let keepers = servers.keepers.into_iter().take(LOG_SERVERS_MAX);
        let keepers = keepers.map(|of| topology::LogServer {
            name: of.name,
            leads: of.leads,
            is_current: of.is_current,
            lag: of.lag,
        });
        self.figures.servers = keepers.collect();
        self.figures.connected = servers.connected;
        self.figures.told = now.mono;
    }

    /// A node says this of itself. What makes no sense is passed over.
    pub(super) fn heard(&mut self, presence: Presence, now: Now) {
        let Some((id, address)) = read(&presence.greeting) else {
            return;
        };
        if id != presence.id {
            return;
        }
        if let Some(known) = self.note(id, address, now) {
            known.applied = presence.lsn;
            known.version = presence.version;
            self.leads_as_it_says(id, presence.leads);
        }
        let (own, leader) = (self.own, self.leader);
        self.nodes.retain(|id, known| {
            let silent_ms = now.mono.0.saturating_sub(known.heard.0);
            *id == own || Some(*id) == leader || silent_ms < FORGOTTEN_AFTER_MS
        });
    }

    /// Believes a node that it leads if nobody is known to lead, or only in an older epoch. Where
    /// this node has begun with a snapshot, the log may not say any more who began the epoch.
    fn leads_as_it_says(&mut self, id: NodeId, leads: Option<u64>) {
        if let Some(epoch) = leads.filter(|_| id != self.own)
            && (epoch > self.epoch || (epoch == self.epoch && self.leader.is_none()))
        {
            (self.epoch, self.leader) = (epoch, Some(id));
        }
    }

    fn note(&mut self, id: NodeId, address: Address, now: Now) -> Option<&mut Known> {
        let is_full = self.nodes.len() >= NODES_MAX && Some(id) != self.leader;
        if is_full && !self.nodes.contains_key(&id) {
            return None;
        }
        let known = self.nodes.entry(id).or_insert_with(|| Known {
            address: address.clone(),
            applied: Lsn::ZERO,
            heard: now.mono,
            version: String::new(),
        });
        known.address = address;
        known.heard = now.mono;
        Some(known)
    }

    /// Other nodes that are there, those that are furthest first.
    pub(super) fn successors(&self, now: Now) -> Vec<Successor> {
        let there = self
            .nodes
            .iter()
            .filter(|(id, known)| **id != self.own && !is_down(known, now));
        let mut there: Vec<(Lsn, NodeId)> = there.map(|(id, known)| (known.applied, *id)).collect();
        there.sort_by(|a, b| b.cmp(a));
        let successor = |(_, id)| Successor {
            id,
            name: self.name(id),
        };
        there.into_iter().map(successor).collect()
    }

    /// The other nodes that are there.
    pub(super) fn live(&self, now: Now) -> Vec<NodeId> {
        let others = self.nodes.iter().filter(|(id, _)| **id != self.own);
        let live = others.filter(|(_, known)| !is_down(known, now));
        live.map(|(id, _)| *id).collect()
    }

    fn name(&self, id: NodeId) -> topology::NodeId {
        topology::NodeId::new(&self.group, id.0)
    }

    /// What the engine is told. `leads` says whether it executes, and `shows` whether it has data
    /// that it could show.
    pub(super) fn topology(
        &self,
        standing: &Standing,
        log: &SharedLog,
        (leads, shows): (bool, bool),
        now: Now,
    ) -> Topology {
        let at = |steady: Steady| {
            let (then, clock) = (steady.0.as_millis(), steady_now().0.as_millis());
            let ms = |millis: u128| u64::try_from(millis).unwrap_or(u64::MAX);
            match then > clock {
                true => now.mono.plus(ms(then - clock)),
                false => Mono(now.mono.0.saturating_sub(ms(clock - then))),
            }
        };
        let nodes = self.nodes.iter().map(|(id, known)| Node {
            id: self.name(*id),
            host: known.address.host.clone(),
            port: known.address.port,
            applied: known.applied,
            heard: known.heard,
            is_down: *id != self.own && is_down(known, now),
            version: known.version.clone(),
        });
        let is_late = |at: Steady| steady_now() >= at.plus(UNAVAILABLE_AFTER);
        Topology {
            name: self.group.clone(),
            own: self.name(self.own),
            role: match (leads, standing.status) {
                (true, _) => Role::Leader,
                (false, Status::Candidate) => Role::Candidate,
                (false, _) => Role::Follower,
            },
            epoch: self.epoch,
            leader: self.leader.map(|id| self.name(id)),
            nodes: nodes.collect(),
            down_after_ms: DOWN_AFTER_MS,
            lease_until: standing.may_answer_until().filter(|_| leads).map(at),
            durable: log.durable(),
            current_at: standing.reached_end.filter(|_| shows && !leads).map(at),
            log: match (log.part(), standing.status) {
                (Part::LeadsInVain, _) => LogHealth::Unavailable,
                (_, Status::InDoubt(_)) => LogHealth::InDoubt,
                (Part::Follows, _) if standing.reached_end.is_some_and(is_late) => {
                    LogHealth::Unavailable
                }
                (Part::Leads | Part::Follows | Part::Silent, _) => LogHealth::Good,
            },
            figures: self.figures.clone(),
        }
    }
}

fn is_down(known: &Known, now: Now) -> bool {
    now.mono >= known.heard.plus(DOWN_AFTER_MS)
}

/// A number and an address.
fn read(greeting: &str) -> Option<(NodeId, Address)> {
    let (id, address) = greeting.split_once(' ')?;
    Some((NodeId(id.parse().ok()?), Address::parse(address)?))
}

impl Address {
    fn parse(text: &str) -> Option<Address> {
        let (host, port) = SharedLogConfig::host_and_port(text)?;
        Some(Address {
            host: host.to_owned(),
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(ms: u64) -> Now {
        Now {
            mono: Mono(ms),
            ..Now::default()
        }
    }

    fn presence(id: u64, lsn: u64, greeting: &str) -> Presence {
        Presence {
            id: NodeId(id),
            greeting: greeting.to_owned(),
            lsn: Lsn::new(lsn),
            chain: String::new(),
            version: "1".to_owned(),
            leads: None,
        }
    }

    fn leads(id: u64, epoch: u64) -> Presence {
        Presence {
            leads: Some(epoch),
            ..presence(id, 1, &format!("{id} b:1"))
        }
    }

    #[test]
    fn who_says_that_it_leads_is_believed_unless_the_log_says_more() {
        let epoch = |number| Epoch { number, nonce: 0 };
        let mut view = View::new("g".to_owned(), NodeId(1), "a:1");
        view.heard(leads(2, 4), now(0));
        assert_eq!((view.epoch, view.leader), (4, Some(NodeId(2))));
        // The log comes first, and what somebody says of an older epoch is late.
        view.begun(epoch(5), "3 c:1", now(0));
        view.heard(leads(2, 4), now(0));
        view.heard(leads(2, 5), now(0));
        assert_eq!((view.epoch, view.leader), (5, Some(NodeId(3))));
        view.heard(leads(2, 6), now(0));
        assert_eq!((view.epoch, view.leader), (6, Some(NodeId(2))));
        // This node itself knows better.
        view.heard(leads(1, 7), now(0));
        assert_eq!((view.epoch, view.leader), (6, Some(NodeId(2))));
    }

    #[test]
    fn those_who_are_there_and_furthest_come_first() {
        let mut view = View::new("g".to_owned(), NodeId(1), "a:1");
        assert_eq!(view.greeting(), "1 a:1");
        view.heard(presence(2, 5, "2 b:1"), now(0));
        view.heard(presence(3, 7, "3 [::1]:1"), now(0));
        view.heard(presence(1, 9, "1 a:1"), now(0));
        // Neither of these says who it is.
        view.heard(presence(4, 9, "5 e:1"), now(0));
        view.heard(presence(4, 9, "4 nowhere"), now(0));
        let successors = |view: &View, at| {
            let successors = view.successors(now(at)).into_iter();
            successors.map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(successors(&view, 0), [NodeId(3), NodeId(2)]);
        let name = topology::NodeId::new("g", 3);
        assert_eq!(view.successors(now(0))[0].name, name);
        assert_eq!(view.live(now(0)), [NodeId(2), NodeId(3)]);
        assert_eq!(view.live(now(DOWN_AFTER_MS)), []);
        view.heard(presence(2, 6, "2 b:1"), now(DOWN_AFTER_MS));
        assert_eq!(successors(&view, DOWN_AFTER_MS), [NodeId(2)]);
        assert!(view.nodes.contains_key(&NodeId(3)));
        view.heard(presence(2, 6, "2 b:1"), now(FORGOTTEN_AFTER_MS));
        assert!(!view.nodes.contains_key(&NodeId(3)));
    }

    #[test]
    fn no_more_nodes_are_kept_than_the_bound() {
        let mut view = View::new("g".to_owned(), NodeId(1), "a:1");
        for id in 2..=NODES_MAX as u64 + 1 {
            view.heard(presence(id, 1, &format!("{id} b:1")), now(0));
        }
        assert_eq!(view.nodes.len(), NODES_MAX);
        // But the leader must be known.
        let epoch = Epoch {
            number: 4,
            nonce: 0,
        };
        view.begun(epoch, "900 c:1", now(0));
        assert!(view.nodes.contains_key(&NodeId(900)));
    }
}
