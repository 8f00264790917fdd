//! Changes of hashes.

use collections::hash::NameHasher;
use resp::Argv;
use values::{Deadline, Hash};

use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};

/// A hash changes.
#[derive(Debug, Clone)]
pub enum HashChange<'a> {
    /// `HSET key field value ...`; a hash that is missing is made. The fields have no deadline.
    Set {
        /// Fields and their values in turn.
        pairs: Argv<'a>,
    },
    /// `HSET key field value`; likewise.
    SetField {
        /// The field.
        field: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// `HSETEX key PXAT ms FIELDS n field value ...`; likewise, and the fields have this deadline.
    SetUntil {
        /// Fields and their values in turn.
        pairs: Argv<'a>,
        /// The deadline, in milliseconds since the epoch.
        at: u64,
    },
    /// `HSETEX key KEEPTTL FIELDS n field value ...`; likewise, and deadlines stay.
    SetKeeping {
        /// Fields and their values in turn.
        pairs: Argv<'a>,
    },
    /// `HSETEX key KEEPTTL FIELDS 1 field value`; likewise.
    SetFieldKeeping {
        /// The field.
        field: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// `HPEXPIREAT key ms FIELDS n field ...`
    ExpireAt {
        /// Fields that are there; some may come twice.
        fields: &'a [&'a [u8]],
        /// The deadline, in milliseconds since the epoch.
        at: u64,
    },
    /// `HPERSIST key FIELDS n field ...`
    Persist {
        /// Fields that are there; some may come twice.
        fields: &'a [&'a [u8]],
    },
    /// `HDEL key field ...`: the key goes with its last field.
    Delete {
        /// The fields; some may be missing or come twice.
        fields: Argv<'a>,
    },
    /// `HDEL key field ...`; likewise.
    DeleteEach {
        /// The fields.
        fields: &'a [&'a [u8]],
    },
    /// `HDEL key field ...` of fields whose time is over; others stay.
    Expire {
        /// The fields.
        fields: &'a [&'a [u8]],
    },
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Hash)
    }

    const DEL_NAME: Name = Name::new("del", Class::Generic);

    /// Fields were set.
    pub const HSET: &Event = &named(&[name("hset")]);
    /// Fields were set, with a deadline.
    pub const HSET_UNTIL: &Event = &named(&[name("hset"), name("hexpire")]);
    /// A number was added to a field.
    pub const HINCRBY: &Event = &named(&[name("hincrby")]);
    /// The same with floating-point numbers.
    pub const HINCRBYFLOAT: &Event = &named(&[name("hincrbyfloat")]);
    /// Fields were given a deadline.
    pub const HEXPIRE: &Event = &named(&[name("hexpire")]);
    /// The deadlines of fields were taken away.
    pub const HPERSIST: &Event = &named(&[name("hpersist")]);
    /// Fields were deleted, but not all.
    pub const HDEL: &Event = &named(&[name("hdel")]);
    /// All fields were deleted, and so the key.
    pub const HDEL_ALL: &Event = &named(&[name("hdel"), DEL_NAME]);
    /// The time of fields came, but not of all.
    pub const HEXPIRED: &Event = &named(&[name("hexpired")]);
    /// The time of all fields came, and so the key is gone.
    pub const HEXPIRED_ALL: &Event = &named(&[name("hexpired"), DEL_NAME]);
}

impl Family for HashChange<'_> {}

