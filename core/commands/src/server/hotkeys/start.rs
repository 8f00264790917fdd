//! `HOTKEYS START`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, HotKeysError};
use engine::limits::HOT_KEYS_ASKED_MAX;
use engine::observe::hot_keys::{HotKeys, HotKeysWanted};
use engine::table::{Arg, Arity, Spec};
use resp::Argv;

/// `HOTKEYS START METRICS count [CPU] [NET] [COUNT k] [DURATION seconds] [SAMPLE ratio]`
pub(super) struct Start;

/// What is to be collected.
pub(super) struct Parsed {
    by_time: bool,
    by_bytes: bool,
    count: i64,
    sample: i64,
    seconds: Option<i64>,
}

/// How many keys are told, if it is not said.
const COUNT: i64 = 10;

/// The longest collection that ends by itself, in seconds.
const SECONDS_MAX: i64 = 1_000_000;

impl Command for Start {
    const SPEC: Spec = Spec {
        summary: "Begins to collect the keys that take the most.",
        arity: Arity::AtLeast(2),
        args: &[
            Arg::block(
                "metrics",
                &[
                    Arg::integer("count"),
                    Arg::word("cpu", "CPU").optional(),
                    Arg::word("net", "NET").optional(),
                ],
            )
            .token("METRICS"),
            Arg::integer("k").token("COUNT").optional(),
            Arg::integer("seconds").token("DURATION").optional(),
            Arg::integer("ratio").token("SAMPLE").optional(),
            Arg::block(
                "slots",
                &[Arg::integer("count"), Arg::integer("slot").multiple()],
            )
            .token("SLOTS")
            .optional(),
        ],
        ..super::SPEC
    };
    /// What follows the name. It is read when it is known that nothing is collected.
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }

    fn execute(argv: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let hot_keys = &mut ctx.server.hot_keys;
        if hot_keys.as_ref().is_some_and(|it| it.is_active(ctx.now)) {
            return Err(CmdError::HotKeys(HotKeysError::HotKeysBegun));
        }
        let parsed = parse(&mut Args::new(argv, 0))?;
        let wanted = HotKeysWanted {
            by_time: parsed.by_time,
            by_bytes: parsed.by_bytes,
            count: parsed.count.unsigned_abs() as usize,
            sample: parsed.sample.unsigned_abs(),
            until: parsed
                .seconds
                .map(|seconds| ctx.now.mono.plus(seconds.unsigned_abs() * 1000)),
        };
        let cpu_s = (ctx.server.shell.cpu_user_s, ctx.server.shell.cpu_system_s);
        *hot_keys = Some(Box::new(HotKeys::begin(wanted, cpu_s, ctx.now)));
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

fn parse(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
    let mut parsed = parse_metrics(args)?;
    while args.left() > 0 {
        if args.keyword_with_value("COUNT") {
            parsed.count = between("COUNT", HOT_KEYS_ASKED_MAX, args)?;
        } else if args.keyword_with_value("DURATION") {
            parsed.seconds = Some(between("DURATION", SECONDS_MAX, args)?);
        } else if args.keyword_with_value("SAMPLE") {
            let sample = parse_i64(args.required()?).filter(|sample| *sample > 0);
            parsed.sample = sample.ok_or(CmdError::HotKeys(HotKeysError::SampleNotPositive))?;
        } else if args.keyword_with_value("SLOTS") {
            return Err(CmdError::HotKeys(HotKeysError::SlotsWithoutCluster));
        } else {
            return Err(CmdError::Syntax);
        }
    }
    Ok(parsed)
}

/// Reads as many metrics as there are to be. What is none is passed over, if another one is, as in
/// Redis.
fn parse_metrics(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
    if !args.keyword_with_value("METRICS") {
        return Err(CmdError::HotKeys(HotKeysError::MetricsRequired));
    }
    let count = parse_i64(args.required()?).filter(|count| (1..=2).contains(count));
    let count = count.ok_or(CmdError::HotKeys(HotKeysError::MetricsCount))?;
    let mut parsed = Parsed {
        by_time: false,
        by_bytes: false,
        count: COUNT,
        sample: 1,
        seconds: None,
    };
    for _ in 0..count {
        let metric = args
            .next()
            .ok_or(CmdError::HotKeys(HotKeysError::MetricsMismatch))?;
        let (metric, name) = if metric.eq_ignore_ascii_case(b"CPU") {
            (&mut parsed.by_time, "CPU")
        } else if metric.eq_ignore_ascii_case(b"NET") {
            (&mut parsed.by_bytes, "NET")
        } else {
            continue;
        };
        if std::mem::replace(metric, true) {
            return Err(CmdError::HotKeys(HotKeysError::MetricTwice(name)));
        }
    }
    match parsed.by_time || parsed.by_bytes {
        true => Ok(parsed),
        false => Err(CmdError::HotKeys(HotKeysError::NoMetrics)),
    }
}

fn between(name: &'static str, max: i64, args: &mut Args<'_>) -> Result<i64, CmdError> {
    let number = parse_i64(args.required()?).filter(|number| (1..=max).contains(number));
    number.ok_or(CmdError::HotKeys(HotKeysError::NotBetween(name, max)))
}
