//! What weir knows of a stream beyond what Redis' format can hold.
//!
//! A snapshot tells it in auxiliary fields before the key, which Redis skips. Each is left out if
//! it has nothing to say, which is nearly always the case. A long one continues in further fields
//! of the same name.
//!
//! | name | content |
//! |---|---|
//! | `weir-idmp-times` | per remembered id whose entry was not added at the time in its ID: how many ids lie between it and the one before (number), and by how many milliseconds the time of the addition is ahead (number; twice that, or twice that less one where it is behind) |
//! | `weir-idmp-messages` | per remembered id of which it is known what its message was: how many ids lie between it and the one before (number), and a hash of the fields (8 bytes, little endian) |
//! | `weir-idmp-epochs` | per producer that was given an epoch: its ID (its length, a number, and its bytes) and the latest epoch (number) |
//! | `weir-idmp-counts` | if a stream counts what happens to producers, a tally of all; then per producer that has one: its ID (its length, a number, and its bytes) and a tally. A tally is how many counts there are, and these (numbers): duplicates, conflicts, fenced, stale, gaps, dropped, evicted |
//! | `weir-idmp-numbers` | per producer that has reached a number: its ID (its length, a number, and its bytes), the number, the two numbers of its entry's ID, and a hash of the message (8 bytes, little endian; 0 if it is not known) |
//! | `weir-delayed` | the number of the last ticket that was given out (number), and what waits to be appended (`stream/delayed.rs`) |
//! | `weir-settings` | per setting of the stream that is not as by default: its tag and its value (numbers; a span is two, a text is its length and its bytes) |
//! | `weir-group-settings` | per group with settings that are not as by default: how many groups lie between it and the one before, how many such settings there are (numbers), and these as above |
//! | `weir-pel-order` | per group with pending entries that came after one of the same delivery time and a greater ID: how many groups lie between it and the one before, how many such entries there are (numbers), and their IDs (16 bytes each) in the order in which they came |
//! | `weir-pel-pauses` | per group with pending entries that were given back with a pause: how many groups lie between it and the one before, how many such entries there are (numbers), and for each its ID (16 bytes) and the time before which nobody is to be given it (number, milliseconds since the epoch), in the order of these times |
//!
//! Ids count in the order in which the value has them, groups too. A payload of `DUMP` begins with
//! these fields only if the stream has settings, epochs or tickets, or a group of it has settings
//! or entries with a pause; Redis refuses it then. Else it has none: there an id was added at the
//! time in its entry's ID or at the time of the `RESTORE`, whichever is earlier, and pending
//! entries of one delivery time are in the order of their IDs.
//!
//! A setting whose tag or value this version does not know is refused, not passed over: the stream
//! would do something else than it was told.

mod pauses;

use stream::{
    Configured, Counted, EPOCH_MAX, Form, GroupSettings, Idempotence, Reached, Row, SettingValue,
    Settings, Stream, StreamId, StreamSettings, Tally,
};

use self::pauses::PendingPauses;
use super::{delayed, id_bytes, read_raw_id};
use crate::code;
use crate::decode::{Decoder, Summed};
use crate::encode::{Encoder, push_number};
use crate::error::Fault;
use crate::limits::{PIECE_BYTES, STRING_BYTES_MAX};
use crate::source::Sink;

const ADDED_TIMES: &[u8] = b"weir-idmp-times";
const MESSAGES: &[u8] = b"weir-idmp-messages";
const EPOCHS: &[u8] = b"weir-idmp-epochs";
const COUNTS: &[u8] = b"weir-idmp-counts";
const NUMBERS: &[u8] = b"weir-idmp-numbers";
const DELAYED: &[u8] = b"weir-delayed";
const SETTINGS: &[u8] = b"weir-settings";
const GROUP_SETTINGS: &[u8] = b"weir-group-settings";
const PENDING_ORDER: &[u8] = b"weir-pel-order";

