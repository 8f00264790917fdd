//! `XADD`.

mod delay;

use std::num::NonZeroU64;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, Idempotent, IidOrigin, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{DelayedOptions, References, Stream, StreamId};

use super::once::{Judged, compare, compare_waiting, judge, keep_to_limit, refuse_epoch};
use super::references_option::{REFERENCES, parse_references};
use super::trim_option::{TRIM, TrimClause};

/// `XADD key [options] id field value [field value …]`
pub(super) struct XAdd;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    create: bool,
    references: References,
    producer: Option<Producer<'a>>,
    trim: Option<TrimClause>,
    id: IdSpec,
    fields: Argv<'a>,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    /// The entry's ID.
    Id,
    /// `REPORT`: that, and whether the entry was added now.
    Outcome,
}

/// The claim that this is said once: `IDMP`, or `IDMPAUTO` with an ID made from the fields.
struct Producer<'a> {
    name: &'a [u8],
    iid: Option<&'a [u8]>,
    report: Report,
    /// `EPOCH`.
    epoch: Option<u64>,
}

/// Which ID the entry gets.
#[derive(Clone, Copy)]
enum IdSpec {
    /// `*`: the clock's.
    Clock,
    /// `ms-*`: the next one of a millisecond.
    Within(u64),
    /// Just this one.
    Exactly(StreamId),
    /// `*` with `DELAY`: the clock's in that many milliseconds.
    After(u64),
    /// `*` with `AT`: the clock's at that time. In a journal, the number of its ticket.
    At(u64, Option<NonZeroU64>),
}

/// The key of the fingerprints that `IDMPAUTO` makes. They must be the same after a restart and on
/// every server, so it is no secret.
const FINGERPRINT_KEY: u64 = 0;

