//! `FUNCTION DELETE` and `FUNCTION FLUSH`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode, PlainCommand};
use engine::error::{CmdError, LibraryError};
use engine::store::effect::{Effect, LibraryChange, event};
use engine::table::{Arg, Arity, Flags, Spec};

use super::{SPEC, TO_ALL_SHARDS};
use crate::help::usage_error;
use crate::scripting::script::FLUSH_TYPES;

/// `FUNCTION DELETE library-name`
pub(super) struct Delete;

impl PlainCommand for Delete {
    const SPEC: Spec = Spec {
        name: "delete",
        summary: "Removes a library and its functions.",
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: SPEC.flags.and(Flags::WRITE),
        frees: true,
        tips: TO_ALL_SHARDS,
        args: &[Arg::string("library-name")],
        ..SPEC
    };
    type Args<'a> = &'a [u8];

    fn execute(name: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let delete = Effect::Library(LibraryChange::Delete { name });
        if ctx.store.libraries().get(name).is_none() {
            return Err(LibraryError::NotFound.into());
        }
        ctx.store.apply(&delete, event::LIBRARY);
        if ctx.mode != Mode::Replay {
            ctx.read_libraries();
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `FUNCTION FLUSH [ASYNC | SYNC]`
pub(super) struct Flush;

impl Command for Flush {
    const SPEC: Spec = Spec {
        name: "flush",
        summary: "Removes all libraries and functions.",
        complexity: "O(N) where N is the number of functions deleted",
        arity: Arity::AtLeast(2),
        flags: SPEC.flags.and(Flags::WRITE),
        frees: true,
        tips: TO_ALL_SHARDS,
        args: &[Arg::one_of("flush-type", FLUSH_TYPES).optional()],
        ..SPEC
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        if args.left() > 1 {
            return Err(usage_error(args.whole(), "FUNCTION"));
        }
        let is_fine = args.left() == 0 || args.keyword("ASYNC") || args.keyword("SYNC");
        match is_fine {
            true => Ok(()),
            false => Err(LibraryError::FlushMode.into()),
        }
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let flush = Effect::Library(LibraryChange::Flush);
        ctx.store.apply(&flush, event::LIBRARY);
        if ctx.mode != Mode::Replay {
            ctx.clear_functions();
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
