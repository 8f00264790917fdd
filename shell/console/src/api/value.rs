//! A key of any type, to look at: what it is, and a page of what is in it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, Text, answer, count, next_cursor};
use crate::client::Client;
use crate::http::{Answer, Fault};
use crate::limits::STRING_BYTES_SHOWN_MAX;
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::routes::{Asked, DB};

/// Parameters of a look at a key.
pub(crate) const ONE: &[Parameter] = &[
    DB,
    COUNT,
    Parameter {
        name: "cursor",
        kind: Kind::Number(u64::MAX),
        help: "The cursor of the page before; none for the first page.",
    },
];

/// A key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Key {
    name: Text,
    /// The type of its value.
    kind: String,
    /// How the value is kept in memory, as `OBJECT ENCODING` says; null if the caller may not ask.
    encoding: Option<String>,
    /// In how many milliseconds it expires; null if it does not.
    expires_in_ms: Option<u64>,
    /// About how many bytes of memory it takes; null if the caller may not ask.
    bytes: Option<u64>,
    /// Bytes of a string, or elements of anything else.
    length: u64,
    /// A page of what is in it: of a string 64 KiB, of a stream nothing, since that has pages of
    /// its own.
    elements: Vec<Element>,
    /// Where the next page begins; null on the last. A page may have no element and a cursor.
    cursor: Option<String>,
}

/// Something in a value.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Element {
    /// The field of a hash; null of anything else.
    field: Option<Text>,
    /// A part of a string, an element of a list, a member of a set, or the value of a field.
    value: Text,
    /// The score in a sorted set; null of anything else. One that is no finite number is a text.
    score: Option<Score>,
}

/// A score.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Score {
    Number(f64),
    /// `inf` or `-inf`.
    Text(String),
}

/// A page of what is in a value.
struct Page<'k> {
    key: &'k [u8],
    /// Where it begins: a place, or the cursor of a scan.
    cursor: u64,
    count: u64,
}

/// How values of a type are looked at.
struct Look {
    /// The name of the type.
    kind: &'static str,
    /// The command that tells the length.
    length: &'static [u8],
    /// How a page comes.
    page: Paging,
}

