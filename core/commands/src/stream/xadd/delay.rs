//! `DELAY` and `AT`: the entry is appended later.

use std::num::NonZeroU64;

use engine::args::Args;
use engine::command::{Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{DelayChange, Effect, Idempotent, StreamChange, event};
use resp::Argv;
use stream::{
    DELAYED_BYTES_MAX, DelayedOptions, Stream, StreamId, TICKET_NUMBER_MAX, TICKET_TEXT_BYTES_MAX,
    Ticket,
};

use super::{IdSpec, Report};

/// Takes `DELAY ms` or `AT unix-ms`, if it comes next; in a journal, the number of the ticket comes
/// with it. Returns whether it did.
#[cold]
pub(super) fn parse(args: &mut Args<'_>, later: &mut Option<IdSpec>) -> Result<bool, CmdError> {
    let said = if args.keyword_with_value("DELAY") {
        IdSpec::After(parse_number(args)?)
    } else if args.keyword_with_value("AT") {
        let at_ms = parse_number(args)?;
        let number = match args.keyword_with_value("TICKET") {
            true => NonZeroU64::new(parse_number(args)?),
            false => None,
        };
        IdSpec::At(at_ms, number)
    } else {
        return Ok(false);
    };
    if later.replace(said).is_some() {
        return Err(CmdError::Stream(StreamError::DelayedTwice));
    }
    Ok(true)
}

fn parse_number(args: &mut Args<'_>) -> Result<u64, CmdError> {
    u64::try_from(args.integer()?).map_err(|_| CmdError::NotAnInteger)
}

/// What was said, if the ID is the clock's.
#[cold]
pub(super) fn only_by_clock(id: IdSpec, later: IdSpec) -> Result<IdSpec, CmdError> {
    match id {
        IdSpec::Clock => Ok(later),
        IdSpec::Within(_) | IdSpec::Exactly(_) | IdSpec::After(_) | IdSpec::At(..) => {
            Err(CmdError::Stream(StreamError::DelayedWithId))
        }
    }
}

/// Lets the entry wait, and answers its ticket.
#[cold]
pub(super) fn delay(
    key: &[u8],
    when: IdSpec,
    options: DelayedOptions<'_>,
    fields: Argv<'_>,
    report: Report,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let is_replay = ctx.mode == Mode::Replay;
    let now_ms = ctx.now.stream_ms();
    let (due_ms, number) = match when {
        IdSpec::After(ms) => (now_ms.saturating_add(ms), None),
        IdSpec::At(at_ms, number) => (at_ms, number.map(NonZeroU64::get)),
        IdSpec::Clock | IdSpec::Within(_) | IdSpec::Exactly(_) => (now_ms, None),
    };
    if number.is_some() != is_replay {
        return Err(CmdError::Syntax);
    }
    let bytes: usize = fields.iter().map(<[u8]>::len).sum();
    if bytes > DELAYED_BYTES_MAX && !is_replay {
        return Err(CmdError::Stream(StreamError::DelayedTooLarge));
    }
    let due_ms = due_ms.min(TICKET_NUMBER_MAX);
    let ticket = match (number, ctx.store.get::<Stream>(key)?) {
        (Some(number), _) => Some(Ticket { due_ms, number }),
        (None, Some(stream)) => stream.next_ticket(due_ms),
        (None, None) => Some(Ticket { due_ms, number: 1 }),
    };
    let ticket = ticket.ok_or(CmdError::Stream(StreamError::TicketsExhausted))?;
    let change = DelayChange::Delay {
        ticket,
        options,
        fields,
    };
    ctx.store.apply(&Effect::on(key, change), event::XDELAY);
    write_ticket(ctx, ticket, report, b"delayed");
    Ok(Flow::Done)
}

/// Answers it: nothing is added.
#[cold]
pub(super) fn answer_waiting(
    key: &[u8],
    idempotent: Idempotent<'_>,
    ticket: Ticket,
    report: Report,
    ctx: &mut Ctx<'_>,
) -> Flow {
    count_duplicate(key, idempotent, ctx);
    write_ticket(ctx, ticket, report, b"duplicate");
    Flow::Done
}

/// Answers that the entry with this idempotent ID was cancelled while it waited.
#[cold]
pub(super) fn answer_cancelled(
    key: &[u8],
    idempotent: Idempotent<'_>,
    report: Report,
    ctx: &mut Ctx<'_>,
) -> Flow {
    count_duplicate(key, idempotent, ctx);
    match report {
        Report::Id => ctx.reply.null(),
        Report::Outcome => {
            ctx.reply.array(2);
            ctx.reply.null();
            ctx.reply.bulk(b"cancelled");
        }
    }
    Flow::Done
}

fn count_duplicate(key: &[u8], idempotent: Idempotent<'_>, ctx: &mut Ctx<'_>) {
    let Idempotent { producer, iid, .. } = idempotent;
    let duplicate = StreamChange::CountDuplicate {
        producer,
        iid,
        id: StreamId::MIN,
    };
    ctx.store.apply(&Effect::on(key, duplicate), event::UNHEARD);
}

fn write_ticket(ctx: &mut Ctx<'_>, ticket: Ticket, report: Report, outcome: &[u8]) {
    if report == Report::Outcome {
        ctx.reply.array(2);
    }
    let mut text = [0; TICKET_TEXT_BYTES_MAX];
    ctx.reply.bulk(ticket.write_text(&mut text));
    if report == Report::Outcome {
        ctx.reply.bulk(outcome);
    }
}
