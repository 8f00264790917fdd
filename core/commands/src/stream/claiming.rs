//! What `XCLAIM` and `XAUTOCLAIM` have in common: pending entries that change their owner.

use engine::error::CmdError;
use engine::store::apply::Store;
use engine::store::effect::{Claim, Effect, Event, GroupChange, event};
use resp::Reply;
use stream::{Activity, Chosen, ChosenWriter, Entries, Lookup, PendingEntry, StreamId};

use super::dead_letters::DeadLetters;
use super::group_key::GroupKey;
use super::write_id;

/// What the reply shows of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Its fields; then the claim counts as a delivery.
    Entry,
    /// Its ID alone.
    Id,
}

/// For how long a pending entry has been idle, in milliseconds; `None` if it was given back, which
/// is longer than any time.
pub(super) fn idle_ms(entry: &PendingEntry, now_ms: u64) -> Option<u64> {
    entry
        .holder
        .map(|holder| now_ms.saturating_sub(holder.delivered_ms))
}

/// Writes what is claimed. A full reply does not keep entries from being claimed.
#[derive(Debug)]
pub(super) struct Shown<'r> {
    show: Show,
    writer: ChosenWriter,
    reply: &'r mut Reply,
}

impl<'r> Shown<'r> {
    pub(super) fn new(show: Show, reply: &'r mut Reply) -> Shown<'r> {
        Shown {
            show,
            writer: ChosenWriter::new(reply),
            reply,
        }
    }

    /// Writes one.
    pub(super) fn add(&mut self, id: StreamId, entries: &Entries, look: &mut Lookup<'_>) {
        if self.reply.is_full() {
            return;
        }
        match self.show {
            Show::Entry => {
                let chosen = Chosen { id, past: None };
                let entry = look.entry(id);
                self.writer
                    .write(entries, chosen, entry.as_ref(), self.reply);
            }
            Show::Id => write_id(self.reply, id),
        }
    }

    /// Ends what was written.
    pub(super) fn finish(mut self, entries: &Entries) {
        self.writer.finish(entries, self.reply);
    }
}

/// What a claim is going to change.
#[derive(Debug)]
pub(super) struct Claimed<'a> {
    /// Entries that get a new owner.
    pub(super) claims: Vec<Claim>,
    /// Pending entries that are no longer in the stream; they are no longer pending.
    pub(super) gone: Vec<StreamId>,
    /// Entries that were delivered too often to be claimed.
    pub(super) dead: DeadLetters<'a>,
    /// What the client is shown: an entry, which is a delivery, or its ID.
    show: Show,
}

impl<'a> Claimed<'a> {
    /// Nothing of this group yet.
    pub(super) fn new(place: GroupKey<'a>, show: Show) -> Claimed<'a> {
        Claimed {
            claims: Vec::new(),
            gone: Vec::new(),
            dead: DeadLetters::new(place),
            show,
        }
    }

    /// Applies it.
    pub(super) fn apply(
        &mut self,
        place: GroupKey<'_>,
        consumer: &[u8],
        activity: Activity,
        store: &mut Store<'_>,
    ) -> Result<(), CmdError> {
        let GroupKey { key, group } = place;
        self.dead.send(store)?;
        if !self.gone.is_empty() {
            let acknowledge = GroupChange::Acknowledge { ids: &self.gone };
            store.apply(&Effect::on_group(key, group, acknowledge), event::PENDING);
        }
        if !self.claims.is_empty() {
            let event = pending_event(place, consumer, store)?;
            let claim = GroupChange::Claim {
                consumer,
                claims: &self.claims,
                activity,
            };
            store.apply(&Effect::on_group(key, group, claim), event);
            if self.show == Show::Entry {
                store.note_redelivered(self.claims.len() as u64);
            }
        }
        Ok(())
    }
}

/// Makes the calling consumer if it is missing, and notes that it called and whether it counts as
/// active.
pub(super) fn note_caller(
    place: GroupKey<'_>,
    consumer: &[u8],
    activity: Activity,
    store: &mut Store<'_>,
) -> Result<(), CmdError> {
    let (_, found) = place.required(store)?;
    let GroupKey { key, group } = place;
    if found.consumer(consumer).is_none() {
        let create = GroupChange::CreateConsumer { consumer };
        store.apply(
            &Effect::on_group(key, group, create),
            event::XGROUP_CREATECONSUMER,
        );
    }
    let see = GroupChange::See { consumer, activity };
    store.apply(&Effect::on_group(key, group, see), event::UNHEARD);
    Ok(())
}

/// What it means to others that pending entries go to a consumer, which is made if it is missing.
fn pending_event(
    place: GroupKey<'_>,
    consumer: &[u8],
    store: &mut Store<'_>,
) -> Result<&'static Event, CmdError> {
    let (_, found) = place.required(store)?;
    Ok(match found.consumer(consumer) {
        Some(_) => event::PENDING,
        None => event::XGROUP_CREATECONSUMER,
    })
}
