//! Many streams that are read by a pattern, and more of them as time passes.
//!
//! Nothing is deleted here. So each entry is still to be delivered, or pending, or somebody asked
//! to acknowledge it; whoever was told of an entry has it until then, and nobody is told of it as
//! new once more. In the end nothing is left to be delivered in any stream.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use engine::Engine;
use stream::{Stream, StreamId};

use super::bystander::stream_of;
use super::counts::Counts;
use super::ledger::Turn;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

/// The group that reads all of them.
pub(super) const GROUP: &str = "all";

/// The greatest number of streams.
const STREAMS_MAX: u64 = 40;

/// What the reply to a request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The ID of a new entry of this stream.
    Added(u64),
    /// Entries that a reader was given.
    Given,
}

/// An entry: the number of its stream, and its ID.
type Place = (u64, StreamId);

/// What is known of these streams.
#[derive(Default)]
pub(super) struct Many {
    last: u64,
    /// Entries that somebody was told of.
    added: BTreeSet<Place>,
    /// Entries that a reader was told that it has, and the earliest turn in which one got them.
    given: BTreeMap<Place, Turn>,
    /// Those that one was told of as new.
    new: BTreeSet<Place>,
    /// Somebody asked to acknowledge these.
    finished: BTreeSet<Place>,
    /// What the last read brought.
    pub(super) received: usize,
}

impl Many {
    /// Draws what somebody does.
    pub(super) fn requests(&mut self, rng: &mut Rng) -> Vec<Request> {
        match rng.below(10) {
            0..4 => (0..1 + rng.below(4)).map(|_| self.add(rng)).collect(),
            4..8 => vec![read(rng)],
            _ => self.acknowledge(rng).into_iter().collect(),
        }
    }

    /// Appends to one of the streams, of which there are more and more.
    fn add(&mut self, rng: &mut Rng) -> Request {
        self.last += 1;
        let stream = rng.below((2 + self.last / 4).min(STREAMS_MAX));
        let added = Purpose::Many(Told::Added(stream));
        request!(added, "XADD", key(stream), "*", "n", self.last)
    }

    /// Acknowledges an entry that somebody has.
    fn acknowledge(&mut self, rng: &mut Rng) -> Option<Request> {
        let given = self.given.keys();
        let mut held = given.filter(|place| !self.finished.contains(place));
        let (stream, id) = *held.nth(rng.index(8))?;
        self.finished.insert((stream, id));
        Some(request!(Purpose::Any, "XACK", key(stream), GROUP, id))
    }

    /// Takes in what somebody was told.
    pub(super) fn told(
        &mut self,
        told: Told,
        answer: &Answer,
        turn: Turn,
        counts: &mut Counts,
    ) -> Result<()> {
        if matches!(answer, Answer::Error(error) if error.starts_with("MISCONF")) {
            return Ok(());
        }
        match told {
            Told::Added(stream) => {
                self.added.insert((stream, answer.id().context("no ID")?));
                Ok(())
            }
            Told::Given => {
                self.received = 0;
                if *answer == Answer::Null {
                    return Ok(());
                }
                for pair in answer.list().context("no streams")? {
                    let Some([name, entries]) = pair.list() else {
                        anyhow::bail!("{pair:?} is no stream");
                    };
                    let stream = number_of(name)?;
                    for entry in entries.list().context("no entries")? {
                        self.given(stream, entry, turn)?;
                        counts.given_by_pattern += 1;
                    }
                }
                Ok(())
            }
        }
    }

    fn given(&mut self, stream: u64, entry: &Answer, turn: Turn) -> Result<()> {
        let fields = entry.list().context("no entry")?;
        let id = fields.first().and_then(Answer::id).context("no ID")?;
        let deliveries = fields.get(3).and_then(Answer::number).unwrap_or(0);
        let earliest = self.given.entry((stream, id)).or_insert(turn);
        // Replies may arrive in another order than the requests ran in.
        let is_new = deliveries == 0;
        ensure!(
            !is_new || *earliest >= turn && self.new.insert((stream, id)),
            "{id} of {} is delivered as new again",
            key(stream)
        );
        *earliest = turn.min(*earliest);
        self.received += 1;
        Ok(())
    }

