//! Who keeps the log, as operators are told. Nothing is decided by it.

use async_nats::Message;

use crate::api::{self, StreamInfo};

/// The servers that keep a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogServers {
    /// The one that this node is connected to, or was at last.
    pub connected: String,
    /// All of them, the one that leads first; none if nobody tells.
    pub keepers: Vec<LogServer>,
}

/// A server that keeps a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogServer {
    /// Its name.
    pub name: String,
    /// It decides what comes into the log.
    pub leads: bool,
    /// It has what the leader has.
    pub is_current: bool,
    /// How many records it is behind.
    pub lag: u64,
}

/// The servers that an answer names. `connected` is the one that it came from.
pub(crate) fn told(message: &Message, connected: &str) -> Vec<LogServer> {
    match api::decode::<StreamInfo>(&message.payload) {
        Ok(info) => keepers(info, connected),
        // There is no stream, or it has no leader.
        Err(_) => Vec::new(),
    }
}

fn keepers(info: StreamInfo, connected: &str) -> Vec<LogServer> {
    let leading = |name: String| LogServer {
        name,
        leads: true,
        is_current: true,
        lag: 0,
    };
    let Some(cluster) = info.cluster else {
        // A server alone need not name itself.
        return vec![leading(connected.to_owned())];
    };
    let followers = cluster.replicas.into_iter().map(|peer| LogServer {
        name: peer.name,
        leads: false,
        is_current: peer.current,
        lag: peer.lag,
    });
    let leader = cluster.leader.filter(|name| !name.is_empty()).map(leading);
    leader.into_iter().chain(followers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(cluster: Value) -> Vec<(String, bool, bool, u64)> {
        let info = json!({
            "config": {}, "state": { "first_seq": 0, "last_seq": 0 }, "cluster": cluster,
        });
        let found = keepers(serde_json::from_value(info).unwrap(), "me").into_iter();
        let found = found.map(|it| (it.name, it.leads, it.is_current, it.lag));
        found.collect()
    }

    #[test]
    fn servers_are_those_that_are_told_of_the_leader_first() {
        let replicas = json!([
            { "name": "a", "current": true },
            { "name": "c", "current": false, "lag": 7, "offline": true },
        ]);
        let leader = |name: &str| (name.to_owned(), true, true, 0);
        let (a, c) = (
            ("a".to_owned(), false, true, 0),
            ("c".to_owned(), false, false, 7),
        );
        let three = json!({ "leader": "b", "replicas": replicas });
        assert_eq!(of(three), [leader("b"), a.clone(), c.clone()]);
        assert_eq!(of(json!({ "leader": "", "replicas": replicas })), [a, c]);
        assert_eq!(of(Value::Null), [leader("me")]);
    }
}
