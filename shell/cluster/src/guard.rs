//! Looking after a log beside the driver: whether those who keep it still can be trusted, and
//! whether all of it is still what it was.
//!
//! What was checked when the log was opened may change: a server is restarted with other settings,
//! or somebody edits the stream. That is an alarm and no end: what is acknowledged until then is as
//! good as it was, and a group that ends serves nobody. A record that is missing or wrong is
//! different. It is noticed when somebody needs it, which may be too late; so a follower reads the
//! whole log again and again, slowly ([`Pass`]).

use std::io;
use std::time::Duration;

use replication::{Position, Seq, Stop, StopReason};
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::config::ServiceConfig;
use crate::limits::{CHECK_EVERY, QUESTION_TIMEOUT, VERIFY_PAUSE};
use crate::opening;
use crate::pass::{Pass, Step};

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
            match Pass::begin(self.config, |log| ward.beginning(log.first)).await {
                Ok((_, pass)) => self.pass = pass,
                Err(error) => debug!(%error, "the log cannot be verified now"),
            }
            if self.pass.is_none() {
                self.at = now + QUESTION_TIMEOUT;
            }
            return Ok(());
        };
        let (read, step) = pass.step(&mut |odd| ward.replica_differs(odd)).await;
        drop(read);
        let pause = match step {
            Ok(Step::More(bytes)) => {
                let millis = bytes.saturating_mul(1000) / self.bytes_per_s;
                Duration::from_millis(millis)
            }
            Ok(Step::Later) => QUESTION_TIMEOUT,
            Ok(Step::End) => {
                ward.verified(pass.at().seq);
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
            ward.verified(pass.at().seq);
        }
        self.at = now + pause;
        Ok(())
    }
}
