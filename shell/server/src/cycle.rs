//! A cycle, the middle of a turn: what several connections have read runs under one hold of the
//! shard's lock.
//!
//! First everything is read, then everything is run, then everything is sent. So each of the three
//! works in the processor's caches, and the lock and the clocks are paid once for all. A cycle is
//! bounded in bytes, so that what was read is still in the cache when it runs.

use std::ops::Range;

use engine::clients::session::SessionId;
use engine::observe::stages::Stage;
use engine::{Dropped, Lsn};
use journal::contained;
use resp::{Large, Reply, Rope};

use crate::connection::{Connection, Piece, Pieces, Received};
use crate::connections::Connections;
use crate::limits::{
    CYCLE_BYTES, READ_BYTES, REPLY_BATCH_BYTES, REPLY_ROOM_BYTES, SMALL_CYCLE_BYTES,
};
use crate::mailbox::Message;
use crate::memory::Meter;
use crate::shard::{Caller, Shard, Submitted, delivery};

/// What was read, and the replies to it.
#[derive(Debug)]
pub(crate) struct Cycle {
    input: Vec<u8>,
    parts: Vec<Part>,
    replies: Reply,
    pieces: Pieces,
    /// How many parts have run.
    run: usize,
    /// What they took that is freed without the lock.
    spent: Vec<Large>,
}

/// The part of one connection.
#[derive(Debug)]
struct Part {
    place: usize,
    /// Whose input it is. A cycle may run in several steps, and messages are taken in between: they
    /// can end a connection and put another one in its place. That one must not run this input, so
    /// the place alone is not enough.
    session: SessionId,
    /// Where its input is; none if the connection has it.
    input: Option<Range<usize>>,
}

/// Replies of one connection.
#[derive(Debug)]
pub(crate) struct Replies {
    /// The connection's place.
    pub(crate) place: usize,
    /// Whose they are. Before they are sent, this client may be gone and its place reused.
    pub(crate) session: SessionId,
    /// Where they are.
    pub(crate) written: Written,
    /// Where their pieces are.
    pub(crate) pieces: Range<usize>,
    /// The batch that must be durable before they leave.
    pub(crate) depends_on: Lsn,
    /// How many of the messages come before them: they were published before these requests ran.
    pub(crate) messages_before: usize,
}

/// Where replies are.
#[derive(Debug)]
pub(crate) enum Written {
    /// Within those of all.
    Together(Range<usize>),
    /// Separately, piece by piece: they refer to something, or are large.
    Apart(Vec<Rope>),
}

impl Cycle {
    /// An empty cycle, with memory for a full one.
    pub(crate) fn new() -> Cycle {
        Cycle {
            input: Vec::with_capacity(CYCLE_BYTES + READ_BYTES),
            parts: Vec::new(),
            replies: Reply::default(),
            pieces: Pieces::default(),
            run: 0,
            spent: Vec::new(),
        }
    }

    /// Returns whether it has as much as should run at once.
    pub(crate) fn is_full(&self) -> bool {
        self.input.len() >= CYCLE_BYTES
    }

    /// Returns whether it has so little that a sync for it alone would be a waste.
    pub(crate) fn is_small(&self) -> bool {
        let is_kept = |part: &Part| part.input.is_none();
        self.input.len() < SMALL_CYCLE_BYTES && !self.parts.iter().any(is_kept)
    }

    /// Returns whether everything in it has run.
    pub(crate) fn is_done(&self) -> bool {
        self.run == self.parts.len()
    }