impl HashChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match *self {
            HashChange::Set { pairs } => {
                store.set_fields(key, pairs.len() / 2, pair_of(pairs), Deadline::Never)
            }
            HashChange::SetField { field, value } => {
                store.set_fields(key, 1, |_| (field, value), Deadline::Never)
            }
            HashChange::SetUntil { pairs, at } => {
                store.set_fields(key, pairs.len() / 2, pair_of(pairs), Deadline::At(at))
            }
            HashChange::SetKeeping { pairs } => {
                store.set_fields(key, pairs.len() / 2, pair_of(pairs), Deadline::Kept)
            }
            HashChange::SetFieldKeeping { field, value } => {
                store.set_fields(key, 1, |_| (field, value), Deadline::Kept)
            }
            HashChange::ExpireAt { fields, at } => store.set_deadlines(key, fields, Some(at)),
            HashChange::Persist { fields } => store.set_deadlines(key, fields, None),
            HashChange::Delete { fields } => {
                store.delete_fields(key, fields.len(), |number| argument(fields, number))
            }
            HashChange::DeleteEach { fields } => {
                store.delete_fields(key, fields.len(), |number| fields[number])
            }
            HashChange::Expire { fields } => {
                store.remove_fields(key, fields.len(), |number| fields[number])
            }
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            HashChange::Set { pairs } => encode_all("HSET", key, pairs, out),
            HashChange::SetField { field, value } => Line::new(out, 4, "HSET")
                .arg(key)
                .arg(field)
                .arg(value)
                .end(),
            HashChange::SetUntil { pairs, at } => {
                let mut line = Line::new(out, 6 + pairs.len(), "HSETEX");
                line.arg(key).arg(b"PXAT").int(super::encode::count(at));
                counted(&mut line, pairs.len() / 2, pairs.iter())
            }
            HashChange::SetKeeping { pairs } => {
                let mut line = Line::new(out, 5 + pairs.len(), "HSETEX");
                line.arg(key).arg(b"KEEPTTL");
                counted(&mut line, pairs.len() / 2, pairs.iter())
            }
            HashChange::SetFieldKeeping { field, value } => {
                let mut line = Line::new(out, 7, "HSETEX");
                line.arg(key).arg(b"KEEPTTL");
                counted(&mut line, 1, [field, value].into_iter())
            }
            HashChange::ExpireAt { fields, at } => {
                let mut line = Line::new(out, 5 + fields.len(), "HPEXPIREAT");
                line.arg(key).int(super::encode::count(at));
                counted(&mut line, fields.len(), fields.iter().copied())
            }
            HashChange::Persist { fields } => {
                let mut line = Line::new(out, 4 + fields.len(), "HPERSIST");
                line.arg(key);
                counted(&mut line, fields.len(), fields.iter().copied())
            }
            HashChange::Delete { fields } => encode_all("HDEL", key, fields, out),
            HashChange::DeleteEach { fields } | HashChange::Expire { fields } => {
                let mut line = Line::new(out, 2 + fields.len(), "HDEL");
                line.arg(key);
                fields.iter().for_each(|field| {
                    line.arg(field);
                });
                line.end()
            }
        }
    }
}

#[inline]
fn argument(args: Argv<'_>, number: usize) -> &[u8] {
    args.get(number).unwrap_or_default()
}

/// Fields and their values by number.
#[inline]
fn pair_of<'a>(pairs: Argv<'a>) -> impl Fn(usize) -> (&'a [u8], &'a [u8]) {
    let part = move |number| argument(pairs, number);
    move |number| (part(2 * number), part(2 * number + 1))
}

fn encode_all(name: &str, key: &[u8], args: Argv<'_>, out: &mut Out<'_>) -> u32 {
    let mut line = Line::new(out, 2 + args.len(), name);
    line.arg(key);
    args.iter().for_each(|arg| {
        line.arg(arg);
    });
    line.end()
}

/// Ends a command with `FIELDS`, their number, and these arguments.
fn counted<'a>(line: &mut Line<'_>, count: usize, args: impl Iterator<Item = &'a [u8]>) -> u32 {
    line.arg(b"FIELDS").int(super::encode::count(count as u64));
    args.for_each(|arg| {
        line.arg(arg);
    });
    line.end()
}

