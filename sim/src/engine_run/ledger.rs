//! What clients were told, and whether it still holds.
//!
//! The ledger knows only the server's replies. What a reply has shown holds for ever: an entry
//! keeps its ID, is there once, and is removed only if somebody asked for that; an acknowledged
//! entry is not delivered again; a counter does not go back. Replies are ordered by when their
//! requests ran, since they may leave in another order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use stream::{EntryRef, Stream, StreamId};

use super::Bug;
use super::holds::Holds;
use super::kept::Kept;
use super::many::Many;
use super::retries::Retries;
use super::things::Things;
use super::work::Work;
use crate::answer::Answer;

/// A message: its producer, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Message {
    pub(super) producer: u64,
    pub(super) number: u64,
}

/// The place of a request in the order of all.
pub(super) type Turn = u64;

/// What is known of all streams and counters.
pub(super) struct Ledger {
    pub(super) streams: Vec<StreamLedger>,
    pub(super) things: Things,
    pub(super) work: Work,
    pub(super) kept: Kept,
    pub(super) many: Many,
    pub(super) retries: Retries,
    pub(super) holds: Holds,
    /// For each counter the values shown, by turn.
    counters: BTreeMap<u64, BTreeMap<Turn, i64>>,
}

/// What is known of a stream.
#[derive(Default)]
pub(super) struct StreamLedger {
    shown: BTreeMap<StreamId, Message>,
    ids: BTreeMap<Message, StreamId>,
    /// Somebody asked that entries up to here go.
    trimmed_through: StreamId,
    /// Somebody asked that these go.
    deleted: BTreeSet<StreamId>,
    /// Somebody was told that these are gone, in answer to the request of this turn.
    gone: BTreeMap<StreamId, Turn>,
    /// Messages that were to be appended later.
    delayed: BTreeMap<Message, Delayed>,
    pub(super) groups: Vec<GroupLedger>,
}

/// What is known of a message that was to be appended later.
#[derive(Default)]
struct Delayed {
    due_ms: u64,
    /// Somebody asked that it is taken back.
    may_be_taken_back: bool,
    is_taken_back: bool,
}

/// What is known of a group.
#[derive(Default)]
pub(super) struct GroupLedger {
    /// Entries delivered for the first time.
    new: BTreeMap<StreamId, Turn>,
    /// The last delivery of each entry, of any kind.
    delivered: BTreeMap<StreamId, Turn>,
    acknowledged: BTreeMap<StreamId, Turn>,
}

impl Ledger {
    /// A ledger of this many streams with this many groups each.
    pub(super) fn new(streams: usize, groups: usize, bug: Option<Bug>) -> Ledger {
        let stream = || StreamLedger {
            groups: (0..groups).map(|_| GroupLedger::default()).collect(),
            ..StreamLedger::default()
        };
        Ledger {
            streams: (0..streams).map(|_| stream()).collect(),
            things: Things::default(),
            work: Work::new(),
            kept: Kept::new(bug),
            many: Many::default(),
            retries: Retries::new(),
            holds: Holds::new(bug),
            counters: BTreeMap::new(),
        }
    }

    /// A reply showed a counter.
    pub(super) fn counter(&mut self, counter: u64, turn: Turn, value: i64) -> Result<()> {
        let values = self.counters.entry(counter).or_default();
        let before = values.range(..turn).next_back().map(|(_, &value)| value);
        let after = values.range(turn + 1..).next().map(|(_, &value)| value);
        ensure!(
            before.is_none_or(|before| before < value) && after.is_none_or(|after| value < after),
            "counter {counter} went from {before:?} to {value} to {after:?}"
        );
        values.insert(turn, value);
        Ok(())
    }
}

impl StreamLedger {
    /// A reply showed a message under an ID, in whatever way.
    pub(super) fn shown(&mut self, message: Message, id: StreamId, turn: Turn) -> Result<()> {
        let known = self.ids.insert(message, id);
        ensure!(
            known.is_none_or(|known| known == id),
            "{message:?} is {id}, and was {known:?}"
        );
        if let Some(delayed) = self.delayed.get(&message) {
            delayed.ensure_may_be(message, id)?;
        }
        let known = self.shown.insert(id, message);
        ensure!(
            known.is_none_or(|known| known == message),
            "{id} is {message:?}, and was {known:?}"
        );
        let gone = self.gone.get(&id);
        ensure!(
            gone.is_none_or(|&gone| turn < gone),
            "{id} was deleted, and is shown again"
        );
        Ok(())
    }

