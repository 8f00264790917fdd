//! What the commands that combine sorted sets have in common.
//!
//! Sources may be sets, too, whose members have a score of 1. As in Redis, they are taken in the
//! order of their sizes, which shows in the last digits of sums.

use std::cmp::Ordering;

use engine::args::{Args, parse_i64};
use engine::command::Ctx;
use engine::error::{CmdError, SortedSetError};
use engine::table::{Arg, FindKeys, KeyFlags, KeySpec};
use resp::Argv;
use values::sorted_set::{Builder, Member};
use values::{Set, SortedSet};

use crate::float::parse_double;

/// How members of several sources make a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combination {
    /// Those that are in some source.
    Union,
    /// Those that are in all.
    Intersection,
    /// Those of the first that are in no other.
    Difference,
}

/// How scores of a member make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Lowest,
    Highest,
    /// How many sets have the member, whatever its scores: the sum of their weights.
    Count,
}

impl Aggregate {
    /// What a score counts in a set of this weight.
    fn weighted(self, score: f64, weight: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Lowest | Aggregate::Highest => score * weight,
            Aggregate::Count => weight,
        }
    }

    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // Infinite scores of both signs make none.
            Aggregate::Sum | Aggregate::Count => or_zero(one + other),
            Aggregate::Lowest if other < one => other,
            Aggregate::Highest if other > one => other,
            Aggregate::Lowest | Aggregate::Highest => one,
        }
    }
}

fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// Keys behind their number, which is at `index`.
pub(super) const fn sources_at(index: u8) -> KeySpec {
    KeySpec {
        find: FindKeys::KeyNum {
            count: 0,
            first: 1,
            step: 1,
        },
        ..KeySpec::at(index, KeyFlags::RO.and(KeyFlags::ACCESS))
    }
}

pub(super) const WEIGHTS: Arg = Arg::integer("weight")
    .token("WEIGHTS")
    .optional()
    .multiple();

pub(super) const AGGREGATE: Arg = Arg::one_of(
    "aggregate",
    &[
        Arg::word("sum", "SUM"),
        Arg::word("min", "MIN"),
        Arg::word("max", "MAX"),
        Arg::word("count", "COUNT").since("8.8.0"),
    ],
)
.token("AGGREGATE")
.optional();

/// Which options a command has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// `WEIGHTS` and `AGGREGATE`.
    pub(super) may_aggregate: bool,
    /// `WITHSCORES`.
    pub(super) may_have_scores: bool,
}

/// What is to be combined.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    keys: Argv<'a>,
    /// What follows the keys. It is read after these were looked at: a key of another type is told
    /// first.
    rest: Args<'a>,
    options: Options,
}

/// What follows the keys.
#[derive(Debug)]
pub(super) struct Chosen {
    /// One for each key, or none at all.
    weights: Vec<f64>,
    pub(super) aggregate: Aggregate,
    pub(super) with_scores: bool,
}

/// Reads the number of keys and the keys, for a command of this name.
pub(super) fn parse_keys<'a>(args: &mut Args<'a>, name: &str) -> Result<Argv<'a>, CmdError> {
    let count = args.integer()?;
    if count < 1 {
        return Err(CmdError::NoInputKeys(name.to_owned()));
    }
    args.take(usize::try_from(count).unwrap_or(usize::MAX))
}

