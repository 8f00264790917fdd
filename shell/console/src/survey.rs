//! Which streams there are: a walk through a frozen view of the keyspace, made again now and then.
//!
//! The lock is held for the pointers of the view only. A walk looks at every key, so it is not made
//! for each question but in proportion to what it costs ([`SURVEY_PAUSE`]): of a small keyspace
//! each answer is new, of a large one it may be some seconds old. What is shown of a single stream
//! is always looked up at once. A walk through many keys ([`SURVEY_KEYS_WAITED_FOR`]) is not waited
//! for by who can do with an older one, and the first is made when the data has been loaded, before
//! somebody asks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{Engine, Now};
use server::Shard;
use stream::Stream;

use crate::limits::{METRICS_ROWS_MAX, SURVEY_KEYS_WAITED_FOR, SURVEY_PAUSE, SURVEY_ROWS_MAX};
use crate::order::{Order, Orders};
use crate::view;

/// How often it is looked whether the data has been loaded.
const LOAD_LOOK_PAUSE: Duration = Duration::from_millis(50);

/// A stream, as a walk found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) database: u16,
    pub(crate) key: Box<[u8]>,
    /// About how many bytes it takes.
    pub(crate) bytes: u64,
    /// Entries that it has.
    pub(crate) length: u64,
    /// Entries that were ever added.
    pub(crate) added: u64,
    /// The time in its last ID, in milliseconds.
    pub(crate) last_ms: u64,
    /// Consumer groups.
    pub(crate) groups: u32,
    /// Entries that the group that is furthest behind has yet to read.
    pub(crate) lag: u64,
    /// Pending entries of all groups.
    pub(crate) pending: u64,
    /// Producers with idempotent IDs that are remembered.
    pub(crate) producers: u64,
    /// Idempotent IDs that are remembered.
    pub(crate) iids: u64,
    /// Idempotent appends that were duplicates.
    pub(crate) duplicates: u64,
}

/// A group, as a walk found it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupRow {
    /// What it has to do: entries to be read and to be acknowledged.
    pub(crate) behind: u64,
    pub(crate) database: u16,
    pub(crate) key: Box<[u8]>,
    pub(crate) group: Box<[u8]>,
    /// Entries that it has yet to read.
    pub(crate) lag: u64,
    /// Entries that were delivered and not acknowledged.
    pub(crate) pending: u64,
    pub(crate) consumers: u64,
}

/// Sums over all streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) streams: u64,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) groups: u64,
    pub(crate) pending: u64,
    /// Entries that wait to be appended.
    pub(crate) delayed: u64,
    /// Producers with idempotent IDs that are remembered.
    pub(crate) producers: u64,
    /// Idempotent IDs that are remembered.
    pub(crate) iids: u64,
    /// Idempotent appends that added an entry, to streams that are there now.
    pub(crate) iids_added: u64,
    /// Idempotent appends that were duplicates, likewise.
    pub(crate) iids_duplicates: u64,
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Survey {
    made: Instant,
    /// How long the walk took.
    pub(crate) took: Duration,
    /// The streams, the largest by bytes first; beyond [`SURVEY_ROWS_MAX`] those that were met
    /// first.
    pub(crate) rows: Vec<Row>,
    /// The groups that have most to do, that one first.
    pub(crate) groups: Vec<GroupRow>,
    pub(crate) sums: Sums,
    orders: Orders,
}

/// The last walk, and who makes the next.
#[derive(Debug)]
pub(crate) struct Surveys {
    last: Mutex<Option<Arc<Survey>>>,
    /// Held while somebody walks.
    walking: tokio::sync::Mutex<()>,
    shard: Shared,
}

/// The shard, which has nothing to print.
struct Shared(Arc<Shard>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shard")
    }
}

impl Survey {
    /// Walks through all keys of a view.
    pub(crate) fn walk(view: &engine::store::keyspace::Frozen, now: Now) -> Survey {
        let made = Instant::now();
        let (mut rows, mut sums) = (Vec::new(), Sums::default());
        let mut groups = BinaryHeap::new();
        for (database, records) in view.databases.iter().enumerate() {
            for record in records
                .iter()
                .filter(|record| !record.is_expired(now.unix()))
            {
                let Some(stream) = record.value().get::<Stream>() else {
                    continue;
                };
                let database = u16::try_from(database).unwrap_or(u16::MAX);
                let row = row(database, record.key(), stream, now, &mut groups);
                add(&mut sums, &row, stream);
                if rows.len() < SURVEY_ROWS_MAX {
                    rows.push(row);
                }
            }
        }
        rows.sort_by(|a, b| (b.bytes, &a.key).cmp(&(a.bytes, &b.key)));
        let groups = groups.into_sorted_vec();
        Survey {
            made,
            took: made.elapsed(),
            rows,
            groups: groups.into_iter().map(|Reverse(group)| group).collect(),
            sums,
            orders: Orders::default(),
        }
    }

    /// The rows in an order.
    pub(crate) fn in_order(&self, order: Order) -> impl DoubleEndedIterator<Item = &Row> {
        let places = self.orders.get(order, &self.rows).iter();
        places.filter_map(|place| self.rows.get(*place as usize))
    }

