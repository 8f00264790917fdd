//! Changes of sets.

use collections::hash::NameHasher;
use resp::Argv;
use values::{Combination, Growth, Member, Set, Thresholds};

use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};
use crate::time::UnixMs;

/// A set changes.
#[derive(Debug, Clone)]
pub enum SetChange<'a> {
    /// `SADD key member ...`; a set that is missing is made.
    Add {
        /// The members; some may be there or come twice.
        members: Members<'a>,
    },
    /// `SREM key member ...`: the key goes with its last member.
    Remove {
        /// The members; some may be missing or come twice.
        members: Members<'a>,
    },
    /// `DEL key`, `SADD key member ...` and `PEXPIREAT key ms`: most members go, these stay. There
    /// are some, and the key exists.
    Keep {
        /// The members that stay.
        members: &'a [Member],
        /// When the key expires, which stays as it is.
        at: Option<UnixMs>,
    },
    /// `SUNIONSTORE key source ...` and its like: replaces what the key held.
    Combine {
        /// How.
        combination: Combination,
        /// The sources, as the command named them.
        sources: Argv<'a>,
        /// What comes of that now; not empty.
        result: Set,
    },
}

/// Members of a set.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// Arguments of the request.
    Args(Argv<'a>),
    /// One.
    One(&'a [u8]),
    /// Such as a command has drawn.
    Drawn(&'a [Member]),
}

impl<'a> Members<'a> {
    fn len(self) -> usize {
        match self {
            Members::Args(args) => args.len(),
            Members::One(_) => 1,
            Members::Drawn(drawn) => drawn.len(),
        }
    }

    fn get(self, index: usize) -> Option<&'a [u8]> {
        match self {
            Members::Args(args) => args.get(index),
            Members::One(member) => (index == 0).then_some(member),
            Members::Drawn(drawn) => drawn.get(index).map(Member::as_bytes),
        }
    }

    /// The member at `index`, which is there.
    #[inline]
    fn at(self, index: usize) -> &'a [u8] {
        self.get(index).unwrap_or_default()
    }

    /// Adds them to a set; returns how many are new.
    #[inline]
    fn add_to(self, set: &mut Set, growth: Growth<'_>, longs: &mut OfRequest<'_>) -> u64 {
        match self.len() {
            1 => u64::from(set.add_with(self.at(0), growth, longs)),
            count => set.add_each(count, |index| self.at(index), growth, longs) as u64,
        }
    }

    /// Calls `f` with each.
    #[inline]
    fn for_each(self, mut f: impl FnMut(&'a [u8])) {
        match self {
            Members::Args(args) => args.iter().for_each(f),
            Members::One(member) => f(member),
            Members::Drawn(drawn) => drawn.iter().map(Member::as_bytes).for_each(f),
        }
    }
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};

    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Set)
    }

    const fn stored(names: &'static [Name]) -> Event {
        named(names).overwriting(Overwriting::Before)
    }

    const DEL_NAME: Name = Name::new("del", Class::Generic);

    /// Members were added.
    pub const SADD: &Event = &named(&[name("sadd")]);
    /// Members were removed, but not all.
    pub const SREM: &Event = &named(&[name("srem")]);
    /// All members were removed, and so the key.
    pub const SREM_ALL: &Event = &named(&[name("srem"), DEL_NAME]);
    /// Members were drawn and removed, but not all.
    pub const SPOP: &Event = &named(&[name("spop")]);
    /// All members were drawn and removed, and so the key.
    pub const SPOP_ALL: &Event = &named(&[name("spop"), DEL_NAME]);
    /// An intersection was stored.
    pub const SINTERSTORE: &Event = &stored(&[name("sinterstore")]);
    /// A union was stored.
    pub const SUNIONSTORE: &Event = &stored(&[name("sunionstore")]);
    /// A difference was stored.
    pub const SDIFFSTORE: &Event = &stored(&[name("sdiffstore")]);
}

impl Family for SetChange<'_> {}

impl SetChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match self {
            SetChange::Add { members } => store.add_members(key, *members),
            SetChange::Remove { members } => store.remove_members(key, *members),
            SetChange::Keep { members, .. } => store.keep_members(key, members),
            SetChange::Combine { result, .. } => {
                store.put(store.database, key, result.clone().into(), None);
                1
            }
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match self {
            SetChange::Add { members } => encode_all("SADD", key, *members, out),
            SetChange::Remove { members } => encode_all("SREM", key, *members, out),
            SetChange::Keep { members, at } => {
                let emptied = Line::new(out, 2, "DEL").arg(key).end();
                let filled = encode_all("SADD", key, Members::Drawn(members), out);
                let expires = at.map_or(0, |at| {
                    Line::new(out, 3, "PEXPIREAT").arg(key).int(at.0).end()
                });
                emptied + filled + expires
            }
            SetChange::Combine {
                combination,
                sources,
                ..
            } => {
                let name = match combination {
                    Combination::Intersection => "SINTERSTORE",
                    Combination::Union => "SUNIONSTORE",
                    Combination::Difference => "SDIFFSTORE",
                };
                encode_all(name, key, Members::Args(*sources), out)
            }
        }
    }
}