impl Command for XAdd {
    const SPEC: Spec = Spec {
        summary: "Appends an entry to a stream, once per idempotent ID if the producer gives one.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
        arity: Arity::AtLeast(5),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))
            .noted("UPDATE instead of INSERT because of the optional trimming feature")],
        tips: &["nondeterministic_output"],
        history: &[
            ("6.2.0", "NOMKSTREAM, MINID and LIMIT were added."),
            ("7.0.0", "IDs of the form ms-* were added."),
            ("8.2.0", "KEEPREF, DELREF and ACKED were added."),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::word("nomkstream", "NOMKSTREAM")
                .since("6.2.0")
                .optional(),
            REFERENCES,
            Arg::one_of(
                "idmp",
                &[
                    Arg::block(
                        "idmpauto-with-pid",
                        &[Arg::word("idmpauto-token", "IDMPAUTO"), Arg::string("pid")],
                    ),
                    Arg::block(
                        "idmp-with-pid-iid",
                        &[
                            Arg::word("idmp-token", "IDMP"),
                            Arg::string("pid"),
                            Arg::string("iid"),
                        ],
                    ),
                ],
            )
            .optional(),
            Arg::word("report", "REPORT").optional(),
            Arg::integer("epoch").token("EPOCH").optional(),
            Arg::one_of(
                "delay",
                &[
                    Arg::integer("milliseconds").token("DELAY"),
                    Arg::integer("unix-time-milliseconds").token("AT"),
                ],
            )
            .optional(),
            TRIM,
            Arg::one_of(
                "id-selector",
                &[Arg::word("auto-id", "*"), Arg::string("id")],
            ),
            Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
        ],
        compat: Compat::Differs(
            "REPORT, EPOCH, DELAY and AT are weir's own. With DELREF, entries below what stays that were deleted before are pending no longer either; in Redis they stay so for ever.",
        ),
        ..Spec::named("xadd")
    };
    type Parsed<'a> = Parsed<'a>;

    #[inline]
    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let mut create = true;
        let mut references = None;
        let mut producer = None;
        let mut report = Report::Id;
        let mut epoch = None;
        let mut trim = TrimClause::default();
        let mut later = None;
        // Nearly all IDs begin with `*` or a digit, and no option does.
        while let Some([first, ..]) = args.peek()
            && !matches!(first, b'*' | b'0'..=b'9')
        {
            // The first letter decides which option it can be at all.
            let is_option = match first.to_ascii_uppercase() {
                b'I' => parse_producer(args, &mut producer)?,
                b'M' | b'L' => trim.parse(args)?,
                b'N' if args.keyword("NOMKSTREAM") => {
                    create = false;
                    true
                }
                b'E' if args.keyword_with_value("EPOCH") => {
                    let given = u64::try_from(args.integer()?);
                    epoch = Some(given.map_err(|_| CmdError::NotAnInteger)?);
                    true
                }
                b'R' if args.keyword("REPORT") => {
                    report = Report::Outcome;
                    true
                }
                b'D' | b'A' if delay::parse(args, &mut later)? => true,
                _ if references.is_none() => {
                    references = parse_references(args);
                    references.is_some()
                }
                _ => false,
            };
            if !is_option {
                break;
            }
        }
        let trim = trim.finish()?;
        let id = IdSpec::parse(args.next().ok_or_else(arity)?)?;
        let id = match later {
            None => id,
            Some(later) => delay::only_by_clock(id, later)?,
        };
        let fields = args.rest();
        if fields.is_empty() || !fields.len().is_multiple_of(2) {
            return Err(match id {
                IdSpec::Within(_) | IdSpec::Exactly(_) if producer.is_some() => {
                    CmdError::Stream(StreamError::IdempotentWithId)
                }
                IdSpec::Clock | IdSpec::Within(_) | IdSpec::Exactly(_) => arity(),
                IdSpec::After(_) | IdSpec::At(..) => arity(),
            });
        }
        match &mut producer {
            Some(producer) => (producer.report, producer.epoch) = (report, epoch),
            None => refuse_of_plain(report, epoch)?,
        }
        Ok(Parsed {
            key,
            create,
            references: references.unwrap_or_default(),
            producer,
            trim,
            id,
            fields,
        })
    }

    #[inline]
    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            create,
            references,
            producer,
            trim,
            id,
            fields,
        } = cmd;
        let by_clock = matches!(id, IdSpec::Clock | IdSpec::After(_) | IdSpec::At(..));
        // A line of a journal has the ID that the clock gave when it was written.
        if producer.is_some() && !by_clock && ctx.mode != Mode::Replay {
            return Err(CmdError::Stream(StreamError::IdempotentWithId));
        }
        let may_be_retry = producer.is_some() && ctx.mode == Mode::Replay;
        if matches!(id, IdSpec::Exactly(StreamId::MIN)) && !may_be_retry {
            return Err(stream::IdRefused::Zero.into());
        }
        let now_ms = ctx.now.stream_ms();
        let found = ctx.store.get::<Stream>(key)?;
        if found.is_none() && !create {
            ctx.reply.null();
            return Ok(Flow::Done);
        }
        let report = producer.as_ref().map_or(Report::Id, |it| it.report);
        let epoch = producer.as_ref().and_then(|it| it.epoch);
        let (fingerprint, sought);
        let mut is_beyond = false;
        let mut idempotent = match producer {
            None => None,
            Some(Producer {
                name,
                iid: Some(iid),
                ..
            }) => Some(Idempotent {
                producer: name,
                iid,
                origin: IidOrigin::Given,
                sought: None,
            }),
            Some(Producer {
                name, iid: None, ..
            }) => {
                fingerprint = stream::fingerprint(fields.iter(), FINGERPRINT_KEY);
                Some(Idempotent {
                    producer: name,
                    iid: &fingerprint,
                    origin: IidOrigin::Fingerprint,
                    sought: None,
                })
            }
        };
        if let Some(idempotent) = &mut idempotent {
            // In a journal, a line with a new ID is an entry, and one with another ID or none is a
            // retry, whatever is remembered: so replay decides nothing.
            let known = match ctx.mode {
                Mode::Replay if matches!(id, IdSpec::Clock) => Some(StreamId::MIN),
                Mode::Replay => match (found, id) {
                    (Some(stream), IdSpec::Exactly(id)) if id <= stream.last_id() => Some(id),
                    (_, IdSpec::Clock | IdSpec::Within(_) | IdSpec::Exactly(_)) => None,
                    (_, IdSpec::After(_) | IdSpec::At(..)) => None,
                },
                Mode::Alone | Mode::Transaction | Mode::Called | Mode::Resumed => match found {
                    Some(stream) => {
                        let Idempotent { producer, iid, .. } = *idempotent;
                        is_beyond = stream.idempotence().is_beyond_redis();
                        let judged = match epoch.is_some() || is_beyond {
                            false => Ok(Judged::ByWindow),
                            true => judge(stream, *idempotent, epoch, now_ms),
                        };
                        match judged {
                            Ok(Judged::ByWindow) => {
                                if let Some(waiting) = stream.delayed_iid(producer, iid) {
                                    let ticket = waiting.ticket;
                                    return match compare_waiting(stream, &waiting, fields) {
                                        Ok(()) => {
                                            let answer = delay::answer_waiting;
                                            Ok(answer(key, *idempotent, ticket, report, ctx))
                                        }
                                        Err(refusal) => Err(refusal.note(ctx, key, *idempotent)),
                                    };
                                }
                                sought = stream.idempotence().seek(producer, iid, now_ms);
                                idempotent.sought = Some(&sought);
                                sought.known
                            }
                            Ok(Judged::New) => None,
                            Ok(Judged::Duplicate(id)) => Some(id),
                            Err(refusal) => return Err(refusal.note(ctx, key, *idempotent)),
                        }
                    }
                    None => {
                        refuse_epoch(epoch)?;
                        None
                    }
                },
            };
            if let Some(id) = known {
                if id == StreamId::MIN && ctx.mode != Mode::Replay {
                    return Ok(delay::answer_cancelled(key, *idempotent, report, ctx));
                }
                let Idempotent { producer, iid, .. } = *idempotent;
                if let Some(stream) = found.filter(|stream| stream.idempotence().is_beyond_redis())
                    && ctx.mode != Mode::Replay
                    && let Err(refusal) = compare(stream, *idempotent, id, fields)
                {
                    return Err(refusal.note(ctx, key, *idempotent));
                }
                let last_id = found.map_or(StreamId::MIN, stream::Stream::last_id);
                let duplicate = StreamChange::CountDuplicate {
                    producer,
                    iid,
                    id: id.min(last_id),
                };
                ctx.store.apply(&Effect::on(key, duplicate), event::UNHEARD);
                write_outcome(ctx, id, report, b"duplicate");
                return Ok(Flow::Done);
            }
        }
        let id = match (found, id) {
            (Some(stream), IdSpec::Clock) => stream.next_id(now_ms)?,
            (None, IdSpec::Clock) => StreamId::new(now_ms, u64::from(now_ms == 0)),
            (Some(stream), IdSpec::Within(ms)) => stream.next_id_in(ms)?,
            (None, IdSpec::Within(ms)) => StreamId::new(ms, u64::from(ms == 0)),
            (Some(stream), IdSpec::Exactly(id)) => {
                stream.check_id(id)?;
                id
            }
            (None, IdSpec::Exactly(id)) => id,
            (_, IdSpec::After(_) | IdSpec::At(..)) => {
                let nodes = ctx.server.config.node_limits;
                let options = DelayedOptions {
                    references,
                    trim: trim.and_then(|trim| trim.resolve(nodes)),
                    idempotent: idempotent.map(|of| (of.producer, of.iid)),
                };
                if found.is_some_and(|stream| stream.idempotence().is_monotone())
                    && idempotent.is_some()
                    && ctx.mode != Mode::Replay
                {
                    return Err(CmdError::Stream(StreamError::DelayedNumber));
                }
                return delay::delay(key, id, options, fields, report, ctx);
            }
        };
        let nodes = ctx.server.config.node_limits;
        let trim = trim.filter(|trim| {
            found.is_none_or(|stream| trim.may_cut_after_append(stream, references, nodes))
        });
        let retains = found.is_some_and(Stream::trims_with_append) && ctx.mode != Mode::Replay;
        if !fields.larges().is_empty() && ctx.waits_for_memory(entry_bytes(fields)) {
            return Ok(Flow::Block);
        }
        let append = StreamChange::Append {
            id,
            fields,
            idempotent,
        };
        ctx.store.apply(&Effect::on(key, append), event::XADD);
        if is_beyond {
            keep_to_limit(key, ctx);
        }
        if let Some(trim) = trim {
            trim.apply(key, references, ctx);
        }
        if retains {
            ctx.store.retain_after_append(key);
        }
        write_outcome(ctx, id, report, b"added");
        Ok(Flow::Done)
    }
}

