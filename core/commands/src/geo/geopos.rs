//! `GEOPOS` and `GEOHASH`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::SortedSet;

use super::cell::{position_of, text_of};
use super::query::reply_position;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "3.2.0",
    group: Group::Geo,
    complexity: "O(1) for each member requested.",
    arity: Arity::AtLeast(2),
    flags: Flags::READONLY,
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    args: &[
        Arg::key("key", 0),
        Arg::string("member").optional().multiple(),
    ],
    ..Spec::named("")
};

/// `GEOPOS key [member …]`
pub(super) struct GeoPos;

impl PlainCommand for GeoPos {
    const SPEC: Spec = Spec {
        name: "geopos",
        summary: "Answers longitudes and latitudes of places.",
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        ctx.reply.array(members.len());
        ctx.reply.each(members.iter(), |reply, member| {
            match set.and_then(|set| set.score(member)) {
                Some(score) => reply_position(position_of(score), reply),
                None => reply.null_array(),
            }
        });
        Ok(Flow::Done)
    }
}

/// `GEOHASH key [member …]`
pub(super) struct GeoHash;

impl PlainCommand for GeoHash {
    const SPEC: Spec = Spec {
        name: "geohash",
        summary: "Answers the Geohash texts of places.",
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        ctx.reply.array(members.len());
        ctx.reply.each(members.iter(), |reply, member| {
            match set.and_then(|set| set.score(member)) {
                Some(score) => reply.bulk(&text_of(position_of(score))),
                None => reply.null(),
            }
        });
        Ok(Flow::Done)
    }
}