    /// An append was acknowledged. The entry may be gone by now.
    pub(super) fn appended(&mut self, message: Message, id: StreamId) -> Result<()> {
        self.shown(message, id, 0)
    }

    /// A message got a ticket.
    pub(super) fn was_delayed(&mut self, message: Message, due_ms: u64) -> Result<()> {
        self.delayed.entry(message).or_default().due_ms = due_ms;
        let shown = self.ids.get(&message);
        shown.map_or(Ok(()), |id| {
            self.delayed[&message].ensure_may_be(message, *id)
        })
    }

    /// Somebody asks that a message is taken back.
    pub(super) fn ask_take_back(&mut self, message: Message) {
        self.delayed.entry(message).or_default().may_be_taken_back = true;
    }

    /// A message was taken back before it was appended.
    pub(super) fn was_taken_back(&mut self, message: Message) -> Result<()> {
        self.delayed.entry(message).or_default().is_taken_back = true;
        let shown = self.ids.get(&message);
        ensure!(
            shown.is_none(),
            "{message:?} is taken back, and was shown as {shown:?}"
        );
        Ok(())
    }

    /// Compares what waits and what is there with what was told of delayed messages: each in one
    /// place, and nothing missing that nobody took back or removed.
    pub(super) fn audit_delayed(&self, stream: Option<&Stream>) -> Result<()> {
        let waiting = stream.and_then(Stream::delayed).into_iter();
        let waiting = waiting.flat_map(|delayed| delayed.iter());
        let waiting = waiting.map(|entry| message_of(entry.fields).context("no message waits"));
        let waiting: BTreeSet<Message> = waiting.collect::<Result<_>>()?;
        let entries = stream
            .into_iter()
            .flat_map(|stream| stream.entries().iter());
        let there = entries.filter_map(|entry| Some((message_in(&entry)?, entry.id())));
        let there: BTreeMap<Message, StreamId> = there.collect();
        let twice = waiting.iter().find(|message| there.contains_key(message));
        ensure!(twice.is_none(), "{twice:?} is there, and waits");
        for (message, delayed) in &self.delayed {
            let is_waiting = waiting.contains(message);
            ensure!(
                !is_waiting || !delayed.is_taken_back,
                "{message:?} was taken back, and waits"
            );
            match there.get(message) {
                Some(&id) => delayed.ensure_may_be(*message, id)?,
                None => {
                    let known = self.ids.get(message);
                    // An entry may go of which nobody knows yet.
                    let may_be_gone = known
                        .map_or(delayed.due_ms <= self.trimmed_through.ms, |id| {
                            self.may_be_missing(*id)
                        });
                    ensure!(
                        is_waiting && known.is_none() || delayed.may_be_taken_back || may_be_gone,
                        "{message:?} was delayed, and is lost"
                    );
                }
            }
        }
        Ok(())
    }

    /// A reply showed an entry as `[id, [field, value, …]]`.
    pub(super) fn entry(&mut self, entry: &Answer, turn: Turn) -> Result<StreamId> {
        let [id, Answer::List(fields)] = entry.list().context("no entry")? else {
            bail!("no entry: {entry:?}");
        };
        let id = id.id().context("no ID")?;
        let message = message_of(fields.iter().filter_map(|field| match field {
            Answer::Text(text) => Some(text.as_slice()),
            _ => None,
        }));
        self.shown(message.context("an entry that nobody made")?, id, turn)?;
        Ok(id)
    }

    /// Somebody asks that entries up to this one go.
    pub(super) fn ask_trim(&mut self, through: StreamId) {
        self.trimmed_through = self.trimmed_through.max(through);
    }

    /// Somebody asks that an entry goes.
    pub(super) fn ask_delete(&mut self, id: StreamId) {
        self.deleted.insert(id);
    }

    /// Somebody was told that the entry is gone.
    pub(super) fn is_gone(&mut self, id: StreamId, turn: Turn) {
        self.gone.entry(id).or_insert(turn);
    }

    /// An ID that was shown; one from `from` on, if there is one.
    pub(super) fn some_id(&self, from: StreamId) -> Option<StreamId> {
        let above = self.shown.range(from..).next();
        above.or(self.shown.first_key_value()).map(|(&id, _)| id)
    }

    /// The greatest ID that was shown.
    pub(super) fn last_id(&self) -> Option<StreamId> {
        self.shown.last_key_value().map(|(&id, _)| id)
    }

    fn may_be_missing(&self, id: StreamId) -> bool {
        id <= self.trimmed_through || self.deleted.contains(&id)
    }

