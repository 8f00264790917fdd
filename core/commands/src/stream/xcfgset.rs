//! `XCFGSET`: how long and how many idempotent IDs a stream remembers, and what else it is told.
//!
//! The settings that Redis has too have two spellings: `DURATION` and `MAXSIZE`, and Redis'
//! `IDMP-DURATION` and `IDMP-MAXSIZE`. They may be mixed. A short one always forgets the tracked
//! IDs; the long ones only where a value changes; with `KEEPIDS` none does.

use std::ops::RangeInclusive;

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::limits::PRODUCERS_EVICTED_BY_SETTING_MAX;
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{Forget, Retention, Stream, StreamSettings};

use super::settings_option::NamedSettings;

/// `XCFGSET key [DURATION seconds | IDMP-DURATION seconds] [MAXSIZE entries | IDMP-MAXSIZE
/// entries] [KEEPIDS] [IDMP-CONFLICT <IGNORE | ERROR>] [IDMP-STATS <OFF | ON>]
/// [IDMP-MODE <WINDOW | MONOTONE>] [IDMP-GAPS <ALLOW | ERROR>] [IDMP-PIDS count]
/// [RETAIN-MAXLEN entries] [RETAIN-AGE milliseconds] [RETAIN-BYTES bytes]
/// [RETAIN-REFS <KEEPREF | DELREF | ACKED>]`
pub(super) struct XCfgSet;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    /// Read only once it is known that the key holds a stream.
    options: Argv<'a>,
}

