//! `SHUTDOWN`.

use engine::args::Args;
use engine::clients::waiting::Wait;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arg, Arity, Flags, Group, Spec};

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`: the connection closes with the server; there
/// is a reply only if the server goes on.
pub(super) struct Shutdown;

pub(super) struct Parsed {
    save: Option<bool>,
    abort: bool,
}

impl Command for Shutdown {
    const SPEC: Spec = Spec {
        summary: "Stops the server, after a snapshot if one is wanted.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN
            .and(Flags::ALLOW_BUSY)
            .and(Flags::LOADING)
            .and(Flags::NO_MULTI)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[("7.0.0", "NOW, FORCE and ABORT were added.")],
        args: &[
            Arg::one_of(
                "save-selector",
                &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")],
            )
            .optional(),
            Arg::word("now", "NOW").since("7.0.0").optional(),
            Arg::word("force", "FORCE").since("7.0.0").optional(),
            Arg::word("abort", "ABORT").since("7.0.0").optional(),
        ],
        ..Spec::named("shutdown")
    };
    type Parsed<'a> = Parsed;

    fn parse(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
        let (mut save, mut abort) = (None, false);
        let words = args.left();
        while args.left() > 0 {
            if args.keyword("SAVE") && save.is_none() {
                save = Some(true);
            } else if args.keyword("NOSAVE") && save.is_none() {
                save = Some(false);
            } else if args.keyword("ABORT") {
                abort = true;
            } else if !args.keyword("NOW") && !args.keyword("FORCE") {
                return Err(CmdError::Syntax);
            }
        }
        if abort && words > 1 {
            return Err(CmdError::Syntax);
        }
        Ok(Parsed { save, abort })
    }

    fn execute(cmd: Parsed, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.abort {
            return Err(CmdError::NoShutdown);
        }
        // It would wait for a command that may never end.
        if ctx.server.pause.is_busy() && cmd.save != Some(false) {
            return Err(CmdError::Busy(ctx.server.pause.kill()));
        }
        let save = cmd
            .save
            .unwrap_or(!ctx.server.config.save_points.is_empty());
        if save && ctx.server.is_snapshotting() {
            return Err(CmdError::SaveInProgress);
        }
        ctx.server.orders.push(Order::Shutdown {
            save,
            waiting: ctx.session.id,
        });
        ctx.wait = Some(Wait::for_shell(ctx.store.database, "SHUTDOWN"));
        Ok(Flow::Block)
    }
}
