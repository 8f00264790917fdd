//! Whose turn it is: streams that may have something, in a line, and streams that may have
//! something later.
//!
//! A stream is in one place at most. One whose turn is over and that has more goes to the end of
//! the line, so no stream comes twice before another that waits. What finds no room is not
//! forgotten but looked for again; then streams with more do not keep their places either, and
//! turns go by the order in which they are found.

use std::collections::{BTreeMap, BTreeSet};

use values::Key;

use crate::time::Mono;

/// Streams that may have something, each once.
#[derive(Debug)]
pub struct Turns {
    places: BTreeMap<Key, Place>,
    /// Those whose turn comes, by their number in the line.
    line: BTreeMap<u64, Key>,
    /// Those that are looked at later.
    later: BTreeSet<(Mono, Key)>,
    /// Those of them that the last reader could not take, but others may.
    refused: Vec<Key>,
    last_number: u64,
    streams_max: usize,
    has_passed_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    InLine(u64),
    Later(Mono),
}

/// A stream whose turn it is. It has no place until the turn is ended.
#[derive(Debug)]
pub struct Turn {
    number: u64,
    key: Key,
}

impl Turn {
    /// The stream whose turn it is.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// When a stream is looked at again after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When its turn comes again: it has more.
    Next,
    /// Before all others: it was not looked at.
    First,
    /// At that time.
    At(Mono),
    /// At that time, and by another reader at once: this one may have no more of it.
    ByOthers(Mono),
    /// When something has happened to it.
    Never,
}

/// About how many bytes a stream takes, with its place in the line.
const STREAM_BYTES: usize = 150;

impl Turns {
    /// No streams, of which there may be so many.
    pub(super) fn new(streams_max: usize) -> Turns {
        Turns {
            places: BTreeMap::new(),
            line: BTreeMap::new(),
            later: BTreeSet::new(),
            refused: Vec::new(),
            last_number: 0,
            streams_max,
            has_passed_over: false,
        }
    }

    /// Streams in the line.
    pub fn in_line(&self) -> usize {
        self.line.len()
    }

    /// Returns whether it is the turn of any.
    pub fn has_some(&self) -> bool {
        !self.line.is_empty()
    }

    /// Returns whether a stream is in the line, or comes later.
    pub(super) fn has_place(&self, key: &[u8]) -> bool {
        self.places.contains_key(key)
    }

    /// Returns whether there is no room for another stream.
    pub(crate) fn is_full(&self) -> bool {
        self.places.len() >= self.streams_max
    }

    /// Returns whether there is room for fewer than half of all.
    pub(crate) fn is_half_full(&self) -> bool {
        self.places.len() > self.streams_max / 2
    }

    /// Returns whether streams found no room that are to be looked for again.
    pub(crate) fn has_passed_over(&self) -> bool {
        self.has_passed_over
    }

    /// There are streams for which there is no room.
    pub(crate) fn pass_over(&mut self) {
        self.has_passed_over = true;
    }

    /// They are looked for from now on.
    pub(crate) fn look_again(&mut self) {
        self.has_passed_over = false;
    }

    /// A stream may have something. Returns whether the line was empty before.
    pub(crate) fn note(&mut self, key: &[u8]) -> bool {
        let was_empty = self.line.is_empty();
        match self.places.get(key).copied() {
            Some(Place::InLine(_)) => false,
            Some(Place::Later(at)) => {
                let key = Key::from(key);
                self.later.remove(&(at, key.clone()));
                self.line_up(key);
                was_empty
            }
            None if self.is_full() => {
                self.has_passed_over = true;
                false
            }
            None => {
                self.line_up(Key::from(key));
                was_empty
            }
        }
    }

    /// A stream may have something later, unless it is looked at anyway.
    pub(super) fn note_later(&mut self, key: &[u8], at: Mono) {
        if self.has_place(key) {
            return;
        }
        if self.is_full() {
            self.has_passed_over = true;
            return;
        }
        self.put_later(Key::from(key), at);
    }

    /// Those that were to come later and whose time has come go into the line, so many at most.
    /// Returns whether one did.
    pub(crate) fn release_later(&mut self, now: Mono, streams_max: usize) -> bool {
        for count in 0..streams_max {
            match self.later.first() {
                Some((at, _)) if *at <= now => {}
                _ => return count > 0,
            }
            if let Some((_, key)) = self.later.pop_first() {
                self.line_up(key);
            }
        }
        true
    }

    /// When the next comes of those that come later.
    pub(super) fn next_later(&self) -> Option<Mono> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Another reader comes: what the last one could not take goes into the line again.
    pub(crate) fn next_reader(&mut self) {
        for key in std::mem::take(&mut self.refused) {
            if matches!(self.places.get(&key), Some(Place::Later(_))) {
                self.note(&key);
            }
        }
    }

    /// Takes the stream whose turn it is.
    pub(crate) fn take(&mut self) -> Option<Turn> {
        let (number, key) = self.line.pop_first()?;
        self.places.remove(&key);
        Some(Turn { number, key })
    }

    /// Ends its turn. What has happened to the stream meanwhile counts as looked at.
    pub(crate) fn end(&mut self, turn: Turn, when: When) {
        let Turn { number, key } = turn;
        match self.places.remove(&key) {
            Some(Place::InLine(number)) => {
                self.line.remove(&number);
            }
            Some(Place::Later(at)) => {
                self.later.remove(&(at, key.clone()));
            }
            None => {}
        }
        match when {
            When::Never => {}
            When::First => {
                self.places.insert(key.clone(), Place::InLine(number));
                self.line.insert(number, key);
            }
            // Others found no room: this one, too, is found again when they are.
            When::Next | When::At(_) | When::ByOthers(_)
                if self.has_passed_over || self.is_full() =>
            {
                self.has_passed_over = true;
            }
            When::Next => self.line_up(key),
            When::At(at) => self.put_later(key, at),
            When::ByOthers(at) => {
                self.refused.push(key.clone());
                self.put_later(key, at);
            }
        }
    }

    /// About how many bytes all of it takes, without long names, which others share.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.places.len() * STREAM_BYTES
    }

    fn line_up(&mut self, key: Key) {
        self.last_number += 1;
        self.places
            .insert(key.clone(), Place::InLine(self.last_number));
        self.line.insert(self.last_number, key);
    }

    fn put_later(&mut self, key: Key, at: Mono) {
        self.places.insert(key.clone(), Place::Later(at));
        self.later.insert((at, key));
    }
}
