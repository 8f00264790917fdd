//! Compares what a server has kept with what clients were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use anyhow::Result;
use redis::Connection;

use crate::exactly_once::readers::page;
use crate::exactly_once::told::{Entry, Id, Told, Undone};
use crate::exactly_once::{GROUP, STREAMS};

/// How many pending entries are read at once.
const PAGE: usize = 1000;

/// How many examples are shown of what is wrong.
const EXAMPLES_SHOWN: usize = 20;

/// What a server has: by stream, its entries, and which of them its group has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    streams: BTreeMap<u64, (Vec<Entry>, BTreeSet<Id>)>,
}

/// What was compared, and what was not as it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audited {
    /// Appends that had a reply.
    pub appended: usize,
    /// Entries whose acknowledgement had a reply.
    pub acknowledged: usize,
    /// Entries that readers and consumers were shown, and values.
    pub shown: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// What is wrong: each case with its place.
    pub wrong: BTreeMap<Wrong, Vec<String>>,
}

/// In which ways something can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An append that was acknowledged is not there.
    Lost,
    /// A message is there more than once.
    Doubled,
    /// A message is behind a later one of its producer, or an entry has come before what was read.
    Misordered,
    /// A message is there under another ID than was told.
    Renamed,
    /// A message is there of which nobody was told, though its producer has asked until it was.
    Unknown,
    /// An entry or a value that was shown is not there any more, or another one is.
    ReadUndone,
    /// An entry that was acknowledged is pending, was given to somebody again, or is gone.
    AcknowledgementUndone,
}

const ALL: [(Wrong, &str); 7] = [
    (Wrong::Lost, "lost"),
    (Wrong::Doubled, "doubled"),
    (Wrong::Misordered, "misordered"),
    (Wrong::Renamed, "under another ID"),
    (Wrong::Unknown, "unknown"),
    (Wrong::ReadUndone, "reads undone"),
    (Wrong::AcknowledgementUndone, "acknowledgements undone"),
];

impl Kept {
    /// Asks a server.
    ///
    /// # Errors
    /// When it does not tell, or has what no client appends.
    pub fn read(connection: &mut Connection) -> Result<Kept> {
        let mut streams = BTreeMap::new();
        for stream in 0..STREAMS {
            let mut entries: Vec<Entry> = Vec::new();
            loop {
                let after = entries.last().map(|last| last.id).unwrap_or_default();
                let found = page(connection, stream, after)?;
                if found.is_empty() {
                    break;
                }
                for (id, fields) in &found {
                    entries.push(Entry::of(id, fields)?);
                }
            }
            streams.insert(stream, (entries, pending(connection, stream)?));
        }
        Ok(Kept { streams })
    }

    /// Writes down everything, a line each, for somebody to look at.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (stream, (entries, pending)) in &self.streams {
            for entry in entries {
                writeln!(out, "entry s{stream} {entry}")?;
            }
            for id in pending {
                writeln!(out, "pending s{stream} {id}")?;
            }
        }
        Ok(())
    }
}

/// Which entries the group has not acknowledged.
fn pending(connection: &mut Connection, stream: u64) -> Result<BTreeSet<Id>> {
    let mut pending: BTreeSet<Id> = BTreeSet::new();
    loop {
        let after = pending.last().copied().unwrap_or_default();
        let mut left = redis::cmd("XPENDING");
        left.arg(format!("s{stream}")).arg(GROUP);
        left.arg(format!("({after}")).arg("+").arg(PAGE);
        let left: Vec<(String, String, u64, u64)> = left.query(connection)?;
        if left.is_empty() {
            return Ok(pending);
        }
        for (id, ..) in left {
            pending.insert(id.parse()?);
        }
    }
}

