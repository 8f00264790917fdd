//! Replies on their way out: sent at once if they may leave and the socket takes them, otherwise
//! kept in order.
//!
//! What waits is counted, whatever it waits for, and bounded by `client-output-buffer-limit`. Bytes
//! that are only referred to count in full: while the reply waits, a write may leave it as their
//! only owner.

use std::io;

use engine::clients::delivery::{Delivery, Shared, Then};
use engine::config::OutputLimits;
use engine::error::CmdError;
use engine::{Lsn, Mono};
use journal::{Gate, NotDurable};
use resp::{Protocol, Reply, Rope};

use super::{Answers, Connection, Phase, Piece};
use crate::limits::{PUSHED_APART_BYTES_MIN, PUSHED_BYTES_MAX, SEND_BYTES, UNTOLD_BYTES_MAX};

/// What became of replies that were to be sent.
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

/// The state of a client that does not take all its replies at once.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// How much may wait, by the settings.
    pub(super) limits: OutputLimits,
    /// The socket took less than it was offered.
    is_stuck: bool,
    /// Until when the soft limit may be exceeded; `None` while it is not.
    soft_limit_at: Option<Mono>,
    /// How many of the waiting bytes others sent, at most.
    pushed: usize,
    /// How many bytes were gathered and are to be sent.
    gathered: usize,
    /// How many waiting bytes the engine has been told of.
    told_bytes: usize,
}

impl Connection {
    /// Returns whether its socket is full.
    pub(crate) fn is_stuck(&self) -> bool {
        self.waiting.is_stuck
    }

    /// Until when it may go without taking replies, if that is bounded.
    pub(crate) fn soft_limit_at(&self) -> Option<Mono> {
        self.waiting.soft_limit_at
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
            // It is unknown when it would take the rest.
            Then::Close
                if self.is_stuck()
                    || (delivery.bytes.is_empty() && self.output.is_on_its_way()) =>
            {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Then::Close => self.phase = Phase::Closing,
        }
        // What a client did not ask for is not a reply.
        let is_reply = delivery.then != Then::Continue && !delivery.bytes.is_empty();
        let depends_on = delivery.depends_on;
        let piece = Piece {
            len: delivery.bytes.len(),
            replies: usize::from(is_reply),
            depends_on,
        };
        let is_pushed = delivery.then == Then::Continue;
        let sent = if is_pushed && piece.len < PUSHED_APART_BYTES_MIN {
            let answers = Answers {
                bytes: &delivery.bytes.into_bytes(),
                pieces: &[piece],
                depends_on,
            };
            self.send(answers, gate)?
        } else {
            let ropes = std::iter::once((delivery.bytes, piece));
            self.send_ropes(ropes, depends_on, gate)?
        };
        if is_pushed {
            self.bound_pushed(piece.len)?;
        }
        Ok(sent)
    }

    /// Keeps what others have for the client and for many more, until
    /// [`Connection::send_gathered`].
    pub(crate) fn gather(&mut self, shared: &Shared, depends_on: Lsn) {
        let piece = Piece {
            len: shared.0.len(),
            replies: 0,
            depends_on,
        };
        match piece.len < PUSHED_APART_BYTES_MIN {
            true => self.output.keep(&shared.0, &[piece]),
            false => self.output.append(shared.rope(), piece),
        }
        self.waiting.gathered += piece.len;
    }

