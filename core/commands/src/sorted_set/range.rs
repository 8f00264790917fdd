//! Ranges of sorted sets: by rank, by score or by member, in either direction.

use std::ops::Range;

use engine::args::{Args, parse_i64};
use engine::error::{CmdError, SortedSetError};
use resp::Reply;
use values::SortedSet;
use values::sorted_set::Member;

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

    /// Shows the members in their direction, each with how many they are, if ranks say that.
    pub(super) fn for_each(&self, set: &SortedSet, mut f: impl FnMut(Member<'_>, Option<usize>)) {
        let ranks = self.ranks(set);
        let len = matches!(self.bounds, Bounds::Ranks(..)).then_some(ranks.len());
        let members = set.range(ranks.start, ranks.end);
        match self.direction {
            Direction::Up => members.for_each(|it| f(it, len)),
            Direction::Down => members.rev().for_each(|it| f(it, len)),
        }
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
