//! A node of a group: what its clients are told of the others.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod followers;
mod member;

use engine::server::Order;
use engine::store::log::Journalling;
use engine::topology::NodeId;
use engine::{Lsn, Mono};

use self::member::Server;

#[test]
fn who_listens_hears_of_a_new_leader() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "SUBSCRIBE +switch-master");
    server.follow(Some(1));
    assert_eq!(server.received(client), "");
    server.follow(Some(3));
    let message = "shop 10.0.0.1 6379 10.0.0.3 6379";
    let length = message.len();
    let pushed =
        format!("*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n${length}\r\n{message}\r\n");
    assert_eq!(server.received(client), pushed);
    server.follow(None);
    assert_eq!(server.engine.topology(), None);
    assert_eq!(server.received(client), "");
}

#[test]
fn clients_of_a_leader_look_for_the_next_one() {
    let mut server = Server::new();
    let (waits, other) = (server.connect(), server.connect());
    server.follow(Some(2));
    server.ask(waits, "BLPOP list 0");
    server.follow(Some(3));
    let told = server.received(waits);
    assert!(told.starts_with("-UNBLOCKED "), "{told}");
    assert_eq!(server.engine.server.sessions.len(), 0);
    assert_eq!(server.ask(other, "PING"), "");
}

const READONLY: &str = "-READONLY You can't write against a read only replica.\r\n";
const MOVED_FOO: &str = "-MOVED 12182 10.0.0.1:6379\r\n";
const CROSSSLOT: &str = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
const NO_CLUSTER: &str = "-ERR This instance has cluster support disabled\r\n";

