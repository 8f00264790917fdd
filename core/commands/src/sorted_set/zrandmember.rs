//! `ZRANDMEMBER`.

use std::collections::BTreeSet;

use engine::Rng;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;

use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::reply::{as_element, reply_members};

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub(super) struct ZRandMember;

impl Command for ZRandMember {
    const SPEC: Spec = Spec {
        summary: "Answers members of a sorted set, drawn at random.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) where N is the number of members returned",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[
                    Arg::integer("count"),
                    Arg::word("withscores", "WITHSCORES").optional(),
                ],
            )
            .optional(),
        ],
        ..Spec::named("zrandmember")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let (mut count, mut with_scores) = (None, false);
        if args.left() > 0 {
            count = Some(match args.integer()? {
                i64::MIN => return Err(CmdError::NotNegatable),
                count => count,
            });
            if args.left() > 0 {
                with_scores = args.keyword("WITHSCORES");
                if !with_scores || args.left() > 0 {
                    return Err(CmdError::Syntax);
                }
            }
        }
        if with_scores && count.is_some_and(|count| count.unsigned_abs() > PAIRS_MAX) {
            return Err(CmdError::OutOfRange);
        }
        Ok(Parsed {
            key,
            count,
            with_scores,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(cmd.key)?;
        let rng = &mut ctx.server.rng;
        let Some(count) = cmd.count else {
            match set.and_then(|set| set.get(rank(set.len(), rng))) {
                Some(it) => ctx.reply.bulk(it.member),
                None => ctx.reply.null(),
            }
            return Ok(Flow::Done);
        };
        let Some(set) = set else {
            ctx.reply.array(0);
            return Ok(Flow::Done);
        };
        let len = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if count < 0 {
            // Each is drawn from all.
            let drawn = (0..len).filter_map(|_| set.get(rank(set.len(), rng)));
            reply_members(drawn.map(as_element), len, cmd.with_scores, ctx.reply);
        } else if len >= set.len() {
            reply_members(set.iter().elements(), set.len(), cmd.with_scores, ctx.reply);
        } else if len > set.len() / FEW {
            let drawn = Drawn {
                next: 0,
                len: set.len(),
                left: len,
                rng,
            };
            let drawn = drawn.filter_map(|rank| set.get(rank));
            reply_members(drawn.map(as_element), len, cmd.with_scores, ctx.reply);
        } else {
            let drawn = few_of(len, set.len(), rng);
            let drawn = drawn.into_iter().filter_map(|rank| set.get(rank));
            reply_members(drawn.map(as_element), len, cmd.with_scores, ctx.reply);
        }
        Ok(Flow::Done)
    }
}

/// How many members Redis answers at most with their scores.
const PAIRS_MAX: u64 = i64::MAX as u64 / 2;

/// If fewer members than one in so many are drawn, their ranks are remembered; otherwise all
/// members are passed by.
const FEW: usize = 16;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    count: Option<i64>,
    with_scores: bool,
}

/// Some rank of so many.
fn rank(len: usize, rng: &mut Rng) -> usize {
    // The upper half of the product: each rank is as likely as the others, to one in 2^64 / `len`.
    ((u128::from(rng.next()) * len as u128) >> u64::BITS) as usize
}

/// Different ranks, so many of `len`, in ascending order, each choice as likely as the others.
fn few_of(count: usize, len: usize, rng: &mut Rng) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    for last in len - count..len {
        // The last rank stands in for one that was drawn before, which it cannot have been.
        if !drawn.insert(rank(last + 1, rng)) {
            drawn.insert(last);
        }
    }
    drawn
}

/// The same, if they are many: each rank in turn is among those that are still to be drawn or not.
struct Drawn<'r> {
    next: usize,
    len: usize,
    left: usize,
    rng: &'r mut Rng,
}

impl Iterator for Drawn<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left > 0 && self.next < self.len {
            let at = self.next;
            self.next += 1;
            if rank(self.len - at, self.rng) < self.left {
                self.left -= 1;
                return Some(at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far counts are from what they should be, in standard deviations of the whole.
    fn deviation(counts: &[usize], each: f64) -> f64 {
        let chi_square: f64 = counts
            .iter()
            .map(|count| (*count as f64 - each).powi(2) / each)
            .sum();
        let freedom = counts.len() as f64 - 1.0;
        (chi_square - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn each_rank_is_as_likely_as_the_others() {
        let mut rng = Rng::new(7);
        let mut counts = [0; 37];
        for _ in 0..37_000 {
            counts[rank(37, &mut rng)] += 1;
        }
        assert!(deviation(&counts, 1000.0).abs() < 5.0, "{counts:?}");
    }

    /// Of five ranks, each of the ten pairs.
    #[test]
    fn each_choice_of_ranks_is_as_likely_as_the_others() {
        let mut rng = Rng::new(7);
        let (mut few, mut many) = ([0; 10], [0; 10]);
        let pairs: Vec<[usize; 2]> = (0..5)
            .flat_map(|one| (one + 1..5).map(move |other| [one, other]))
            .collect();
        let index = |drawn: Vec<usize>| pairs.iter().position(|pair| drawn == pair).unwrap();
        for _ in 0..20_000 {
            few[index(few_of(2, 5, &mut rng).into_iter().collect())] += 1;
            let (next, len, left) = (0, 5, 2);
            let rng = &mut rng;
            let drawn = Drawn {
                next,
                len,
                left,
                rng,
            };
            many[index(drawn.collect())] += 1;
        }
        assert!(deviation(&few, 2000.0).abs() < 5.0, "{few:?}");
        assert!(deviation(&many, 2000.0).abs() < 5.0, "{many:?}");
    }
}
