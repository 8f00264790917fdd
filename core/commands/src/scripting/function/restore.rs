//! `FUNCTION RESTORE`.

use std::collections::BTreeSet;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, LibraryError};
use engine::limits::{
    LIBRARIES_BYTES_MAX, LIBRARIES_MAX, LIBRARIES_RESTORE_TICKS_MAX, LIBRARY_LOAD_TICKS_MAX,
};
use engine::scripting::{Metadata, ReadLibrary};
use engine::store::effect::{Effect, LibraryChange, event};
use engine::table::{Arg, Arity, Flags, Spec};
use rdb::LibrariesError;
use resp::Large;

use super::{New, SPEC, TO_ALL_SHARDS, check_read, check_room, shown};
use crate::help::usage_error;

/// `FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]`
pub(super) struct Restore;

/// What becomes of the libraries that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// They go.
    Flush,
    /// They stay, and none of the payload may have the name of one.
    Append,
    /// One that has the name of one of the payload goes.
    Replace,
}

/// What is restored, and how.
pub(super) struct Parsed<'a> {
    payload: &'a [u8],
    policy: Policy,
}

impl Command for Restore {
    const SPEC: Spec = Spec {
        name: "restore",
        summary: "Makes libraries from what FUNCTION DUMP answered.",
        complexity: "O(N) where N is the number of functions on the payload",
        arity: Arity::AtLeast(3),
        flags: SPEC.flags.and(Flags::WRITE).and(Flags::DENY_OOM),
        tips: TO_ALL_SHARDS,
        args: &[
            Arg::string("serialized-value"),
            Arg::one_of(
                "policy",
                &[
                    Arg::word("flush", "FLUSH"),
                    Arg::word("append", "APPEND"),
                    Arg::word("replace", "REPLACE"),
                ],
            )
            .optional(),
        ],
        ..SPEC
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        if args.left() > 2 {
            return Err(usage_error(args.whole(), "FUNCTION"));
        }
        let payload = args.required()?;
        let policy = if args.left() == 0 || args.keyword("APPEND") {
            Policy::Append
        } else if args.keyword("FLUSH") {
            Policy::Flush
        } else if args.keyword("REPLACE") {
            Policy::Replace
        } else {
            return Err(LibraryError::RestorePolicy.into());
        };
        Ok(Parsed { payload, policy })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let policy = cmd.policy;
        let new = libraries_of(cmd.payload)?;
        let read = match ctx.mode {
            Mode::Replay => None,
            Mode::Alone | Mode::Transaction | Mode::Called | Mode::Resumed => {
                ctx.read_libraries();
                Some(read_all(ctx, &new, policy)?)
            }
        };
        // What goes has gone before something comes: functions may change from one library of the
        // payload to another, and whoever reads the journal must not find one in both.
        match policy {
            Policy::Flush => {
                let flush = Effect::Library(LibraryChange::Flush);
                ctx.store.apply(&flush, event::LIBRARY);
            }
            Policy::Replace => {
                for New { name, .. } in &new {
                    let delete = Effect::Library(LibraryChange::Delete { name });
                    ctx.store.apply(&delete, event::LIBRARY);
                }
            }
            Policy::Append => {}
        }
        for New { name, code } in &new {
            let load = Effect::Library(LibraryChange::Load { name, code });
            ctx.store.apply(&load, event::LIBRARY);
        }
        if let Some(read) = read {
            ctx.put_libraries(read);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// The libraries of a payload, no two of the same name.
fn libraries_of(payload: &[u8]) -> Result<Vec<New>, CmdError> {
    let libraries = rdb::restore_libraries(payload, (LIBRARIES_MAX, LIBRARIES_BYTES_MAX));
    let libraries = libraries.map_err(|error| match error {
        LibrariesError::VersionOrChecksum => CmdError::PayloadVersion,
        LibrariesError::Type => LibraryError::PayloadType.into(),
        LibrariesError::Early => LibraryError::PayloadEarly.into(),
        LibrariesError::Cut => LibraryError::Payload.into(),
        LibrariesError::TooLong => LibraryError::TooMany.into(),
    })?;
    let mut names = BTreeSet::new();
    let mut new = Vec::with_capacity(libraries.len());
    for code in libraries {
        let name = Metadata::parse(&code)?.name;
        if !names.insert(name.clone()) {
            return Err(LibraryError::Exists(shown(&name)).into());
        }
        let code = Large::new(code);
        new.push(New { name, code });
    }
    Ok(new)
}

/// Reads the libraries that are to come, and checks that they may.
fn read_all(ctx: &mut Ctx<'_>, new: &[New], policy: Policy) -> Result<Vec<ReadLibrary>, CmdError> {
    let names: BTreeSet<&[u8]> = new.iter().map(|new| &*new.name).collect();
    let is_replaced = |name: &[u8]| match policy {
        Policy::Flush => true,
        Policy::Replace => names.contains(name),
        Policy::Append => false,
    };
    let bytes = new.iter().map(|new| new.name.len() + new.code.len()).sum();
    check_room(ctx, is_replaced, (new.len(), bytes))?;
    let mut read = Vec::with_capacity(new.len());
    let result = read_each(ctx, new, &mut read).and_then(|()| {
        let exists =
            |new: &&New| !is_replaced(&new.name) && ctx.store.libraries().get(&new.name).is_some();
        match new.iter().find(exists) {
            Some(new) => Err(LibraryError::RestoredExists(shown(&new.name)).into()),
            None => Ok(check_read(ctx, &read, is_replaced)?),
        }
    });
    match result {
        Ok(()) => Ok(read),
        Err(error) => {
            ctx.forget_libraries(&read);
            Err(error)
        }
    }
}

fn read_each(ctx: &mut Ctx<'_>, new: &[New], read: &mut Vec<ReadLibrary>) -> Result<(), CmdError> {
    let mut left = LIBRARIES_RESTORE_TICKS_MAX;
    for New { name, code } in new {
        let granted = left.min(LIBRARY_LOAD_TICKS_MAX);
        let mut ticks = granted;
        let library = ctx.read_library(name, code, &mut ticks)?;
        left -= granted - ticks;
        read.push(library);
    }
    Ok(())
}
