//! `MAXLEN` and `MINID` of `XADD` and `XTRIM`.

use std::num::NonZeroU64;

use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, StreamError};
use engine::table::Arg;
use stream::{Keep, NodeLimits, Precision, References, Stream, StreamId, Trim};

/// The parts of the clause in the grammar of commands, in their order.
pub(super) const STRATEGY: Arg = Arg::one_of(
    "strategy",
    &[
        Arg::word("maxlen", "MAXLEN"),
        Arg::word("minid", "MINID").since("6.2.0"),
    ],
);
pub(super) const OPERATOR: Arg = Arg::one_of(
    "operator",
    &[Arg::word("equal", "="), Arg::word("approximately", "~")],
)
.optional();
pub(super) const THRESHOLD: Arg = Arg::string("threshold");
pub(super) const LIMIT: Arg = Arg::integer("count")
    .token("LIMIT")
    .since("6.2.0")
    .optional();

/// The clause of commands that append.
pub(super) const TRIM: Arg = Arg::block("trim", &[STRATEGY, OPERATOR, THRESHOLD, LIMIT]).optional();

/// The trim clause as it is being read: `MAXLEN | MINID [= | ~] threshold [LIMIT count]`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TrimClause {
    keep: Option<Keep>,
    operator: Operator,
    limit: Option<u64>,
}

/// How exactly the threshold is meant. As wide as its neighbours: a single byte among them would be
/// copied together with those behind it, and a read that spans several writes of a moment ago holds
/// the processor up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u64)]
enum Operator {
    /// `=`, or neither.
    #[default]
    Exactly,
    /// `~`
    Approximately,
}

impl TrimClause {
    /// Takes the next part of the clause, if it comes next. Returns whether it did.
    pub(super) fn parse(&mut self, args: &mut Args<'_>) -> Result<bool, CmdError> {
        if args.keyword_with_value("MAXLEN") {
            self.strategy()?;
            self.operator(args);
            let len = u64::try_from(args.integer()?)
                .map_err(|_| CmdError::Stream(StreamError::MaxLenNegative))?;
            self.keep = Some(Keep::MaxLen(len));
        } else if args.keyword_with_value("MINID") {
            self.strategy()?;
            self.operator(args);
            self.keep = Some(Keep::MinId(StreamId::parse(args.required()?, 0)?));
        } else if args.keyword_with_value("LIMIT") {
            let limit = u64::try_from(args.integer()?)
                .map_err(|_| CmdError::Stream(StreamError::LimitNegative))?;
            self.limit = Some(limit);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Checks the parts against each other, once all are read.
    pub(super) fn finish(self) -> Result<Option<TrimClause>, CmdError> {
        match (self.keep, self.limit) {
            (None, Some(_)) => Err(CmdError::Stream(StreamError::LimitWithoutStrategy)),
            (Some(_), Some(_)) if self.operator == Operator::Exactly => {
                Err(CmdError::Stream(StreamError::LimitWithoutApproximate))
            }
            (None, None) => Ok(None),
            (Some(_), _) => Ok(Some(self)),
        }
    }

    /// Returns whether there may be something to remove once another entry was appended.
    pub(super) fn may_cut_after_append(
        self,
        stream: &Stream,
        references: References,
        nodes: NodeLimits,
    ) -> bool {
        let trim = self.resolve(nodes);
        trim.is_some_and(|trim| stream.may_trim_after_append(&trim, references))
    }

    /// Removes what the clause asks for; how many entries that were.
    pub(super) fn apply(self, key: &[u8], references: References, ctx: &mut Ctx<'_>) -> u64 {
        let Some(trim) = self.resolve(ctx.server.config.node_limits) else {
            return 0;
        };
        ctx.store.trim_stream(key, &trim, references)
    }

    /// Without a limit, an approximate trim does what can be done at once.
    pub(super) fn resolve(self, nodes: NodeLimits) -> Option<Trim> {
        let precision = match self.operator {
            Operator::Exactly => Precision::Exact,
            Operator::Approximately => {
                let limit = self.limit.unwrap_or_else(|| nodes.trim_limit_default());
                Precision::Approximate {
                    limit: NonZeroU64::new(limit),
                }
            }
        };
        Some(Trim {
            keep: self.keep?,
            precision,
        })
    }

    fn strategy(&self) -> Result<(), CmdError> {
        match self.keep {
            None => Ok(()),
            Some(_) => Err(CmdError::Stream(StreamError::TwoStrategies)),
        }
    }

    fn operator(&mut self, args: &mut Args<'_>) {
        if args.keyword_with_value("~") {
            self.operator = Operator::Approximately;
        } else {
            args.keyword_with_value("=");
        }
    }
}
