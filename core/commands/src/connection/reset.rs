//! `RESET`.

use engine::clients::session::Replies;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};
use resp::Protocol;

use crate::transaction::{end_transaction, unwatch_all};

/// `RESET`: the connection is as if it had just been made.
pub(super) struct Reset;

impl PlainCommand for Reset {
    const SPEC: Spec = Spec {
        summary: "Puts the connection back to where it began.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::ALLOW_BUSY
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::FAST)
            .and(Flags::LOADING)
            .and(Flags::NO_AUTH)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE)
            .and(Flags::WHILE_SUBSCRIBED),
        ..Spec::named("reset")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        end_transaction(ctx);
        unwatch_all(ctx);
        ctx.server.channels.unsubscribe_all(ctx.session);
        ctx.store.tracking_mut().turn_off(ctx.session);
        let session = &mut *ctx.session;
        session.monitor = false;
        ctx.server.monitors.remove(session.id);
        session.database = 0;
        session.protocol = Protocol::Resp2;
        session.forget_user(&ctx.server.users);
        session.name.clear();
        // Its own reply is skipped if that was asked for.
        if session.replies == Replies::Off {
            session.replies = Replies::On;
        }
        session.no_evict = false;
        session.no_touch = false;
        session.reads_here = false;
        ctx.reply.set_protocol(Protocol::Resp2);
        ctx.reply.simple("RESET");
        Ok(Flow::Done)
    }
}
