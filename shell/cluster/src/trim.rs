//! Removing records from the front of the log, behind a snapshot.
//!
//! What is trimmed is gone, so nothing is taken on trust: the record at which the snapshot was made
//! must still be in the log, and be that one. A snapshot of another log, or of one that was lost
//! since, trims nothing.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use replication::{Chain, Position, Seq};
use serde_json::json;

use crate::api::{self, MessageOfLeader, Purged, StreamInfo};
use crate::config::ServiceConfig;
use crate::connection::{AskError, Connection};
use crate::error::OpenError;
use crate::opening;
use crate::stream;

/// Why the log is not trimmed.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// The log cannot be opened, or is not what it must be.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log does not answer, or says no.
    #[error("the log cannot be trimmed: {0}")]
    Refused(String),
    /// The snapshot is of another log.
    #[error(
        "the log is not trimmed: the snapshot of record {seq} was made of another log, which had \
         {made_of} there, and this one has {found}"
    )]
    OtherLog {
        /// The last record of the snapshot.
        seq: Seq,
        /// The hash of the record that the snapshot was made at.
        made_of: Chain,
        /// The hash of the record that the log has.
        found: Chain,
    },
    /// The snapshot does not have what was to be removed.
    #[error("the log is not trimmed to record {first}: the snapshot ends at {seq}")]
    BeyondSnapshot {
        /// The first record that was to be kept.
        first: Seq,
        /// The last record of the snapshot.
        seq: Seq,
    },
    /// The system gives what a connection needs not.
    #[error("the log cannot be trimmed: {0}")]
    System(#[from] io::Error),
}

/// Removes all records before `first`, if a snapshot at `behind` has them. Returns the first record
/// that is left, which may be a later one. Blocks until that is done.
///
/// # Errors
/// [`TrimError`]; the log is as before, unless no answer came.
pub fn trim(config: &ServiceConfig, behind: &Position, first: Seq) -> Result<Seq, TrimError> {
    if first > behind.seq.next() {
        let seq = behind.seq;
        return Err(TrimError::BeyondSnapshot { first, seq });
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (connection, info) = opening::beside(config).await?;
        stream::check(config, &info.config)?;
        trim_on(&connection, &info, config, (behind, first)).await
    })
}

async fn trim_on(
    connection: &Connection,
    info: &StreamInfo,
    config: &ServiceConfig,
    (behind, first): (&Position, Seq),
) -> Result<Seq, TrimError> {
    let name = config.group.stream();
    let found = Seq(info.state.first_seq);
    if first <= found {
        return Ok(found);
    }
    let question = json!({ "seq": behind.seq.0 }).to_string().into_bytes();
    let subject = api::message_of_leader(&name);
    let record = connection.ask::<MessageOfLeader>(subject, question).await;
    let record = record.map_err(refused)?.message;
    let bytes = BASE64_STANDARD.decode(&record.data);
    let bytes = bytes.map_err(|error| TrimError::Refused(error.to_string()))?;
    let hash = Chain::after(&bytes);
    if record.seq != behind.seq.0 || hash != behind.tip {
        return Err(TrimError::OtherLog {
            seq: behind.seq,
            made_of: behind.tip,
            found: hash,
        });
    }
    let request = json!({ "seq": first.0 }).to_string().into_bytes();
    let purged = connection.ask::<Purged>(api::purge_stream(&name), request);
    let Purged { purged } = purged.await.map_err(refused)?;
    tracing::info!(
        first = first.0,
        records = purged,
        "the log was trimmed behind a snapshot"
    );
    Ok(first)
}

fn refused(error: AskError) -> TrimError {
    TrimError::Refused(error.to_string())
}
