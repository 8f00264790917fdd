//! `XADDM`: many entries at once, each with an idempotent ID of its own if they have a producer.
//!
//! All entries are looked at before the first is added, so an error adds none. In the journal they
//! are appends as any other, in one batch.

use std::collections::BTreeMap;

use engine::REDIS_VERSION;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::limits::PREPARED_BYTES_MIN;
use engine::store::effect::{Effect, Idempotent, IidOrigin, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, Reply};
use stream::{
    Counted, IdRefused, Reached, Stand, Stream, StreamId, TICKET_TEXT_BYTES_MAX, Ticket,
    number_of_iid,
};

use super::once::{
    Judged, Refusal, compare, compare_waiting, compare_within, fence, judge_number, keep_to_limit,
    refuse_epoch,
};
use super::references_option::{REFERENCES, parse_references};
use super::trim_option::{TRIM, TrimClause};
use super::write_id;

/// `XADDM key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMP pid [EPOCH epoch]] [MAXLEN | MINID …]
/// ENTRIES numentries [iid] numfields field value […] […]`
pub(super) struct XAddM;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    create: bool,
    references: stream::References,
    producer: Option<&'a [u8]>,
    epoch: Option<u64>,
    trim: Option<TrimClause>,
    entries: Vec<Wanted<'a>>,
}

/// An entry that is to be appended.
struct Wanted<'a> {
    /// Empty if there is no producer.
    iid: &'a [u8],
    /// Fields and values in turn.
    fields: Argv<'a>,
}

/// What becomes of one.
enum Outcome {
    Added(StreamId),
    Duplicate(StreamId),
    /// It was there before, and waits for its time.
    Waiting(Ticket),
    /// It was there before, and was cancelled while it waited.
    Cancelled,
    /// Its number is lower than the last of its producer, so it was added before.
    Stale,
}

/// Entries in one call: they are added while others wait.
const ENTRIES_MAX: usize = 1000;

/// Bytes of all fields and values in one call: they are copied while others wait, into memory that
/// was not made ready.
const BYTES_MAX: usize = PREPARED_BYTES_MIN;

impl Command for XAddM {
    const SPEC: Spec = Spec {
        summary: "Appends many entries to a stream at once, each once if the producer gives IDs.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(N), N being the number of entries, and of those that are trimmed.",
        arity: Arity::AtLeast(7),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))
            .noted("UPDATE instead of INSERT because of the optional trimming feature")],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::word("nomkstream", "NOMKSTREAM").optional(),
            REFERENCES,
            Arg::block(
                "idmp",
                &[
                    Arg::string("pid").token("IDMP"),
                    Arg::integer("epoch").token("EPOCH").optional(),
                ],
            )
            .optional(),
            TRIM,
            Arg::integer("numentries").token("ENTRIES"),
            Arg::block(
                "entry",
                &[
                    Arg::string("iid").optional(),
                    Arg::integer("numfields"),
                    Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
                ],
            )
            .multiple(),
        ],
        compat: Compat::Own,
        ..Spec::named("xaddm")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let (mut create, mut references) = (true, None);
        let (mut producer, mut epoch) = (None, None);
        let mut trim = TrimClause::default();
        while !args.keyword_with_value("ENTRIES") {
            if args.keyword("NOMKSTREAM") {
                create = false;
            } else if args.keyword_with_value("IDMP") {
                let name = args.required()?;
                if producer.replace(name).is_some() {
                    return Err(CmdError::Stream(StreamError::IdempotentTwice));
                }
                if name.is_empty() {
                    return Err(CmdError::Stream(StreamError::EmptyProducer("IDMP")));
                }
            } else if args.keyword_with_value("EPOCH") {
                let given = u64::try_from(args.integer()?);
                epoch = Some(given.map_err(|_| CmdError::NotAnInteger)?);
            } else if references.is_none()
                && let Some(named) = parse_references(args)
            {
                references = Some(named);
            } else if !trim.parse(args)? {
                return Err(CmdError::Syntax);
            }
        }
        if producer.is_none() && epoch.is_some() {
            return Err(CmdError::Stream(StreamError::EpochOfPlain));
        }
        Ok(Parsed {
            key,
            create,
            references: references.unwrap_or_default(),
            producer,
            epoch,
            trim: trim.finish()?,
            entries: parse_entries(args, producer.is_some())?,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            create,
            references,
            trim,
            ..
        } = cmd;
        let found = ctx.store.get::<Stream>(key)?;
        if found.is_none() && !create {
            ctx.reply.null_array();
            return Ok(Flow::Done);
        }
        let outcomes = match decide(found, &cmd, ctx.now.stream_ms()) {
            Ok(outcomes) => outcomes,
            Err(Refused::Of(iid, refusal)) => {
                let append = append_of(cmd.producer.unwrap_or_default(), iid);
                return Err(refusal.note(ctx, key, append));
            }
            Err(Refused::Outright(error)) => return Err(error),
        };
        let counts = found.is_some_and(|stream| stream.idempotence().counted().is_some());
        let mut last_id = found.map_or(StreamId::MIN, Stream::last_id);
        for (wanted, outcome) in cmd.entries.iter().zip(&outcomes) {
            let duplicate_of = |id| StreamChange::CountDuplicate {
                producer: cmd.producer.unwrap_or_default(),
                iid: wanted.iid,
                id,
            };
            let change = match *outcome {
                Outcome::Added(id) => {
                    last_id = id;
                    StreamChange::Append {
                        id,
                        fields: wanted.fields,
                        idempotent: cmd.producer.map(|producer| append_of(producer, wanted.iid)),
                    }
                }
                Outcome::Duplicate(id) => duplicate_of(id.min(last_id)),
                Outcome::Waiting(_) | Outcome::Cancelled => duplicate_of(StreamId::MIN),
                Outcome::Stale if !counts => continue,
                Outcome::Stale => StreamChange::CountRefused {
                    producer: cmd.producer.unwrap_or_default(),
                    iid: wanted.iid,
                    what: Counted::Stale,
                },
            };
            let event = match outcome {
                Outcome::Added(_) => event::XADD,
                Outcome::Duplicate(_)
                | Outcome::Waiting(_)
                | Outcome::Cancelled
                | Outcome::Stale => event::UNHEARD,
            };
            ctx.store.apply(&Effect::on(key, change), event);
        }
        if cmd.producer.is_some() {
            keep_to_limit(key, ctx);
        }
        let is_longer = outcomes.iter().any(|it| matches!(it, Outcome::Added(_)));
        if let Some(trim) = trim.filter(|_| is_longer) {
            trim.apply(key, references, ctx);
        }
        let stream = ctx.store.get::<Stream>(key)?;
        if is_longer && stream.is_some_and(Stream::trims_with_append) {
            ctx.store.retain_after_append(key);
        }
        ctx.reply.array(outcomes.len());
        for outcome in &outcomes {
            outcome.write(ctx.reply);
        }
        Ok(Flow::Done)
    }
}

