//! `XIDMPRECORD`: remembers an idempotent ID for an entry that is there: from a file of Redis, or
//! by hand.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Counted, Stand, Stream, StreamId};

use super::once::keep_to_limit;

/// `XIDMPRECORD key pid iid stream-id`
pub(super) struct XIdmpRecord;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    producer: &'a [u8],
    iid: &'a [u8],
    what: Recorded,
}

/// What is known of an idempotent ID.
enum Recorded {
    /// It stands for this entry.
    Entry(StreamId),
    /// An append with it was refused, and is counted, or its producer is forgotten with all IDs.
    /// Only weir's own files say so.
    Counted(Counted),
}

impl Command for XIdmpRecord {
    const SPEC: Spec = Spec {
        summary: "Records that an entry is a producer's message with an idempotent ID.",
        since: "8.6.2",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(5),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("pid"),
            Arg::string("iid"),
            Arg::string("stream-id"),
        ],
        ..Spec::named("xidmprecord")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (key, producer, iid) = (args.required()?, args.required()?, args.required()?);
        let what = args.required()?;
        let mut counts = Counted::ALL.into_iter();
        let what = match counts.find(|count| count.name().as_bytes() == what) {
            Some(count) => Recorded::Counted(count),
            None => Recorded::Entry(StreamId::parse(what, 0)?),
        };
        if producer.is_empty() {
            return Err(CmdError::Stream(StreamError::EmptyRecordedProducer));
        }
        if iid.is_empty() {
            return Err(CmdError::Stream(StreamError::EmptyRecordedIid));
        }
        Ok(Parsed {
            key,
            producer,
            iid,
            what,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx
            .store
            .get::<Stream>(cmd.key)?
            .ok_or(CmdError::NoSuchKey)?;
        let id = match cmd.what {
            Recorded::Entry(id) => id,
            Recorded::Counted(what) if ctx.mode == Mode::Replay => {
                let producer = cmd.producer;
                let count = match what {
                    Counted::Evicted => StreamChange::EvictProducer { producer },
                    Counted::Duplicate
                    | Counted::Conflict
                    | Counted::Fenced
                    | Counted::Stale
                    | Counted::Gap
                    | Counted::Dropped => StreamChange::CountRefused {
                        producer,
                        iid: cmd.iid,
                        what,
                    },
                };
                ctx.store.apply(&Effect::on(cmd.key, count), event::UNHEARD);
                ctx.reply.ok();
                return Ok(Flow::Done);
            }
            Recorded::Counted(_) => return Err(stream::InvalidId.into()),
        };
        // weir's own files also record IDs whose entry is gone: a retry is a duplicate all the
        // same.
        if ctx.mode != Mode::Replay && !stream.entries().contains(id) {
            return Err(CmdError::Stream(StreamError::NoSuchMessage));
        }
        let now_ms = ctx.now.stream_ms();
        let known = match stream.idempotence() {
            numbered if numbered.is_monotone() => {
                let stand = numbered.stand(cmd.producer, cmd.iid, now_ms);
                match stand.ok_or(CmdError::Stream(StreamError::NotANumberedIid))? {
                    Stand::Last(known) => Some(known),
                    Stand::Stale(reached) => Some(reached.id),
                    Stand::Next | Stand::Beyond(_) => None,
                }
            }
            windowed => windowed.lookup(cmd.producer, cmd.iid, now_ms),
        };
        let waits = stream.delayed_iid(cmd.producer, cmd.iid).is_some();
        if waits || known.is_some_and(|known| known != id) {
            return Err(CmdError::Stream(StreamError::IidTaken));
        }
        let record = StreamChange::RecordIdempotent {
            producer: cmd.producer,
            iid: cmd.iid,
            id,
        };
        ctx.store
            .apply(&Effect::on(cmd.key, record), event::UNHEARD);
        keep_to_limit(cmd.key, ctx);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
