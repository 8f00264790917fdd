//! A consumer of a group: reads, acknowledges, takes what others have left.
//!
//! When it does not hear what it was given, it asks for what it has.

use anyhow::{Context, Result, bail};
use stream::StreamId;

use super::{GROUPS, Purpose, Request, command, stream_name};
use crate::answer::Answer;
use crate::replication_run::audit::Group;
use crate::replication_run::world::Instant;
use crate::replication_run::{Counts, Plan};
use crate::rng::Rng;

/// A consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) stream: usize,
    name: String,
    has_group: bool,
    /// What it was given and has not acknowledged.
    holds: Vec<StreamId>,
    /// It may have been given what it has not heard of.
    is_unsure: bool,
}

impl Consumer {
    pub(super) fn new(number: usize) -> Consumer {
        Consumer {
            stream: number % GROUPS,
            name: format!("c{number}"),
            has_group: false,
            holds: Vec::new(),
            is_unsure: false,
        }
    }

    /// What it asks next, if what it has asked last, if anything, was not answered.
    pub(super) fn next(&mut self, lost: Option<Request>, rng: &mut Rng) -> Request {
        if let Some(request) = lost {
            if request.is_idempotent() {
                return request;
            }
            self.is_unsure = true;
        }
        let stream = stream_name(self.stream);
        if !self.has_group {
            let words = ["XGROUP", "CREATE", &stream, "g", "0", "MKSTREAM"];
            return Request::new(vec![command(words)], Purpose::MakeGroup);
        }
        if !self.holds.is_empty() {
            let held = std::mem::take(&mut self.holds);
            let ids = held.iter().map(StreamId::to_string);
            let words = ["XACK", &stream, "g"].map(str::to_owned).into_iter();
            let acknowledge = words.chain(ids).collect();
            return Request::new(vec![acknowledge], Purpose::Acknowledge(held));
        }
        if self.is_unsure || rng.once_in(30) {
            return self.take("", "0", Purpose::TakeOwn);
        }
        match rng.below(12) {
            0 => {
                let words = [
                    "XAUTOCLAIM",
                    &stream,
                    "g",
                    &self.name,
                    "2000",
                    "0",
                    "COUNT",
                    "5",
                ];
                Request::new(vec![command(words)], Purpose::Claim)
            }
            1..4 => self.take("300", ">", Purpose::TakeNew),
            _ => self.take("", ">", Purpose::TakeNew),
        }
    }

    fn take(&self, block_ms: &str, from: &str, purpose: Purpose) -> Request {
        let stream = stream_name(self.stream);
        let mut words = vec!["XREADGROUP", "GROUP", "g", &self.name, "COUNT", "10"];
        if !block_ms.is_empty() {
            words.extend(["BLOCK", block_ms]);
        }
        words.extend(["STREAMS", &stream, from]);
        Request::new(vec![words.iter().collect()], purpose)
    }

    /// It was answered; it had asked and is told at these moments.
    pub(super) fn answered(
        &mut self,
        purpose: &Purpose,
        answer: &Answer,
        (plan, asked_at, now): (&Plan, Instant, Instant),
        group: &mut Group,
        counts: &mut Counts,
    ) -> Result<()> {
        match (purpose, answer) {
            // The log has lost it.
            (_, Answer::Error(text)) if text.starts_with("NOGROUP") && plan.log_forgets() => {
                self.has_group = false;
            }
            (Purpose::MakeGroup, Answer::Text(_)) => self.has_group = true,
            (Purpose::MakeGroup, Answer::Error(text)) if text.starts_with("BUSYGROUP") => {
                self.has_group = true;
            }
            (Purpose::TakeNew | Purpose::TakeOwn, _) => {
                let entries = match answer {
                    Answer::Null => &[][..],
                    answer => {
                        let stream = answer.list().and_then(|streams| streams.first());
                        let parts = stream.and_then(Answer::list).context("no stream")?;
                        parts.get(1).and_then(Answer::list).context("no entries")?
                    }
                };
                let is_new = matches!(purpose, Purpose::TakeNew);
                // What it was given last, it has not heard of.
                self.is_unsure = !is_new && entries.len() == 10;
                self.given(entries)?;
                counts.delivered += self.holds.len() as u64;
                match is_new {
                    true => group.gave_new(plan, &self.holds)?,
                    false => group.gave_again(plan, asked_at, &self.holds)?,
                }
            }
            (Purpose::Claim, Answer::List(parts)) => {
                let entries = parts.get(1).and_then(Answer::list).context("no entries")?;
                self.given(entries)?;
                counts.claimed += self.holds.len() as u64;
                group.gave_again(plan, asked_at, &self.holds)?;
            }
            (Purpose::Acknowledge(ids), Answer::Number(_)) => group.acknowledged(ids, now),
            _ => bail!("a consumer did not expect that"),
        }
        Ok(())
    }

    fn given(&mut self, entries: &[Answer]) -> Result<()> {
        for entry in entries {
            let id = entry.list().and_then(|parts| parts.first()?.id());
            self.holds.push(id.context("no entry")?);
        }
        Ok(())
    }
}
