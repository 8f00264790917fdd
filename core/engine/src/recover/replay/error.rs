//! Why a replay fails, and where.

use batch::Lsn;
use resp::ProtocolError;
use thiserror::Error;

use super::unknown::Refused;
use crate::server::Refusal;

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The bytes are not requests.
    #[error("not a request: {source}")]
    Format {
        /// Where, counted from the start of the piece.
        offset: usize,
        /// What is wrong.
        source: ProtocolError,
    },
    /// A request is cut off.
    #[error("the batches end within a request")]
    Incomplete {
        /// Where the request begins.
        offset: usize,
    },
    /// A request fails: the state is not the one that the journal continues, or the journal is from
    /// another server, which knows more.
    #[error("{request} was refused: {reply}")]
    Refused {
        /// Where the request begins, counted from the start of the piece.
        offset: usize,
        /// Its name.
        request: String,
        /// The error.
        reply: String,
    },
    /// The file holds something that weir does not have, and it may not be left out.
    #[error("{what}")]
    Unknown {
        /// Where the request begins, counted from the start of the piece.
        offset: usize,
        /// What it is.
        what: Refused,
    },
    /// The batches were read from the midst of a log, and rely on what came before.
    #[error("the batch relies on a database or a time that an earlier group names")]
    NotSelfContained {
        /// Where the request begins, counted from the start of the piece.
        offset: usize,
    },
    /// There are not as many batches as the log says.
    #[error("the batches end at LSN {found}, where the log says {expected}")]
    Misnumbered {
        /// The length of the piece.
        offset: usize,
        /// The number of the last batch, by the log.
        expected: Lsn,
        /// The same, counted.
        found: Lsn,
    },
}

impl ReplayError {
    /// Returns where the request that cannot be replayed begins, counted from the start of the
    /// piece.
    pub fn offset(&self) -> usize {
        match self {
            ReplayError::Format { offset, .. }
            | ReplayError::Incomplete { offset }
            | ReplayError::Refused { offset, .. }
            | ReplayError::Unknown { offset, .. }
            | ReplayError::NotSelfContained { offset }
            | ReplayError::Misnumbered { offset, .. } => *offset,
        }
    }
}

/// Why a replay ends early.
pub(super) enum Stop {
    Unknown(Refused),
    Refused(Refusal),
    NotSelfContained,
}

impl Stop {
    pub(super) fn at(self, offset: usize) -> ReplayError {
        match self {
            Stop::Unknown(what) => ReplayError::Unknown { offset, what },
            Stop::Refused(Refusal { request, reply }) => ReplayError::Refused {
                offset,
                request,
                reply,
            },
            Stop::NotSelfContained => ReplayError::NotSelfContained { offset },
        }
    }
}