impl Options {
    /// Reads what follows so many keys.
    fn parse(self, args: &mut Args<'_>, keys: usize) -> Result<Chosen, CmdError> {
        let mut chosen = Chosen {
            weights: Vec::new(),
            aggregate: Aggregate::Sum,
            with_scores: false,
        };
        while args.left() > 0 {
            if self.may_aggregate && args.left() > keys && args.keyword("WEIGHTS") {
                let weights = args.take(keys)?.iter();
                let weights = weights.map(|text| {
                    parse_double(text).ok_or(CmdError::SortedSet(SortedSetError::WeightNotAFloat))
                });
                chosen.weights = weights.collect::<Result<_, _>>()?;
            } else if self.may_aggregate && args.keyword_with_value("AGGREGATE") {
                chosen.aggregate = if args.keyword("SUM") {
                    Aggregate::Sum
                } else if args.keyword("MIN") {
                    Aggregate::Lowest
                } else if args.keyword("MAX") {
                    Aggregate::Highest
                } else if args.keyword("COUNT") {
                    Aggregate::Count
                } else {
                    return Err(CmdError::Syntax);
                };
            } else if self.may_have_scores && args.keyword("WITHSCORES") {
                chosen.with_scores = true;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(chosen)
    }
}

impl<'a> Wanted<'a> {
    pub(super) fn parse(
        args: &mut Args<'a>,
        name: &str,
        options: Options,
    ) -> Result<Wanted<'a>, CmdError> {
        let keys = parse_keys(args, name)?;
        let rest = args.clone();
        args.rest();
        Ok(Wanted {
            keys,
            rest,
            options,
        })
    }

    /// Gives `then` the members of the result in their order, and what was asked for.
    pub(super) fn combine<T>(
        mut self,
        combination: Combination,
        ctx: &mut Ctx<'_>,
        then: impl FnOnce(&mut dyn ExactSizeIterator<Item = Member<'_>>, &Chosen, &mut Ctx<'_>) -> T,
    ) -> Result<T, CmdError> {
        let mut sources = sources(self.keys, ctx)?;
        let chosen = self.options.parse(&mut self.rest, self.keys.len())?;
        for (source, weight) in sources.iter_mut().zip(&chosen.weights) {
            source.weight = *weight;
        }
        if combination != Combination::Difference {
            sort_by_len(&mut sources);
        }
        let held: Vec<Held<'_>> = sources.iter().map(|source| source.members.held()).collect();
        let mut all = match combination {
            Combination::Union => chosen.union(&sources, &held),
            Combination::Intersection => chosen.intersection(&sources, &held),
            Combination::Difference => difference(&sources, &held),
        };
        all.sort_unstable_by(|one, other| {
            let by_score = one.score.partial_cmp(&other.score);
            let by_score = by_score.unwrap_or(Ordering::Equal);
            by_score.then_with(|| one.member.cmp(other.member))
        });
        Ok(then(&mut all.into_iter(), &chosen, ctx))
    }
}

impl Chosen {
    fn union<'s>(&self, sources: &[Source<'_>], held: &'s [Held<'_>]) -> Vec<Member<'s>> {
        let mut all = Vec::new();
        for (source, held) in sources.iter().zip(held) {
            held.for_each(|it| all.push(source.weighted(it, self.aggregate)));
        }
        // Those that are equal stay in the order of the sources.
        all.sort_by(|one, other| one.member.cmp(other.member));
        let aggregate = self.aggregate;
        all.dedup_by(|next, kept| {
            let is_same = next.member == kept.member;
            if is_same {
                kept.score = aggregate.of(kept.score, next.score);
            }
            is_same
        });
        all
    }

    fn intersection<'s>(&self, sources: &[Source<'_>], held: &'s [Held<'_>]) -> Vec<Member<'s>> {
        let mut all = Vec::new();
        let Some(((first, others), held)) = sources.split_first().zip(held.first()) else {
            return all;
        };
        held.for_each(|it| {
            let mut found = first.weighted(it, self.aggregate);
            let is_in_all = others.iter().all(|other| {
                let score = match other.is_first {
                    true => Some(it.score),
                    false => other.members.score(it.member),
                };
                if let Some(score) = score {
                    // As in Redis, a product that is no number makes the whole sum zero.
                    let score = self.aggregate.weighted(score, other.weight);
                    found.score = self.aggregate.of(found.score, score);
                }
                score.is_some()
            });
            if is_in_all {
                all.push(found);
            }
        });
        all
    }
}

fn difference<'s>(sources: &[Source<'_>], held: &'s [Held<'_>]) -> Vec<Member<'s>> {
    let mut all = Vec::new();
    let Some(((_, others), held)) = sources.split_first().zip(held.first()) else {
        return all;
    };
    held.for_each(|it| {
        let mut others = others.iter();
        if others.all(|other| other.members.score(it.member).is_none()) {
            all.push(it);
        }
    });
    all
}

/// How many members all of several sources have, up to a limit in what follows the keys.
pub(super) fn count_common(
    keys: Argv<'_>,
    mut options: Args<'_>,
    ctx: &mut Ctx<'_>,
) -> Result<usize, CmdError> {
    let mut sources = sources(keys, ctx)?;
    let mut limit = usize::MAX;
    while options.left() > 0 {
        if !options.keyword_with_value("LIMIT") {
            return Err(CmdError::Syntax);
        }
        limit = parse_limit(options.required()?)?;
    }
    sort_by_len(&mut sources);
    let Some((first, others)) = sources.split_first() else {
        return Ok(0);
    };
    let others: Vec<&Source<'_>> = others.iter().filter(|other| !other.is_first).collect();
    let is_in_all = |member: &[u8]| {
        let mut others = others.iter();
        others.all(|other| other.members.score(member).is_some())
    };
    Ok(match &first.members {
        Members::None => 0,
        Members::Scored(set) => {
            let common = set.iter().filter(|it| is_in_all(it.member));
            common.take(limit).count()
        }
        Members::Plain(set) => {
            let common = set.iter().filter(|it| it.with_bytes(is_in_all));
            common.take(limit).count()
        }
    })
}

