//! A producer: appends messages, each once, and repeats each request until it has been told that
//! the message is there.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::answer::Answer;
use super::counts::Counts;
use super::ledger::{Ledger, Message};
use super::request::{Purpose, Request};
use super::setting::PATIENCE_MS;
use crate::rng::Rng;

/// Messages on their way at a time.
const IN_FLIGHT_MAX: u64 = 4;

/// A producer of one stream.
pub(super) struct Producer {
    id: u64,
    pub(super) stream: usize,
    next: u64,
    /// Messages that were sent and not acknowledged, with the time of the first attempt.
    sent: BTreeMap<u64, u64>,
}

impl Producer {
    pub(super) fn new(id: u64, stream: usize) -> Producer {
        Producer {
            id,
            stream,
            next: 0,
            sent: BTreeMap::new(),
        }
    }

    /// Messages that it waits for first, then perhaps new ones.
    pub(super) fn requests(
        &mut self,
        now_ms: u64,
        counts: &mut Counts,
        rng: &mut Rng,
    ) -> Vec<Request> {
        let oldest = self.sent.values().next();
        if oldest.is_some_and(|&first| now_ms >= first + PATIENCE_MS) {
            counts.given_up += self.sent.len() as u64;
            self.sent.clear();
        }
        let mut numbers: Vec<u64> = self.sent.keys().copied().collect();
        counts.retries += numbers.len() as u64;
        let count = 1 + rng.below(IN_FLIGHT_MAX);
        while (numbers.len() as u64) < count {
            self.sent.insert(self.next, now_ms);
            numbers.push(self.next);
            self.next += 1;
        }
        numbers
            .into_iter()
            .map(|number| self.append(number))
            .collect()
    }

    /// The same message gives the same request, whenever it is sent.
    fn append(&self, number: u64) -> Request {
        let producer = self.id;
        let mut words = vec!["XADD".to_owned(), name_of(self.stream)];
        if self.id.is_multiple_of(2) {
            words.extend([
                "IDMP".to_owned(),
                format!("p{producer}"),
                number.to_string(),
            ]);
        } else {
            words.extend(["IDMPAUTO".to_owned(), format!("p{producer}")]);
        }
        words.extend(["*", "p", &producer.to_string(), "n", &number.to_string()].map(String::from));
        // Some have many sectors, and a few of them fill a chunk, so that there is something to
        // pack.
        let padding = match number % 16 {
            3 => 700,
            5 | 13 => 5000,
            _ => number % 7,
        };
        words.extend(["x".to_owned(), "x".repeat(padding as usize)]);
        Request::new(&words, Purpose::Append(Message { producer, number }))
    }

    pub(super) fn answered(
        &mut self,
        message: Message,
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        match answer {
            Answer::Text(_) => {
                let Some(id) = answer.id() else {
                    bail!("no ID: {answer:?}");
                };
                counts.acknowledged += u64::from(self.sent.remove(&message.number).is_some());
                ledger.streams[self.stream].appended(message, id)
            }
            // It will be sent again.
            Answer::Error(error) if error.starts_with("MISCONF") => {
                counts.refused += 1;
                Ok(())
            }
            _ => bail!("an append is answered {answer:?}"),
        }
    }
}

/// The key of a stream.
pub(super) fn name_of(stream: usize) -> String {
    format!("s:{stream}")
}
