//! Entries of a stream that wait to be appended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actions::{done, run, say};
use super::entries::{Field, fields};
use super::{COUNT, answer, count};
use crate::client::ClientError;
use crate::http::{Answer, Fault};
use crate::query::{Kind, Parameter};
use crate::routes::{Asked, DB};
use crate::view;

/// Parameters of a list of delayed entries.
pub(crate) const LIST: &[Parameter] = &[
    DB,
    Parameter {
        name: "after",
        kind: Kind::Text,
        help: "The ticket behind which the page begins; at the first entry unless it is given.",
    },
    COUNT,
];

/// A page of delayed entries.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Delayed {
    entries: Vec<DelayedEntry>,
    /// How many wait in all.
    total: u64,
    /// What `after` is for the next page; null at the end.
    next: Option<String>,
}

/// A delayed entry.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DelayedEntry {
    ticket: String,
    /// When it is due, in milliseconds since the epoch.
    due_ms: u64,
    fields: Vec<Field>,
}

/// An entry to take back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    ticket: String,
}

pub(crate) async fn list(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let wanted = count(&asked.query);
    let count = wanted.to_string();
    let after = asked.query.bytes("after").map(<[u8]>::to_vec);
    let client = asked.client().await?;
    let mut request: Vec<&[u8]> = vec![b"XDELAYED", &key, b"COUNT", count.as_bytes()];
    if let Some(after) = &after {
        request.extend([b"AFTER".as_slice(), after]);
    }
    let told = client.ask(&request).await?;
    let entries = told.items().iter().map(|told| {
        let [ticket, of_entry] = told.items() else {
            return Err(Fault::internal("a delayed entry is not understood"));
        };
        let ticket = ticket.text().unwrap_or_default();
        Ok(DelayedEntry {
            due_ms: stream::Ticket::parse(ticket).map_or(0, |ticket| ticket.due_ms),
            ticket: String::from_utf8_lossy(ticket).into_owned(),
            fields: fields(of_entry),
        })
    });
    let entries = entries.collect::<Result<Vec<_>, Fault>>()?;
    let last = entries.last().filter(|_| entries.len() as u64 == wanted);
    answer(&Delayed {
        next: last.map(|last| last.ticket.clone()),
        total: view::of_stream(&asked, &key).map_or(0, |(stream, _)| view::delayed(&stream)),
        entries,
    })
}

pub(crate) async fn cancel(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Cancel = asked.body()?;
    let key = asked.captured(0);
    let ticket = body.ticket.into_bytes();
    let command = [b"XUNDELAY".to_vec(), key.clone(), ticket.clone()];
    let summary = |count| match count {
        0 => "no such entry waits".to_owned(),
        _ => "takes back an entry, which never comes into the stream".to_owned(),
    };
    if asked.query.flag("dry-run") {
        // Whoever may not look at the stream is not told whether something waits there.
        let client = asked.client().await?;
        client.ask(&[b"XDELAYED", &key, b"COUNT", b"0"]).await?;
        let ticket = stream::Ticket::parse(&ticket);
        let ticket = ticket.map_err(|error| ClientError::Refused(format!("ERR {error}")))?;
        let found = view::of_stream(&asked, &key);
        let waits = |stream: &stream::Stream| stream.delayed()?.find(ticket).map(|_| ());
        let count = u64::from(found.is_some_and(|(stream, _)| waits(&stream).is_some()));
        return say(&asked, &command, summary(count), count);
    }
    let count = run(&mut asked, &command).await?.number().unwrap_or(0);
    answer(&done(&command, summary(count), count))
}
