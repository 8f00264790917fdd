//! Running a journal, and taking in a snapshot: how an engine gets its state back.
//!
//! The commands of a file go through the same table as those of clients, under [`Mode::Replay`]: no
//! limits, no waiting, no expiry but what the file says, time from the file. weir's own files hold effects,
//! so that replay decides nothing; files of Redis hold what Redis wrote, with its meaning.

use resp::{Limits, Parser, ProtocolError, Reply};
use stream::Retention;
use thiserror::Error;
use values::{Key, Value};

use crate::Engine;
use crate::ctx::Mode;
use crate::keyspace::Record;
use crate::limits::LOADED_PLAIN_BYTES_MAX;
use crate::log::Journalling;
use crate::lsn::Lsn;
use crate::node::Refusal;
use crate::session::SessionId;
use crate::stats::{CommandStats, ErrorStats, KeyspaceStats};
use crate::time::{Mono, Now, UnixMs};

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The bytes are no requests.
    #[error("not a request: {source}")]
    Format {
        /// Where, counted from the begin of the piece.
        offset: usize,
        /// What is wrong.
        source: ProtocolError,
    },
    /// A request is cut off.
    #[error("the batches end within a request")]
    Incomplete {
        /// Where the request begins.
        offset: usize,
    },
    /// A request answers an error: the state is not the one that the journal is about, or another server wrote
    /// the journal, which knows more.
    #[error("{request} was refused: {reply}")]
    Refused {
        /// Where the request begins, counted from the begin of the piece.
        offset: usize,
        /// Its name.
        request: String,
        /// The error.
        reply: String,
    },
}

impl ReplayError {
    /// Where the request begins that cannot be replayed, counted from the begin of the piece.
    pub fn offset(&self) -> usize {
        match self {
            ReplayError::Format { offset, .. }
            | ReplayError::Incomplete { offset }
            | ReplayError::Refused { offset, .. } => *offset,
        }
    }
}

/// Who wrote what is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// weir: effects, which say all that there is to say. Nothing depends on the settings of now.
    Weir,
    /// Redis, or somebody else: requests. A new stream takes the server's settings, as it does there.
    Other,
}

/// An engine that is being filled. Made by [`Engine::begin_replay`], ended by [`Engine::end_replay`].
#[derive(Debug)]
pub struct Replay {
    session: SessionId,
    now: Now,
    /// The counters before, as replaying is no work for anybody.
    counters: Counters,
    /// Requests that ran.
    pub requests: u64,
    /// Bytes that were read since streams were packed last.
    pub(crate) plain_bytes: u64,
}

#[derive(Debug)]
struct Counters {
    commands: Vec<CommandStats>,
    errors: ErrorStats,
    keyspace: KeyspaceStats,
}

/// What becomes of keys of a snapshot whose time has come when it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// They are gone.
    LeftOut,
    /// They are there until the engine removes them, since a journal follows: it may say that they got more
    /// time before theirs came, and its effects need the keys that they were applied to.
    Kept,
}

impl Engine {
    /// Prepares the engine for a snapshot and a journal. Nobody is connected yet.
    pub fn begin_replay(&mut self) -> Replay {
        self.data.log.set_journalling(Journalling::Replaying);
        let session = self.connect("journal".to_owned(), String::new(), Now::default());
        if let Some(session) = self.node.sessions.find_mut(session) {
            session.authenticated = true;
        }
        Replay {
            session,
            now: Now::default(),
            counters: Counters {
                commands: self.node.command_stats.clone(),
                errors: self.node.errors.clone(),
                keyspace: self.data.stats,
            },
            requests: 0,
            plain_bytes: 0,
        }
    }

    /// What a reader of snapshots must know of this engine.
    pub fn snapshot_context(&self, now: Now) -> rdb::Context {
        let packing = if self.data.stream_compress {
            rdb::Packing::BeyondBytes(LOADED_PLAIN_BYTES_MAX)
        } else {
            rdb::Packing::Later
        };
        self.data.snapshot_context(now, packing)
    }

