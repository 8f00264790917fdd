//! One client: reads requests, runs them under the lock, writes replies.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::config::OutputLimits;
use engine::session::{IoFigures, SessionId};
use engine::{Lsn, Next};
use journal::Gate;
use resp::{KeysAhead, Limits, Parser, Protocol, Reply, Sender};
use tokio::time::Instant;

use crate::kicker::Kicker;
use crate::limits::{KEPT_BUFFER_BYTES, LIGHT_BYTES_MAX, READ_BYTES, REPLY_BATCH_BYTES};
use crate::listen::Stream;
use crate::mailbox::Mailbox;
use crate::shard::{Shard, Submitted};

/// Buffers that the connections of a thread share: only one of them runs at a time, and an idle one needs
/// none.
pub(crate) struct Scratch {
    input: RefCell<Vec<u8>>,
    output: RefCell<Vec<u8>>,
    /// Where replies wait until they may leave; none without a journal.
    gate: Option<Gate>,
    kicker: Kicker,
}

impl Scratch {
    /// Buffers for one thread.
    pub(crate) fn new(gate: Option<Gate>, kicker: Kicker) -> Rc<Scratch> {
        Rc::new(Scratch {
            gate,
            kicker,
            input: RefCell::new(vec![0; READ_BYTES]),
            output: RefCell::default(),
        })
    }
}

/// A client's connection.
pub(crate) struct Connection {
    shard: Arc<Shard>,
    scratch: Rc<Scratch>,
    stream: Stream,
    session: SessionId,
    mailbox: Arc<Mailbox>,
    parser: Parser,
    protocol: Protocol,
    /// The beginning of a request whose rest has not arrived, or requests held back while it waits.
    partial: Vec<u8>,
    state: Phase,
    /// What `CLIENT LIST` tells of the connection.
    io: IoFigures,
    /// The part of it that the figures of the whole server have.
    counted: IoFigures,
}

/// What a client is told that is one too many.
const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";

/// What a connection waits for.
enum Event {
    /// Something lies in the mailbox.
    Letters,
    /// So many bytes arrived in the thread's buffer, which has to be put back.
    Input(Vec<u8>, usize),
    /// Something arrived that belongs behind what is kept.
    MoreInput,
    /// The client sends no more.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Reading,
    /// A blocking command waits; requests are held back.
    Waiting,
    Closing,
}

impl Connection {
    /// Registers a client with the engine; none if there are as many as there may be. That one is told
    /// so, as far as its socket takes it.
    pub(crate) fn open(
        shard: Arc<Shard>,
        scratch: Rc<Scratch>,
        stream: Stream,
    ) -> Option<Connection> {
        let now = shard.clock.now();
        let (address, local_address) = stream.addresses();
        let mailbox = Arc::new(Mailbox::default());
        let mut state = shard.lock();
        let node = &mut state.engine.node;
        node.shell.connections_received += 1;
        if node.sessions.len() >= node.config.clients_max {
            node.shell.connections_rejected += 1;
            drop(state);
            stream.try_write(TOO_MANY_CLIENTS).ok();
            return None;
        }
        let session = state.engine.connect(address, local_address, now);
        state.mailboxes.insert(session, Arc::clone(&mailbox));
        drop(state);
        let fd = stream.fd();
        Some(Connection {
            shard,
            scratch,
            stream,
            session,
            mailbox,
            parser: Parser::new(),
            protocol: Protocol::Resp2,
            partial: Vec::new(),
            state: Phase::Reading,
            io: IoFigures {
                fd,
                ..IoFigures::default()
            },
            counted: IoFigures::default(),
        })
    }

    /// Serves the client until it goes or errs. When the server stops, its threads drop what they serve.
    pub(crate) async fn serve(mut self) {
        if let Err(error) = self.run().await {
            tracing::debug!(client = self.session.client, %error, "connection lost");
        }
    }

    async fn run(&mut self) -> io::Result<()> {
        while self.state != Phase::Closing {
            match poll_fn(|cx| self.poll_event(cx)).await? {
                Event::Letters => self.collect_mail().await?,
                Event::Input(input, len) => {
                    self.io.received_bytes += len as u64;
                    let served = self.serve_bytes(&input[..len]).await;
                    self.scratch.input.replace(input);
                    served?;
                }
                Event::MoreInput => {
                    if !self.receive_more().await? {
                        return Ok(());
                    }
                }
                Event::End => return Ok(()),
            }
        }
        Ok(())
    }

