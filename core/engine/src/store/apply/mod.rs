//! The one place where the keyspace is read and changed.
//!
//! [`Store::apply`] changes the value, appends to the batch, breaks watches, marks waiters and
//! counts, in one call, so that none can be forgotten. It is total, and uses neither randomness nor
//! any time except the one given. Reads and effects first remove expired keys ([`Overdue`]), so
//! that neither ever meets one; reads note what their reply depends on (`lookup.rs`).

mod change;
mod fields;
mod lookup;

pub use self::lookup::{Access, Overdue};

use std::cell::Cell;

use resp::{LARGE_BYTES_MIN, Large, find_large};
use stream::{NodeLimits, Retention};
use values::hyperloglog::SparseBytesMax;
use values::{Key, Thresholds};

use self::lookup::Counting;
use crate::clients::channels::Channels;
use crate::clients::pattern_reads::PatternReads;
use crate::clients::session::Session;
use crate::clients::tracking::Tracking;
use crate::clients::waiting::Blocking;
use crate::clients::watch::Watches;
use crate::config::Config;
use crate::limits::{LOOK_AHEAD_KEYS_MIN, LOOK_AHEAD_REQUESTS_MAX};
use crate::observe::stats::{KeyspaceStats, LastLoad};
use crate::store::dropped::{Discard, What};
use crate::store::eviction::Pool;
use crate::store::keyspace::{Keyspace, Usage};
use crate::store::libraries::Libraries;
use crate::store::log::EffectLog;
use crate::store::notifications::Notifications;
use crate::store::packing::PackingQueue;
use crate::time::Now;
use batch::Lsn;

/// The keyspace, with everything that must happen when it changes.
#[derive(Debug)]
pub struct Data {
    pub(crate) keyspace: Keyspace,
    /// Libraries of functions.
    pub(crate) libraries: Libraries,
    pub(crate) log: EffectLog,
    pub(crate) watches: Watches,
    pub(crate) tracking: Tracking,
    pub(crate) blocking: Blocking,
    pub(crate) pattern_reads: PatternReads,
    pub(crate) stats: KeyspaceStats,
    /// What a new stream remembers of its producers.
    pub(crate) retention: Retention,
    /// When new entries count as added.
    pub(crate) added: Added,
    /// Seed of the hashes of producers.
    pub(crate) producer_seed: u64,
    /// When a node, a run of entries that approximate trimming removes whole, is full.
    pub(crate) node_limits: NodeLimits,
    /// When Redis keeps a value in a compact form.
    pub(crate) thresholds: Thresholds,
    /// Chunks of streams that are to be packed.
    pub(crate) packing: PackingQueue,
    /// They are packed at all (`stream-compress`).
    pub(crate) stream_compress: bool,
    /// How uses of keys are noted.
    pub(crate) usage: Usage,
    /// Keys that are good to evict.
    pub(crate) pool: Pool,
    /// How long a sparse HyperLogLog may become.
    pub(crate) hll_sparse_bytes_max: SparseBytesMax,
    /// Memory that was made ready for the command that runs.
    pub(crate) prepared: Option<Vec<u8>>,
    /// The payload that was made ready for it.
    pub(crate) payload: Option<Vec<u8>>,
    /// What is to be dropped outside of the request path.
    pub(crate) dropped: Discard,
    /// Names of events that have subscribers.
    pub(crate) notifications: Notifications,
    /// What the last load of a snapshot found.
    pub(crate) last_load: LastLoad,
}

impl Data {
    /// Takes over what the keyspace needs of new settings.
    pub(crate) fn settings_changed(&mut self, config: &Config) {
        self.retention = config.retention;
        self.node_limits = config.node_limits;
        self.thresholds = config.thresholds;
        self.stream_compress = config.stream_compress;
        self.notifications.publish_as_said(config.keyspace_events);
        self.usage.settings_changed(&config.eviction);
        self.hll_sparse_bytes_max = config.hll_sparse_bytes_max;
        self.tracking.set_keys_max(config.tracked_keys_max);
    }

    /// A client that may have tracked keys has gone.
    pub(crate) fn forget_tracker(&mut self, session: &mut Session) {
        if let Some(table) = self.tracking.forget(session) {
            self.dropped.take(What::Tracked(table));
        }
    }

