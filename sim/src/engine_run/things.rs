//! Things that are put into a list, set, sorted set, or hash, and taken out again: nobody gets one
//! twice, and none that was put there is lost. And things that are only moved: all of them are
//! always there, each in one place.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use engine::Engine;
use values::{Hash, List, Set, SortedSet};

use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

/// What things are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Set,
    SortedSet,
    Hash,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::List, Kind::Set, Kind::SortedSet, Kind::Hash];

    fn key(self) -> &'static str {
        match self {
            Kind::List => "put:list",
            Kind::Set => "put:set",
            Kind::SortedSet => "put:zset",
            Kind::Hash => "put:hash",
        }
    }
}

/// What is known of all things.
#[derive(Default)]
pub(super) struct Things {
    of_kinds: [OfKind; Kind::ALL.len()],
    /// Somebody was told that those to be moved are there.
    pub(super) laid_out: bool,
    last: u64,
}

/// What is known of the things of a kind.
#[derive(Default)]
struct OfKind {
    /// Somebody asked to put these.
    asked: BTreeSet<u64>,
    /// Somebody was told that these are there.
    put: BTreeSet<u64>,
    /// Somebody got these.
    taken: BTreeSet<u64>,
    /// As many may have been taken by requests whose replies did not arrive.
    unanswered: u64,
}

/// How many things are moved, of each kind that can be.
const MOVED: u64 = 24;

const MOVED_LISTS: [&str; 3] = ["move:list:0", "move:list:1", "move:list:2"];
const MOVED_SETS: [&str; 3] = ["move:set:0", "move:set:1", "move:set:2"];

impl Things {
    /// Draws what somebody does.
    pub(super) fn requests(&mut self, rng: &mut Rng) -> Vec<Request> {
        match rng.below(24) {
            0..8 => (0..1 + rng.below(3)).map(|_| self.put(rng)).collect(),
            8..14 => vec![self.take(rng)],
            14 => lay_out(),
            _ => (0..1 + rng.below(4)).map(|_| move_one(rng)).collect(),
        }
    }

    fn of(&mut self, kind: Kind) -> &mut OfKind {
        &mut self.of_kinds[kind as usize]
    }

    fn put(&mut self, rng: &mut Rng) -> Request {
        let kind = Kind::ALL[rng.index(Kind::ALL.len())];
        let (first, second) = (self.last + 1, self.last + 2);
        self.last += 2;
        self.of(kind).asked.extend([first, second]);
        let (key, purpose) = (kind.key(), Purpose::Put(kind, vec![first, second]));
        match kind {
            Kind::List => {
                let end = ["LPUSH", "RPUSH"][rng.index(2)];
                request!(purpose, end, key, first, second)
            }
            Kind::Set => request!(purpose, "SADD", key, first, second),
            Kind::SortedSet => {
                let (one, other) = (rng.below(9), rng.below(9));
                request!(purpose, "ZADD", key, one, first, other, second)
            }
            Kind::Hash => request!(purpose, "HSET", key, first, first, second, second),
        }
    }

    fn take(&mut self, rng: &mut Rng) -> Request {
        let kind = Kind::ALL[rng.index(Kind::ALL.len())];
        let key = kind.key();
        if kind == Kind::Hash {
            let asked = &self.of(kind).asked;
            let thing = asked.iter().nth(rng.index(asked.len().max(1)));
            let thing = thing.copied().unwrap_or(0);
            self.of(kind).unanswered += 1;
            return request!(
                Purpose::TakeOf(kind, thing),
                "HGETDEL",
                key,
                "FIELDS",
                1,
                thing
            );
        }
        let count = 1 + rng.below(2);
        self.of(kind).unanswered += count;
        let purpose = Purpose::Take(kind, count);
        let seconds = ["0.05", "0.4", "2"][rng.index(3)];
        match (kind, rng.below(5)) {
            (Kind::Set, 0) => request!(purpose, "SPOP", key),
            (Kind::Set | Kind::Hash, _) => request!(purpose, "SPOP", key, count),
            (Kind::List, 0) => request!(purpose, "BLPOP", key, seconds),
            (Kind::List, 1) => request!(purpose, "BRPOP", key, seconds),
            (Kind::List, 2) => request!(purpose, "LPOP", key),
            (Kind::List, _) => request!(purpose, "RPOP", key, count),
            (Kind::SortedSet, 0) => request!(purpose, "BZPOPMIN", key, seconds),
            (Kind::SortedSet, 1) => request!(purpose, "BZPOPMAX", key, seconds),
            (Kind::SortedSet, 2) => request!(purpose, "ZPOPMAX", key),
            (Kind::SortedSet, _) => request!(purpose, "ZPOPMIN", key, count),
        }
    }

    /// Somebody was told that things were put.
    pub(super) fn were_put(&mut self, kind: Kind, things: &[u64]) {
        self.of(kind).put.extend(things);
    }

