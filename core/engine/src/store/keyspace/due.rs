//! Changing records together with their timers, and finding those for which something is due.

use collections::{Sought, TimerId};
use values::Key;

use super::{Keyspace, Record};
use crate::time::UnixMs;

/// A record whose value has something to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    /// Its database.
    pub(crate) database: u16,
    hash: u64,
    timer: TimerId,
}

/// There is a record for each timer, because both come and go together.
const HAS_RECORD: &str = "a timer is that of a record";

impl Keyspace {
    /// Changes the record of a key in whatever way; its timer follows.
    #[inline]
    pub(crate) fn edit<R>(
        &mut self,
        db: u16,
        hash: u64,
        key: &[u8],
        change: impl FnOnce(&mut Record) -> R,
    ) -> Option<R> {
        let database = &mut self.databases[usize::from(db)];
        let sought = Sought::of(key);
        let record = database
            .records
            .find_mut(hash, |record| record.is_of(&sought))?;
        let result = change(record);
        let deadline = database.schedule.settle(record, hash);
        self.note_deadline(deadline);
        Some(result)
    }

    /// The same for a change after which parts of the value may expire, or none does any more.
    pub(crate) fn edit_parts<R>(
        &mut self,
        db: u16,
        hash: u64,
        key: &[u8],
        change: impl FnOnce(&mut Record) -> R,
    ) -> Option<R> {
        let (before, result, after) = self.edit(db, hash, key, |record| {
            let before = record.value.has_expiring_parts();
            let result = change(record);
            (before, result, record.value.has_expiring_parts())
        })?;
        let expiring = &mut self.databases[usize::from(db)].expiring;
        expiring.remove_parts(before);
        expiring.add_parts(after);
        Some(result)
    }

    /// A timer was set to this deadline.
    #[inline]
    pub(super) fn note_deadline(&mut self, deadline: Option<UnixMs>) {
        if let Some(at) = deadline {
            let known = self.quiet_until.unwrap_or(at);
            self.quiet_until = Some(known.min(at));
        }
    }

    /// A key expires at this time.
    #[inline]
    pub(super) fn note_expiry(&mut self, at: Option<UnixMs>) {
        if let Some(at) = at {
            let known = self.unexpired_until.unwrap_or(at);
            self.unexpired_until = Some(known.min(at));
        }
    }

    /// How many keys expire, and how many values have something to do later.
    pub fn scheduled(&self) -> usize {
        let databases = self.databases.iter();
        let scheduled = databases.map(|db| db.schedule.len() + db.expiring.count());
        scheduled.sum()
    }

    /// A time before which no value has anything to do.
    pub fn next_due(&self) -> Option<UnixMs> {
        self.quiet_until
    }

    /// A time before which no key expires.
    pub fn next_expiry(&self) -> Option<UnixMs> {
        self.unexpired_until
    }

    /// Returns whether keys may have expired.
    pub(crate) fn has_expired(&self, now: UnixMs) -> bool {
        let next = self.databases.iter().filter_map(|db| db.expiring.next());
        next.min().is_some_and(|at| at <= now)
    }

    /// Adds names of keys of one database that have expired, until there are `max`, and returns
    /// which database it is: whoever asks removes them at once. Takes some of `looks` for the
    /// records that it looks at; if they do not suffice it finds none.
    pub(crate) fn find_expired(
        &mut self,
        now: UnixMs,
        (max, names): (usize, &mut Vec<Key>),
        looks: &mut usize,
    ) -> Option<u16> {
        if self.unexpired_until.is_none_or(|at| at > now) {
            return None;
        }
        let count = self.database_count();
        for number in (self.turn..count).chain(0..self.turn) {
            let database = self.database_mut(number);
            let records = (&database.records, now);
            let wanted = (max, &mut *names);
            database.expiring.find_expired(records, wanted, looks);
            if !names.is_empty() {
                return Some(number);
            }
            if *looks == 0 {
                return None;
            }
        }
        let databases = self.databases.iter();
        self.unexpired_until = databases.filter_map(|db| db.expiring.next()).min();
        None
    }

