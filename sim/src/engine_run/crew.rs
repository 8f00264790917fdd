//! A group of workers on a stream: what they ask for, and what both streams of this kind have in
//! common. Who has finished an entry deletes it with the acknowledgement.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use engine::Engine;
use stream::{Group, Stream, StreamId};

use super::bystander::stream_of;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

pub(super) const GROUP: &str = "crew";

/// The workers of a stream, and what is known of its entries.
pub(super) struct Crew {
    key: &'static str,
    /// Entries that somebody was told of.
    added: BTreeSet<StreamId>,
    /// Somebody asked to finish these.
    finished: BTreeSet<StreamId>,
}

/// Where an entry is that is in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) id: StreamId,
    pub(super) is_pending: bool,
    /// It was not delivered yet.
    pub(super) is_new: bool,
}

impl Crew {
    /// Those of the stream of this key.
    pub(super) fn of(key: &'static str) -> Crew {
        Crew {
            key,
            added: BTreeSet::new(),
            finished: BTreeSet::new(),
        }
    }

    /// Makes the group, and tells it its settings.
    pub(super) fn set_up(&self, told: Purpose, settings: &[&dyn ToString]) -> Vec<Request> {
        let create = ["XGROUP", "CREATE", self.key, GROUP, "0", "MKSTREAM"];
        let mut set = ["XGROUP", "SETCFG", self.key, GROUP]
            .map(String::from)
            .to_vec();
        set.extend(settings.iter().map(|word| word.to_string()));
        vec![
            Request::new(&create, Purpose::Any),
            Request::new(&set, told),
        ]
    }

    /// Reads as a worker: entries that others have held for that long, too, if a time is given.
    pub(super) fn read(
        &self,
        purpose: Purpose,
        worker: &str,
        count: u64,
        idle_ms: Option<u64>,
    ) -> Request {
        let mut words = ["XREADGROUP", "GROUP", GROUP, worker, "COUNT"]
            .map(String::from)
            .to_vec();
        words.push(count.to_string());
        if let Some(idle_ms) = idle_ms {
            words.extend(["CLAIM".to_owned(), idle_ms.to_string()]);
        }
        words.extend(["STREAMS", self.key, ">"].map(String::from));
        Request::new(&words, purpose)
    }

    /// An entry is done.
    pub(super) fn finish(&mut self, id: StreamId) -> Request {
        self.finished.insert(id);
        request!(Purpose::Any, "XACKDEL", self.key, GROUP, "IDS", "1", id)
    }

    /// A worker goes, and leaves what it has to the others.
    pub(super) fn leave(&self, worker: &str) -> Request {
        let key = self.key;
        request!(
            Purpose::Any,
            "XGROUP",
            "DELCONSUMER",
            key,
            GROUP,
            worker,
            "KEEPPENDING"
        )
    }

    /// Somebody was told of a new entry.
    pub(super) fn added(&mut self, answer: &Answer) -> Result<()> {
        self.added.insert(answer.id().context("no ID")?);
        Ok(())
    }

    /// Who has an entry.
    pub(super) fn holder(&self, engine: &Engine, id: StreamId) -> Option<String> {
        let group = self.group(engine)?;
        let holder = group.consumer_at(group.pending(id)?.holder?.consumer)?;
        Some(String::from_utf8_lossy(holder.name()).into_owned())
    }

    /// The group, if it is there.
    pub(super) fn group<'e>(&self, engine: &'e Engine) -> Option<&'e Group> {
        stream_of(engine, self.key)?.groups().find(GROUP.as_bytes())
    }

    /// An entry that somebody has, or has given back.
    pub(super) fn some_pending(&self, engine: &Engine, rng: &mut Rng) -> Option<StreamId> {
        let group = self.group(engine)?;
        let mut pending = group.pending_range(StreamId::MIN, StreamId::MAX);
        Some(pending.nth(rng.index(group.pending_count().max(1)))?.id)
    }

    /// The entries that are there.
    ///
    /// # Errors
    /// One is gone that nobody has finished.
    pub(super) fn audit(&self, engine: &Engine) -> Result<Vec<Place>> {
        let stream: Option<&Stream> = stream_of(engine, self.key);
        let group = self.group(engine);
        let entries = stream.into_iter().flat_map(|it| it.entries().iter());
        let there: BTreeSet<StreamId> = entries.map(|entry| entry.id()).collect();
        let mut kept = self.added.difference(&self.finished);
        let lost = kept.find(|id| !there.contains(id));
        ensure!(lost.is_none(), "{lost:?} is lost");
        let place = |id: StreamId| Place {
            id,
            is_pending: group.is_some_and(|group| group.pending(id).is_some()),
            is_new: group.is_none_or(|group| id > group.last_delivered()),
        };
        Ok(there.into_iter().map(place).collect())
    }

    /// The same where there is no further place for an entry.
    ///
    /// # Errors
    /// One is neither new nor pending, or both, or gone.
    pub(super) fn audit_places(&self, engine: &Engine) -> Result<()> {
        let places = self.audit(engine)?;
        let odd = places.iter().find(|it| it.is_pending == it.is_new);
        ensure!(odd.is_none(), "{odd:?} is in two places, or in none");
        Ok(())
    }
}

/// The entries in the answer to a read of one stream; none if there was nothing to read.
pub(super) fn given(answer: &Answer) -> Result<&[Answer]> {
    if *answer == Answer::Null {
        return Ok(&[]);
    }
    let streams = answer.list().context("no streams")?;
    let pair = streams.first().and_then(Answer::list);
    pair.and_then(|pair| pair.get(1)?.list())
        .context("no entries")
}
