//! The keys: databases of records, and when something is due for which of them.
//!
//! What is due follows from the records. One that expires says when, and is found where the
//! earliest time of a few records has come ([`expiring`]). One whose value has something to do
//! later has a timer ([`schedule`]), which comes and goes with the record, so that a record that
//! was removed or moved leaves nothing behind. What is then done is up to `upkeep`.
//!
//! Only [`crate::store::apply::Store`] changes a keyspace. Everything else reads, or takes a
//! [`Frozen`] view: pointers only, so that taking one costs a millisecond for millions of keys, and
//! a later write copies just the small table that it touches.

mod due;
mod expiring;
mod hash;
mod record;
mod schedule;
mod sizes;
mod usage;

use collections::hash::NameHasher;
use collections::{Directory, Sought};
use stream::Stream;

use expiring::Expiring;
use hash::KeyHashes;
use schedule::Schedule;

pub(crate) use due::Due;
pub use record::Record;
pub(crate) use sizes::SizeClass;
pub use sizes::Sizes;
pub(crate) use usage::Usage;

use crate::store::libraries::Libraries;
use crate::time::{Now, UnixMs};
use batch::Lsn;

/// All databases of a shard.
#[derive(Debug, Clone)]
pub struct Keyspace {
    databases: Vec<Database>,
    hashes: KeyHashes,
    /// No value has anything to do before this time; `None` if none ever has. It is worked out
    /// again when it has come.
    quiet_until: Option<UnixMs>,
    /// The same for keys that expire.
    unexpired_until: Option<UnixMs>,
    /// The database in which is looked next for what is due.
    turn: u16,
    /// Some timers were put aside.
    has_held: bool,
}

/// What was in a database that was emptied.
#[derive(Debug)]
pub struct Emptied {
    pub(crate) records: Directory<Record>,
    _schedule: Schedule,
}

/// The keys of one database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Database {
    records: Directory<Record>,
    schedule: Schedule,
    expiring: Expiring,
    sizes: Sizes,
    /// The batch that last emptied or swapped the whole database.
    replaced: Lsn,
}

/// A view of all databases at one moment, to be serialised elsewhere.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The records of each database, in the order of the databases.
    pub databases: Vec<Directory<Record>>,
    /// The libraries of functions.
    pub libraries: Libraries,
    usage: Usage,
}

impl Frozen {
    /// What a snapshot says of how a key was used: what matters under the policy by which keys are
    /// evicted.
    pub fn usage_of(&self, record: &Record, now: Now) -> rdb::Usage {
        self.usage.told(record, now.unix())
    }
}

impl Database {
    /// The record of a key, expired or not. Inlined in the lookup that most commands make;
    /// [`Keyspace::find`] is for all others.
    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<&Record> {
        let sought = Sought::of(key);
        self.records.find(hash, |record| record.is_of(&sought))
    }

    /// The last batch that emptied the whole database, or put another in its place.
    #[inline]
    pub(crate) fn replaced(&self) -> Lsn {
        self.replaced
    }

    /// The last batch that may have removed the key.
    #[inline]
    pub(crate) fn removed(&self, hash: u64) -> Lsn {
        Lsn::new(self.records.stamp(hash)).max(self.replaced)
    }
}

impl Keyspace {
    /// Empty databases, keys ordered by a hash with this secret key.
    pub fn new(databases: u16, hash_key: [u64; 2]) -> Keyspace {
        Keyspace {
            databases: (0..databases).map(|_| Database::default()).collect(),
            hashes: KeyHashes::new(NameHasher::new(hash_key)),
            quiet_until: None,
            unexpired_until: None,
            turn: 0,
            has_held: false,
        }
    }

    /// Databases of the same number and seed without keys, which the batch `lsn` emptied.
    pub(crate) fn emptied(&self, lsn: Lsn) -> Keyspace {
        let database = Database {
            replaced: lsn,
            ..Database::default()
        };
        Keyspace {
            databases: vec![database; self.databases.len()],
            hashes: self.hashes.clone(),
            quiet_until: None,
            unexpired_until: None,
            turn: 0,
            has_held: false,
        }
    }

    /// The number of databases.
    pub fn database_count(&self) -> u16 {
        self.databases.len() as u16
    }

