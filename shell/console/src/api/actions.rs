//! Actions: each is a command that the caller's client runs, and can first say what it would do.
//!
//! With `dry-run=true` nothing runs but commands that look: the answer has the command, whether the
//! user may run it, and what it would change as the stream is now. Without, the same command runs,
//! and the answer says what it did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::groups::{Pending, found};
use super::{Text, answer, text_of};
use crate::client::{Client, ClientError};
use crate::http::{Answer, Fault};
use crate::limits::PAGE_MAX;
use crate::query::{Kind, Parameter};
use crate::reply::Value;
use crate::rights::Rights;
use crate::routes::{Asked, DB};

/// Parameters of every action.
pub(crate) const PARAMETERS: &[Parameter] = &[
    DB,
    Parameter {
        name: "dry-run",
        kind: Kind::Flag,
        help: "Change nothing, and say what would change.",
    },
];

/// What an action did, or would do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    /// Nothing was changed.
    dry_run: bool,
    /// The command.
    command: Vec<Text>,
    /// The user may run it.
    allowed: bool,
    /// What was changed, or would be.
    summary: String,
    /// How many entries or settings that is.
    count: u64,
    /// The ID of an entry that was added, or the ticket of one that waits.
    id: Option<String>,
}

/// An entry to append.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    /// Its ID; `*`, the default, makes one.
    #[serde(default = "any_id")]
    id: String,
    /// After how many milliseconds it is to be appended; at once, unless it is given.
    delay_ms: Option<u64>,
    /// The producer and the idempotent ID, if it is to be appended once only.
    idempotent: Option<Idempotent>,
    /// Its fields and their values, at least one.
    fields: Vec<(Text, Text)>,
}

/// Who appends, and which message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idempotent {
    producer: Text,
    iid: Text,
}

/// Entries to acknowledge.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {
    /// At most 1000.
    ids: Vec<String>,
}

/// Entries to claim.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    /// At most 1000.
    ids: Vec<String>,
    /// Who gets them.
    consumer: Text,
    /// Only those that were delivered at least so many milliseconds ago.
    #[serde(default)]
    min_idle_ms: u64,
}

/// Entries to give back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nack {
    /// At most 1000.
    ids: Vec<String>,
    /// What this says of the last delivery.
    #[serde(default)]
    reason: Reason,
}

/// Why entries are given back.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reason {
    /// It did not count.
    Silent,
    /// It failed.
    #[default]
    Fail,
    /// Nobody can process it.
    Fatal,
}

/// Where a group reads on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetId {
    /// Above this ID; `$`: what is added from now on, `0`: all of it.
    id: String,
}

fn any_id() -> String {
    "*".to_owned()
}

pub(crate) async fn add(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Add = asked.body()?;
    let key = asked.captured(0);
    let mut command = vec![b"XADD".to_vec(), key.clone()];
    if let Some(Idempotent { producer, iid }) = &body.idempotent {
        command.extend([b"IDMP".to_vec(), producer.bytes()?, iid.bytes()?]);
    }
    if let Some(delay) = body.delay_ms {
        command.extend([b"DELAY".to_vec(), delay.to_string().into_bytes()]);
    }
    command.push(body.id.into_bytes());
    for (name, value) in &body.fields {
        command.extend([name.bytes()?, value.bytes()?]);
    }
    if asked.query.flag("dry-run") {
        let client = asked.client().await?;
        let kind = client.ask(&[b"TYPE", &key]).await?;
        let summary = match kind.text() {
            Some(b"none") => "makes the stream and appends an entry",
            Some(b"stream") => "appends an entry",
            Some(_) | None => return Err(Fault::from(ClientError::Refused(wrong_type()))),
        };
        return say(&asked, &command, summary.to_owned(), 1);
    }
    let reply = run(&mut asked, &command).await?;
    let id = String::from_utf8_lossy(reply.text().unwrap_or_default()).into_owned();
    answer(&Done {
        id: Some(id.clone()),
        ..done(&command, format!("the entry is {id}"), 1)
    })
}

pub(crate) async fn ack(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Ack = asked.body()?;
    let mut command = on_group(&asked, &[b"XACK"]);
    command.extend(ids(&body.ids)?);
    on_pending(&mut asked, command, &body.ids, 0, "acknowledges").await
}

pub(crate) async fn claim(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Claim = asked.body()?;
    let mut command = on_group(&asked, &[b"XCLAIM"]);
    command.extend([body.consumer.bytes()?, body.min_idle_ms.to_string().into()]);
    command.extend(ids(&body.ids)?);
    command.push(b"JUSTID".to_vec());
    on_pending(
        &mut asked,
        command,
        &body.ids,
        body.min_idle_ms,
        "gives to the consumer",
    )
    .await
}