impl IdSpec {
    fn parse(text: &[u8]) -> Result<IdSpec, CmdError> {
        match text {
            b"*" => Ok(IdSpec::Clock),
            [ms @ .., b'-', b'*'] => Ok(IdSpec::Within(StreamId::parse_ms(ms)?)),
            id => Ok(IdSpec::Exactly(StreamId::parse(id, 0)?)),
        }
    }
}

/// Takes `IDMP producer iid` or `IDMPAUTO producer`, if it comes next. Returns whether it did.
fn parse_producer<'a>(
    args: &mut Args<'a>,
    producer: &mut Option<Producer<'a>>,
) -> Result<bool, CmdError> {
    let (option, name, iid) = if args.left() >= 3 && args.keyword("IDMP") {
        ("IDMP", args.required()?, Some(args.required()?))
    } else if args.keyword_with_value("IDMPAUTO") {
        ("IDMPAUTO", args.required()?, None)
    } else {
        return Ok(false);
    };
    if producer.is_some() {
        return Err(CmdError::Stream(StreamError::IdempotentTwice));
    }
    if name.is_empty() {
        return Err(CmdError::Stream(StreamError::EmptyProducer(option)));
    }
    if iid.is_some_and(<[u8]>::is_empty) {
        return Err(CmdError::Stream(StreamError::EmptyIid));
    }
    *producer = Some(Producer {
        name,
        iid,
        report: Report::Id,
        epoch: None,
    });
    Ok(true)
}

