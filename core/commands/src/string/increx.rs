//! `INCREX` (8.8): a number grows within bounds, and the key may get an expiry. Source: the
//! documentation of Redis 8.8.
//!
//! What is kept is the sum, so the journal has it as `SET`, which Redis 8.6 reads too.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, CounterError};
use engine::store::effect::{Event, Expiry};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::counter::{Counter, Events, Sum};
use super::expiration::Lifetime;
use super::set::set_as;
use crate::float::{Number, parse_float};

/// `INCREX key [BYINT increment | BYFLOAT increment] [LBOUND lowerbound] [UBOUND upperbound]
/// [SATURATE] [expiration | PERSIST] [ENX]`
pub(super) struct IncrEx;

impl Command for IncrEx {
    const SPEC: Spec = Spec {
        summary: "Adds to the number in a string within bounds, and sets when it expires.",
        since: "8.8.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::AtLeast(2),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "increment",
                &[
                    Arg::double("float").token("BYFLOAT"),
                    Arg::integer("integer").token("BYINT"),
                ],
            )
            .optional(),
            Arg::word("saturate", "SATURATE").optional(),
            Arg::string("lowerbound").token("LBOUND").optional(),
            Arg::string("upperbound").token("UBOUND").optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX"),
                    Arg::integer("milliseconds").token("PX"),
                    Arg::unix_time("unix-time-seconds").token("EXAT"),
                    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    Arg::word("persist", "PERSIST"),
                ],
            )
            .optional(),
            Arg::word("enx", "ENX").optional(),
        ],
        ..Spec::named("increx")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let (mut by, mut lower, mut upper) = (None, None, None);
        let mut beyond = Beyond::Skip;
        let mut lifetime = Lifetime::Unsaid;
        let mut keeps_expiry = false;
        while args.left() > 0 {
            if by.is_none() && args.keyword_with_value("BYINT") {
                by = Some(By::Integer(args.integer()?));
            } else if by.is_none() && args.keyword_with_value("BYFLOAT") {
                by = Some(By::Float(
                    parse_float(args.required()?).ok_or(CmdError::NotAFloat)?,
                ));
            } else if lower.is_none() && args.keyword_with_value("LBOUND") {
                lower = Some(args.required()?);
            } else if upper.is_none() && args.keyword_with_value("UBOUND") {
                upper = Some(args.required()?);
            } else if args.keyword("SATURATE") {
                beyond = Beyond::Saturate;
            } else if args.keyword("ENX") {
                keeps_expiry = true;
            } else if !lifetime.parse(args, "PERSIST")? {
                return Err(CmdError::Syntax);
            }
        }
        match lifetime {
            Lifetime::Unsaid if keeps_expiry => return Err(CounterError::EnxAlone.into()),
            Lifetime::Word if keeps_expiry => return Err(CmdError::Syntax),
            Lifetime::Unsaid | Lifetime::Word | Lifetime::Until(_) => {}
        }
        let step = match by.unwrap_or(By::Integer(1)) {
            By::Integer(by) => Step::Integer(Bounded::new(by, lower, upper)?),
            By::Float(by) => Step::Float(Bounded::new(by, lower, upper)?),
        };
        Ok(Parsed {
            key,
            step,
            beyond,
            lifetime,
            keeps_expiry,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let until = match cmd.lifetime {
            Lifetime::Until(expiration) => {
                Expiry::At(expiration.resolve(ctx.now.unix(), "increx")?)
            }
            Lifetime::Word => Expiry::Never,
            Lifetime::Unsaid => Expiry::Keep,
        };
        match cmd.step {
            Step::Integer(step) => cmd.add(step, until, ctx),
            Step::Float(step) => cmd.add(step, until, ctx),
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Parsed<'a> {
    key: &'a [u8],
    step: Step,
    beyond: Beyond,
    lifetime: Lifetime<'a>,
    /// `ENX`: an expiry that the key has already stays.
    keeps_expiry: bool,
}

impl Parsed<'_> {
    /// Adds, and answers the sum and what was added to the number.
    fn add<N: Counter>(
        self,
        step: Bounded<N>,
        until: Expiry,
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let number = match ctx.store.get::<StringValue>(self.key)? {
            Some(string) => N::of(string)?,
            None => N::ZERO,
        };
        let sum = step.added_to(number, self.beyond)?;
        ctx.reply.array(2);
        let Some((sum, by)) = sum else {
            number.write(ctx.reply);
            N::ZERO.write(ctx.reply);
            return Ok(Flow::Done);
        };
        let (expiry, event) = self.expiry(until, N::EVENTS, ctx);
        sum.with_text(|text| set_as(self.key, text, expiry, event, ctx));
        sum.write(ctx.reply);
        by.write(ctx.reply);
        Ok(Flow::Done)
    }

    /// What becomes of the key's expiry, and what is told of all that happens.
    fn expiry(
        &self,
        until: Expiry,
        events: &'static Events,
        ctx: &mut Ctx<'_>,
    ) -> (Expiry, &'static Event) {
        let looks = self.keeps_expiry || until == Expiry::Never;
        let expires = looks && {
            let record = ctx.store.peek(self.key);
            record.is_some_and(|record| record.expires_at().is_some())
        };
        match until {
            Expiry::At(_) if expires => (Expiry::Keep, events.added),
            Expiry::At(_) => (until, events.added_and_expires),
            Expiry::Never if expires => (until, events.added_and_persists),
            Expiry::Never | Expiry::Keep => (Expiry::Keep, events.added),
        }
    }
}

/// An increment as it was given.
enum By {
    Integer(i64),
    Float(Number),
}

/// What is added, in numbers of one kind.
#[derive(Clone, Copy)]
enum Step {
    Integer(Bounded<i64>),
    Float(Bounded<Number>),
}

/// What happens to a sum that is beyond a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// Nothing is added.
    Skip,
    /// The bound is the sum.
    Saturate,
}