impl Outcome {
    fn write(&self, reply: &mut Reply) {
        reply.array(2);
        match *self {
            Outcome::Added(id) | Outcome::Duplicate(id) => write_id(reply, id),
            Outcome::Waiting(ticket) => {
                reply.bulk(ticket.write_text(&mut [0; TICKET_TEXT_BYTES_MAX]));
            }
            Outcome::Cancelled | Outcome::Stale => reply.null(),
        }
        reply.bulk(match self {
            Outcome::Added(_) => b"added",
            Outcome::Duplicate(_) | Outcome::Waiting(_) => b"duplicate",
            Outcome::Cancelled => b"cancelled",
            Outcome::Stale => b"stale",
        });
    }
}

/// Reads `numentries`, and as many times `[iid] numfields field value …`.
fn parse_entries<'a>(args: &mut Args<'a>, has_iids: bool) -> Result<Vec<Wanted<'a>>, CmdError> {
    let count = parse_i64(args.required()?).and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| (1..=ENTRIES_MAX).contains(count));
    let count = count.ok_or(CmdError::Stream(StreamError::EntryCount(ENTRIES_MAX)))?;
    let mismatch = || CmdError::Stream(StreamError::EntryMismatch);
    let mut entries = Vec::with_capacity(count);
    let mut bytes_left = BYTES_MAX;
    for _ in 0..count {
        let iid = match has_iids {
            true => args.next().ok_or_else(mismatch)?,
            false => b"",
        };
        if has_iids && iid.is_empty() {
            return Err(CmdError::Stream(StreamError::EmptyIid));
        }
        let pairs = parse_i64(args.next().ok_or_else(mismatch)?);
        let pairs = pairs.and_then(|pairs| usize::try_from(pairs).ok());
        let pairs = pairs.filter(|&pairs| pairs > 0 && pairs <= args.left() / 2);
        let fields = args.take(2 * pairs.ok_or_else(mismatch)?)?;
        let left = bytes_left.checked_sub(fields.bytes_len());
        bytes_left = left.ok_or(CmdError::Stream(StreamError::EntriesTooLarge(BYTES_MAX)))?;
        entries.push(Wanted { iid, fields });
    }
    match args.left() {
        0 => Ok(entries),
        _ => Err(mismatch()),
    }
}

/// Why a call adds nothing.
enum Refused<'a> {
    /// Because of the entry with this iid.
    Of(&'a [u8], Refusal),
    Outright(CmdError),
}

impl From<CmdError> for Refused<'_> {
    fn from(error: CmdError) -> Self {
        Refused::Outright(error)
    }
}

