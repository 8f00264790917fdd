//! Changes of keys, whatever they hold.

use values::Value;

use super::encode::{Line, Out};
use super::{Brings, Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::Record;
use crate::store::packing::wait_for_packing_of;
use crate::time::UnixMs;

/// A key goes, comes, moves, or expires at another time.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub enum KeyChange<'a> {
    /// `DEL key`; missing keys are no error.
    Delete,
    /// `PEXPIREAT key ms`.
    ExpireAt { at: UnixMs },
    /// `PERSIST key`.
    Persist,
    /// `RENAME key to`: replaces what `to` held.
    Rename { to: &'a [u8] },
    /// `MOVE key db`: the key does not exist there.
    Move { to_db: u16 },
    /// `COPY key to DB db REPLACE`.
    Copy { to: &'a [u8], to_db: u16 },
    /// `RESTORE key ttl payload REPLACE ABSTTL`.
    Restore {
        value: Value,
        /// The value as `DUMP` serialises it, for the journal.
        payload: &'a [u8],
        at: Option<UnixMs>,
    },
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};

    const fn generic(names: &'static [Name], touch: Touch) -> Event {
        Event::named(names, touch)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Generic)
    }

    /// The name of an expiry that was set, also by commands that set a value with it.
    pub(in crate::store::effect) const EXPIRE_NAME: Name = name("expire");
    pub(in crate::store::effect) const PERSIST_NAME: Name = name("persist");

    /// A command deleted the key.
    pub const DEL: &Event = &generic(&[name("del")], Touch::ALL);
    /// The key's time came.
    pub const EXPIRED: &Event = &Event::named(&[Name::new("expired", Class::Expired)], Touch::ALL);
    /// The key had to go because memory was used up.
    pub const EVICTED: &Event = &Event::named(&[Name::new("evicted", Class::Evicted)], Touch::ALL);
    /// The key expires at another time.
    pub const EXPIRE: &Event = &generic(&[EXPIRE_NAME], Touch::READERS);
    /// The key does not expire any more.
    pub const PERSIST: &Event = &generic(&[PERSIST_NAME], Touch::READERS);
    /// The key has another name.
    pub const RENAME: &Event = &generic(
        &[
            name("rename_from"),
            Name::of_other("rename_to", Class::Generic),
        ],
        Touch::ALL,
    )
    .overwriting(Overwriting::After);
    /// The key is in another database.
    pub const MOVE: &Event = &generic(
        &[name("move_from"), Name::of_other("move_to", Class::Generic)],
        Touch::ALL,
    );
    /// There is a copy of the key.
    pub const COPY: &Event = &generic(&[Name::of_other("copy_to", Class::Generic)], Touch::ALL)
        .overwriting(Overwriting::After);
    /// The key was made of a payload.
    pub const RESTORE: &Event =
        &generic(&[name("restore")], Touch::ALL).overwriting(Overwriting::After);
}

impl Family for KeyChange<'_> {
    fn other<'k>(&'k self, key: &'k [u8], database: u16) -> Option<(u16, &'k [u8])> {
        match self {
            KeyChange::Delete
            | KeyChange::ExpireAt { .. }
            | KeyChange::Persist
            | KeyChange::Restore { .. } => None,
            KeyChange::Rename { to } => Some((database, to)),
            KeyChange::Move { to_db } => Some((*to_db, key)),
            KeyChange::Copy { to, to_db } => Some((*to_db, to)),
        }
    }

    fn brings<'k>(&'k self, key: &'k [u8], database: u16) -> Brings<'k> {
        let place = match self {
            KeyChange::Delete | KeyChange::ExpireAt { .. } | KeyChange::Persist => None,
            KeyChange::Restore { .. } => Some((database, key)),
            KeyChange::Rename { .. } | KeyChange::Move { .. } | KeyChange::Copy { .. } => {
                self.other(key, database)
            }
        };
        place.map_or(Brings::Nothing, |(database, key)| {
            Brings::Entries(database, key)
        })
    }

    /// A copy leaves it as it is.
    fn changes_key(&self) -> bool {
        match self {
            KeyChange::Copy { .. } => false,
            KeyChange::Delete
            | KeyChange::ExpireAt { .. }
            | KeyChange::Persist
            | KeyChange::Rename { .. }
            | KeyChange::Move { .. }
            | KeyChange::Restore { .. } => true,
        }
    }
}

