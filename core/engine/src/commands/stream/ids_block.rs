//! `IDS numids id [id …]`: a counted list of IDs.

use stream::StreamId;

use crate::args::{Args, parse_i64};
use crate::error::CmdError;

/// Takes what follows the word `IDS`: the count and as many arguments, which are not read yet.
pub(super) fn parse_ids_block<'a>(args: &mut Args<'a>) -> Result<resp::Argv<'a>, CmdError> {
    let count = parse_i64(args.required()?).filter(|count| *count > 0);
    let count = count.ok_or(CmdError::IdCountNotPositive)?;
    match usize::try_from(count) {
        Ok(count) if count <= args.left() => args.take(count),
        _ => Err(CmdError::IdCountMismatch),
    }
}

/// Reads a list of IDs; a missing sequence number is 0.
pub(super) fn parse_ids(ids: resp::Argv<'_>) -> Result<Vec<StreamId>, CmdError> {
    ids.iter()
        .map(|id| StreamId::parse(id, 0).map_err(CmdError::from))
        .collect()
}
