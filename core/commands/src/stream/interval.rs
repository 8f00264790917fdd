//! The bounds of a range of IDs: `-`, `+`, an ID, or an exclusive ID after `(`.

use engine::error::{CmdError, StreamError};
use stream::StreamId;

/// The lowest ID of a range.
pub(super) fn parse_start(text: &[u8]) -> Result<StreamId, CmdError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        [b'(', id @ ..] => StreamId::parse(id, 0)?
            .next()
            .ok_or(CmdError::Stream(StreamError::InvalidIntervalStart)),
        id => Ok(StreamId::parse(id, 0)?),
    }
}

/// The highest ID of a range.
pub(super) fn parse_end(text: &[u8]) -> Result<StreamId, CmdError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        [b'(', id @ ..] => StreamId::parse(id, u64::MAX)?
            .previous()
            .ok_or(CmdError::Stream(StreamError::InvalidIntervalEnd)),
        id => Ok(StreamId::parse(id, u64::MAX)?),
    }
}
