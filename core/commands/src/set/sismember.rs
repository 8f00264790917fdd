//! `SISMEMBER` and `SMISMEMBER`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;
use values::Set;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::Set,
    flags: Flags::READONLY.and(Flags::FAST),
    ..Spec::named("")
};

/// `SISMEMBER key member`
pub(super) struct SIsMember;

impl PlainCommand for SIsMember {
    const SPEC: Spec = Spec {
        name: "sismember",
        seeks: Seeks::Last,
        summary: "Tells whether a set has a member.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0), Arg::string("member")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, member): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<Set>(key)?;
        let is_there = set.is_some_and(|set| set.contains(member));
        ctx.reply.int(i64::from(is_there));
        Ok(Flow::Done)
    }
}

/// `SMISMEMBER key member [member …]`
pub(super) struct SMIsMember;

impl PlainCommand for SMIsMember {
    const SPEC: Spec = Spec {
        name: "smismember",
        summary: "Tells which of several members a set has.",
        since: "6.2.0",
        complexity: "O(N) where N is the number of elements being checked for membership",
        arity: Arity::AtLeast(3),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<Set>(key)?;
        ctx.reply.array(members.len());
        ctx.reply.each(members.iter(), |reply, member| {
            reply.int(i64::from(set.is_some_and(|set| set.contains(member))));
        });
        Ok(Flow::Done)
    }
}
