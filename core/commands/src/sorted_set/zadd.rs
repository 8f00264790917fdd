//! `ZADD` and `ZINCRBY`.

use collections::hash::NameHasher;
use collections::{Seen, in_steps};
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, SortedSetError};
use engine::store::effect::{Effect, sorted_set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;
use smallvec::SmallVec;
use values::SortedSet;

use crate::float::parse_double;

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]`
pub(super) struct ZAdd;

impl Command for ZAdd {
    const SPEC: Spec = Spec {
        summary: "Gives members of a sorted set their scores, and tells how many of them are new.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        arity: Arity::AtLeast(4),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        history: &[
            ("2.4.0", "Several members."),
            ("3.0.2", "`XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "`GT` and `LT`."),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .optional()
                .since("3.0.2"),
            Arg::one_of(
                "comparison",
                &[Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .optional()
            .since("6.2.0"),
            Arg::word("change", "CH").optional().since("3.0.2"),
            Arg::word("increment", "INCR").optional().since("3.0.2"),
            Arg::block("data", &[Arg::double("score"), Arg::string("member")]).multiple(),
        ],
        seeks: Seeks::Placed,
        ..Spec::named("zadd")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let options = Options::parse(args);
        let pairs = args.rest();
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(CmdError::Syntax);
        }
        options.check(pairs.len() / 2)?;
        let scores = pairs.iter().step_by(2);
        let scores = scores.map(|text| parse_double(text).ok_or(CmdError::NotAFloat));
        let scores = scores.collect::<Result<_, _>>()?;
        Ok(Parsed {
            key,
            options,
            pairs,
            scores,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            options,
            pairs,
            scores,
        } = cmd;
        if options.increments {
            let member = pairs.get(1).unwrap_or_default();
            let by = scores.first().copied().unwrap_or_default();
            match add_to_score(key, member, by, options, ctx)? {
                Some(score) => ctx.reply.double(score),
                None => ctx.reply.null(),
            }
            return Ok(Flow::Done);
        }
        let thresholds = ctx.store.thresholds();
        let hasher = ctx.store.placing(&thresholds).hasher;
        let set = ctx.store.get::<SortedSet>(key)?;
        let before = set.map_or(0, SortedSet::len);
        let changed = if options.have_conditions() {
            let members = pairs.skip(1).iter().step_by(2);
            let pairs = scores.iter().copied().zip(members);
            let pairs = decide(set, options, pairs, hasher);
            if pairs.is_empty() {
                ctx.reply.int(0);
                return Ok(Flow::Done);
            }
            let pairs = pairs.as_slice();
            let place = sorted_set::SortedSetChange::Place { pairs };
            let place = Effect::on(key, place);
            ctx.store.apply(&place, sorted_set::events::ZADD)
        } else {
            let scores = &scores;
            let add = Effect::on(key, sorted_set::SortedSetChange::Add { pairs, scores });
            ctx.store.apply(&add, sorted_set::events::ZADD)
        };
        if options.counts_changed {
            ctx.reply.int(changed as i64);
        } else {
            let after = ctx.store.get::<SortedSet>(key)?.map_or(0, SortedSet::len);
            ctx.reply.count(after.saturating_sub(before));
        }
        Ok(Flow::Done)
    }
}

/// `ZINCRBY key increment member`
pub(super) struct ZIncrBy;

impl Command for ZIncrBy {
    const SPEC: Spec = Spec {
        summary: "Adds to the score of a member of a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of elements in the sorted set.",
        arity: Arity::Exactly(4),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("increment"),
            Arg::string("member"),
        ],
        seeks: Seeks::Placed,
        ..Spec::named("zincrby")
    };
    type Parsed<'a> = (&'a [u8], f64, &'a [u8]);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let by = parse_double(args.required()?).ok_or(CmdError::NotAFloat)?;
        Ok((key, by, args.required()?))
    }

    fn execute((key, by, member): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match add_to_score(key, member, by, Options::default(), ctx)? {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    options: Options,
    pairs: Argv<'a>,
    scores: SmallVec<[f64; 4]>,
}

/// Which members get their scores, and what is answered.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) only_new: bool,
    pub(crate) only_existing: bool,
    only_higher: bool,
    only_lower: bool,
    pub(crate) counts_changed: bool,
    increments: bool,
}