/// How a page comes, and by which command.
enum Paging {
    /// Bytes from a place on.
    Bytes(&'static [u8]),
    /// Elements from a place on.
    Places(&'static [u8]),
    /// Elements and their scores, from a place on.
    Scores(&'static [u8]),
    /// Elements by a cursor, as of `SCAN`.
    Scan(&'static [u8]),
    /// Fields and their values, by a cursor.
    ScanFields(&'static [u8]),
    /// Not here.
    None,
}

const LOOKS: [Look; 6] = [
    look("string", b"STRLEN", Paging::Bytes(b"GETRANGE")),
    look("list", b"LLEN", Paging::Places(b"LRANGE")),
    look("set", b"SCARD", Paging::Scan(b"SSCAN")),
    look("hash", b"HLEN", Paging::ScanFields(b"HSCAN")),
    look("zset", b"ZCARD", Paging::Scores(b"ZRANGE")),
    look("stream", b"XLEN", Paging::None),
];

const fn look(kind: &'static str, length: &'static [u8], page: Paging) -> Look {
    Look { kind, length, page }
}

pub(crate) async fn one(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let (wanted, cursor) = (count(&asked.query), asked.query.number("cursor", 0));
    let client = asked.client().await?;
    let kind = client.ask(&[b"TYPE", &key]).await?;
    let kind = String::from_utf8_lossy(kind.text().unwrap_or_default()).into_owned();
    let Some(look) = LOOKS.iter().find(|look| look.kind == kind) else {
        return Err(Fault::not_found("there is no such key"));
    };
    let length = client
        .ask(&[look.length, &key])
        .await?
        .number()
        .unwrap_or(0);
    let page = Page {
        key: &key,
        cursor,
        count: wanted,
    };
    let (elements, next) = match look.page {
        Paging::Bytes(command) => {
            let page = Page {
                count: wanted.min(1) * STRING_BYTES_SHOWN_MAX,
                ..page
            };
            let told = page.range(client, &[command]).await?;
            let bytes = told.text().filter(|_| wanted > 0).map(Element::plain);
            (bytes.into_iter().collect(), page.next(length))
        }
        Paging::Places(command) => {
            let told = page.range(client, &[command]).await?;
            (elements(&told), page.next(length))
        }
        Paging::Scores(command) => {
            let told = page.range(client, &[command, b"WITHSCORES"]).await?;
            (elements(&told), page.next(length))
        }
        Paging::Scan(command) => {
            let (found, next) = page.scan(client, command).await?;
            (elements(&found), next)
        }
        Paging::ScanFields(command) => {
            let (found, next) = page.scan(client, command).await?;
            (fields(&found), next)
        }
        Paging::None => (Vec::new(), None),
    };
    let encoding = client.request(&[b"OBJECT", b"ENCODING", &key]).await?;
    let encoding = encoding
        .text()
        .map(|text| String::from_utf8_lossy(text).into_owned());
    answer(&Key {
        name: key.as_slice().into(),
        encoding,
        expires_in_ms: client.ask(&[b"PTTL", &key]).await?.number(),
        bytes: client.request(&[b"MEMORY", b"USAGE", &key]).await?.number(),
        kind,
        length,
        elements,
        cursor: next,
    })
}

impl Page<'_> {
    /// What is from the place on. `command` is the command, and what follows its range.
    async fn range(&self, client: &mut Client, command: &[&[u8]]) -> Result<Value, Fault> {
        let Page { key, cursor, count } = *self;
        // The end is part of a range, so one of nothing ends before it begins.
        let (first, last) = match count {
            0 => (cursor.saturating_add(1), cursor),
            _ => (cursor, cursor.saturating_add(count - 1)),
        };
        let [first, last] = [first, last].map(|place| place.min(i64::MAX as u64).to_string());
        let (command, options) = command.split_at(1);
        let range: [&[u8]; 3] = [key, first.as_bytes(), last.as_bytes()];
        Ok(client.ask(&[command, &range, options].concat()).await?)
    }

    /// Where the page after it begins, in something of this length.
    fn next(&self, length: u64) -> Option<String> {
        let next = self.cursor.saturating_add(self.count);
        (next < length).then(|| next.to_string())
    }

    /// What one step of a scan finds, and the cursor of the next.
    async fn scan(
        &self,
        client: &mut Client,
        command: &[u8],
    ) -> Result<(Value, Option<String>), Fault> {
        let (cursor, count) = (self.cursor.to_string(), self.count.max(1).to_string());
        let request = [
            command,
            self.key,
            cursor.as_bytes(),
            b"COUNT",
            count.as_bytes(),
        ];
        let Value::Array(mut told) = client.ask(&request).await? else {
            return Err(Fault::internal("what is in a value is not understood"));
        };
        let found = told.pop().unwrap_or(Value::Null);
        Ok((found, told.first().and_then(next_cursor)))
    }
}

/// Elements one after another, or each with its score.
fn elements(told: &Value) -> Vec<Element> {
    let elements = told.items().iter().map(|told| match told.items() {
        [member, score] => Element {
            score: Score::of(score),
            ..Element::plain(member.text().unwrap_or_default())
        },
        _ => Element::plain(told.text().unwrap_or_default()),
    });
    elements.collect()
}

/// Fields and their values, one after another.
fn fields(told: &Value) -> Vec<Element> {
    let pairs = told.items().chunks_exact(2);
    let elements = pairs.map(|pair| Element {
        field: pair[0].text().map(Text::from),
        ..Element::plain(pair[1].text().unwrap_or_default())
    });
    elements.collect()
}

impl Element {
    fn plain(value: &[u8]) -> Element {
        Element {
            field: None,
            value: value.into(),
            score: None,
        }
    }
}

impl Score {
    fn of(told: &Value) -> Option<Score> {
        match told {
            Value::Double(score) if score.is_finite() => Some(Score::Number(*score)),
            Value::Double(score) => Some(Score::Text(score.to_string())),
            Value::Null
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Map(_)
            | Value::Error(_) => None,
        }
    }
}
