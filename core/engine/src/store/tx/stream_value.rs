//! How effects change streams: entries, counters, remembered producers.

use stream::{Deletion, Forget, References, Removed, Retention, Stream, StreamId, Trimmed};
use values::{Key, Value};

use super::{Added, DECIDED, Tx};
use crate::store::dropped::What;
use crate::store::effect::{Effect, Idempotent, encode};
use crate::store::keyspace::{Record, forgets_at};
use crate::time::UnixMs;

impl Tx<'_> {
    pub(super) fn change_stream(&mut self, effect: &Effect<'_>) -> u64 {
        match *effect {
            Effect::StreamAppend {
                key,
                id,
                fields,
                idempotent,
            } => {
                let now_ms = self.stream_time(id);
                let limits = self.data.node_limits;
                let (mut forgot_from, mut forgets_from) = (None, None);
                let changed = self.edit_or_make_stream(key, |stream| {
                    let appended = stream.append(id, fields.iter(), limits);
                    appended.expect(DECIDED);
                    if let Some(Idempotent {
                        producer,
                        iid,
                        sought,
                        ..
                    }) = idempotent
                    {
                        forgot_from = forgets_at(stream);
                        let idempotence = stream.idempotence_mut();
                        match sought {
                            Some(sought) => {
                                idempotence.record_sought(producer, iid, id, now_ms, sought);
                            }
                            None => idempotence.record(producer, iid, id, now_ms),
                        }
                        forgets_from = forgets_at(stream);
                    }
                    1
                });
                if changed > 0 {
                    self.touched(key);
                    self.forgetting_changed(key, forgot_from, forgets_from);
                }
                changed
            }
            Effect::StreamDuplicate { key, .. } => self.edit_stream_quietly(key, |stream| {
                stream.idempotence_mut().count_duplicate();
                1
            }),
            Effect::StreamTrim {
                key,
                through,
                references,
            } => {
                let mut removed = Removed::default();
                let mut trimmed = Trimmed::default();
                let changed = self.edit_stream_quietly(key, |stream| {
                    trimmed = stream.trim(through, references, &mut removed);
                    trimmed.entries + trimmed.references
                });
                self.data.dropped.take(What::Entries(removed));
                if trimmed.entries > 0 {
                    self.touched_quietly(key);
                }
                changed
            }
            Effect::StreamDelete {
                key,
                ids,
                references,
            } => {
                let mut deleted = false;
                let changed = self.edit_stream_quietly(key, |stream| {
                    if references == References::Delete {
                        stream.groups_mut().expect_questions(ids.len());
                    }
                    let change = |id: &StreamId| {
                        let outcome = delete(stream, *id, references);
                        deleted |= outcome == Some(Gone::Entry);
                        u64::from(outcome.is_some())
                    };
                    ids.iter().map(change).sum()
                });
                if deleted {
                    self.touched_quietly(key);
                }
                changed
            }
            Effect::StreamSetId { key, ref set } => self.edit_stream_quietly(key, |stream| {
                stream.set_id(set);
                1
            }),
            Effect::StreamConfigure {
                key,
                duration_s,
                maxsize,
                forget,
            } => {
                let mut gone = None;
                let changed = self.edit_remembered(key, |stream| {
                    let had = stream.idempotence().stored().iids > 0;
                    let idempotence = stream.idempotence_mut();
                    let retention = Retention {
                        duration_s,
                        maxsize,
                    };
                    let same = idempotence.retention() == retention;
                    gone = Some(idempotence.configure(retention, forget));
                    u64::from(!same || (had && forget == Forget::Everything))
                });
                if let Some(gone) = gone {
                    self.data.dropped.take(What::Forgotten(gone));
                }
                changed
            }
            Effect::StreamRecordIdempotent {
                key,
                producer,
                iid,
                id,
            } => {
                let added_at_ms = self.stream_time(id);
                self.edit_remembered(key, |stream| {
                    let idempotence = stream.idempotence_mut();
                    if idempotence.lookup(producer, iid, added_at_ms).is_some() {
                        return 0;
                    }
                    idempotence.record(producer, iid, id, added_at_ms);
                    1
                })
            }
            _ => unreachable!("not for a stream: {effect:?}"),
        }
    }

    /// The time at which an entry counts as added.
    fn stream_time(&self, id: StreamId) -> u64 {
        let now_ms = self.now.stream_ms();
        match self.data.added {
            Added::Now => now_ms,
            Added::ById => id.ms.min(now_ms),
        }
    }

    /// Changes an existing stream in a way that no waiting client and no watch cares for: Redis counts only entries.
    pub(super) fn edit_stream_quietly(
        &mut self,
        key: &[u8],
        edit: impl FnOnce(&mut Stream) -> u64,
    ) -> u64 {
        let hash = self.data.keyspace.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let record = record.expect(DECIDED);
        if record.is_expired(over_at) {
            self.expire(key);
            return 0;
        }
        let Value::Stream(stream) = &mut record.value else {
            panic!("{DECIDED}");
        };
        let changed = edit(triomphe::Arc::make_mut(stream));
        if changed > 0 {
            record.changed = lsn;
            if self.data.stream_compress {
                self.data.packing.note(self.database, record, self.now);
            }
        }
        changed
    }

    /// Changes what is no part of the stream's contents: no watch is broken, no reply depends on it.
    pub(super) fn edit_stream_silently(&mut self, key: &[u8], edit: impl FnOnce(&mut Stream)) {
        let hash = self.data.keyspace.hash(key);
        let over_at = self.over_at();
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let record = record.expect(DECIDED);
        if record.is_expired(over_at) {
            self.expire(key);
            return;
        }
        let Value::Stream(stream) = &mut record.value else {
            panic!("{DECIDED}");
        };
        edit(triomphe::Arc::make_mut(stream));
    }

    /// Lets a stream prepare for what is going to be asked about its groups' references, where it
    /// may have to. Nothing that can be seen changes, and nothing is logged.
    pub fn prepare_stream(
        &mut self,
        key: &[u8],
        references: References,
        prepare: impl FnOnce(&mut Stream),
    ) {
        let found = self.peek(key).map(Record::value);
        if let Some(Value::Stream(stream)) = found
            && stream.has_to_prepare(references)
        {
            self.edit_stream_silently(key, prepare);
        }
    }

    /// Changes what an existing stream remembers of its producers, by which it may be due to forget at
    /// another time.
    fn edit_remembered(&mut self, key: &[u8], edit: impl FnOnce(&mut Stream) -> u64) -> u64 {
        let (mut from, mut to) = (None, None);
        let changed = self.edit_stream_quietly(key, |stream| {
            from = forgets_at(stream);
            let changed = edit(stream);
            to = forgets_at(stream);
            changed
        });
        self.forgetting_changed(key, from, to);
        changed
    }

    #[inline]
    fn forgetting_changed(&mut self, key: &[u8], from: Option<UnixMs>, to: Option<UnixMs>) {
        if from != to {
            let keyspace = &mut self.data.keyspace;
            let hash = keyspace.hash(key);
            keyspace.forgetting_changed(self.database, hash, from, to);
        }
    }

    /// Changes a stream, or makes one with the server's settings and changes that. How much was changed.
    pub(super) fn edit_or_make_stream(
        &mut self,
        key: &[u8],
        edit: impl FnOnce(&mut Stream) -> u64,
    ) -> u64 {
        let hash = self.data.keyspace.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut old = self.data.keyspace.find_mut(self.database, hash, key);
        if old.as_ref().is_some_and(|old| old.is_expired(over_at)) {
            self.expire(key);
            old = None;
        }
        if let Some(record) = old {
            let Value::Stream(stream) = &mut record.value else {
                panic!("{DECIDED}");
            };
            let changed = edit(triomphe::Arc::make_mut(stream));
            record.changed = lsn;
            if self.data.stream_compress {
                self.data.packing.note(self.database, record, self.now);
            }
            return changed;
        }
        let retention = self.data.retention;
        let mut stream = Stream::new(retention, self.data.producer_seed);
        // Before the effect that makes it, so that what that remembers stays.
        self.data
            .log
            .record_retention(self.database, self.now, key, retention, encode::new_stream);
        let changed = edit(&mut stream);
        let record = Record::new(
            Key::from(key),
            Value::from(stream),
            None,
            lsn,
            self.now.unix(),
        );
        self.put_record(self.database, hash, record);
        changed
    }

    /// A stream was restored from a payload, which may not say its retention: old ones do not. Then the log does.
    pub fn record_retention(&mut self, key: &[u8]) {
        let hash = self.data.keyspace.hash(key);
        let found = self.data.keyspace.find(self.database, hash, key);
        if let Some(Value::Stream(stream)) = found.map(Record::value)
            && stream.idempotence().stored().iids == 0
        {
            let retention = stream.idempotence().retention();
            let (database, now) = (self.database, self.now);
            let log = &mut self.data.log;
            log.record_retention(database, now, key, retention, encode::retention);
        }
    }

    /// Notes that the stream may have chunks to pack, unless it is noted already.
    pub(super) fn schedule_packing(&mut self, database: u16, key: &[u8]) {
        if self.data.stream_compress {
            self.data.schedule_packing(database, key, self.now);
        }
    }
}

/// What deleting an ID took away.
#[derive(PartialEq, Eq)]
enum Gone {
    Entry,
    /// The entry had gone before.
    References,
}

/// Deletes an entry, and what refers to it with [`References::Delete`].
fn delete(stream: &mut Stream, id: StreamId, references: References) -> Option<Gone> {
    let referenced = references == References::Delete && stream.groups().is_pending_anywhere(id);
    match stream.delete(id, references) {
        Deletion::Deleted => Some(Gone::Entry),
        _ if referenced => Some(Gone::References),
        _ => None,
    }
}
