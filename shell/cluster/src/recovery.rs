//! What an operator needs to begin a log again of which something is lost: whether nodes still run,
//! all that is left of the log, and a new stream in its place.
//!
//! Which records are still good, and what of it is kept, is for the caller to find out.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use replication::{Event, Position, Publish, Seq, Ticket};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::api::{self, ApiError, Deleted, MessageOfLeader, NO_MESSAGE, NO_STREAM, StoredMessage};
use crate::config::ServiceConfig;
use crate::connection::{AskError, Connection};
use crate::error::OpenError;
use crate::limits::{LISTEN_FOR_NODES, QUESTION_TIMEOUT, READ_AGAIN, VERIFY_PATIENCE};
use crate::opening;
use crate::pass::Bounds;
use crate::presence::Nodes;
use crate::service::LogService;
use crate::verify::runtime;

/// A record that is left, good or not.
#[derive(Clone, Debug)]
pub struct KeptRecord {
    /// Its number.
    pub seq: Seq,
    /// When it came, in the words of RFC 3339 and by the clock of a NATS server.
    pub time: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Why a log is not begun again.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The NATS servers do not do what they should.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// They do not answer, or say no.
    #[error("the NATS servers do not give what is asked for: {0}")]
    Refused(String),
    /// What was read cannot be kept, or the system gives what a connection needs not.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The records that a log has; `None` if there is no stream.
///
/// # Errors
/// [`RecoverError`]
pub fn bounds(config: &ServiceConfig) -> Result<Option<Bounds>, RecoverError> {
    runtime()?.block_on(bounds_now(config))
}

async fn bounds_now(config: &ServiceConfig) -> Result<Option<Bounds>, RecoverError> {
    let deadline = Instant::now() + VERIFY_PATIENCE;
    loop {
        match opening::beside(config).await {
            Ok((_, info)) => return Ok(Some(info.state.bounds())),
            Err(OpenError::Refused {
                error: ApiError::Refused { err_code, .. },
                ..
            }) if err_code == NO_STREAM => return Ok(None),
            // Who leads the stream may have to be elected yet.
            Err(OpenError::NotReady { .. }) if Instant::now() < deadline => {
                sleep(READ_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The nodes of a group that run, by what they say of themselves. Blocks for
/// [`LISTEN_FOR_NODES`], or until one is heard.
///
/// # Errors
/// [`RecoverError`]
pub fn heard(config: &ServiceConfig) -> Result<Option<String>, RecoverError> {
    runtime()?.block_on(async {
        let connection = Connection::open(&config.servers, config.user.as_ref()).await?;
        let mut nodes = Nodes::open(&connection, &config.group).await?;
        let heard = timeout(LISTEN_FOR_NODES, nodes.next()).await;
        Ok(heard.ok().map(|presence| presence.greeting))
    })
}

/// Tells `each` of all records that are left from `from` on, good or not. Asks the leader of the
/// stream for one after the other.
///
/// # Errors
/// [`RecoverError`]
pub fn kept(
    config: &ServiceConfig,
    from: Seq,
    each: &mut dyn FnMut(KeptRecord) -> io::Result<()>,
) -> Result<(), RecoverError> {
    runtime()?.block_on(async {
        let (connection, _) = opening::beside(config).await?;
        let mut next = from;
        while let Some(record) = kept_from(&connection, config, next).await? {
            next = Seq(record.seq).next();
            each(kept_record(record)?)?;
        }
        Ok(())
    })
}

/// The record of this number, if it is there.
///
/// # Errors
/// [`RecoverError`]
pub fn record(config: &ServiceConfig, seq: Seq) -> Result<Option<KeptRecord>, RecoverError> {
    runtime()?.block_on(async {
        let (connection, _) = opening::beside(config).await?;
        let found = kept_from(&connection, config, seq).await?;
        found
            .filter(|it| it.seq == seq.0)
            .map(kept_record)
            .transpose()
    })
}

fn kept_record(message: StoredMessage) -> Result<KeptRecord, RecoverError> {
    let bytes = BASE64_STANDARD.decode(&message.data);
    Ok(KeptRecord {
        seq: Seq(message.seq),
        time: message.time,
        bytes: bytes.map_err(|error| RecoverError::Refused(error.to_string()))?,
    })
}

/// The first record that is left from this number on.
async fn kept_from(
    connection: &Connection,
    config: &ServiceConfig,
    from: Seq,
) -> Result<Option<StoredMessage>, RecoverError> {
    let question = json!({ "seq": from.0, "next_by_subj": config.group.subject() });
    let subject = api::message_of_leader(&config.group.stream());
    let deadline = Instant::now() + VERIFY_PATIENCE;
    loop {
        let question = question.to_string().into_bytes();
        let found = connection.ask::<MessageOfLeader>(subject.clone(), question);
        match found.await {
            Ok(found) => return Ok(Some(found.message)),
            Err(AskError::Api(ApiError::Refused { err_code, .. })) if err_code == NO_MESSAGE => {
                return Ok(None);
            }
            Err(AskError::Unanswered(_)) if Instant::now() < deadline => sleep(READ_AGAIN).await,
            Err(error) => return Err(RecoverError::Refused(error.to_string())),
        }
    }
}

/// Removes the stream of a log, if it is there, and makes one whose only record is `first`, behind
/// which a reader is at `at`. It is read back. No node may run, and nobody else may do the same.
///
/// # Errors
/// [`RecoverError`]. The old stream may be gone then, and the new one there or not.
pub fn begin_again(
    config: &ServiceConfig,
    at: &Position,
    first: &[u8],
) -> Result<(), RecoverError> {
    runtime()?.block_on(async {
        if bounds_now(config).await?.is_some() {
            let (connection, _) = opening::beside(config).await?;
            let subject = api::delete_stream(&config.group.stream());
            let deleted = connection.ask::<Deleted>(subject, Vec::new()).await;
            let deleted = deleted.map_err(|error| RecoverError::Refused(error.to_string()))?;
            if !deleted.success {
                let why = "the stream is not removed".to_owned();
                return Err(RecoverError::Refused(why));
            }
        }
        let connection = opening::open_at(config, at.seq).await?;
        let mut service = LogService::on(connection, config);
        let ticket = Ticket(1);
        service
            .publish(Publish {
                ticket,
                expected: Seq(at.seq.0.saturating_sub(1)),
                bytes: first.to_vec(),
            })
            .await;
        let deadline = Instant::now() + QUESTION_TIMEOUT;
        let acked = Event::Acked {
            ticket,
            seq: at.seq,
        };
        while let Ok(event) = timeout_at(deadline, service.next()).await {
            if event == acked {
                break;
            }
        }
        let (connection, _) = opening::beside(config).await?;
        let found = kept_from(&connection, config, Seq::ZERO.next()).await?;
        let found = found.map(kept_record).transpose()?;
        let is_there = found.is_some_and(|it| it.seq == at.seq && it.bytes == first);
        match is_there {
            true => Ok(()),
            false => Err(RecoverError::Refused(
                "the first record of the new log is not there".to_owned(),
            )),
        }
    })
}
