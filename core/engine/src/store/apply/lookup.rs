//! What is there: lookups of keys, what they count as, what a reply depends on through them, and
//! what they do with a key that has expired.

use values::{Typed, Value};

use super::Store;
use crate::error::CmdError;
use crate::observe::stats::KeyspaceStats;
use crate::store::keyspace::Record;
use crate::time::UnixMs;
use batch::Lsn;

/// Which lookups count as hits or misses (`keyspace_hits`, `keyspace_misses`): those of commands
/// that read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counting {
    /// The command only reads.
    all: bool,
    /// The next lookup reads, whatever else the command does.
    next: bool,
}

impl Counting {
    /// Counts a lookup, if it is to be counted. Returns whether it is.
    #[inline]
    fn note(&mut self, found: bool, stats: &mut KeyspaceStats) -> bool {
        let is_counted = self.all || self.next;
        if is_counted {
            self.next = false;
            stats.hits += u64::from(found);
            stats.misses += u64::from(!found);
        }
        is_counted
    }

    /// The same for a lookup that counts only if the command says so.
    #[inline]
    fn note_peek(&mut self, found: bool, stats: &mut KeyspaceStats) -> bool {
        self.next && self.note(found, stats)
    }
}

/// Whether looking a key up counts as using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It does.
    Use,
    /// It does not (`CLIENT NO-TOUCH`).
    NoTouch,
}

/// What happens to an expired key when a command or an effect meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It is removed, by an effect that comes before whatever else happens.
    Removed,
    /// It counts as missing but stays: during `CLIENT PAUSE`, or while a log is followed, a read
    /// writes nothing.
    Hidden,
    /// It counts as existing: in a replay, keys are removed when the journal says so.
    Kept,
}

impl Store<'_> {
    /// Every lookup is a hit or a miss: the command only reads.
    pub(crate) fn count_lookups(&mut self) {
        self.counting.all = true;
    }

    /// The next lookup is a hit or a miss: the command reports what it finds, whatever else it
    /// does.
    pub fn reading(&mut self) -> &mut Self {
        self.counting.next = true;
        self
    }

    /// The record of a key, unless it is missing or expired; it counts as used.
    #[inline]
    pub fn record(&mut self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        if self.is_overdue(hash, key) {
            return self.miss_overdue(hash, key);
        }
        let database = self.data.keyspace.database(self.database);
        match database.find(hash, key) {
            Some(record) => {
                self.counting.note(true, &mut self.data.stats);
                // A database that was swapped in brings records that were changed before.
                let changed = record.changed().max(database.replaced());
                self.depends_on = self.depends_on.max(changed);
                if self.access == Access::Use {
                    self.data.usage.note_use(record, self.now);
                }
                Some(record)
            }
            None => {
                self.depends_on = self.depends_on.max(database.removed(hash));
                if self.counting.note(false, &mut self.data.stats) {
                    self.data.notifications.missed(self.database, key);
                }
                None
            }
        }
    }

    /// The same, but the lookup does not count as a use, nor as a hit or a miss unless that was
    /// requested before.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        let database = self.database;
        if self.is_overdue(hash, key) {
            self.pass_over(hash, key);
            if self.counting.note_peek(false, &mut self.data.stats) {
                self.data.notifications.missed(database, key);
            }
            return None;
        }
        let found = self.data.keyspace.find(database, hash, key);
        let is_counted = self
            .counting
            .note_peek(found.is_some(), &mut self.data.stats);
        if is_counted && found.is_none() {
            self.data.notifications.missed(database, key);
        }
        let changed = match found {
            Some(record) => record.changed().max(self.data.keyspace.replaced(database)),
            None => self.data.keyspace.removed(database, hash),
        };
        self.depends_on = self.depends_on.max(changed);
        found
    }

    /// Returns whether nothing has changed a key since that batch; `None` if it is missing.
    pub fn is_unchanged_since(&mut self, key: &[u8], batch: Lsn) -> Option<bool> {
        let replaced = self.data.keyspace.replaced(self.database);
        let record = self.peek(key)?;
        Some(record.changed().max(replaced) <= batch)
    }

    /// Returns whether a key of any database exists.
    pub fn exists_in(&mut self, database: u16, key: &[u8]) -> bool {
        let own = std::mem::replace(&mut self.database, database);
        let exists = self.peek(key).is_some();
        self.database = own;
        exists
    }

    /// The value of a key.
    #[inline]
    pub fn value(&mut self, key: &[u8]) -> Option<&Value> {
        self.record(key).map(Record::value)
    }

    /// Returns whether a key exists.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.record(key).is_some()
    }

    /// What a key holds, as the type that a command works on.
    ///
    /// # Errors
    /// `WRONGTYPE` if it is of another type.
    #[inline]
    pub fn get<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&T>, CmdError> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => match value.get() {
                Some(value) => Ok(Some(value)),
                None => Err(CmdError::WrongType),
            },
        }
    }

    /// Returns whether a command that only reads may also write, something that could be left out:
    /// not while nothing is to be written to the log.
    pub fn may_write_by_the_way(&self) -> bool {
        match self.overdue {
            Overdue::Removed | Overdue::Kept => true,
            Overdue::Hidden => false,
        }
    }

    /// Returns whether a key of a database has expired but is still there. Unless it must stay, it
    /// is removed.
    pub fn pass_over_overdue_in(&mut self, database: u16, key: &[u8]) -> bool {
        let own = std::mem::replace(&mut self.database, database);
        let hash = self.hash(key);
        let is_overdue = self.is_overdue(hash, key);
        if is_overdue {
            self.pass_over(hash, key);
        }
        self.database = own;
        is_overdue
    }

    /// Keys with an expiry up to this time have expired.
    #[inline]
    pub(crate) fn over_at(&self) -> UnixMs {
        match self.overdue {
            Overdue::Removed | Overdue::Hidden => self.now.unix(),
            Overdue::Kept => UnixMs(i64::MIN),
        }
    }

    #[inline]
    fn is_overdue(&self, hash: u64, key: &[u8]) -> bool {
        if !self.data.keyspace.may_expire(self.database) {
            return false;
        }
        let found = self.data.keyspace.find(self.database, hash, key);
        found.is_some_and(|record| record.is_expired(self.over_at()))
    }

    #[cold]
    fn miss_overdue(&mut self, hash: u64, key: &[u8]) -> Option<&Record> {
        self.pass_over(hash, key);
        if self.counting.note(false, &mut self.data.stats) {
            self.data.notifications.missed(self.database, key);
        }
        None
    }

    /// A lookup met an expired key.
    #[cold]
    fn pass_over(&mut self, hash: u64, key: &[u8]) {
        if self.overdue == Overdue::Removed {
            self.expire(key);
        } else if let Some(record) = self.data.keyspace.find(self.database, hash, key) {
            // It is missing because of the batch that set its expiry.
            let changed = record
                .changed()
                .max(self.data.keyspace.replaced(self.database));
            self.depends_on = self.depends_on.max(changed);
        }
    }
}
