//! `GEODIST`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::cell::position_of;
use super::query::{Unit, reply_distance};
use super::sphere::distance;

/// `GEODIST key member1 member2 [unit]`
pub(super) struct GeoDist;

impl Command for GeoDist {
    const SPEC: Spec = Spec {
        summary: "Answers the distance between two places.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(1)",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::string("member1"),
            Arg::string("member2"),
            super::UNIT.optional(),
        ],
        ..Spec::named("geodist")
    };
    type Parsed<'a> = (&'a [u8], [&'a [u8]; 2], Unit);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let (key, members) = (args.required()?, [args.required()?, args.required()?]);
        let unit = match args.left() {
            0 => Unit::METRE,
            1 => Unit::parse(args)?,
            _ => return Err(CmdError::Syntax),
        };
        Ok((key, members, unit))
    }

    fn execute(
        (key, members, unit): Self::Parsed<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        let [a, b] = members.map(|member| set.and_then(|set| set.score(member)));
        match (a, b) {
            (Some(a), Some(b)) => {
                reply_distance(distance(position_of(a), position_of(b)), unit, ctx.reply);
            }
            _ => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}
