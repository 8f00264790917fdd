//! Changes of streams: entries, counters, remembered producers.

use resp::Argv;
use stream::{
    Counted, Deletion, Forget, NodeLimits, References, Removed, Retention, SetId, Stream, StreamId,
    StreamSettings, Trim, Trimmed,
};
use values::Value;

use super::encode::{self, Line, Out};
use super::{Audience, Brings, Changed, Effect, Family, event};
use crate::store::apply::{Added, DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::Record;
use crate::store::packing::wait_for_packing;

/// Entries come or go, or what a stream knows of them changes.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub enum StreamChange<'a> {
    /// `XADD`. Makes the key if it is missing. A trim that came with it is an effect of its own.
    Append {
        id: StreamId,
        /// Fields and values in turn.
        fields: Argv<'a>,
        idempotent: Option<Idempotent<'a>>,
    },
    /// `XADD key NOMKSTREAM IDMP producer iid id`, which is no new ID: a duplicate append was
    /// answered. The counter moves, nothing else.
    CountDuplicate {
        producer: &'a [u8],
        iid: &'a [u8],
        /// An ID that is not above the stream's last one: the entry's, where it is not.
        id: StreamId,
    },
    /// `XTRIM key MINID = id`, which may leave entries that groups still need.
    Trim {
        /// No entry above this one goes.
        through: StreamId,
        /// What becomes of pending entries, and which entries stay for them.
        references: References,
    },
    /// `XDEL`/`XDELEX`: IDs that exist.
    Delete {
        ids: &'a [StreamId],
        /// What becomes of pending entries.
        references: References,
    },
    /// `XSETID`.
    SetId(SetId),
    /// `XCFGSET`.
    Configure {
        retention: Retention,
        /// What becomes of the tracked IDs.
        forget: Forget,
    },
    /// `XCFGSET` with what Redis has no words for: all of it.
    SetSettings { settings: &'a StreamSettings },
    /// `XIDMPEPOCH key producer epoch`: the latest epoch of a producer. Makes the key if it is
    /// missing.
    SetEpoch {
        producer: &'a [u8],
        /// Greater than all before.
        epoch: u64,
    },
    /// `XIDMPRECORD`: an idempotent ID is known to belong to an entry, which may be gone.
    RecordIdempotent {
        producer: &'a [u8],
        iid: &'a [u8],
        id: StreamId,
    },
    /// `XIDMPRECORD` with the name of a count: an append with this ID was refused, and its stream
    /// counts that. Nothing else changes.
    CountRefused {
        producer: &'a [u8],
        iid: &'a [u8],
        what: Counted,
    },
    /// `XIDMPRECORD` of `*` with the name of a count: a producer was forgotten, because there were
    /// too many, and that is counted.
    EvictProducer { producer: &'a [u8] },
}

/// What a producer says identifies an append, so that it happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub struct Idempotent<'a> {
    pub producer: &'a [u8],
    pub iid: &'a [u8],
    pub origin: IidOrigin,
    /// What a search for it has found out, if there was one; it changes nothing but how long
    /// applying takes.
    pub sought: Option<&'a stream::Sought>,
}

/// Where an idempotent ID comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IidOrigin {
    /// `IDMP`: the client gave it.
    Given,
    /// `IDMPAUTO`: it is the fingerprint of the fields.
    Fingerprint,
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    const fn named(name: &'static [Name], touch: Touch) -> Event {
        Event::named(name, touch)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Stream)
    }

    /// There is a new entry.
    pub const XADD: &Event = &named(&[name("xadd")], Touch::READERS.and(Touch::WAITERS_FOR_MORE));
    /// The oldest entries are gone.
    pub const XTRIM: &Event = &named(&[name("xtrim")], Touch::READERS);
    /// Entries are gone.
    pub const XDEL: &Event = &named(&[name("xdel")], Touch::READERS);
    /// Counters were set; only subscribers hear of it, as in Redis.
    pub const XSETID: &Event = &named(&[name("xsetid")], Touch::NOBODY);
}

impl Family for StreamChange<'_> {
    fn brings<'k>(&'k self, key: &'k [u8], database: u16) -> Brings<'k> {
        match self {
            StreamChange::Append { .. } => Brings::Entries(database, key),
            StreamChange::CountDuplicate { .. }
            | StreamChange::Trim { .. }
            | StreamChange::Delete { .. }
            | StreamChange::SetId(_)
            | StreamChange::Configure { .. }
            | StreamChange::SetSettings { .. }
            | StreamChange::SetEpoch { .. }
            | StreamChange::RecordIdempotent { .. }
            | StreamChange::CountRefused { .. }
            | StreamChange::EvictProducer { .. } => Brings::Nothing,
        }
    }
}

