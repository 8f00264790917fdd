//! Dead letters, and giving them back to where they come from.

use schemars::JsonSchema;
use serde::Deserialize;

use super::actions::{done, ids, run, say};
use super::{Text, answer};
use crate::client::Client;
use crate::http::{Answer, Fault};
use crate::limits::{PAGE_DEFAULT, PAGE_MAX, SEARCHED_MAX};
use crate::reply::Value;
use crate::routes::Asked;

/// Which dead letters to give back, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redrive {
    /// The stream that they come from. Dead letters of others stay.
    destination: Text,
    /// Only those of this group.
    group: Option<Text>,
    /// Only these entries of the dead-letter stream, at most 1000.
    ids: Option<Vec<String>>,
    /// How many to give back, without `ids`: at most 1000; 100 unless it is given.
    count: Option<u64>,
}

/// What a dead letter begins with (`XGROUP SETCFG`, `DEADLETTER`).
const FIELDS: [&[u8]; 3] = [b"dlq-stream", b"dlq-group", b"dlq-id"];

/// Which dead letters an action is about.
struct Chosen {
    destination: Vec<u8>,
    group: Option<Vec<u8>>,
    count: u64,
}

/// Dead letters in a stream, as far as was looked.
struct Found {
    count: u64,
    /// There may be more.
    is_cut: bool,
}

pub(crate) async fn redrive(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Redrive = asked.body()?;
    let source = asked.captured(0);
    let count = body.count.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&count) {
        return Err(Fault::bad(format!("count is 1 to {PAGE_MAX}")));
    }
    let chosen = Chosen {
        destination: body.destination.bytes()?,
        group: body.group.as_ref().map(Text::bytes).transpose()?,
        count,
    };
    let destination = chosen.destination.clone();
    let mut command = vec![b"XREDRIVE".to_vec(), source.clone(), destination];
    if let Some(group) = &chosen.group {
        command.extend([b"GROUP".to_vec(), group.clone()]);
    }
    match &body.ids {
        Some(given) => {
            command.extend([b"IDS".to_vec(), given.len().to_string().into_bytes()]);
            command.extend(ids(given)?);
        }
        None => command.extend([b"COUNT".to_vec(), count.to_string().into_bytes()]),
    }
    if asked.query.flag("dry-run") {
        let client = asked.client().await?;
        let found = match &body.ids {
            Some(ids) => chosen.among(client, &source, ids).await?,
            None => chosen.first(client, &source).await?,
        };
        let more = if found.is_cut {
            ", and there may be more"
        } else {
            ""
        };
        let summary = format!("{}{more}", told(found.count));
        return say(&asked, &command, summary, found.count);
    }
    let reply = run(&mut asked, &command).await?;
    let count = reply
        .items()
        .get(1)
        .map_or(0, |ids| ids.items().len() as u64);
    answer(&done(&command, told(count), count))
}

fn told(count: u64) -> String {
    format!("gives {count} dead letters back to the group that they come from")
}

impl Chosen {
    /// Those among these entries.
    async fn among(
        &self,
        client: &mut Client,
        source: &[u8],
        ids: &[String],
    ) -> Result<Found, Fault> {
        let mut found = Found {
            count: 0,
            is_cut: false,
        };
        for id in ids {
            let told = client
                .ask(&[b"XRANGE", source, id.as_bytes(), id.as_bytes()])
                .await?;
            found.count += told.items().iter().filter(|entry| self.has(entry)).count() as u64;
        }
        Ok(found)
    }

    /// The first ones of a stream, as many as are asked for.
    async fn first(&self, client: &mut Client, source: &[u8]) -> Result<Found, Fault> {
        let batch = PAGE_DEFAULT.to_string();
        let (mut from, mut count) = (b"-".to_vec(), 0);
        for _ in 0..SEARCHED_MAX / PAGE_DEFAULT {
            let told = client
                .ask(&[b"XRANGE", source, &from, b"+", b"COUNT", batch.as_bytes()])
                .await?;
            let entries = told.items();
            count += entries.iter().filter(|entry| self.has(entry)).count() as u64;
            let last = entries.last().and_then(|last| last.items().first()?.text());
            let is_end = (entries.len() as u64) < PAGE_DEFAULT;
            match last {
                Some(id) if !is_end && count < self.count => from = [b"(", id].concat(),
                Some(_) | None => {
                    return Ok(Found {
                        is_cut: !is_end,
                        count: count.min(self.count),
                    });
                }
            }
        }
        Ok(Found {
            count,
            is_cut: true,
        })
    }

    /// Returns whether an entry is one of them.
    fn has(&self, entry: &Value) -> bool {
        let parts = entry.items().get(1).map(Value::items).unwrap_or_default();
        let mut values = FIELDS
            .iter()
            .zip(parts.chunks_exact(2))
            .map(|(name, pair)| {
                let is_named = pair[0].text() == Some(name);
                pair[1].text().filter(|_| is_named)
            });
        let (stream, group, id) = (values.next(), values.next(), values.next());
        let (Some(Some(stream)), Some(Some(group)), Some(Some(_))) = (stream, group, id) else {
            return false;
        };
        stream == self.destination && self.group.as_ref().is_none_or(|of| of == group)
    }
}