/// What was said about a stream that comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    added_times: Vec<u8>,
    messages: Vec<u8>,
    epochs: Vec<u8>,
    counts: Vec<u8>,
    numbers: Vec<u8>,
    delayed: Vec<u8>,
    settings: Vec<u8>,
    group_settings: Vec<u8>,
    pending_order: Vec<u8>,
    pending_pauses: Vec<u8>,
}

/// What became of an auxiliary field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    No,
}

impl Extras {
    /// Takes an auxiliary field in, if it is one of these.
    pub(crate) fn take(&mut self, name: &[u8], content: &[u8]) -> Taken {
        let so_far = match name {
            ADDED_TIMES => &mut self.added_times,
            MESSAGES => &mut self.messages,
            EPOCHS => &mut self.epochs,
            COUNTS => &mut self.counts,
            NUMBERS => &mut self.numbers,
            DELAYED => &mut self.delayed,
            SETTINGS => &mut self.settings,
            GROUP_SETTINGS => &mut self.group_settings,
            PENDING_ORDER => &mut self.pending_order,
            pauses::NAME => &mut self.pending_pauses,
            _ => return Taken::No,
        };
        so_far.extend_from_slice(content);
        Taken::Yes
    }

    /// When entries were added, told for one remembered id after the other.
    pub(super) fn added_times(&self) -> AddedTimes<'_> {
        AddedTimes {
            differing: Sparse::new(&self.added_times),
        }
    }

    /// Hashes of messages, told for one remembered id after the other.
    pub(super) fn messages(&self) -> Messages<'_> {
        Messages {
            differing: Sparse::new(&self.messages),
        }
    }

    /// Calls `f` with each producer that was given an epoch, and the latest.
    pub(super) fn epochs(&self, mut f: impl FnMut(&[u8], u64)) -> Result<(), Damaged> {
        let mut from = Decoder::new(&*self.epochs, Summed::Already);
        while !from.is_at_end().unwrap_or(true) {
            let producer = from.with_string(STRING_BYTES_MAX, "a producer", <[u8]>::to_vec);
            let producer = producer.map_err(|_| Damaged::Foreign)?;
            let epoch = number(&mut from)?;
            if epoch > EPOCH_MAX {
                return Err(Damaged::Foreign);
            }
            f(&producer, epoch);
        }
        Ok(())
    }

    /// What happened to the appends of producers, put into a stream that counts that.
    pub(super) fn counts(&self, idempotence: &mut Idempotence) -> Result<(), Damaged> {
        let mut from = Decoder::new(&*self.counts, Summed::Already);
        if from.is_at_end().unwrap_or(true) {
            return Ok(());
        }
        idempotence.restore_counted(read_tally(&mut from)?);
        while !from.is_at_end().unwrap_or(true) {
            let producer = from.with_string(STRING_BYTES_MAX, "a producer", <[u8]>::to_vec);
            let producer = producer.map_err(|_| Damaged::Foreign)?;
            idempotence.restore_counted_producer(&producer, read_tally(&mut from)?);
        }
        Ok(())
    }

    /// What producers have reached, put into a stream where iids are numbers.
    pub(super) fn numbers(&self, idempotence: &mut Idempotence) -> Result<(), Damaged> {
        let mut from = Decoder::new(&*self.numbers, Summed::Already);
        while !from.is_at_end().unwrap_or(true) {
            let producer = from.with_string(STRING_BYTES_MAX, "a producer", <[u8]>::to_vec);
            let producer = producer.map_err(|_| Damaged::Foreign)?;
            let reached = Reached {
                number: number(&mut from)?,
                id: StreamId::new(number(&mut from)?, number(&mut from)?),
            };
            let message = from.array("a hash").map_err(|_| Damaged::Foreign)?;
            let message = Some(u64::from_le_bytes(message)).filter(|&hash| hash != 0);
            if reached.number > i64::MAX as u64 {
                return Err(Damaged::Foreign);
            }
            idempotence.restore_reached(&producer, reached);
            idempotence.restore_message(&producer, reached.id, message);
        }
        Ok(())
    }

    /// Lets the entries wait that do so in the stream.
    pub(super) fn delay(&self, stream: &mut Stream) -> Result<(), Damaged> {
        if self.delayed.is_empty() {
            return Ok(());
        }
        let mut from = Decoder::new(&*self.delayed, Summed::Already);
        delayed::read(&mut from, stream).ok_or(Damaged::Foreign)
    }

    /// The settings of the stream.
    pub(super) fn settings(&self) -> Result<StreamSettings, Damaged> {
        let mut from = Decoder::new(&*self.settings, Summed::Already);
        let mut settings = StreamSettings::default();
        while !from.is_at_end().unwrap_or(true) {
            read_setting(&mut settings, &mut from)?;
        }
        Ok(settings)
    }

    /// The settings of groups, told for one group after the other.
    pub(super) fn group_settings(&self) -> GroupsSettings<'_> {
        GroupsSettings {
            differing: Sparse::new(&self.group_settings),
        }
    }

    /// In which order pending entries came, told for one group after the other.
    pub(super) fn pending_order(&self) -> PendingOrder<'_> {
        PendingOrder {
            differing: Sparse::new(&self.pending_order),
        }
    }

    /// Which pending entries have a pause, told for one group after the other.
    pub(super) fn pending_pauses(&self) -> PendingPauses<'_> {
        PendingPauses::new(&self.pending_pauses)
    }
}

