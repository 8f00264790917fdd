//! A stream whose workers say now and then that they still work on what they hold.
//!
//! What is held is given to nobody before the time of the one who asks is over, counted from the
//! last delivery or renewal that somebody was told of. A renewal is in a transaction with a look
//! before and after it: it changes nothing but the time, and that only for the one who holds the
//! entry.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use engine::Engine;
use stream::StreamId;

use super::Bug;
use super::counts::Counts;
use super::crew::{Crew, GROUP, given};
use super::ledger::Turn;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

const KEY: &str = "held";

/// After how many milliseconds the group gives what is held to others, by its rule.
const CLAIM_MS: u64 = 200;

/// What the reply to a request about held entries tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// That the group has its settings.
    Set,
    /// The ID of a new entry.
    Added,
    /// What a reader has now: new entries, and those that were held for this many milliseconds.
    Read(u64),
    /// What somebody has now who asked for entries that were held for this many milliseconds.
    Scanned(u64),
    /// The same, by ID.
    Claimed(u64),
    /// What a renewal has changed.
    Touched(StreamId),
}

/// What is known of the holds.
pub(super) struct Holds {
    crew: Crew,
    bug: Option<Bug>,
    is_set: bool,
    /// The last time that somebody was told of a delivery or a renewal, in milliseconds, and the
    /// turn in which it was.
    held: BTreeMap<StreamId, (Turn, u64)>,
}

impl Holds {
    pub(super) fn new(bug: Option<Bug>) -> Holds {
        Holds {
            crew: Crew::of(KEY),
            bug,
            is_set: false,
            held: BTreeMap::new(),
        }
    }

    /// Draws what somebody does.
    pub(super) fn requests(&mut self, engine: &Engine, rng: &mut Rng) -> Vec<Request> {
        if !self.is_set {
            let claim_ms = match self.bug {
                Some(Bug::HeldTaken) => CLAIM_MS / 2,
                _ => CLAIM_MS,
            };
            let settings: &[&dyn ToString] = &[&"CLAIM", &claim_ms];
            return self.crew.set_up(Purpose::Hold(Told::Set), settings);
        }
        (0..2 + rng.below(4))
            .flat_map(|_| self.request(engine, rng))
            .collect()
    }

    fn request(&mut self, engine: &Engine, rng: &mut Rng) -> Vec<Request> {
        let (worker, count) = (format!("w{}", rng.below(3)), 1 + rng.below(3));
        let idle_ms = rng.below(300);
        vec![match (rng.below(10), self.crew.some_pending(engine, rng)) {
            (0..2, _) => request!(Purpose::Hold(Told::Added), "XADD", KEY, "*", "f", "v"),
            (2..4, _) => {
                let told = Purpose::Hold(Told::Read(CLAIM_MS));
                self.crew.read(told, &worker, count, None)
            }
            (4, _) => {
                let told = Purpose::Hold(Told::Read(idle_ms));
                self.crew.read(told, &worker, count, Some(idle_ms))
            }
            (5, Some(id)) => {
                let told = Purpose::Hold(Told::Claimed(idle_ms));
                request!(told, "XCLAIM", KEY, GROUP, worker, idle_ms, id)
            }
            (6, Some(id)) => self.crew.finish(id),
            (7..10, Some(id)) => return self.touch(engine, worker, id, rng),
            _ => {
                let told = Purpose::Hold(Told::Scanned(idle_ms));
                request!(told, "XAUTOCLAIM", KEY, GROUP, worker, idle_ms, "0")
            }
        }]
    }

    /// Who holds an entry renews that, or somebody else tries to.
    fn touch(&self, engine: &Engine, worker: String, id: StreamId, rng: &mut Rng) -> Vec<Request> {
        let holder = self.crew.holder(engine, id).filter(|_| !rng.once_in(4));
        let worker = holder.unwrap_or(worker);
        let look = || request!(Purpose::Any, "XPENDING", KEY, GROUP, id, id, 1);
        let touch = match self.bug {
            Some(Bug::TouchCounted) => request!(
                Purpose::Any,
                "XCLAIM",
                KEY,
                GROUP,
                worker,
                0,
                id,
                "RETRYCOUNT",
                100,
                "JUSTID"
            ),
            _ => request!(Purpose::Any, "XTOUCH", KEY, GROUP, worker, id),
        };
        vec![
            request!(Purpose::Any, "MULTI"),
            look(),
            touch,
            look(),
            request!(Purpose::Hold(Told::Touched(id)), "EXEC"),
        ]
    }

