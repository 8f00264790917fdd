//! Reads of many streams by a pattern (`XREADGROUP … PATTERN`): which streams may have something
//! for whom.
//!
//! A [`PatternRead`] is what those share who read with the same pattern and group. It has the
//! [`Turns`] of streams that may have something, and a walk through the keyspace that finds those
//! that were there before. It is worked out from the keyspace and from what happens there, so it is
//! in no file, and may be forgotten and begun again at any time. Everything in here is bounded:
//! reads, streams of each, and what one step looks at.
//!
//! What reads the keyspace for it is in [`crate::store::pattern_reads`], who waits in
//! [`crate::clients::waiting`].

mod turns;

use crate::glob::{Letters, matches};
use crate::limits::{
    PATTERN_READ_IDLE_MS, PATTERN_READ_NAME_BYTES_MAX, PATTERN_READS_MAX, PATTERN_STREAMS_MAX,
};
use crate::time::Mono;

pub use self::turns::{Turn, Turns, When};

/// Which read it is: those who read with the same words share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The database of the streams.
    pub database: u16,
    /// What their keys match.
    pub pattern: &'a [u8],
    /// The group that is read as.
    pub group: &'a [u8],
    /// From when on pending entries are taken over, in milliseconds (`CLAIM`).
    pub claim_idle_ms: Option<u64>,
    /// What becomes of streams that lack the group.
    pub without_group: WithoutGroup,
}

/// What becomes of a stream that lacks the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutGroup {
    /// It is passed over.
    PassedOver,
    /// The group is made (`MAKEGROUP`).
    GetsIt,
}

/// The number of a read; none is given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatternReadId(u64);

/// What those share who read with the same words.
#[derive(Debug)]
pub struct PatternRead {
    id: PatternReadId,
    pub(crate) database: u16,
    pattern: Vec<u8>,
    pub(crate) group: Vec<u8>,
    pub(crate) claim_idle_ms: Option<u64>,
    pub(crate) without_group: WithoutGroup,
    pub(crate) turns: Turns,
    /// Where the walk through the keyspace goes on; `None` once it is through.
    pub(crate) walk: Option<u64>,
    /// When it was used last.
    used: Mono,
}

/// All reads by patterns.
#[derive(Debug, Default)]
pub struct PatternReads {
    reads: Vec<PatternRead>,
    last_id: u64,
}

/// How long after a delivery by others a stream is looked at, where nobody says after how long its
/// entries are taken over: its group may.
const LOOK_AFTER_MS: u64 = 1000;

impl PatternRead {
    fn is_of(&self, reading: &Reading<'_>) -> bool {
        self.database == reading.database
            && self.pattern == reading.pattern
            && self.group == reading.group
            && self.claim_idle_ms == reading.claim_idle_ms
            && self.without_group == reading.without_group
    }

    /// Returns whether a key is one of those that are read. Very long names are not: they are
    /// compared on the path of whoever writes.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        name.len() <= PATTERN_READ_NAME_BYTES_MAX && matches(&self.pattern, name, Letters::Exact)
    }

    /// Returns whether all streams were found that had something when it was asked first, and none
    /// of them has a turn left.
    pub(crate) fn is_through(&self) -> bool {
        self.walk.is_none() && !self.turns.has_some() && !self.turns.has_passed_over()
    }

    /// Returns whether a step of the walk can be done now: there is room for what it may find.
    pub(crate) fn can_walk(&self) -> bool {
        match self.walk {
            Some(_) => !self.turns.is_full(),
            None => self.turns.has_passed_over() && !self.turns.is_half_full(),
        }
    }
}

impl PatternReads {
    /// Returns whether anybody reads by a pattern.
    #[inline]
    pub(crate) fn is_anyone_reading(&self) -> bool {
        !self.reads.is_empty()
    }