/// A field is not what this version of weir writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damaged {
    /// It does not belong to the stream behind it.
    Foreign,
    /// A setting has this tag, or a value, that is not known.
    UnknownSetting(u64),
}

impl From<Damaged> for Fault {
    fn from(damaged: Damaged) -> Fault {
        match damaged {
            Damaged::Foreign => Fault::Contradiction(
                "an auxiliary field of weir does not belong to the stream behind it",
            ),
            Damaged::UnknownSetting(found) => Fault::Unexpected {
                expected: "a setting of a stream that this version of weir knows",
                found,
            },
        }
    }
}

/// When entries were added.
pub(super) struct AddedTimes<'a> {
    differing: Sparse<'a>,
}

impl AddedTimes<'_> {
    /// When the entry of the next remembered id was added, in milliseconds since the epoch.
    pub(super) fn next(&mut self, id: StreamId) -> Result<u64, Damaged> {
        match self.differing.next()? {
            Differs::No => Ok(id.ms),
            Differs::Yes => {
                let number = self.differing.number()?;
                let ahead_ms = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                Ok(id.ms.wrapping_add_signed(ahead_ms))
            }
        }
    }
}

/// Hashes of messages.
pub(super) struct Messages<'a> {
    differing: Sparse<'a>,
}

impl Messages<'_> {
    /// The hash of the message of the next remembered id, if it is known.
    pub(super) fn next(&mut self) -> Result<Option<u64>, Damaged> {
        match self.differing.next()? {
            Differs::No => Ok(None),
            Differs::Yes => {
                let bytes = self.differing.from.array("a hash");
                let bytes = bytes.map_err(|_| Damaged::Foreign)?;
                Ok(Some(u64::from_le_bytes(bytes)))
            }
        }
    }
}

/// The settings of groups.
pub(super) struct GroupsSettings<'a> {
    differing: Sparse<'a>,
}

impl GroupsSettings<'_> {
    /// The settings of the next group.
    pub(super) fn next(&mut self) -> Result<GroupSettings, Damaged> {
        let mut settings = GroupSettings::default();
        if self.differing.next()? == Differs::Yes {
            for _ in 0..self.differing.number()? {
                read_setting(&mut settings, &mut self.differing.from)?;
            }
        }
        Ok(settings)
    }
}

/// Reads a tally, which may have fewer counts if an earlier version wrote it.
fn read_tally(from: &mut Decoder<&[u8]>) -> Result<Tally, Damaged> {
    let mut tally = Tally::default();
    let known = Counted::ALL.len() as u64;
    let len = number(from)?;
    if len > known {
        return Err(Damaged::Foreign);
    }
    for what in Counted::ALL.into_iter().take(len as usize) {
        tally.add(what, number(from)?);
    }
    Ok(tally)
}

