//! `CLIENT TRACKINGINFO`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT TRACKINGINFO`
pub(super) struct TrackingInfo;

impl PlainCommand for TrackingInfo {
    const SPEC: Spec = Spec {
        summary: "Tells whether the server tracks what this connection reads.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("trackinginfo")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let reply = &mut *ctx.reply;
        reply.map(3);
        reply.bulk(b"flags");
        reply.set(1);
        reply.bulk(b"off");
        reply.bulk(b"redirect");
        reply.int(-1);
        reply.bulk(b"prefixes");
        reply.array(0);
        Ok(Flow::Done)
    }
}
