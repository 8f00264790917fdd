//! Why a log could not be opened, and what to do about it.

use crate::api::ApiError;
use crate::assurance::AssuranceError;
use crate::limits::{OPEN_TIMEOUT, REPLICAS_MAX, REPLICAS_MIN};

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No address can be used.
    #[error("{address:?} is no address of a NATS server: use HOST:PORT, without user or password")]
    Address {
        /// The first one that cannot.
        address: String,
    },
    /// The number of copies is not one that a log may have.
    #[error(
        "a log is kept on {REPLICAS_MIN} to {REPLICAS_MAX} servers, not on {replicas}: one server \
         is for development, when nothing is checked"
    )]
    Replicas {
        /// What was asked for.
        replicas: u8,
    },
    /// No server lets us in.
    #[error("no NATS server could be reached: {0}")]
    Connect(#[source] async_nats::ConnectError),
    /// The connection does not do what every connection does.
    #[error("the connection to NATS failed: {0}")]
    Connection(String),
    /// The servers did not get ready in time.
    #[error(
        "the NATS servers did not answer within {} s ({last}): is JetStream enabled, and does a \
         majority of them run?",
        OPEN_TIMEOUT.as_secs()
    )]
    NotReady {
        /// What the last attempt failed with.
        last: String,
    },
    /// The servers refuse to make the stream, or to tell of it.
    #[error("NATS refuses the stream {stream}: {error}")]
    Refused {
        /// The name of the stream.
        stream: String,
        /// What they say.
        error: ApiError,
    },
    /// There is a stream of this name that must not be a log of weir.
    #[error(
        "the stream {stream} has {field} {found}, and it must be {required}: edit the stream, or \
         use another group"
    )]
    Differs {
        /// The name of the stream.
        stream: String,
        /// The field of its configuration.
        field: &'static str,
        /// What it has.
        found: String,
        /// What it must have.
        required: String,
    },
    /// The servers may lose what they acknowledge.
    #[error("the NATS servers cannot be trusted with the log: {0}")]
    Assurance(#[from] AssuranceError),
}

impl OpenError {
    /// Returns whether this is more than that somebody does not answer: the log may lose what it
    /// has acknowledged.
    pub fn is_alarming(&self) -> bool {
        match self {
            OpenError::Differs { .. } | OpenError::Refused { .. } => true,
            OpenError::Assurance(error) => !matches!(error, AssuranceError::Silent { .. }),
            OpenError::Address { .. }
            | OpenError::Replicas { .. }
            | OpenError::Connect(_)
            | OpenError::Connection(_)
            | OpenError::NotReady { .. } => false,
        }
    }
}
