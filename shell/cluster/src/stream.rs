//! What the stream of a log must be.
//!
//! A stream is made once, and checked at each start: whoever may edit streams may make one forget
//! records by age, or let others remove them. One table says what is required, for both.

use std::collections::BTreeSet;

use replication::Seq;
use serde_json::{Map, Value, json};

use crate::api::StreamInfo;
use crate::config::ServiceConfig;
use crate::error::OpenError;

/// Fields of a stream's configuration that a log relies on, with what they must be. What a server
/// leaves out counts as null.
fn required(config: &ServiceConfig) -> [(&'static str, Value); 26] {
    [
        ("name", json!(config.group.stream())),
        ("subjects", json!([config.group.subject()])),
        // It is kept, on disks, and only a trim behind a snapshot removes anything.
        ("num_replicas", json!(config.replicas)),
        ("storage", json!("file")),
        ("retention", json!("limits")),
        ("discard", json!("new")),
        ("max_age", json!(0)),
        ("max_bytes", json!(-1)),
        ("max_msgs", json!(-1)),
        ("max_msgs_per_subject", json!(-1)),
        ("max_msg_size", json!(-1)),
        ("deny_delete", json!(true)),
        ("deny_purge", json!(false)),
        ("allow_rollup_hdrs", json!(false)),
        ("allow_msg_ttl", json!(false)),
        // What a server acknowledges is what was published, by whoever leads, and has been written.
        ("sealed", json!(false)),
        ("no_ack", Value::Null),
        ("persist_mode", Value::Null),
        ("mirror", Value::Null),
        ("sources", Value::Null),
        ("subject_transform", Value::Null),
        ("republish", Value::Null),
        ("allow_msg_counter", Value::Null),
        ("allow_msg_schedules", Value::Null),
        // Followers read from any replica.
        ("allow_direct", json!(true)),
        ("mirror_direct", json!(false)),
    ]
}

/// The request that makes the stream, whose first record will have this number.
pub(crate) fn creation(config: &ServiceConfig, first: Seq) -> Value {
    let fields = required(config).into_iter();
    let first = [("first_seq", json!(first.0))];
    let fields = fields.chain(first).filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(field, value)| (field.to_owned(), value));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Checks a stream that is there.
///
/// # Errors
/// [`OpenError::Differs`], for the first field that is not as it must be.
pub(crate) fn check(config: &ServiceConfig, found: &Map<String, Value>) -> Result<(), OpenError> {
    for (field, required) in required(config) {
        let value = found.get(field).unwrap_or(&Value::Null);
        if *value != required && !(is_off(value) && is_off(&required)) {
            return Err(OpenError::Differs {
                stream: config.group.stream(),
                field,
                found: value.to_string(),
                required: required.to_string(),
            });
        }
    }
    Ok(())
}

/// What a server may as well leave out.
fn is_off(value: &Value) -> bool {
    *value == Value::Null || *value == json!(false) || *value == json!(0)
}

/// The names of the servers that keep a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keepers {
    pub(crate) all: BTreeSet<String>,
    /// Those that have all of it now.
    pub(crate) current: BTreeSet<String>,
}

/// Who keeps the stream; `connected` is the server that was asked.
pub(crate) fn keepers(info: &StreamInfo, connected: &str) -> Keepers {
    let replicas = || info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    let current = replicas().filter(|replica| replica.current);
    let leader = info.cluster.iter().filter_map(|it| it.leader.as_deref());
    // A server alone need not name itself.
    let leader = leader.chain([connected]).take(1);
    let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
    Keepers {
        all: names(&mut leader.clone().chain(replicas().map(|it| &*it.name))),
        current: names(&mut leader.chain(current.map(|it| &*it.name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::Assurance;
    use crate::config::GroupName;

    fn config() -> ServiceConfig {
        ServiceConfig {
            servers: vec!["localhost".to_owned()],
            user: None,
            group: GroupName::parse("g").unwrap(),
            replicas: 3,
            assurance: Assurance::Unchecked,
        }
    }

    #[test]
    fn a_stream_that_could_forget_is_refused() {
        let config = config();
        let Value::Object(made) = creation(&config, Seq(1)) else {
            panic!("a configuration is an object");
        };
        assert!(check(&config, &made).is_ok());
        for (field, value) in [
            ("num_replicas", json!(1)),
            ("max_age", json!(1)),
            ("storage", json!("memory")),
            ("discard", json!("old")),
            ("deny_delete", json!(false)),
            ("subjects", json!(["weir.g.log", "weir.g.other"])),
            ("persist_mode", json!("async")),
            ("mirror", json!({ "name": "other" })),
            ("no_ack", json!(true)),
        ] {
            let mut found = made.clone();
            found.insert(field.to_owned(), value);
            let error = check(&config, &found).unwrap_err();
            assert!(
                matches!(error, OpenError::Differs { field: it, .. } if it == field),
                "{error}"
            );
        }
        let mut found = made.clone();
        found.remove("deny_delete");
        assert!(check(&config, &found).is_err(), "absent is not true");
    }

    #[test]
    fn those_who_keep_a_stream_are_its_leader_and_its_followers() {
        let of = |cluster: Value| {
            let info = json!({
                "config": {}, "state": { "first_seq": 0, "last_seq": 0 }, "cluster": cluster,
            });
            let keepers = keepers(&serde_json::from_value(info).unwrap(), "me");
            let texts = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().concat();
            (texts(keepers.all), texts(keepers.current))
        };
        let both = |all: &str, current: &str| (all.to_owned(), current.to_owned());
        let replicas = json!([{ "name": "a", "current": true }, { "name": "c", "current": false }]);
        let three = json!({ "leader": "b", "replicas": replicas });
        assert_eq!(of(three), both("abc", "ab"));
        assert_eq!(of(json!({ "leader": "b" })), both("b", "b"));
        assert_eq!(of(Value::Null), both("me", "me"));
    }
}