impl StreamChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        match *self {
            StreamChange::Append {
                id,
                ref fields,
                ref idempotent,
            } => store.append(key, id, fields, idempotent.as_ref()),
            StreamChange::CountDuplicate { producer, .. } => {
                store.data.stats.iids_duplicates += 1;
                store.edit_stream(key, |stream| {
                    stream.idempotence_mut().count_duplicate(producer);
                    1
                })
            }
            StreamChange::CountRefused { producer, what, .. } => store.edit_stream(key, |stream| {
                stream.idempotence_mut().count(producer, what, 1);
                1
            }),
            StreamChange::EvictProducer { producer } => {
                store.data.stats.producers_evicted += 1;
                store.edit_stream(key, |stream| {
                    stream.idempotence_mut().evict(producer);
                    1
                })
            }
            StreamChange::Trim {
                through,
                references,
            } => store.trim(key, through, references),
            StreamChange::Delete { ids, references } => store.delete_entries(key, ids, references),
            StreamChange::SetId(ref set) => store.edit_stream(key, |stream| {
                stream.set_id(set);
                1
            }),
            StreamChange::Configure { retention, forget } => {
                store.configure(key, retention, forget)
            }
            StreamChange::SetSettings { settings } => store.set_settings(key, settings),
            StreamChange::SetEpoch { producer, epoch } => {
                store.edit_or_make_stream(key, |stream| {
                    stream.idempotence_mut().set_epoch(producer, epoch);
                    1
                })
            }
            StreamChange::RecordIdempotent { producer, iid, id } => {
                let added_at_ms = store.stream_time(id);
                store.edit_stream(key, |stream| {
                    let idempotence = stream.idempotence_mut();
                    if idempotence.lookup(producer, iid, added_at_ms).is_some() {
                        return 0;
                    }
                    idempotence.record(producer, iid, id, added_at_ms);
                    idempotence.restore_message(producer, id, None);
                    1
                })
            }
        }
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            StreamChange::Append {
                id,
                fields,
                idempotent,
            } => {
                let idempotent_args = idempotent.map_or(0, |i| match i.origin {
                    IidOrigin::Given => 3,
                    IidOrigin::Fingerprint => 2,
                });
                let mut line = Line::new(out, 3 + idempotent_args + fields.len(), "XADD");
                line.arg(key);
                if let Some(Idempotent {
                    producer,
                    iid,
                    origin,
                    ..
                }) = idempotent
                {
                    match origin {
                        IidOrigin::Given => line.arg(b"IDMP").arg(producer).arg(iid),
                        IidOrigin::Fingerprint => line.arg(b"IDMPAUTO").arg(producer),
                    };
                }
                line.id(id);
                for arg in fields.iter() {
                    line.arg(arg);
                }
                line.end()
            }
            // What is counted is no change, and never recorded.
            StreamChange::CountDuplicate { producer, iid, id } => Line::new(out, 9, "XADD")
                .arg(key)
                .arg(b"NOMKSTREAM")
                .arg(b"IDMP")
                .arg(producer)
                .arg(iid)
                .id(id)
                .arg(b"")
                .arg(b"")
                .end(),
            StreamChange::Trim {
                through,
                references,
            } => {
                let mut line = Line::new(out, 5 + encode::policy_args(references), "XTRIM");
                line.arg(key);
                match through.next() {
                    Some(below) => line.arg(b"MINID").arg(b"=").id(below),
                    None => line.arg(b"MAXLEN").arg(b"=").int(0),
                };
                line.policy(references).end()
            }
            StreamChange::Delete {
                ids,
                references: References::Keep,
            } => Line::new(out, 2 + ids.len(), "XDEL")
                .arg(key)
                .ids(ids)
                .end(),
            StreamChange::Delete { ids, references } => Line::new(out, 5 + ids.len(), "XDELEX")
                .arg(key)
                .policy(references)
                .arg(b"IDS")
                .int(ids.len() as i64)
                .ids(ids)
                .end(),
            StreamChange::SetId(set) => {
                let options = usize::from(set.entries_added.is_some())
                    + usize::from(set.max_deleted_id.is_some());
                let mut line = Line::new(out, 3 + 2 * options, "XSETID");
                line.arg(key).id(set.last_id);
                if let Some(n) = set.entries_added {
                    line.arg(b"ENTRIESADDED").int(encode::count(n));
                }
                if let Some(id) = set.max_deleted_id {
                    line.arg(b"MAXDELETEDID").id(id);
                }
                line.end()
            }
            StreamChange::Configure {
                retention,
                forget: Forget::Nothing,
            } => encode::retention_args(Line::new(out, 7, "XCFGSET").arg(key), retention)
                .arg(b"KEEPIDS")
                .end(),
            StreamChange::SetSettings { settings } => {
                let args = 2 + encode::settings_args::<StreamSettings>();
                Line::new(out, args, "XCFGSET")
                    .arg(key)
                    .settings(settings)
                    .end()
            }
            StreamChange::Configure {
                retention,
                forget: Forget::Everything,
            } => {
                // The released form forgets tracked IDs exactly when a value changes. Where they go
                // although no value changes, a change there and back says it in words that Redis
                // knows.
                let maxsize = if retention.maxsize == 1 { 2 } else { 1 };
                let other = Retention {
                    maxsize,
                    ..retention
                };
                encode::retention(out, key, other) + encode::retention(out, key, retention)
            }
            StreamChange::SetEpoch { producer, epoch } => Line::new(out, 4, "XIDMPEPOCH")
                .arg(key)
                .arg(producer)
                .int(encode::count(epoch))
                .end(),
            StreamChange::RecordIdempotent { producer, iid, id } => {
                Line::new(out, 5, "XIDMPRECORD")
                    .arg(key)
                    .arg(producer)
                    .arg(iid)
                    .id(id)
                    .end()
            }
            StreamChange::CountRefused {
                producer,
                iid,
                what,
            } => Line::new(out, 5, "XIDMPRECORD")
                .arg(key)
                .arg(producer)
                .arg(iid)
                .arg(what.name().as_bytes())
                .end(),
            StreamChange::EvictProducer { producer } => Line::new(out, 5, "XIDMPRECORD")
                .arg(key)
                .arg(producer)
                .arg(ALL_IIDS)
                .arg(Counted::Evicted.name().as_bytes())
                .end(),
        }
    }
}

