//! `ZSCORE` and `ZMSCORE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::{Argv, Reply};
use values::SortedSet;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::SortedSet,
    flags: Flags::READONLY.and(Flags::FAST),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    ..Spec::named("")
};

/// `ZSCORE key member`
pub(super) struct ZScore;

impl PlainCommand for ZScore {
    const SPEC: Spec = Spec {
        name: "zscore",
        seeks: Seeks::Last,
        summary: "Answers the score of a member of a sorted set.",
        since: "1.2.0",
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, member): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        reply_score(set, member, ctx.reply);
        Ok(Flow::Done)
    }
}

/// `ZMSCORE key member [member …]`
pub(super) struct ZMScore;

impl PlainCommand for ZMScore {
    const SPEC: Spec = Spec {
        name: "zmscore",
        summary: "Answers the scores of members of a sorted set.",
        since: "6.2.0",
        complexity: "O(N) where N is the number of members being requested.",
        arity: Arity::AtLeast(3),
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        ctx.reply.array(members.len());
        ctx.reply.each(members.iter(), |reply, member| {
            reply_score(set, member, reply);
        });
        Ok(Flow::Done)
    }
}

fn reply_score(set: Option<&SortedSet>, member: &[u8], reply: &mut Reply) {
    match set.and_then(|set| set.score(member)) {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}