fn push_tally(tally: &Tally, content: &mut Vec<u8>) {
    push_number(content, Counted::ALL.len() as u64);
    for what in Counted::ALL {
        push_number(content, tally.get(what));
    }
}

/// Reads the next setting of an owner.
fn read_setting<S: Settings>(settings: &mut S, from: &mut Decoder<&[u8]>) -> Result<(), Damaged> {
    let tag = number(from)?;
    let row = Row::<S>::tagged(tag).ok_or(Damaged::UnknownSetting(tag))?;
    let text: Vec<u8>;
    let value = match row.form {
        Form::Word(_) | Form::Number { .. } => SettingValue::Number(number(from)?),
        Form::Span { .. } => SettingValue::Span(number(from)?, number(from)?),
        Form::Text { bytes_max } => {
            let read = from.with_string(bytes_max as u64, "a text", <[u8]>::to_vec);
            text = read.map_err(|_| Damaged::Foreign)?;
            SettingValue::Text(&text)
        }
    };
    if !row.form.allows(value) {
        return Err(Damaged::UnknownSetting(tag));
    }
    (row.set)(settings, value);
    Ok(())
}

fn push_settings<S: Settings>(settings: &Configured<S>, content: &mut Vec<u8>) {
    settings.for_each(|row, value| {
        push_number(content, u64::from(row.tag));
        match value {
            SettingValue::Number(number) => push_number(content, number),
            SettingValue::Span(first, second) => {
                push_number(content, first);
                push_number(content, second);
            }
            SettingValue::Text(text) => {
                push_number(content, text.len() as u64);
                content.extend_from_slice(text);
            }
        }
    });
}

/// In which order pending entries came.
pub(super) struct PendingOrder<'a> {
    differing: Sparse<'a>,
}

impl PendingOrder<'_> {
    /// The latecomers of the next group.
    pub(super) fn next(&mut self) -> Result<Vec<StreamId>, Damaged> {
        let mut latecomers = Vec::new();
        if self.differing.next()? == Differs::Yes {
            for _ in 0..self.differing.number()? {
                let id = read_raw_id(&mut self.differing.from, "a pending entry");
                latecomers.push(id.map_err(|_| Damaged::Foreign)?);
            }
        }
        Ok(latecomers)
    }
}

/// Says which members of a row differ from the usual, by the gaps between them.
struct Sparse<'a> {
    from: Decoder<&'a [u8]>,
    /// How many usual ones come before the next; `None` if that must be read first.
    gap: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Differs {
    No,
    Yes,
}

