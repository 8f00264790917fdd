//! `XIDMPEPOCH`: a program takes over a producer.

use engine::REDIS_VERSION;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{EPOCH_MAX, Stream};

/// `XIDMPEPOCH key pid`
pub(super) struct XIdmpEpoch;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    producer: &'a [u8],
    /// The epoch that was given, in a journal.
    given: Option<&'a [u8]>,
}

impl Command for XIdmpEpoch {
    const SPEC: Spec = Spec {
        summary: "Gives a producer an epoch, and fences off whoever has an older one.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &[Arg::key("key", 0), Arg::string("pid")],
        compat: Compat::Own,
        ..Spec::named("xidmpepoch")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (key, producer) = (args.required()?, args.required()?);
        if producer.is_empty() {
            return Err(CmdError::Stream(StreamError::EmptyRecordedProducer));
        }
        Ok(Parsed {
            key,
            producer,
            given: args.next(),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            producer,
            given,
        } = cmd;
        let stream = ctx.store.get::<Stream>(key)?;
        let latest = stream.map_or(0, |stream| stream.idempotence().epoch(producer));
        let epoch = match given {
            None if latest >= EPOCH_MAX => {
                return Err(CmdError::Stream(StreamError::EpochsExhausted));
            }
            None => latest + 1,
            Some(_) if ctx.mode != Mode::Replay => return Err(CmdError::Syntax),
            Some(given) => {
                let given = parse_i64(given).ok_or(CmdError::NotAnInteger)?;
                u64::try_from(given).map_err(|_| CmdError::NotAnInteger)?
            }
        };
        let change = StreamChange::SetEpoch { producer, epoch };
        ctx.store.apply(&Effect::on(key, change), event::UNHEARD);
        ctx.reply.int(epoch as i64);
        Ok(Flow::Done)
    }
}
