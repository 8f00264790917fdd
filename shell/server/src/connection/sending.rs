//! Replies on their way out: at once where they may leave and the socket takes them, else kept in order.

use std::io;

use engine::config::OutputLimits;
use engine::node::{Delivery, Then};
use engine::{Lsn, Mono};
use journal::{Gate, Poisoned};

use super::{Connection, Phase};
use crate::limits::{KEPT_BYTES_MAX, PUSHED_BYTES_MAX};

/// What becomes of replies that were to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The socket has them.
    All,
    /// They wait for this batch.
    Held(Lsn),
    /// They wait for the socket.
    Stuck,
}

/// Replies that could not leave at once.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// How many of them were sent.
    sent: usize,
    /// The batch that must be durable before the rest leaves.
    depends_on: Lsn,
    /// Since the socket took less than it was offered.
    stuck: Option<Stuck>,
}

/// What a client may do that takes no replies.
#[derive(Debug, Clone, Copy)]
struct Stuck {
    limits: OutputLimits,
    /// Until when more than the soft limit may wait; none while less does.
    patience: Option<Mono>,
}

impl Connection {
    /// Whether its socket takes no replies.
    pub(crate) fn is_stuck(&self) -> bool {
        self.output.stuck.is_some()
    }

    /// Until when it may go on taking no replies, if that is bounded.
    pub(crate) fn patience(&self) -> Option<Mono> {
        self.output.stuck?.patience
    }

    /// Takes what others have for the client.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn take(&mut self, delivery: &Delivery, gate: Option<&Gate>) -> io::Result<Sent> {
        match delivery.then {
            Then::Continue => {}
            Then::Resume if self.phase == Phase::Waiting => self.phase = Phase::Reading,
            Then::Resume => {}
            // Nobody knows when it would take what is left for it.
            Then::Close if self.is_stuck() => return Err(io::ErrorKind::ConnectionAborted.into()),
            Then::Close => self.phase = Phase::Closing,
        }
        let sent = self.send(&delivery.bytes, delivery.depends_on, gate)?;
        if sent == Sent::Stuck && self.output.waiting() > PUSHED_BYTES_MAX {
            return Err(io::Error::other(
                "the client does not take what others send it",
            ));
        }
        Ok(sent)
    }

    /// Sends bytes behind those that are on their way, if what they depend on is durable; else they are kept.
    ///
    /// # Errors
    /// The connection is lost, or the client takes no replies and too many wait for it.
    #[inline]
    pub(crate) fn send(
        &mut self,
        bytes: &[u8],
        depends_on: Lsn,
        gate: Option<&Gate>,
    ) -> io::Result<Sent> {
        if !self.output.is_empty() {
            return self.send_later(bytes, depends_on);
        }
        if bytes.is_empty() {
            return Ok(Sent::All);
        }
        if gate.is_some_and(|gate| !gate.is_open_for(journal_lsn(depends_on))) {
            self.output.depends_on = depends_on;
            self.output.bytes.extend_from_slice(bytes);
            return Ok(Sent::Held(depends_on));
        }
        match self.socket.send(bytes) {
            Ok(len) => {
                self.io.sent_bytes += len as u64;
                if len == bytes.len() {
                    return Ok(Sent::All);
                }
                self.output.bytes.extend_from_slice(&bytes[len..]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.output.bytes.extend_from_slice(bytes);
            }
            Err(error) => return Err(error),
        }
        self.get_stuck()
    }

    fn send_later(&mut self, bytes: &[u8], depends_on: Lsn) -> io::Result<Sent> {
        self.output.bytes.extend_from_slice(bytes);
        self.output.depends_on = self.output.depends_on.max(depends_on);
        if self.is_stuck() {
            self.get_stuck()
        } else {
            Ok(Sent::Held(self.output.depends_on))
        }
    }

    /// Sends what was kept, now that it may leave, or that the socket has room.
    ///
    /// # Errors
    /// As [`Connection::send`]; also if the log failed, and nobody can say whether the replies are true.
    pub(crate) fn flush(&mut self, gate: Option<&Gate>) -> io::Result<Sent> {
        let output = &mut self.output;
        if output.is_empty() {
            return Ok(Sent::All);
        }
        match gate.map_or(Some(Ok(())), |gate| {
            gate.answer(journal_lsn(output.depends_on))
        }) {
            Some(Ok(())) => {}
            Some(Err(Poisoned)) => return Err(io::Error::other(Poisoned)),
            // Where something that must wait came behind what is stuck, all of it waits for both.
            None => return Ok(Sent::Held(output.depends_on)),
        }
        while let Some(rest) = output.bytes.get(output.sent..)
            && !rest.is_empty()
        {
            match self.socket.send(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => {
                    self.io.sent_bytes += len as u64;
                    output.sent += len;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.get_stuck();
                }
                Err(error) => return Err(error),
            }
        }
        output.sent = 0;
        output.bytes.clear();
        output.bytes.shrink_to(KEPT_BYTES_MAX);
        if output.stuck.take().is_some() {
            self.note_unsent(0);
        }
        Ok(Sent::All)
    }

    /// The socket took less than it was offered: more than so much must not wait for it.
    fn get_stuck(&mut self) -> io::Result<Sent> {
        let waiting = self.output.waiting();
        let limits = match self.output.stuck {
            Some(stuck) => stuck.limits,
            None => self.note_unsent(waiting),
        };
        if limits.hard_bytes > 0 && waiting as u64 > limits.hard_bytes {
            return Err(io::Error::other("the client takes no replies"));
        }
        let before = self.output.stuck.and_then(|stuck| stuck.patience);
        let is_soft = limits.soft_bytes == 0 || waiting as u64 <= limits.soft_bytes;
        let patience = (!is_soft).then(|| {
            let soft_ms = limits.soft_s.saturating_mul(1000);
            before.unwrap_or_else(|| self.shard.clock.now().mono.plus(soft_ms))
        });
        self.output.stuck = Some(Stuck { limits, patience });
        Ok(Sent::Stuck)
    }

    /// Tells how much the socket did not take. What may wait, by the settings.
    fn note_unsent(&mut self, bytes: usize) -> OutputLimits {
        self.io.output_bytes = bytes;
        let mut state = self.shard.lock();
        state.engine.set_io_figures(self.session, self.io);
        state.engine.node.config.output_limits
    }
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes wait.
    fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }
}

/// An LSN of the engine as the journal knows it.
fn journal_lsn(lsn: Lsn) -> journal::Lsn {
    journal::Lsn::new(lsn.0)
}
