//! Reading all of a log at once, for an operator.
//!
//! The log is judged as nodes judge it, and so are those who keep it. Nothing is written, and nodes
//! that run are not disturbed.

use std::io;

use replication::{Position, Stop};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use crate::config::ServiceConfig;
use crate::error::OpenError;
use crate::limits::{READ_AGAIN, VERIFY_PATIENCE};
use crate::opening;
use crate::pass::{Bounds, Judged, Pass, Step};

/// How far a log can be read.
#[derive(Debug)]
pub struct LogReading {
    /// The records that it had when reading began.
    pub bounds: Bounds,
    /// Up to where it is whole. No group is begun there.
    pub whole: Position,
    /// Why it cannot be read further; `None` at its end.
    pub stop: Option<Stop>,
    /// What one replica has that the others have not.
    pub differing: Vec<Stop>,
}

/// Why a log was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to begin with.
    #[error(
        "the log begins at record {} only, and there is no snapshot that it follows",
        bounds.first
    )]
    NoBeginning {
        /// The records that it has.
        bounds: Bounds,
    },
    /// Nobody answers any more.
    #[error(
        "the log has not answered for {} s after record {}",
        VERIFY_PATIENCE.as_secs(),
        at.seq
    )]
    Silent {
        /// The last record that was read.
        at: Box<Position>,
    },
    /// The system gives what a connection needs not.
    #[error("the log cannot be read: {0}")]
    System(#[from] io::Error),
}

/// All that is wrong with those who keep a log, and with the stream that it is. Blocks until all
/// were asked.
///
/// # Errors
/// The system gives what a connection needs not.
pub fn faults(config: &ServiceConfig) -> io::Result<Vec<OpenError>> {
    Ok(runtime()?.block_on(opening::faults(config)))
}

/// Reads a log from where `beginning` says to its end, or until it is not what it must be. `each`
/// is told of each record that is. Blocks until that is done.
///
/// # Errors
/// [`VerifyError`]
pub fn verify(
    config: &ServiceConfig,
    beginning: impl FnOnce(Bounds) -> Option<Position>,
    each: &mut dyn FnMut(Bounds, Judged),
) -> Result<LogReading, VerifyError> {
    runtime()?.block_on(read(config, beginning, each))
}

async fn read(
    config: &ServiceConfig,
    beginning: impl FnOnce(Bounds) -> Option<Position>,
    each: &mut dyn FnMut(Bounds, Judged),
) -> Result<LogReading, VerifyError> {
    let (bounds, begun) = Pass::begin(config, beginning).await?;
    let mut pass = begun.ok_or(VerifyError::NoBeginning { bounds })?;
    let mut differing = Vec::new();
    let mut heard = Instant::now();
    let stop = loop {
        let differs = &mut |odd: &Stop| differing.push(*odd);
        let (judged, step) = pass.step(differs).await;
        if !judged.is_empty() {
            heard = Instant::now();
        }
        judged.into_iter().for_each(|record| each(bounds, record));
        match step {
            Ok(Step::More(_)) => {}
            Ok(Step::End) => break None,
            Ok(Step::Later) if heard.elapsed() < VERIFY_PATIENCE => sleep(READ_AGAIN).await,
            Ok(Step::Later) => {
                let at = Box::new(*pass.at());
                return Err(VerifyError::Silent { at });
            }
            Err(stop) => break Some(stop),
        }
    };
    Ok(LogReading {
        bounds,
        whole: *pass.whole(),
        stop,
        differing,
    })
}

pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