/// One of the sets that are combined.
#[derive(Debug)]
struct Source<'a> {
    key: &'a [u8],
    members: Members,
    weight: f64,
    /// It has the key of the first one, and so the same members.
    is_first: bool,
}

/// Puts the smallest first, and says which others are the same.
fn sort_by_len(sources: &mut [Source<'_>]) {
    sources.sort_by_key(|source| source.members.len());
    if let Some((first, others)) = sources.split_first_mut() {
        for other in others {
            other.is_first = other.key == first.key;
        }
    }
}

impl Source<'_> {
    fn weighted<'s>(&self, it: Member<'s>, aggregate: Aggregate) -> Member<'s> {
        Member {
            score: or_zero(aggregate.weighted(it.score, self.weight)),
            ..it
        }
    }
}

#[derive(Debug)]
enum Members {
    None,
    Scored(SortedSet),
    Plain(Set),
}

impl Members {
    fn len(&self) -> usize {
        match self {
            Members::None => 0,
            Members::Scored(set) => set.len(),
            Members::Plain(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Members::None => None,
            Members::Scored(set) => set.score(member),
            Members::Plain(set) => set.contains(member).then_some(1.0),
        }
    }

    fn held(&self) -> Held<'_> {
        match self {
            Members::None => Held::Plain(Vec::new(), Vec::new()),
            Members::Scored(set) => Held::Scored(set),
            Members::Plain(set) => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(set.len()));
                for member in set.iter() {
                    member.with_bytes(|it| bytes.extend_from_slice(it));
                    ends.push(bytes.len());
                }
                Held::Plain(bytes, ends)
            }
        }
    }
}

/// The members of a source as bytes that are there.
enum Held<'a> {
    Scored(&'a SortedSet),
    /// One after another, and where each ends.
    Plain(Vec<u8>, Vec<usize>),
}

impl Held<'_> {
    fn for_each<'s>(&'s self, mut f: impl FnMut(Member<'s>)) {
        match self {
            Held::Scored(set) => set.iter().for_each(f),
            Held::Plain(bytes, ends) => {
                let mut start = 0;
                for &end in ends {
                    let member = &bytes[start..end];
                    f(Member { member, score: 1.0 });
                    start = end;
                }
            }
        }
    }
}

/// What the keys hold; a clone shares the members.
fn sources<'a>(keys: Argv<'a>, ctx: &mut Ctx<'_>) -> Result<Vec<Source<'a>>, CmdError> {
    let mut sources = Vec::with_capacity(keys.len());
    for key in keys.iter() {
        let members = match ctx.store.reading().value(key) {
            None => Members::None,
            Some(value) => match (value.get::<SortedSet>(), value.get::<Set>()) {
                (Some(set), _) => Members::Scored(set.clone()),
                (None, Some(set)) => Members::Plain(set.clone()),
                (None, None) => return Err(CmdError::WrongType),
            },
        };
        sources.push(Source {
            key,
            members,
            weight: 1.0,
            is_first: false,
        });
    }
    Ok(sources)
}

/// The members as a set.
pub(super) fn built(
    members: &mut dyn ExactSizeIterator<Item = Member<'_>>,
    ctx: &Ctx<'_>,
) -> SortedSet {
    let thresholds = ctx.store.thresholds();
    let mut result = Builder::new(ctx.store.placing(&thresholds));
    result.place_each(members.map(|it| (it.score, it.member)));
    result.finish()
}

/// The limit of `ZINTERCARD`; 0 is none.
fn parse_limit(text: &[u8]) -> Result<usize, CmdError> {
    let limit = parse_i64(text).and_then(|limit| usize::try_from(limit).ok());
    match limit.ok_or(CmdError::IsNegative("LIMIT"))? {
        0 => Ok(usize::MAX),
        limit => Ok(limit),
    }
}