/// An increment, and the bounds of the sum: `lower` is not above `upper`.
#[derive(Debug, Clone, Copy)]
struct Bounded<N> {
    by: N,
    lower: N,
    upper: N,
}

impl<N: Counter> Bounded<N> {
    fn new(by: N, lower: Option<&[u8]>, upper: Option<&[u8]>) -> Result<Bounded<N>, CmdError> {
        let lower = lower.map_or(Ok(N::least()), |text| N::bound(text, "LBOUND"))?;
        let upper = upper.map_or(Ok(N::greatest()), |text| N::bound(text, "UBOUND"))?;
        if lower > upper {
            return Err(CounterError::BoundsCross.into());
        }
        Ok(Bounded { by, lower, upper })
    }

    /// The sum, and what is added; `None` if nothing is.
    ///
    /// # Errors
    /// The sum is no number, or what has to be added to reach a bound is none.
    fn added_to(self, number: N, beyond: Beyond) -> Result<Option<(N, N)>, CmdError> {
        let bound = match number.plus(self.by)? {
            Sum::Number(sum) if sum < self.lower => self.lower,
            Sum::Number(sum) if sum > self.upper => self.upper,
            Sum::Number(sum) => return Ok(Some((sum, self.by))),
            Sum::Below => self.lower,
            Sum::Above => self.upper,
        };
        match beyond {
            Beyond::Skip => Ok(None),
            Beyond::Saturate => Ok(Some((bound, bound.minus(number)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::error::CmdError;

    use super::{Beyond, Bounded};
    use crate::float::{Number, format_float, parse_float};

    const MIN: &str = "-9223372036854775808";

    fn added(by: i64, bounds: [Option<&str>; 2], to: i64, beyond: Beyond) -> Option<(i64, i64)> {
        let [lower, upper] = bounds.map(|bound| bound.map(str::as_bytes));
        let step = Bounded::new(by, lower, upper).unwrap();
        step.added_to(to, beyond).unwrap()
    }

    #[test]
    fn a_sum_beyond_a_bound_is_skipped_or_becomes_the_bound() {
        for (by, bounds, to, skipped, saturated) in [
            (5, [None, Some("100")], 95, Some((100, 5)), Some((100, 5))),
            (5, [None, Some("100")], 96, None, Some((100, 4))),
            (-5, [Some("0"), None], 5, Some((0, -5)), Some((0, -5))),
            (-5, [Some("0"), None], 4, None, Some((0, -4))),
            // What is beyond a bound already is brought back.
            (-1, [None, Some("100")], 200, None, Some((100, -100))),
            (1, [Some("7"), Some("7")], 7, None, Some((7, 0))),
            (1, [None, None], i64::MAX, None, Some((i64::MAX, 0))),
            (-1, [None, None], i64::MIN, None, Some((i64::MIN, 0))),
            (
                i64::MIN,
                [None, None],
                i64::MAX,
                Some((-1, i64::MIN)),
                Some((-1, i64::MIN)),
            ),
        ] {
            assert_eq!(added(by, bounds, to, Beyond::Skip), skipped, "{to} + {by}");
            assert_eq!(
                added(by, bounds, to, Beyond::Saturate),
                saturated,
                "{to} + {by}"
            );
        }
    }

    #[test]
    fn what_leads_to_a_bound_is_a_number_of_64_bits() {
        let step = Bounded::new(1, None, Some(MIN.as_bytes())).unwrap();
        assert_eq!(
            step.added_to(0, Beyond::Saturate),
            Ok(Some((i64::MIN, i64::MIN)))
        );
        assert_eq!(step.added_to(1, Beyond::Saturate), Err(CmdError::Overflow));
        assert_eq!(step.added_to(1, Beyond::Skip), Ok(None));
    }

    #[test]
    fn numbers_of_80_bits_end_where_they_are_infinite() {
        let number = |text: &str| parse_float(text.as_bytes()).unwrap();
        let add = |by: &str, to: &str, beyond| {
            let step = Bounded::<Number>::new(number(by), None, None).unwrap();
            let text = |(sum, by)| (format_float(sum), format_float(by));
            step.added_to(number(to), beyond).map(|sum| sum.map(text))
        };
        let near = "1.1e4932";
        assert_eq!(add(near, near, Beyond::Skip), Ok(None));
        let greatest = add(near, near, Beyond::Saturate).unwrap().unwrap().0;
        assert!(
            greatest.starts_with("118973149535723176502126385303097"),
            "{greatest}"
        );
        assert_eq!(add("inf", "1", Beyond::Skip), Err(CmdError::NotFinite));
        assert_eq!(add("1", "-inf", Beyond::Saturate), Err(CmdError::NotFinite));
        let step = Bounded::<Number>::new(number("1"), None, Some(b"-1e4932")).unwrap();
        assert_eq!(
            step.added_to(number(near), Beyond::Saturate),
            Err(CmdError::NotFinite)
        );
    }

    #[test]
    fn an_infinite_bound_is_none() {
        let number = |text: &str| parse_float(text.as_bytes()).unwrap();
        let step = Bounded::new(number("1.5"), Some(b"-inf"), Some(b"inf")).unwrap();
        assert_eq!(
            step.added_to(number("1"), Beyond::Skip),
            Ok(Some((number("2.5"), number("1.5"))))
        );
    }
}
