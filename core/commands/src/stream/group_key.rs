//! The key and group that most consumer-group commands begin with, and what they answer without
//! them.

use engine::args::Args;
use engine::command::FromArgs;
use engine::error::{CmdError, StreamError};
use engine::store::apply::Store;
use stream::{Group, Stream};

/// A key and the name of a group of the stream that it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupKey<'a> {
    /// The key of the stream.
    pub(super) key: &'a [u8],
    /// The group that the command is about; it need not exist.
    pub(super) group: &'a [u8],
}

impl<'a> FromArgs<'a> for GroupKey<'a> {
    fn from_args(args: &mut Args<'a>) -> Result<GroupKey<'a>, CmdError> {
        GroupKey::parse(args)
    }
}

impl<'a> GroupKey<'a> {
    /// Takes key and group.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<GroupKey<'a>, CmdError> {
        Ok(GroupKey {
            key: args.required()?,
            group: args.required()?,
        })
    }

    /// The stream and the group, if both exist.
    pub(super) fn find<'t>(
        self,
        store: &'t mut Store<'_>,
    ) -> Result<Option<(&'t Stream, &'t Group)>, CmdError> {
        let stream = store.get::<Stream>(self.key)?;
        Ok(stream.and_then(|stream| Some((stream, stream.groups().find(self.group)?))))
    }

    /// The same, where their absence is an error.
    pub(super) fn required<'t>(
        self,
        store: &'t mut Store<'_>,
    ) -> Result<(&'t Stream, &'t Group), CmdError> {
        self.find(store)?.ok_or_else(|| self.missing(""))
    }

    /// The error for a missing key or group; `context` ends its text.
    pub(super) fn missing(self, context: &'static str) -> CmdError {
        CmdError::Stream(StreamError::NoKeyOrGroup {
            key: text(self.key),
            group: text(self.group),
            context,
        })
    }

    /// The error for a missing group of a stream that exists.
    pub(super) fn group_missing(self) -> CmdError {
        CmdError::Stream(StreamError::NoGroup {
            key: text(self.key),
            group: text(self.group),
        })
    }
}

/// Bytes of the request within an error; a zero byte ends them, as in Redis.
fn text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
