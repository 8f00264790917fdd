//! Figures of single streams and groups: looked up at once, and measured without the lock.

use std::borrow::Cow;

use engine::store::keyspace::Record;
use engine::{Engine, Now};
use stream::{Group, IdleAtLeast, Stream, StreamId, Tally, Tracked};

use super::label;
use super::samples::Labels;
use crate::limits::PENDING_LOOKED_AT_MAX;
use crate::survey::{GroupRow, Row};
use crate::view;

/// Which streams and groups are looked up.
pub(super) struct Wanted<'s> {
    pub(super) streams: Vec<&'s Row>,
    pub(super) groups: Vec<&'s GroupRow>,
}

/// Frozen views of the streams that are still there, in the order in which they were wanted: first
/// the streams, then those of the groups.
pub(super) struct Found(Vec<Option<Stream>>);

/// What is told of a stream.
#[derive(Debug)]
pub(super) struct StreamFigures {
    labels: [(&'static str, Cow<'static, str>); 2],
    pub(super) length: u64,
    pub(super) added: u64,
    pub(super) bytes: u64,
    pub(super) groups: u64,
    /// How old the first entry is by its ID, in milliseconds; none without entries.
    pub(super) oldest_age_ms: Option<u64>,
    pub(super) last_id: StreamId,
    pub(super) tracked: Tracked,
    pub(super) iids_added: u64,
    pub(super) iids_duplicates: u64,
    /// What else happened to idempotent appends, if the stream counts it.
    pub(super) counted: Option<Tally>,
    /// Entries that wait to be appended.
    pub(super) delayed: u64,
}

/// What is told of a group.
#[derive(Debug)]
pub(super) struct GroupFigures {
    labels: [(&'static str, Cow<'static, str>); 3],
    pub(super) lag: u64,
    pub(super) pending: u64,
    pub(super) consumers: u64,
    /// How long the pending entry that was delivered first has been so, in milliseconds.
    pub(super) oldest_pending_ms: Option<u64>,
    /// Pending entries that were delivered more than once, among the first.
    pub(super) redelivered: u64,
}

impl Wanted<'_> {
    /// Takes views of the streams; a few pointers each.
    pub(super) fn find(&self, engine: &Engine, now: Now) -> Found {
        let streams = self.streams.iter().map(|row| (row.database, &row.key));
        let groups = self.groups.iter().map(|row| (row.database, &row.key));
        let keyspace = engine.keyspace();
        let found = streams.chain(groups).map(|(database, key)| {
            let is_there = database < keyspace.database_count();
            let record = is_there.then(|| keyspace.find(database, keyspace.hash(key), key));
            let record: Option<&Record> = record.flatten();
            let record = record.filter(|record| !record.is_expired(now.unix()));
            record.and_then(|record| record.value().get::<Stream>().cloned())
        });
        Found(found.collect())
    }
}

impl Found {
    /// Measures what was found.
    pub(super) fn measured(
        self,
        wanted: &Wanted<'_>,
        now: Now,
    ) -> (Vec<StreamFigures>, Vec<GroupFigures>) {
        let (streams, of_groups) = self.0.split_at(wanted.streams.len());
        let streams = wanted.streams.iter().zip(streams);
        let streams = streams.filter_map(|(row, stream)| {
            let stream = stream.as_ref()?;
            Some(StreamFigures::of(row, stream, now))
        });
        let groups = wanted.groups.iter().zip(of_groups);
        let groups = groups.filter_map(|(row, stream)| {
            let stream = stream.as_ref()?;
            let group = stream.groups().find(&row.group)?;
            Some(GroupFigures::of(row, stream, group, now))
        });
        (streams.collect(), groups.collect())
    }
}

impl StreamFigures {
    fn of(row: &Row, stream: &Stream, now: Now) -> StreamFigures {
        let idempotence = stream.idempotence();
        let first = (!stream.is_empty()).then(|| stream.first_id());
        StreamFigures {
            labels: [
                ("db", row.database.to_string().into()),
                ("stream", label::of(&row.key).into()),
            ],
            length: stream.len(),
            added: stream.entries_added(),
            bytes: stream.weight() as u64,
            groups: stream.groups().len() as u64,
            oldest_age_ms: first.map(|id| now.stream_ms().saturating_sub(id.ms)),
            last_id: stream.last_id(),
            tracked: idempotence.tracked(now.stream_ms()),
            iids_added: idempotence.iids_added(),
            iids_duplicates: idempotence.iids_duplicates(),
            counted: idempotence.counted().copied(),
            delayed: view::delayed(stream),
        }
    }

    pub(super) fn labels(&self) -> Labels<'_> {
        &self.labels
    }
}

impl GroupFigures {
    fn of(row: &GroupRow, stream: &Stream, group: &Group, now: Now) -> GroupFigures {
        let now_ms = now.stream_ms();
        let looked_at = group
            .pending_range(StreamId::MIN, StreamId::MAX)
            .take(PENDING_LOOKED_AT_MAX);
        // Entries that were given back come first by age, and nobody has them.
        let any = IdleAtLeast {
            idle_ms_min: 0,
            now_ms,
        };
        let mut held = group
            .pending_by_age(any)
            .skip(group.given_back_count())
            .filter_map(|id| group.pending(id)?.idle_ms(now_ms));
        GroupFigures {
            labels: [
                ("db", row.database.to_string().into()),
                ("stream", label::of(&row.key).into()),
                ("group", label::of(&row.group).into()),
            ],
            lag: stream.lag(group),
            pending: group.pending_count() as u64,
            consumers: group.consumer_count() as u64,
            oldest_pending_ms: held.next(),
            redelivered: looked_at.filter(|entry| entry.delivery_count > 1).count() as u64,
        }
    }

    pub(super) fn labels(&self) -> Labels<'_> {
        &self.labels
    }
}
