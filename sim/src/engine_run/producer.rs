//! A producer: appends messages, each once, and repeats each request until it has been told that
//! the message is there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use super::Bug;
use super::counts::Counts;
use super::ledger::{Ledger, Message};
use super::numbered::Numbered;
use super::request::{Appends, Purpose, Request};
use super::setting::{IDEMPOTENCE_S, PATIENCE_MS};
use crate::answer::Answer;
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
    /// The last one that was acknowledged, with the time of its first attempt.
    last: Option<(u64, u64)>,
    /// All that were.
    acknowledged: BTreeSet<u64>,
    /// The latest epoch that it was given.
    epoch: i64,
    /// What its stream must have counted since it was told to; `None` if it was not.
    refusals: Option<Refusals>,
    /// What it writes into a stream of its own.
    pub(super) numbered: Numbered,
}

/// Appends of which a producer knows that they were refused.
#[derive(Clone, Copy, Default)]
struct Refusals {
    conflicts: i64,
    fenced: i64,
}

/// A message that was first sent less than this long ago is remembered by its stream, and its iid
/// may be used for another one to see that that is noticed. In milliseconds.
const SURELY_REMEMBERED_MS: u64 = PATIENCE_MS / 4;

impl Producer {
    pub(super) fn new(id: u64, stream: usize, bug: Option<Bug>) -> Producer {
        Producer {
            id,
            stream,
            next: 0,
            sent: BTreeMap::new(),
            last: None,
            acknowledged: BTreeSet::new(),
            epoch: 0,
            refusals: None,
            numbered: Numbered::new(id, bug),
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
        let together = self.names_iids() && rng.once_in(4);
        let mut requests: Vec<Request> = match together {
            true => vec![self.append_together(&numbers)],
            false => numbers.into_iter().map(|n| self.append(n)).collect(),
        };
        if self.names_iids() {
            requests.extend(rng.once_in(8).then(|| self.configure(rng)));
            let last = self.last.filter(|_| rng.once_in(4));
            let last = last.filter(|(_, first)| now_ms < first + SURELY_REMEMBERED_MS);
            requests.extend(last.map(|(number, _)| self.append_other(number)));
            requests.extend(rng.once_in(6).then(|| self.take_over()));
            requests.extend((self.epoch > 1 && rng.once_in(4)).then(|| self.append_fenced()));
            requests.extend(rng.once_in(6).then(|| self.look_at_counts(rng)));
            if rng.once_in(3) {
                requests.extend(self.numbered.requests(rng));
            }
        }
        requests
    }

    /// Half of them name their iids, have their streams compare messages, and ask what became of an
    /// append.
    fn names_iids(&self) -> bool {
        self.id.is_multiple_of(2)
    }

    /// Never remembers for less time than it began with.
    fn configure(&self, rng: &mut Rng) -> Request {
        let key = name_of(self.stream);
        let seconds = (IDEMPOTENCE_S + rng.below(3)).to_string();
        let words = match rng.below(4) {
            0 => vec!["XCFGSET", &key, "IDMP-CONFLICT", "ERROR"],
            1 => {
                let words = ["XCFGSET", &key, "IDMP-STATS", "ON"];
                return Request::new(&words, Purpose::CountProducers);
            }
            2 => vec!["XCFGSET", &key, "IDMP-DURATION", &seconds, "KEEPIDS"],
            _ => vec!["XCFGGET", &key],
        };
        Request::new(&words, Purpose::Any)
    }

    /// Another message with the iid of one that was acknowledged.
    fn append_other(&self, number: u64) -> Request {
        let (key, producer) = (name_of(self.stream), self.id);
        let (pid, number_text) = (self.name(), number.to_string());
        let words = [
            "XADD",
            &key,
            "IDMP",
            &pid,
            &number_text,
            "*",
            "p",
            "other",
            "n",
            "other",
        ];
        Request::new(&words, Purpose::AppendOther(Message { producer, number }))
    }

    /// Fences off whoever appends under another name of this producer: the messages above go on
    /// without an epoch.
    fn take_over(&self) -> Request {
        let key = name_of(self.stream);
        Request::new(&["XIDMPEPOCH", &key, &self.fenced_name()], Purpose::Epoch)
    }

    /// The name under which its messages are appended.
    fn name(&self) -> String {
        format!("p{}", self.id)
    }

    fn fenced_name(&self) -> String {
        format!("fenced-{}", self.id)
    }

    /// An append with an epoch that is not the latest one.
    fn append_fenced(&self) -> Request {
        let (key, name) = (name_of(self.stream), self.fenced_name());
        let epoch = (self.epoch - 1).to_string();
        let words = [
            "XADD", &key, "IDMP", &name, "i", "EPOCH", &epoch, "*", "p", "fenced", "n", "x",
        ];
        Request::new(&words, Purpose::Fenced)
    }

    fn look_at_counts(&self, rng: &mut Rng) -> Request {
        let key = name_of(self.stream);
        let (name, appends) = match rng.once_in(2) {
            true => (self.fenced_name(), Appends::Fenced),
            false => (self.name(), Appends::Messages),
        };
        let words = ["XINFO", "PRODUCERS", &key, "PID", &name];
        Request::new(&words, Purpose::Counted(appends))
    }

    pub(super) fn counts_from_now(&mut self, answer: &Answer) {
        if !matches!(answer, Answer::Error(_)) {
            self.refusals.get_or_insert_default();
        }
    }

    /// Each refusal that it was told of is counted, however often the server has crashed since.
    /// More may be, of which the replies were lost.
    pub(super) fn counted(
        &self,
        appends: Appends,
        answer: &Answer,
        counts: &mut Counts,
    ) -> Result<()> {
        let Some(refusals) = self.refusals else {
            return Ok(());
        };
        let (name, least) = match appends {
            Appends::Messages => ("conflicts", refusals.conflicts),
            Appends::Fenced => ("fenced", refusals.fenced),
        };
        let Some([_, Answer::List(producers)]) = answer.list() else {
            bail!("no producers: {answer:?}");
        };
        let fields = producers.first().and_then(Answer::list).unwrap_or_default();
        let (pairs, _) = fields.as_chunks::<2>();
        let is_it = |[field, _]: &&[Answer; 2]| *field == Answer::Text(name.into());
        let count = pairs.iter().find(is_it);
        let count = count.and_then(|[_, count]| count.number()).unwrap_or(0);
        ensure!(count >= least, "{name} is {count}, and was {least}");
        counts.counted += 1;
        Ok(())
    }

    /// An epoch is given out once, however often the server crashes.
    pub(super) fn given(&mut self, answer: &Answer) -> Result<()> {
        match answer {
            Answer::Error(error) if error.starts_with("MISCONF") => Ok(()),
            answer => {
                let epoch = answer.number().context("no epoch")?;
                ensure!(epoch > self.epoch, "epoch {epoch} after {}", self.epoch);
                self.epoch = epoch;
                Ok(())
            }
        }
    }

    /// A fenced append adds nothing.
    pub(super) fn fenced(&mut self, answer: &Answer, counts: &mut Counts) -> Result<()> {
        match answer {
            Answer::Error(error) if error.starts_with("IDMPFENCED") => {
                counts.fenced += 1;
                self.refusals.iter_mut().for_each(|known| known.fenced += 1);
                Ok(())
            }
            Answer::Error(error) if error.starts_with("MISCONF") => Ok(()),
            _ => bail!("a fenced append is answered {answer:?}"),
        }
    }

    /// What became of [`Producer::append_other`]: it is told apart, unless the stream did not
    /// compare messages when the first came. In no case is it added.
    pub(super) fn other_answered(
        &mut self,
        message: Message,
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        match answer {
            Answer::Error(error) if error.starts_with("IDMPCONFLICT") => {
                counts.conflicts += 1;
                let refusals = self.refusals.iter_mut();
                refusals.for_each(|known| known.conflicts += 1);
                Ok(())
            }
            Answer::Error(error) if error.starts_with("MISCONF") => Ok(()),
            Answer::Text(_) => {
                let id = answer.id().context("no ID")?;
                ledger.streams[self.stream].appended(message, id)
            }
            _ => bail!("another message is answered {answer:?}"),
        }
    }

    /// The same messages in one request, all of which are appended or none.
    fn append_together(&self, numbers: &[u64]) -> Request {
        let mut words = ["XADDM", &name_of(self.stream), "IDMP", &self.name()]
            .map(String::from)
            .to_vec();
        words.extend(["ENTRIES".to_owned(), numbers.len().to_string()]);
        for &number in numbers {
            let fields = self.fields(number);
            words.extend([number.to_string(), (fields.len() / 2).to_string()]);
            words.extend(fields);
        }
        let producer = self.id;
        let messages = numbers.iter().map(|&number| Message { producer, number });
        Request::new(&words, Purpose::AppendTogether(messages.collect()))
    }

    pub(super) fn answered_together(
        &mut self,
        messages: &[Message],
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        match answer {
            Answer::List(answers) => {
                ensure!(answers.len() == messages.len(), "answers to some only");
                counts.together += 1;
                let mut both = messages.iter().zip(answers);
                both.try_for_each(|(&message, it)| self.answered(message, it, ledger, counts))
            }
            Answer::Error(error) if error.starts_with("MISCONF") => {
                counts.refused += 1;
                Ok(())
            }
            _ => bail!("appends are answered {answer:?}"),
        }
    }

    /// The fields of a message. Some have many sectors, and a few of them fill a chunk, so that
    /// there is something to pack.
    fn fields(&self, number: u64) -> Vec<String> {
        let padding = match number % 16 {
            3 => 700,
            5 | 13 => 5000,
            _ => number % 7,
        };
        let padding = "x".repeat(padding as usize);
        let (producer, number) = (self.id.to_string(), number.to_string());
        ["p", &producer, "n", &number, "x", &padding]
            .map(String::from)
            .to_vec()
    }

    /// The same message gives the same request, whenever it is sent.
    fn append(&self, number: u64) -> Request {
        let mut words = vec!["XADD".to_owned(), name_of(self.stream)];
        if self.names_iids() {
            words.extend([
                "IDMP".to_owned(),
                self.name(),
                number.to_string(),
                "REPORT".to_owned(),
            ]);
        } else {
            words.extend(["IDMPAUTO".to_owned(), self.name()]);
        }
        words.push("*".to_owned());
        words.extend(self.fields(number));
        let producer = self.id;
        Request::new(&words, Purpose::Append(Message { producer, number }))
    }

    pub(super) fn answered(
        &mut self,
        message: Message,
        answer: &Answer,
        ledger: &mut Ledger,
        counts: &mut Counts,
    ) -> Result<()> {
        let id = match answer {
            Answer::List(report) => {
                let [id, Answer::Text(outcome)] = &report[..] else {
                    bail!("no report: {answer:?}");
                };
                let was_there = self.acknowledged.contains(&message.number);
                ensure!(
                    outcome == b"duplicate" || outcome == b"added" && !was_there,
                    "{message:?} was there, and is reported as {answer:?}"
                );
                id
            }
            answer => answer,
        };
        match id {
            Answer::Text(_) => {
                let id = id.id().context("no ID")?;
                self.acknowledged.insert(message.number);
                if let Some(first) = self.sent.remove(&message.number) {
                    counts.acknowledged += 1;
                    self.last = Some((message.number, first));
                }
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
