//! `XNACK` (8.8): entries go back to their group. Source: the documentation of Redis 8.8.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, GivenBack, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{DELIVERY_COUNT_MAX, Entries, Group as StreamGroup, Lookup, StreamId};

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
        let (mut given_back, now_ms, mode) = (0, ctx.now.stream_ms(), ctx.mode);
        // Entries stay as they are. Where IDs jump about, one search goes through all runs.
        let entries = match ids.is_sorted_by(|a, b| a < b) {
            true => None,
            false => Some(cmd.place.required(&mut ctx.store)?.0.entries().clone()),
        };
        let mut shared = entries.as_ref().map(Entries::look_up);
        // An ID that comes again is given back again, as the time before left it.
        let runs: Vec<&[StreamId]> = match comes_again(&ids) {
            false => vec![&ids],
            true => ids.chunk_by(|a, b| a < b).collect(),
        };
        for run in runs {
            let (stream, group) = cmd.place.required(&mut ctx.store)?;
            let mut dead = DeadLetters::new(cmd.place);
            let mut entries = match &mut shared {
                Some(look) => options.decide_all(run, look, group, &mut dead),
                None => {
                    let look = &mut stream.entries().look_up();
                    options.decide_all(run, look, group, &mut dead)
                }
            };
            for entry in &mut entries {
                let given = (entry.id, entry.delivery_count);
                entry.not_before = not_before_again(options.again, group, given, now_ms, mode);
            }
            let mut sent = dead.send(&mut ctx.store)?;
            if !sent.is_empty() {
                sent.sort_unstable();
                entries.retain(|entry| sent.binary_search(&entry.id).is_err());
                given_back += sent.len() as u64;
            }
            if !entries.is_empty() {
                let give_back = GroupChange::GiveBack { entries: &entries };
                let give_back = Effect::on_group(cmd.place.key, cmd.place.group, give_back);
                given_back += ctx.store.apply(&give_back, event::GIVEN_BACK);
            }
        }
        ctx.reply.int(given_back as i64);
        Ok(Flow::Done)
    }
}

impl Options<'_> {
    fn decide_all(
        &self,
        run: &[StreamId],
        look: &mut Lookup<'_>,
        group: &StreamGroup,
        dead: &mut DeadLetters<'_>,
    ) -> Vec<GivenBack> {
        let entries = run.iter();
        let entries = entries.filter_map(|id| self.decide(look, group, *id));
        let entries: Vec<_> = entries.collect();
        if matches!(self.mode, Failure::Fatal) && group.dead_letter().is_some() {
            for entry in &entries {
                dead.take(group, entry.id, Reason::Fatal, look);
            }
        }
        entries
    }

    /// The entry as it is afterwards, if it is to be given back; without a pause.
    fn decide(
        &self,
        look: &mut Lookup<'_>,
        group: &StreamGroup,
        id: StreamId,
    ) -> Option<GivenBack> {
        let before = match group.pending(id) {
            Some(entry) => entry.delivery_count,
            None if self.unknown == Unknown::Forced && look.contains(id) => 0,
            None => return None,
        };
        let after = match self.mode {
            Failure::Silent => before.saturating_sub(1),
            Failure::Fail => before,
            Failure::Fatal => DELIVERY_COUNT_MAX,
        };
        Some(GivenBack {
            id,
            delivery_count: self.delivery_count.unwrap_or(after),
            not_before: None,
        })
    }
}

/// Returns whether an ID comes twice.
fn comes_again(ids: &[StreamId]) -> bool {
    if ids.is_sorted_by(|a, b| a < b) {
        return false;
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|two| two[0] == two[1])
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
