//! A rewrite: a snapshot, written off the journal's thread, that becomes the new start of the log.
//!
//! [`Journal::begin_rewrite`](crate::Journal::begin_rewrite) marks the place, under the shard's
//! lock; the journal's thread switches to a new increment there. Meanwhile a background thread
//! waits for that, writes the state of that place into the [`Rewrite`], and finishes it. Dropping
//! the [`Rewrite`] before that gives it up, and the log is as it was.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use crate::commit::Event;
use crate::journal::Shared;
use crate::log::{Log, SnapshotError, SnapshotFormat, SnapshotSink, Trimmed};
use batch::Lsn;

/// A rewrite for which the journal prepares the log.
pub struct PendingRewrite<L: Log> {
    shared: Arc<Shared<L>>,
    begun: Receiver<Result<L::Sink, SnapshotError>>,
}

/// A snapshot in the making.
pub struct Rewrite<L: Log> {
    shared: Arc<Shared<L>>,
    sink: Option<L::Sink>,
    phase: Phase,
}

/// How far a rewrite is, which says what to do if it ends early, even by a panic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The snapshot is being written, and may be given up.
    Writing,
    /// It is the start of the log. What it replaces is being removed.
    Stored,
    /// There is nothing left to do here.
    Over,
}

impl<L: Log> PendingRewrite<L> {
    pub(crate) fn new(
        shared: Arc<Shared<L>>,
        begun: Receiver<Result<L::Sink, SnapshotError>>,
    ) -> Self {
        PendingRewrite { shared, begun }
    }

    /// Waits until the log has switched to a new increment, which takes a few syncs.
    ///
    /// # Errors
    /// [`SnapshotError`]; the rewrite has ended then.
    pub fn wait(self) -> Result<Rewrite<L>, SnapshotError> {
        let sink = self.begun.recv().map_err(|_| SnapshotError::GivenUp)??;
        Ok(Rewrite {
            shared: self.shared,
            sink: Some(sink),
            phase: Phase::Writing,
        })
    }
}

impl<L: Log> Rewrite<L> {
    /// The LSN of the last batch that the snapshot must include.
    pub fn at(&self) -> Lsn {
        self.sink.as_ref().map_or(Lsn::ZERO, SnapshotSink::at)
    }

    /// Makes what was written the start of the log, and removes what it replaces. Until this
    /// returns, a restart finds the old log, whole.
    ///
    /// # Errors
    /// [`SnapshotError`]; the log is as it was, without the snapshot.
    pub fn finish(mut self, format: SnapshotFormat) -> Result<(), SnapshotError> {
        let Some(sink) = self.sink.take() else {
            return Err(SnapshotError::GivenUp);
        };
        let snapshot = sink.finish(format).map_err(|fault| {
            self.give_up();
            SnapshotError::Failed(fault)
        })?;
        let (sender, stored) = mpsc::sync_channel(1);
        self.shared.replies.lock().stored = Some(sender);
        // Until the log has it, the journal's thread ends the rewrite if it fails.
        self.phase = Phase::Over;
        let sent = self.shared.backlog.send(Event::SnapshotWritten(snapshot));
        if sent.is_err() {
            return Err(self.closed_meanwhile());
        }
        let Ok(trimmed) = stored.recv() else {
            return Err(self.closed_meanwhile());
        };
        let trimmed = trimmed?;
        self.phase = Phase::Stored;
        trimmed.remove();
        self.end();
        Ok(())
    }

    /// The journal was closed, and nobody takes the snapshot.
    fn closed_meanwhile(&self) -> SnapshotError {
        self.shared.backlog.end_rewrite();
        SnapshotError::GivenUp
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        // After a close, the next start takes note.
        let _ = self.shared.backlog.send(Event::Trimmed);
        self.shared.backlog.end_rewrite();
    }

    fn give_up(&mut self) {
        self.phase = Phase::Over;
        let _ = self.shared.backlog.send(Event::SnapshotAbandoned);
        // Only now, because the next rewrite must find this one gone.
        self.shared.backlog.end_rewrite();
    }
}

impl<L: Log> Write for Rewrite<L> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            // Nobody would take the rest.
            Some(_) if self.shared.has_ended() => Err(io::Error::other(SnapshotError::GivenUp)),
            Some(sink) => sink.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<L: Log> Drop for Rewrite<L> {
    fn drop(&mut self) {
        match self.phase {
            Phase::Writing => {
                drop(self.sink.take());
                self.give_up();
            }
            Phase::Stored => self.end(),
            Phase::Over => {}
        }
    }
}