    /// Takes in what somebody was told, of what was done at a time in milliseconds.
    pub(super) fn told(
        &mut self,
        told: Told,
        answer: &Answer,
        (turn, now_ms): (Turn, u64),
        counts: &mut Counts,
    ) -> Result<()> {
        let entries = match (told, answer) {
            (_, Answer::Error(error))
                if error.starts_with("MISCONF") || error.starts_with("EXECABORT") =>
            {
                return Ok(());
            }
            (Told::Set, Answer::Text(_)) => {
                self.is_set = true;
                return Ok(());
            }
            (Told::Set, answer) => bail!("settings are answered {answer:?}"),
            (Told::Added, answer) => return self.crew.added(answer),
            (Told::Touched(id), answer) => {
                if is_renewed(id, answer)? {
                    counts.renewed += 1;
                    self.hold(id, turn, now_ms);
                }
                return Ok(());
            }
            (Told::Read(_), answer) => given(answer)?,
            (Told::Scanned(_), answer) => {
                let scanned = answer.list().and_then(|parts| parts.get(1)?.list());
                scanned.context("no entries")?
            }
            (Told::Claimed(_), answer) => answer.list().context("no entries")?,
        };
        let (Told::Read(idle_ms) | Told::Scanned(idle_ms) | Told::Claimed(idle_ms)) = told else {
            return Ok(());
        };
        for entry in entries {
            let id = entry.list().and_then(|parts| parts.first()?.id());
            let id = id.context("no ID")?;
            let held = self.held.get(&id).filter(|(since, _)| *since < turn);
            let held_ms = held.map(|(_, at_ms)| now_ms.saturating_sub(*at_ms));
            ensure!(
                held_ms.is_none_or(|held_ms| held_ms >= idle_ms),
                "{id} was held for {held_ms:?} ms only, not {idle_ms}"
            );
            self.hold(id, turn, now_ms);
        }
        Ok(())
    }

    fn hold(&mut self, id: StreamId, turn: Turn, now_ms: u64) {
        let held = self.held.entry(id).or_default();
        *held = (*held).max((turn, now_ms));
    }

    /// Each entry is new or pending, and none is lost.
    ///
    /// # Errors
    /// One is neither, or both, or gone.
    pub(super) fn audit(&self, engine: &Engine) -> Result<()> {
        self.crew.audit_places(engine)
    }
}

/// Returns whether the hold on an entry was renewed, by what was to be seen before and after it.
fn is_renewed(id: StreamId, answer: &Answer) -> Result<bool> {
    let Some([before, touched, after]) = answer.list() else {
        bail!("a transaction of three is answered {answer:?}");
    };
    let touched = touched.list().context("no IDs")?;
    // Nothing else runs amid the transaction. What is seen is ID, worker, idle time and deliveries.
    let (before, after) = (Pending::of(before)?, Pending::of(after)?);
    match touched {
        [] => ensure!(before == after, "{before:?} became {after:?}"),
        [touched] => {
            ensure!(touched.id() == Some(id), "{touched:?} was touched");
            let before = before.context("what nobody holds was touched")?;
            let renewed = Some(Pending {
                idle_ms: 0,
                ..before
            });
            ensure!(renewed == after, "{before:?} became {after:?}");
        }
        _ => bail!("{touched:?} were touched"),
    }
    Ok(!touched.is_empty())
}

/// What `XPENDING` shows of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending<'a> {
    worker: &'a Answer,
    idle_ms: i64,
    deliveries: i64,
}

impl Pending<'_> {
    fn of(answer: &Answer) -> Result<Option<Pending<'_>>> {
        let Some(entry) = answer.list().context("no list")?.first() else {
            return Ok(None);
        };
        let Some([_, worker, idle_ms, deliveries]) = entry.list() else {
            bail!("a pending entry is {entry:?}");
        };
        Ok(Some(Pending {
            worker,
            idle_ms: idle_ms.number().context("no time")?,
            deliveries: deliveries.number().context("no count")?,
        }))
    }
}