#[test]
fn a_server_that_is_alone_has_neither_sentinels_nor_a_cluster() {
    for settings in [&[][..], &[("cluster-protocol", "yes")]] {
        let mut server = Server::with(settings);
        let client = server.connect();
        server.check(
            client,
            &[
                (
                    "SENTINEL MASTERS",
                    "-ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' \r\n",
                ),
                ("SENTINEL", "-ERR unknown command 'SENTINEL'\r\n"),
                ("CLUSTER COUNTKEYSINSLOT x", NO_CLUSTER),
                ("CLUSTER SLOTS", NO_CLUSTER),
                ("READONLY", NO_CLUSTER),
                ("ASKING", NO_CLUSTER),
                ("FAILOVER", "-ERR FAILOVER requires connected replicas.\r\n"),
                ("FAILOVER ABORT", "-ERR No failover in progress.\r\n"),
                ("ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
                ("MSET foo 1 bar 2", "+OK\r\n"),
                ("SELECT 1", "+OK\r\n"),
            ],
        );
        let info = server.ask(client, "INFO everything");
        assert!(info.contains("cluster_enabled:0") && !info.contains("# Group"));
    }
}

#[test]
fn a_follower_reads_and_does_not_write() {
    let mut server = Server::new();
    let client = server.connect();
    server.check(client, &[("SET foo 1", "+OK\r\n")]);
    server.follow(Some(1));
    server.check(
        client,
        &[
            ("GET foo", "$1\r\n1\r\n"),
            ("SET foo 2", READONLY),
            ("XADD s * a 1", READONLY),
            ("XREADGROUP GROUP g c STREAMS s >", READONLY),
            ("FLUSHALL", READONLY),
            ("MULTI", "+OK\r\n"),
            ("SET foo 2", READONLY),
            (
                "EXEC",
                "-EXECABORT Transaction discarded because of previous errors.\r\n",
            ),
            ("PUBLISH a b", ":0\r\n"),
            ("READONLY", NO_CLUSTER),
            ("GET foo", "$1\r\n1\r\n"),
            ("FAILOVER", "-ERR FAILOVER is not valid when server is a replica.\r\n"),
            (
                "SENTINEL FAILOVER shop",
                "-ERR This node follows; send FAILOVER to the leader, 10.0.0.1:6379\r\n",
            ),
            (
                "REPLICAOF NO ONE",
                "-ERR The nodes of a group follow their leader by themselves; FAILOVER hands the lead over\r\n",
            ),
        ],
    );
    for (request, error) in [
        ("WAIT 1 1", "-ERR WAIT cannot"),
        ("WAITAOF 0 1 1", "-ERR WAITAOF cannot"),
    ] {
        assert!(server.ask(client, request).starts_with(error));
    }
}

#[test]
fn a_transaction_that_was_queued_before_a_change_does_not_write_after_it() {
    let mut server = Server::with(&[("cluster-protocol", "yes")]);
    let client = server.connect();
    server.follow(Some(2));
    server.check(
        client,
        &[("MULTI", "+OK\r\n"), ("SET foo 1", "+QUEUED\r\n")],
    );
    server.follow(Some(1));
    server.check(
        client,
        &[
            ("EXEC", MOVED_FOO),
            ("READONLY", "+OK\r\n"),
            ("GET foo", "$-1\r\n"),
            ("EXEC", "-ERR EXEC without MULTI\r\n"),
        ],
    );
}

#[test]
fn what_is_too_old_is_not_shown() {
    let mut server = Server::with(&[("replica-staleness-max", "1000")]);
    let client = server.connect();
    server.follow(Some(1));
    server.wait(1000);
    server.check(client, &[("GET foo", "$-1\r\n")]);
    server.wait(1);
    let old = "-MASTERDOWN This node follows, and its data is older than replica-staleness-max allows\r\n";
    server.check(
        client,
        &[("GET foo", old), ("PING", old), ("READONLY", NO_CLUSTER)],
    );
    assert!(
        server
            .ask(client, "INFO")
            .contains("group_staleness_ms:1001\r\n")
    );
    server.check(
        client,
        &[
            ("CONFIG SET replica-staleness-max 0", "+OK\r\n"),
            ("GET foo", "$-1\r\n"),
        ],
    );
    let mut view = server.view(1);
    view.current_at = None;
    server.engine.set_topology(Some(view));
    server.check(client, &[("GET foo", old)]);
    server.follow(Some(2));
    server.wait(100_000);
    server.check(client, &[("GET foo", "$-1\r\n")]);
}

#[test]
fn a_cluster_redirects_to_the_leader() {
    let mut server = Server::with(&[("cluster-protocol", "yes")]);
    let client = server.connect();
    server.follow(Some(1));
    server.check(
        client,
        &[
            ("GET foo", MOVED_FOO),
            ("SET foo 1", MOVED_FOO),
            ("XREAD STREAMS foo 0", MOVED_FOO),
            ("SPUBLISH foo x", MOVED_FOO),
            ("EVAL return(1) 1 foo", MOVED_FOO),
            ("FLUSHALL", READONLY),
            ("PING", "+PONG\r\n"),
            ("MGET foo bar", CROSSSLOT),
            ("READONLY", "+OK\r\n"),
            ("GET foo", "$-1\r\n"),
            ("SET foo 1", MOVED_FOO),
            ("RESET", "+RESET\r\n"),
            ("GET foo", MOVED_FOO),
            ("ASKING", "+OK\r\n"),
            ("GET foo", MOVED_FOO),
        ],
    );
    let mut view = server.view(1);
    view.leader = None;
    server.engine.set_topology(Some(view));
    server.check(
        client,
        &[("GET foo", "-CLUSTERDOWN The cluster is down\r\n")],
    );
}

#[test]
fn the_leader_of_a_cluster_wants_keys_in_one_slot() {
    let mut server = Server::with(&[("cluster-protocol", "yes")]);
    let client = server.connect();
    server.follow(Some(2));
    server.check(
        client,
        &[
            ("MSET foo 1 bar 2", CROSSSLOT),
            ("MSET {a}1 1 {a}2 2", "+OK\r\n"),
            ("MULTI", "+OK\r\n"),
            ("GET foo", "+QUEUED\r\n"),
            ("GET bar", "+QUEUED\r\n"),
            ("EXEC", CROSSSLOT),
            ("EXEC", "-ERR EXEC without MULTI\r\n"),
            ("SELECT 0", "+OK\r\n"),
            ("SELECT 1", "-ERR SELECT is not allowed in cluster mode\r\n"),
            ("MOVE foo 1", "-ERR MOVE is not allowed in cluster mode\r\n"),
            (
                "SWAPDB 0 1",
                "-ERR SWAPDB is not allowed in cluster mode\r\n",
            ),
            (
                "REPLICAOF NO ONE",
                "-ERR REPLICAOF not allowed in cluster mode.\r\n",
            ),
            ("CLUSTER KEYSLOT foo", ":12182\r\n"),
            ("SET foo 1", "+OK\r\n"),
            ("CLUSTER COUNTKEYSINSLOT 12182", ":1\r\n"),
            ("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot\r\n"),
            ("CLUSTER GETKEYSINSLOT 12182 5", "*1\r\n$3\r\nfoo\r\n"),
            ("CLUSTER GETKEYSINSLOT 12182 0", "*0\r\n"),
            (
                "CLUSTER GETKEYSINSLOT 12182 -1",
                "-ERR Invalid slot or number of keys\r\n",
            ),
            (
                "CLUSTER SLOT-STATS SLOTSRANGE 12181 12182",
                "*2\r\n*2\r\n:12181\r\n*2\r\n$9\r\nkey-count\r\n:0\r\n\
                 *2\r\n:12182\r\n*2\r\n$9\r\nkey-count\r\n:1\r\n",
            ),
            (
                "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 1",
                "*1\r\n*2\r\n:15495\r\n*2\r\n$9\r\nkey-count\r\n:2\r\n",
            ),
            (
                "CLUSTER SLOT-STATS SLOTSRANGE 2 1",
                "-ERR Start slot number 2 is greater than end slot number 1\r\n",
            ),
            (
                "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 16385",
                "-ERR Limit has to lie in between 1 and 16384 (maximum number of slots).\r\n",
            ),
            (
                "CLUSTER MEET 1 2",
                "-ERR The nodes of a group share all slots and find their leader by themselves\r\n",
            ),
            (
                "CLUSTER FAILOVER",
                "-ERR You should send CLUSTER FAILOVER to a replica\r\n",
            ),
            ("CLUSTER LINKS", "*0\r\n"),
        ],
    );
}

#[test]
fn a_cluster_says_who_has_the_slots() {
    let mut server = Server::with(&[("cluster-protocol", "yes")]);
    let client = server.connect();
    server.follow(Some(1));
    let id = |number| NodeId::new("shop", number);
    let node = |number| {
        format!(
            "*4\r\n$8\r\n10.0.0.{number}\r\n:6379\r\n$40\r\n{}\r\n*0\r\n",
            id(number)
        )
    };
    let slots = format!(
        "*1\r\n*5\r\n:0\r\n:16383\r\n{}{}{}",
        node(1),
        node(2),
        node(3)
    );
    assert_eq!(server.ask(client, "CLUSTER SLOTS"), slots);
    let nodes = server.ask(client, "CLUSTER NODES");
    let lines = [
        format!(
            "{} 10.0.0.1:6379@0 master - 0 1790000000000 1 connected 0-16383",
            id(1)
        ),
        format!(
            "{} 10.0.0.2:6379@0 myself,slave {} 0 0 1 connected",
            id(2),
            id(1)
        ),
        format!(
            "{} 10.0.0.3:6379@0 slave {} 0 1790000000000 1 connected",
            id(3),
            id(1)
        ),
    ];
    let nodes: Vec<&str> = nodes
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(nodes, lines);
    let info = server.ask(client, "CLUSTER INFO");
    assert!(info.contains("cluster_state:ok\r\n") && info.contains("cluster_known_nodes:3\r\n"));
    assert!(
        server
            .ask(client, "HELLO")
            .contains("$7\r\ncluster\r\n$4\r\nrole\r\n$7\r\nreplica\r\n")
    );
    assert!(server.ask(client, "INFO").contains("cluster_enabled:1\r\n"));
    let mut view = server.view(1);
    view.nodes[0].is_down = true;
    view.nodes[2].is_down = true;
    server.engine.set_topology(Some(view));
    let slots = format!("*1\r\n*4\r\n:0\r\n:16383\r\n{}{}", node(1), node(2));
    assert_eq!(server.ask(client, "CLUSTER SLOTS"), slots);
    let info = server.ask(client, "CLUSTER INFO");
    assert!(info.contains("cluster_state:fail\r\n") && info.contains("cluster_slots_ok:0\r\n"));
    assert!(server.ask(client, "CLUSTER NODES").contains(" slave,fail "));
}

/// Names and values of a reply that is a map.
fn fields(reply: &str) -> Vec<(String, String)> {
    let texts = reply
        .split("\r\n")
        .filter(|line| !line.starts_with(['$', '*']) && !line.is_empty());
    let texts: Vec<&str> = texts.collect();
    let pairs = texts
        .chunks(2)
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
    pairs.collect()
}

#[test]
fn each_node_is_a_sentinel() {
    let mut server = Server::new();
    let client = server.connect();
    server.follow(Some(1));
    server.check(
        client,
        &[
            (
                "SENTINEL get-master-addr-by-name shop",
                "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n",
            ),
            ("SENTINEL get-master-addr-by-name bank", "*-1\r\n"),
            (
                "SENTINEL master bank",
                "-ERR No such master with that name\r\n",
            ),
            (
                "SENTINEL",
                "-ERR wrong number of arguments for 'sentinel' command\r\n",
            ),
            (
                "SENTINEL masters x",
                "-ERR wrong number of arguments for 'sentinel|masters' command\r\n",
            ),
            (
                "SENTINEL foo",
                "-ERR unknown subcommand 'foo'. Try SENTINEL HELP.\r\n",
            ),
            (
                "SENTINEL ckquorum shop",
                "+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n",
            ),
            (
                "SENTINEL is-master-down-by-addr 10.0.0.1 6379 0 *",
                "*3\r\n:0\r\n$1\r\n*\r\n:0\r\n",
            ),
        ],
    );
    let id = NodeId::new("shop", 1).to_string();
    let master = fields(&server.ask(client, "SENTINEL MASTER shop"));
    let expected = [
        ("name", "shop"),
        ("ip", "10.0.0.1"),
        ("port", "6379"),
        ("runid", &id),
        ("flags", "master"),
        ("link-pending-commands", "0"),
        ("link-refcount", "1"),
        ("last-ping-sent", "0"),
        ("last-ok-ping-reply", "0"),
        ("last-ping-reply", "0"),
        ("down-after-milliseconds", "2500"),
        ("info-refresh", "0"),
        ("role-reported", "master"),
        ("role-reported-time", "0"),
        ("config-epoch", "1"),
        ("num-slaves", "2"),
        ("num-other-sentinels", "2"),
        ("quorum", "2"),
        ("failover-timeout", "180000"),
        ("parallel-syncs", "1"),
    ];
    let expected: Vec<_> = expected
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(master, expected);
    let replicas = server.ask(client, "SENTINEL REPLICAS shop");
    assert!(replicas.starts_with("*2\r\n*42\r\n$4\r\nname\r\n$13\r\n10.0.0.2:6379\r\n"));
    let sentinels = server.ask(client, "SENTINEL SENTINELS shop");
    assert!(sentinels.starts_with("*2\r\n*28\r\n"), "{sentinels}");
    server.wait(3000);
    let mut view = server.view(1);
    view.nodes[0].is_down = true;
    view.nodes[0].heard = Mono(5000);
    server.engine.set_topology(Some(view));
    let master = fields(&server.ask(client, "SENTINEL MASTER shop"));
    assert!(master.contains(&(
        "flags".to_owned(),
        "s_down,o_down,master,disconnected".to_owned()
    )));
    assert!(master.contains(&("s-down-time".to_owned(), "500".to_owned())));
    server.check(
        client,
        &[(
            "SENTINEL is-master-down-by-addr 10.0.0.1 6379 0 *",
            "*3\r\n:1\r\n$1\r\n*\r\n:0\r\n",
        )],
    );
}

#[test]
fn who_leads_says_who_follows() {
    let mut server = Server::new();
    let client = server.connect();
    server.hear(2, Lsn::new(7));
    assert_eq!(
        server.ask(client, "ROLE"),
        "*3\r\n$6\r\nmaster\r\n:0\r\n*2\r\n\
         *3\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n$1\r\n7\r\n\
         *3\r\n$8\r\n10.0.0.3\r\n$4\r\n6379\r\n$1\r\n0\r\n"
    );
    let info = server.ask(client, "INFO replication");
    assert!(
        info.contains(
            "role:master\r\nconnected_slaves:2\r\n\
        slave0:ip=10.0.0.1,port=6379,state=online,offset=7,lag=0\r\n"
        ),
        "{info}"
    );
    let other = server.connect();
    server.follow(Some(1));
    let client = server.connect();
    assert_eq!(server.ask(other, "PING"), "");
    assert_eq!(
        server.ask(client, "ROLE"),
        "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n"
    );
    let info = server.ask(client, "INFO replication");
    assert!(info.contains(
        "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:up\r\n"
    ));
}

#[test]
fn wait_counts_the_followers_that_have_applied_what_was_written() {
    let mut server = Server::new();
    server.engine.set_journalling(Journalling::On);
    let client = server.connect();
    server.hear(2, Lsn::ZERO);
    server.check(
        client,
        &[
            ("SET foo 1", "+OK\r\n"),
            ("WAIT 0 0", ":0\r\n"),
            ("WAIT 1 1000", ""),
        ],
    );
    server.hear(2, Lsn::ZERO);
    assert_eq!(server.received(client), "");
    let written = server.engine.log().last();
    server.hear(2, written);
    assert_eq!(server.received(client), ":1\r\n");
    server.check(
        client,
        &[
            ("WAIT 1 1000", ":1\r\n"),
            ("WAITAOF 1 1 0", "*2\r\n:1\r\n:1\r\n"),
            ("WAIT 2 1000", ""),
        ],
    );
    server.wait(1000);
    server.engine.timer(server.now);
    assert_eq!(server.received(client), ":1\r\n");
}

#[test]
fn the_leader_hands_over_to_the_follower_that_has_the_most() {
    let mut server = Server::new();
    let client = server.connect();
    server.hear(2, Lsn::new(7));
    let hand_over = |number| Order::HandOver {
        to: NodeId::new("shop", number),
    };
    server.check(client, &[("FAILOVER", "+OK\r\n"), ("FAILOVER", "+OK\r\n")]);
    assert_eq!(server.engine.take_orders(), [hand_over(1)]);
    server.check(
        client,
        &[
            ("FAILOVER TO 10.0.0.3 6379 TIMEOUT 100 FORCE", "+OK\r\n"),
            ("FAILOVER TO 10.0.0.2 6379", "-ERR FAILOVER target HOST and PORT is not a replica.\r\n"),
            ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0\r\n"),
            (
                "FAILOVER FORCE",
                "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.\r\n",
            ),
            ("FAILOVER TO 10.0.0.3 x", "-ERR value is not an integer or out of range\r\n"),
            ("FAILOVER FOO", "-ERR syntax error\r\n"),
            ("SENTINEL FAILOVER shop", "+OK\r\n"),
        ],
    );
    assert_eq!(server.engine.take_orders(), [hand_over(3), hand_over(1)]);
    server.engine.server.pause.hand_over(true);
    server.check(
        client,
        &[
            ("FAILOVER", "-ERR FAILOVER already in progress.\r\n"),
            (
                "SENTINEL FAILOVER shop",
                "-INPROG Failover already in progress\r\n",
            ),
        ],
    );
}
