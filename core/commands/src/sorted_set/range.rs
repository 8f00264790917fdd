//! Ranges of sorted sets: by rank, by score or by member, in either direction.

use std::ops::Range;

use collections::map::Copied;
use engine::args::{Args, parse_i64};
use engine::error::{CmdError, SortedSetError};
use resp::Reply;
use values::SortedSet;
use values::sorted_set::Placing;

use super::reply::reply_members;
use crate::float::parse_bound;

/// What the two bounds of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Member,
}

/// From which end a range is read, and ranks are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// A bound of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound<T> {
    /// It belongs to the range.
    In(T),
    /// It does not.
    Out(T),
}

/// A bound of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LexBound<'a> {
    /// Before all members.
    Lowest,
    /// A member: in the range or not.
    At(&'a [u8], bool),
    /// Behind all members.
    Highest,
}

/// Which members.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bounds<'a> {
    /// From one rank to another, both included; negative ones count from the end.
    Ranks(i64, i64),
    /// From the lower bound to the upper one.
    Scores(Bound<f64>, Bound<f64>),
    /// Likewise. All members should have the same score.
    Members(LexBound<'a>, LexBound<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the bounds in the order of the request: downwards, the upper one comes first.
    pub(super) fn parse(
        by: By,
        direction: Direction,
        first: &'a [u8],
        second: &'a [u8],
    ) -> Result<Bounds<'a>, CmdError> {
        let (low, high) = match direction {
            Direction::Up => (first, second),
            Direction::Down => (second, first),
        };
        match by {
            By::Rank => {
                let rank = |text| parse_i64(text).ok_or(CmdError::NotAnInteger);
                Ok(Bounds::Ranks(rank(first)?, rank(second)?))
            }
            By::Score => Ok(Bounds::Scores(score_bound(low)?, score_bound(high)?)),
            By::Member => Ok(Bounds::Members(lex_bound(low)?, lex_bound(high)?)),
        }
    }

    /// The ranks of the members, from the lowest score on.
    pub(super) fn ranks(&self, set: &SortedSet, direction: Direction) -> Range<usize> {
        let ranks = match *self {
            Bounds::Ranks(start, stop) => {
                let ranks = ranks_between(start, stop, set.len());
                match direction {
                    Direction::Up => ranks,
                    Direction::Down => set.len() - ranks.end..set.len() - ranks.start,
                }
            }
            Bounds::Scores(low, high) => {
                let from = set.rank_by(|it| match low {
                    Bound::In(low) => it.score < low,
                    Bound::Out(low) => it.score <= low,
                });
                let to = set.rank_by(|it| match high {
                    Bound::In(high) => it.score <= high,
                    Bound::Out(high) => it.score < high,
                });
                from..to
            }
            Bounds::Members(low, high) => {
                let from = set.rank_by(|it| match low {
                    LexBound::Lowest => false,
                    LexBound::At(low, true) => it.member < low,
                    LexBound::At(low, false) => it.member <= low,
                    LexBound::Highest => true,
                });
                let to = set.rank_by(|it| match high {
                    LexBound::Lowest => false,
                    LexBound::At(high, true) => it.member <= high,
                    LexBound::At(high, false) => it.member < high,
                    LexBound::Highest => true,
                });
                from..to
            }
        };
        ranks.start..ranks.end.max(ranks.start)
    }
}

/// The ranks from `start` to `stop`, both included, of so many members; negative ones count from
/// the end.
fn ranks_between(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_first = |rank: i64| {
        if rank < 0 {
            rank.saturating_add(len)
        } else {
            rank
        }
    };
    let start = from_first(start).clamp(0, len);
    let end = from_first(stop).saturating_add(1).clamp(start, len);
    start as usize..end as usize
}

fn score_bound(text: &[u8]) -> Result<Bound<f64>, CmdError> {
    let (is_out, number) = match text.strip_prefix(b"(") {
        Some(number) => (true, number),
        None => (false, text),
    };
    let number =
        parse_bound(number).ok_or(CmdError::SortedSet(SortedSetError::InvalidScoreBound))?;
    Ok(if is_out {
        Bound::Out(number)
    } else {
        Bound::In(number)
    })
}

