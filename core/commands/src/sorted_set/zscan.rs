//! `ZSCAN`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, DOUBLE_TEXT_BYTES_MAX, double_text};
use values::SortedSet;

use crate::cursor::{Options, parse_cursor, reply_step};

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) struct ZScan;

impl Command for ZScan {
    const SPEC: Spec = Spec {
        summary: "Iterates over the members of a sorted set and their scores, a few at a time.",
        since: "2.8.0",
        group: Group::SortedSet,
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("zscan")
    };
    type Parsed<'a> = (&'a [u8], u64, Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let cursor = parse_cursor(args.required()?).ok_or(CmdError::InvalidCursor)?;
        Ok((key, cursor, args.rest()))
    }

    /// The options are read once there is a sorted set: without one, they may be anything.
    fn execute(
        (key, cursor, options): Self::Parsed<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let found = ctx.store.get::<SortedSet>(key)?;
        let options = match found {
            Some(_) => Options::parse(options, false)?,
            None => Options::default(),
        };
        let step = (cursor, options.count);
        reply_step(ctx.reply, step, |reply, from, looks, len| {
            let Some(set) = found else {
                return 0;
            };
            set.scan(from, looks, |it| {
                if options.wants(it.member) {
                    reply.bulk(it.member);
                    // A score is a bulk string in RESP3, too.
                    if set.is_listpack() || !it.score.is_finite() {
                        let mut text = [0; DOUBLE_TEXT_BYTES_MAX];
                        reply.bulk(double_text(it.score, &mut text));
                    } else {
                        reply.bulk(text_of_large(it.score).as_bytes());
                    }
                    *len += 2;
                }
            })
        });
        Ok(Flow::Done)
    }
}

/// A score as Redis writes it here for a large set: always from 17 digits.
fn text_of_large(score: f64) -> String {
    let text = format!("{score:.16e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trimmed = |digits: &str| match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits.to_owned(),
    };
    match usize::try_from(16 - exponent) {
        Ok(decimals) if decimals <= 20 => trimmed(&format!("{score:.decimals$}")),
        Ok(_) | Err(_) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
        }
    }
}
