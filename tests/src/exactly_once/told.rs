//! What clients were told: the side of the audit that they keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail, ensure};

/// The ID of an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    ms: u64,
    seq: u64,
}

/// An entry of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its ID.
    pub id: Id,
    /// Who has appended it.
    pub producer: u64,
    /// Which of its messages it is, from 0.
    pub message: u64,
}

/// What clients were told, all of it.
#[derive(Debug, Default)]
pub struct Told {
    inner: Mutex<Inner>,
    retries: AtomicU64,
    appends: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    /// By producer: the ID that was replied for each message, in order.
    pub(super) appended: BTreeMap<u64, Vec<Id>>,
    /// By stream: entries whose acknowledgement was replied.
    pub(super) acknowledged: BTreeMap<u64, BTreeSet<Id>>,
    /// By stream: what consumers were given.
    pub(super) delivered: BTreeMap<u64, Vec<Entry>>,
    /// By reader and stream: what it was shown, from the first entry on, without a gap.
    pub(super) shown: BTreeMap<(String, u64), Vec<Entry>>,
    /// How often a value that only grows was read.
    pub(super) values: u64,
    /// What was seen to be undone at once: the kind of it, and the place.
    pub(super) undone: Vec<(Undone, String)>,
}

/// What may be taken back although somebody was told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    /// A value or entry that was shown.
    Read,
    /// That an entry was acknowledged.
    Acknowledgement,
}

impl Told {
    /// How many appends have had a reply.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// How many requests were sent again.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Writes down everything, a line each, for somebody to look at.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let inner = self.lock();
        for (producer, ids) in &inner.appended {
            for (message, id) in ids.iter().enumerate() {
                writeln!(out, "appended {producer} {message} {id}")?;
            }
        }
        for (stream, ids) in &inner.acknowledged {
            for id in ids {
                writeln!(out, "acknowledged s{stream} {id}")?;
            }
        }
        for (stream, entries) in &inner.delivered {
            for entry in entries {
                writeln!(out, "delivered s{stream} {entry}")?;
            }
        }
        for ((reader, stream), entries) in &inner.shown {
            for entry in entries {
                writeln!(out, "shown {reader} s{stream} {entry}")?;
            }
        }
        for (kind, place) in &inner.undone {
            writeln!(out, "undone {kind:?} {place}")?;
        }
        Ok(())
    }

    /// Notes what a program was told, as it has printed it.
    ///
    /// # Errors
    /// It makes no sense.
    pub(crate) fn note(&self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["appended", producer, message, id] => {
                self.appended(producer.parse()?, message.parse()?, id.parse()?)?;
            }
            ["acknowledged", stream, id] => {
                let stream = stream.strip_prefix('s').context("an unknown stream")?;
                self.acknowledged(stream.parse()?, id.parse()?);
            }
            ["again", ..] => self.retried(),
            _ => bail!("an unknown line"),
        }
        Ok(())
    }

    /// The next message of a producer has this ID.
    pub(super) fn appended(&self, producer: u64, message: u64, id: Id) -> Result<()> {
        let mut inner = self.lock();
        let ids = inner.appended.entry(producer).or_default();
        ensure!(message == ids.len() as u64, "not the next message");
        ids.push(id);
        self.appends.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// An entry was acknowledged. Nobody is given it again then, so this can happen only once.
    pub(super) fn acknowledged(&self, stream: u64, id: Id) {
        let mut inner = self.lock();
        let is_first = inner.acknowledged.entry(stream).or_default().insert(id);
        if !is_first {
            let place = format!("s{stream} {id}: acknowledged twice");
            inner.undone.push((Undone::Acknowledgement, place));
        }
    }

    /// A consumer was given entries.
    pub(super) fn delivered(&self, stream: u64, entries: &[Entry]) {
        let mut inner = self.lock();
        let Inner {
            acknowledged,
            delivered,
            undone,
            ..
        } = &mut *inner;
        let done = acknowledged.entry(stream).or_default();
        for entry in entries.iter().filter(|entry| done.contains(&entry.id)) {
            let place = format!("s{stream} {entry}: delivered after it was acknowledged");
            undone.push((Undone::Acknowledgement, place));
        }
        delivered.entry(stream).or_default().extend(entries);
    }

    /// A reader was shown what follows in a stream.
    pub(super) fn shown(&self, reader: &str, stream: u64, entries: &[Entry]) {
        let mut inner = self.lock();
        let shown = inner.shown.entry((reader.to_owned(), stream)).or_default();
        shown.extend(entries);
    }

    /// A value was read that only grows, and was at least `before`.
    pub(super) fn value(&self, before: u64, value: u64) {
        let mut inner = self.lock();
        inner.values += 1;
        if value < before {
            let place = format!("a value was {before}, and then {value}");
            inner.undone.push((Undone::Read, place));
        }
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn appends_of(&self, producer: u64) -> usize {
        self.lock().appended.get(&producer).map_or(0, Vec::len)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// What a server says of an entry.
    ///
    /// # Errors
    /// When no producer appends such ones.
    pub(super) fn of(id: &str, fields: &[String]) -> Result<Entry> {
        let [_, producer, _, message] = fields else {
            bail!("entry {id} is {fields:?}")
        };
        Ok(Entry {
            id: id.parse()?,
            producer: producer.parse()?,
            message: message.parse()?,
        })
    }
}

impl FromStr for Id {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Id> {
        let (ms, seq) = text.split_once('-').context("no ID")?;
        Ok(Id {
            ms: ms.parse().with_context(|| format!("no ID: {text}"))?,
            seq: seq.parse().with_context(|| format!("no ID: {text}"))?,
        })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id, self.producer, self.message)
    }
}