    /// Somebody got what was taken, of as many at most.
    pub(super) fn were_taken(&mut self, kind: Kind, count: u64, answer: &Answer) -> Result<()> {
        let taken: Vec<u64> = match (kind, answer) {
            // The name of the key comes first where somebody waited, and scores come last.
            (Kind::SortedSet, Answer::List(parts)) => {
                let from = usize::from(parts.len() % 2 == 1);
                numbers(parts.get(from..).unwrap_or_default().iter().step_by(2))
            }
            (_, Answer::List(parts)) => numbers(parts.iter()),
            (_, answer) => numbers([answer].into_iter()),
        };
        let of = self.of(kind);
        of.unanswered -= count;
        for thing in taken {
            ensure!(of.asked.contains(&thing), "{kind:?}: nobody put {thing}");
            ensure!(of.taken.insert(thing), "{kind:?}: {thing} was taken twice");
        }
        Ok(())
    }

    /// Somebody was told whether a thing was taken.
    pub(super) fn was_taken(&mut self, kind: Kind, thing: u64, answer: &Answer) -> Result<()> {
        let of = self.of(kind);
        of.unanswered -= 1;
        let taken = answer.list().and_then(|values| values.first());
        if taken.and_then(Answer::number).is_some() {
            ensure!(of.taken.insert(thing), "{kind:?}: {thing} was taken twice");
        }
        Ok(())
    }

    /// Compares what is there with what was told.
    pub(super) fn audit(&self, engine: &Engine) -> Result<()> {
        for kind in Kind::ALL {
            let of = &self.of_kinds[kind as usize];
            let found = there(engine, kind, kind.key());
            let there: BTreeSet<u64> = found.iter().copied().collect();
            ensure!(
                there.len() == found.len(),
                "{kind:?}: one is there twice: {found:?}"
            );
            let unknown = there.difference(&of.asked).next();
            ensure!(unknown.is_none(), "{kind:?}: nobody put {unknown:?}");
            let again = there.intersection(&of.taken).next();
            ensure!(
                again.is_none(),
                "{kind:?}: {again:?} was taken, and is there again"
            );
            let is_gone = |thing: &&u64| !there.contains(thing) && !of.taken.contains(thing);
            let gone = of.put.iter().filter(is_gone).count() as u64;
            ensure!(
                gone <= of.unanswered,
                "{kind:?}: {gone} are lost, and {} may have been taken",
                of.unanswered
            );
        }
        for (kind, keys) in [(Kind::List, MOVED_LISTS), (Kind::Set, MOVED_SETS)] {
            let mut found: Vec<u64> = keys
                .into_iter()
                .flat_map(|key| there(engine, kind, key))
                .collect();
            found.sort_unstable();
            let may_be_missing = found.is_empty() && !self.laid_out;
            ensure!(
                may_be_missing || found.iter().copied().eq(0..MOVED),
                "{kind:?}: of those that are moved there are {found:?}"
            );
        }
        Ok(())
    }
}

fn numbers<'a>(answers: impl Iterator<Item = &'a Answer>) -> Vec<u64> {
    let numbers = answers.filter_map(Answer::number);
    numbers
        .filter_map(|number| u64::try_from(number).ok())
        .collect()
}

/// The things in a value.
fn there(engine: &Engine, kind: Kind, key: &str) -> Vec<u64> {
    let keyspace = engine.keyspace();
    let record = keyspace.find(0, keyspace.hash(key.as_bytes()), key.as_bytes());
    let Some(record) = record else {
        return Vec::new();
    };
    let value = record.value();
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    let all: Option<Vec<Vec<u8>>> = match kind {
        Kind::List => value
            .get::<List>()
            .map(|it| it.iter().map(|it| it.to_vec()).collect()),
        Kind::Set => value
            .get::<Set>()
            .map(|it| it.iter().map(|it| it.to_vec()).collect()),
        Kind::SortedSet => value
            .get::<SortedSet>()
            .map(|it| it.iter().map(|it| it.member.to_vec()).collect()),
        Kind::Hash => {
            let hash = value.get::<Hash>();
            hash.map(|it| it.as_of(0).iter().map(|it| it.name().to_vec()).collect())
        }
    };
    all.into_iter()
        .flatten()
        .filter_map(|it| number(&it))
        .collect()
}

/// Puts all that are moved to where they begin.
fn lay_out() -> Vec<Request> {
    let fill = |command: &str, key: &str| {
        let mut words = vec![command.to_owned(), key.to_owned()];
        words.extend((0..MOVED).map(|thing| thing.to_string()));
        Request::new(&words, Purpose::Any)
    };
    let mut remove = vec!["DEL"];
    remove.extend(MOVED_LISTS.iter().chain(&MOVED_SETS));
    vec![
        request!(Purpose::Any, "MULTI"),
        Request::new(&remove, Purpose::Any),
        fill("RPUSH", MOVED_LISTS[0]),
        fill("SADD", MOVED_SETS[0]),
        request!(Purpose::LayOut, "EXEC"),
    ]
}

fn move_one(rng: &mut Rng) -> Request {
    let end = |rng: &mut Rng| ["LEFT", "RIGHT"][rng.index(2)];
    let (from, to) = (end(rng), end(rng));
    let (list, other) = (MOVED_LISTS[rng.index(3)], MOVED_LISTS[rng.index(3)]);
    let (set, another) = (MOVED_SETS[rng.index(3)], MOVED_SETS[rng.index(3)]);
    match rng.below(8) {
        0..3 => request!(Purpose::Any, "LMOVE", list, other, from, to),
        3 => request!(Purpose::Any, "RPOPLPUSH", list, other),
        _ => request!(Purpose::Any, "SMOVE", set, another, rng.below(MOVED)),
    }
}