fn encode_all(name: &str, key: &[u8], members: Members<'_>, out: &mut Out<'_>) -> u32 {
    if let Members::Drawn(drawn) = members {
        let lines = drawn.chunks(DRAWN_A_LINE_MAX);
        return lines.map(|drawn| encode_drawn(name, key, drawn, out)).sum();
    }
    let mut line = Line::new(out, 2 + members.len(), name);
    line.arg(key);
    members.for_each(|member| {
        line.arg(member);
    });
    line.end()
}

/// How many drawn members are in one command: a request has no more arguments than it may have.
const DRAWN_A_LINE_MAX: usize = 100_000;

fn encode_drawn(name: &str, key: &[u8], drawn: &[Member], out: &mut Out<'_>) -> u32 {
    let mut line = Line::new(out, 2 + drawn.len(), name);
    line.arg(key);
    for member in drawn {
        match member {
            Member::Text(bytes) => line.arg(bytes),
            Member::Shared(bytes) => line.shared_arg(bytes),
        };
    }
    line.end()
}

impl Store<'_> {
    /// What a set needs to know to grow.
    pub fn set_growth<'t>(&self, thresholds: &'t Thresholds) -> Growth<'t> {
        Growth {
            hasher: NameHasher::new([self.data.producer_seed, 0]),
            thresholds,
        }
    }

    /// Returns how many members are new.
    fn add_members(&mut self, key: &[u8], members: Members<'_>) -> u64 {
        let thresholds = self.data.thresholds;
        let growth = self.set_growth(&thresholds);
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut longs = OfRequest::new(&self.larges);
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                let set: &mut Set = record.value.get_mut().expect(DECIDED);
                set.expect(members.len(), |at| members.get(at), growth);
                let added = members.add_to(set, growth, &mut longs);
                if added > 0 {
                    record.set_changed(lsn);
                }
                let to = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, to);
                added
            }
            found => {
                let is_overdue = found.is_some();
                let Some(first) = members.get(0) else {
                    return 0;
                };
                let mut set = Set::begin(first, members.len(), growth, &mut longs);
                members.add_to(&mut set, growth, &mut longs);
                if is_overdue {
                    self.expire(key);
                }
                let added = set.len() as u64;
                let now = self.now.unix();
                let record = Record::new(self.key(key), set.into(), None, lsn, now);
                self.put_record(self.database, hash, record);
                added
            }
        }
    }

    /// Returns how many members were removed.
    fn remove_members(&mut self, key: &[u8], members: Members<'_>) -> u64 {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let Some(record) = record else {
            return 0;
        };
        let from = SizeClass::of(&record.value);
        let set: &mut Set = record.value.get_mut().expect(DECIDED);
        let mut longs = OfRequest::new(&self.larges);
        let removed = match members.len() {
            1 => u64::from(set.remove(members.at(0), &mut longs)),
            count => set.remove_each(count, |index| members.at(index), &mut longs) as u64,
        };
        let is_empty = set.is_empty();
        if removed > 0 {
            record.set_changed(lsn);
        }
        let to = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, to);
        longs.drop_later(&mut self.data.dropped);
        if is_empty {
            let gone = self.data.keyspace.remove(self.database, hash, key, lsn);
            self.data.dropped.take(What::Record(gone.expect(DECIDED)));
        }
        removed
    }

    /// Returns how many members went.
    fn keep_members(&mut self, key: &[u8], members: &[Member]) -> u64 {
        let thresholds = self.data.thresholds;
        let growth = self.set_growth(&thresholds);
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let record = record.expect(DECIDED);
        let from = SizeClass::of(&record.value);
        let set: &mut Set = record.value.get_mut().expect(DECIDED);
        let gone = set.len().saturating_sub(members.len()) as u64;
        let count = members.len().min(DRAWN_A_LINE_MAX);
        let mut kept = Set::new();
        for member in members {
            match kept.is_empty() {
                true => kept = Set::begin_with(member.as_element(), count, growth),
                false => drop(kept.add_element(member.as_element(), growth)),
            }
        }
        let old = record.replace_value(kept.into());
        record.set_changed(lsn);
        let to = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, to);
        self.data.dropped.take_value(old);
        gone
    }
}
