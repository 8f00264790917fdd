//! One time through a log: each record is read and judged as everybody judges it ([`Reader`]).
//!
//! What any replica has is believed if it is good; otherwise the leader of the log is asked.

use replication::{Event, Position, Read, Reader, Seq, Source, Stop, StopReason, Ticket, Verdict};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::config::ServiceConfig;
use crate::error::OpenError;
use crate::limits::{BYTES_PER_READ, QUESTION_TIMEOUT, RECORDS_PER_READ, VERIFY_SHORTFALL};
use crate::service::LogService;

/// The records that a log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The first one; behind the last one if there is none.
    pub first: Seq,
    /// The last one.
    pub last: Seq,
}

/// A record that is what it must be.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where the reader is behind it.
    pub at: Position,
    /// What it is.
    pub verdict: Verdict,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A reader of a log that has not come to its end.
pub(crate) struct Pass {
    service: LogService,
    reader: Reader,
    /// The last record that there was when it began: the end of the log is not before that.
    last: Seq,
    tickets: u64,
    /// Since when the log has not given its next record.
    odd_since: Option<Instant>,
}

/// What came of a few records.
pub(crate) enum Step {
    /// This many bytes were read, and there is more.
    More(u64),
    /// That is all there is.
    End,
    /// There is no answer now, or one that may be old.
    Later,
}

impl Pass {
    /// Begins where `beginning` says; `None` if that is nowhere. Returns what the log has, too.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(crate) async fn begin(
        config: &ServiceConfig,
        beginning: impl FnOnce(Bounds) -> Option<Position>,
    ) -> Result<(Bounds, Option<Pass>), OpenError> {
        let (service, bounds) = LogService::beside(config).await?;
        let pass = beginning(bounds).map(|at| Pass {
            service,
            reader: Reader::new(at, None),
            last: bounds.last,
            tickets: 0,
            odd_since: None,
        });
        Ok((bounds, pass))
    }

    /// How far it is.
    pub(crate) fn at(&self) -> &Position {
        self.reader.at()
    }

    /// The last position at which no group was begun.
    pub(crate) fn whole(&self) -> &Position {
        self.reader.whole()
    }

    /// Reads what one question brings: the records that are what they must be, and what came of the
    /// question. `differs` is told if one replica has something else than the others.
    pub(crate) async fn step(
        &mut self,
        differs: &mut dyn FnMut(&Stop),
    ) -> (Vec<Judged>, Result<Step, Stop>) {
        let before = self.reader.clone();
        let mut judged = Vec::new();
        let step = self.read(Source::Any, &mut judged).await;
        let odd = match step {
            Err(stop) if !matches!(stop.reason, StopReason::Trimmed { .. }) => stop,
            // The replica lags behind, or the last record is missing.
            Ok(Step::End) if self.reader.at().seq < self.last => {
                let step = self.read(Source::Leader, &mut judged).await;
                return (judged, step);
            }
            Ok(Step::More(_) | Step::End | Step::Later) | Err(_) => return (judged, step),
        };
        warn!(%odd, "a record is read again");
        self.reader = before;
        judged.clear();
        let confirmed = self.read(Source::Leader, &mut judged).await;
        match &confirmed {
            Ok(Step::Later) => {}
            Ok(Step::More(_) | Step::End) => differs(&odd),
            Err(stop) => warn!(%stop, "and it is the same again"),
        }
        (judged, confirmed)
    }

    async fn read(&mut self, source: Source, judged: &mut Vec<Judged>) -> Result<Step, Stop> {
        let from = self.reader.at().seq.next();
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.service.read(Read {
            ticket,
            from,
            source,
        });
        let (mut records, mut read_bytes) = (0, 0);
        while records < RECORDS_PER_READ && read_bytes < u64::from(BYTES_PER_READ) {
            match timeout(QUESTION_TIMEOUT, self.service.next()).await {
                Err(_) | Ok(Event::Unavailable) => return Ok(Step::Later),
                Ok(Event::Found {
                    ticket: of,
                    seq,
                    trimmed_to,
                    bytes,
                }) if of == ticket => {
                    let verdict = self.reader.read(seq, trimmed_to, &bytes)?;
                    self.odd_since = None;
                    records += 1;
                    read_bytes += bytes.len() as u64;
                    judged.push(Judged {
                        at: *self.reader.at(),
                        verdict,
                        bytes,
                    });
                }
                Ok(Event::End {
                    ticket: of,
                    last,
                    trimmed_to,
                }) if of == ticket => return self.ended(last, trimmed_to),
                Ok(_) => {}
            }
        }
        Ok(Step::More(read_bytes))
    }

    /// The log gives no more records. That is its end, unless it says that there are some.
    fn ended(&mut self, last: Seq, trimmed_to: Seq) -> Result<Step, Stop> {
        let seq = self.reader.at().seq.next();
        let stop = |reason| Err(Stop { seq, reason });
        if trimmed_to > seq {
            return stop(StopReason::Trimmed { first: trimmed_to });
        }
        if last < seq {
            return Ok(Step::End);
        }
        // Who leads the log may have just begun to.
        let since = *self.odd_since.get_or_insert_with(Instant::now);
        match since.elapsed() < VERIFY_SHORTFALL {
            true => Ok(Step::Later),
            false => stop(StopReason::Gap { found: last }),
        }
    }
}
