//! Changes of sorted sets.

use collections::hash::NameHasher;
use collections::in_steps;
use resp::{Argv, DOUBLE_TEXT_BYTES_MAX, double_text};
use values::sorted_set::Placing;
use values::{SortedSet, Thresholds};

use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};

/// A sorted set changes.
#[derive(Debug, Clone)]
pub enum SortedSetChange<'a> {
    /// `ZADD key score member ...`; a sorted set that is missing is made.
    Add {
        /// Scores and their members in turn, as they came.
        pairs: Argv<'a>,
        /// The scores.
        scores: &'a [f64],
    },
    /// `ZADD key score member ...` with scores that were decided on; likewise.
    Place {
        /// Scores and their members.
        pairs: &'a [(f64, &'a [u8])],
    },
    /// `ZREM key member ...`: the key goes with its last member.
    Remove {
        /// The members; some may be missing or come twice.
        members: Argv<'a>,
    },
    /// `ZREMRANGEBYRANK key from to`; likewise. There are members of these ranks.
    RemoveRanks {
        /// The first rank.
        from: usize,
        /// The rank behind the last.
        to: usize,
    },
    /// `ZUNIONSTORE key ...` or another command that stores what it makes of other keys: the key
    /// holds this set, whatever it held before. It has members.
    Store {
        /// The set.
        set: &'a SortedSet,
        /// The command. What it reads is what the effects before it left, so that it makes the same
        /// set of that.
        command: Argv<'a>,
    },
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};

    /// Members came: those who wait for some take them, as long as there are any.
    const fn more(names: &'static [Name]) -> Event {
        Event::named(names, Touch::READERS.and(Touch::WAITERS_FOR_MORE))
    }

    /// Nothing came that anybody waits for.
    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::READERS)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::SortedSet)
    }

    const DEL_NAME: Name = Name::new("del", Class::Generic);
    const ZREM_NAME: Name = name("zrem");

    /// Members were given scores.
    pub const ZADD: &Event = &more(&[name("zadd")]);
    /// Something was added to a score.
    pub const ZINCR: &Event = &more(&[name("zincr")]);
    /// Members were removed, but not all.
    pub const ZREM: &Event = &named(&[ZREM_NAME]);
    /// All members were removed, and so the key.
    pub const ZREM_ALL: &Event = &named(&[ZREM_NAME, DEL_NAME]);

    /// Makes the events of a removal: of some members, and of all, and so of the key.
    macro_rules! removals {
        ($($(#[$doc:meta])* $event:ident: $text:literal,)*) => {
            $($(#[$doc])* pub const $event: [&Event; 2] = [
                &named(&[name($text)]),
                &named(&[name($text), DEL_NAME]),
            ];)*
        };
    }

    removals! {
        /// Members of a range of ranks were removed.
        ZREMRANGEBYRANK: "zremrangebyrank",
        /// Members of a range of scores were removed.
        ZREMRANGEBYSCORE: "zremrangebyscore",
        /// Members of a range of members were removed.
        ZREMRANGEBYLEX: "zremrangebylex",
        /// The members with the lowest scores were taken.
        ZPOPMIN: "zpopmin",
        /// The members with the highest scores were taken.
        ZPOPMAX: "zpopmax",
    }

    const fn stored(names: &'static [Name]) -> Event {
        Event::named(names, Touch::ALL).overwriting(Overwriting::Before)
    }

    /// A range of another sorted set was stored.
    pub const ZRANGESTORE: &Event = &stored(&[name("zrangestore")]);
    /// Places were stored (`GEOSEARCHSTORE`).
    pub const GEOSEARCHSTORE: &Event = &stored(&[name("geosearchstore")]);
    /// The same (`GEORADIUS … STORE`).
    pub const GEORADIUSSTORE: &Event = &stored(&[name("georadiusstore")]);
    /// A union was stored.
    pub const ZUNIONSTORE: &Event = &stored(&[name("zunionstore")]);
    /// An intersection was stored.
    pub const ZINTERSTORE: &Event = &stored(&[name("zinterstore")]);
    /// A difference was stored.
    pub const ZDIFFSTORE: &Event = &stored(&[name("zdiffstore")]);
}

impl Family for SortedSetChange<'_> {}

impl SortedSetChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match *self {
            SortedSetChange::Add { pairs, scores } => {
                let members = pairs.skip(1).iter().step_by(2);
                store.place_in_sorted_set(key, scores.iter().copied().zip(members))
            }
            SortedSetChange::Place { pairs } => {
                store.place_in_sorted_set(key, pairs.iter().copied())
            }
            SortedSetChange::Remove { members } => {
                store.remove_from_sorted_set(key, |set, longs| {
                    let mut removed = 0;
                    let remove = |set: &mut SortedSet, member| {
                        removed += usize::from(set.remove(member, longs));
                    };
                    in_steps(set, members.iter(), |it| it, SortedSet::look_ahead, remove);
                    removed
                })
            }
            SortedSetChange::RemoveRanks { from, to } => {
                store.remove_from_sorted_set(key, |set, longs| {
                    let before = set.len();
                    set.remove_ranks(from, to, longs);
                    before - set.len()
                })
            }
            SortedSetChange::Store { set, .. } => store.store_sorted_set(key, set),
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            SortedSetChange::Add { pairs, .. } => {
                let mut line = Line::new(out, 2 + pairs.len(), "ZADD");
                line.arg(key);
                pairs.iter().for_each(|arg| {
                    line.arg(arg);
                });
                line.end()
            }
            SortedSetChange::Place { pairs } => {
                encode_pairs(key, pairs.len(), pairs.iter().copied(), out)
            }
            SortedSetChange::Remove { members } => {
                let mut line = Line::new(out, 2 + members.len(), "ZREM");
                line.arg(key);
                members.iter().for_each(|member| {
                    line.arg(member);
                });
                line.end()
            }
            SortedSetChange::RemoveRanks { from, to } => Line::new(out, 4, "ZREMRANGEBYRANK")
                .arg(key)
                .int(from as i64)
                .int(to as i64 - 1)
                .end(),
            SortedSetChange::Store { command, .. } => {
                let name = command.get(0).and_then(|name| str::from_utf8(name).ok());
                let mut line = Line::new(out, command.len(), name.expect(DECIDED));
                command.skip(1).iter().for_each(|arg| {
                    line.arg(arg);
                });
                line.end()
            }
        }
    }
}