    /// The hash by which a key is found and ordered.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hashes.hash(key)
    }

    /// The hash of a key, if it is that of the last one that was asked for.
    #[inline]
    pub(crate) fn known_hash(&self, key: &[u8]) -> Option<u64> {
        self.hashes.known(key)
    }

    /// The hash of a key that is not known.
    #[inline]
    pub(crate) fn new_hash(&self, key: &[u8]) -> u64 {
        self.hashes.work_out(key)
    }

    /// What was found out ahead of requests is forgotten.
    #[inline]
    pub(crate) fn forget_ahead(&mut self) {
        self.hashes.forget_ahead();
    }

    /// The hash of the key of the request that comes after those that were looked at ahead. It will
    /// find it known.
    #[inline]
    pub(crate) fn hash_ahead(&mut self, key: &[u8]) -> u64 {
        self.hashes.look_ahead(key)
    }

    /// A request begins.
    #[inline]
    pub(crate) fn begin_request(&mut self) {
        self.hashes.begin_request();
    }

    /// Number of keys in a database, those that have expired but were not yet removed included.
    pub fn len(&self, db: u16) -> usize {
        self.database(db).records.len()
    }

    /// The number of keys in all databases, and how many of them are streams. Looks at each.
    pub fn counts(&self) -> (usize, usize) {
        let records = self.databases.iter().flat_map(|db| db.records.iter());
        let (mut keys, mut streams) = (0, 0);
        for record in records {
            keys += 1;
            streams += usize::from(record.value().get::<Stream>().is_some());
        }
        (keys, streams)
    }

    /// Returns whether no database holds a key.
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(|db| db.records.is_empty())
    }

    /// Number of keys of a database that have an expiry.
    pub fn expiring(&self, db: u16) -> usize {
        self.database(db).expiring.count()
    }

    /// Number of keys of a database with values of which parts expire.
    #[inline]
    pub fn expiring_parts(&self, db: u16) -> usize {
        self.database(db).expiring.parts()
    }

    /// Returns whether keys of a database may expire at all.
    #[inline]
    pub(crate) fn may_expire(&self, db: u16) -> bool {
        let expiring = &self.database(db).expiring;
        expiring.count() + expiring.parts() > 0
    }

    /// The average time to live of the keys of a database that expire, in milliseconds.
    pub fn average_ttl_ms(&self, db: u16, now: UnixMs) -> u64 {
        self.database(db).expiring.average_ttl_ms(now)
    }

    /// How many keys of a database have values of which sizes.
    pub fn sizes(&self, db: u16) -> &Sizes {
        &self.database(db).sizes
    }

    /// The record of a key, expired or not.
    #[inline(never)]
    pub fn find(&self, db: u16, hash: u64, key: &[u8]) -> Option<&Record> {
        self.database(db).find(hash, key)
    }

    /// Bytes that a key takes, expired or not: its part of a table of the database, its name, its
    /// value and its timer. For a large value it looks at about `samples` parts, or at all of them
    /// if that is 0.
    pub fn memory_bytes(&self, db: u16, key: &[u8], samples: usize) -> Option<usize> {
        let hash = self.hash(key);
        let database = self.database(db);
        let record = database.find(hash, key)?;
        Some(database.records.place_bytes(hash) + record.heap_bytes(samples))
    }

    /// Records that keys of these hashes most likely have, expired or not: looked up at once, which
    /// is faster than one after the other if they are not in the processor's caches.
    pub(crate) fn find_likely<const N: usize>(
        &self,
        db: u16,
        hashes: &[u64],
    ) -> [Option<&Record>; N] {
        let records = &self.database(db).records;
        records.first_compared(hashes, Record::peek)
    }

    /// Returns whether a database holds a key, expired or not.
    pub fn exists(&self, db: u16, key: &[u8]) -> bool {
        self.find(db, self.hash(key), key).is_some()
    }

    /// The last batch that emptied the whole database, or put another in its place.
    #[inline]
    pub fn replaced(&self, db: u16) -> Lsn {
        self.database(db).replaced()
    }

    /// The last batch that may have removed the key from the database.
    #[inline]
    pub fn removed(&self, db: u16, hash: u64) -> Lsn {
        self.database(db).removed(hash)
    }

    /// Goes over records in hash order from a cursor; `SCAN`'s guarantees hold. Returns the next
    /// cursor, 0 at the end.
    pub fn scan(&self, db: u16, cursor: u64, count: usize, visit: impl FnMut(&Record)) -> u64 {
        self.database(db).records.scan(cursor, count, visit)
    }

    /// Goes over all records of a database, in hash order.
    pub fn records(&self, db: u16) -> impl Iterator<Item = &Record> {
        self.database(db).records.iter()
    }

    /// A record of the database, picked by random bits.
    pub fn random(&self, db: u16, random: u64) -> Option<&Record> {
        self.database(db).records.random(random)
    }

    /// A record of a database that expires, picked by random bits. Where few do among many that no
    /// longer do, none may be found yet.
    pub(crate) fn random_expiring(&mut self, db: u16, random: u64) -> Option<&Record> {
        let database = self.database_mut(db);
        database.expiring.random(&database.records, random)
    }

    /// All databases as they are now.
    pub(crate) fn freeze(&self, libraries: &Libraries, usage: &Usage) -> Frozen {
        Frozen {
            databases: self.databases.iter().map(|db| db.records.clone()).collect(),
            libraries: libraries.clone(),
            usage: usage.clone(),
        }
    }

    /// A database. Callers check its number against [`Keyspace::database_count`] first: a number
    /// beyond that must not pass for a database without keys.
    #[inline]
    pub(crate) fn database(&self, db: u16) -> &Database {
        &self.databases[usize::from(db)]
    }

    #[inline]
    fn database_mut(&mut self, db: u16) -> &mut Database {
        &mut self.databases[usize::from(db)]
    }

    /// The record of a key, to be changed in nothing that its deadline depends on; otherwise see
    /// [`Keyspace::edit`]. If its size may change, so must what is counted of it
    /// ([`Keyspace::resized`]).
    #[inline]
    pub(crate) fn find_mut(&mut self, db: u16, hash: u64, key: &[u8]) -> Option<&mut Record> {
        let sought = Sought::of(key);
        self.database_mut(db)
            .records
            .find_mut(hash, |record| record.is_of(&sought))
    }

    /// A value was changed in place, and its size with it.
    #[inline]
    pub(crate) fn resized(&mut self, db: u16, from: SizeClass, to: SizeClass) {
        if from != to {
            let sizes = &mut self.database_mut(db).sizes;
            sizes.remove(from);
            sizes.add(to);
        }
    }

    /// Inserts a record whose key has this hash; it replaces one with the same key.
    pub(crate) fn put(&mut self, db: u16, hash: u64, mut record: Record) -> Option<Record> {
        let hasher = self.hashes.hasher();
        let database = &mut self.databases[usize::from(db)];
        let sought = Sought::of(record.key());
        let found = database
            .records
            .find_mut(hash, |found| found.is_of(&sought));
        if let Some(old) = &found {
            database.sizes.remove(SizeClass::of(old.value()));
            database
                .expiring
                .remove_parts(old.value.has_expiring_parts());
        }
        database.sizes.add(SizeClass::of(record.value()));
        database
            .expiring
            .add_parts(record.value.has_expiring_parts());
        let expires_at = record.expires_at();
        let (old, deadline) = match found {
            Some(old) => {
                database.schedule.cancel(&mut old.timer());
                old.set_timer(None);
                let deadline = database.schedule.settle(&mut record, hash);
                let old = std::mem::replace(old, record);
                let expired_at = old.expires_at();
                database
                    .expiring
                    .remove(hash, expired_at, &database.records);
                (Some(old), deadline)
            }
            None => {
                let deadline = database.schedule.settle(&mut record, hash);
                let hash_of = |record: &Record| hasher.hash(record.key());
                database.records.insert(hash, record, hash_of);
                database.expiring.fit(database.records.len());
                (None, deadline)
            }
        };
        database.expiring.add(hash, expires_at);
        self.note_expiry(expires_at);
        self.note_deadline(deadline);
        old
    }

    /// Removes a record; `lsn` is the batch that does it.
    pub(crate) fn remove(&mut self, db: u16, hash: u64, key: &[u8], lsn: Lsn) -> Option<Record> {
        let hasher = self.hashes.hasher();
        let database = &mut self.databases[usize::from(db)];
        let hash_of = |record: &Record| hasher.hash(record.key());
        let sought = Sought::of(key);
        let is_it = |record: &Record| record.is_of(&sought);
        let mut record = database
            .records
            .remove(hash, is_it, hash_of, lsn.number())?;
        let expired_at = record.expires_at();
        database
            .expiring
            .remove(hash, expired_at, &database.records);
        database.expiring.fit(database.records.len());
        database.sizes.remove(SizeClass::of(record.value()));
        database
            .expiring
            .remove_parts(record.value.has_expiring_parts());
        let mut timer = record.timer();
        database.schedule.cancel(&mut timer);
        record.set_timer(None);
        Some(record)
    }

    /// Sets or removes the expiry of an existing record. Returns whether the record exists.
    pub(crate) fn set_expiry(
        &mut self,
        db: u16,
        hash: u64,
        key: &[u8],
        at: Option<UnixMs>,
        changed: Lsn,
    ) -> bool {
        let changed = self.edit(db, hash, key, |record| {
            let old = record.expires_at();
            record.set_expiry(at);
            record.set_changed(changed);
            (old, record.expires_at())
        });
        let Some((old, new)) = changed else {
            return false;
        };
        let database = self.database_mut(db);
        database.expiring.remove(hash, old, &database.records);
        database.expiring.add(hash, new);
        self.note_expiry(new);
        true
    }

    /// Empties a database and returns what it held, so that the caller chooses who pays for
    /// dropping it.
    pub(crate) fn clear(&mut self, db: u16, lsn: Lsn) -> Emptied {
        let database = self.database_mut(db);
        database.expiring = Expiring::default();
        database.sizes = Sizes::default();
        database.replaced = lsn;
        Emptied {
            records: database.records.clear(lsn.number()),
            _schedule: std::mem::take(&mut database.schedule),
        }
    }

    /// Swaps two databases.
    pub(crate) fn swap(&mut self, a: u16, b: u16, lsn: Lsn) {
        self.databases.swap(usize::from(a), usize::from(b));
        for db in [a, b] {
            self.database_mut(db).replaced = lsn;
        }
    }
}