    /// Each entry is in one state, and those are right that somebody was told of.
    ///
    /// # Errors
    /// One is lost, or not where it has to be.
    pub(super) fn audit(&self, engine: &Engine) -> Result<()> {
        for number in 0..STREAMS_MAX {
            let known = stream_of(engine, &key(number));
            let all = (number, StreamId::MIN)..=(number, StreamId::MAX);
            let mut added = self.added.range(all).map(|(_, id)| *id);
            let Some(stream) = known else {
                ensure!(added.next().is_none(), "{} is lost", key(number));
                continue;
            };
            let lost = added.find(|id| !stream.entries().contains(*id));
            ensure!(lost.is_none(), "{lost:?} of {} is lost", key(number));
            let group = stream.groups().find(GROUP.as_bytes());
            for entry in stream.entries().iter() {
                let id = entry.id();
                let is_delivered = group.is_some_and(|group| id <= group.last_delivered());
                let is_pending = group.is_some_and(|group| group.pending(id).is_some());
                let is_finished = self.finished.contains(&(number, id));
                let is_right = match is_delivered {
                    true => is_pending || is_finished,
                    false => !is_pending && !self.given.contains_key(&(number, id)),
                };
                ensure!(
                    is_right,
                    "{id} of {} is delivered: {is_delivered}, pending: {is_pending}",
                    key(number)
                );
            }
        }
        Ok(())
    }

    /// In the end every stream was found, and all of it was delivered.
    ///
    /// # Errors
    /// An entry was delivered to nobody.
    pub(super) fn audit_end(&self, engine: &Engine, counts: &mut Counts) -> Result<()> {
        for number in 0..STREAMS_MAX {
            let stream = stream_of(engine, &key(number));
            let last = stream.map_or(StreamId::MIN, Stream::last_id);
            let group = stream.and_then(|stream| stream.groups().find(GROUP.as_bytes()));
            let delivered = group.map_or(StreamId::MIN, stream::Group::last_delivered);
            ensure!(delivered >= last, "{} was not read", key(number));
            counts.streams_found += u64::from(group.is_some());
        }
        Ok(())
    }
}

/// Reads what there is, in the end.
pub(super) fn read_all() -> Request {
    let given = Purpose::Many(Told::Given);
    request!(
        given,
        "XREADGROUP",
        "GROUP",
        GROUP,
        "r0",
        "MAKEGROUP",
        "PATTERN",
        "many:*",
        ">"
    )
}

fn read(rng: &mut Rng) -> Request {
    let mut words = vec!["XREADGROUP".to_owned(), "GROUP".to_owned()];
    words.extend([GROUP.to_owned(), format!("r{}", rng.below(3))]);
    words.extend(["COUNT".to_owned(), (1 + rng.below(9)).to_string()]);
    if rng.once_in(3) {
        words.extend(["BLOCK".to_owned(), (1 + rng.below(800)).to_string()]);
    }
    if rng.once_in(3) {
        let idle_ms = [0, 300, 2000][rng.index(3)];
        words.extend(["CLAIM".to_owned(), idle_ms.to_string()]);
    }
    // Several patterns find the same streams.
    let pattern = ["many:*", "many:*", "many:?*", "many:[0-9]*"][rng.index(4)];
    let last = ["MAKEGROUP", "PATTERN", pattern, ">"];
    words.extend(last.map(str::to_owned));
    Request::new(&words, Purpose::Many(Told::Given))
}

fn key(stream: u64) -> String {
    format!("many:{stream}")
}

fn number_of(name: &Answer) -> Result<u64> {
    let Answer::Text(name) = name else {
        anyhow::bail!("{name:?} is no key");
    };
    let name = str::from_utf8(name)?;
    let number = name.strip_prefix("many:");
    let number = number.with_context(|| format!("{name} does not match"))?;
    Ok(number.parse()?)
}