fn encode_pairs<'p>(
    key: &[u8],
    len: usize,
    pairs: impl Iterator<Item = (f64, &'p [u8])>,
    out: &mut Out<'_>,
) -> u32 {
    let mut line = Line::new(out, 2 + 2 * len, "ZADD");
    line.arg(key);
    for (score, member) in pairs {
        let mut text = [0; DOUBLE_TEXT_BYTES_MAX];
        line.arg(double_text(score, &mut text)).arg(member);
    }
    line.end()
}

impl Store<'_> {
    /// What it takes to put members in a sorted set, with these thresholds.
    pub fn placing<'t>(&self, thresholds: &'t Thresholds) -> Placing<'t> {
        let hasher = NameHasher::new([self.data.producer_seed, 0]);
        Placing { thresholds, hasher }
    }

    /// Returns how many members were added or have another score.
    fn place_in_sorted_set<'p>(
        &mut self,
        key: &[u8],
        pairs: impl ExactSizeIterator<Item = (f64, &'p [u8])> + Clone,
    ) -> u64 {
        let thresholds = self.data.thresholds;
        let placing = self.placing(&thresholds);
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let mut count = 0;
        let mut longs = OfRequest::new(&self.larges);
        let mut place_all =
            |set: &mut SortedSet| count += set.place_each(pairs.clone(), placing, &mut longs);
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                place_all(record.value.get_mut().expect(DECIDED));
                if count > 0 {
                    record.set_changed(lsn);
                }
                let to = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, to);
            }
            found => {
                let is_overdue = found.is_some();
                let mut set = SortedSet::new();
                place_all(&mut set);
                if is_overdue {
                    self.expire(key);
                }
                let now = self.now.unix();
                let record = Record::new(self.key(key), set.into(), None, lsn, now);
                self.put_record(self.database, hash, record);
            }
        }
        count
    }

    /// Returns how many members were removed.
    fn remove_from_sorted_set(
        &mut self,
        key: &[u8],
        remove: impl FnOnce(&mut SortedSet, &mut OfRequest<'_>) -> usize,
    ) -> u64 {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        if self.pass_over_overdue_in(self.database, key) {
            return 0;
        }
        let mut longs = OfRequest::new(&self.larges);
        let record = self.data.keyspace.find_mut(self.database, hash, key);
        let Some(record) = record else {
            return 0;
        };
        let from = SizeClass::of(&record.value);
        let set: &mut SortedSet = record.value.get_mut().expect(DECIDED);
        let removed = remove(set, &mut longs);
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
        removed as u64
    }

    fn store_sorted_set(&mut self, key: &[u8], set: &SortedSet) -> u64 {
        self.pass_over_overdue_in(self.database, key);
        let lsn = self.data.log.open();
        let hash = self.hash(key);
        let now = self.now.unix();
        let record = Record::new(self.key(key), set.clone().into(), None, lsn, now);
        self.put_record(self.database, hash, record);
        set.len() as u64
    }
}