impl Told {
    /// Compares it with what a server has. Nobody may ask for anything any more.
    pub fn compare(&self, kept: &Kept) -> Audited {
        let inner = self.lock();
        let mut audited = Audited {
            appended: inner.appended.values().map(Vec::len).sum(),
            acknowledged: inner.acknowledged.values().map(BTreeSet::len).sum(),
            shown: inner.values,
            retries: self.retries(),
            wrong: BTreeMap::new(),
        };
        for (kind, place) in &inner.undone {
            let kind = match kind {
                Undone::Read => Wrong::ReadUndone,
                Undone::Acknowledgement => Wrong::AcknowledgementUndone,
            };
            audited.note(kind, place.clone());
        }
        let mut messages: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        for entry in kept.streams.values().flat_map(|(entries, _)| entries) {
            messages.entry(entry.producer).or_default().push(*entry);
        }
        for (producer, ids) in &inner.appended {
            let messages = messages.remove(producer).unwrap_or_default();
            audited.compare_messages(*producer, ids, &messages);
        }
        for entry in messages.values().flatten() {
            audited.note(Wrong::Unknown, entry.to_string());
        }
        for (stream, (entries, pending)) in &kept.streams {
            let entries: BTreeMap<Id, Entry> = entries.iter().map(|it| (it.id, *it)).collect();
            for id in inner.acknowledged.get(stream).into_iter().flatten() {
                if pending.contains(id) || !entries.contains_key(id) {
                    audited.note(Wrong::AcknowledgementUndone, format!("s{stream} {id}"));
                }
            }
            let delivered = inner.delivered.get(stream);
            let delivered = delivered.map_or(&[][..], Vec::as_slice);
            audited.compare_shown(&format!("group s{stream}"), delivered, &entries);
            for ((reader, _), shown) in inner.shown.iter().filter(|((_, it), _)| it == stream) {
                let place = format!("{reader} s{stream}");
                audited.compare_shown(&place, shown, &entries);
                audited.compare_order(&place, shown, &entries);
            }
        }
        audited
    }
}

impl Audited {
    /// How often something is wrong in this way.
    pub fn count(&self, kind: Wrong) -> usize {
        self.wrong.get(&kind).map_or(0, Vec::len)
    }

    fn note(&mut self, kind: Wrong, place: String) {
        self.wrong.entry(kind).or_default().push(place);
    }

    /// What a producer was told, and what is there of it in order.
    fn compare_messages(&mut self, producer: u64, ids: &[Id], kept: &[Entry]) {
        let mut seen = BTreeSet::new();
        let mut last = None;
        for entry in kept {
            let told = usize::try_from(entry.message)
                .ok()
                .and_then(|at| ids.get(at));
            if !seen.insert(entry.message) {
                self.note(Wrong::Doubled, entry.to_string());
            } else if told.is_none() {
                self.note(Wrong::Unknown, entry.to_string());
            } else if told != Some(&entry.id) {
                let place = format!("{entry}: told {}", told.copied().unwrap_or_default());
                self.note(Wrong::Renamed, place);
            }
            if last > Some(entry.message) {
                self.note(Wrong::Misordered, entry.to_string());
            }
            last = last.max(Some(entry.message));
        }
        for (message, id) in (0..)
            .zip(ids)
            .filter(|(message, _)| !seen.contains(message))
        {
            self.note(Wrong::Lost, format!("{id} {producer} {message}"));
        }
    }

    /// Everything that somebody was shown is still there.
    fn compare_shown(&mut self, place: &str, shown: &[Entry], kept: &BTreeMap<Id, Entry>) {
        self.shown += shown.len() as u64;
        for entry in shown.iter().filter(|it| kept.get(&it.id) != Some(it)) {
            self.note(Wrong::ReadUndone, format!("{place} {entry}"));
        }
    }