fn lex_bound(text: &[u8]) -> Result<LexBound<'_>, CmdError> {
    match text {
        b"-" => Ok(LexBound::Lowest),
        b"+" => Ok(LexBound::Highest),
        [b'[', member @ ..] => Ok(LexBound::At(member, true)),
        [b'(', member @ ..] => Ok(LexBound::At(member, false)),
        _ => Err(CmdError::SortedSet(SortedSetError::InvalidMemberBound)),
    }
}

/// A range as a command asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    bounds: Bounds<'a>,
    direction: Direction,
    /// How many members to pass over, and how many to take; all, if that is negative.
    limit: Option<(i64, i64)>,
    with_scores: bool,
}

/// What a command leaves open for options to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What the bounds are; by default ranks, which `BYSCORE` and `BYLEX` change.
    pub(super) by: Option<By>,
    /// The direction; by default upwards, which `REV` changes.
    pub(super) direction: Option<Direction>,
    /// There may be `WITHSCORES`.
    pub(super) may_have_scores: bool,
}

impl<'a> Wanted<'a> {
    /// Reads the bounds and what is behind them.
    pub(super) fn parse(args: &mut Args<'a>, form: Form) -> Result<Wanted<'a>, CmdError> {
        let (first, second) = (args.required()?, args.required()?);
        let (mut by, mut direction) = (form.by, form.direction);
        let (mut limit, mut with_scores) = (None, false);
        while args.left() > 0 {
            if form.may_have_scores && args.keyword("WITHSCORES") {
                with_scores = true;
            } else if args.left() >= 3 && args.keyword("LIMIT") {
                limit = Some((args.integer()?, args.integer()?));
            } else if direction.is_none() && args.keyword("REV") {
                direction = Some(Direction::Down);
            } else if by.is_none() && args.keyword("BYLEX") {
                by = Some(By::Member);
            } else if by.is_none() && args.keyword("BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        let (by, direction) = (by.unwrap_or(By::Rank), direction.unwrap_or(Direction::Up));
        if by == By::Rank {
            // One that takes all is passed over.
            if limit.is_some_and(|(_, count)| count != -1) {
                return Err(CmdError::SortedSet(SortedSetError::LimitOfRanks));
            }
            limit = None;
        }
        if with_scores && by == By::Member {
            return Err(CmdError::SortedSet(SortedSetError::ScoresByLex));
        }
        Ok(Wanted {
            bounds: Bounds::parse(by, direction, first, second)?,
            direction,
            limit,
            with_scores,
        })
    }

    /// The ranks of the members, from the lowest score on.
    pub(super) fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let Range { start, end } = self.bounds.ranks(set, self.direction);
        let Some((passed, count)) = self.limit else {
            return start..end;
        };
        let Ok(passed) = usize::try_from(passed) else {
            return start..start;
        };
        let passed = passed.min(end - start);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let count = count.min(end - start - passed);
        match self.direction {
            Direction::Up => start + passed..start + passed + count,
            Direction::Down => end - passed - count..end - passed,
        }
    }

    /// The members in a new set. Redis puts them in one after another, which shows in the form and
    /// in zeros, and knows how many they are if ranks say that.
    pub(super) fn stored(&self, set: &SortedSet, placing: Placing<'_>) -> SortedSet {
        let ranks = self.ranks(set);
        let members = set.range(ranks.start, ranks.end);
        let pairs = members.map(|it| (it.score, it.member));
        let (mut stored, is_same) = match self.direction {
            Direction::Up => self.begun(&mut pairs.clone(), placing),
            Direction::Down => self.begun(&mut pairs.clone().rev(), placing),
        };
        let is_alike = !stored.is_listpack() && !set.is_listpack() && is_same;
        if is_alike && ranks.len() >= set.len() / 2 {
            return set.part(ranks.start, ranks.end);
        }
        // Those that are in the set already stay as they are.
        stored.place_each(pairs, placing, &mut Copied);
        stored
    }

    /// A new set that Redis would keep as it would keep that of all these members, with the first
    /// of them if that is what makes it so. Also whether they have the scores that they had.
    fn begun(
        &self,
        pairs: &mut dyn ExactSizeIterator<Item = (f64, &[u8])>,
        placing: Placing<'_>,
    ) -> (SortedSet, bool) {
        let (mut begun, mut is_same) = (SortedSet::new(), true);
        if let Bounds::Ranks(..) = self.bounds {
            begun.expect(pairs.len(), placing);
        }
        while begun.is_listpack()
            && let Some((score, member)) = pairs.next()
        {
            begun.place(member, score, placing);
            is_same &= begun.score(member).map(f64::to_bits) == Some(score.to_bits());
        }
        (begun, is_same)
    }

    /// Answers the members.
    pub(super) fn reply(&self, set: &SortedSet, reply: &mut Reply) {
        let ranks = self.ranks(set);
        let members = set.range(ranks.start, ranks.end).elements();
        let len = ranks.len();
        match self.direction {
            Direction::Up => reply_members(members, len, self.with_scores, reply),
            Direction::Down => reply_members(members.rev(), len, self.with_scores, reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use collections::hash::NameHasher;
    use values::Thresholds;

    use super::*;

    #[test]
    fn what_is_stored_is_what_comes_of_one_after_another() {
        let thresholds = Thresholds {
            zset_max_listpack_entries: 8,
            zset_max_listpack_value: 12,
            ..Thresholds::DEFAULT
        };
        let hasher = NameHasher::new([1, 2]);
        let [thresholds, usual] = [thresholds, Thresholds::DEFAULT];
        let placing = |thresholds| Placing { thresholds, hasher };
        for (len, zeros, made_with) in [
            (5_u32, 2, &thresholds),
            (100, 0, &thresholds),
            (100, 0, &usual),
            (100, 30, &thresholds),
            (2000, 0, &usual),
            (2000, 30, &usual),
            (2000, 1990, &usual),
        ] {
            let mut set = SortedSet::new();
            // One that is no listpack keeps -0.
            set.expect(9, placing(made_with));
            for number in 0..len {
                let score = f64::from(number.saturating_sub(zeros));
                let score = if number % 2 == 0 && score == 0.0 {
                    -0.0
                } else {
                    score
                };
                set.place(format!("m{number}").as_bytes(), score, placing(made_with));
            }
            let wanted = |from: usize, to: usize, by_rank: bool, direction| {
                let score = |rank| set.get(rank).map_or(f64::INFINITY, |it| it.score);
                let bounds = match by_rank {
                    true => Bounds::Ranks(from as i64, to as i64 - 1),
                    false => Bounds::Scores(Bound::In(score(from)), Bound::Out(score(to))),
                };
                Wanted {
                    bounds,
                    direction,
                    limit: None,
                    with_scores: false,
                }
            };
            let len = len as usize;
            for (from, to) in [
                (0, len),
                (1, len),
                (len / 3, len),
                (0, len / 3),
                (0, 3),
                (2, 2),
            ] {
                for (by_rank, direction) in [
                    (true, Direction::Up),
                    (true, Direction::Down),
                    (false, Direction::Up),
                    (false, Direction::Down),
                ] {
                    let wanted = wanted(from, to, by_rank, direction);
                    let stored = wanted.stored(&set, placing(&thresholds));
                    let ranks = wanted.ranks(&set);
                    let mut model = SortedSet::new();
                    if by_rank {
                        model.expect(ranks.len(), placing(&thresholds));
                    }
                    let mut members: Vec<_> = set.range(ranks.start, ranks.end).collect();
                    if direction == Direction::Down {
                        members.reverse();
                    }
                    for it in members {
                        model.place(it.member, it.score, placing(&thresholds));
                    }
                    let all = |set: &SortedSet| -> Vec<(u64, Vec<u8>)> {
                        let members = set.iter();
                        members
                            .map(|it| (it.score.to_bits(), it.member.to_vec()))
                            .collect()
                    };
                    assert_eq!(all(&stored), all(&model));
                    assert_eq!(stored.is_listpack(), model.is_listpack());
                    let is_found = |(_, member): &(u64, Vec<u8>)| {
                        stored.score(member).map(f64::to_bits)
                            == model.score(member).map(f64::to_bits)
                    };
                    assert!(all(&model).iter().all(is_found));
                }
            }
        }
    }
}