impl Command for XCfgSet {
    const SPEC: Spec = Spec {
        summary: "Sets how a stream remembers idempotent IDs, and how many entries it keeps.",
        since: "8.6.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "idmp-duration-block",
                &[
                    Arg::one_of(
                        "duration-token",
                        &[
                            Arg::word("idmp-duration-token", "IDMP-DURATION"),
                            Arg::word("short-duration-token", "DURATION"),
                        ],
                    ),
                    Arg::integer("duration"),
                ],
            )
            .optional(),
            Arg::block(
                "idmp-maxsize-block",
                &[
                    Arg::one_of(
                        "maxsize-token",
                        &[
                            Arg::word("idmp-maxsize-token", "IDMP-MAXSIZE"),
                            Arg::word("short-maxsize-token", "MAXSIZE"),
                        ],
                    ),
                    Arg::integer("maxsize"),
                ],
            )
            .optional(),
            Arg::word("keepids", "KEEPIDS").optional(),
            Arg::one_of(
                "idmp-conflict",
                &[Arg::word("ignore", "IGNORE"), Arg::word("error", "ERROR")],
            )
            .token("IDMP-CONFLICT")
            .optional(),
            Arg::one_of(
                "idmp-stats",
                &[Arg::word("off", "OFF"), Arg::word("on", "ON")],
            )
            .token("IDMP-STATS")
            .optional(),
            Arg::one_of(
                "idmp-mode",
                &[
                    Arg::word("window", "WINDOW"),
                    Arg::word("monotone", "MONOTONE"),
                ],
            )
            .token("IDMP-MODE")
            .optional(),
            Arg::one_of(
                "idmp-gaps",
                &[Arg::word("allow", "ALLOW"), Arg::word("error", "ERROR")],
            )
            .token("IDMP-GAPS")
            .optional(),
            Arg::integer("count").token("IDMP-PIDS").optional(),
            Arg::integer("entries").token("RETAIN-MAXLEN").optional(),
            Arg::integer("milliseconds").token("RETAIN-AGE").optional(),
            Arg::integer("bytes").token("RETAIN-BYTES").optional(),
            Arg::one_of(
                "retain-refs",
                &[
                    Arg::word("keepref", "KEEPREF"),
                    Arg::word("delref", "DELREF"),
                    Arg::word("acked", "ACKED"),
                ],
            )
            .token("RETAIN-REFS")
            .optional(),
        ],
        compat: Compat::Differs(
            "DURATION and MAXSIZE are understood beside IDMP-DURATION and IDMP-MAXSIZE. KEEPIDS and \
             the other settings are weir's own.",
        ),
        ..Spec::named("xcfgset")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            key: args.required()?,
            options: args.rest(),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx
            .store
            .get::<Stream>(cmd.key)?
            .ok_or(CmdError::NoSuchKey)?;
        let before = stream.idempotence().retention();
        let own = stream.settings().to_settings();
        let wanted = Wanted::parse(own, &mut Args::new(cmd.options, 0))?;
        let own = wanted.own.finish();
        let is_retained_otherwise = wanted.duration_s.is_some() || wanted.maxsize.is_some();
        if !is_retained_otherwise && own.is_none() {
            return Err(CmdError::Stream(StreamError::NothingToConfigure));
        }
        if is_retained_otherwise {
            let retention = Retention {
                duration_s: wanted.duration_s.unwrap_or(before.duration_s),
                maxsize: wanted.maxsize.unwrap_or(before.maxsize),
            };
            let changes = wanted.short || retention != before;
            let forget = match wanted.keep_ids {
                false if changes => Forget::Everything,
                false | true => Forget::Nothing,
            };
            let configure = StreamChange::Configure { retention, forget };
            ctx.store
                .apply(&Effect::on(cmd.key, configure), event::UNHEARD);
        }
        if let Some(settings) = own {
            let set = StreamChange::SetSettings {
                settings: &settings,
            };
            ctx.store.apply(&Effect::on(cmd.key, set), event::UNHEARD);
            if ctx.mode != Mode::Replay {
                let evicted_max = PRODUCERS_EVICTED_BY_SETTING_MAX;
                ctx.store.evict_producers(cmd.key, evicted_max);
            }
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// What was asked for.
struct Wanted {
    duration_s: Option<u32>,
    maxsize: Option<u32>,
    /// A short spelling was used.
    short: bool,
    /// The tracked IDs stay.
    keep_ids: bool,
    /// What Redis has no words for.
    own: NamedSettings<StreamSettings>,
}

/// One spelling of a setting, with the texts of its errors.
struct Spelling {
    token: &'static str,
    range: RangeInclusive<u32>,
    not_a_number: CmdError,
    out_of_range: &'static str,
    short: bool,
}

fn spellings() -> [(Spelling, Setting); 4] {
    let long = |token, range, out_of_range| Spelling {
        token,
        range,
        not_a_number: CmdError::NotAnInteger,
        out_of_range,
        short: false,
    };
    let short = |token, range, not_a_number, out_of_range| Spelling {
        token,
        range,
        not_a_number: CmdError::Stream(StreamError::InvalidRetention(not_a_number)),
        out_of_range,
        short: true,
    };
    let (durations, maxsizes) = (Retention::DURATION_S, Retention::MAXSIZE);
    [
        (
            short(
                "DURATION",
                durations.clone(),
                "invalid duration",
                "invalid duration: must be between 1 and 86400 seconds",
            ),
            Setting::Duration,
        ),
        (
            short(
                "MAXSIZE",
                maxsizes.clone(),
                "invalid maxsize",
                "invalid maxsize: must be between 1 and 10000 entries",
            ),
            Setting::MaxSize,
        ),
        (
            long(
                "IDMP-DURATION",
                durations,
                "IDMP-DURATION must be between 1 and 86400 seconds",
            ),
            Setting::Duration,
        ),
        (
            long(
                "IDMP-MAXSIZE",
                maxsizes,
                "IDMP-MAXSIZE must be between 1 and 10000 entries",
            ),
            Setting::MaxSize,
        ),
    ]
}

#[derive(Clone, Copy)]
enum Setting {
    Duration,
    MaxSize,
}

impl Wanted {
    fn parse(own: StreamSettings, args: &mut Args<'_>) -> Result<Wanted, CmdError> {
        let mut wanted = Wanted {
            duration_s: None,
            maxsize: None,
            short: false,
            keep_ids: false,
            own: NamedSettings::new(own),
        };
        while args.left() > 0 {
            if args.keyword("KEEPIDS") {
                wanted.keep_ids = true;
                continue;
            }
            if wanted.own.parse(args)? {
                continue;
            }
            let mut known = spellings().into_iter();
            let found = known.find(|(spelling, _)| args.keyword_with_value(spelling.token));
            let (spelling, setting) = found.ok_or(CmdError::Syntax)?;
            let slot = match setting {
                Setting::Duration => &mut wanted.duration_s,
                Setting::MaxSize => &mut wanted.maxsize,
            };
            if slot.is_some() {
                return Err(CmdError::Stream(StreamError::ConfiguredTwice(
                    spelling.token,
                )));
            }
            let value = parse_i64(args.required()?).ok_or(spelling.not_a_number)?;
            let value = u32::try_from(value)
                .ok()
                .filter(|value| spelling.range.contains(value));
            *slot = Some(value.ok_or(CmdError::Stream(StreamError::InvalidRetention(
                spelling.out_of_range,
            )))?);
            wanted.short |= spelling.short;
        }
        Ok(wanted)
    }
}
