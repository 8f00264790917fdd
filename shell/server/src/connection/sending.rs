//! Replies on their way out: at once where they may leave and the socket takes them, else kept in order.
//!
//! What waits is counted, whatever it waits for, and bounded by `client-output-buffer-limit`. Bytes that are only
//! referred to count in full: while the reply waits, a write may make it the only one that still has them.

use std::io;

use engine::config::OutputLimits;
use engine::node::{Delivery, Then};
use engine::{Lsn, Mono};
use journal::{Gate, Poisoned};
use resp::Rope;

use super::{Connection, Phase};
use crate::limits::{PUSHED_BYTES_MAX, SEND_BYTES, UNTOLD_BYTES_MAX};

/// What becomes of replies that were to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The socket has them.
    All,
    /// They wait for this batch.
    Held(Lsn),
    /// They wait for the socket.
    Stuck,
    /// The socket has taken much and may take more, once others had their turn.
    Some,
}

/// Replies that could not leave at once.
#[derive(Debug, Default)]
pub(super) struct Output {
    rope: Rope,
    /// The batch that must be durable before the rest leaves.
    depends_on: Lsn,
    /// What may wait, by the settings.
    pub(super) limits: OutputLimits,
    /// Whether the socket took less than it was offered.
    is_stuck: bool,
    /// Until when more than the soft limit may wait; none while less does.
    patience: Option<Mono>,
    /// How many waiting bytes the engine knows of.
    told_bytes: usize,
}

impl Connection {
    /// Whether its socket takes no replies.
    pub(crate) fn is_stuck(&self) -> bool {
        self.output.is_stuck
    }

    /// Until when it may go on taking no replies, if that is bounded.
    pub(crate) fn patience(&self) -> Option<Mono> {
        self.output.patience
    }

    /// Takes what others have for the client.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn take(&mut self, delivery: Delivery, gate: Option<&Gate>) -> io::Result<Sent> {
        match delivery.then {
            Then::Continue => {}
            Then::Resume if self.phase == Phase::Waiting => self.phase = Phase::Reading,
            Then::Resume => {}
            // Nobody knows when it would take what is left for it.
            Then::Close if self.is_stuck() => return Err(io::ErrorKind::ConnectionAborted.into()),
            Then::Close => self.phase = Phase::Closing,
        }
        let sent = self.send_rope(delivery.bytes, delivery.depends_on, gate)?;
        if sent == Sent::Stuck && self.output.rope.len() > PUSHED_BYTES_MAX {
            return Err(io::Error::other(
                "the client does not take what others send it",
            ));
        }
        Ok(sent)
    }

    /// Sends bytes behind those that are on their way, if what they depend on is durable; else they are kept.
    ///
    /// # Errors
    /// The connection is lost, or too much waits for it.
    #[inline]
    pub(crate) fn send(
        &mut self,
        bytes: &[u8],
        depends_on: Lsn,
        gate: Option<&Gate>,
    ) -> io::Result<Sent> {
        if !self.output.is_empty() {
            self.output.rope.push(bytes);
            return self.send_later(depends_on);
        }
        if bytes.is_empty() {
            return Ok(Sent::All);
        }
        if gate.is_some_and(|gate| !gate.is_open_for(journal_lsn(depends_on))) {
            self.output.rope.push(bytes);
            self.output.depends_on = depends_on;
            return self.hold();
        }
        match self.socket.send(bytes) {
            Ok(len) => {
                self.io.sent_bytes += len as u64;
                if len == bytes.len() {
                    return Ok(Sent::All);
                }
                self.output.rope.push(&bytes[len..]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.output.rope.push(bytes);
            }
            Err(error) => return Err(error),
        }
        self.output.depends_on = Lsn::NONE;
        self.get_stuck()
    }

    /// The same for replies that were not copied together.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn send_rope(
        &mut self,
        rope: Rope,
        depends_on: Lsn,
        gate: Option<&Gate>,
    ) -> io::Result<Sent> {
        let is_first = self.output.is_empty();
        self.output.rope.append(rope);
        if !is_first {
            return self.send_later(depends_on);
        }
        self.output.depends_on = depends_on;
        match self.flush(gate)? {
            Sent::Held(_) => self.hold(),
            sent => Ok(sent),
        }
    }

    fn send_later(&mut self, depends_on: Lsn) -> io::Result<Sent> {
        self.output.depends_on = self.output.depends_on.max(depends_on);
        if self.is_stuck() {
            self.get_stuck()
        } else {
            self.hold()
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
        let mut sent_bytes = 0;
        while !output.is_empty() {
            if sent_bytes >= SEND_BYTES {
                return Ok(Sent::Some);
            }
            output.rope.prepare();
            match self.socket.send_all_of(output.rope.segments()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => {
                    self.io.sent_bytes += len as u64;
                    sent_bytes += len;
                    output.rope.advance(len);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.get_stuck();
                }
                Err(error) => return Err(error),
            }
        }
        output.is_stuck = false;
        output.patience = None;
        if output.told_bytes > 0 {
            self.tell_waiting(0);
        }
        Ok(Sent::All)
    }

    /// What is there waits for the log.
    fn hold(&mut self) -> io::Result<Sent> {
        self.check_waiting()?;
        Ok(Sent::Held(self.output.depends_on))
    }

    /// The socket took less than it was offered.
    fn get_stuck(&mut self) -> io::Result<Sent> {
        self.output.is_stuck = true;
        self.check_waiting()?;
        Ok(Sent::Stuck)
    }

    /// More than so much must not wait.
    fn check_waiting(&mut self) -> io::Result<()> {
        let waiting = self.output.rope.len();
        let told = self.output.told_bytes;
        let is_news = waiting > told.saturating_mul(2) || waiting < told / 2;
        if is_news && (waiting > UNTOLD_BYTES_MAX || self.output.is_stuck) {
            self.tell_waiting(waiting);
        }
        let limits = self.output.limits;
        if limits.is_above_hard(waiting) {
            return Err(self.end_for_output());
        }
        let before = self.output.patience;
        self.output.patience = limits.is_above_soft(waiting).then(|| {
            let soft_ms = limits.soft_s.saturating_mul(1000);
            before.unwrap_or_else(|| self.shard.clock.now().mono.plus(soft_ms))
        });
        Ok(())
    }

    /// The client takes its replies too slowly, or asks for too much at once. It is counted and told.
    pub(crate) fn end_for_output(&mut self) -> io::Error {
        let shell = &mut self.shard.lock().engine.node.shell;
        shell.output_limit_disconnections += 1;
        tracing::warn!(
            client = self.session.client,
            waiting = self.output.rope.len(),
            "a client is disconnected: more waits for it than client-output-buffer-limit allows"
        );
        io::Error::other("too much waits for the client")
    }

    /// Tells the engine how much waits, and learns how much may by now.
    fn tell_waiting(&mut self, bytes: usize) {
        self.output.told_bytes = bytes;
        self.io.output_bytes = bytes;
        let mut state = self.shard.lock();
        state.engine.set_io_figures(self.session, self.io);
        self.output.limits = state.engine.node.config.output_limits;
    }
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.rope.is_empty()
    }
}

/// An LSN of the engine as the journal knows it.
fn journal_lsn(lsn: Lsn) -> journal::Lsn {
    journal::Lsn::new(lsn.0)
}