fn append_of<'a>(producer: &'a [u8], iid: &'a [u8]) -> Idempotent<'a> {
    Idempotent {
        producer,
        iid,
        origin: IidOrigin::Given,
        sought: None,
    }
}

/// Says what becomes of each entry, and changes nothing.
fn decide<'a>(
    found: Option<&Stream>,
    cmd: &Parsed<'a>,
    now_ms: u64,
) -> Result<Vec<Outcome>, Refused<'a>> {
    let mut ids = FreeIds::new(found, now_ms);
    let mut outcomes = Vec::with_capacity(cmd.entries.len());
    let Some(producer) = cmd.producer else {
        for _ in &cmd.entries {
            outcomes.push(Outcome::Added(ids.next()?));
        }
        return Ok(outcomes);
    };
    match (found, cmd.entries.first()) {
        (Some(stream), Some(first)) => {
            fence(stream, producer, cmd.epoch).map_err(|refusal| Refused::Of(first.iid, refusal))?
        }
        (_, _) => refuse_epoch(cmd.epoch)?,
    }
    let mut batch = Batch::new(found, producer, now_ms);
    for wanted in &cmd.entries {
        let judged = batch.judge(wanted);
        let outcome = match judged.map_err(|refusal| Refused::Of(wanted.iid, refusal))? {
            Some(outcome) => outcome,
            None => {
                let id = ids.next()?;
                batch.added(wanted, id);
                Outcome::Added(id)
            }
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// The IDs that the clock gives, one after another.
struct FreeIds {
    last: StreamId,
    now_ms: u64,
}

impl FreeIds {
    fn new(found: Option<&Stream>, now_ms: u64) -> FreeIds {
        let last = found.map_or(StreamId::MIN, Stream::last_id);
        FreeIds { last, now_ms }
    }

    fn next(&mut self) -> Result<StreamId, CmdError> {
        let next = match self.now_ms > self.last.ms {
            true => Some(StreamId::new(self.now_ms, 0)),
            false => self.last.next(),
        };
        self.last = next.ok_or(IdRefused::Exhausted)?;
        Ok(self.last)
    }
}

/// What is known of a producer while the entries of a batch are looked at one by one.
struct Batch<'b, 'a> {
    stream: Option<&'b Stream>,
    producer: &'a [u8],
    now_ms: u64,
    /// Entries of the batch that will be added.
    added: BTreeMap<&'a [u8], (StreamId, Argv<'a>)>,
    /// What the producer has reached, where iids are numbers.
    reached: Option<Reached>,
}

impl<'b, 'a> Batch<'b, 'a> {
    fn new(stream: Option<&'b Stream>, producer: &'a [u8], now_ms: u64) -> Self {
        let reached = stream.and_then(|stream| stream.idempotence().reached(producer, now_ms));
        Batch {
            stream,
            producer,
            now_ms,
            added: BTreeMap::new(),
            reached,
        }
    }

    /// What becomes of an entry that was there before; `None` if it is new.
    fn judge(&self, wanted: &Wanted<'a>) -> Result<Option<Outcome>, Refusal> {
        let Wanted { iid, fields } = *wanted;
        let earlier = self.added.get(iid);
        let Some(stream) = self.stream else {
            return Ok(earlier.map(|&(id, _)| Outcome::Duplicate(id)));
        };
        let idempotence = stream.idempotence();
        let known = if idempotence.is_monotone() {
            let number = number_of_iid(iid).ok_or(StreamError::NotANumberedIid)?;
            match Stand::of(number, self.reached) {
                Stand::Stale(_) => return Ok(Some(Outcome::Stale)),
                stand @ (Stand::Next | Stand::Beyond(_) | Stand::Last(_)) => {
                    match judge_number(stream, stand)? {
                        Judged::Duplicate(id) => Some(id),
                        Judged::New | Judged::ByWindow => None,
                    }
                }
            }
        } else if let Some(&(id, _)) = earlier {
            Some(id)
        } else if let Some(waiting) = stream.delayed_iid(self.producer, iid) {
            compare_waiting(stream, &waiting, fields)?;
            return Ok(Some(Outcome::Waiting(waiting.ticket)));
        } else {
            idempotence.lookup(self.producer, iid, self.now_ms)
        };
        let Some(id) = known else {
            return Ok(None);
        };
        if id == StreamId::MIN {
            return Ok(Some(Outcome::Cancelled));
        }
        match earlier {
            Some(&(_, earlier)) => compare_within(stream, id, earlier, fields)?,
            None => compare(stream, append_of(self.producer, iid), id, fields)?,
        }
        Ok(Some(Outcome::Duplicate(id)))
    }

    /// An entry will be added.
    fn added(&mut self, wanted: &Wanted<'a>, id: StreamId) {
        self.added.insert(wanted.iid, (id, wanted.fields));
        if let Some(number) = number_of_iid(wanted.iid) {
            self.reached = Some(Reached { number, id });
        }
    }
}