pub(crate) async fn nack(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Nack = asked.body()?;
    let reason: &[u8] = match body.reason {
        Reason::Silent => b"SILENT",
        Reason::Fail => b"FAIL",
        Reason::Fatal => b"FATAL",
    };
    let mut command = on_group(&asked, &[b"XNACK"]);
    let count = body.ids.len().to_string().into_bytes();
    command.extend([reason.to_vec(), b"IDS".to_vec(), count]);
    command.extend(ids(&body.ids)?);
    on_pending(&mut asked, command, &body.ids, 0, "gives back to the group").await
}

pub(crate) async fn set_id(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: SetId = asked.body()?;
    let (key, group) = (asked.captured(0), asked.captured(1));
    let mut command = on_group(&asked, &[b"XGROUP", b"SETID"]);
    command.push(body.id.clone().into_bytes());
    let client = asked.client().await?;
    let before = found(client, &key, &group).await?;
    let summary = format!(
        "reads on above {} instead of {}; what is pending stays so",
        body.id,
        text_of(&before, "last-delivered-id"),
    );
    if asked.query.flag("dry-run") {
        return say(&asked, &command, summary, 1);
    }
    run(&mut asked, &command).await?;
    answer(&done(&command, summary, 1))
}

/// The beginning of a command on the group that the path names.
fn on_group(asked: &Asked<'_>, words: &[&[u8]]) -> Vec<Vec<u8>> {
    let words = words.iter().map(|word| word.to_vec());
    words
        .chain([asked.captured(0), asked.captured(1)])
        .collect()
}

/// IDs as arguments: some, and not too many.
pub(super) fn ids(ids: &[String]) -> Result<impl Iterator<Item = Vec<u8>>, Fault> {
    if ids.is_empty() || ids.len() as u64 > PAGE_MAX {
        return Err(Fault::bad(format!("ids are 1 to {PAGE_MAX} IDs")));
    }
    Ok(ids.iter().map(|id| id.clone().into_bytes()))
}

/// Runs a command on pending entries, or says for how many of them it would do something: those
/// that are pending, and idle for long enough or given back.
async fn on_pending(
    asked: &mut Asked<'_>,
    command: Vec<Vec<u8>>,
    ids: &[String],
    idle_ms_min: u64,
    does: &str,
) -> Result<Answer, Fault> {
    let (key, group) = (asked.captured(0), asked.captured(1));
    if asked.query.flag("dry-run") {
        let client = asked.client().await?;
        let mut count = 0;
        for id in ids {
            let found = pending(client, [&key, &group], id, idle_ms_min).await?;
            count += u64::from(found.is_some());
        }
        let summary = format!("{does} {count} of {} entries", ids.len());
        return say(asked, &command, summary, count);
    }
    let reply = run(asked, &command).await?;
    let claimed = reply.items().len() as u64;
    let count = reply.number().unwrap_or(claimed);
    let summary = format!("{does} {count} of {} entries", ids.len());
    answer(&done(&command, summary, count))
}

async fn pending(
    client: &mut Client,
    [key, group]: [&Vec<u8>; 2],
    id: &str,
    idle_ms_min: u64,
) -> Result<Option<Pending>, Fault> {
    let idle = idle_ms_min.to_string();
    let request: [&[u8]; 8] = [
        b"XPENDING",
        key,
        group,
        b"IDLE",
        idle.as_bytes(),
        id.as_bytes(),
        id.as_bytes(),
        b"1",
    ];
    let found = client.ask(&request).await?;
    Ok(found.items().first().map(Pending::of))
}

/// Runs the command of an action.
pub(super) async fn run(asked: &mut Asked<'_>, command: &[Vec<u8>]) -> Result<Value, Fault> {
    let request: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
    Ok(asked.client().await?.ask(&request).await?)
}

/// Says what a command would do, and whether the user may run it.
pub(super) fn say(
    asked: &Asked<'_>,
    command: &[Vec<u8>],
    summary: String,
    count: u64,
) -> Result<Answer, Fault> {
    let request: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
    let caller = &asked.caller;
    answer(&Done {
        dry_run: true,
        allowed: Rights::allow(&caller.served.shard, caller.user(), &request),
        ..done(command, summary, count)
    })
}

/// What was done.
pub(super) fn done(command: &[Vec<u8>], summary: String, count: u64) -> Done {
    Done {
        dry_run: false,
        command: command.iter().map(|word| word.as_slice().into()).collect(),
        allowed: true,
        summary,
        count,
        id: None,
    }
}

/// What the server says of a key of another type.
fn wrong_type() -> String {
    engine::error::CmdError::WrongType.to_string()
}
