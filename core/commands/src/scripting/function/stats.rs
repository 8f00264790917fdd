//! `FUNCTION STATS`.

use engine::clients::pause::ScriptKind;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Spec};

use super::SPEC;

/// `FUNCTION STATS`
pub(super) struct Stats;

impl PlainCommand for Stats {
    const SPEC: Spec = Spec {
        name: "stats",
        summary: "Tells which function runs, and how many there are.",
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: SPEC.flags.and(Flags::ALLOW_BUSY),
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        ..SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let pause = &ctx.server.pause;
        let kind = pause
            .unfinished()
            .and_then(|unfinished| unfinished.work.kind());
        if kind == Some(ScriptKind::Script) {
            return Err(CmdError::Busy(pause.kill()));
        }
        ctx.read_libraries();
        let libraries = ctx.store.libraries().len();
        let functions = &ctx.server.functions;
        let reply = &mut *ctx.reply;
        reply.map(2);
        reply.bulk(b"running_script");
        match &functions.running {
            None => reply.null(),
            Some(running) => {
                reply.map(3);
                reply.bulk(b"name");
                reply.bulk(&running.name);
                reply.bulk(b"command");
                let request = running.request.as_argv();
                reply.array(request.len());
                request.iter().for_each(|argument| reply.bulk(argument));
                reply.bulk(b"duration_ms");
                let since = ctx.now.mono.0.saturating_sub(running.begun.mono.0);
                reply.int(i64::try_from(since).unwrap_or(i64::MAX));
            }
        }
        reply.bulk(b"engines");
        reply.map(1);
        reply.bulk(b"LUA");
        reply.map(2);
        reply.bulk(b"libraries_count");
        reply.count(libraries);
        reply.bulk(b"functions_count");
        reply.count(functions.len());
        Ok(Flow::Done)
    }
}