/// What stands for all that is remembered of a producer, where the log has an idempotent ID.
const ALL_IIDS: &[u8] = b"*";

/// Remembers whose entry this is, if its producer said so. Returns how many iids were dropped for
/// that before their time. Inlined, since it only takes apart what its caller has in registers.
#[inline(always)]
fn remember(
    stream: &mut Stream,
    id: StreamId,
    fields: &Argv<'_>,
    idempotent: Option<&Idempotent<'_>>,
    now_ms: u64,
) -> u64 {
    if let Some(&Idempotent {
        producer,
        iid,
        sought,
        ..
    }) = idempotent
    {
        let idempotence = stream.idempotence_mut();
        let dropped = match sought {
            Some(sought) => idempotence.record_sought(producer, iid, id, now_ms, sought),
            None => idempotence.record(producer, iid, id, now_ms),
        };
        if idempotence.is_beyond_redis() {
            remember_message(stream, id, fields, producer, iid);
        }
        dropped
    } else {
        0
    }
}

#[cold]
fn remember_message(
    stream: &mut Stream,
    id: StreamId,
    fields: &Argv<'_>,
    producer: &[u8],
    iid: &[u8],
) {
    let idempotence = stream.idempotence_mut();
    if idempotence.keeps_messages() {
        idempotence.record_message(producer, iid, id, fields.iter());
    }
}