    /// Takes in one key of a snapshot. `now` is the time of loading, by which the key's time may have come.
    pub fn load(
        &mut self,
        database: u16,
        key: Key,
        value: Value,
        expires_at: Option<UnixMs>,
        expired: Expired,
        now: Now,
    ) {
        if expired == Expired::LeftOut && expires_at.is_some_and(|at| at <= now.unix()) {
            return;
        }
        let forgets = match &value {
            Value::Stream(stream) => stream.idempotence().next_deadline_ms(),
            Value::String(_) => None,
        };
        // Nothing depends on it at the start; later a reload may take in what is not yet durable.
        let changed = self.data.log.last();
        let record = Record::new(key.clone(), value, expires_at, changed, now.unix());
        if let Some(at_ms) = forgets {
            record
                .forgetting
                .store(true, std::sync::atomic::Ordering::Relaxed);
            self.data.forgetting.insert(at_ms, (database, key));
        }
        self.data.packing.note(database, &record, now);
        self.data.keyspace.put(database, record);
    }

    /// Runs whole requests of a journal.
    ///
    /// # Errors
    /// [`ReplayError`] where the bytes are no requests, or a request is refused. What stands before it has been
    /// done.
    pub fn replay(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
    ) -> Result<(), ReplayError> {
        self.data.retention = match author {
            Author::Weir => Retention::DEFAULT,
            Author::Other => self.node.config.retention,
        };
        let result = self.replay_requests(replay, bytes);
        self.data.retention = self.node.config.retention;
        // Nobody is served meanwhile who would have to wait for that.
        drop(self.take_dropped());
        replay.plain_bytes += bytes.len() as u64;
        if replay.plain_bytes > LOADED_PLAIN_BYTES_MAX {
            replay.plain_bytes = 0;
            self.pack_all();
        }
        result
    }

    fn replay_requests(&mut self, replay: &mut Replay, bytes: &[u8]) -> Result<(), ReplayError> {
        let limits = Limits {
            // An effect may be a little longer than the request that was accepted.
            request_bytes_max: usize::MAX,
            ..Limits::default()
        };
        let mut parser = Parser::new();
        let mut offset = 0;
        let session = self.node.sessions.take(replay.session);
        let mut session = session.expect("the session of a replay ends with it");
        let mut reply = Reply::new(session.protocol);
        let mut result = Ok(());
        while offset < bytes.len() {
            if bytes[offset] == b'#' {
                let rest = &bytes[offset..];
                let line = rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(rest, |at| &rest[..=at]);
                if let Some(at) = annotated_time(line) {
                    replay.now = Now {
                        unix_us: at.saturating_mul(1000),
                        mono: Mono(0),
                    };
                }
                offset += line.len();
                continue;
            }
            match parser.parse(&bytes[offset..], &limits) {
                Ok(Some(request)) => {
                    let mode = Mode::Replay;
                    let _ = self.dispatch(&mut session, request.argv, replay.now, &mut reply, mode);
                    replay.requests += 1;
                    if let Some(Refusal { request, reply }) = self.node.refused_in_replay.take() {
                        result = Err(ReplayError::Refused {
                            offset,
                            request,
                            reply,
                        });
                        break;
                    }
                    reply.clear();
                    offset += request.consumed;
                }
                Ok(None) => {
                    result = Err(ReplayError::Incomplete { offset });
                    break;
                }
                Err(source) => {
                    result = Err(ReplayError::Format { offset, source });
                    break;
                }
            }
        }
        self.node.sessions.put_back(session);
        result
    }

    /// The engine has its state, of which `last` is the last batch; from now on effects are numbered from
    /// there, and encoded if a log takes them.
    pub fn end_replay(&mut self, replay: Replay, last: Lsn, journalling: Journalling) {
        self.disconnect(replay.session);
        self.data.log.set_last(last);
        self.data.log.set_journalling(journalling);
        self.node.command_stats = replay.counters.commands;
        self.node.errors = replay.counters.errors;
        self.data.stats = replay.counters.keyspace;
    }
}

/// The time in a line `#t:<ms>` of ours or `#TS:<s>` of Redis, in milliseconds.
fn annotated_time(line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    if let Some(ms) = text.strip_prefix("#t:") {
        return ms.parse().ok();
    }
    text.strip_prefix("#TS:")?
        .parse::<i64>()
        .ok()?
        .checked_mul(1000)
}
