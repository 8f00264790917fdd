//! `/api/v1`: what the server knows as JSON, and a few actions.
//!
//! Contents of keys come from commands, which the caller's client runs; sums and lists of all
//! streams come from frozen views ([`crate::survey`]), as far as the caller may see them. Every
//! value is a type here, from which the OpenAPI document has its schemas.

pub(crate) mod actions;
pub(crate) mod advice;
pub(crate) mod cluster;
pub(crate) mod dead_letters;
pub(crate) mod delayed;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod groups;
pub(crate) mod groups_behind;
pub(crate) mod keys;
pub(crate) mod producers;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod streams;
pub(crate) mod value;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Fault};
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::DB;

/// Parameters of what only needs a database.
pub(crate) const DATABASE: &[Parameter] = &[DB];

/// How many things an answer lists.
const COUNT: Parameter = Parameter {
    name: "count",
    kind: Kind::Number(PAGE_MAX),
    help: "How many to list at most; 100 unless it is given.",
};

/// Where an answer goes on.
const CURSOR: Parameter = Parameter {
    name: "cursor",
    kind: Kind::Text,
    help: "The cursor of the page before; none for the first page.",
};

/// Bytes of a name or a value: as text if they are UTF-8, in base64 if not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Text {
    Text(String),
    Bytes { base64: String },
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Text {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text::Text(text.to_owned()),
            Err(_) => Text::Bytes {
                base64: STANDARD.encode(bytes),
            },
        }
    }
}

impl Text {
    /// The bytes that it stands for.
    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Text::Text(text) => Ok(text.clone().into_bytes()),
            Text::Bytes { base64 } => {
                let decoded = STANDARD.decode(base64);
                decoded.map_err(|_| Fault::bad("what should be base64 is not"))
            }
        }
    }
}

fn answer(value: &impl Serialize) -> Result<Answer, Fault> {
    Ok(Answer::json(StatusCode::OK, value))
}

/// How many things are asked for.
fn count(query: &crate::query::Query) -> u64 {
    query.number("count", PAGE_DEFAULT)
}

/// The cursor of the next page in a reply; none if that is the end.
fn next_cursor(told: &Value) -> Option<String> {
    let next = told.text().filter(|next| *next != b"0")?;
    Some(String::from_utf8_lossy(next).into_owned())
}

/// The text of a field of a reply; empty if it is not there.
fn text_of(value: &Value, field: &str) -> String {
    let text = value.get(field).and_then(Value::text).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The name in a field of a reply.
fn name_of(value: &Value, field: &str) -> Text {
    let name = value.get(field).and_then(Value::text);
    name.unwrap_or_default().into()
}

/// The number in a field of a reply; 0 if it is not there.
fn number_of(value: &Value, field: &str) -> u64 {
    known_number_of(value, field).unwrap_or_default()
}

/// The number in a field of a reply; none if it is not there, null or negative.
fn known_number_of(value: &Value, field: &str) -> Option<u64> {
    value.get(field).and_then(Value::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_come_back_as_they_were() {
        for bytes in [&b"orders"[..], b"", b"\xff\x00", "Übung".as_bytes()] {
            let json = serde_json::to_string(&Text::from(bytes)).unwrap();
            let back: Text = serde_json::from_str(&json).unwrap();
            assert_eq!(back.bytes().ok().as_deref(), Some(bytes), "{json}");
        }
        let odd: Text = serde_json::from_str(r#"{"base64": "?"}"#).unwrap();
        assert!(odd.bytes().is_err());
    }
}
