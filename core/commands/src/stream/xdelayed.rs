//! `XDELAYED`: which entries wait to be appended.

use engine::REDIS_VERSION;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Stream, TICKET_TEXT_BYTES_MAX, Ticket};

/// `XDELAYED key [AFTER ticket] [COUNT count]`
pub(super) struct XDelayed;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    after: Ticket,
    count: usize,
}

/// How many are listed if nobody says.
const COUNT_DEFAULT: usize = 10;

impl Command for XDelayed {
    const SPEC: Spec = Spec {
        summary: "Lists entries that wait to be appended, in the order in which they are due.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(log N + M) with N being the number of entries that wait and M the number that is listed.",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::string("ticket").token("AFTER").optional(),
            Arg::integer("count").token("COUNT").optional(),
        ],
        compat: Compat::Own,
        ..Spec::named("xdelayed")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            key: args.required()?,
            after: Ticket::MIN,
            count: COUNT_DEFAULT,
        };
        loop {
            if args.keyword_with_value("AFTER") {
                let ticket = Ticket::parse(args.required()?);
                parsed.after = ticket.map_err(|_| CmdError::Stream(StreamError::InvalidTicket))?;
            } else if args.keyword_with_value("COUNT") {
                let count = usize::try_from(args.integer()?);
                parsed.count = count.map_err(|_| CmdError::NotAnInteger)?;
            } else {
                return Ok(parsed);
            }
        }
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx.store.get::<Stream>(cmd.key)?;
        let Some(delayed) = stream.and_then(Stream::delayed) else {
            ctx.reply.array(0);
            return Ok(Flow::Done);
        };
        let listed = delayed.after(cmd.after);
        ctx.reply.array(listed.len().min(cmd.count));
        ctx.reply.each(listed.take(cmd.count), |reply, entry| {
            reply.array(2);
            reply.bulk(entry.ticket.write_text(&mut [0; TICKET_TEXT_BYTES_MAX]));
            reply.array(entry.fields.len());
            reply.each(entry.fields, |reply, field| reply.bulk(field));
        });
        Ok(Flow::Done)
    }
}
