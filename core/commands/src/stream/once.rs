//! Whether an idempotent append is new, a duplicate or refused, where its stream keeps more of its
//! producers than Redis does: epochs, numbers, messages. What is refused may be counted.

use engine::command::{Ctx, Mode};
use engine::error::{CmdError, StreamError};
use engine::limits::PRODUCERS_EVICTED_BY_APPEND_MAX;
use engine::store::effect::{Effect, Idempotent, StreamChange, event};
use resp::Argv;
use stream::{Counted, DelayedEntry, OnGap, Stand, Stream, StreamId, fingerprint};

/// Messages are compared here and nowhere kept, so any key does.
const MESSAGE_KEY: u64 = 0;

/// What is known of an append.
pub(super) enum Judged {
    /// The stream does not say: it is a duplicate if its ID is in the window of its producer.
    ByWindow,
    /// It is new.
    New,
    /// It is a duplicate of this entry.
    Duplicate(StreamId),
}

/// An append is refused.
pub(super) struct Refusal {
    error: CmdError,
    /// As what it counts, if its stream counts that.
    what: Option<Counted>,
}

impl From<StreamError> for Refusal {
    fn from(error: StreamError) -> Refusal {
        Refusal {
            error: CmdError::Stream(error),
            what: None,
        }
    }
}

impl Refusal {
    pub(super) fn counted(stream: &Stream, what: Counted, error: StreamError) -> Refusal {
        Refusal {
            error: CmdError::Stream(error),
            what: stream.idempotence().counted().map(|_| what),
        }
    }

    /// Counts it if need be. Returns the error to answer.
    #[cold]
    pub(super) fn note(self, ctx: &mut Ctx<'_>, key: &[u8], append: Idempotent<'_>) -> CmdError {
        if let Some(what) = self.what {
            let Idempotent { producer, iid, .. } = append;
            let count = StreamChange::CountRefused {
                producer,
                iid,
                what,
            };
            ctx.store.apply(&Effect::on(key, count), event::UNHEARD);
        }
        self.error
    }
}

/// What a stream says of an append beyond its windows. `epoch` is what the producer gave, if it
/// did.
///
/// # Errors
/// The epoch is not the latest, or the stream wants another number as the ID.
#[cold]
pub(super) fn judge(
    stream: &Stream,
    append: Idempotent<'_>,
    epoch: Option<u64>,
    now_ms: u64,
) -> Result<Judged, Refusal> {
    let Idempotent { producer, iid, .. } = append;
    let idempotence = stream.idempotence();
    fence(stream, producer, epoch)?;
    if !idempotence.is_monotone() {
        return Ok(Judged::ByWindow);
    }
    let stand = idempotence.stand(producer, iid, now_ms);
    judge_number(stream, stand.ok_or(StreamError::NotANumberedIid)?)
}

/// The same of an append whose iid is a number that stands so.
pub(super) fn judge_number(stream: &Stream, stand: Stand) -> Result<Judged, Refusal> {
    match stand {
        Stand::Last(id) => Ok(Judged::Duplicate(id)),
        Stand::Stale(reached) => {
            let error = StreamError::StaleIid(reached.number, reached.id);
            Err(Refusal::counted(stream, Counted::Stale, error))
        }
        Stand::Beyond(reached) if stream.settings().to_settings().on_gap == OnGap::Error => {
            let error = StreamError::GapOfIids(reached.number.saturating_add(1));
            Err(Refusal::counted(stream, Counted::Gap, error))
        }
        Stand::Next | Stand::Beyond(_) => Ok(Judged::New),
    }
}

/// Refuses whoever does not have the latest epoch of the producer, which is 0 if there is none.
pub(super) fn fence(stream: &Stream, producer: &[u8], epoch: Option<u64>) -> Result<(), Refusal> {
    let latest = stream.idempotence().epoch(producer);
    match epoch {
        Some(epoch) if epoch > latest => Err(StreamError::EpochNotGiven(latest).into()),
        epoch if epoch.unwrap_or(0) < latest => {
            let error = StreamError::Fenced(latest);
            Err(Refusal::counted(stream, Counted::Fenced, error))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses any epoch where there is no stream, and so none was given.
pub(super) fn refuse_epoch(epoch: Option<u64>) -> Result<(), CmdError> {
    match epoch {
        Some(1..) => Err(CmdError::Stream(StreamError::EpochNotGiven(0))),
        Some(0) | None => Ok(()),
    }
}

/// Refuses another message than the one that became an entry under the same idempotent ID, as far
/// as that is known.
#[cold]
pub(super) fn compare(
    stream: &Stream,
    append: Idempotent<'_>,
    id: StreamId,
    fields: Argv<'_>,
) -> Result<(), Refusal> {
    let Idempotent { producer, iid, .. } = append;
    let idempotence = stream.idempotence();
    match idempotence.conflicts(producer, iid, id, fields.iter()) {
        true => Err(other_fields(stream, id)),
        false => Ok(()),
    }
}

/// The same for another message than the one that waits under this idempotent ID.
#[cold]
pub(super) fn compare_waiting(
    stream: &Stream,
    waiting: &DelayedEntry<'_>,
    fields: Argv<'_>,
) -> Result<(), Refusal> {
    let message = fingerprint(fields.iter(), MESSAGE_KEY);
    let keeps_messages = stream.idempotence().keeps_messages();
    if keeps_messages && fingerprint(waiting.fields.clone(), MESSAGE_KEY) != message {
        let error = StreamError::OtherDelayedFields(waiting.ticket);
        return Err(Refusal::counted(stream, Counted::Conflict, error));
    }
    Ok(())
}

/// The same for another message than an earlier one of the same call, which becomes this entry.
pub(super) fn compare_within(
    stream: &Stream,
    id: StreamId,
    earlier: Argv<'_>,
    fields: Argv<'_>,
) -> Result<(), Refusal> {
    let message = |fields: Argv<'_>| fingerprint(fields.iter(), MESSAGE_KEY);
    match stream.idempotence().keeps_messages() && message(earlier) != message(fields) {
        true => Err(other_fields(stream, id)),
        false => Ok(()),
    }
}

/// Makes room for the producer that has come into a stream, if that has too many now. A replay does
/// not decide who goes: the log says it.
#[cold]
pub(super) fn keep_to_limit(key: &[u8], ctx: &mut Ctx<'_>) {
    if ctx.mode != Mode::Replay {
        ctx.store
            .evict_producers(key, PRODUCERS_EVICTED_BY_APPEND_MAX);
    }
}

/// The refusal of another message than the one that became this entry.
fn other_fields(stream: &Stream, id: StreamId) -> Refusal {
    Refusal::counted(stream, Counted::Conflict, StreamError::OtherFields(id))
}
