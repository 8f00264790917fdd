//! Groups of a stream, their consumers, and what is pending.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, Text, answer, count, known_number_of, name_of, number_of, settings, text_of};
use crate::client::Client;
use crate::http::{Answer, Fault};
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::{Asked, DB};

/// Parameters of a list of pending entries.
pub(crate) const PENDING: &[Parameter] = &[
    DB,
    Parameter {
        name: "from",
        kind: Kind::Text,
        help: "The ID to begin at; one after ( is itself left out.",
    },
    Parameter {
        name: "consumer",
        kind: Kind::Text,
        help: "Only those of this consumer.",
    },
    Parameter {
        name: "idle",
        kind: Kind::Number(u32::MAX as u64),
        help: "Only those that were delivered at least so many milliseconds ago.",
    },
    COUNT,
];

/// The groups of a stream.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Groups {
    groups: Vec<Group>,
}

/// A consumer group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Group {
    name: Text,
    consumers: u64,
    /// Entries that were delivered and not acknowledged.
    pending: u64,
    /// It reads on above this ID.
    last_delivered_id: String,
    /// Entries that it has read; null if that is not known.
    entries_read: Option<u64>,
    /// Entries that it has yet to read.
    lag: u64,
}

/// What is known of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OneGroup {
    #[serde(flatten)]
    group: Group,
    /// What it was told, as `XGROUP GETCFG` has it.
    settings: settings::Named,
    /// Where entries go that it does not deliver again; null if they go nowhere.
    dead_letters: Option<DeadLetters>,
}

/// The dead-letter stream of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeadLetters {
    stream: Text,
    /// Entries that it has, those of other groups included; null if the caller may not look.
    entries: Option<u64>,
}

/// The consumers of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Consumers {
    consumers: Vec<Consumer>,
}

/// A consumer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Consumer {
    name: Text,
    pending: u64,
    /// For how long it has not called.
    idle_ms: u64,
    /// For how long it has been given nothing; null if it never was.
    inactive_ms: Option<u64>,
}

/// A page of pending entries.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PendingEntries {
    pending: Vec<Pending>,
    /// What `from` is for the next page; null if there is none.
    next: Option<String>,
}

/// A pending entry.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Pending {
    pub(super) id: String,
    /// Who has it; empty if it was given back.
    consumer: Text,
    /// How long ago it was delivered; null if it was given back.
    idle_ms: Option<u64>,
    /// How often it was delivered.
    pub(super) deliveries: u64,
}

pub(crate) async fn list(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let client = asked.client().await?;
    let told = client.ask(&[b"XINFO", b"GROUPS", &key]).await?;
    let groups = told.items().iter().map(Group::of).collect();
    answer(&Groups { groups })
}

pub(crate) async fn one(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let (key, group) = (asked.captured(0), asked.captured(1));
    let client = asked.client().await?;
    let settings = settings::group_settings(client, &key, &group).await?;
    let told = found(client, &key, &group).await?;
    let to = settings.get("deadletter").map(settings::Setting::argument);
    let to = to.transpose()?.filter(|to| !to.is_empty());
    let dead_letters = match to {
        Some(to) => Some(DeadLetters {
            stream: to.as_slice().into(),
            entries: client.request(&[b"XLEN", &to]).await?.number(),
        }),
        None => None,
    };
    answer(&OneGroup {
        group: Group::of(&told),
        settings,
        dead_letters,
    })
}

/// What `XINFO GROUPS` tells of a group.
pub(super) async fn found(client: &mut Client, key: &[u8], group: &[u8]) -> Result<Value, Fault> {
    let Value::Array(groups) = client.ask(&[b"XINFO", b"GROUPS", key]).await? else {
        return Err(Fault::internal("the list of groups is not understood"));
    };
    let is_it = |told: &Value| told.get("name").and_then(Value::text) == Some(group);
    let found = groups.into_iter().find(is_it);
    found.ok_or_else(|| Fault::not_found("there is no such group"))
}

pub(crate) async fn consumers(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let (key, group) = (asked.captured(0), asked.captured(1));
    let client = asked.client().await?;
    let told = client.ask(&[b"XINFO", b"CONSUMERS", &key, &group]).await?;
    let consumers = told.items().iter().map(|told| Consumer {
        name: name_of(told, "name"),
        pending: number_of(told, "pending"),
        idle_ms: number_of(told, "idle"),
        inactive_ms: known_number_of(told, "inactive"),
    });
    answer(&Consumers {
        consumers: consumers.collect(),
    })
}

pub(crate) async fn pending(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let (key, group) = (asked.captured(0), asked.captured(1));
    let count = count(&asked.query);
    let idle = asked.query.number("idle", 0).to_string();
    let from = asked.query.bytes("from").unwrap_or(b"-").to_vec();
    let consumer = asked.query.bytes("consumer").map(<[u8]>::to_vec);
    let count_text = count.to_string();
    let mut request: Vec<&[u8]> = vec![b"XPENDING", &key, &group];
    request.extend([b"IDLE".as_slice(), idle.as_bytes(), &from, b"+"]);
    request.push(count_text.as_bytes());
    request.extend(consumer.as_deref());
    let client = asked.client().await?;
    let told = client.ask(&request).await?;
    let pending: Vec<_> = told.items().iter().map(Pending::of).collect();
    let is_full = pending.len() as u64 == count;
    let last = pending.last().filter(|_| is_full);
    answer(&PendingEntries {
        next: last.map(|last| format!("({}", last.id)),
        pending,
    })
}

impl Group {
    fn of(told: &Value) -> Group {
        Group {
            name: name_of(told, "name"),
            consumers: number_of(told, "consumers"),
            pending: number_of(told, "pending"),
            last_delivered_id: text_of(told, "last-delivered-id"),
            entries_read: known_number_of(told, "entries-read"),
            lag: number_of(told, "lag"),
        }
    }
}

impl Pending {
    pub(super) fn of(told: &Value) -> Pending {
        let parts = told.items();
        let text = |index: usize| parts.get(index).and_then(Value::text).unwrap_or_default();
        Pending {
            id: String::from_utf8_lossy(text(0)).into_owned(),
            consumer: text(1).into(),
            idle_ms: parts.get(2).and_then(Value::number),
            deliveries: parts.get(3).and_then(Value::number).unwrap_or_default(),
        }
    }
}
