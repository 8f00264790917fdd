//! How the keyspace changes: what is done for every effect, and what families of effects share.

use values::Hash;

use super::{Data, Store};
use crate::clients::waiting::News;
use crate::limits::EVICTION_SAMPLES;
use crate::store::dropped::What;
use crate::store::effect::event::{self, Event, Touch};
use crate::store::effect::{Audience, Changed, Effect, KeyChange, hash};
use crate::store::keyspace::Record;

impl Data {
    /// Returns whether anybody at all might have to hear of a change.
    #[inline]
    fn has_audience(&self) -> bool {
        !self.watches.is_empty()
            | self.tracking.has_trackers()
            | (self.blocking.clients() > 0)
            | self.pattern_reads.is_anyone_reading()
            | self.notifications.is_anyone_listening()
    }
}

impl Store<'_> {
    /// Makes an effect happen: changes the keyspace, adds to the batch, counts, and tells of the
    /// event: breaks watches, marks waiters, publishes. How much changed: 0 means that nothing did,
    /// and then nothing is logged or told.
    #[inline]
    pub fn apply(&mut self, effect: &Effect<'_>, event: &'static Event) -> u64 {
        let changed = effect.change(self);
        if changed.amount > 0 {
            self.note(changed, effect, event);
        }
        changed.amount
    }

    /// The same for an effect that takes elements of a key, and the key with the last of them:
    /// which of two events that is shows once it has happened. They differ in their names alone.
    pub fn apply_taking(
        &mut self,
        effect: &Effect<'_>,
        some: &'static Event,
        all: &'static Event,
    ) -> u64 {
        let changed = effect.change(self);
        if changed.amount > 0 {
            let is_heard = self.data.notifications.is_anyone_listening();
            let is_all = match effect {
                Effect::Key { key, .. } if is_heard => {
                    let hash = self.hash(key);
                    self.data.keyspace.find(self.database, hash, key).is_none()
                }
                Effect::Key { .. }
                | Effect::Database(_)
                | Effect::Server(_)
                | Effect::Library(_) => false,
            };
            self.note(changed, effect, if is_all { all } else { some });
        }
        changed.amount
    }

    /// Counts what an effect has changed, logs it, and tells of it.
    fn note(&mut self, changed: Changed, effect: &Effect<'_>, event: &'static Event) {
        self.work += changed.amount;
        self.data.stats.effects += 1;
        self.data.stats.changes += changed.amount;
        let (database, now) = (self.database, self.now);
        self.data
            .log
            .record(database, now, effect, self.larges.all());
        self.depends_on = self.data.log.open();
        if self.data.usage.notes_changes() {
            self.note_change(effect);
        }
        if self.data.has_audience() {
            self.tell(changed.audience, effect, event);
        }
    }

    /// Notes that keys were changed.
    #[cold]
    fn note_change(&mut self, effect: &Effect<'_>) {
        let Effect::Key { key, change } = effect else {
            return;
        };
        let other = change.other(key, self.database);
        for (database, key) in std::iter::once((self.database, *key)).chain(other) {
            let hash = self.hash(key);
            if let Some(record) = self.data.keyspace.find(database, hash, key) {
                self.data.usage.note_change(record, self.now);
            }
        }
    }

    /// Tells those whom an event concerns.
    #[inline(never)]
    fn tell(&mut self, audience: Audience, effect: &Effect<'_>, event: &'static Event) {
        let touch = match audience {
            Audience::AsSaid => event.touch,
            Audience::All => Touch::ALL,
            Audience::Nobody => return,
        };
        match effect {
            Effect::Key { key, change } => {
                if change.changes_key() {
                    self.touch(self.database, key, touch);
                }
                let other = change.other(key, self.database);
                if let Some((database, key)) = other {
                    self.touch(database, key, touch);
                }
                self.publish(event, key, other);
                if self.data.pattern_reads.is_anyone_reading() {
                    self.note_for_pattern_reads(key, change, touch);
                }
            }
            // Who watches keys of a whole database has to be asked before it is changed.
            Effect::Database(_) | Effect::Server(_) => self.data.everything_changed(),
            // No key has changed.
            Effect::Library(_) => {}
        }
    }

    /// A key was changed: those who rely on its value must know, those who wait for it may go on.
    fn touch(&mut self, database: u16, key: &[u8], touch: Touch) {
        if touch.has(Touch::READERS) {
            self.data.watches.mark(database, key);
            if self.data.tracking.has_trackers() {
                self.data.tracking.changed(self.hash(key), key);
            }
        }
        if touch.has(Touch::WAITERS) {
            self.data.blocking.mark(database, key, News::Any);
        } else if touch.has(Touch::WAITERS_FOR_MORE) {
            self.data.blocking.mark(database, key, News::More);
        } else if touch.has(Touch::WAITERS_LATER) {
            self.data.blocking.mark(database, key, News::Later);
        }
    }

    fn publish(&mut self, event: &'static Event, key: &[u8], other: Option<(u16, &[u8])>) {
        if self.data.notifications.is_anyone_listening() {
            let (database, notifications) = (self.database, &mut self.data.notifications);
            notifications.publish(event, (database, key), other);
        }
    }

    /// Removes a key whose time is over. An effect that meets one calls this first: nothing may be
    /// made of a value, an expiry or a type that nobody could see any more.
    #[cold]
    pub(crate) fn expire(&mut self, key: &[u8]) {
        let hash = self.hash(key);
        let found = self.data.keyspace.find(self.database, hash, key);
        // If its own time has not come, all fields of a hash have expired.
        let fields = found
            .filter(|record| !record.is_past(self.now.unix()))
            .and_then(|record| record.value().get::<Hash>())
            .map(|fields| fields.len() as u64);
        let event = fields.map_or(event::EXPIRED, |_| hash::events::HEXPIRED_ALL);
        let delete = Effect::on(key, KeyChange::Delete);
        let removed = self.by_nobody(|store| store.apply(&delete, event));
        match fields {
            Some(fields) => self.data.stats.expired_fields += fields,
            None => self.data.stats.expired += removed,
        }
    }

    /// Removes a key because memory is used up. Returns about how many bytes that frees.
    pub(crate) fn evict(&mut self, key: &[u8]) -> u64 {
        let hash = self.hash(key);
        let found = self.data.keyspace.find(self.database, hash, key);
        let bytes = found.map_or(0, |record| record.memory_bytes(EVICTION_SAMPLES));
        let delete = Effect::on(key, KeyChange::Delete);
        let removed = self.by_nobody(|store| store.apply(&delete, event::EVICTED));
        self.data.stats.evicted += removed;
        bytes as u64
    }

    /// What happens is not the doing of the client whose request runs: it is told of it.
    pub(crate) fn by_nobody<T>(&mut self, happen: impl FnOnce(&mut Self) -> T) -> T {
        let author = self.data.tracking.set_author(None);
        let happened = happen(self);
        self.data.tracking.set_author(author);
        happened
    }

    /// Puts a record in, whose key has this hash; one that was there goes.
    #[inline]
    pub(crate) fn put_record(&mut self, database: u16, hash: u64, record: Record) {
        if self.data.notifications.is_anyone_listening() {
            self.note_put(database, hash, &record);
        }
        if let Some(old) = self.data.keyspace.put(database, hash, record) {
            self.data.dropped.take(What::Record(old));
        }
    }

    #[cold]
    fn note_put(&mut self, database: u16, hash: u64, record: &Record) {
        let old = self.data.keyspace.find(database, hash, record.key());
        self.data.notifications.put(database, old, record);
    }
}
