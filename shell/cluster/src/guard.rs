//! Looking after a log beside the driver: whether those who keep it still can be trusted, and
//! whether all of it is still what it was.
//!
//! What was checked when the log was opened may change: a server is restarted with other settings,
//! or somebody edits the stream. That is an alarm and no end: what is acknowledged until then is as
//! good as it was, and a group that ends serves nobody. A record that is missing or wrong is
//! different. It is noticed when somebody needs it, which may be too late; so a follower reads the
//! whole log again and again, slowly, and judges it as everybody does ([`Reader`]).

use std::io;
use std::time::Duration;

use replication::{Event, Position, Read, Reader, Seq, Source, Stop, StopReason, Ticket};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use crate::config::ServiceConfig;
use crate::error::OpenError;
use crate::limits::{
    BYTES_PER_READ, CHECK_EVERY, QUESTION_TIMEOUT, RECORDS_PER_READ, VERIFY_PAUSE, VERIFY_SHORTFALL,
};
use crate::opening;
use crate::service::LogService;

/// Who has a log watched.
pub trait Ward: Send {
    /// Returns whether nobody wants to know any more.
    fn is_over(&self) -> bool;

    /// Returns whether the log is to be verified now: this node follows.
    fn may_verify(&self) -> bool;

    /// Where to begin, if the log begins at this record: at its start, or at a snapshot. `None` if
    /// there is none that fits.
    fn beginning(&self, first: Seq) -> Option<Position>;

    /// Takes note of what is wrong with those who keep the log; `None` if nothing is.
    fn alarm(&self, what: Option<String>);

    /// Takes note that one replica gives another record than the others.
    fn replica_differs(&self, stop: &Stop);

    /// Takes note that the log is whole up to here.
    fn verified(&self, up_to: Seq);

    /// The log is not what it must be.
    fn broken(&self, stop: Stop);
}

/// Watches a log until nobody wants to know any more, or it is broken. Reads at most so many bytes
/// a second; with 0, nothing is verified.
///
/// # Errors
/// The system does not give what a connection needs.
pub fn watch(config: &ServiceConfig, bytes_per_s: u64, ward: &dyn Ward) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut check_at = Instant::now() + CHECK_EVERY;
        let mut verification = Verification::new(config, bytes_per_s);
        while !ward.is_over() {
            if Instant::now() >= check_at {
                check_at = Instant::now() + CHECK_EVERY;
                check(config, ward).await;
            }
            if let Err(stop) = verification.go_on(ward).await {
                ward.broken(stop);
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    });
    Ok(())
}

/// How often the owner is asked what to do.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Asks again what was asked when the log was opened.
async fn check(config: &ServiceConfig, ward: &dyn Ward) {
    match opening::check_again(config).await {
        Ok(()) => ward.alarm(None),
        Err(error) if error.is_alarming() => ward.alarm(Some(error.to_string())),
        // Who is away has nothing to say; that the log does not answer is noticed by others.
        Err(error) => debug!(%error, "those who keep the log cannot be asked"),
    }
}

/// Reads a log again and again.
struct Verification<'a> {
    config: &'a ServiceConfig,
    bytes_per_s: u64,
    pass: Option<Pass>,
    /// When the next step is due.
    at: Instant,
}

/// One time through the log.
struct Pass {
    service: LogService,
    reader: Reader,
    tickets: u64,
    /// Since when the log has not given its next record.
    odd_since: Option<Instant>,
}

/// What came of a few records.
enum Step {
    /// This many bytes were read, and there is more.
    More(u64),
    /// That is all there is.
    End,
    /// There is no answer now, or one that may be old.
    Later,
}

impl<'a> Verification<'a> {
    fn new(config: &'a ServiceConfig, bytes_per_s: u64) -> Verification<'a> {
        Verification {
            config,
            bytes_per_s,
            pass: None,
            at: Instant::now(),
        }
    }

    /// Does a step, if one is due.
    async fn go_on(&mut self, ward: &dyn Ward) -> Result<(), Stop> {
        let now = Instant::now();
        if self.bytes_per_s == 0 || now < self.at {
            return Ok(());
        }
        if !ward.may_verify() {
            self.pass = None;
            return Ok(());
        }
        let Some(pass) = &mut self.pass else {
            match begin(self.config, ward).await {
                Ok(pass) => self.pass = pass,
                Err(error) => debug!(%error, "the log cannot be verified now"),
            }
            if self.pass.is_none() {
                self.at = now + QUESTION_TIMEOUT;
            }
            return Ok(());
        };
        let pause = match pass.step(ward).await {
            Ok(Step::More(bytes)) => {
                let millis = bytes.saturating_mul(1000) / self.bytes_per_s;
                Duration::from_millis(millis)
            }
            Ok(Step::Later) => QUESTION_TIMEOUT,
            Ok(Step::End) => {
                ward.verified(pass.reader.at().seq);
                self.pass = None;
                VERIFY_PAUSE
            }
            // It was trimmed meanwhile.
            Err(stop) if matches!(stop.reason, StopReason::Trimmed { .. }) => {
                self.pass = None;
                QUESTION_TIMEOUT
            }
            Err(stop) => return Err(stop),
        };
        if let Some(pass) = &self.pass {
            ward.verified(pass.reader.at().seq);
        }
        self.at = now + pause;
        Ok(())
    }
}

/// Begins at the front of the log; `None` if there is nothing to begin with.
async fn begin(config: &ServiceConfig, ward: &dyn Ward) -> Result<Option<Pass>, OpenError> {
    let (service, first) = LogService::beside(config).await?;
    let beginning = ward.beginning(first);
    Ok(beginning.map(|at| Pass {
        service,
        reader: Reader::new(at, None),
        tickets: 0,
        odd_since: None,
    }))
}

impl Pass {
    /// Reads what one question brings. What any replica has is believed if it is good; otherwise
    /// the leader of the log is asked.
    async fn step(&mut self, ward: &dyn Ward) -> Result<Step, Stop> {
        let before = self.reader.clone();
        let odd = match self.read(Source::Any).await {
            Err(stop) if !matches!(stop.reason, StopReason::Trimmed { .. }) => stop,
            other => return other,
        };
        warn!(%odd, "a record is read again");
        self.reader = before;
        let confirmed = self.read(Source::Leader).await;
        match &confirmed {
            Ok(Step::Later) => {}
            Ok(Step::More(_) | Step::End) => ward.replica_differs(&odd),
            Err(stop) => warn!(%stop, "and it is the same again"),
        }
        confirmed
    }

    async fn read(&mut self, source: Source) -> Result<Step, Stop> {
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
                    self.reader.read(seq, trimmed_to, &bytes)?;
                    self.odd_since = None;
                    records += 1;
                    read_bytes += bytes.len() as u64;
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
