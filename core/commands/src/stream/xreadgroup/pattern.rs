//! `XREADGROUP … PATTERN`: many streams, one reader. Streams that match are served by turns; which
//! of them may have something is known to the engine ([`engine::clients::pattern_reads`]).

use engine::clients::pattern_reads::{PatternReadId, Reading, Turn, When, WithoutGroup};
use engine::clients::waiting::{Interest, TimeoutReply, Wait};
use engine::command::{Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::limits::{
    PATTERN_KEYS_PER_STEP_MAX, PATTERN_READ_BYTES_MAX, PATTERN_TURNS_PER_CALL_MAX,
};
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::KeyFlags;
use resp::Argv;
use stream::{Stream, StreamId};

use super::look::Look;
use super::serve::{Delivery, Served, serve};
use crate::stream::group_key::GroupKey;
use crate::stream::read_budget::{ReadBounds, ReadBudget};
use crate::stream::stream_parts::{end_streams, write_stream};
use crate::timeout::Timeout;

/// Which streams are read.
#[derive(Clone, Copy)]
pub(super) struct Matching<'a> {
    /// What their keys match.
    pub(super) pattern: &'a [u8],
    /// What becomes of those that lack the group.
    pub(super) without_group: WithoutGroup,
}

/// A call, as it was said.
pub(super) struct Call<'a> {
    /// The whole request, to be run again.
    pub(super) request: Argv<'a>,
    /// Which streams are read.
    pub(super) matching: Matching<'a>,
    /// The group that reads.
    pub(super) group: &'a [u8],
    /// Who reads, and how.
    pub(super) delivery: Delivery<'a>,
    /// How much may be given.
    pub(super) bounds: ReadBounds,
    /// How long to wait.
    pub(super) block: Option<Timeout>,
}

impl<'a> Matching<'a> {
    /// Checks what follows `PATTERN`, and the name of the group.
    pub(super) fn parse(
        pattern: &'a [u8],
        id: &[u8],
        group: &[u8],
        without_group: WithoutGroup,
    ) -> Result<Matching<'a>, CmdError> {
        if id != b">" {
            return Err(CmdError::Stream(StreamError::PatternReadsNew));
        }
        if pattern.len().max(group.len()) > PATTERN_READ_BYTES_MAX {
            return Err(CmdError::Stream(StreamError::PatternTooLong));
        }
        Ok(Matching {
            pattern,
            without_group,
        })
    }

    /// What a client must be allowed to do to the streams.
    fn key_flags(&self) -> KeyFlags {
        let reads = KeyFlags::RO.and(KeyFlags::ACCESS);
        match self.without_group {
            WithoutGroup::PassedOver => reads,
            WithoutGroup::GetsIt => reads.and(KeyFlags::INSERT),
        }
    }
}

/// Serves the next streams in the line.
pub(super) fn execute(call: &Call<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    ctx.check_keys_like(
        call.request,
        call.matching.pattern,
        call.matching.key_flags(),
    )?;
    let reading = Reading {
        database: ctx.store.database,
        pattern: call.matching.pattern,
        group: call.group,
        claim_idle_ms: call.delivery.claim_idle_ms_min,
        without_group: call.matching.without_group,
    };
    let read = ctx.store.open_pattern_read(&reading);
    let read = read.ok_or(CmdError::Stream(StreamError::TooManyPatterns))?;
    // For those who wait, the timer looks.
    if ctx.mode != Mode::Resumed {
        ctx.store.look_for_streams(read, PATTERN_KEYS_PER_STEP_MAX);
    }
    let outer = ctx.reply.mark();
    let served = serve_turns(call, read, ctx)?;
    if served > 0 {
        end_streams(ctx.reply, outer, served);
        return Ok(Flow::Done);
    }
    let is_through = ctx.store.is_looked_through(read);
    let may_wait = matches!(ctx.mode, Mode::Alone | Mode::Resumed);
    if may_wait && (call.block.is_some() || !is_through) {
        let deadline = call
            .block
            .as_ref()
            .map(|block| block.deadline(ctx.now.mono));
        ctx.wait = Some(Wait {
            database: ctx.store.database,
            keys: Vec::new(),
            deadline: deadline.flatten(),
            // Who does not want to wait is told that there is nothing once that is known.
            retry_at: call.block.is_none().then(|| ctx.now.mono.plus(1)),
            request: call.request.to_owned(),
            on_timeout: TimeoutReply::NullArray,
            interest: Interest::Streams {
                read,
                group: call.group.to_vec(),
                consumer: call.delivery.consumer.to_vec(),
            },
            ticket: Default::default(),
        });
        return Ok(Flow::Block);
    }
    // That there is nothing may be because of what happened to any stream.
    ctx.store.depend_on_all();
    ctx.reply.null_array();
    Ok(Flow::Done)
}