    /// Waits for the mailbox and the socket alike.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Event>> {
        if self.mailbox.poll_letters(cx).is_ready() {
            return Poll::Ready(Ok(Event::Letters));
        }
        if !self.partial.is_empty() || self.state != Phase::Reading {
            return self.stream.poll_readable(cx).map_ok(|()| Event::MoreInput);
        }
        // The buffer is taken out, so that no borrow is held while this task waits.
        let mut input = self.scratch.input.take();
        input.resize(READ_BYTES, 0);
        let read = self.stream.poll_read(cx, &mut input);
        if let Poll::Ready(Ok(len @ 1..)) = read {
            return Poll::Ready(Ok(Event::Input(input, len)));
        }
        self.scratch.input.replace(input);
        read.map_ok(|_| Event::End)
    }

    /// Reads behind what is kept, and serves it. False at the end of the stream.
    async fn receive_more(&mut self) -> io::Result<bool> {
        let len = self.partial.len();
        let missing = self.parser.bytes_missing(len).max(READ_BYTES);
        self.partial.resize(len + missing, 0);
        let read = self.stream.try_read(&mut self.partial[len..]);
        self.partial
            .truncate(len + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => Ok(false),
            Ok(n) => {
                self.io.received_bytes += n as u64;
                self.serve_partial().await.map(|()| true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn serve_partial(&mut self) -> io::Result<()> {
        if self.state != Phase::Reading || self.partial.is_empty() {
            return Ok(());
        }
        let input = std::mem::take(&mut self.partial);
        self.serve_bytes(&input).await?;
        if self.partial.is_empty() && input.capacity() <= KEPT_BUFFER_BYTES {
            self.partial = input;
            self.partial.clear();
        }
        Ok(())
    }

    /// Runs all complete requests in `input`; what is left of it is kept.
    async fn serve_bytes(&mut self, input: &[u8]) -> io::Result<()> {
        let mut rest = input;
        loop {
            let output = self.scratch.output.take();
            let mut reply = Reply::with_buffer(self.protocol, output);
            let (consumed, depends_on, more) = self.execute(rest, &mut reply);
            rest = &rest[consumed..];
            self.protocol = reply.protocol();
            let written = self.send(reply.as_bytes(), depends_on).await;
            let mut output = reply.take();
            output.clear();
            output.shrink_to(REPLY_BATCH_BYTES);
            self.scratch.output.replace(output);
            written?;
            if !more {
                break;
            }
        }
        if self.state != Phase::Closing && !rest.is_empty() {
            // While part of a request is remembered, the parser counts from the front of what is kept.
            let kept = std::mem::take(&mut self.partial);
            self.partial = rest.to_vec();
            self.partial.extend_from_slice(&kept);
        }
        Ok(())
    }

    /// Runs requests under the lock until the input or the room for replies is used up. How many bytes
    /// that took, what the replies depend on, and whether to go on with the rest.
    fn execute(&mut self, input: &[u8], reply: &mut Reply) -> (usize, Lsn, bool) {
        let mut consumed = 0;
        let mut depends_on = Lsn::NONE;
        let mut more = false;
        let mut guard = self.shard.lock();
        let state = &mut *guard;
        if state.stopping {
            self.state = Phase::Closing;
            return (0, depends_on, more);
        }
        let (now, mut stopwatch) = self.shard.clock.now_measured();
        let mut limits = Limits {
            bulk_bytes_max: state.engine.node.config.bulk_bytes_max,
            ..Limits::default()
        };
        if let Some(session) = state.engine.node.sessions.find(self.session) {
            // A request that was held back may have changed it meanwhile.
            reply.set_protocol(session.protocol);
            if !session.authenticated {
                limits.sender = Sender::Unauthenticated;
            }
        }
        // How many requests are served before the next look ahead.
        let mut until_look = 0;
        while self.state == Phase::Reading {
            if until_look == 0 {
                let keys = KeysAhead::new(&input[consumed..]);
                until_look = match state.engine.look_ahead(self.session, keys) {
                    0 => usize::MAX,
                    looked => looked,
                };
            }
            until_look -= 1;
            match self.parser.parse(&input[consumed..], &limits) {
                Ok(None) => break,
                Ok(Some(request)) => {
                    let written = reply.len();
                    let outcome = state.engine.request(self.session, request.argv, now, reply);
                    let is_large = request.consumed.max(reply.len() - written) > LIGHT_BYTES_MAX;
                    if is_large || state.engine.wants_measuring() {
                        let last = Some(request.argv);
                        let took_ns = stopwatch.lap_ns();
                        state.engine.measured(self.session, last, took_ns, now);
                    }
                    consumed += request.consumed;
                    depends_on = depends_on.max(outcome.depends_on);
                    match outcome.then {
                        Next::Continue => {}
                        Next::Wait => self.state = Phase::Waiting,
                        Next::Close => self.state = Phase::Closing,
                        Next::Abandon => {
                            reply.clear();
                            self.state = Phase::Closing;
                        }
                    }
                }
                Err(error) => {
                    error.write(reply);
                    self.state = Phase::Closing;
                }
            }
            if reply.len() >= REPLY_BATCH_BYTES {
                more = true;
                break;
            }
        }
        let took_ns = stopwatch.lap_ns();
        state.engine.measured(self.session, None, took_ns, now);
        self.io.query_bytes = input.len() - consumed;
        let node = &mut state.engine.node;
        node.shell.received_bytes += self.io.received_bytes - self.counted.received_bytes;
        node.shell.sent_bytes += self.io.sent_bytes - self.counted.sent_bytes;
        self.counted = self.io;
        state.engine.set_io_figures(self.session, self.io);
        let submitted = self.shard.finish(state, now);
        drop(guard);
        if submitted == Submitted::Batches {
            self.scratch.kicker.ring();
        }
        (consumed, depends_on, more)
    }

    async fn collect_mail(&mut self) -> io::Result<()> {
        let letters = self.mailbox.collect();
        self.send(&letters.bytes, letters.depends_on).await?;
        if letters.close {
            self.state = Phase::Closing;
        } else if letters.resume && self.state == Phase::Waiting {
            self.state = Phase::Reading;
            self.serve_partial().await?;
        }
        Ok(())
    }

    /// Writes bytes once what they depend on is durable.
    async fn send(&mut self, mut bytes: &[u8], depends_on: Lsn) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(gate) = &self.scratch.gate {
            let lsn = journal::Lsn::new(depends_on.0);
            if !gate.is_open_for(lsn) {
                gate.reached(lsn).await.map_err(io::Error::other)?;
            }
        }
        let mut patience = None;
        let mut was_held_up = false;
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.io.sent_bytes += n as u64;
                    bytes = &bytes[n..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let limits = self.note_unsent(bytes.len());
                    let waiting = (bytes.len() + self.mailbox.waiting_bytes()) as u64;
                    if limits.hard_bytes > 0 && waiting > limits.hard_bytes {
                        return Err(io::Error::other("the client takes no replies"));
                    }
                    if limits.soft_bytes == 0 || waiting <= limits.soft_bytes {
                        patience = None;
                    } else if patience.is_none() {
                        patience = Some(Instant::now() + Duration::from_secs(limits.soft_s));
                    }
                    tokio::select! {
                        writable = self.stream.writable() => writable?,
                        () = self.mailbox.close_asked() => {
                            return Err(io::ErrorKind::ConnectionAborted.into());
                        }
                        () = until(patience) => {
                            return Err(io::Error::other("the client takes replies too slowly"));
                        }
                    }
                    was_held_up = true;
                }
                Err(error) => return Err(error),
            }
        }
        if was_held_up {
            self.note_unsent(0);
        }
        Ok(())
    }

    /// Tells how much the socket did not take. What may wait, by the settings.
    fn note_unsent(&mut self, bytes: usize) -> OutputLimits {
        self.io.output_bytes = bytes;
        let mut state = self.shard.lock();
        state.engine.set_io_figures(self.session, self.io);
        state.engine.node.config.output_limits
    }
}

async fn until(patience: Option<Instant>) {
    match patience {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shard.lock();
        state.mailboxes.remove(&self.session);
        state.engine.disconnect(self.session);
    }
}
