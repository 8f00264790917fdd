//! A thread that serves connections, in turns: wait for events, read, run, send.
//!
//! The thread owns its connections, and no other touches them. Others leave messages in its
//! mailbox. It waits only for events, never for a client or a disk.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use engine::Mono;
use journal::contained;
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};

use crate::accept::Acceptor;
use crate::connection::{Answers, Connection};
use crate::connections::Connections;
use crate::cycle::{Cycle, Replies, Written};
use crate::mailbox::{self, Mailbox, Message};
use crate::memory::{Allocator, Meter};
use crate::shard::{ACCEPTING_THREAD, Location, Shard, Submitted};
use crate::socket::Socket;

/// A thread that serves connections, before and while it runs.
pub(crate) struct IoThread {
    number: usize,
    shard: Arc<Shard>,
    /// What this thread has reported of its memory.
    meter: Meter,
    poll: Poll,
    mailbox: Arc<Mailbox>,
    connections: Connections,
    messages: Vec<Message>,
    cycle: Cycle,
    replies: Vec<Replies>,
    accepting: Option<Accepting>,
    stopped: bool,
    /// Whether the journal was given something that its thread was not woken for yet.
    submitted: Submitted,
    /// For how many turns.
    turns_unkicked: u32,
}

/// Where connections come in, and who serves them in turn.
struct Accepting {
    acceptor: Acceptor,
    threads: Vec<Arc<Mailbox>>,
    turn: usize,
    /// When the system is asked again for connections that it refused.
    accept_again_at: Option<Mono>,
}

/// The token of the mailbox. Listeners come below it, and connections count from 0.
const MAILBOX: Token = Token(usize::MAX);

/// How long the system is not asked again for a connection that it refused, in milliseconds.
const REFUSED_PAUSE_MS: u64 = 100;

/// For how many turns the little that was submitted may wait for more to share its group.
const UNKICKED_TURNS_MAX: u32 = 4;

/// Events taken from the system at once.
const EVENTS_MAX: usize = 1024;

impl IoThread {
    /// A thread without connections.
    ///
    /// # Errors
    /// What the system says if it gives no poller.
    pub(crate) fn new(
        number: usize,
        shard: Arc<Shard>,
        allocator: Allocator,
    ) -> io::Result<IoThread> {
        let poll = Poll::new()?;
        let mailbox = Arc::new(mailbox::for_thread(Waker::new(poll.registry(), MAILBOX)?));
        let gate = shard.gate(&mailbox);
        Ok(IoThread {
            number,
            shard,
            meter: Meter::new(allocator),
            poll,
            mailbox,
            connections: Connections::new(Some(gate)),
            messages: Vec::new(),
            cycle: Cycle::new(),
            replies: Vec::new(),
            accepting: None,
            stopped: false,
            submitted: Submitted::Nothing,
            turns_unkicked: 0,
        })
    }

    /// Returns where messages for this thread go.
    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Makes this thread accept connections, for all threads in turn.
    ///
    /// # Errors
    /// What the system says if a listener cannot be watched.
    pub(crate) fn accept_for(
        &mut self,
        threads: Vec<Arc<Mailbox>>,
        mut acceptor: Acceptor,
    ) -> io::Result<()> {
        acceptor.register(self.poll.registry(), MAILBOX)?;
        self.accepting = Some(Accepting {
            acceptor,
            threads,
            turn: 0,
            accept_again_at: None,
        });
        Ok(())
    }

    /// Serves until the server stops. A panic in the work for one connection costs only that
    /// connection. A panic in the work for all of them costs the thread's connections, and then it
    /// continues.
    pub(crate) fn run(mut self) {
        if self.number == ACCEPTING_THREAD {
            self.shard.is_main_thread();
        }
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.stopped {
            let serve = AssertUnwindSafe(|| {
                while !self.stopped {
                    self.turn(&mut events);
                }
            });
            if catch_unwind(serve).is_err() {
                let connections = self.connections.len();
                tracing::error!(
                    connections,
                    "an I/O thread failed; its connections are closed"
                );
                self.connections.clear();
                self.cycle = Cycle::new();
                self.replies.clear();
            }
        }
    }

    fn turn(&mut self, events: &mut Events) {
        self.wait(events);
        self.connections.awake();
        for event in &*events {
            self.note_event(event);
        }
        self.mailbox.collect(&mut self.messages);
        self.take_messages();
        self.connections.release();
        self.connections.send_on();
        self.serve();
        self.accept_again();
        self.meter.leave(&self.shard.untold);
        if self.connections.deadline().is_some() {
            self.connections.end_late(self.shard.clock.now().mono);
        }
    }

    /// Waits for events. Before the journal's thread is woken for the little that was submitted,
    /// what has come meanwhile is served too, so that it shares the group: a sync costs more than
    /// many requests, and lasts longer. That is bounded ([`UNKICKED_TURNS_MAX`]), and nothing is
    /// waited for.
    fn wait(&mut self, events: &mut Events) {
        if self.submitted == Submitted::Batches {
            if self.turns_unkicked < UNKICKED_TURNS_MAX {
                self.turns_unkicked += 1;
                self.poll(events, Some(Duration::ZERO));
                if !events.is_empty() {
                    return;
                }
            }
            self.kick();
        }
        let timeout = self.may_sleep_for();
        self.poll(events, timeout);
    }