    /// Nothing has come before what a reader had read by then.
    fn compare_order(&mut self, place: &str, shown: &[Entry], kept: &BTreeMap<Id, Entry>) {
        let Some(last) = shown.last() else {
            return;
        };
        let shown: BTreeSet<Id> = shown.iter().map(|it| it.id).collect();
        for (id, entry) in kept.range(..=last.id) {
            if !shown.contains(id) {
                let text = format!("{place}: {entry} has come later");
                self.note(Wrong::Misordered, text);
            }
        }
    }
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged appends, {} acknowledged entries, {} reads, {} retries: ",
            self.appended, self.acknowledged, self.shown, self.retries
        )?;
        for (place, (kind, name)) in ALL.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", self.count(kind))?;
        }
        for (kind, places) in &self.wrong {
            for place in places.iter().take(EXAMPLES_SHOWN) {
                write!(f, "\n{kind:?}: {place}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of producer 1.
    fn entry(ms: u64, message: u64) -> Entry {
        Entry {
            id: id(ms),
            producer: 1,
            message,
        }
    }

    fn id(ms: u64) -> Id {
        format!("{ms}-0").parse().unwrap()
    }

    /// Three messages, two of which are acknowledged; all were shown.
    fn told() -> Told {
        let told = Told::default();
        let entries: Vec<Entry> = (0..3).map(|message| entry(10 + message, message)).collect();
        for it in &entries {
            told.appended(1, it.message, it.id).unwrap();
        }
        told.shown("leader", 0, &entries);
        told.delivered(0, &entries);
        told.acknowledged(0, id(10));
        told.acknowledged(0, id(11));
        told
    }

    fn kept(entries: &[Entry], pending: &[u64]) -> Kept {
        let pending = pending.iter().map(|ms| id(*ms)).collect();
        Kept {
            streams: BTreeMap::from([(0, (entries.to_vec(), pending))]),
        }
    }

    fn wrong(told: &Told, kept: &Kept) -> Vec<(Wrong, usize)> {
        let audited = told.compare(kept);
        let wrong = audited.wrong.iter();
        wrong.map(|(kind, places)| (*kind, places.len())).collect()
    }

    #[test]
    fn what_is_as_it_was_told_is_not_wrong() {
        let whole = kept(&[entry(10, 0), entry(11, 1), entry(12, 2)], &[12]);
        let audited = told().compare(&whole);
        assert_eq!(
            audited.to_string(),
            "3 acknowledged appends, 2 acknowledged entries, 6 reads, 0 retries: 0 lost, 0 doubled, \
             0 misordered, 0 under another ID, 0 unknown, 0 reads undone, 0 acknowledgements undone"
        );
    }

    #[test]
    fn an_append_that_is_lost_was_read_and_acknowledged_in_vain() {
        let without = kept(&[entry(10, 0), entry(12, 2)], &[12]);
        // The reader and the consumer were shown it.
        let expected = [
            (Wrong::Lost, 1),
            (Wrong::ReadUndone, 2),
            (Wrong::AcknowledgementUndone, 1),
        ];
        assert_eq!(wrong(&told(), &without), expected);
    }

    #[test]
    fn a_message_that_is_there_twice_is_found() {
        let twice = [entry(10, 0), entry(11, 1), entry(12, 2), entry(13, 2)];
        assert_eq!(wrong(&told(), &kept(&twice, &[])), [(Wrong::Doubled, 1)]);
    }

    #[test]
    fn messages_out_of_order_are_found() {
        let (told, swapped) = (Told::default(), [entry(10, 1), entry(11, 0)]);
        told.appended(1, 0, id(11)).unwrap();
        told.appended(1, 1, id(10)).unwrap();
        assert_eq!(wrong(&told, &kept(&swapped, &[])), [(Wrong::Misordered, 1)]);
    }

    #[test]
    fn what_comes_before_that_which_was_read_is_found() {
        let told = Told::default();
        told.appended(1, 0, id(10)).unwrap();
        told.appended(1, 1, id(11)).unwrap();
        told.shown("leader", 0, &[entry(11, 1)]);
        let both = kept(&[entry(10, 0), entry(11, 1)], &[]);
        assert_eq!(wrong(&told, &both), [(Wrong::Misordered, 1)]);
    }

    #[test]
    fn a_message_under_another_id_and_one_that_nobody_was_told_of_are_found() {
        let told = Told::default();
        told.appended(1, 0, id(10)).unwrap();
        let other = kept(&[entry(11, 0), entry(12, 1)], &[]);
        let expected = [(Wrong::Renamed, 1), (Wrong::Unknown, 1)];
        assert_eq!(wrong(&told, &other), expected);
    }

    #[test]
    fn an_acknowledgement_that_is_undone_is_found() {
        let whole = [entry(10, 0), entry(11, 1), entry(12, 2)];
        let expected = [(Wrong::AcknowledgementUndone, 1)];
        assert_eq!(wrong(&told(), &kept(&whole, &[11, 12])), expected);
        let given_again = told();
        given_again.delivered(0, &[entry(11, 1)]);
        assert_eq!(wrong(&given_again, &kept(&whole, &[])), expected);
        let acknowledged_twice = told();
        acknowledged_twice.acknowledged(0, id(10));
        assert_eq!(wrong(&acknowledged_twice, &kept(&whole, &[])), expected);
    }

    #[test]
    fn a_value_that_was_read_and_is_less_later_is_found() {
        let told = Told::default();
        told.value(0, 7);
        told.value(7, 6);
        assert_eq!(wrong(&told, &kept(&[], &[])), [(Wrong::ReadUndone, 1)]);
    }
}
