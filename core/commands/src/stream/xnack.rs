//! `XNACK` (8.8): entries go back to their group. Source: the documentation of Redis 8.8.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{DELIVERY_COUNT_MAX, GivenBack, Group as StreamGroup, Stream, StreamId, ascending};

use super::backoff::{Again, not_before_again};
use super::dead_letters::{DeadLetters, Reason};
use super::group_key::GroupKey;
use super::ids_block::{IDS, parse_ids, parse_ids_block};

/// `XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id …] [options]`
pub(super) struct XNack;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    /// Errors in here come after that of a wrong type.
    options: Result<Options<'a>, CmdError>,
}

struct Options<'a> {
    mode: Failure,
    ids: Argv<'a>,
    delivery_count: Option<u64>,
    unknown: Unknown,
    again: Option<Again>,
}

/// What giving an entry back says about the deliveries so far.
#[derive(Clone, Copy)]
enum Failure {
    /// The last one did not count.
    Silent,
    /// It counts.
    Fail,
    /// The entry cannot be processed by anyone.
    Fatal,
}

/// What becomes of entries that are not pending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    PassedOver,
    Forced,
}

impl Command for XNack {
    const SPEC: Spec = Spec {
        summary: "Gives pending entries back to their group, so that any consumer may claim them.",
        since: "8.8.0",
        group: Group::Stream,
        complexity: "O(1) for each message ID processed.",
        arity: Arity::AtLeast(7),
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::one_of(
                "mode",
                &[
                    Arg::word("silent", "SILENT"),
                    Arg::word("fail", "FAIL"),
                    Arg::word("fatal", "FATAL"),
                ],
            ),
            IDS,
            Arg::integer("count").token("RETRYCOUNT").optional(),
            Arg::word("force", "FORCE").optional(),
            Arg::one_of(
                "again",
                &[
                    Arg::integer("milliseconds").token("DELAY"),
                    Arg::unix_time("unix-time-milliseconds").token("AT"),
                ],
            )
            .optional(),
        ],
        compat: Compat::Differs("DELAY and AT are weir's own."),
        ..Spec::named("xnack")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let place = GroupKey::parse(args)?;
        let options = parse_options(args);
        args.rest();
        Ok(Parsed { place, options })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let found = cmd.place.find(&mut ctx.store)?.is_some();
        let options = cmd.options?;
        let ids = parse_ids(options.ids)?;
        if !found {
            return Err(cmd.place.missing(""));
        }
        let now_ms = ctx.now.stream_ms();
        let (stream, group) = cmd.place.required(&mut ctx.store)?;
        let (given_back, mut entries) = options.decide_all(&ids, stream, group);
        for entry in &mut entries {
            let given = (entry.id, entry.delivery_count);
            entry.not_before_ms = not_before_again(options.again, group, given, now_ms, ctx.mode);
        }
        let mut dead = DeadLetters::new(cmd.place);
        if matches!(options.mode, Failure::Fatal) && group.dead_letter().is_some() {
            let mut look = stream.entries().look_up();
            for entry in &entries {
                if dead.is_full() {
                    break;
                }
                dead.take(group, entry.id, Reason::Fatal, &mut look);
            }
        }
        let mut sent = dead.send(&mut ctx.store)?;
        if !sent.is_empty() {
            sent.sort_unstable();
            entries.retain(|entry| sent.binary_search(&entry.id).is_err());
        }
        if !entries.is_empty() {
            let give_back = GroupChange::GiveBack { entries: &entries };
            let give_back = Effect::on_group(cmd.place.key, cmd.place.group, give_back);
            ctx.store.apply(&give_back, event::GIVEN_BACK);
        }
        ctx.reply.int(given_back as i64);
        Ok(Flow::Done)
    }
}

impl Options<'_> {
    /// How often entries are given back, and those entries as they are afterwards, without a pause,
    /// in the order in which that happens. An ID that comes again is given back again, as the time
    /// before left it.
    ///
    /// They are looked up in the order of their IDs, so that neighbours cost little.
    fn decide_all(
        &self,
        ids: &[StreamId],
        stream: &Stream,
        group: &StreamGroup,
    ) -> (usize, Vec<GivenBack>) {
        let (mut pending, mut look) = (group.look_up_pending(), stream.entries().look_up());
        let (mut times, mut decided) = (0, vec![None; ids.len()]);
        for same in ascending(ids).chunk_by(|one, next| one.0 == next.0) {
            let &[(id, _), ..] = same else { continue };
            let mut count = match pending.find(id) {
                Some(entry) => entry.delivery_count,
                None if self.unknown == Unknown::Forced && look.contains(id) => 0,
                None => continue,
            };
            let mut last = 0;
            for &(_, place) in same {
                (count, last) = (self.count_after(count), place as usize);
            }
            times += same.len();
            decided[last] = Some(GivenBack {
                id,
                delivery_count: count,
                not_before_ms: None,
            });
        }
        // Within the same memory.
        (times, decided.into_iter().flatten().collect())
    }

    /// The delivery count of an entry that is given back.
    fn count_after(&self, before: u64) -> u64 {
        self.delivery_count.unwrap_or(match self.mode {
            Failure::Silent => before.saturating_sub(1),
            Failure::Fail => before,
            Failure::Fatal => DELIVERY_COUNT_MAX,
        })
    }
}

fn parse_options<'a>(args: &mut Args<'a>) -> Result<Options<'a>, CmdError> {
    let mode = if args.keyword("SILENT") {
        Failure::Silent
    } else if args.keyword("FAIL") {
        Failure::Fail
    } else if args.keyword("FATAL") {
        Failure::Fatal
    } else {
        return Err(CmdError::Syntax);
    };
    if !args.keyword("IDS") {
        return Err(CmdError::Syntax);
    }
    let mut options = Options {
        mode,
        ids: parse_ids_block(args)?,
        delivery_count: None,
        unknown: Unknown::PassedOver,
        again: None,
    };
    while args.left() > 0 {
        if args.keyword_with_value("RETRYCOUNT") {
            let count = u64::try_from(args.integer()?);
            options.delivery_count = Some(count.map_err(|_| CmdError::NotAnInteger)?);
        } else if args.keyword("FORCE") {
            options.unknown = Unknown::Forced;
        } else if !Again::parse(args, &mut options.again)? {
            return Err(CmdError::Syntax);
        }
    }
    Ok(options)
}
