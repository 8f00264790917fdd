//! `XGROUP`: makes, moves and removes groups and consumers.

mod create;
mod createconsumer;
mod delconsumer;
mod destroy;
mod getcfg;
mod help;
mod setcfg;
mod setid;

use engine::args::Args;
use engine::command::{Entry, container, entry};
use engine::error::{CmdError, StreamError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::store::apply::Store;
use engine::table::{Arity, Group, Spec};
use resp::Argv;
use stream::{Stream, StreamId};

use super::group_key::GroupKey;
use crate::help::Help;

/// The row of `XGROUP`.
pub(super) const XGROUP: Entry = container(
    SPEC,
    &[
        entry::<create::Create>(),
        entry::<createconsumer::CreateConsumer>(),
        entry::<delconsumer::DelConsumer>(),
        entry::<destroy::Destroy>(),
        entry::<getcfg::GetCfg>(),
        entry::<Help<help::XGroup>>(),
        entry::<setcfg::SetCfg>(),
        entry::<setid::SetId>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands that manage consumer groups.",
    since: "5.0.0",
    group: Group::Stream,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    ..Spec::named("xgroup")
};

/// The group of an existing key.
fn required_group<'t>(
    place: GroupKey<'_>,
    store: &'t mut Store<'_>,
) -> Result<(&'t Stream, &'t stream::Group), CmdError> {
    let stream = store
        .get::<Stream>(place.key)?
        .ok_or(CmdError::Stream(StreamError::GroupNeedsKey))?;
    let group = stream.groups().find(place.group);
    Ok((stream, group.ok_or_else(|| place.group_missing())?))
}

/// Returns where a group begins to read: an ID as given, or `$` for the stream's last ID.
fn parse_position(text: &[u8], last_id: StreamId) -> Result<StreamId, CmdError> {
    match text {
        b"$" => Ok(last_id),
        text => Ok(StreamId::parse(text, 0)?),
    }
}

/// Takes the number after `ENTRIESREAD`; -1 means that it is not known.
fn parse_entries_read(args: &mut Args<'_>) -> Result<Option<u64>, CmdError> {
    match args.integer()? {
        -1 => Ok(None),
        n => u64::try_from(n)
            .map(Some)
            .map_err(|_| CmdError::Stream(StreamError::EntriesReadNegative)),
    }
}

/// The error for options that a subcommand does not have.
pub(super) fn usage(request: Argv<'_>, command: &'static str) -> CmdError {
    let sub = request.get(1).unwrap_or_default();
    let sub = &sub[..sub.len().min(ERROR_ECHO_BYTES_MAX)];
    CmdError::SubcommandUsage {
        sub: String::from_utf8_lossy(sub).into_owned(),
        command,
    }
}
