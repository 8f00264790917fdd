//! What a stream remembers of its producers.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, CURSOR, Text, answer, count, known_number_of, name_of, next_cursor, number_of};
use crate::http::{Answer, Fault};
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::{Asked, DB};

/// Parameters of a list of producers.
pub(crate) const LIST: &[Parameter] = &[
    DB,
    Parameter {
        name: "producer",
        kind: Kind::Text,
        help: "Only the one of this name.",
    },
    COUNT,
    CURSOR,
];

/// A page of producers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Producers {
    producers: Vec<Producer>,
    /// Where the next page begins; null on the last.
    cursor: Option<String>,
}

/// A producer. What is null is counted only if the stream was told to (`XCFGSET`, `IDMP-STATS`).
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Producer {
    name: Text,
    /// The latest epoch that it was given; 0 if none.
    epoch: u64,
    /// IDs that are remembered.
    iids: u64,
    /// How much of its window that is, in percent.
    window_used_percent: u64,
    /// The last ID that is remembered; null if none is.
    last_iid: Option<Text>,
    /// The entry of that one, which may be gone by now.
    last_entry: Option<String>,
    /// When it last added an entry, in milliseconds since the epoch; null if that is forgotten.
    active_ms: Option<u64>,
    /// Appends that were retries.
    duplicates: Option<u64>,
    /// Retries with other fields or values, which were refused.
    conflicts: Option<u64>,
    /// Appends that were refused because another took over.
    fenced: Option<u64>,
    /// Appends that were refused because their number was lower than the last one.
    stale: Option<u64>,
    /// Appends that were refused because their number was not the next one.
    gaps: Option<u64>,
    /// IDs that were dropped before their time because the window was full.
    dropped: Option<u64>,
}

pub(crate) async fn list(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let count = count(&asked.query).max(1).to_string();
    let cursor = asked.query.bytes("cursor").unwrap_or(b"0").to_vec();
    let name = asked.query.bytes("producer").map(<[u8]>::to_vec);
    let client = asked.client().await?;
    let mut request: Vec<&[u8]> = vec![b"XINFO", b"PRODUCERS", &key];
    request.extend([b"COUNT".as_slice(), count.as_bytes(), b"CURSOR", &cursor]);
    if let Some(name) = &name {
        request.extend([b"PID".as_slice(), name]);
    }
    let told = client.ask(&request).await?;
    let [next, producers] = told.items() else {
        return Err(Fault::internal("the list of producers is not understood"));
    };
    answer(&Producers {
        producers: producers.items().iter().map(Producer::of).collect(),
        cursor: next_cursor(next),
    })
}

impl Producer {
    fn of(told: &Value) -> Producer {
        Producer {
            name: name_of(told, "pid"),
            epoch: number_of(told, "epoch"),
            iids: number_of(told, "iids-tracked"),
            window_used_percent: number_of(told, "window-used"),
            last_iid: told.get("last-iid").and_then(Value::text).map(Text::from),
            last_entry: told
                .get("last-entry")
                .and_then(Value::text)
                .map(|id| String::from_utf8_lossy(id).into_owned()),
            active_ms: known_number_of(told, "active-time"),
            duplicates: known_number_of(told, "duplicates"),
            conflicts: known_number_of(told, "conflicts"),
            fenced: known_number_of(told, "fenced"),
            stale: known_number_of(told, "stale"),
            gaps: known_number_of(told, "gaps"),
            dropped: known_number_of(told, "dropped"),
        }
    }
}
