//! One client's connection: what it sent, what it is owed, and how far both have come.
//!
//! A connection does nothing by itself. Its thread lets it read, run its requests under the shard's
//! lock and send, and asks it afterwards what it waits for. Replies leave in order; while some wait
//! (for the log, or for a socket that takes no more) nothing further is read, so that a client
//! cannot make the server accumulate replies.

mod output;
mod piece;
mod room;
mod sending;

use std::io;
use std::sync::Arc;

use engine::address::is_on_this_machine;
use engine::clients::session::{IoFigures, SessionId};
use engine::{Engine, Lsn, Next, Now};
use resp::{Argv, KeysAhead, LARGE_BYTES_MIN, Large, Limits, Mark, Parser, ProtocolError, Reply};

use crate::clock::Stopwatch;
use crate::hold::Hold;
use crate::limits::{KEPT_BYTES_MAX, LIGHT_BYTES_MAX, READ_BYTES, REPLY_BATCH_BYTES};
use crate::memory::Meter;
use crate::shard::{Location, Shard, State};
use crate::socket::{More, Read, Socket};

use self::output::Output;
use self::room::{Made, Room};
use self::sending::Waiting;

pub(crate) use self::piece::{Answers, Piece, Pieces};
pub(crate) use self::sending::Sent;

/// A client's connection.
pub(crate) struct Connection {
    shard: Arc<Shard>,
    socket: Socket,
    /// The engine does not know yet who the client is by its certificate.
    is_handshaking: bool,
    session: SessionId,
    phase: Phase,
    /// The socket may have something to read: it said so, and was not found empty since.
    readable: bool,
    /// The client said that it sends no more, or is gone; what it sent before may still be there.
    ended: bool,
    parser: Parser,
    /// The beginning of a request whose rest has not arrived, or requests after one that waits.
    input: Vec<u8>,
    /// Where a large argument moves that is being received.
    room: Room,
    /// Whole requests may be in it.
    has_requests: bool,
    /// The batch that must be durable before more is read of a client that gets no replies.
    unanswered: Lsn,
    /// What it read is in a cycle and has not run yet. Nothing more may be read before that: the
    /// parser would lose its place.
    in_cycle: bool,
    /// Large arguments of requests that have run, to be freed without the lock.
    spent: Vec<Large>,
    output: Output,
    waiting: Waiting,
    /// What `CLIENT LIST` shows of the connection.
    io: IoFigures,
    /// The part of it that the figures of the whole server already include.
    counted: u64,
    /// The number of the thread that serves it.
    thread: usize,
    /// Writes that the figures of that thread do not include yet.
    writes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Reading,
    /// A blocking command waits; requests are held back.
    Waiting,
    /// It ends when everything was sent.
    Closing,
}

/// Where the bytes that a connection read are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// This many are at the end of the cycle's buffer, including those that the connection had
    /// kept.
    InCycle(usize),
    /// In the connection's own buffer, or they were there already.
    Kept,
    /// Nowhere: nothing has come.
    Nothing,
    /// Nowhere: the client sends no more.
    End,
}

impl Received {
    /// What the connection read into buffers of its own.
    fn in_place(read: Option<usize>) -> Received {
        match read {
            Some(1..) => Received::Kept,
            Some(0) => Received::End,
            None => Received::Nothing,
        }
    }
}

/// The reply to a client on another machine as long as no password is set.
const PROTECTED: &[u8] =
    b"-DENIED weir is in protected mode, because no password is set: only clients on \
    this machine are served. Set a password there (CONFIG SET requirepass, or requirepass in the \
    configuration file) and give it with AUTH, or, if everybody who can reach this port may do \
    everything, CONFIG SET protected-mode no.\r\n";

/// The reply to a client beyond `maxclients`.
const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";

impl Connection {
    /// Registers a client with the engine; `None` if there are too many. The client is told so, as
    /// far as its socket takes it.
    pub(crate) fn open(
        shard: &Arc<Shard>,
        mut socket: Socket,
        location: Location,
    ) -> Option<Connection> {
        let now = shard.clock.now();
        let (address, local_address) = socket.addresses();
        let mut state = shard.lock();
        let server = &mut state.engine.server;
        server.shell.connections_received += 1;
        let config = &server.config;
        let refusal = if server.sessions.len() >= config.clients_max {
            Some(TOO_MANY_CLIENTS)
        } else if config.protected
            && server.users.default_user().needs_no_password()
            && !is_on_this_machine(&address, &local_address)
        {
            Some(PROTECTED)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            server.shell.connections_rejected += 1;
            drop(state);
            // A client that does not take it, or has not begun to speak TLS, notices the end of the
            // connection.
            socket.send(refusal).ok();
            return None;
        }
        let session = state.engine.connect(address, local_address, now);
        state.locations.insert(session, location);
        if let Some(figures) = state.engine.server.shell.threads.get_mut(location.thread) {
            figures.clients += 1;
        }
        drop(state);
        let fd = socket.number();
        Some(Connection {
            shard: Arc::clone(shard),
            is_handshaking: socket.is_handshaking(),
            socket,
            session,
            phase: Phase::Reading,
            readable: true,
            ended: false,
            parser: Parser::new(),
            input: Vec::new(),
            room: Room::default(),
            has_requests: false,
            unanswered: Lsn::ZERO,
            in_cycle: false,
            spent: Vec::new(),
            output: Output::default(),
            waiting: Waiting::default(),
            io: IoFigures {
                fd,
                ..IoFigures::default()
            },
            counted: 0,
            thread: location.thread,
            writes: 0,
        })
    }

