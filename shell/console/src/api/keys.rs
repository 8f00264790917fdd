//! Keys of any type, to look at.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, CURSOR, Text, answer, count, next_cursor};
use crate::http::{Answer, Fault};
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::{Asked, DB};

/// Parameters of a list of keys.
pub(crate) const LIST: &[Parameter] = &[
    DB,
    Parameter {
        name: "match",
        kind: Kind::Text,
        help: "A pattern (as of KEYS) for the names.",
    },
    Parameter {
        name: "type",
        kind: Kind::Word(&["string", "list", "set", "zset", "hash", "stream"]),
        help: "Only keys of this type.",
    },
    COUNT,
    CURSOR,
];

/// A page of keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Keys {
    keys: Vec<KeyRow>,
    /// Where the next page begins; null on the last. A page may have no key and a cursor.
    cursor: Option<String>,
}

/// A key in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyRow {
    name: Text,
    /// The type of its value.
    kind: String,
    /// In how many milliseconds it expires; null if it does not.
    expires_in_ms: Option<u64>,
}

pub(crate) async fn list(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let count = count(&asked.query).max(1).to_string();
    let cursor = asked.query.bytes("cursor").unwrap_or(b"0").to_vec();
    let pattern = asked.query.bytes("match").unwrap_or(b"*").to_vec();
    let kind = asked.query.bytes("type").map(<[u8]>::to_vec);
    let client = asked.client().await?;
    let mut request: Vec<&[u8]> = vec![b"SCAN", &cursor, b"MATCH", &pattern];
    request.extend([b"COUNT".as_slice(), count.as_bytes()]);
    if let Some(kind) = &kind {
        request.extend([b"TYPE".as_slice(), kind]);
    }
    let told = client.ask(&request).await?;
    let [next, names] = told.items() else {
        return Err(Fault::internal("the list of keys is not understood"));
    };
    let mut keys = Vec::new();
    for name in names.items().iter().filter_map(Value::text) {
        let kind = match &kind {
            Some(kind) => kind.clone(),
            None => {
                let kind = client.ask(&[b"TYPE", name]).await?;
                kind.text().unwrap_or_default().to_vec()
            }
        };
        keys.push(KeyRow {
            name: name.into(),
            kind: String::from_utf8_lossy(&kind).into_owned(),
            expires_in_ms: client.ask(&[b"PTTL", name]).await?.number(),
        });
    }
    answer(&Keys {
        keys,
        cursor: next_cursor(next),
    })
}
