//! `XUNDELAY`: an entry that waits is taken back.

use engine::REDIS_VERSION;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{DelayChange, Effect, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Stream, StreamId, Ticket};

/// `XUNDELAY key ticket`
pub(super) struct XUndelay;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    ticket: Ticket,
    became: Option<Became>,
}

/// What became of the entry, in a journal.
enum Became {
    /// `CANCELLED time`
    Cancelled(u64),
    /// `APPENDED id`
    Appended(StreamId),
}

impl Command for XUndelay {
    const SPEC: Spec = Spec {
        summary: "Cancels an entry that waits to be appended.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(log N) with N being the number of entries that wait.",
        arity: Arity::AtLeast(3),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[Arg::key("key", 0), Arg::string("ticket")],
        compat: Compat::Own,
        ..Spec::named("xundelay")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (key, ticket) = (args.required()?, Ticket::parse(args.required()?));
        let ticket = ticket.map_err(|_| CmdError::Stream(StreamError::InvalidTicket))?;
        let became = if args.keyword_with_value("CANCELLED") {
            let at_ms = parse_i64(args.required()?).and_then(|at| u64::try_from(at).ok());
            Some(Became::Cancelled(at_ms.ok_or(CmdError::NotAnInteger)?))
        } else if args.keyword_with_value("APPENDED") {
            Some(Became::Appended(StreamId::parse(args.required()?, 0)?))
        } else {
            None
        };
        Ok(Parsed {
            key,
            ticket,
            became,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            ticket,
            became,
        } = cmd;
        if became.is_some() != (ctx.mode == Mode::Replay) {
            return Err(CmdError::Syntax);
        }
        let stream = ctx.store.get::<Stream>(key)?;
        let delayed = stream.and_then(Stream::delayed);
        if delayed.is_none_or(|delayed| delayed.find(ticket).is_none()) {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        }
        let now_ms = ctx.now.stream_ms();
        let (change, event) = match became {
            None => (
                DelayChange::Cancel {
                    ticket,
                    at_ms: now_ms,
                },
                event::XUNDELAY,
            ),
            Some(Became::Cancelled(at_ms)) => {
                (DelayChange::Cancel { ticket, at_ms }, event::XUNDELAY)
            }
            Some(Became::Appended(id)) => {
                if let Some(stream) = stream {
                    stream.check_id(id)?;
                }
                (DelayChange::Append { ticket, id }, event::XADD)
            }
        };
        ctx.store.apply(&Effect::on(key, change), event);
        ctx.reply.int(1);
        Ok(Flow::Done)
    }
}