    /// All keys may have changed: those who track keys are told, and streams are looked for again.
    pub(crate) fn everything_changed(&mut self) {
        for turns in self.pattern_reads.start_over() {
            self.dropped.take(What::Turns(turns));
        }
        if let Some(table) = self.tracking.everything_changed() {
            self.dropped.take(What::Tracked(table));
        }
    }
}

impl Data {
    /// What a reader of snapshots and payloads must know.
    pub(crate) fn snapshot_context(&self, now: Now, packing: rdb::Packing) -> rdb::Context {
        rdb::Context {
            now_ms: now.stream_ms(),
            hash_seed: self.producer_seed,
            retention: self.retention,
            thresholds: self.thresholds,
            packing,
        }
    }
}

/// Why an effect finds what it must change. If it does not, the reply to its command is wrong, and
/// continuing would make that permanent.
pub(crate) const DECIDED: &str =
    "a command decides on an effect by what is there, and nothing happens in between";

/// When an entry counts as added, which is when its idempotent ID begins to age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// At the time of the command.
    Now,
    /// At the time in its ID, if that has passed: a file of Redis may contain nothing else.
    ById,
}

/// A command's or transaction's view of the keyspace.
#[derive(Debug)]
pub struct Store<'e> {
    pub(crate) data: &'e mut Data,
    /// The database that keys are looked up in.
    pub database: u16,
    pub(crate) now: Now,
    depends_on: Lsn,
    pub(crate) access: Access,
    overdue: Overdue,
    counting: Counting,
    work: u64,
    /// What a value can be without a copy.
    pub(crate) larges: Larges<'e>,
    /// Where the large key lies whose hash was computed last, and its hash.
    large_hash: Cell<(usize, u64)>,
}

/// Bytes that values and the log share with the command.
#[derive(Debug, Default)]
pub(crate) struct Larges<'e> {
    /// The large arguments of the request.
    pub(crate) arguments: &'e [Large],
    /// What the command made. It has no use for arguments then.
    made: Option<Large>,
}

impl Larges<'_> {
    pub(crate) fn all(&self) -> &[Large] {
        match &self.made {
            Some(made) => std::slice::from_ref(made),
            None => self.arguments,
        }
    }
}