impl Store<'_> {
    fn append(
        &mut self,
        key: &[u8],
        id: StreamId,
        fields: &Argv<'_>,
        idempotent: Option<&Idempotent<'_>>,
    ) -> Changed {
        if let Some(memory) = self.data.prepared.take() {
            return self.append_in(key, id, fields, idempotent, memory);
        }
        let now_ms = self.stream_time(id);
        let limits = self.data.node_limits;
        let mut dropped = 0;
        let changed = self.edit_or_make_stream(key, |stream| {
            let appended = stream.append(id, fields.iter(), limits);
            appended.expect(DECIDED);
            dropped = remember(stream, id, fields, idempotent, now_ms);
            1
        });
        self.data.stats.iids_dropped += dropped;
        changed
    }

    /// The same in memory that was made ready for a large entry.
    #[cold]
    fn append_in(
        &mut self,
        key: &[u8],
        id: StreamId,
        fields: &Argv<'_>,
        idempotent: Option<&Idempotent<'_>>,
        mut memory: Vec<u8>,
    ) -> Changed {
        let now_ms = self.stream_time(id);
        let limits = self.data.node_limits;
        let mut dropped = 0;
        let changed = self.edit_or_make_stream(key, |stream| {
            let memory = std::mem::take(&mut memory);
            let appended = stream.append_in(id, fields.iter(), limits, memory);
            appended.expect(DECIDED);
            dropped = remember(stream, id, fields, idempotent, now_ms);
            1
        });
        self.data.stats.iids_dropped += dropped;
        changed
    }

    #[inline(never)]
    fn trim(&mut self, key: &[u8], through: StreamId, references: References) -> Changed {
        let mut removed = Removed::default();
        let mut trimmed = Trimmed::default();
        let changed = self.edit_stream(key, |stream| {
            trimmed = stream.trim(through, references, &mut removed);
            trimmed.entries + trimmed.references
        });
        self.data.dropped.take(What::Entries(removed));
        changed.heard_if(trimmed.entries > 0)
    }

    #[inline(never)]
    fn delete_entries(&mut self, key: &[u8], ids: &[StreamId], references: References) -> Changed {
        let mut deleted = false;
        let changed = self.edit_stream(key, |stream| {
            if references == References::Delete {
                stream.groups_mut().expect_questions(ids.len());
            }
            let change = |id: &StreamId| {
                let gone = delete(stream, *id, references);
                deleted |= gone == Gone::Entry;
                u64::from(gone != Gone::Nothing)
            };
            ids.iter().map(change).sum()
        });
        changed.heard_if(deleted)
    }

    #[inline(never)]
    fn configure(&mut self, key: &[u8], retention: Retention, forget: Forget) -> Changed {
        let mut gone = None;
        let now_ms = self.now.stream_ms();
        let changed = self.edit_stream(key, |stream| {
            let had = stream.idempotence().stored().iids > 0;
            let idempotence = stream.idempotence_mut();
            let same = idempotence.retention() == retention;
            gone = Some(idempotence.configure(retention, forget, now_ms));
            u64::from(!same || (had && forget == Forget::Everything))
        });
        if let Some(gone) = gone {
            self.data.dropped.take(What::Forgotten(gone));
        }
        changed
    }

    #[inline(never)]
    fn set_settings(&mut self, key: &[u8], settings: &StreamSettings) -> Changed {
        let mut gone = None;
        let changed = self.edit_stream(key, |stream| {
            gone = stream.set_settings(settings);
            u64::from(gone.is_some())
        });
        if let Some(gone) = gone {
            self.data.dropped.take(What::Forgotten(gone));
        }
        changed
    }

    /// Forgets producers that are more than a stream may have, the least recently active first, as
    /// many as these steps allow: one with many idempotent IDs takes several. If it is not known
    /// yet who was active when, some steps go into that.
    pub fn evict_producers(&mut self, key: &[u8], steps: usize) {
        let found = self.peek(key).map(Record::value);
        let stream = found.and_then(Value::get::<Stream>);
        if stream.is_none_or(|stream| !stream.idempotence().may_have_surplus()) {
            return;
        }
        let now_ms = self.now.stream_ms();
        let mut producers = Vec::new();
        let _ = self.edit_stream(key, |stream| {
            let idempotence = stream.idempotence_mut();
            producers = idempotence.plan_eviction(now_ms, steps);
            0
        });
        for producer in &producers {
            let evict = StreamChange::EvictProducer { producer };
            self.apply(&Effect::on(key, evict), event::UNHEARD);
        }
    }

    /// The time at which an entry counts as added.
    pub(super) fn stream_time(&self, id: StreamId) -> u64 {
        let now_ms = self.now.stream_ms();
        match self.data.added {
            Added::Now => now_ms,
            Added::ById => id.ms.min(now_ms),
        }
    }

    /// The sizes of nodes that appends keep to.
    pub(super) fn node_limits(&self) -> NodeLimits {
        self.data.node_limits
    }

    /// Removes what a trim asks for; how many entries that were.
    pub fn trim_stream(&mut self, key: &[u8], trim: &Trim, references: References) -> u64 {
        if references != References::Keep {
            self.prepare_stream(key, references, |stream| {
                stream.prepare_trim(trim, references);
            });
        }
        let Ok(Some(stream)) = self.get::<Stream>(key) else {
            return 0;
        };
        let Some(cut) = stream.plan_trim(trim, references) else {
            return 0;
        };
        let trim = StreamChange::Trim {
            through: cut.through,
            references,
        };
        self.apply(&Effect::on(key, trim), event::XTRIM);
        cut.entry_count
    }

    /// Changes an existing stream. How much was changed; after 0 it counts as it was, whatever a
    /// consumer's activity has moved: no reply depends on that.
    pub(super) fn edit_stream(
        &mut self,
        key: &[u8],
        edit: impl FnOnce(&mut Stream) -> u64,
    ) -> Changed {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let (now, is_packed) = (self.now, self.data.stream_compress);
        let keyspace = &mut self.data.keyspace;
        let found = keyspace.edit(self.database, hash, key, |record| {
            if record.is_expired(over_at) {
                return None;
            }
            let stream = record.value.get_mut().expect(DECIDED);
            let changed = edit(stream);
            if changed > 0 {
                if is_packed {
                    wait_for_packing(stream, now);
                }
                record.set_changed(lsn);
            }
            Some(changed)
        });
        let Some(changed) = found.expect(DECIDED) else {
            self.expire(key);
            return Changed::NOTHING;
        };
        Changed::by_event(changed)
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
        if let Some(stream) = found.and_then(Value::get::<Stream>)
            && stream.has_to_prepare(references)
        {
            let _ = self.edit_stream(key, |stream| {
                prepare(stream);
                0
            });
        }
    }

    /// Changes a stream, or makes one with the server's settings and changes that. How much was
    /// changed.
    pub(super) fn edit_or_make_stream(
        &mut self,
        key: &[u8],
        mut edit: impl FnMut(&mut Stream) -> u64,
    ) -> Changed {
        let hash = self.hash(key);
        if let Some(amount) = self.edit_live_stream(hash, key, &mut edit) {
            return Changed::by_event(amount);
        }
        self.make_stream(hash, key);
        let edited = self.edit_live_stream(hash, key, &mut edit);
        Changed {
            amount: edited.expect(DECIDED),
            audience: Audience::All,
        }
    }

    /// Changes a stream that is there and has not expired; `None` if there is none.
    ///
    /// Not inlined: what it does is in the code once for each way to change a stream. As a loop
    /// around the two calls it was seventy instructions longer, because all that does not depend on
    /// the turn was worked out ahead.
    #[inline(never)]
    fn edit_live_stream(
        &mut self,
        hash: u64,
        key: &[u8],
        edit: &mut impl FnMut(&mut Stream) -> u64,
    ) -> Option<u64> {
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let (now, is_packed) = (self.now, self.data.stream_compress);
        let keyspace = &mut self.data.keyspace;
        let found = keyspace.edit(self.database, hash, key, |record| {
            if record.is_expired(over_at) {
                return None;
            }
            let stream = record.value.get_mut().expect(DECIDED);
            let changed = edit(stream);
            if is_packed {
                wait_for_packing(stream, now);
            }
            record.set_changed(lsn);
            Some(changed)
        });
        found.flatten()
    }

    /// Makes a stream with the server's settings, in place of what has expired if there is such.
    /// The key has this hash.
    #[cold]
    fn make_stream(&mut self, hash: u64, key: &[u8]) {
        if self.data.keyspace.find(self.database, hash, key).is_some() {
            self.expire(key);
        }
        let retention = self.data.retention;
        let stream = Stream::new(retention, self.data.producer_seed);
        // Before the effect that makes it, so that what that remembers stays.
        self.data
            .log
            .record_retention(self.database, self.now, key, retention, encode::new_stream);
        let record = Record::new(
            self.key(key),
            Value::from(stream),
            None,
            self.data.log.open(),
            self.now.unix(),
        );
        self.put_record(self.database, hash, record);
    }

    /// A stream was restored from a payload, which may not say its retention: old ones do not. Then
    /// the log does.
    pub fn record_retention(&mut self, key: &[u8]) {
        let hash = self.hash(key);
        let found = self.data.keyspace.find(self.database, hash, key);
        if let Some(stream) = found.and_then(|record| record.value().get::<Stream>())
            && stream.idempotence().stored().iids == 0
        {
            let retention = stream.idempotence().retention();
            let (database, now) = (self.database, self.now);
            let log = &mut self.data.log;
            log.record_retention(database, now, key, retention, encode::retention);
        }
    }
}

impl Changed {
    /// The same, heard of only if what the event is about has happened.
    fn heard_if(self, happened: bool) -> Changed {
        match happened {
            true => self,
            false => Changed {
                audience: Audience::Nobody,
                ..self
            },
        }
    }
}

/// What deleting an ID took away.
#[derive(PartialEq, Eq)]
enum Gone {
    Entry,
    /// The entry had gone before.
    References,
    Nothing,
}

/// Deletes an entry, and what refers to it with [`References::Delete`].
fn delete(stream: &mut Stream, id: StreamId, references: References) -> Gone {
    let referenced = references == References::Delete && stream.groups().is_pending_anywhere(id);
    match stream.delete(id, references) {
        Deletion::Deleted => Gone::Entry,
        Deletion::NotFound | Deletion::Referenced if referenced => Gone::References,
        Deletion::NotFound | Deletion::Referenced => Gone::Nothing,
    }
}
