//! `IDS numids id [id …]`: a counted list of IDs.

use engine::args::{Args, parse_i64};
use engine::error::{CmdError, StreamError};
use engine::table::Arg;
use smallvec::SmallVec;
use stream::{StreamId, ascending};

/// The list in the grammar of a command.
pub(super) const IDS: Arg = Arg::block(
    "ids",
    &[Arg::integer("numids"), Arg::string("id").multiple()],
)
.token("IDS");

/// Takes what follows the word `IDS`: the count and as many arguments, which are not read yet.
pub(super) fn parse_ids_block<'a>(args: &mut Args<'a>) -> Result<resp::Argv<'a>, CmdError> {
    let count = parse_i64(args.required()?).filter(|count| *count > 0);
    let count = count.ok_or(CmdError::Stream(StreamError::IdCountNotPositive))?;
    match usize::try_from(count) {
        Ok(count) if count <= args.left() => args.take(count),
        _ => Err(CmdError::Stream(StreamError::IdCountMismatch)),
    }
}

/// IDs of a request; most name a few.
pub(super) type Ids = SmallVec<[StreamId; 16]>;

/// Reads a list of IDs; a missing sequence number is 0.
pub(super) fn parse_ids(ids: resp::Argv<'_>) -> Result<Ids, CmdError> {
    let mut parsed = Ids::with_capacity(ids.len());
    for id in ids {
        parsed.push(StreamId::parse(id, 0)?);
    }
    Ok(parsed)
}

/// Returns whether an ID comes twice.
pub(super) fn comes_again(ids: &[StreamId]) -> bool {
    if ids.is_sorted_by(|a, b| a < b) {
        return false;
    }
    ascending(ids).windows(2).any(|two| two[0].0 == two[1].0)
}
