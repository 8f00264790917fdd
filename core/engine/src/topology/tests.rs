//! A view of three nodes, of which the first leads, and what follows from it.

use batch::Lsn;

use super::*;

fn node(number: u64) -> Node {
    Node {
        id: NodeId::new("shop", number),
        host: format!("10.0.0.{number}"),
        port: 6379,
        applied: Lsn::ZERO,
        heard: Mono(1000),
        is_down: false,
        version: String::new(),
    }
}

fn view(own: u64, leader: u64) -> Topology {
    Topology {
        name: "shop".to_owned(),
        own: NodeId::new("shop", own),
        role: match own == leader {
            true => Role::Leader,
            false => Role::Follower,
        },
        epoch: leader,
        leader: Some(NodeId::new("shop", leader)),
        nodes: (1..=3).map(node).collect(),
        down_after_ms: 2500,
        lease_until: None,
        durable: Lsn::ZERO,
        current_at: Some(Mono(1000)),
        log: LogHealth::Good,
        figures: LogFigures::default(),
    }
}

#[test]
fn names_of_nodes_are_the_same_at_each_start_and_differ() {
    let names: Vec<NodeId> = (1..=3).map(|number| NodeId::new("shop", number)).collect();
    assert_eq!(names[0], NodeId::new("shop", 1));
    assert_ne!(names[0], names[1]);
    assert_ne!(names[0], NodeId::new("bank", 1));
    let text = names[0].to_string();
    assert_eq!(text.len(), NODE_ID_BYTES);
    assert_eq!(NodeId::parse(text.as_bytes()), Some(names[0]));
    assert_eq!(NodeId::parse(b"shop"), None);
    assert_eq!(NodeId::parse(&[b'x'; NODE_ID_BYTES]), None);
}

#[test]
fn followers_that_are_down_have_nothing() {
    let mut view = view(1, 1);
    for node in &mut view.nodes {
        node.applied = Lsn::ZERO.next();
    }
    assert_eq!(view.followers_with(Lsn::ZERO.next()), 2);
    assert_eq!(view.followers_with(Lsn::ZERO.next().next()), 0);
    view.nodes[2].is_down = true;
    assert_eq!(view.followers_with(Lsn::ZERO.next()), 1);
}

#[test]
fn only_a_follower_is_out_of_date() {
    let now = Now {
        unix_us: 0,
        mono: Mono(1700),
    };
    assert_eq!(view(1, 1).staleness_ms(now), Some(0));
    let mut follower = view(2, 1);
    assert_eq!(follower.staleness_ms(now), Some(700));
    follower.current_at = None;
    assert_eq!(follower.staleness_ms(now), None);
}

#[test]
fn a_change_of_the_lead_is_told_as_sentinels_do() {
    assert_eq!(changes(None, &view(2, 1)), []);
    assert_eq!(changes(Some(&view(2, 1)), &view(2, 1)), []);
    let mut silent = view(2, 1);
    silent.nodes[0].is_down = true;
    let sentinel = NodeId::new("shop", 1);
    let told = changes(Some(&view(2, 1)), &silent);
    let expected = [
        ("+sdown", "master shop 10.0.0.1 6379".to_owned()),
        ("+odown", "master shop 10.0.0.1 6379 #quorum 2/2".to_owned()),
        (
            "+sdown",
            format!("sentinel {sentinel} 10.0.0.1 6379 @ shop 10.0.0.1 6379"),
        ),
    ];
    assert_eq!(told, expected);
    let mut switched = view(2, 3);
    switched.nodes[0].is_down = true;
    let slave = |host| {
        let text = format!("slave {host}:6379 {host} 6379 @ shop 10.0.0.3 6379");
        ("+slave", text)
    };
    let expected = [
        ("+new-epoch", "3".to_owned()),
        (
            "+switch-master",
            "shop 10.0.0.1 6379 10.0.0.3 6379".to_owned(),
        ),
        slave("10.0.0.1"),
        slave("10.0.0.2"),
    ];
    assert_eq!(changes(Some(&silent), &switched), expected);
}

#[test]
fn a_node_that_joins_is_a_server_and_a_sentinel() {
    let mut old = view(1, 1);
    old.nodes.truncate(2);
    let id = NodeId::new("shop", 3);
    let expected = [
        (
            "+slave",
            "slave 10.0.0.3:6379 10.0.0.3 6379 @ shop 10.0.0.1 6379".to_owned(),
        ),
        (
            "+sentinel",
            format!("sentinel {id} 10.0.0.3 6379 @ shop 10.0.0.1 6379"),
        ),
    ];
    assert_eq!(changes(Some(&old), &view(1, 1)), expected);
}
