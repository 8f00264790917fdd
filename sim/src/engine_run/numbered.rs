//! A writer of a stream whose iids are numbers: it sends each number until it is told that it is
//! there, and then the next one. It looks where it stands, and counts what is in its stream.
//!
//! The stream knows few producers. Now and then another one appends there, once for each number at
//! most, so the writer is never the one that was active longest ago, and has to stay known.

use anyhow::{Context, Result, bail, ensure};
use stream::StreamId;

use super::Bug;
use super::counts::Counts;
use super::request::{Number, Purpose, Request};
use crate::answer::Answer;
use crate::rng::Rng;

/// The writer of one stream.
pub(super) struct Numbered {
    key: String,
    /// `IDMP-PIDS`, which a planted bug changes.
    producers_max: i64,
    /// Its stream was told that iids are numbers.
    is_set_up: bool,
    /// The last number that was sent.
    sent: u64,
    /// The last one of which it was told that it is there, and its entry.
    reached: Option<(u64, StreamId)>,
    /// The number that it had reached when another producer appended last.
    visited_at: u64,
    /// Entries of other producers that were sent, and those that are known to be there.
    visits: (u64, u64),
}

/// How many producers the stream knows.
const PRODUCERS_MAX: i64 = 2;

impl Numbered {
    pub(super) fn new(id: u64, bug: Option<Bug>) -> Numbered {
        Numbered {
            key: format!("numbered:{id}"),
            producers_max: match bug {
                Some(Bug::ProducersUncapped) => 0,
                _ => PRODUCERS_MAX,
            },
            is_set_up: false,
            sent: 0,
            reached: None,
            visited_at: 0,
            visits: (0, 0),
        }
    }

    pub(super) fn requests(&mut self, rng: &mut Rng) -> Vec<Request> {
        let key = self.key.clone();
        let about = |words: &[&str], number| Request::new(words, Purpose::Numbered(number));
        if !self.is_set_up {
            let make = ["XGROUP", "CREATE", &key, "g", "0", "MKSTREAM"];
            let tell = [
                "XCFGSET",
                &key,
                "IDMP-MODE",
                "MONOTONE",
                "IDMP-GAPS",
                "ERROR",
                "IDMP-PIDS",
                &self.producers_max.to_string(),
            ];
            return vec![
                Request::new(&make, Purpose::Any),
                about(&tell, Number::SetUp),
            ];
        }
        let reached = self.reached.map_or(0, |(number, _)| number);
        self.sent = self.sent.max(reached + 1);
        let append = |number: u64, purpose| {
            let text = number.to_string();
            let words = ["XADD", &key, "IDMP", "w", &text, "*", "n", &text];
            about(&words, purpose)
        };
        let mut requests = vec![append(self.sent, Number::Append(self.sent))];
        if reached > 1 && rng.once_in(3) {
            requests.push(append(reached - 1, Number::Stale));
        }
        if rng.once_in(3) {
            requests.push(append(self.sent + 2, Number::Gap));
        }
        if reached > self.visited_at && rng.once_in(2) {
            self.visited_at = reached;
            self.visits.0 += 1;
            let visitor = format!("visitor:{reached}");
            let visit = ["XADD", &key, "IDMP", &visitor, "1", "*", "n", "0"];
            requests.push(about(&visit, Number::Visit));
            requests.push(about(&["XINFO", "STREAM", &key], Number::Known));
        }
        if rng.once_in(2) {
            requests.push(about(&["XIDMPLAST", &key, "w"], Number::Last));
            requests.push(about(&["XLEN", &key], Number::Len));
        }
        requests
    }

    pub(super) fn answered(
        &mut self,
        number: Number,
        answer: &Answer,
        counts: &mut Counts,
    ) -> Result<()> {
        if matches!(answer, Answer::Error(error) if error.starts_with("MISCONF")) {
            return Ok(());
        }
        let reached = self.reached.map_or(0, |(number, _)| number);
        match number {
            Number::SetUp => {
                self.is_set_up |= !matches!(answer, Answer::Error(_));
                Ok(())
            }
            Number::Append(number) => self.told(number, answer.id().context("no ID")?),
            Number::Stale => match answer {
                Answer::Error(error) if error.starts_with("IDMPSTALE") => {
                    counts.stale += 1;
                    Ok(())
                }
                _ => bail!("a lower number is answered {answer:?}"),
            },
            Number::Gap => match answer {
                Answer::Error(error) if error.starts_with("IDMPGAP") => Ok(()),
                _ => bail!("a number too high is answered {answer:?}"),
            },
            Number::Last => match answer {
                Answer::List(last) => {
                    let [Answer::Text(number), id] = &last[..] else {
                        bail!("no number and ID: {answer:?}");
                    };
                    let number = std::str::from_utf8(number)?.parse()?;
                    self.told(number, id.id().context("no ID")?)
                }
                _ => {
                    ensure!(reached == 0, "{reached} is forgotten");
                    Ok(())
                }
            },
            Number::Visit => {
                answer.id().context("no ID")?;
                self.visits.1 += 1;
                counts.visits += 1;
                Ok(())
            }
            Number::Known => {
                let told = answer.list().context("no list")?;
                let is_name = |name: &[Answer]| name[0] == Answer::Text(b"pids-tracked".to_vec());
                let known = told.chunks_exact(2).find(|name| is_name(name));
                let known = known.and_then(|pair| pair[1].number());
                let known = known.context("no number of producers")?;
                ensure!(known <= PRODUCERS_MAX, "{known} producers are known");
                Ok(())
            }
            Number::Len => {
                let len = answer.number().context("no length")?;
                let (visits_sent, visits) = self.visits;
                let expected = (reached + visits) as i64..=(self.sent + visits_sent) as i64;
                ensure!(expected.contains(&len), "{len} entries, not {expected:?}");
                Ok(())
            }
        }
    }

    /// A number is there, as this entry.
    fn told(&mut self, number: u64, id: StreamId) -> Result<()> {
        let reached = self.reached.map_or(0, |(number, _)| number);
        ensure!(
            (reached..=self.sent).contains(&number),
            "{number} was reached, and {reached} before"
        );
        let is_same = self
            .reached
            .is_none_or(|known| known.0 != number || known.1 == id);
        ensure!(is_same, "{number} is {id}, and was {:?}", self.reached);
        self.reached = Some((number, id));
        Ok(())
    }
}