    /// Compares what is there with what was shown: each message once, in the order in which its
    /// producer said it, nothing missing that nobody deleted.
    pub(super) fn audit(&self, stream: Option<&Stream>) -> Result<()> {
        let mut last_of = BTreeMap::new();
        let mut missing = self.shown.iter().peekable();
        for entry in stream
            .into_iter()
            .flat_map(|stream| stream.entries().iter())
        {
            let (id, message) = (entry.id(), message_in(&entry));
            let message = message.context("an entry that nobody made")?;
            while let Some((&shown, lost)) = missing.next_if(|(shown, _)| **shown < id) {
                ensure!(self.may_be_missing(shown), "{lost:?}, {shown}, is lost");
            }
            missing.next_if(|(shown, _)| **shown == id);
            let known = self.ids.get(&message);
            ensure!(
                known.is_none_or(|&known| known == id),
                "{message:?} is {id}, and was shown as {known:?}"
            );
            ensure!(
                !self.gone.contains_key(&id),
                "{id} was deleted, and is there again"
            );
            let before = last_of.insert(message.producer, message.number);
            ensure!(
                before.is_none_or(|before| before < message.number),
                "{message:?} comes after message {before:?}: doubled, or out of order"
            );
        }
        for (&shown, lost) in missing {
            ensure!(self.may_be_missing(shown), "{lost:?}, {shown}, is lost");
        }
        Ok(())
    }

    /// In the end each group has received everything that was shown and not deleted.
    pub(super) fn audit_groups(&self) -> Result<()> {
        for (index, group) in self.groups.iter().enumerate() {
            let skipped = self
                .shown
                .iter()
                .find(|(id, _)| !self.may_be_missing(**id) && !group.delivered.contains_key(id));
            ensure!(
                skipped.is_none(),
                "group {index} was never given {skipped:?}"
            );
        }
        Ok(())
    }
}

impl GroupLedger {
    /// A reply delivered an entry for the first time.
    pub(super) fn delivered_new(&mut self, id: StreamId, turn: Turn) -> Result<()> {
        ensure!(
            !self.new.contains_key(&id),
            "{id} was delivered as new twice"
        );
        let before = self.new.range(..id).next_back();
        let after = self.new.range(id..).next();
        ensure!(
            before.is_none_or(|(_, &before)| before <= turn)
                && after.is_none_or(|(_, &after)| turn <= after),
            "{id} was delivered out of order, between {before:?} and {after:?}"
        );
        self.new.insert(id, turn);
        self.delivered(id, turn)
    }

    /// A reply delivered an entry, perhaps again.
    pub(super) fn delivered(&mut self, id: StreamId, turn: Turn) -> Result<()> {
        let acknowledged = self.acknowledged.get(&id);
        ensure!(
            acknowledged.is_none_or(|&acknowledged| turn < acknowledged),
            "{id} was acknowledged, and is delivered again"
        );
        let last = self.delivered.entry(id).or_default();
        *last = turn.max(*last);
        Ok(())
    }

    /// A reply said that an entry is acknowledged.
    pub(super) fn acknowledged(&mut self, id: StreamId, turn: Turn) -> Result<()> {
        let delivered = self.delivered.get(&id);
        ensure!(
            delivered.is_none_or(|&delivered| delivered < turn),
            "{id} was acknowledged, and was delivered after that"
        );
        let first = self.acknowledged.entry(id).or_insert(turn);
        *first = turn.min(*first);
        Ok(())
    }
}

impl Delayed {
    fn ensure_may_be(&self, message: Message, id: StreamId) -> Result<()> {
        ensure!(
            !self.is_taken_back,
            "{message:?} was taken back, and is {id}"
        );
        ensure!(
            id.ms >= self.due_ms,
            "{message:?} is {id}, and was due at {}",
            self.due_ms
        );
        Ok(())
    }
}

fn message_in(entry: &EntryRef<'_>) -> Option<Message> {
    message_of(entry.fields().flat_map(|(field, value)| [field, value]))
}

/// The message in an entry's fields `p` (producer) and `n` (number).
fn message_of<'a>(mut fields: impl Iterator<Item = &'a [u8]>) -> Option<Message> {
    let mut number = |name: &[u8]| {
        fields.next().filter(|field| *field == name)?;
        std::str::from_utf8(fields.next()?).ok()?.parse().ok()
    };
    Some(Message {
        producer: number(b"p")?,
        number: number(b"n")?,
    })
}