impl Store<'_> {
    /// Sets `count` fields, which `pair` gives with their values by number; returns their number.
    fn set_fields<'p>(
        &mut self,
        key: &[u8],
        count: usize,
        pair: impl Fn(usize) -> (&'p [u8], &'p [u8]),
        deadline: Deadline,
    ) -> u64 {
        self.pass_over_fields(key, (0..count).map(|number| pair(number).0));
        let hasher = self.field_hasher();
        let hash = self.hash(key);
        let thresholds = self.data.thresholds;
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut longs = OfRequest::new(&self.larges);
        let mut set_all = |fields: &mut Hash| {
            fields.expect(count, hasher, &thresholds);
            fields.set_each(count, &pair, deadline, hasher, &thresholds, &mut longs);
        };
        let database = self.database;
        let keyspace = &mut self.data.keyspace;
        // Where no field expires and none will, no timer has to follow.
        let may_expire =
            matches!(deadline, Deadline::At(_)) || keyspace.expiring_parts(database) > 0;
        let mut is_overdue = false;
        let mut set = |record: &mut Record| {
            let from = SizeClass::of(&record.value);
            is_overdue = record.is_expired(over_at);
            if !is_overdue {
                set_all(record.value.get_mut().expect(DECIDED));
                record.set_changed(lsn);
            }
            (from, SizeClass::of(&record.value))
        };
        let found = match may_expire {
            true => keyspace.edit_parts(database, hash, key, set),
            false => keyspace.find_mut(database, hash, key).map(&mut set),
        };
        if let Some((from, to)) = found {
            keyspace.resized(database, from, to);
        }
        if found.is_none() || is_overdue {
            let mut fields = Hash::new();
            set_all(&mut fields);
            longs.drop_later(&mut self.data.dropped);
            if is_overdue {
                self.expire(key);
            }
            let now = self.now.unix();
            let record = Record::new(self.key(key), fields.into(), None, lsn, now);
            self.put_record(database, hash, record);
        } else {
            longs.drop_later(&mut self.data.dropped);
        }
        count as u64
    }

    /// Deletes `count` fields, which `field_of` gives by number; returns how many there were.
    fn delete_fields<'f>(
        &mut self,
        key: &[u8],
        count: usize,
        field_of: impl Fn(usize) -> &'f [u8],
    ) -> u64 {
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        self.pass_over_fields(key, (0..count).map(&field_of));
        self.remove_fields(key, count, field_of)
    }

    /// The same, whether their time is over or not.
    fn remove_fields<'f>(
        &mut self,
        key: &[u8],
        count: usize,
        field_of: impl Fn(usize) -> &'f [u8],
    ) -> u64 {
        let (database, hash) = (self.database, self.hash(key));
        let lsn = self.data.log.open();
        let mut longs = OfRequest::new(&self.larges);
        let remove = |record: &mut Record| {
            let from = SizeClass::of(&record.value);
            let all: &mut Hash = record.value.get_mut().expect(DECIDED);
            let deleted = all.remove_each(count, field_of, &mut longs) as u64;
            if deleted > 0 {
                record.set_changed(lsn);
            }
            let all: &Hash = record.value.get().expect(DECIDED);
            (
                deleted,
                all.is_empty(),
                (from, SizeClass::of(&record.value)),
            )
        };
        let keyspace = &mut self.data.keyspace;
        let removed = match keyspace.expiring_parts(database) > 0 {
            true => keyspace.edit_parts(database, hash, key, remove),
            false => keyspace.find_mut(database, hash, key).map(remove),
        };
        longs.drop_later(&mut self.data.dropped);
        let Some((deleted, is_empty, (from, to))) = removed else {
            return 0;
        };
        self.data.keyspace.resized(database, from, to);
        if is_empty {
            let gone = self.data.keyspace.remove(database, hash, key, lsn);
            self.data.dropped.take(What::Record(gone.expect(DECIDED)));
        }
        deleted
    }

    /// Gives fields a deadline, or none; returns how many.
    fn set_deadlines(&mut self, key: &[u8], fields: &[&[u8]], at: Option<u64>) -> u64 {
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        self.pass_over_fields(key, fields.iter().copied());
        let hasher = self.field_hasher();
        let (database, hash) = (self.database, self.hash(key));
        let lsn = self.data.log.open();
        let keyspace = &mut self.data.keyspace;
        let set = keyspace.edit_parts(database, hash, key, |record| {
            record.set_changed(lsn);
            let all: &mut Hash = record.value.get_mut().expect(DECIDED);
            all.set_deadlines(fields, at, hasher)
        });
        set.expect(DECIDED) as u64
    }

    /// What large hashes are spread by.
    fn field_hasher(&self) -> NameHasher {
        NameHasher::new([self.data.producer_seed, 0])
    }
}
