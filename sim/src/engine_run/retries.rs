//! A stream whose entries fail and come back: some after a pause that grows, and some after one
//! that outlasts the run, so that nobody may be given them before somebody ends it. Workers that do
//! not call for some time go by themselves, unless they have something pending.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use engine::Engine;
use stream::StreamId;

use super::counts::Counts;
use super::crew::{Crew, GROUP, given};
use super::ledger::Turn;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

const KEY: &str = "retries";

/// How many workers there are at most.
const WORKERS: u64 = 3;

/// After how many milliseconds without a call a worker goes.
const IDLE_MS: u64 = 1000;

/// How many entries a worker has at most: it gets them by reading alone.
const PENDING_MAX: usize = 4;

/// A pause that is longer than any run, in milliseconds.
const ENDLESS_MS: u64 = 1_000_000_000;

/// What the reply to a request about retries tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// That the group has its settings.
    Set,
    /// The ID of a new entry.
    Added,
    /// What somebody has to do now.
    Given,
    /// Whether this entry rests now.
    Rests(StreamId),
}

/// What is known of the retries.
pub(super) struct Retries {
    crew: Crew,
    is_set: bool,
    /// Somebody was told that these have a pause without an end, by the turn in which it began.
    resting: BTreeMap<StreamId, Turn>,
    /// Somebody asked that these have another pause, so that they do not rest any more.
    stirred: BTreeSet<StreamId>,
}

impl Retries {
    pub(super) fn new() -> Retries {
        Retries {
            crew: Crew::of(KEY),
            is_set: false,
            resting: BTreeMap::new(),
            stirred: BTreeSet::new(),
        }
    }

    /// Draws what somebody does.
    pub(super) fn requests(&mut self, engine: &Engine, rng: &mut Rng) -> Vec<Request> {
        if !self.is_set {
            return self.set_up();
        }
        (0..3 + rng.below(6))
            .map(|_| self.request(engine, rng))
            .collect()
    }

    fn request(&mut self, engine: &Engine, rng: &mut Rng) -> Request {
        let (worker, count) = (format!("w{}", rng.below(WORKERS)), 1 + rng.below(3));
        let given = Purpose::Retry(Told::Given);
        match (rng.below(14), self.crew.some_pending(engine, rng)) {
            (0..3, _) => request!(Purpose::Retry(Told::Added), "XADD", KEY, "*", "f", "v"),
            (3..5, _) => self.crew.read(given, &worker, count, None),
            (5, _) => {
                let idle_ms = rng.below(300);
                self.crew.read(given, &worker, count, Some(idle_ms))
            }
            (6, Some(id)) if !self.resting.contains_key(&id) => {
                self.stirred.insert(id);
                request!(Purpose::Any, "XNACK", KEY, GROUP, "FAIL", "IDS", "1", id)
            }
            (7..11, Some(id)) if !self.stirred.contains(&id) => {
                let rests = Purpose::Retry(Told::Rests(id));
                request!(
                    rests, "XNACK", KEY, GROUP, "FAIL", "IDS", "1", id, "DELAY", ENDLESS_MS
                )
            }
            (11, Some(id)) => {
                self.stirred.insert(id);
                self.resting.remove(&id);
                let delay_ms = rng.below(200);
                request!(
                    Purpose::Any,
                    "XNACK",
                    KEY,
                    GROUP,
                    "FAIL",
                    "IDS",
                    "1",
                    id,
                    "DELAY",
                    delay_ms
                )
            }
            (12, Some(id)) => self.crew.finish(id),
            _ => self.crew.leave(&worker),
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
                self.is_set = true;
                Ok(())
            }
            (Told::Added, answer) => self.crew.added(answer),
            (Told::Rests(id), Answer::Number(1)) => {
                if !self.stirred.contains(&id) {
                    counts.rested += 1;
                    self.resting.insert(id, turn);
                }
                Ok(())
            }
            (Told::Rests(_), _) => Ok(()),
            (Told::Given, answer) => {
                for entry in given(answer)? {
                    let id = entry.list().and_then(|parts| parts.first()?.id());
                    let id = id.context("no ID")?;
                    let since = self.resting.get(&id);
                    let rests = since.is_some_and(|since| *since < turn);
                    ensure!(!rests, "{id} is given before its pause is over");
                }
                Ok(())
            }
            (Told::Set, answer) => bail!("settings are answered {answer:?}"),
        }
    }

    /// Each entry is new or pending, none is lost, and no worker has more than it may.
    ///
    /// # Errors
    /// One is neither, or both, or gone, or a worker has too many.
    pub(super) fn audit(&self, engine: &Engine) -> Result<()> {
        self.crew.audit_places(engine)?;
        let mut workers = self
            .crew
            .group(engine)
            .into_iter()
            .flat_map(|group| group.consumers());
        let laden = workers.find(|(_, worker)| worker.pending_count() > PENDING_MAX);
        ensure!(laden.is_none(), "{laden:?} has more than it may");
        Ok(())
    }

    /// Nobody has called for long: those who have nothing pending are gone.
    ///
    /// # Errors
    /// One is still there.
    pub(super) fn audit_at_rest(&self, engine: &Engine, counts: &mut Counts) -> Result<()> {
        let group = self.crew.group(engine);
        let Some(group) = group.filter(|group| group.idle_consumers_ms().is_some()) else {
            return Ok(());
        };
        let mut workers = group.consumers();
        let idle = workers.find(|(_, worker)| worker.pending_count() == 0);
        ensure!(
            idle.is_none(),
            "{idle:?} has nothing to do, and is still there"
        );
        counts.idle_gone += WORKERS - group.consumer_count() as u64;
        Ok(())
    }

    fn set_up(&self) -> Vec<Request> {
        let settings: &[&dyn ToString] = &[
            &"CLAIM",
            &200,
            &"BACKOFF",
            &50,
            &1000,
            &"JITTER",
            &50,
            &"MAXPENDING",
            &PENDING_MAX,
            &"IDLECONSUMERS",
            &IDLE_MS,
        ];
        self.crew.set_up(Purpose::Retry(Told::Set), settings)
    }
}

/// A worker goes, whatever it has pending: a bug, for the checkers to find.
pub(super) fn remove_some_worker(rng: &mut Rng) -> Request {
    let worker = format!("w{}", rng.below(WORKERS));
    request!(Purpose::Any, "XGROUP", "DELCONSUMER", KEY, GROUP, worker)
}
