//! What was done to values other than streams.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

use crate::answer::Answer;
use crate::replication_run::clients::Put;

/// The record of it.
#[derive(Debug, Default)]
pub(in crate::replication_run) struct Puts {
    counts: Tally,
    pairs: Tally,
    /// By the place of the key among those that are looked at.
    things: BTreeMap<usize, Things>,
}

/// How often something was asked for, and how often somebody was told that it was done.
#[derive(Debug, Default)]
struct Tally {
    asked: i64,
    acknowledged: i64,
}

#[derive(Debug, Default)]
struct Things {
    asked: BTreeSet<u64>,
    acknowledged: BTreeSet<u64>,
}

enum What {
    Thing(usize, u64),
    Count,
    Pair,
    Nothing,
}

fn what(put: Put) -> What {
    match put {
        Put::Member(thing) => What::Thing(0, thing),
        Put::Scored(thing) => What::Thing(1, thing),
        Put::Field(thing) => What::Thing(2, thing),
        Put::Element(thing) => What::Thing(3, thing),
        Put::Count => What::Count,
        Put::Pair => What::Pair,
        Put::Volatile(_) => What::Nothing,
    }
}

impl Puts {
    /// Somebody asks for a change.
    pub(in crate::replication_run) fn asked(&mut self, put: Put) {
        match what(put) {
            What::Thing(key, thing) => {
                self.things.entry(key).or_default().asked.insert(thing);
            }
            What::Count => self.counts.asked += 1,
            What::Pair => self.pairs.asked += 1,
            What::Nothing => {}
        }
    }

    /// Somebody was told that a change was made.
    pub(in crate::replication_run) fn acknowledged(
        &mut self,
        put: Put,
        answer: &Answer,
    ) -> Result<()> {
        if let Answer::Error(error) = answer {
            bail!("{error}");
        }
        match what(put) {
            What::Thing(key, thing) => {
                let things = self.things.entry(key).or_default();
                things.acknowledged.insert(thing);
            }
            What::Count => self.counts.acknowledged += 1,
            What::Pair => {
                self.pairs.acknowledged += 1;
                let numbers = answer.list().unwrap_or_default();
                let numbers: Vec<_> = numbers.iter().map(Answer::number).collect();
                ensure!(
                    numbers.len() == 2 && numbers[0] == numbers[1],
                    "half a transaction"
                );
            }
            What::Nothing => {}
        }
        Ok(())
    }

    /// What is there must fit what clients were told.
    pub(super) fn check(&self, answers: &[Answer]) -> Result<()> {
        let [things @ .., count, one, other] = answers else {
            bail!("not everything was answered");
        };
        for (key, answer) in things.iter().enumerate() {
            let there = answer.list().unwrap_or_default();
            let there = there.iter().filter_map(Answer::number);
            let there: Vec<_> = there.filter_map(|it| u64::try_from(it).ok()).collect();
            let set: BTreeSet<_> = there.iter().copied().collect();
            ensure!(set.len() == there.len(), "something is twice in {there:?}");
            let Some(known) = self.things.get(&key) else {
                ensure!(set.is_empty(), "{set:?} came from nowhere");
                continue;
            };
            let lost = known.acknowledged.difference(&set).next();
            ensure!(lost.is_none(), "{lost:?} was acknowledged and is not there");
            let unknown = set.difference(&known.asked).next();
            ensure!(unknown.is_none(), "{unknown:?} came from nowhere");
        }
        self.counts.check(count.number().unwrap_or(0))?;
        self.pairs.check(one.number().unwrap_or(0))?;
        ensure!(one == other, "half a transaction: {one:?}, {other:?}");
        Ok(())
    }
}

impl Tally {
    fn check(&self, found: i64) -> Result<()> {
        ensure!(
            (self.acknowledged..=self.asked).contains(&found),
            "a counter is {found}: {self:?}"
        );
        Ok(())
    }
}