impl<'a> Sparse<'a> {
    fn new(content: &'a [u8]) -> Sparse<'a> {
        Sparse {
            from: Decoder::new(content, Summed::Already),
            gap: None,
        }
    }

    fn next(&mut self) -> Result<Differs, Damaged> {
        let gap = match self.gap {
            Some(gap) => gap,
            None if self.from.is_at_end().unwrap_or(true) => u64::MAX,
            None => self.number()?,
        };
        self.gap = gap.checked_sub(1);
        Ok(if gap == 0 { Differs::Yes } else { Differs::No })
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        number(&mut self.from)
    }
}

fn number(from: &mut Decoder<&[u8]>) -> Result<u64, Damaged> {
    from.number("a number").map_err(|_| Damaged::Foreign)
}

/// Writes what must be said before a stream.
pub(crate) fn write<K: Sink>(stream: &Stream, out: &mut Encoder<K>) -> Result<(), K::Error> {
    let mut field = Field::new(ADDED_TIMES);
    for producer in stream.idempotence().producers(0) {
        producer.for_each(|record| {
            let ahead_ms = record.added_at_ms.wrapping_sub(record.id.ms).cast_signed();
            if field.differs(ahead_ms != 0) {
                let number = (ahead_ms << 1) ^ (ahead_ms >> 63);
                push_number(&mut field.content, number.cast_unsigned());
            }
        });
        field.drain(out)?;
    }
    field.flush(out)?;

    if stream.idempotence().keeps_messages() {
        write_messages(stream.idempotence(), out)?;
    }

    let mut field = Field::new(EPOCHS);
    for (producer, epoch) in stream.idempotence().epochs() {
        push_number(&mut field.content, producer.len() as u64);
        field.content.extend_from_slice(producer);
        push_number(&mut field.content, epoch);
        field.drain(out)?;
    }
    field.flush(out)?;

    let mut field = Field::new(COUNTS);
    if let Some(sum) = stream.idempotence().counted() {
        push_tally(sum, &mut field.content);
    }
    for (producer, tally) in stream.idempotence().counted_producers() {
        push_number(&mut field.content, producer.len() as u64);
        field.content.extend_from_slice(producer);
        push_tally(tally, &mut field.content);
        field.drain(out)?;
    }
    field.flush(out)?;

    let mut field = Field::new(NUMBERS);
    for (producer, Reached { number, id }) in stream.idempotence().all_reached() {
        push_number(&mut field.content, producer.len() as u64);
        field.content.extend_from_slice(producer);
        [number, id.ms, id.seq]
            .into_iter()
            .for_each(|number| push_number(&mut field.content, number));
        let message = stream.idempotence().message(producer, id).unwrap_or(0);
        field.content.extend_from_slice(&message.to_le_bytes());
        field.drain(out)?;
    }
    field.flush(out)?;

    if let Some(delayed) = stream.delayed() {
        let mut field = Field::new(DELAYED);
        push_number(&mut field.content, delayed.last_number());
        for entry in delayed.iter() {
            delayed::push(&entry, &mut field.content);
            field.drain(out)?;
        }
        field.flush(out)?;
    }

    let mut field = Field::new(SETTINGS);
    push_settings(stream.settings(), &mut field.content);
    field.flush(out)?;

    let mut field = Field::new(GROUP_SETTINGS);
    for (_, group) in stream.groups().iter() {
        if field.differs(!group.settings().is_empty()) {
            push_number(&mut field.content, group.settings().len() as u64);
            push_settings(group.settings(), &mut field.content);
            field.drain(out)?;
        }
    }
    field.flush(out)?;

    let mut field = Field::new(PENDING_ORDER);
    for (_, group) in stream.groups().iter() {
        let count = group.latecomers().count();
        if field.differs(count != 0) {
            push_number(&mut field.content, count as u64);
            for id in group.latecomers() {
                field.content.extend_from_slice(&id_bytes(id));
                field.drain(out)?;
            }
        }
    }
    field.flush(out)?;

    pauses::write(stream, out)
}

fn write_messages<K: Sink>(
    idempotence: &Idempotence,
    out: &mut Encoder<K>,
) -> Result<(), K::Error> {
    let mut field = Field::new(MESSAGES);
    for producer in idempotence.producers(0) {
        producer.for_each(|record| {
            let message = idempotence.message(producer.id(), record.id);
            field.differs(message.is_some());
            let bytes = message.map(u64::to_le_bytes);
            field.content.extend(bytes.into_iter().flatten());
        });
        field.drain(out)?;
    }
    field.flush(out)
}

/// An auxiliary field that is being written.
struct Field {
    name: &'static [u8],
    content: Vec<u8>,
    gap: u64,
}

impl Field {
    fn new(name: &'static [u8]) -> Field {
        Field {
            name,
            content: Vec::new(),
            gap: 0,
        }
    }

    /// Counts the next member of the row; whether it differs.
    fn differs(&mut self, differs: bool) -> bool {
        if differs {
            push_number(&mut self.content, self.gap);
            self.gap = 0;
        } else {
            self.gap += 1;
        }
        differs
    }

    fn drain<K: Sink>(&mut self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.content.len() < PIECE_BYTES {
            return Ok(());
        }
        self.flush(out)
    }

    fn flush<K: Sink>(&mut self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.content.is_empty() {
            return Ok(());
        }
        out.byte(code::AUXILIARY);
        out.string(self.name);
        out.string(&self.content);
        self.content.clear();
        out.drain()
    }
}
