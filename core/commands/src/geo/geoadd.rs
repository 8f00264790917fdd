//! `GEOADD`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::Effect;
use engine::store::effect::sorted_set::{SortedSetChange, events};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::cell::score_of;
use super::query::parse_position;
use crate::sorted_set::zadd::{Options, decide};

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member …]`
pub(super) struct GeoAdd;

impl Command for GeoAdd {
    const SPEC: Spec = Spec {
        summary: "Adds places to a sorted set, and tells how many of them are new.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        arity: Arity::AtLeast(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        history: &[("6.2.0", "`CH`, `NX` and `XX`.")],
        args: &[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .optional()
                .since("6.2.0"),
            Arg::word("change", "CH").optional().since("6.2.0"),
            Arg::block(
                "data",
                &[
                    Arg::double("longitude"),
                    Arg::double("latitude"),
                    Arg::string("member"),
                ],
            )
            .multiple(),
        ],
        ..Spec::named("geoadd")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let mut options = Options::default();
        loop {
            let flag = if args.keyword("NX") {
                &mut options.only_new
            } else if args.keyword("XX") {
                &mut options.only_existing
            } else if args.keyword("CH") {
                &mut options.counts_changed
            } else {
                break;
            };
            *flag = true;
        }
        let is_whole = args.left() > 0 && args.left().is_multiple_of(3);
        if !is_whole || options.only_new && options.only_existing {
            return Err(CmdError::Syntax);
        }
        let mut places = Vec::with_capacity(args.left() / 3);
        while args.left() > 0 {
            let score = score_of(parse_position(args)?);
            places.push((score, args.required()?));
        }
        Ok(Parsed {
            key,
            options,
            places,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            options,
            places,
        } = cmd;
        let thresholds = ctx.store.thresholds();
        let hasher = ctx.store.placing(&thresholds).hasher;
        let set = ctx.store.get::<SortedSet>(key)?;
        let before = set.map_or(0, SortedSet::len);
        let pairs = match options.have_conditions() {
            true => decide(set, options, places.into_iter(), hasher),
            false => places,
        };
        if pairs.is_empty() {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        }
        let pairs = pairs.as_slice();
        let place = Effect::on(key, SortedSetChange::Place { pairs });
        let changed = ctx.store.apply(&place, events::ZADD);
        if options.counts_changed {
            ctx.reply.int(changed as i64);
        } else {
            let after = ctx.store.get::<SortedSet>(key)?.map_or(0, SortedSet::len);
            ctx.reply.count(after.saturating_sub(before));
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    options: Options,
    places: Vec<(f64, &'a [u8])>,
}