impl KeyChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        match self {
            KeyChange::Delete => store.delete(key),
            KeyChange::ExpireAt { at } => store.set_expiry(key, Some(*at)),
            KeyChange::Persist => store.set_expiry(key, None),
            KeyChange::Rename { to } => store.rename(key, to),
            KeyChange::Move { to_db } => store.relocate(key, *to_db),
            KeyChange::Copy { to, to_db } => store.copy(key, to, *to_db),
            KeyChange::Restore { value, at, .. } => {
                store.put(store.database, key, value.clone(), *at);
                Changed::by_event(1)
            }
        }
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match self {
            KeyChange::Delete => Line::new(out, 2, "DEL").arg(key).end(),
            KeyChange::ExpireAt { at } => Line::new(out, 3, "PEXPIREAT").arg(key).int(at.0).end(),
            KeyChange::Persist => Line::new(out, 2, "PERSIST").arg(key).end(),
            KeyChange::Rename { to } => Line::new(out, 3, "RENAME").arg(key).arg(to).end(),
            KeyChange::Move { to_db } => Line::new(out, 3, "MOVE")
                .arg(key)
                .int(i64::from(*to_db))
                .end(),
            KeyChange::Copy { to, to_db } => Line::new(out, 6, "COPY")
                .arg(key)
                .arg(to)
                .arg(b"DB")
                .int(i64::from(*to_db))
                .arg(b"REPLACE")
                .end(),
            KeyChange::Restore { payload, at, .. } => Line::new(out, 6, "RESTORE")
                .arg(key)
                .int(at.map_or(0, |at| at.0))
                .arg(payload)
                .arg(b"REPLACE")
                .arg(b"ABSTTL")
                .end(),
        }
    }
}

impl Store<'_> {
    fn delete(&mut self, key: &[u8]) -> Changed {
        let lsn = self.data.log.open();
        let hash = self.hash(key);
        let Some(record) = self.data.keyspace.remove(self.database, hash, key, lsn) else {
            return Changed::NOTHING;
        };
        self.data.dropped.take(What::Record(record));
        Changed::by_event(1)
    }

    fn set_expiry(&mut self, key: &[u8], at: Option<UnixMs>) -> Changed {
        let lsn = self.data.log.open();
        let hash = self.hash(key);
        if self.pass_over_overdue_in(self.database, key) {
            return Changed::NOTHING;
        }
        let keyspace = &mut self.data.keyspace;
        let was_set = keyspace.set_expiry(self.database, hash, key, at, lsn);
        assert!(was_set, "{DECIDED}");
        Changed::by_event(1)
    }

    fn rename(&mut self, key: &[u8], to: &[u8]) -> Changed {
        if self.pass_over_overdue_in(self.database, key) {
            return Changed::NOTHING;
        }
        self.pass_over_overdue_in(self.database, to);
        self.transfer(key, self.database, to)
    }

    fn relocate(&mut self, key: &[u8], to_db: u16) -> Changed {
        if self.pass_over_overdue_in(self.database, key) {
            return Changed::NOTHING;
        }
        self.pass_over_overdue_in(to_db, key);
        self.transfer(key, to_db, key)
    }

    /// Takes a record from its place and puts it in another.
    fn transfer(&mut self, key: &[u8], to_db: u16, to: &[u8]) -> Changed {
        let lsn = self.data.log.open();
        let hash = self.hash(key);
        let record = self.data.keyspace.remove(self.database, hash, key, lsn);
        let mut record = record.expect(DECIDED).renamed(self.key(to));
        record.set_changed(lsn);
        let hash = self.hash(to);
        self.put_record(to_db, hash, record);
        Changed::by_event(1)
    }

    fn copy(&mut self, key: &[u8], to: &[u8], to_db: u16) -> Changed {
        if self.pass_over_overdue_in(self.database, key) {
            return Changed::NOTHING;
        }
        let hash = self.hash(key);
        let record = self.data.keyspace.find(self.database, hash, key);
        let record = record.expect(DECIDED);
        let (value, at) = (record.value().clone(), record.expires_at());
        self.put(to_db, to, value, at);
        Changed::by_event(1)
    }

    /// Puts a value under a key, whatever it held.
    pub(super) fn put(&mut self, database: u16, key: &[u8], mut value: Value, at: Option<UnixMs>) {
        self.pass_over_overdue_in(database, key);
        if self.data.stream_compress {
            wait_for_packing_of(&mut value, self.now);
        }
        let lsn = self.data.log.open();
        let record = Record::new(self.key(key), value, at, lsn, self.now.unix());
        let hash = self.hash(key);
        self.put_record(database, hash, record);
    }
}