/// Gives each stream in the line its share of the reply, once at most. Returns how many gave
/// something.
fn serve_turns(call: &Call<'_>, read: PatternReadId, ctx: &mut Ctx<'_>) -> Result<usize, CmdError> {
    let mut budget = call.bounds.begin_shared();
    let mut left = ctx.store.turns(read).min(PATTERN_TURNS_PER_CALL_MAX);
    let even_share = budget.share_of(left);
    let mut ahead = Vec::new();
    let mut served = 0;
    while left > 0 && !budget.is_spent() {
        let Some(turn) = ctx.store.next_turn(read) else {
            break;
        };
        budget.set_share(left);
        left -= 1;
        let before = budget.written();
        let (has_given, when) = serve_stream(turn.key(), call, &mut budget, ctx);
        served += usize::from(has_given);
        // Who had more than others comes behind them next time.
        match budget.written() - before > even_share {
            true => ahead.push((turn, when)),
            false => ctx.store.end_turn(read, turn, when),
        }
    }
    end_turns(ahead, read, ctx);
    Ok(served)
}

fn end_turns(turns: Vec<(Turn, When)>, read: PatternReadId, ctx: &mut Ctx<'_>) {
    for (turn, when) in turns {
        ctx.store.end_turn(read, turn, when);
    }
}

/// Serves a stream whose turn it is. Returns whether it is part of the reply, and when it is to be
/// looked at again.
fn serve_stream(
    key: &[u8],
    call: &Call<'_>,
    budget: &mut ReadBudget,
    ctx: &mut Ctx<'_>,
) -> (bool, When) {
    let group = call.group;
    let claim = call.delivery.claim_idle_ms_min;
    let Ok(Some(stream)) = ctx.store.get::<Stream>(key) else {
        return (false, When::Never);
    };
    if stream.groups().find(group).is_none() {
        match call.matching.without_group {
            WithoutGroup::PassedOver => return (false, When::Never),
            WithoutGroup::GetsIt => make_group(key, group, ctx),
        }
    }
    match look(key, group, claim, ctx) {
        Look::Nothing(when) => return (false, when),
        Look::Something => {}
    }
    // All of them are served, but of what is too much for the client nothing is kept.
    ctx.reply.is_full();
    let head = ctx.reply.mark();
    write_stream(ctx.reply, key);
    budget.open(ctx.reply, head);
    let later = ctx.now.mono.plus(RETRY_MS);
    match serve(GroupKey { key, group }, b">", &call.delivery, budget, ctx) {
        Ok(Served::Something) => match look(key, group, claim, ctx) {
            Look::Something => (true, When::Next),
            Look::Nothing(when) => (true, when),
        },
        Ok(Served::Nothing { .. }) => {
            budget.take_back(ctx.reply, head);
            match budget.is_spent() {
                true => (false, When::First),
                // The consumer may have no more now; others may.
                false => (false, When::ByOthers(later)),
            }
        }
        // What others were given stays so; a stream that something is wrong with must not keep
        // them waiting.
        Err(_) => {
            budget.take_back(ctx.reply, head);
            (false, When::At(later))
        }
    }
}

fn look(key: &[u8], group: &[u8], claim: Option<u64>, ctx: &mut Ctx<'_>) -> Look {
    let now = ctx.now;
    match (GroupKey { key, group }).find(&mut ctx.store) {
        Ok(Some((stream, group))) => Look::at(stream, group, claim, now),
        Ok(None) | Err(_) => Look::Nothing(When::Never),
    }
}

/// Makes the group, which reads the stream from its beginning.
fn make_group(key: &[u8], group: &[u8], ctx: &mut Ctx<'_>) {
    let create = GroupChange::Create {
        id: StreamId::MIN,
        entries_read: None,
    };
    let create = Effect::on_group(key, group, create);
    ctx.store.apply(&create, event::XGROUP_CREATE);
}

/// After how many milliseconds a stream is looked at again whose entries the consumer may not have
/// now.
const RETRY_MS: u64 = 100;
