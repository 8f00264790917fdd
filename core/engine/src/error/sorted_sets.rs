//! What is wrong with a command on a sorted set.

use thiserror::Error;

/// Why a command on a sorted set is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SortedSetError {
    /// `WEIGHTS` with something that is no number.
    #[error("ERR weight value is not a float")]
    WeightNotAFloat,
    /// `ZADD … NX XX`.
    #[error("ERR XX and NX options at the same time are not compatible")]
    AddNewAndExisting,
    /// `ZADD … GT LT`, or one of them with `NX`.
    #[error("ERR GT, LT, and/or NX options at the same time are not compatible")]
    AddHigherAndLower,
    /// `ZADD … INCR` with several members.
    #[error("ERR INCR option supports a single increment-element pair")]
    IncrementSeveral,
    /// A sum of scores that are infinite.
    #[error("ERR resulting score is not a number (NaN)")]
    ScoreNotANumber,
    /// A bound of a range of scores.
    #[error("ERR min or max is not a float")]
    InvalidScoreBound,
    /// A bound of a range of members.
    #[error("ERR min or max not valid string range item")]
    InvalidMemberBound,
    /// `LIMIT` of a range of ranks.
    #[error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
    )]
    LimitOfRanks,
    /// `WITHSCORES` of a range of members.
    #[error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")]
    ScoresByLex,
}
