//! How effects change keys regardless of what they hold.

use values::{Key, Value};

use super::{DECIDED, Tx};
use crate::store::dropped::What;
use crate::store::effect::{DeleteCause, Effect};
use crate::store::keyspace::Record;
use crate::time::UnixMs;

impl Tx<'_> {
    pub(super) fn change_key(&mut self, effect: &Effect<'_>) -> u64 {
        match *effect {
            Effect::Delete { key, cause } => self.delete(key, cause),
            Effect::ExpireAt { key, at } => self.set_expiry(key, Some(at)),
            Effect::Persist { key } => self.set_expiry(key, None),
            Effect::Rename { key, to } => self.rename(key, to),
            Effect::Move { key, to_db } => self.relocate(key, to_db),
            Effect::Copy { key, to, to_db } => self.copy(key, to, to_db),
            Effect::Restore {
                key, ref value, at, ..
            } => {
                self.put(self.database, key, value.clone(), at);
                1
            }
            Effect::SwapDb { a, b } => self.swap(a, b),
            Effect::Flush { db } => self.flush(db),
            _ => unreachable!("not for a key: {effect:?}"),
        }
    }

    fn delete(&mut self, key: &[u8], cause: DeleteCause) -> u64 {
        let lsn = self.data.log.open();
        let hash = self.data.keyspace.hash(key);
        let Some(record) = self.data.keyspace.remove(self.database, hash, key, lsn) else {
            return 0;
        };
        let is_overdue = record.is_expired(self.over_at());
        self.data.dropped.take(What::Record(record));
        if is_overdue || cause == DeleteCause::Expired {
            self.data.stats.expired += 1;
        }
        self.touched(key);
        1
    }

    fn set_expiry(&mut self, key: &[u8], at: Option<UnixMs>) -> u64 {
        let lsn = self.data.log.open();
        let hash = self.data.keyspace.hash(key);
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let was_set = self.data.keyspace.set_expiry(self.database, hash, key, at);
        assert!(was_set, "{DECIDED}");
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        record.expect(DECIDED).changed = lsn;
        self.touched_quietly(key);
        1
    }

    fn rename(&mut self, key: &[u8], to: &[u8]) -> u64 {
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        self.pass_over_overdue_in(self.database, to);
        let lsn = self.data.log.open();
        let hash = self.data.keyspace.hash(key);
        let record = self.data.keyspace.remove(self.database, hash, key, lsn);
        let record = record.expect(DECIDED);
        let mut record = record.renamed(Key::from(to));
        record.changed = lsn;
        let hash = self.data.keyspace.hash(to);
        self.put_record(self.database, hash, record);
        self.schedule_packing(self.database, to);
        self.touched(key);
        self.touched(to);
        1
    }

    fn relocate(&mut self, key: &[u8], to_db: u16) -> u64 {
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        self.pass_over_overdue_in(to_db, key);
        let lsn = self.data.log.open();
        let hash = self.data.keyspace.hash(key);
        let record = self.data.keyspace.remove(self.database, hash, key, lsn);
        let mut record = record.expect(DECIDED);
        record.changed = lsn;
        let record = record.renamed(Key::from(key));
        self.put_record(to_db, hash, record);
        self.schedule_packing(to_db, key);
        self.touched(key);
        self.touched_in(to_db, key);
        1
    }

    fn copy(&mut self, key: &[u8], to: &[u8], to_db: u16) -> u64 {
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let hash = self.data.keyspace.hash(key);
        let record = self.data.keyspace.find(self.database, hash, key);
        let record = record.expect(DECIDED);
        let (value, at) = (record.value().clone(), record.expires_at());
        self.put(to_db, to, value, at);
        1
    }

    fn put(&mut self, database: u16, key: &[u8], value: Value, at: Option<UnixMs>) {
        self.pass_over_overdue_in(database, key);
        let lsn = self.data.log.open();
        let record = Record::new(Key::from(key), value, at, lsn, self.now.unix());
        let hash = self.data.keyspace.hash(key);
        self.put_record(database, hash, record);
        self.schedule_packing(database, key);
        self.touched_in(database, key);
    }

    /// Puts a record in, whose key has this hash; one that was there goes.
    #[inline]
    pub(super) fn put_record(&mut self, database: u16, hash: u64, record: Record) {
        if let Some(old) = self.data.keyspace.put(database, hash, record) {
            self.data.dropped.take(What::Record(old));
        }
    }

    fn touched_in(&mut self, database: u16, key: &[u8]) {
        self.data.watches.mark(database, key);
        self.data.blocking.mark(database, key);
    }

    fn swap(&mut self, a: u16, b: u16) -> u64 {
        let lsn = self.data.log.open();
        // A watched key was touched unless it is missing on both sides.
        for (db, other) in [(a, b), (b, a)] {
            let keyspace = &self.data.keyspace;
            let held = |key: &[u8]| keyspace.exists(db, key) || keyspace.exists(other, key);
            self.data.watches.mark_database(db, held);
        }
        self.data.keyspace.swap(a, b, lsn);
        self.data.blocking.mark_database(a);
        self.data.blocking.mark_database(b);
        1
    }

    fn flush(&mut self, db: Option<u16>) -> u64 {
        let lsn = self.data.log.open();
        let databases = match db {
            Some(db) => db..db + 1,
            None => 0..self.data.keyspace.database_count(),
        };
        let mut removed = 0;
        for db in databases {
            let keyspace = &self.data.keyspace;
            removed += keyspace.len(db) as u64;
            self.data
                .watches
                .mark_database(db, |key| keyspace.exists(db, key));
            let emptied = self.data.keyspace.clear(db, lsn);
            self.data.dropped.take(What::Records(emptied));
            self.data.blocking.mark_database(db);
        }
        // Even of empty databases it tells whoever follows.
        removed.max(1)
    }
}
