//! `SRANDMEMBER`.

use collections::Element;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::limits::LISTED_MAX;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Set;

use crate::element::reply_element;

/// `SRANDMEMBER key [count]`
pub(super) struct SRandMember;

impl Command for SRandMember {
    const SPEC: Spec = Spec {
        summary: "Answers members of a set, drawn at random.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        history: &[("2.6.0", "`count` was added.")],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").since("2.6.0").optional(),
        ],
        ..Spec::named("srandmember")
    };
    type Parsed<'a> = (&'a [u8], Option<i64>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        if args.left() != 1 {
            return Ok((key, None));
        }
        match args.integer()? {
            i64::MIN => Err(CmdError::NotNegatable),
            count => Ok((key, Some(count))),
        }
    }

    fn execute((key, count): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<Set>(key)?;
        let rng = &mut ctx.server.rng;
        let Some(count) = count else {
            let member = set.and_then(|set| set.random(rng.next()));
            reply_element(member, ctx.reply);
            return Ok(Flow::Done);
        };
        let Some(set) = set else {
            ctx.reply.array(0);
            return Ok(Flow::Done);
        };
        let len = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if count < 0 {
            // Each is drawn from all. To find one in the set takes longer than in a list of all.
            let all: Vec<Element<'_>> = match len >= set.len() && set.len() <= LISTED_MAX {
                true => set.iter().collect(),
                false => Vec::new(),
            };
            ctx.reply.array(len);
            ctx.reply.each(0..len, |reply, _| {
                let member = match all.len() {
                    0 => set.random(rng.next()),
                    len => all.get(rng.below(len as u64) as usize).copied(),
                };
                reply_element(member, reply);
            });
            return Ok(Flow::Done);
        }
        ctx.reply.array(len.min(set.len()));
        if len >= set.len() {
            ctx.reply.each(set.iter(), |reply, member| {
                reply_element(Some(member), reply);
            });
            return Ok(Flow::Done);
        }
        ctx.reply
            .each(set.sample(len, || rng.next()), |reply, member| {
                reply_element(Some(member), reply);
            });
        Ok(Flow::Done)
    }
}