    /// Lets a connection read. If that panics, the connection is lost.
    ///
    /// # Errors
    /// The connection is lost, or has ended.
    pub(crate) fn receive(
        &mut self,
        place: usize,
        connection: &mut Connection,
    ) -> std::io::Result<()> {
        let start = self.input.len();
        let input = match contained(|| connection.receive(&mut self.input))? {
            Received::InCycle(len) => Some(start..start + len),
            Received::Kept => None,
            Received::Nothing => return Ok(()),
            Received::End => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        self.parts.push(Part {
            place,
            session: connection.session(),
            input,
        });
        Ok(())
    }

    /// Runs what was read, until all of it has run or there are many replies. Puts into `replies`
    /// which replies are whose, and into `messages` what the engine has for other connections of
    /// the thread. Returns whether the journal was given something.
    pub(crate) fn run(
        &mut self,
        shard: &Shard,
        thread: usize,
        connections: &mut Connections,
        replies: &mut Vec<Replies>,
        messages: &mut Vec<Message>,
        meter: &mut Meter,
    ) -> Submitted {
        let Cycle {
            input: all_input,
            parts,
            replies: reply,
            pieces,
            run,
            spent,
        } = self;
        reply.clear();
        let mut guard = shard.lock();
        let state = &mut *guard;
        // What others have published so far comes before the replies to what runs now.
        if let Some(mailbox) = state.mailboxes.get(thread) {
            mailbox.collect(messages);
        }
        shard.tell_untold(&mut state.engine);
        let (mut now, mut stopwatch) = shard.clock.now_measured();
        state.persistence.follow_health(&mut state.engine, now);
        if *run == 0
            && let Some(figures) = state.engine.server.shell.threads.get_mut(thread)
        {
            figures.reads += parts.len() as u64;
        }
        pieces.clear();
        pieces.set_released(connections.released());
        let is_leased = connections.is_leased();
        for part in &parts[*run..] {
            *run += 1;
            let Some(connection) = connections.find_mut(part.place, part.session) else {
                continue;
            };
            let start = reply.mark();
            let start_bytes = reply.len();
            let input = part.input.clone().map(|range| &all_input[range]);
            let messages_before = messages.len();
            let depends_on =
                connection.run(input, state, now, &mut stopwatch, reply, meter, pieces);
            connection.let_go(spent);
            if is_leased {
                pieces.end_free();
            }
            let is_apart = reply.has_pieces() || reply.len_since(start) >= REPLY_BATCH_BYTES;
            let written = match is_apart {
                true => {
                    let room = reply.capacity().min(REPLY_ROOM_BYTES);
                    let ropes = pieces.split(reply);
                    if reply.capacity() == 0 {
                        // They took the buffer with them, and the next ones are mostly as long.
                        reply.reserve(room);
                    }
                    Written::Apart(ropes)
                }
                false => Written::Together(start_bytes..reply.len()),
            };
            let is_much = is_apart || reply.len() >= REPLY_BATCH_BYTES;
            replies.push(Replies {
                place: part.place,
                session: part.session,
                written,
                pieces: pieces.range(),
                depends_on,
                messages_before,
            });
            if state.engine.has_messages() {
                delivery::sort(state, Caller::Io(thread), messages);
            }
            // Where one part was cut off, the next ones are for another hold.
            if is_much || connection.was_cut_off() {
                break;
            }
            if stopwatch.outran_the_clock() {
                now = shard.clock.now();
            }
        }
        if state.engine.has_unmeasured() {
            state.engine.measured(None, stopwatch.lap_ns(), now);
        }
        let submitted = shard.finish(state, now, Caller::Io(thread), messages);
        let took = stopwatch.total();
        state.engine.stage_took(Stage::Requests, took, now);
        meter.tell(&mut state.engine);
        let mut dropped = shard.take_dropped(state, meter);
        if let Some(arguments) = Dropped::arguments(spent) {
            shard.release(state, arguments, &mut dropped);
        }
        guard.release(took);
        if let Some(dropped) = dropped {
            shard.dropper.hand_in(dropped, &shard.untold);
        }
        spent.clear();
        submitted
    }

    /// Replies of all connections, one after another.
    pub(crate) fn replies(&self) -> &[u8] {
        self.replies.as_bytes()
    }

    /// What some of them consist of.
    pub(crate) fn pieces(&self, range: Range<usize>) -> &[Piece] {
        self.pieces.get(range)
    }

    /// Empties it for the next connections.
    pub(crate) fn clear(&mut self) {
        self.input.clear();
        self.parts.clear();
        self.run = 0;
        self.replies.clear();
        self.replies.shrink_to(REPLY_BATCH_BYTES);
    }
}