impl Options {
    fn parse(args: &mut Args<'_>) -> Options {
        let mut options = Options::default();
        loop {
            let flag = if args.keyword("NX") {
                &mut options.only_new
            } else if args.keyword("XX") {
                &mut options.only_existing
            } else if args.keyword("CH") {
                &mut options.counts_changed
            } else if args.keyword("INCR") {
                &mut options.increments
            } else if args.keyword("GT") {
                &mut options.only_higher
            } else if args.keyword("LT") {
                &mut options.only_lower
            } else {
                return options;
            };
            *flag = true;
        }
    }

    fn check(self, members: usize) -> Result<(), CmdError> {
        if self.only_new && self.only_existing {
            return Err(CmdError::SortedSet(SortedSetError::AddNewAndExisting));
        }
        let (higher, lower) = (self.only_higher, self.only_lower);
        if higher && (lower || self.only_new) || lower && self.only_new {
            return Err(CmdError::SortedSet(SortedSetError::AddHigherAndLower));
        }
        if self.increments && members > 1 {
            return Err(CmdError::SortedSet(SortedSetError::IncrementSeveral));
        }
        Ok(())
    }

    pub(crate) fn have_conditions(self) -> bool {
        self.only_new || self.only_existing || self.only_higher || self.only_lower
    }

    /// Returns whether a member gets a score instead of the one it has.
    fn allow(self, before: Option<f64>, score: f64) -> bool {
        match before {
            None => !self.only_existing,
            Some(before) => {
                let forbids_higher = self.only_lower && score >= before;
                let forbids_lower = self.only_higher && score <= before;
                !(self.only_new || forbids_higher || forbids_lower)
            }
        }
    }
}

/// Those of the pairs that change something, one after another.
pub(crate) fn decide<'p>(
    set: Option<&SortedSet>,
    options: Options,
    pairs: impl Iterator<Item = (f64, &'p [u8])>,
    hasher: NameHasher,
) -> Vec<(f64, &'p [u8])> {
    let mut decided = Vec::new();
    let mut placed = Seen::new(hasher);
    let decide = |set: &mut Option<&SortedSet>, (score, member)| {
        let found = || set.and_then(|set| set.score(member));
        let before = placed.get(member).copied().or_else(found);
        if before != Some(score) && options.allow(before, score) {
            placed.insert(member, score);
            decided.push((score, member));
        }
    };
    let look = |set: &Option<&SortedSet>, members: &[&[u8]]| {
        set.iter().for_each(|set| set.look_ahead(members));
    };
    in_steps(&mut { set }, pairs, |(_, it)| it, look, decide);
    decided
}

/// Adds to the score of a member and returns the sum, or `None` if the options forbid it.
fn add_to_score(
    key: &[u8],
    member: &[u8],
    by: f64,
    options: Options,
    ctx: &mut Ctx<'_>,
) -> Result<Option<f64>, CmdError> {
    let set = ctx.store.get::<SortedSet>(key)?;
    let before = set.and_then(|set| set.score(member));
    // The options say first whether there is anything to add to.
    let may_add = match before {
        None => !options.only_existing,
        Some(_) => !options.only_new,
    };
    if !may_add {
        return Ok(None);
    }
    let score = before.map_or(by, |before| before + by);
    if score.is_nan() {
        return Err(CmdError::SortedSet(SortedSetError::ScoreNotANumber));
    }
    if !options.allow(before, score) {
        return Ok(None);
    }
    let pairs = &[(score, member)];
    let place = Effect::on(key, sorted_set::SortedSetChange::Place { pairs });
    ctx.store.apply(&place, sorted_set::events::ZINCR);
    Ok(Some(score))
}