    /// Sends what was gathered.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn send_gathered(&mut self, gate: Option<&Gate>) -> io::Result<Sent> {
        let gathered = std::mem::take(&mut self.waiting.gathered);
        if gathered == 0 {
            return Ok(Sent::All);
        }
        let sent = match self.is_stuck() {
            true => self.get_stuck()?,
            false => match self.flush(gate)? {
                Sent::Held(_) => self.hold()?,
                sent @ (Sent::All | Sent::Stuck | Sent::Some) => sent,
            },
        };
        self.bound_pushed(gathered)?;
        Ok(sent)
    }

    /// Takes what others have for the client and for many more. Nothing is copied that the socket
    /// takes now.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn take_shared(
        &mut self,
        shared: &Shared,
        depends_on: Lsn,
        gate: Option<&Gate>,
    ) -> io::Result<Sent> {
        let bytes = &*shared.0;
        let piece = Piece {
            len: bytes.len(),
            replies: 0,
            depends_on,
        };
        let sent = if bytes.len() < PUSHED_APART_BYTES_MIN {
            let answers = Answers {
                bytes,
                pieces: &[piece],
                depends_on,
            };
            self.send(answers, gate)?
        } else {
            self.send_ropes(std::iter::once((shared.rope(), piece)), depends_on, gate)?
        };
        self.bound_pushed(piece.len)?;
        Ok(sent)
    }

    /// Counts bytes that came from others. They are bounded whatever they wait for, because this
    /// client cannot be held back as one that sends requests can.
    fn bound_pushed(&mut self, len: usize) -> io::Result<()> {
        let waiting = self.output.len();
        self.waiting.pushed = waiting.min(self.waiting.pushed.saturating_add(len));
        // One who listens to channels may have as much as the settings say.
        let allowed = usize::try_from(self.waiting.limits.hard_bytes).unwrap_or(usize::MAX);
        if self.waiting.pushed > PUSHED_BYTES_MAX.max(allowed) {
            return Err(io::Error::other(
                "the client does not take what others send it",
            ));
        }
        Ok(())
    }

    /// Sends replies after those that are on their way, if what they depend on is durable;
    /// otherwise keeps them.
    ///
    /// # Errors
    /// The connection is lost, or too much waits for it.
    #[inline]
    pub(crate) fn send(&mut self, answers: Answers<'_>, gate: Option<&Gate>) -> io::Result<Sent> {
        let Answers {
            bytes,
            pieces,
            depends_on,
        } = answers;
        if !self.output.is_empty() {
            self.output.keep(bytes, pieces);
            return self.wait_behind();
        }
        if bytes.is_empty() {
            return Ok(self.wait_in_silence(gate));
        }
        if gate.is_some_and(|gate| !gate.is_open_for(depends_on)) {
            self.output.keep(bytes, pieces);
            return self.hold();
        }
        match self.socket.send(bytes) {
            Ok(len) => {
                self.note_sent(len);
                if len == bytes.len() {
                    return Ok(Sent::All);
                }
                self.output.keep_free(&bytes[len..]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.output.keep_free(bytes);
            }
            Err(error) => return Err(error),
        }
        self.get_stuck()
    }

    /// The same for replies that were not copied together.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn send_ropes(
        &mut self,
        ropes: impl Iterator<Item = (Rope, Piece)>,
        depends_on: Lsn,
        gate: Option<&Gate>,
    ) -> io::Result<Sent> {
        let is_first = self.output.is_empty();
        if is_first && gate.is_none_or(|gate| gate.is_open_for(depends_on)) {
            ropes.for_each(|(rope, _)| self.output.append_free(rope));
            return self.flush(gate);
        }
        ropes.for_each(|(rope, piece)| self.output.append(rope, piece));
        if !is_first {
            return self.wait_behind();
        }
        match self.flush(gate)? {
            Sent::Held(_) => self.hold(),
            sent @ (Sent::All | Sent::Stuck | Sent::Some) => Ok(sent),
        }
    }

    /// A client that gets no replies may have to wait until what it did is durable, or known not to
    /// be.
    fn wait_in_silence(&mut self, gate: Option<&Gate>) -> Sent {
        let lsn = self.unanswered;
        match gate {
            Some(gate) if lsn > Lsn::ZERO && gate.answer(lsn).is_none() => Sent::Held(lsn),
            Some(_) | None => {
                self.unanswered = Lsn::ZERO;
                Sent::All
            }
        }
    }

    /// Something was kept after what is there.
    fn wait_behind(&mut self) -> io::Result<Sent> {
        if self.is_stuck() {
            self.get_stuck()
        } else {
            self.hold()
        }
    }

    /// Sends what was kept, now that it may leave or the socket has room. If it is unknown whether
    /// a reply will hold after a restart, an error replaces it.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn flush(&mut self, gate: Option<&Gate>) -> io::Result<Sent> {
        if self.output.is_empty() {
            return Ok(self.wait_in_silence(gate));
        }
        if let Some(gate) = gate {
            match gate.answer(self.output.depends_on()) {
                Some(Ok(())) => self.output.set_free(),
                Some(Err(NotDurable)) => self.refuse_replies(gate),
                // If something that must wait came after what is stuck, all of it waits for both.
                None => return Ok(Sent::Held(self.output.depends_on())),
            }
        } else {
            self.output.set_free();
        }
        let mut sent_bytes = 0;
        while !self.output.is_empty() {
            if sent_bytes >= SEND_BYTES {
                return Ok(Sent::Some);
            }
            let rope = self.output.free_rope();
            let sent = match rope.plain() {
                Some(bytes) => self.socket.send_some(bytes),
                None => {
                    rope.prepare();
                    self.socket.send_all_of(rope.segments())
                }
            };
            match sent {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => {
                    sent_bytes += len;
                    rope.advance(len);
                    self.note_sent(len);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.get_stuck();
                }
                Err(error) => return Err(error),
            }
        }
        self.waiting.is_stuck = false;
        self.waiting.soft_limit_at = None;
        if self.waiting.told_bytes > 0 {
            self.tell_waiting(0);
        }
        Ok(Sent::All)
    }

    /// The socket took this many bytes. The figures of the whole server count them at once, because
    /// there may be no further request.
    #[inline]
    fn note_sent(&mut self, len: usize) {
        self.io.sent_bytes += len as u64;
        self.writes += 1;
        self.shard.sent.leave(len as i64);
    }

    /// Replaces each reply that is not known to be durable by an error.
    #[cold]
    fn refuse_replies(&mut self, gate: &Gate) {
        let error = CmdError::NotDurable(self.shard.journal.why_not_durable().to_owned());
        let mut line = Reply::new(Protocol::Resp2);
        error.write(&mut line);
        let is_open = |lsn| gate.is_open_for(lsn);
        let refused = self.output.refuse(is_open, line.as_bytes());
        let mut state = self.shard.lock();
        state.engine.server.note_errors(&error, refused as u64);
    }

    /// What is there waits for the log.
    fn hold(&mut self) -> io::Result<Sent> {
        self.check_waiting()?;
        Ok(Sent::Held(self.output.depends_on()))
    }

    /// The socket took less than it was offered.
    fn get_stuck(&mut self) -> io::Result<Sent> {
        self.waiting.is_stuck = true;
        self.check_waiting()?;
        Ok(Sent::Stuck)
    }

    /// Checks that no more waits than the limits allow.
    fn check_waiting(&mut self) -> io::Result<()> {
        let waiting = self.output.len();
        let told = self.waiting.told_bytes;
        let is_news = waiting > told.saturating_mul(2) || waiting < told / 2;
        if is_news && (waiting > UNTOLD_BYTES_MAX || self.waiting.is_stuck) {
            self.tell_waiting(waiting);
        }
        let limits = self.waiting.limits;
        if limits.is_above_hard(waiting) {
            return Err(self.end_for_output());
        }
        let before = self.waiting.soft_limit_at;
        self.waiting.soft_limit_at = limits.is_above_soft(waiting).then(|| {
            let soft_ms = limits.soft_s.saturating_mul(1000);
            before.unwrap_or_else(|| self.shard.clock.now().mono.plus(soft_ms))
        });
        Ok(())
    }

    /// The client takes its replies too slowly, or asks for too much at once. This is counted and
    /// logged.
    pub(crate) fn end_for_output(&mut self) -> io::Error {
        let shell = &mut self.shard.lock().engine.server.shell;
        shell.output_limit_disconnections += 1;
        tracing::warn!(
            client = self.session.client,
            waiting = self.output.len(),
            "a client is disconnected: more waits for it than client-output-buffer-limit allows"
        );
        io::Error::other("too much waits for the client")
    }

    /// Tells the engine how much waits, and updates how much may.
    fn tell_waiting(&mut self, bytes: usize) {
        self.waiting.told_bytes = bytes;
        self.io.output_bytes = bytes;
        let mut state = self.shard.lock();
        state.engine.set_io_figures(self.session, self.io);
        self.waiting.limits = state.engine.output_limits(self.session);
    }
}