impl<'e> Store<'e> {
    pub(crate) fn new(
        data: &'e mut Data,
        database: u16,
        now: Now,
        access: Access,
        overdue: Overdue,
    ) -> Store<'e> {
        Store {
            data,
            database,
            now,
            depends_on: Lsn::ZERO,
            access,
            overdue,
            counting: Counting::default(),
            work: 0,
            larges: Larges::default(),
            large_hash: Cell::new((0, 0)),
        }
    }

    /// The large argument of the request whose bytes these are, if it is one, or what the command
    /// made: it can be kept without a copy. Small bytes are not looked for, so that a request with
    /// many of them beside many large ones takes time in proportion to their number.
    #[inline]
    pub fn large(&self, bytes: &[u8]) -> Option<&Large> {
        if bytes.len() < LARGE_BYTES_MIN {
            return None;
        }
        let found = find_large(self.larges.arguments, bytes);
        found.or_else(|| find_large(self.larges.made.as_slice(), bytes))
    }

    /// Takes large bytes that the command made. An effect that is given them, and the log, share
    /// them.
    pub fn make_large(&mut self, bytes: Vec<u8>) -> Large {
        self.larges.made.insert(Large::new(bytes)).clone()
    }

    /// Looks up the next keys of a command that names many, and returns after how many it is time
    /// to do so again: 0 if that is of no use, because the database is small enough for the
    /// processor's caches. Lookups that do not wait for one another share the latency of memory.
    pub fn look_ahead<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> usize {
        let keyspace = &self.data.keyspace;
        if keyspace.len(self.database) < LOOK_AHEAD_KEYS_MIN {
            return 0;
        }
        let mut hashes = [0; LOOK_AHEAD_REQUESTS_MAX];
        let mut looked = 0;
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = self.hash(key);
            looked += 1;
        }
        let found: [_; LOOK_AHEAD_REQUESTS_MAX] =
            keyspace.find_likely(self.database, &hashes[..looked]);
        for record in found.into_iter().flatten() {
            record.value().prefetch();
        }
        looked
    }

    /// The payload that was made ready for the command, if there is one. It shows what was there
    /// when it was begun, and the reply depends on everything that happened since.
    pub fn prepared_payload(&mut self) -> Option<Vec<u8>> {
        let payload = self.data.payload.take()?;
        self.depend_on_all();
        Some(payload)
    }

    /// Empty memory for so many bytes: what was made ready for the command, if that is enough.
    pub fn memory_for(&mut self, bytes: usize) -> Vec<u8> {
        let prepared = self
            .data
            .prepared
            .take_if(|memory| memory.capacity() >= bytes);
        prepared.unwrap_or_else(|| Vec::with_capacity(bytes))
    }

    /// The key of these bytes, which it shares if they are a large argument.
    #[inline]
    pub fn key(&self, bytes: &[u8]) -> Key {
        match self.large(bytes) {
            Some(large) => Key::from_shared(large.clone()),
            None => Key::from(bytes),
        }
    }

    /// The hash of a key's name. That of a large one, which takes long, is computed once: a command
    /// looks the key up, and then its effects do.
    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        match self.data.keyspace.known_hash(key) {
            Some(hash) => hash,
            None if key.len() < LARGE_BYTES_MIN => self.data.keyspace.new_hash(key),
            None => self.hash_of_large(key),
        }
    }

    #[cold]
    fn hash_of_large(&self, key: &[u8]) -> u64 {
        let address = key.as_ptr().addr();
        // Nothing else can come to lie where an argument of the request lies.
        let is_argument = find_large(self.larges.arguments, key).is_some();
        let (known, hash) = self.large_hash.get();
        if is_argument && known == address {
            return hash;
        }
        let hash = self.data.keyspace.new_hash(key);
        if is_argument {
            self.large_hash.set((address, hash));
        }
        hash
    }

    /// Returns how much was changed, in the units of the effects.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// The keyspace, for the view of a command that this one calls.
    pub(crate) fn data(&mut self) -> &mut Data {
        self.data
    }

    /// Takes over from a command that this one called: what its reply depends on, and how much it
    /// changed.
    pub(crate) fn join(&mut self, depends_on: Lsn, work: u64) {
        self.depends_on = self.depends_on.max(depends_on);
        self.work += work;
    }

    /// The batch that must be durable before the reply may leave.
    pub(crate) fn depends_on(&self) -> Lsn {
        self.depends_on
    }

    /// The time of the command.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The keyspace, for commands that look at many keys. Expired keys are still in it.
    pub fn keyspace(&self) -> &Keyspace {
        &self.data.keyspace
    }

    /// The libraries of functions; the reply depends on them.
    #[inline]
    pub fn libraries(&mut self) -> &Libraries {
        self.depends_on = self.depends_on.max(self.data.libraries.changed());
        &self.data.libraries
    }

    /// When Redis keeps a value in a compact form.
    pub fn thresholds(&self) -> Thresholds {
        self.data.thresholds
    }

    /// Counters of the keyspace.
    pub fn stats(&self) -> &KeyspaceStats {
        &self.data.stats
    }

    /// Counts entries of groups that were delivered again.
    pub fn note_redelivered(&mut self, entries: u64) {
        self.data.stats.redelivered += entries;
    }

    /// Counts entries that became dead letters.
    pub fn note_dead_letters(&mut self, entries: u64) {
        self.data.stats.dead_letters += entries;
    }

    /// What the last load of a snapshot found.
    pub fn last_load(&self) -> LastLoad {
        self.data.last_load
    }

    /// Which clients wait for which key.
    pub fn blocking(&self) -> &Blocking {
        &self.data.blocking
    }

    /// Reads of many streams by a pattern.
    pub fn pattern_reads(&self) -> &PatternReads {
        &self.data.pattern_reads
    }

    /// The watches of all sessions.
    pub fn watches(&mut self) -> &mut Watches {
        &mut self.data.watches
    }

    /// Who tracks which keys.
    pub fn tracking(&self) -> &Tracking {
        &self.data.tracking
    }

    /// The same, to be changed.
    pub fn tracking_mut(&mut self) -> &mut Tracking {
        &mut self.data.tracking
    }

    /// Takes over what the keyspace needs of new settings.
    pub fn settings_changed(&mut self, config: &Config) {
        self.data.settings_changed(config);
    }

    /// Resets the counters (`CONFIG RESETSTAT`).
    pub fn reset_stats(&mut self) {
        let KeyspaceStats {
            effects, changes, ..
        } = self.data.stats;
        self.data.stats = KeyspaceStats {
            effects,
            changes,
            ..KeyspaceStats::default()
        };
    }

    /// Publishes what has happened so far: it comes before what the command publishes, and those
    /// hear of it who listen now.
    pub fn publish_events(&mut self, channels: &mut Channels) {
        if self.data.notifications.has_some() {
            self.data.notifications.publish_to(channels);
        }
    }

    /// The log of effects.
    pub fn log(&self) -> &EffectLog {
        &self.data.log
    }

    /// The reply depends on everything that happened so far.
    pub fn depend_on_all(&mut self) {
        self.depends_on = self.data.log.last();
    }

    /// Lookups count as uses, whatever the client wants.
    pub fn count_uses(&mut self) {
        self.access = Access::Use;
    }

    /// Notes for how many seconds a key was not used, if that is tracked.
    pub fn set_idle_s(&mut self, key: &[u8], idle_s: u32) {
        let hash = self.hash(key);
        if let Some(record) = self.data.keyspace.find(self.database, hash, key) {
            self.data.usage.set_idle_s(record, idle_s, self.now.unix());
        }
    }

    /// Notes how often a key is used, if that is tracked.
    pub fn set_frequency(&mut self, key: &[u8], frequency: u8) {
        let (hash, now) = (self.hash(key), self.now.unix());
        if let Some(record) = self.data.keyspace.find(self.database, hash, key) {
            self.data.usage.set_frequency(record, frequency, now);
        }
    }

    /// How often a key is used, if it exists. That does not count as a use.
    pub fn frequency(&mut self, key: &[u8]) -> Option<u8> {
        self.peek(key)?;
        let (hash, now) = (self.hash(key), self.now.unix());
        let record = self.data.keyspace.find(self.database, hash, key)?;
        Some(self.data.usage.frequency(record, now))
    }

    /// How long a sparse HyperLogLog may become. In the journal of weir it says where one became
    /// dense.
    pub fn hll_sparse_bytes_max(&self) -> SparseBytesMax {
        self.data.hll_sparse_bytes_max
    }

    /// What a reader of payloads must know.
    pub fn payload_context(&self) -> rdb::Context {
        self.data.snapshot_context(self.now, rdb::Packing::Later)
    }

    /// Takes something that is removed; it is freed where nobody waits for it.
    pub fn drop_later(&mut self, what: What) {
        self.data.dropped.take(what);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use stream::{References, StreamId};

    use super::*;
    use crate::Engine;
    use crate::command::CommandTable;
    use crate::config::Settings;
    use crate::store::effect::{Effect, GroupChange, KeyChange, StreamChange, event};

    #[test]
    fn an_effect_on_what_is_not_there_is_not_passed_over() {
        let trim = StreamChange::Trim {
            through: StreamId::MAX,
            references: References::Keep,
        };
        let acknowledge = GroupChange::Acknowledge {
            ids: &[StreamId::MIN],
        };
        let effects = [
            Effect::on(b"none", KeyChange::Persist),
            Effect::on(b"none", KeyChange::Rename { to: b"other" }),
            Effect::on(b"none", trim),
            Effect::on_group(b"stream", b"none", acknowledge),
        ];
        for effect in effects {
            let now = Now::default();
            let mut engine = Engine::new(Settings::default(), 1, now, &CommandTable::EMPTY);
            let create = GroupChange::Create {
                id: StreamId::MIN,
                entries_read: None,
            };
            let made = Effect::on_group(b"stream", b"group", create);
            let (access, overdue) = (Access::NoTouch, Overdue::Kept);
            let mut store = Store::new(&mut engine.data, 0, now, access, overdue);
            let mut apply = |effect| store.apply(effect, event::UNHEARD);
            apply(&made);
            let applied = catch_unwind(AssertUnwindSafe(|| apply(&effect)));
            assert!(applied.is_err(), "{effect:?}");
        }
    }

    #[test]
    fn a_database_that_is_none_is_not_an_empty_one() {
        let engine = Engine::new(Settings::default(), 1, Now::default(), &CommandTable::EMPTY);
        let keyspace = engine.keyspace();
        let beyond = keyspace.database_count();
        assert!(catch_unwind(AssertUnwindSafe(|| keyspace.exists(beyond, b"key"))).is_err());
    }
}
