//! Whether an idempotent append is new, a duplicate or refused, where its stream keeps more of its
//! producers than Redis does: epochs, numbers, messages. What is refused may be counted.

use engine::command::Ctx;
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, Idempotent, StreamChange, event};
use resp::Argv;
use stream::{Counted, OnGap, Stand, Stream, StreamId};

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
    fence(stream, idempotence.epoch(producer), epoch)?;
    if !idempotence.is_monotone() {
        return Ok(Judged::ByWindow);
    }
    let stand = idempotence.stand(producer, iid, now_ms);
    match stand.ok_or(StreamError::NotANumberedIid)? {
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
fn fence(stream: &Stream, latest: u64, epoch: Option<u64>) -> Result<(), Refusal> {
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
        true => {
            let error = StreamError::OtherFields(id);
            Err(Refusal::counted(stream, Counted::Conflict, error))
        }
        false => Ok(()),
    }
}