/// About how many bytes a large entry takes in its stream, and at least so many.
#[cold]
fn entry_bytes(fields: Argv<'_>) -> usize {
    let lengths = (fields.len() + 1) * ENTRY_LENGTH_BYTES;
    fields.iter().map(<[u8]>::len).sum::<usize>() + lengths
}

/// The length of a text takes at most this many bytes in an entry, as does what stands before the
/// first.
const ENTRY_LENGTH_BYTES: usize = 32;

/// Refuses the options that only idempotent appends have.
fn refuse_of_plain(report: Report, epoch: Option<u64>) -> Result<(), CmdError> {
    match (report, epoch) {
        (Report::Outcome, _) => Err(CmdError::Stream(StreamError::ReportOfPlain)),
        (Report::Id, Some(_)) => Err(CmdError::Stream(StreamError::EpochOfPlain)),
        (Report::Id, None) => Ok(()),
    }
}

/// Answers the entry's ID, and what became of the append if that is to be told.
#[inline]
fn write_outcome(ctx: &mut Ctx<'_>, id: StreamId, report: Report, outcome: &[u8]) {
    match report {
        Report::Id => write_id(ctx, id),
        Report::Outcome => write_report(ctx, id, outcome),
    }
}

#[cold]
fn write_report(ctx: &mut Ctx<'_>, id: StreamId, outcome: &[u8]) {
    ctx.reply.array(2);
    write_id(ctx, id);
    ctx.reply.bulk(outcome);
}

#[inline]
fn write_id(ctx: &mut Ctx<'_>, id: StreamId) {
    let id_text = &mut ctx.server.id_text;
    ctx.reply.raw_with(|out| id_text.write(id, out));
}

fn arity() -> CmdError {
    CmdError::Arity("xadd".to_owned())
}
