//! `FUNCTION LOAD`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, LibraryError};
use engine::limits::LIBRARY_LOAD_TICKS_MAX;
use engine::scripting::Metadata;
use engine::store::effect::{Effect, LibraryChange, event};
use engine::table::{Arg, Arity, Flags, Spec};
use resp::Large;

use super::{SPEC, TO_ALL_SHARDS, check_read, check_room, shown};

/// `FUNCTION LOAD [REPLACE] function-code`
pub(super) struct Load;

/// What is loaded.
pub(super) struct Parsed<'a> {
    replace: bool,
    code: &'a [u8],
}

impl Command for Load {
    const SPEC: Spec = Spec {
        name: "load",
        summary: "Makes a library and its functions.",
        complexity: "O(1) (considering compilation time is redundant)",
        arity: Arity::AtLeast(3),
        flags: SPEC.flags.and(Flags::WRITE).and(Flags::DENY_OOM),
        tips: TO_ALL_SHARDS,
        args: &[
            Arg::word("replace", "REPLACE").optional(),
            Arg::string("function-code"),
        ],
        ..SPEC
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut replace = false;
        while args.left() > 1 {
            if !args.keyword("REPLACE") {
                let word = shown(args.required()?);
                return Err(LibraryError::LoadOption(word).into());
            }
            replace = true;
        }
        let code = args.required()?;
        Ok(Parsed { replace, code })
    }

    fn execute(Parsed { replace, code }: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let name = Metadata::parse(code)?.name;
        let large = ctx.store.large(code).cloned();
        let load = |code: Large, ctx: &mut Ctx<'_>| {
            let load = LibraryChange::Load {
                name: &name,
                code: &code,
            };
            ctx.store.apply(&Effect::Library(load), event::LIBRARY);
        };
        let text = || large.clone().unwrap_or_else(|| Large::new(code.to_vec()));
        if ctx.mode == Mode::Replay {
            load(text(), ctx);
            return Ok(Flow::Done);
        }
        ctx.read_libraries();
        if !replace && ctx.store.libraries().get(&name).is_some() {
            return Err(LibraryError::Exists(shown(&name)).into());
        }
        let is_replaced = |other: &[u8]| *other == *name;
        check_room(ctx, is_replaced, (1, name.len() + code.len()))?;
        let mut ticks = LIBRARY_LOAD_TICKS_MAX;
        let read = ctx.read_library(&name, &text(), &mut ticks)?;
        let code = read.code.clone();
        let read = [read];
        if let Err(error) = check_read(ctx, &read, is_replaced) {
            ctx.forget_libraries(&read);
            return Err(error.into());
        }
        load(code, ctx);
        ctx.put_libraries(read);
        ctx.reply.bulk(&name);
        Ok(Flow::Done)
    }
}
