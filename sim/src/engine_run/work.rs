//! A stream of work whose group looks after itself: an entry that nobody can process goes to the
//! dead-letter stream, from which it may come back.
//!
//! Each entry that is there is still to be delivered, is pending, or is a dead letter, and in
//! exactly one of these ways.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use engine::Engine;
use stream::{EntryRef, StreamId};

use super::bystander::stream_of;
use super::counts::Counts;
use super::crew::{Crew, GROUP, given};
use super::ledger::Turn;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

const KEY: &str = "work";
const DEAD: &str = "work:dead";

/// How often an entry is delivered at most.
const DELIVERIES_MAX: u64 = 2;

/// How many entries a worker has at most.
const PENDING_MAX: u64 = 4;

/// What the reply to a request about work tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// That the group has its settings.
    Set,
    /// The ID of a new entry.
    Added,
    /// What somebody has to do now, and how often others have tried.
    Given,
    /// Which dead letters have gone back.
    Redriven,
}

/// What is known of the work.
pub(super) struct Work {
    crew: Crew,
    /// When somebody was told that the group has its settings.
    set: Option<Turn>,
    last: u64,
}

impl Work {
    pub(super) fn new() -> Work {
        Work {
            crew: Crew::of(KEY),
            set: None,
            last: 0,
        }
    }

    /// Draws what somebody does.
    pub(super) fn requests(&mut self, engine: &Engine, rng: &mut Rng) -> Vec<Request> {
        if self.set.is_none() {
            return self.set_up();
        }
        (0..1 + rng.below(5))
            .map(|_| self.request(engine, rng))
            .collect()
    }

    fn request(&mut self, engine: &Engine, rng: &mut Rng) -> Request {
        let (worker, count) = (format!("w{}", rng.below(3)), 1 + rng.below(3));
        let pending = self.crew.some_pending(engine, rng);
        let idle_ms = rng.below(300);
        let given = Purpose::Work(Told::Given);
        match (rng.below(15), pending) {
            (0..3, _) => {
                self.last += 1;
                let (added, number) = (Purpose::Work(Told::Added), self.last);
                request!(added, "XADD", KEY, "*", "n", number)
            }
            (3, _) => self.crew.read(given, &worker, count, None),
            (4..6, _) => self.crew.read(given, &worker, count, Some(idle_ms)),
            (6, _) => request!(
                Purpose::Any,
                "XAUTOCLAIM",
                KEY,
                GROUP,
                worker,
                idle_ms,
                "0",
                "COUNT",
                count
            ),
            (7, Some(id)) => request!(Purpose::Any, "XCLAIM", KEY, GROUP, worker, idle_ms, id),
            (8, Some(id)) => {
                let mode = ["SILENT", "FAIL", "FATAL"][rng.index(3)];
                request!(Purpose::Any, "XNACK", KEY, GROUP, mode, "IDS", "1", id)
            }
            (13, Some(id)) if rng.once_in(2) => {
                request!(Purpose::Any, "XTOUCH", KEY, GROUP, worker, id)
            }
            (13, _) if rng.once_in(2) => self.crew.leave(&worker),
            (13, _) => {
                let claim = [0, 200][rng.index(2)];
                request!(Purpose::Any, "XGROUP", "SETCFG", KEY, GROUP, "CLAIM", claim)
            }
            (9, Some(id)) => self.crew.finish(id),
            (10..13, _) => request!(
                Purpose::Work(Told::Redriven),
                "XREDRIVE",
                DEAD,
                KEY,
                "GROUP",
                GROUP,
                "COUNT",
                count
            ),
            _ => request!(Purpose::Look, "XPENDING", KEY, GROUP),
        }
    }

    /// Takes in what somebody was told.
    pub(super) fn told(
        &mut self,
        told: Told,
        answer: &Answer,
        turn: Turn,
        counts: &mut Counts,
    ) -> Result<()> {
        match (told, answer) {
            // The group may not be there yet.
            (_, Answer::Error(error)) if error.starts_with("MISCONF") => Ok(()),
            (Told::Set, Answer::Text(_)) => {
                self.set.get_or_insert(turn);
                Ok(())
            }
            (Told::Added, answer) => self.crew.added(answer),
            (Told::Given, answer) => given(answer)?
                .iter()
                .try_for_each(|entry| self.given(entry, turn)),
            (Told::Redriven, answer) => {
                let ids = answer.list().and_then(|pair| pair.get(1)?.list());
                counts.redriven += ids.context("no IDs")?.len() as u64;
                Ok(())
            }
            (Told::Set, answer) => bail!("settings are answered {answer:?}"),
        }
    }

    /// Nobody gets what has been delivered as often as it may be.
    fn given(&self, entry: &Answer, turn: Turn) -> Result<()> {
        let deliveries = entry.list().and_then(|fields| fields.get(3)?.number());
        let is_set = self.set.is_some_and(|set| set < turn);
        ensure!(
            !is_set || deliveries.is_none_or(|count| count.unsigned_abs() < DELIVERIES_MAX),
            "it was delivered {deliveries:?} times before"
        );
        Ok(())
    }

    /// Each entry is in one place, and none is lost.
    ///
    /// # Errors
    /// One is in two places, or in none.
    pub(super) fn audit(&self, engine: &Engine, counts: &mut Counts) -> Result<()> {
        let places = self.crew.audit(engine)?;
        let mut dead: BTreeMap<StreamId, u64> = BTreeMap::new();
        let letters = stream_of(engine, DEAD).into_iter();
        for letter in letters.flat_map(|letters| letters.entries().iter()) {
            *dead.entry(original(&letter)?).or_default() += 1;
        }
        counts.dead_lettered += dead.len() as u64;
        for place in &places {
            let copies = dead.get(&place.id).copied().unwrap_or(0);
            let count = copies + u64::from(place.is_pending) + u64::from(place.is_new);
            ensure!(count == 1, "{place:?} is dead {copies} times");
        }
        let group = self.crew.group(engine);
        let mut pending = group
            .into_iter()
            .flat_map(|group| group.pending_range(StreamId::MIN, StreamId::MAX));
        let worn = pending.find(|entry| entry.delivery_count > DELIVERIES_MAX);
        ensure!(worn.is_none(), "{worn:?} is still pending");
        let there: BTreeSet<StreamId> = places.iter().map(|place| place.id).collect();
        let homeless = dead.keys().find(|id| !there.contains(id));
        ensure!(
            homeless.is_none(),
            "the entry of a dead letter, {homeless:?}, is gone"
        );
        Ok(())
    }

    fn set_up(&self) -> Vec<Request> {
        let settings: &[&dyn ToString] = &[
            &"MAXDELIVERIES",
            &DELIVERIES_MAX,
            &"DEADLETTER",
            &DEAD,
            &"MAXPENDING",
            &PENDING_MAX,
        ];
        self.crew.set_up(Purpose::Work(Told::Set), settings)
    }
}

/// Which entry a dead letter was.
fn original(letter: &EntryRef<'_>) -> Result<StreamId> {
    let mut fields = letter.fields();
    let id = fields.find(|(name, _)| *name == b"dlq-id");
    let (_, id) = id.context("a dead letter without its ID")?;
    StreamId::parse(id, 0).context("the ID of a dead letter")
}
