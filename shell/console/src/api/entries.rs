//! Entries of a stream: by ID or time, forwards or backwards, and searched on the server.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, Text, answer, count};
use crate::http::{Answer, Fault};
use crate::limits::{PAGE_MAX, SEARCHED_MAX};
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::{Asked, DB};

/// Parameters of a list of entries.
pub(crate) const LIST: &[Parameter] = &[
    DB,
    Parameter {
        name: "from",
        kind: Kind::Text,
        help: "The ID, or the time in milliseconds, to begin at; the first entry (reverse: the \
               last) unless it is given. An ID after ( is itself left out.",
    },
    Parameter {
        name: "to",
        kind: Kind::Text,
        help: "The ID, or the time, to end at.",
    },
    Parameter {
        name: "reverse",
        kind: Kind::Flag,
        help: "The latest first.",
    },
    Parameter {
        name: "contains",
        kind: Kind::Text,
        help: "A text that a field or a value has in it. At most 10000 entries are looked at for \
               one answer.",
    },
    COUNT,
];

/// A page of entries.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    /// What `from` is for the next page; null at the end.
    next: Option<String>,
    /// How many entries were looked at.
    looked_at: u64,
}

/// An entry.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    id: String,
    fields: Vec<Field>,
}

/// A field of an entry and its value.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Field {
    name: Text,
    value: Text,
}

pub(crate) async fn list(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let wanted = count(&asked.query) as usize;
    let is_reverse = asked.query.flag("reverse");
    let (command, first, last): (&[u8], &[u8], &[u8]) = match is_reverse {
        true => (b"XREVRANGE", b"+", b"-"),
        false => (b"XRANGE", b"-", b"+"),
    };
    let mut from = asked.query.bytes("from").unwrap_or(first).to_vec();
    let to = asked.query.bytes("to").unwrap_or(last).to_vec();
    let contains = asked.query.bytes("contains").map(<[u8]>::to_vec);
    let client = asked.client().await?;
    // What is no stream is an error even where nothing is looked at.
    client.ask(&[b"XLEN", &key]).await?;
    let mut page = Entries {
        entries: Vec::new(),
        next: None,
        looked_at: 0,
    };
    while page.entries.len() < wanted && page.looked_at < SEARCHED_MAX {
        let batch = match contains {
            Some(_) => PAGE_MAX as usize,
            None => wanted,
        };
        let batch_text = batch.to_string();
        let request: [&[u8]; 6] = [command, &key, &from, &to, b"COUNT", batch_text.as_bytes()];
        let found = client.ask(&request).await?;
        let found = found.items();
        for entry in found {
            page.looked_at += 1;
            let [id, fields] = entry.items() else {
                return Err(Fault::internal("an entry is not understood"));
            };
            let id = String::from_utf8_lossy(id.text().unwrap_or_default()).into_owned();
            from = format!("({id}").into_bytes();
            let fits = |text: &Vec<u8>| fields.items().iter().any(|part| has(part, text));
            if contains.as_ref().is_none_or(fits) {
                page.entries.push(Entry::of(id, fields));
            }
            if page.entries.len() == wanted {
                break;
            }
        }
        let is_end = found.len() < batch;
        let is_done = page.entries.len() == wanted;
        page.next = (!is_end || is_done).then(|| String::from_utf8_lossy(&from).into_owned());
        if is_end {
            break;
        }
    }
    answer(&page)
}

/// Returns whether a field or a value has a text in it.
fn has(part: &Value, text: &[u8]) -> bool {
    let part = part.text().unwrap_or_default();
    text.is_empty() || part.windows(text.len()).any(|window| window == text)
}

impl Entry {
    fn of(id: String, told: &Value) -> Entry {
        Entry {
            id,
            fields: fields(told),
        }
    }
}

/// Fields and values, which a reply has one after another.
pub(super) fn fields(told: &Value) -> Vec<Field> {
    let text = |value: &Value| value.text().unwrap_or_default().into();
    let pairs = told.items().chunks_exact(2);
    pairs
        .map(|pair| Field {
            name: text(&pair[0]),
            value: text(&pair[1]),
        })
        .collect()
}