    /// Reads nothing more of a client that gets no replies until a batch is durable.
    pub(crate) fn wait_until_durable(&mut self, lsn: Lsn) {
        self.unanswered = lsn;
    }

    /// The client's name within the engine.
    pub(crate) fn session(&self) -> SessionId {
        self.session
    }

    /// Returns whether its handshake is not done, so that it cannot be served.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.is_handshaking
    }

    /// The handshake is done: the client is who its certificate says, before it asks for anything.
    #[cold]
    fn end_handshake(&mut self) {
        self.is_handshaking = false;
        if let Some(name) = self.socket.client_name() {
            let now = self.shard.clock.now();
            let engine = &mut self.shard.lock().engine;
            engine.certificate_shown(self.session, &name, now);
        }
    }

    /// The socket reports that it has room. What it has of its own leaves when it is read from.
    #[inline]
    pub(crate) fn note_writable(&mut self) {
        self.readable |= self.socket.wants_write();
    }

    /// Returns whether requests of it are left that could run, and are for another hold.
    pub(crate) fn was_cut_off(&self) -> bool {
        self.phase == Phase::Reading && self.has_requests
    }

    /// Returns whether it has something to do: something to read or to run, and nothing that must
    /// leave before.
    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Reading
            && !self.in_cycle
            && self.output.is_empty()
            && self.unanswered == Lsn::ZERO
            && (self.readable || self.has_requests)
    }

    /// Returns whether it has ended: it was to be closed and everything was sent, or its client is
    /// gone and what it waits for no longer matters.
    pub(crate) fn is_over(&self) -> bool {
        match self.phase {
            Phase::Reading => false,
            Phase::Waiting => self.ended,
            Phase::Closing => self.output.is_empty(),
        }
    }

    /// The socket reports that something has come, or that nothing more will.
    pub(crate) fn note_readable(&mut self, ended: bool) {
        self.readable = true;
        self.ended |= ended;
    }

    /// Reads what has come. Appends it to `buffer`, that of the cycle, together with what the
    /// connection kept, unless that is part of a large request. Does nothing if requests are left
    /// from before.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<Received> {
        if self.has_requests {
            self.in_cycle = true;
            return Ok(Received::Kept);
        }
        let kept = self.input.len();
        let missing = self.parser.bytes_missing(kept);
        if let Some(mut large) = self.parser.take_large() {
            let read = match self.room.make(&mut large, missing) {
                Made::InPart => {
                    self.in_cycle = true;
                    Ok(Received::Kept)
                }
                Made::All => self.read(&mut large).map(Received::in_place),
            };
            self.parser.give_back_large(large);
            return read;
        }
        if kept > 0 && kept.saturating_add(missing) > READ_BYTES {
            let mut input = std::mem::take(&mut self.input);
            // Room grows with what has come: how much is still to come is only what the client
            // claims.
            input.reserve(missing.min(kept.max(READ_BYTES)));
            let read = self.read(&mut input);
            self.input = input;
            return read.map(Received::in_place);
        }
        let start = buffer.len();
        buffer.reserve(kept + READ_BYTES);
        buffer.extend_from_slice(&self.input);
        let read = self.read(buffer)?;
        if let Some(len @ 1..) = read {
            self.input.clear();
            self.input.shrink_to(KEPT_BYTES_MAX);
            return Ok(Received::InCycle(kept + len));
        }
        buffer.truncate(start);
        Ok(if read.is_some() {
            Received::End
        } else {
            Received::Nothing
        })
    }

    /// Reads after what is in `buffer`, which has room. Returns how many bytes: 0 at the end;
    /// `None` if nothing is there.
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let received = self.socket.receive(buffer);
        if self.is_handshaking && !self.socket.is_handshaking() {
            self.end_handshake();
        }
        match received {
            Ok(Read { len, more }) => {
                // The end comes as an event before it is read.
                self.readable = more == More::Now || self.ended;
                self.io.received_bytes += len as u64;
                self.in_cycle = len > 0;
                Ok(Some(len))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                self.ended = false;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs the requests in `in_cycle`, or, if there is none, in what the connection kept. Appends
    /// the replies to `reply`, and their pieces to `pieces`. Returns what they depend on.
    #[expect(
        clippy::too_many_arguments,
        reason = "the tools of the thread, each passed on once"
    )]
    pub(crate) fn run(
        &mut self,
        in_cycle: Option<&[u8]>,
        state: &mut State,
        now: Now,
        stopwatch: &mut Stopwatch,
        reply: &mut Reply,
        meter: &mut Meter,
        pieces: &mut Pieces,
    ) -> Lsn {
        self.in_cycle = false;
        let start = reply.mark();
        pieces.begin(state.engine.log().last(), start);
        if state.stopping {
            self.phase = Phase::Closing;
            return Lsn::ZERO;
        }
        let kept = match in_cycle {
            Some(_) => Vec::new(),
            None => std::mem::take(&mut self.input),
        };
        let input = in_cycle.unwrap_or(&kept);
        self.has_requests = false;
        self.io.query_bytes = input.len() + self.parser.bytes_aside();
        let (consumed, depends_on) = self.run_requests(
            input,
            &mut state.engine,
            now,
            stopwatch,
            reply,
            meter,
            pieces,
        );
        self.io.query_bytes = input.len() - consumed + self.parser.bytes_aside();
        let engine = &mut state.engine;
        if let Some(limits) = engine.end_requests(self.session, self.io.query_bytes) {
            self.waiting.limits = limits;
        }
        let is_silent = reply.len_since(start) == 0 && depends_on > Lsn::ZERO;
        if is_silent && self.phase == Phase::Reading && self.shard.journal.is_behind() {
            self.wait_until_durable(depends_on);
        }
        if self.phase == Phase::Waiting {
            self.has_requests = true;
        }
        self.keep(in_cycle, kept, consumed);
        depends_on
    }

    /// Keeps what was not consumed.
    fn keep(&mut self, in_cycle: Option<&[u8]>, mut kept: Vec<u8>, consumed: usize) {
        if let Some(in_cycle) = in_cycle {
            if consumed < in_cycle.len() {
                self.input.extend_from_slice(&in_cycle[consumed..]);
            }
        } else {
            kept.drain(..consumed);
            if kept.is_empty() {
                kept.shrink_to(KEPT_BYTES_MAX);
            }
            self.input = kept;
        }
        self.has_requests &= !self.input.is_empty();
        self.parser.set_aside(&mut self.input, LARGE_BYTES_MIN);
    }

    /// Hands out what requests took that have run, to be freed without the lock.
    #[inline]
    pub(crate) fn let_go(&mut self, spent: &mut Vec<Large>) {
        if !self.spent.is_empty() {
            spent.append(&mut self.spent);
        }
    }

    /// Runs complete requests until there is none, or one waits, or there are many replies. Returns
    /// how many bytes of the input that took, and what the replies depend on.
    #[expect(
        clippy::too_many_arguments,
        reason = "the tools of the thread, each passed on once"
    )]
    fn run_requests(
        &mut self,
        input: &[u8],
        engine: &mut Engine,
        now: Now,
        stopwatch: &mut Stopwatch,
        reply: &mut Reply,
        meter: &mut Meter,
        pieces: &mut Pieces,
    ) -> (usize, Lsn) {
        let mut limits = Limits::default();
        self.count_in(engine);
        if let Some(terms) = engine.begin_requests(self.session, self.io) {
            if terms.is_above_query_limit {
                self.end_for_query(engine);
                return (0, Lsn::ZERO);
            }
            reply.set_protocol(terms.protocol);
            limits.sender = terms.sender;
            self.waiting.limits = terms.output_limits;
        }
        limits.request_bytes_max = engine.server.config.query_bytes_max;
        let limits_out = self.waiting.limits;
        let _ = reply.begin_part(limits_out.bytes_max());
        // After this many bytes of replies, they are sent before more requests run.
        let batch_bytes = REPLY_BATCH_BYTES.min(limits_out.bytes_max().saturating_add(1));
        let start = reply.mark();
        let (mut consumed, mut depends_on) = (0, Lsn::ZERO);
        // How many requests are served before the next look ahead.
        let mut until_look = 0;
        let mut hold = Hold::default();
        while self.phase == Phase::Reading {
            let rest = &input[consumed..];
            if rest.is_empty() {
                break;
            }
            // The request before may have changed it.
            limits.bulk_bytes_max = engine.server.config.bulk_bytes_max;
            if engine.server.config.memory_bytes_max > 0 {
                meter.tell(engine);
            }
            let mut ended_lap = false;
            match self.parser.parse(rest, &limits) {
                Ok(None) => break,
                Ok(Some(request)) => {
                    if until_look == 0 {
                        // If nothing comes behind it, there is nothing to gain.
                        let is_last = request.consumed == rest.len();
                        until_look = match is_last {
                            true => usize::MAX,
                            false => look_ahead(engine, self.session, request.argv, rest),
                        };
                    }
                    until_look -= 1;
                    let mark = reply.mark();
                    let outcome = engine.request(self.session, request.argv, now, reply);
                    // Nothing, if all replies were too much and were dropped.
                    let written = reply.len_since(mark);
                    let has_larges = !request.argv.larges().is_empty();
                    let is_large = has_larges || request.consumed.max(written) > LIGHT_BYTES_MAX;
                    ended_lap = is_large || engine.wants_measuring();
                    if ended_lap {
                        let last = (self.session, request.argv);
                        let took_ns = stopwatch.lap_ns();
                        engine.measured(Some(last), took_ns, now);
                        engine.note_hot_keys(last, took_ns, written, now);
                    }
                    consumed += request.consumed;
                    if has_larges {
                        self.spent.append(&mut self.parser.release_larges());
                    }
                    depends_on = depends_on.max(outcome.depends_on);
                    limits.sender = outcome.sender;
                    pieces.add(mark, written, outcome.depends_on);
                    match outcome.then {
                        Next::Continue => {}
                        Next::Wait => self.phase = Phase::Waiting,
                        Next::Close => self.phase = Phase::Closing,
                        Next::Abandon => {
                            reply.rollback(start);
                            pieces.rollback();
                            self.phase = Phase::Closing;
                        }
                    }
                }
                Err(ProtocolError::RequestTooLarge) => self.end_for_query(engine),
                Err(error) => {
                    let mark = reply.mark();
                    if engine.wants_answer(self.session) {
                        error.write(reply);
                    }
                    pieces.add(mark, reply.len_since(mark), Lsn::ZERO);
                    self.phase = Phase::Closing;
                }
            }
            // What is ordered is done before more requests run: they may rely on it.
            let is_enough = reply.len_since(start) >= batch_bytes || engine.has_orders();
            if is_enough || reply.is_overrun() {
                self.end_batch(engine, reply, pieces, start);
                break;
            }
            if consumed < input.len() && hold.is_over(ended_lap, stopwatch) {
                // Others have their turn before the rest runs.
                self.has_requests = true;
                break;
            }
        }
        (consumed, depends_on)
    }

    /// There are many replies. They are sent before further requests run. If there are too many,
    /// the connection ends.
    #[cold]
    fn end_batch(
        &mut self,
        engine: &mut Engine,
        reply: &mut Reply,
        pieces: &mut Pieces,
        start: Mark,
    ) {
        self.has_requests = true;
        if reply.is_full() {
            reply.rollback(start);
            pieces.rollback();
            self.phase = Phase::Closing;
            engine.server.shell.output_limit_disconnections += 1;
            tracing::warn!(
                client = self.session.client,
                "a client is disconnected: its replies are more than client-output-buffer-limit or the server allows"
            );
        }
    }

    /// The client has sent more than may wait to be run.
    #[cold]
    fn end_for_query(&mut self, engine: &mut Engine) {
        self.phase = Phase::Closing;
        engine.server.shell.query_limit_disconnections += 1;
        tracing::warn!(
            client = self.session.client,
            "a client is disconnected: it has sent more than client-query-buffer-limit allows"
        );
    }

    /// Adds what the connection transferred to the figures of the server.
    fn count_in(&mut self, engine: &mut Engine) {
        let shell = &mut engine.server.shell;
        shell.received_bytes += self.io.received_bytes - self.counted;
        self.counted = self.io.received_bytes;
        if let Some(figures) = shell.threads.get_mut(self.thread) {
            figures.writes += std::mem::take(&mut self.writes);
        }
    }
}

/// Looks up the keys of the requests at the front of some input, `first` and what follows. Returns
/// how many requests are to be served before the next look.
fn look_ahead(engine: &mut Engine, session: SessionId, first: Argv<'_>, input: &[u8]) -> usize {
    match engine.look_ahead(session, first, KeysAhead::new(input)) {
        0 => usize::MAX,
        looked => {
            engine.server.shell.keys_looked_ahead += looked as u64;
            looked
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let shard = Arc::clone(&self.shard);
        let mut state = shard.lock();
        self.count_in(&mut state.engine);
        if let Some(figures) = state.engine.server.shell.threads.get_mut(self.thread) {
            figures.clients = figures.clients.saturating_sub(1);
        }
        state.locations.remove(self.session);
        state.engine.disconnect(self.session);
    }
}