    /// Lets another database be the first one in which is looked for what is due.
    pub(crate) fn pass_turn(&mut self) {
        self.turn = (self.turn + 1) % self.database_count();
    }

    /// A record whose value has something to do. Takes one of `looks` for each timer that it moves
    /// on the way; if they do not suffice it finds none.
    pub(crate) fn first_due(&mut self, now: UnixMs, looks: &mut usize) -> Option<Due> {
        if self.quiet_until.is_none_or(|at| at > now) {
            return None;
        }
        for _ in 0..self.databases.len() {
            let database = self.turn;
            let schedule = &mut self.database_mut(database).schedule;
            if let Some((timer, hash)) = schedule.first_due(now, looks) {
                return Some(Due {
                    database,
                    hash,
                    timer,
                });
            }
            if *looks == 0 {
                return None;
            }
            self.pass_turn();
        }
        let databases = self.databases.iter();
        self.quiet_until = databases.filter_map(|db| db.schedule.next_deadline()).min();
        None
    }

    /// All records for which something is due up to that time, in no order. Looks at every timer.
    pub(crate) fn due_by(&self, at: UnixMs) -> Vec<Due> {
        let databases = (0..).zip(&self.databases);
        let due = databases.flat_map(|(database, of)| {
            let due = of.schedule.due_by(at);
            due.map(move |(timer, hash)| Due {
                database,
                hash,
                timer,
            })
        });
        due.collect()
    }

    /// The record for which something is due.
    pub(crate) fn find_due(&self, due: Due) -> &Record {
        let found = self.find_timed(due.database, due.hash, due.timer);
        found.expect(HAS_RECORD)
    }

    /// The record that has this timer.
    pub(super) fn find_timed(&self, db: u16, hash: u64, timer: TimerId) -> Option<&Record> {
        let records = &self.database(db).records;
        records.find(hash, |record| record.timer() == Some(timer))
    }

    /// Puts the timer of a record aside: what is due for it may not be done now.
    pub(crate) fn hold(&mut self, due: Due) {
        self.database_mut(due.database).schedule.hold(due.timer);
        self.has_held = true;
    }

    /// Returns whether timers were put aside.
    pub(crate) fn has_held(&self) -> bool {
        self.has_held
    }

    /// Lets all timers that were put aside be due again. Looks at none of them.
    pub(crate) fn release_held(&mut self, now: UnixMs) {
        if std::mem::take(&mut self.has_held) {
            let databases = self.databases.iter_mut();
            databases.for_each(|database| database.schedule.release_held(now));
            self.note_deadline(Some(now));
        }
    }

    /// Lets others come first if there is still something to do for a record.
    pub(crate) fn postpone(&mut self, due: Due, now: UnixMs) {
        let database = self.database_mut(due.database);
        let is_due = |record: &Record| record.timer() == Some(due.timer);
        if let Some(record) = database.records.find_mut(due.hash, is_due) {
            let deadline = record.deadline().map(|at| at.max(now));
            let schedule = &mut database.schedule;
            let mut timer = record.timer();
            schedule.reset(&mut timer, due.hash, deadline);
            record.set_timer(timer);
            self.note_deadline(deadline);
        }
    }

    /// Changes the record for which something is due, and sets its timer again. If there is still
    /// something to do at `now`, others come first.
    pub(crate) fn edit_due<R>(
        &mut self,
        due: Due,
        now: UnixMs,
        change: impl FnOnce(&mut Record) -> R,
    ) -> R {
        let database = self.database_mut(due.database);
        let record = database
            .records
            .find_mut(due.hash, |record| record.timer() == Some(due.timer))
            .expect(HAS_RECORD);
        let result = change(record);
        let deadline = record.deadline().map(|at| at.max(now));
        let schedule = &mut database.schedule;
        let mut timer = record.timer();
        schedule.reset(&mut timer, due.hash, deadline);
        record.set_timer(timer);
        self.note_deadline(deadline);
        result
    }
}