    fn poll(&mut self, events: &mut Events, timeout: Option<Duration>) {
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(%error, "an I/O thread cannot wait for events");
        }
    }

    /// Wakes the journal's thread for what was submitted.
    fn kick(&mut self) {
        self.shard.journal.kick();
        self.submitted = Submitted::Nothing;
        self.turns_unkicked = 0;
    }

    /// Returns how long the thread may wait for events; `None` means for ever.
    fn may_sleep_for(&self) -> Option<Duration> {
        if !self.connections.may_sleep() {
            return Some(Duration::ZERO);
        }
        let again = self
            .accepting
            .as_ref()
            .and_then(|accepting| accepting.accept_again_at);
        let until = again.into_iter().chain(self.connections.deadline()).min();
        until.map(|at| self.shard.clock.until(at))
    }

    fn note_event(&mut self, event: &Event) {
        let Token(place) = event.token();
        if !self.connections.note_event(place, event) && event.token() != MAILBOX {
            self.accept(event.token());
        }
    }

    /// Takes in connections from the listener with this token, if it is one.
    fn accept(&mut self, token: Token) {
        let Some(accepting) = &mut self.accepting else {
            return;
        };
        for socket in accepting.acceptor.accept(token, &self.shard.identity) {
            accepting.turn = (accepting.turn + 1) % accepting.threads.len();
            let message = Message::Accepted(socket);
            if accepting.turn == self.number {
                self.messages.push(message);
            } else {
                accepting.threads[accepting.turn].post(message);
            }
        }
    }

    #[inline]
    fn take_messages(&mut self) {
        if !self.messages.is_empty() {
            self.take_each_message();
        }
    }

    fn take_each_message(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        let are_several = messages.len() > 1;
        for message in messages.drain(..) {
            match message {
                Message::Accepted(socket) => {
                    if let Err(error) = contained(|| self.open(socket)) {
                        tracing::warn!(%error, "a connection cannot be served");
                    }
                }
                Message::Delivery(place, delivery) => self.connections.deliver(place, delivery),
                Message::Broadcast(message) if are_several => self.connections.gather(&message),
                Message::Broadcast(message) => self.connections.broadcast(&message),
                Message::Rebind(change) => {
                    if let Some(accepting) = &mut self.accepting {
                        change.carry_out(&mut accepting.acceptor, self.poll.registry());
                    }
                }
                Message::Keepalive(keepalive) => {
                    if let Some(accepting) = &mut self.accepting {
                        accepting.acceptor.set_keepalive(keepalive);
                    }
                }
                Message::Answer(answered) => {
                    self.connections.answer_all();
                    drop(answered);
                }
                Message::Stop => self.stopped = true,
            }
        }
        self.connections.send_gathered();
        self.messages = messages;
    }

    fn open(&mut self, mut socket: Socket) -> io::Result<()> {
        let place = self.connections.next_place();
        socket.register(self.poll.registry(), Token(place))?;
        let location = Location {
            thread: self.number,
            place,
        };
        if let Some(connection) = Connection::open(&self.shard, socket, location) {
            self.connections
                .add(connection, self.shard.clock.now().mono);
        }
        Ok(())
    }

    /// Serves every connection that is ready, once.
    fn serve(&mut self) {
        let mut left = self.connections.ready_len();
        while left > 0 {
            self.cycle.clear();
            while left > 0 && !self.cycle.is_full() {
                left -= 1;
                let Some((place, connection)) = self.connections.pop_ready() else {
                    continue;
                };
                if let Err(error) = self.cycle.receive(place, connection) {
                    self.connections.lose(place, &error);
                }
            }
            while !self.cycle.is_done() {
                let submitted = self.run_cycle();
                self.submitted |= submitted;
            }
            // What is little waits for more, in `wait`. What is much had better be on its way.
            let is_due = match left {
                0 => !self.cycle.is_small(),
                _ => self.shard.journal.syncs_first(),
            };
            if self.submitted == Submitted::Batches && is_due {
                self.kick();
            }
        }
    }

    fn run_cycle(&mut self) -> Submitted {
        let submitted = self.cycle.run(
            &self.shard,
            self.number,
            &mut self.connections,
            &mut self.replies,
            &mut self.messages,
            &mut self.meter,
        );
        let mut replies = std::mem::take(&mut self.replies);
        let all = self.messages.len();
        for Replies {
            place,
            session,
            written,
            pieces,
            depends_on,
            messages_before,
        } in replies.drain(..)
        {
            let taken = all - self.messages.len();
            if messages_before > taken {
                let later = self.messages.split_off(messages_before - taken);
                self.take_each_message();
                self.messages = later;
            }
            let connections = &mut self.connections;
            let pieces = self.cycle.pieces(pieces);
            match written {
                Written::Together(bytes) => {
                    let answers = Answers {
                        bytes: &self.cycle.replies()[bytes],
                        pieces,
                        depends_on,
                    };
                    connections.send(place, session, answers);
                }
                Written::Apart(ropes) => {
                    let ropes = ropes.into_iter().zip(pieces.iter().copied());
                    connections.send_ropes(place, session, ropes, depends_on);
                }
            }
        }
        self.replies = replies;
        self.take_messages();
        submitted
    }

    /// Asks for connections again that the system refused for want of something (file descriptors,
    /// for example): it says nothing when there is enough of it again.
    fn accept_again(&mut self) {
        let Some(accepting) = &mut self.accepting else {
            return;
        };
        if !accepting.acceptor.was_refused() {
            accepting.accept_again_at = None;
            return;
        }
        let now = self.shard.clock.now().mono;
        match accepting.accept_again_at {
            Some(at) if now < at => {}
            Some(_) | None => {
                let is_due = accepting
                    .accept_again_at
                    .replace(now.plus(REFUSED_PAUSE_MS));
                if is_due.is_some() {
                    for token in accepting.acceptor.tokens() {
                        self.accept(token);
                    }
                    self.take_messages();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