    /// How many reads there are.
    pub fn len(&self) -> usize {
        self.reads.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// The read with these words, which is begun if there is none. If there are too many, another
    /// one has to go first ([`PatternReads::forget_one`]); `None` then.
    pub(crate) fn open(&mut self, reading: &Reading<'_>, now: Mono) -> Option<PatternReadId> {
        if let Some(read) = self.reads.iter_mut().find(|read| read.is_of(reading)) {
            read.used = now;
            return Some(read.id);
        }
        if self.reads.len() >= PATTERN_READS_MAX {
            return None;
        }
        self.last_id += 1;
        let id = PatternReadId(self.last_id);
        self.reads.push(PatternRead {
            id,
            database: reading.database,
            pattern: reading.pattern.to_vec(),
            group: reading.group.to_vec(),
            claim_idle_ms: reading.claim_idle_ms,
            without_group: reading.without_group,
            turns: Turns::new(PATTERN_STREAMS_MAX),
            walk: Some(0),
            used: now,
        });
        Some(id)
    }

    /// A read, unless it was forgotten.
    pub(crate) fn find(&self, id: PatternReadId) -> Option<&PatternRead> {
        self.reads.iter().find(|read| read.id == id)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, id: PatternReadId) -> Option<&mut PatternRead> {
        self.reads.iter_mut().find(|read| read.id == id)
    }

    /// Another client reads, which may take what the last one could not.
    pub(crate) fn next_reader(&mut self, id: PatternReadId) {
        if let Some(read) = self.find_mut(id) {
            read.turns.next_reader();
        }
    }

    /// Returns whether it is the turn of a stream for a read.
    pub(crate) fn has_turn(&self, id: PatternReadId) -> bool {
        self.find(id).is_some_and(|read| read.turns.has_some())
    }

    /// The numbers of all reads.
    pub(crate) fn ids(&self) -> Vec<PatternReadId> {
        self.reads.iter().map(|read| read.id).collect()
    }

    /// Forgets the read that was not used for longest, of those that nobody waits for. Returns what
    /// it knew; `None` if all are waited for.
    pub(crate) fn forget_one(
        &mut self,
        is_waited_for: impl Fn(PatternReadId) -> bool,
    ) -> Option<Turns> {
        let reads = self.reads.iter().enumerate();
        let idle = reads.filter(|(_, read)| !is_waited_for(read.id));
        let (index, _) = idle.min_by_key(|(_, read)| (read.used, read.id))?;
        Some(self.reads.remove(index).turns)
    }

    /// The same, if it was not used for long: those who write compare keys with it.
    pub(crate) fn forget_idle(
        &mut self,
        is_waited_for: impl Fn(PatternReadId) -> bool,
        now: Mono,
    ) -> Option<Turns> {
        let is_in_use = |id| {
            let read = self.find(id);
            is_waited_for(id) || read.is_some_and(|read| read.used.plus(PATTERN_READ_IDLE_MS) > now)
        };
        let index = self.reads.iter().position(|read| !is_in_use(read.id))?;
        Some(self.reads.remove(index).turns)
    }

    /// When something has to be done for a read at the earliest.
    pub(crate) fn next_deadline(
        &self,
        is_waited_for: impl Fn(PatternReadId) -> bool,
        now: Mono,
    ) -> Option<Mono> {
        let deadlines = self.reads.iter().filter_map(|read| {
            let is_waited_for = is_waited_for(read.id);
            if read.can_walk() || is_waited_for && read.turns.has_some() {
                return Some(now);
            }
            match is_waited_for {
                true => read.turns.next_later(),
                false => Some(read.used.plus(PATTERN_READ_IDLE_MS)),
            }
        });
        deadlines.min()
    }

    /// A stream has changed, for all groups or for one. Tells which reads have a turn that they did
    /// not have, of those for which the stream may have something.
    pub(crate) fn note(
        &mut self,
        (database, key): (u16, &[u8]),
        group: Option<&[u8]>,
        may_have_something: impl Fn(&PatternRead) -> bool,
        mut has_turn: impl FnMut(PatternReadId),
    ) {
        for read in self.reads_of(database, key, group) {
            if may_have_something(read) && read.turns.note(key) {
                has_turn(read.id);
            }
        }
    }

    /// Entries of a stream went to a consumer, from whom they may be taken over later.
    pub(crate) fn note_delivery(&mut self, (database, key): (u16, &[u8]), group: &[u8], now: Mono) {
        for read in self.reads_of(database, key, Some(group)) {
            let after_ms = read.claim_idle_ms.unwrap_or(LOOK_AFTER_MS);
            read.turns.note_later(key, now.plus(after_ms));
        }
    }

    fn reads_of(
        &mut self,
        database: u16,
        key: &[u8],
        group: Option<&[u8]>,
    ) -> impl Iterator<Item = &mut PatternRead> {
        let reads = self.reads.iter_mut();
        reads.filter(move |read| {
            read.database == database
                && group.is_none_or(|group| read.group == group)
                && (read.turns.has_place(key) || read.matches(key))
        })
    }

    /// All keys may have changed: everything is looked for again. Returns what was known.
    pub(crate) fn start_over(&mut self) -> impl Iterator<Item = Turns> {
        self.reads.iter_mut().map(|read| {
            read.walk = Some(0);
            std::mem::replace(&mut read.turns, Turns::new(PATTERN_STREAMS_MAX))
        })
    }
}
