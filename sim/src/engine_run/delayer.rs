//! A producer whose messages are to be appended later, some of which it takes back.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::counts::Counts;
use super::ledger::{Ledger, Message};
use super::producer::name_of;
use super::request::{Purpose, Request};
use super::setting::PATIENCE_MS;
use crate::answer::Answer;
use crate::rng::Rng;

/// A producer of delayed messages of one stream. To the ledger each message is of a producer of its
/// own: they come in the order in which they are due.
pub(super) struct Delayer {
    id: u64,
    pub(super) stream: usize,
    next: u64,
    /// Messages that it still asks for, with the time of the first attempt.
    sent: BTreeMap<u64, u64>,
    /// Messages of which it has a ticket.
    tickets: BTreeMap<u64, String>,
}

/// The first number of the producers that stand for delayed messages; each client has this many.
const PRODUCERS: u64 = 100_000;

impl Delayer {
    pub(super) fn new(id: u64, stream: usize) -> Delayer {
        Delayer {
            id,
            stream,
            next: 0,
            sent: BTreeMap::new(),
            tickets: BTreeMap::new(),
        }
    }

    /// Asks for a new message, again for those before, and takes one back.
    pub(super) fn requests(
        &mut self,
        now_ms: u64,
        ledger: &mut Ledger,
        rng: &mut Rng,
    ) -> Vec<Request> {
        self.sent.retain(|_, first| now_ms < *first + PATIENCE_MS);
        if self.sent.len() < 8 {
            self.sent.insert(self.next, now_ms);
            self.next += 1;
        }
        let again = self.sent.keys().copied().filter(|_| rng.once_in(2));
        let numbers: Vec<u64> = again.collect();
        let mut requests: Vec<Request> = numbers
            .into_iter()
            .map(|number| self.delay(number))
            .collect();
        let some = rng.below(self.next);
        if let Some(ticket) = self.tickets.get(&some).filter(|_| rng.once_in(3)) {
            ledger.streams[self.stream].ask_take_back(self.message(some));
            let words = ["XUNDELAY", &name_of(self.stream), ticket];
            requests.push(Request::new(&words, Purpose::Undelay(self.message(some))));
        }
        requests
    }

    fn message(&self, number: u64) -> Message {
        Message {
            producer: PRODUCERS * (1 + self.id) + number,
            number,
        }
    }

    /// The same message waits as long, whenever it is asked for.
    fn delay(&self, number: u64) -> Request {
        let message = self.message(number);
        let delay_ms = [0, 50, 700, 3000, 20_000][(number % 5) as usize];
        let (key, pid) = (name_of(self.stream), format!("delayer-{}", self.id));
        let [producer, number, delay] = [message.producer, number, delay_ms].map(|n| n.to_string());
        let words = [
            "XADD", &key, "IDMP", &pid, &number, "REPORT", "DELAY", &delay, "*", "p", &producer,
            "n", &number,
        ];
        Request::new(&words, Purpose::Delay(message))
    }

    /// What became of a message: it got a ticket, or had one, or was appended, or was taken back.
    pub(super) fn answered(
        &mut self,
        message: Message,
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        if matches!(answer, Answer::Error(error) if error.starts_with("MISCONF")) {
            return Ok(());
        }
        let Some([what, Answer::Text(outcome)]) = answer.list() else {
            bail!("no report: {answer:?}");
        };
        let stream = &mut ledger.streams[self.stream];
        match (outcome.as_slice(), what) {
            (b"delayed" | b"duplicate", Answer::Text(text)) if text.starts_with(b"@") => {
                let ticket = String::from_utf8(text.clone())?;
                let known = self.tickets.insert(message.number, ticket.clone());
                ensure!(
                    known.is_none_or(|known| known == ticket && outcome == b"duplicate"),
                    "{message:?} has two tickets"
                );
                counts.delayed += u64::from(outcome == b"delayed");
                stream.was_delayed(message, due_ms(&ticket)?)
            }
            (b"duplicate", id) => {
                let id = id.id().context("no ID")?;
                stream.appended(message, id)
            }
            (b"cancelled", Answer::Null) => stream.was_taken_back(message),
            _ => bail!("a delayed append is answered {answer:?}"),
        }
    }

    /// Whether it was taken back: if not, it was appended, or had been taken back before.
    pub(super) fn undelay_answered(
        &self,
        message: Message,
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        match answer.number() {
            Some(1) => {
                counts.undelayed += 1;
                ledger.streams[self.stream].was_taken_back(message)
            }
            _ => Ok(()),
        }
    }
}

/// The time in a ticket.
fn due_ms(ticket: &str) -> Result<u64> {
    let due = ticket
        .strip_prefix('@')
        .and_then(|text| text.split_once('-'));
    Ok(due.context("no ticket")?.0.parse()?)
}
