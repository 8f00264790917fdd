//! The words of JetStream's API: subjects of requests, and their answers in JSON.
//!
//! Only what a log needs. Fields that are not named here are ignored, so that a later server may
//! add some.

use replication::Seq;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::pass::Bounds;

/// Subject of a request to make a stream.
pub(crate) fn create_stream(stream: &str) -> String {
    format!("$JS.API.STREAM.CREATE.{stream}")
}

/// Subject of a request to remove a stream.
pub(crate) fn delete_stream(stream: &str) -> String {
    format!("$JS.API.STREAM.DELETE.{stream}")
}

/// Subject of a question to the leader of a stream, for what it is and how far it goes.
pub(crate) fn stream_info(stream: &str) -> String {
    format!("$JS.API.STREAM.INFO.{stream}")
}

/// Subject of a question to the leader of a stream, for one record.
pub(crate) fn message_of_leader(stream: &str) -> String {
    format!("$JS.API.STREAM.MSG.GET.{stream}")
}

/// Subject of a question to any replica of a stream, for many records.
pub(crate) fn messages_of_replica(stream: &str) -> String {
    format!("$JS.API.DIRECT.GET.{stream}")
}

/// Subject of a request to a stream, to remove records from its front.
pub(crate) fn purge_stream(stream: &str) -> String {
    format!("$JS.API.STREAM.PURGE.{stream}")
}

/// Subject of a question to all servers, for their settings. Only a user of the system account gets
/// answers.
pub(crate) const SETTINGS_OF_SERVERS: &str = "$SYS.REQ.SERVER.PING.VARZ";

/// Header: the number that the last record must have.
pub(crate) const EXPECTED_LAST_SEQUENCE: &str = "Nats-Expected-Last-Sequence";

/// Header: the stream that must get the record.
pub(crate) const EXPECTED_STREAM: &str = "Nats-Expected-Stream";

/// Header: the number of a record that a replica has sent.
pub(crate) const SEQUENCE: &str = "Nats-Sequence";

/// Header: how many more records a replica has.
pub(crate) const PENDING: &str = "Nats-Num-Pending";

/// Code of the error that the last number is not the expected one.
pub(crate) const WRONG_LAST_SEQUENCE: [u32; 2] = [10071, 10164];

/// Code of the error that there is no such record.
pub(crate) const NO_MESSAGE: u32 = 10037;

/// Code of the error that there is no such stream.
pub(crate) const NO_STREAM: u32 = 10059;

/// HTTP's code for what may work later.
pub(crate) const UNAVAILABLE: u16 = 503;

/// JetStream has answered, and not with what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// It says no.
    #[error("{description} (error {err_code})")]
    Refused {
        /// As in HTTP.
        code: u16,
        /// JetStream's own number.
        err_code: u32,
        /// Its words.
        description: String,
    },
    /// It says something that is not in its documentation.
    #[error("an answer of JetStream is not understood: {0}")]
    NotUnderstood(String),
}

/// A stream.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamInfo {
    /// Its configuration, as the server has it.
    pub(crate) config: Map<String, Value>,
    pub(crate) state: StreamState,
    /// Where it is kept.
    #[serde(default)]
    pub(crate) cluster: Option<ClusterInfo>,
}

/// How far a stream goes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct StreamState {
    /// The first record that is left; behind the last one if there is none.
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

impl StreamState {
    pub(crate) fn bounds(self) -> Bounds {
        Bounds {
            first: Seq(self.first_seq.max(1)),
            last: Seq(self.last_seq),
        }
    }
}

/// On which servers a stream is kept.
#[derive(Debug, Deserialize)]
pub(crate) struct ClusterInfo {
    #[serde(default)]
    pub(crate) leader: Option<String>,
    #[serde(default)]
    pub(crate) replicas: Vec<PeerInfo>,
}

/// A server that follows the leader of a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct PeerInfo {
    pub(crate) name: String,
    /// It has what the leader has. One that is lost has not; that it is offline is told much later.
    #[serde(default)]
    pub(crate) current: bool,
    /// How many records it is behind.
    #[serde(default)]
    pub(crate) lag: u64,
}

/// The answer to a publish.
#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) stream: String,
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) duplicate: bool,
}

/// The answer of a leader with one record.
#[derive(Debug, Deserialize)]
pub(crate) struct MessageOfLeader {
    pub(crate) message: StoredMessage,
}

/// A record as a leader gives it.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredMessage {
    pub(crate) seq: u64,
    /// The record in Base64; absent if it has no bytes.
    #[serde(default)]
    pub(crate) data: String,
    /// When it came, in the words of RFC 3339.
    #[serde(default)]
    pub(crate) time: String,
}

/// The answer to a request to remove records.
#[derive(Debug, Deserialize)]
pub(crate) struct Purged {
    /// How many were removed.
    #[serde(default)]
    pub(crate) purged: u64,
}

/// The answer to a request to remove a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct Deleted {
    #[serde(default)]
    pub(crate) success: bool,
}

/// One server's answer about its settings.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerSettings {
    pub(crate) server: ServerName,
    pub(crate) data: ServerData,
}

/// Which server answers.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerName {
    pub(crate) name: String,
}

/// What a server says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerData {
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) jetstream: ServerJetStream,
}

/// What a server says of its JetStream.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ServerJetStream {
    #[serde(default)]
    pub(crate) config: Option<ServerJetStreamConfig>,
}

/// How a server's JetStream is configured.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerJetStreamConfig {
    #[serde(default)]
    pub(crate) sync_always: bool,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    err_code: u32,
    #[serde(default)]
    description: String,
}

/// Reads an answer.
///
/// # Errors
/// It is an error, or not an answer of this kind.
pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, ApiError> {
    let not_understood = |error: serde_json::Error| ApiError::NotUnderstood(error.to_string());
    let envelope: Envelope = serde_json::from_slice(json).map_err(not_understood)?;
    match envelope.error {
        Some(refusal) => Err(ApiError::Refused {
            code: refusal.code,
            err_code: refusal.err_code,
            description: refusal.description,
        }),
        None => serde_json::from_slice(json).map_err(not_understood),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_was_asked_for_or_an_error() {
        let published: Published = decode(br#"{"stream":"S","seq":7,"domain":"d"}"#).unwrap();
        assert_eq!(
            (&*published.stream, published.seq, published.duplicate),
            ("S", 7, false)
        );
        let refused = decode::<Published>(
            br#"{"error":{"code":400,"err_code":10071,"description":"wrong"},"stream":"S","seq":0}"#,
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "wrong (error 10071)",
            "although a stream and a number are there"
        );
        for bad in [&b""[..], b"{}", b"[]", b"{\"stream\":1}", b"\xff"] {
            let error = decode::<Published>(bad).unwrap_err();
            assert!(matches!(error, ApiError::NotUnderstood(_)), "{error}");
        }
    }
}
