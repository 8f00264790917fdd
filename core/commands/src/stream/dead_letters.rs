//! Entries that were delivered often enough, and go to the group's dead-letter stream instead of to
//! one more consumer (`XGROUP SETCFG … MAXDELIVERIES n DEADLETTER key`).
//!
//! That an entry goes is decided where it would be delivered, and made to happen with what else the
//! command does: it is appended there and acknowledged here, in one batch, so it is never in both
//! nor in neither. While the other stream cannot take it, it stays pending, and nobody is given it.

use engine::error::CmdError;
use engine::limits::{DEAD_LETTERS_BYTES_MAX, DEAD_LETTERS_MAX};
use engine::store::apply::Store;
use engine::store::effect::{Effect, GroupChange, StreamChange, event};
use resp::ArgvBuf;
use stream::{
    Consumer, DELIVERY_COUNT_MAX, EntryRef, Group, ID_TEXT_BYTES_MAX, Lookup, Stream, StreamId,
};

use super::group_key::GroupKey;

/// The fields that a dead letter begins with: where it comes from, and why it is there. Their names
/// do not hide those of the entry itself from clients that keep an entry as a map.
pub(super) const FIELDS: [&[u8]; 6] = [
    b"dlq-stream",
    b"dlq-group",
    b"dlq-id",
    b"dlq-deliveries",
    b"dlq-consumer",
    b"dlq-reason",
];

/// Why an entry becomes a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was delivered as often as it may be.
    Deliveries,
    /// A consumer said that nobody can process it.
    Fatal,
}

/// Entries of a group that become dead letters by one command.
#[derive(Debug)]
pub(super) struct DeadLetters<'a> {
    place: GroupKey<'a>,
    letters: Vec<(StreamId, ArgvBuf)>,
    bytes: usize,
}

impl<'a> DeadLetters<'a> {
    /// None yet.
    pub(super) fn new(place: GroupKey<'a>) -> DeadLetters<'a> {
        DeadLetters {
            place,
            letters: Vec::new(),
            bytes: 0,
        }
    }

    /// Returns whether an entry that was delivered this often is not to be delivered again, and
    /// takes it then. Of what is too much for one command, the rest is taken by the next one.
    #[inline]
    pub(super) fn take_spent(
        &mut self,
        group: &Group,
        id: StreamId,
        deliveries: u64,
        look: &mut Lookup<'_>,
    ) -> bool {
        let rule = group.dead_letter();
        let is_spent = rule.is_some_and(|rule| deliveries >= rule.deliveries_max);
        if is_spent {
            let reason = match deliveries {
                DELIVERY_COUNT_MAX => Reason::Fatal,
                _ => Reason::Deliveries,
            };
            self.take(group, id, reason, look);
        }
        is_spent
    }

    /// Returns whether there is no room for more in one command.
    pub(super) fn is_full(&self) -> bool {
        self.letters.len() >= DEAD_LETTERS_MAX || self.bytes >= DEAD_LETTERS_BYTES_MAX
    }

    /// Takes an entry, unless there is no room for it.
    #[cold]
    pub(super) fn take(
        &mut self,
        group: &Group,
        id: StreamId,
        reason: Reason,
        look: &mut Lookup<'_>,
    ) {
        if self.is_full() {
            return;
        }
        let Some(entry) = look.entry(id) else {
            return;
        };
        let fields = letter(self.place, group, &entry, reason);
        self.bytes += fields.as_argv().bytes_len();
        self.letters.push((id, fields));
    }

    /// Makes them happen. Returns those that are in the dead-letter stream now, ascending if they
    /// were taken so; of the others nothing has changed.
    pub(super) fn send(&mut self, store: &mut Store<'_>) -> Result<Vec<StreamId>, CmdError> {
        if self.letters.is_empty() {
            return Ok(Vec::new());
        }
        let mut sent = Vec::with_capacity(self.letters.len());
        let GroupKey { key, group } = self.place;
        let (_, found) = self.place.required(store)?;
        let Some(to) = found.dead_letter().map(|rule| rule.key.to_vec()) else {
            return Ok(sent);
        };
        for (id, fields) in self.letters.drain(..) {
            let Some(new_id) = free_id(&to, key, store) else {
                break;
            };
            let append = StreamChange::Append {
                id: new_id,
                fields: fields.as_argv(),
                idempotent: None,
            };
            store.apply(&Effect::on(&to, append), event::XADD);
            sent.push(id);
        }
        if !sent.is_empty() {
            let acknowledge = GroupChange::Acknowledge { ids: &sent };
            store.apply(&Effect::on_group(key, group, acknowledge), event::PENDING);
            store.note_dead_letters(sent.len() as u64);
        }
        Ok(sent)
    }
}

/// The ID of the next dead letter; `None` if the stream cannot take one: its key holds something
/// else, is that of the group itself, or there are no more IDs.
fn free_id(to: &[u8], from: &[u8], store: &mut Store<'_>) -> Option<StreamId> {
    if to == from {
        return None;
    }
    let now_ms = store.now().stream_ms();
    match store.get::<Stream>(to).ok()? {
        Some(stream) => stream.next_id(now_ms).ok(),
        None => Some(StreamId::new(now_ms, u64::from(now_ms == 0))),
    }
}

/// What the dead letter of an entry says.
fn letter(place: GroupKey<'_>, group: &Group, entry: &EntryRef<'_>, reason: Reason) -> ArgvBuf {
    let pending = group.pending(entry.id());
    let holder = pending.and_then(|pending| pending.holder);
    let consumer = holder.and_then(|holder| group.consumer_at(holder.consumer));
    let mut id_text = [0; ID_TEXT_BYTES_MAX];
    let mut deliveries = itoa::Buffer::new();
    let deliveries = deliveries.format(pending.map_or(0, |pending| pending.delivery_count));
    let values: [&[u8]; FIELDS.len()] = [
        place.key,
        place.group,
        entry.id().write_text(&mut id_text),
        deliveries.as_bytes(),
        consumer.map_or(b"", Consumer::name),
        match reason {
            Reason::Deliveries => b"deliveries",
            Reason::Fatal => b"fatal",
        },
    ];
    let head = FIELDS.into_iter().zip(values);
    head.chain(entry.fields())
        .flat_map(|(field, value)| [field, value])
        .collect()
}

/// Where a dead letter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin<'e> {
    pub(super) stream: &'e [u8],
    pub(super) group: &'e [u8],
    pub(super) id: StreamId,
}

/// Reads where a dead letter comes from, and leaves its own fields; `None` of any other entry.
pub(super) fn origin<'e>(
    fields: &mut impl Iterator<Item = (&'e [u8], &'e [u8])>,
) -> Option<Origin<'e>> {
    let mut values: [&[u8]; FIELDS.len()] = [b""; FIELDS.len()];
    for (name, value) in FIELDS.iter().zip(&mut values) {
        let (field, found) = fields.next()?;
        if field != *name {
            return None;
        }
        *value = found;
    }
    let [stream, group, id, ..] = values;
    let id = StreamId::parse(id, 0).ok()?;
    Some(Origin { stream, group, id })
}
