//! A consumer of a group: reads, acknowledges, claims what others left.

use anyhow::{Context, Result, bail};
use stream::StreamId;

use super::counts::Counts;
use super::ledger::{Ledger, Turn};
use super::producer::name_of;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

/// A consumer.
pub(super) struct Consumer {
    pub(super) stream: usize,
    pub(super) group: usize,
    name: String,
    /// What it was given and has not acknowledged, as far as it remembers.
    holds: Vec<StreamId>,
    misses_group: bool,
    /// What `XAUTOCLAIM` said to continue with.
    pub(super) cursor: StreamId,
    /// What the last read brought.
    pub(super) received: usize,
}

impl Consumer {
    pub(super) fn new(stream: usize, group: usize, number: u64) -> Consumer {
        Consumer {
            stream,
            group,
            name: format!("c{number}"),
            holds: Vec::new(),
            misses_group: true,
            cursor: StreamId::MIN,
            received: 0,
        }
    }

    /// What it does next.
    pub(super) fn requests(&mut self, ledger: &Ledger, rng: &mut Rng) -> Vec<Request> {
        if self.misses_group {
            return vec![self.create_group()];
        }
        match rng.below(12) {
            0..5 if !self.holds.is_empty() => {
                let count = 1 + rng.index(self.holds.len());
                vec![self.acknowledge(count)]
            }
            0..8 => vec![self.read_new(1 + rng.below(8), rng.once_in(3).then(|| rng.below(800)))],
            8 => vec![self.read_own()],
            9 => {
                let known = &ledger.streams[self.stream];
                let from = StreamId::new(rng.below(known.last_id().map_or(1, |id| id.ms)), 0);
                let id = known.some_id(from).unwrap_or(StreamId::new(1, 1));
                vec![self.claim(id, rng.below(2000))]
            }
            _ => vec![self.scan(rng.below(4000), 1 + rng.below(10))],
        }
    }

    /// Forgets what it had, as if another consumer took over.
    pub(super) fn forget(&mut self) {
        self.holds.clear();
    }

    pub(super) fn holds(&self) -> usize {
        self.holds.len()
    }

    pub(super) fn create_group(&self) -> Request {
        let (key, group) = (name_of(self.stream), self.group_name());
        request!(
            Purpose::Any,
            "XGROUP",
            "CREATE",
            key,
            group,
            "0",
            "MKSTREAM"
        )
    }

    pub(super) fn read_new(&self, count: u64, block_ms: Option<u64>) -> Request {
        let (key, group, name) = (name_of(self.stream), self.group_name(), &self.name);
        match block_ms {
            None => request!(
                Purpose::New,
                "XREADGROUP",
                "GROUP",
                group,
                name,
                "COUNT",
                count,
                "STREAMS",
                key,
                ">"
            ),
            Some(ms) => {
                let ms = ms + 1;
                request!(
                    Purpose::New,
                    "XREADGROUP",
                    "GROUP",
                    group,
                    name,
                    "COUNT",
                    count,
                    "BLOCK",
                    ms,
                    "STREAMS",
                    key,
                    ">"
                )
            }
        }
    }

    fn read_own(&self) -> Request {
        let (key, group, name) = (name_of(self.stream), self.group_name(), &self.name);
        request!(
            Purpose::Own,
            "XREADGROUP",
            "GROUP",
            group,
            name,
            "STREAMS",
            key,
            "0"
        )
    }

    fn claim(&self, id: StreamId, idle_ms: u64) -> Request {
        let (key, group) = (name_of(self.stream), self.group_name());
        request!(Purpose::Claim, "XCLAIM", key, group, self.name, idle_ms, id)
    }

    pub(super) fn scan(&self, idle_ms: u64, count: u64) -> Request {
        let (key, group, cursor) = (name_of(self.stream), self.group_name(), self.cursor);
        request!(
            Purpose::Scan,
            "XAUTOCLAIM",
            key,
            group,
            self.name,
            idle_ms,
            cursor,
            "COUNT",
            count
        )
    }

    pub(super) fn acknowledge(&mut self, count: usize) -> Request {
        let ids: Vec<StreamId> = self.holds.drain(..count).collect();
        let mut words = vec!["XACK".to_owned(), name_of(self.stream), self.group_name()];
        words.extend(ids.iter().map(ToString::to_string));
        Request::new(&words, Purpose::Acknowledge(ids))
    }

    fn group_name(&self) -> String {
        format!("g{}", self.group)
    }

    pub(super) fn answered(
        &mut self,
        purpose: &Purpose,
        answer: &Answer,
        turn: Turn,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        self.received = 0;
        match answer {
            Answer::Error(error) if error.starts_with("MISCONF") => return Ok(()),
            Answer::Error(error) if error.starts_with("NOGROUP") => {
                self.misses_group = true;
                return Ok(());
            }
            _ => {}
        }
        match purpose {
            Purpose::New | Purpose::Own => {
                let Some(streams) = answer.list() else {
                    return match answer {
                        Answer::Null => Ok(()),
                        _ => bail!("{purpose:?} is answered {answer:?}"),
                    };
                };
                let entries = streams.first().and_then(Answer::list);
                let entries = entries
                    .and_then(|pair| pair.get(1)?.list())
                    .context("entries")?;
                self.take(entries, purpose, turn, ledger, counts)
            }
            Purpose::Claim => {
                let entries = answer.list().context("no entries")?;
                self.take(entries, purpose, turn, ledger, counts)
            }
            Purpose::Scan => {
                let [cursor, entries, gone] = answer.list().context("no list")? else {
                    bail!("a scan is answered {answer:?}");
                };
                self.cursor = cursor.id().context("no cursor")?;
                for id in gone.list().context("no list")? {
                    let id = id.id().context("no ID")?;
                    ledger.streams[self.stream].is_gone(id, turn);
                }
                let entries = entries.list().context("no entries")?;
                self.take(entries, purpose, turn, ledger, counts)
            }
            Purpose::Acknowledge(ids) => {
                let group = &mut ledger.streams[self.stream].groups[self.group];
                counts.consumed += ids.len() as u64;
                ids.iter().try_for_each(|&id| group.acknowledged(id, turn))
            }
            _ => {
                self.misses_group = false;
                Ok(())
            }
        }
    }

    fn take(
        &mut self,
        entries: &[Answer],
        purpose: &Purpose,
        turn: Turn,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        self.received = entries.len();
        counts.delivered += entries.len() as u64;
        let stream = &mut ledger.streams[self.stream];
        for entry in entries {
            // Of an entry that is gone only the ID is left.
            let deleted = match entry.list() {
                Some([id, Answer::Null]) => Some(id.id().context("no ID")?),
                _ => None,
            };
            let id = match deleted {
                Some(id) => id,
                None => stream.entry(entry, turn)?,
            };
            let group = &mut stream.groups[self.group];
            if *purpose == Purpose::New {
                group.delivered_new(id, turn)?;
            } else {
                group.delivered(id, turn)?;
            }
            if !self.holds.contains(&id) {
                self.holds.push(id);
            }
        }
        Ok(())
    }
}