    /// How old it is.
    pub(crate) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    fn is_due(&self) -> bool {
        self.age() > self.took.saturating_mul(SURVEY_PAUSE)
    }
}

fn row(
    database: u16,
    key: &[u8],
    stream: &Stream,
    now: Now,
    most: &mut BinaryHeap<Reverse<GroupRow>>,
) -> Row {
    let idempotence = stream.idempotence();
    let tracked = idempotence.tracked(now.stream_ms());
    let (mut lag, mut pending) = (0, 0);
    for (name, group) in stream.groups().iter() {
        let group_lag = stream.lag(group);
        let group_pending = group.pending_count() as u64;
        lag = lag.max(group_lag);
        pending += group_pending;
        let behind = group_lag + group_pending;
        let is_among = most.len() < METRICS_ROWS_MAX
            || most
                .peek()
                .is_some_and(|Reverse(least)| least.behind < behind);
        if is_among {
            most.push(Reverse(GroupRow {
                behind,
                database,
                key: key.into(),
                group: name.into(),
                lag: group_lag,
                pending: group_pending,
                consumers: group.consumer_count() as u64,
            }));
            if most.len() > METRICS_ROWS_MAX {
                most.pop();
            }
        }
    }
    Row {
        database,
        key: key.into(),
        bytes: stream.weight() as u64,
        length: stream.len(),
        added: stream.entries_added(),
        last_ms: stream.last_id().ms,
        groups: u32::try_from(stream.groups().len()).unwrap_or(u32::MAX),
        lag,
        pending,
        producers: tracked.producers as u64,
        iids: tracked.iids as u64,
        duplicates: idempotence.iids_duplicates(),
    }
}

fn add(sums: &mut Sums, row: &Row, stream: &Stream) {
    sums.streams += 1;
    sums.entries += row.length;
    sums.bytes += row.bytes;
    sums.groups += u64::from(row.groups);
    sums.pending += row.pending;
    sums.delayed += view::delayed(stream);
    sums.producers += row.producers;
    sums.iids += row.iids;
    sums.iids_added += stream.idempotence().iids_added();
    sums.iids_duplicates += row.duplicates;
}

/// Keys of all databases.
pub(crate) fn key_count(engine: &Engine) -> usize {
    let keyspace = engine.keyspace();
    let databases = 0..keyspace.database_count();
    databases.map(|database| keyspace.len(database)).sum()
}

impl Surveys {
    pub(crate) fn of(shard: &Arc<Shard>) -> Arc<Surveys> {
        Arc::new(Surveys {
            last: Mutex::new(None),
            walking: tokio::sync::Mutex::new(()),
            shard: Shared(Arc::clone(shard)),
        })
    }

    /// Makes the first walk once the data has been loaded, if there is so much that nobody will
    /// wait for that.
    pub(crate) async fn begin(self: Arc<Surveys>) {
        while self.is_loading() {
            tokio::time::sleep(LOAD_LOOK_PAUSE).await;
        }
        if self.is_large() {
            self.soon().await;
        }
    }

    /// The last walk, or a new one if that is due. If there was none before, it is waited for.
    pub(crate) async fn latest(self: &Arc<Surveys>) -> Arc<Survey> {
        match self.soon().await {
            Some(last) => last,
            None => Arc::clone(self).walk().await,
        }
    }

    /// The last walk, or a new one if that is due. A walk through a large keyspace is not waited
    /// for: then it is the last one, though that is due, or none if there was none before.
    pub(crate) async fn soon(self: &Arc<Surveys>) -> Option<Arc<Survey>> {
        let last = self.last();
        if last.as_ref().is_some_and(|last| !last.is_due()) {
            return last;
        }
        if !self.is_large() {
            return Some(Arc::clone(self).walk().await);
        }
        if self.walking.try_lock().is_ok() {
            tokio::spawn(Arc::clone(self).walk());
        }
        last
    }

    async fn walk(self: Arc<Surveys>) -> Arc<Survey> {
        let _walking = self.walking.lock().await;
        // Somebody else may have done so meanwhile.
        if let Some(last) = self.last().filter(|last| !last.is_due()) {
            return last;
        }
        let shard = Arc::clone(&self.shard.0);
        let walked = tokio::task::spawn_blocking(move || {
            let (view, now) = shard.look(|engine: &Engine, now| (engine.freeze(), now));
            Survey::walk(&view, now)
        });
        let is_loading = self.is_loading();
        let survey = Arc::new(walked.await.unwrap_or_else(|_| Survey {
            // It panicked, which was logged; there is nothing to tell.
            made: Instant::now(),
            took: Duration::ZERO,
            rows: Vec::new(),
            groups: Vec::new(),
            sums: Sums::default(),
            orders: Orders::default(),
        }));
        // An engine that has no data yet is not what the next one asks for.
        if !is_loading {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&survey));
        }
        survey
    }

    /// There are so many keys that a walk is not waited for.
    fn is_large(&self) -> bool {
        (self.shard.0).look(|engine, _| key_count(engine)) > SURVEY_KEYS_WAITED_FOR
    }

    fn is_loading(&self) -> bool {
        (self.shard.0).look(|engine, _| engine.server.loading.is_some())
    }

    fn last(&self) -> Option<Arc<Survey>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}
