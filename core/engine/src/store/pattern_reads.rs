//! Reads of many streams by a pattern: how streams are found that may have something.
//!
//! Those that were there before are found by a walk through the keyspace, a bounded step at a time;
//! whatever happens to a stream afterwards is noted as it happens. Nothing in here is an effect:
//! what is delivered is, as with any `XREADGROUP`.

use stream::Stream;

use crate::clients::pattern_reads::{
    PatternRead, PatternReadId, PatternReads, Reading, Turn, When, WithoutGroup,
};
use crate::clients::waiting::Blocking;
use crate::limits::PATTERN_TURNS_PER_CALL_MAX;
use crate::store::apply::Store;
use crate::store::dropped::What;
use crate::store::effect::{Brings, Change, Touch};
use crate::store::keyspace::Keyspace;
use crate::time::Mono;

/// What the data of an engine have that a read by a pattern works with.
pub(crate) struct Looking<'d> {
    pub(crate) keyspace: &'d Keyspace,
    pub(crate) reads: &'d mut PatternReads,
    pub(crate) blocking: &'d mut Blocking,
}

impl Looking<'_> {
    /// Goes on with the walk of a read, over about so many keys, which it counts down; and lets
    /// streams in whose time has come. Marks the read if it is the turn of a stream.
    pub(crate) fn look(&mut self, id: PatternReadId, keys: &mut usize, now: Mono) {
        let Some(read) = self.reads.find_mut(id) else {
            return;
        };
        read.turns.release_later(now, PATTERN_TURNS_PER_CALL_MAX);
        while *keys > 0 && read.can_walk() {
            walk_on(read, self.keyspace, keys);
        }
        if read.turns.has_some() {
            self.blocking.mark_pattern(id);
        }
    }
}

/// Looks at the next few keys.
fn walk_on(read: &mut PatternRead, keyspace: &Keyspace, keys: &mut usize) {
    let cursor = read.walk.unwrap_or_else(|| {
        read.turns.look_again();
        0
    });
    let mut found = Vec::new();
    let mut looked_at = 0;
    let next = keyspace.scan(read.database, cursor, 1, |record| {
        looked_at += 1;
        if let Some(stream) = record.value().get::<Stream>()
            && may_have_something(read, stream)
            && read.matches(record.key())
        {
            found.push(record.name());
        }
    });
    *keys = keys.saturating_sub(looked_at.max(1));
    for key in &found {
        read.turns.note(key);
    }
    read.walk = (next != 0).then_some(next);
    if read.walk.is_some() && read.turns.is_full() {
        read.turns.pass_over();
    }
}

fn may_have_something(read: &PatternRead, stream: &Stream) -> bool {
    match stream.groups().find(&read.group) {
        None => read.without_group == WithoutGroup::GetsIt,
        Some(group) => {
            let claims = read.claim_idle_ms.is_some() || group.claim_idle_ms().is_some();
            group.last_delivered() < stream.last_id() || claims && group.pending_count() > 0
        }
    }
}

impl Store<'_> {
    /// The read with these words. One that is not known is begun, in the place of one that nobody
    /// uses if there are too many; `None` if clients wait for all of them.
    pub fn open_pattern_read(&mut self, reading: &Reading<'_>) -> Option<PatternReadId> {
        let now = self.now.mono;
        let (reads, blocking) = (&mut self.data.pattern_reads, &self.data.blocking);
        if let Some(id) = reads.open(reading, now) {
            return Some(id);
        }
        let forgotten = reads.forget_one(|id| blocking.waits_for_pattern(id))?;
        self.data.dropped.take(What::Turns(forgotten));
        self.data.pattern_reads.open(reading, now)
    }

    /// Looks for streams for a read, among about so many keys.
    pub fn look_for_streams(&mut self, id: PatternReadId, mut keys: usize) {
        let now = self.now.mono;
        let mut looking = Looking {
            keyspace: &self.data.keyspace,
            reads: &mut self.data.pattern_reads,
            blocking: &mut self.data.blocking,
        };
        looking.look(id, &mut keys, now);
    }

    /// The stream whose turn it is. The turn must be ended.
    pub fn next_turn(&mut self, id: PatternReadId) -> Option<Turn> {
        self.data.pattern_reads.find_mut(id)?.turns.take()
    }

    /// Ends the turn of a stream.
    pub fn end_turn(&mut self, id: PatternReadId, turn: Turn, when: When) {
        if let Some(read) = self.data.pattern_reads.find_mut(id) {
            read.turns.end(turn, when);
        }
    }

    /// How many streams are in the line of a read.
    pub fn turns(&self, id: PatternReadId) -> usize {
        let read = self.data.pattern_reads.find(id);
        read.map_or(0, |read| read.turns.in_line())
    }

    /// Returns whether no stream has anything for a read now.
    pub fn is_looked_through(&self, id: PatternReadId) -> bool {
        let read = self.data.pattern_reads.find(id);
        read.is_none_or(PatternRead::is_through)
    }

    /// Something has happened to a key, which may be a stream that is read by a pattern.
    #[cold]
    pub(crate) fn note_for_pattern_reads(&mut self, key: &[u8], change: &Change<'_>, touch: Touch) {
        let place = (self.database, key);
        let (keyspace, reads) = (&self.data.keyspace, &mut self.data.pattern_reads);
        let blocking = &mut self.data.blocking;
        let is_heard = touch.has(Touch::WAITERS) || touch.has(Touch::WAITERS_FOR_MORE);
        let has_turn = |id| blocking.mark_pattern(id);
        let (place, group) = match change.brings(key, self.database) {
            Brings::Entries(database, key) => ((database, key), None),
            Brings::ToGroup(group) => (place, Some(group)),
            Brings::ToWaiters(group) if is_heard => {
                return reads.note(place, Some(group), |_| true, has_turn);
            }
            Brings::ToTakeOver(group) => {
                return reads.note_delivery(place, group, self.now.mono);
            }
            Brings::ToWaiters(_) | Brings::Nothing => return,
        };
        // Many streams may match that lack the group: nobody is woken to find that out.
        let (database, key) = place;
        let found = keyspace.find(database, keyspace.hash(key), key);
        if let Some(stream) = found.and_then(|record| record.value().get::<Stream>()) {
            let may_have_something = |read: &PatternRead| may_have_something(read, stream);
            reads.note(place, group, may_have_something, has_turn);
        }
    }
}
