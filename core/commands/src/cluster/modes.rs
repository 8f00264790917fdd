//! `ASKING`, `READONLY` and `READWRITE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

const SPEC: Spec = Spec {
    since: "3.0.0",
    group: Group::Cluster,
    complexity: "O(1)",
    arity: Arity::Exactly(1),
    flags: Flags::FAST.and(Flags::LOADING).and(Flags::STALE),
    categories: Categories::CONNECTION,
    ..Spec::named("readonly")
};

/// `ASKING`
pub(super) struct Asking;

impl PlainCommand for Asking {
    const SPEC: Spec = Spec {
        name: "asking",
        summary: "Says, in a cluster, that another server has sent the client here.",
        flags: Flags::FAST,
        ..SPEC
    };
    type Args<'a> = ();

    /// No slot moves, so it means nothing for the command behind it.
    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.cluster()?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `READONLY`
pub(super) struct ReadOnly;

impl PlainCommand for ReadOnly {
    const SPEC: Spec = Spec {
        summary: "Lets, in a cluster, a replica answer reads.",
        ..SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.cluster()?;
        ctx.session.reads_here = true;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `READWRITE`
pub(super) struct ReadWrite;

impl PlainCommand for ReadWrite {
    const SPEC: Spec = Spec {
        name: "readwrite",
        summary: "Ends what READONLY began.",
        ..SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.cluster()?;
        ctx.session.reads_here = false;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
