//! Running a journal and loading a snapshot: how an engine gets its state back.
//!
//! The commands of a file go through the same table as those of clients, under [`Mode::Replay`]: no
//! limits, no waiting, only the expiry that the file contains, time from the file. weir's own files
//! hold effects, so that replay decides nothing; files of Redis hold what Redis wrote, with its
//! meaning. Times that these do not contain are that of the load; `unknown` deals with what they
//! hold that weir lacks.

mod unknown;

use resp::{Argv, Limits, Parser, ProtocolError, Reply};
use stream::Retention;
use thiserror::Error;
use values::{Key, Value};

use crate::Engine;
use crate::clients::session::SessionId;
use crate::command::Mode;
use crate::config::OnUnknown;
use crate::limits::LOADED_PLAIN_BYTES_MAX;
use crate::observe::stats::{CommandStats, ErrorStats, KeyspaceStats, LastLoad};
use crate::server::Refusal;
use crate::store::apply::Added;
use crate::store::keyspace::Record;
use crate::store::log::Journalling;
use crate::time::{Mono, Now, UnixMs};
use batch::Lsn;

pub use self::unknown::{LeftOut, LeftOutKey, Refused, Run, Unknown};

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The bytes are not requests.
    #[error("not a request: {source}")]
    Format {
        /// Where, counted from the start of the piece.
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
    /// A request fails: the state is not the one that the journal continues, or the journal is from
    /// another server, which knows more.
    #[error("{request} was refused: {reply}")]
    Refused {
        /// Where the request begins, counted from the start of the piece.
        offset: usize,
        /// Its name.
        request: String,
        /// The error.
        reply: String,
    },
    /// The file holds something that weir does not have, and it may not be left out.
    #[error("{what}")]
    Unknown {
        /// Where the request begins, counted from the start of the piece.
        offset: usize,
        /// What it is.
        what: Refused,
    },
}

impl ReplayError {
    /// Returns where the request that cannot be replayed begins, counted from the start of the
    /// piece.
    pub fn offset(&self) -> usize {
        match self {
            ReplayError::Format { offset, .. }
            | ReplayError::Incomplete { offset }
            | ReplayError::Refused { offset, .. }
            | ReplayError::Unknown { offset, .. } => *offset,
        }
    }
}

/// Who wrote what is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// weir: effects, which are self-contained. Nothing depends on the current settings.
    Weir,
    /// Redis or another server: requests. A new stream takes the server's settings, as it does
    /// there.
    Other,
}

/// An engine that is being filled. Made by [`Engine::begin_replay`], ended by
/// [`Engine::end_replay`].
#[derive(Debug)]
pub struct Replay {
    session: SessionId,
    clock: Clock,
    unknown: Unknown,
    /// The counters before, because a replay does not count as work for clients.
    counters: Counters,
    /// Requests that ran.
    pub requests: u64,
    /// Bytes that were read since streams were last packed.
    pub plain_bytes: u64,
}

/// The time of what is replayed.
#[derive(Debug)]
struct Clock {
    /// The last time in weir's files.
    weir: Now,
    /// The last time in files of Redis; the time of the load until they contain one.
    other: Now,
    other_is_told: bool,
}

impl Clock {
    fn now(&self, author: Author) -> Now {
        match author {
            Author::Weir => self.weir,
            Author::Other => self.other,
        }
    }

    fn added(&self, author: Author) -> Added {
        match author {
            Author::Other if !self.other_is_told => Added::ById,
            Author::Other | Author::Weir => Added::Now,
        }
    }

    /// Reads a line `#t:<ms>` of weir or `#TS:<s>` of Redis; other lines contain no time.
    fn annotated(&mut self, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else {
            return;
        };
        let text = text.trim_end();
        let at = |number: &str, us: i64| {
            let unix_us = number.parse::<i64>().ok()?.saturating_mul(us);
            let mono = Mono(0);
            Some(Now { unix_us, mono })
        };
        if let Some(ms) = text.strip_prefix("#t:") {
            self.weir = at(ms, 1000).unwrap_or(self.weir);
        } else if let Some(now) = text.strip_prefix("#TS:").and_then(|s| at(s, 1_000_000)) {
            self.other = now;
            self.other_is_told = true;
        }
    }
}

impl Replay {
    /// Overrides the setting for things that weir lacks.
    pub fn on_unknown(&mut self, on_unknown: OnUnknown) {
        self.unknown = Unknown::new(on_unknown);
    }

    /// Returns where to note what weir lacks.
    pub fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }
}

#[derive(Debug)]
struct Counters {
    commands: Vec<CommandStats>,
    errors: ErrorStats,
    keyspace: KeyspaceStats,
}

/// What happens to keys of a snapshot that have expired when it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// They are gone.
    LeftOut,
    /// They exist until the engine removes them, because a journal follows: it may have extended
    /// their time before they expired, and its effects need the keys that they were applied to.
    Kept,
}

impl Engine {
    /// Prepares the engine for a snapshot and a journal, at the time of the load. Nobody is
    /// connected yet.
    pub fn begin_replay(&mut self, now: Now) -> Replay {
        self.data.log.set_journalling(Journalling::Replaying);
        let session = self.connect("journal".to_owned(), String::new(), Now::default());
        if let Some(session) = self.server.sessions.find_mut(session) {
            session.authenticated = true;
        }
        Replay {
            session,
            clock: Clock {
                weir: now,
                other: now,
                other_is_told: false,
            },
            unknown: Unknown::new(self.server.config.on_unknown),
            counters: Counters {
                commands: self.server.command_stats.clone(),
                errors: self.server.errors.clone(),
                keyspace: self.data.stats,
            },
            requests: 0,
            plain_bytes: 0,
        }
    }

    /// Begins to take in a snapshot. Returns what its reader must know of this engine.
    pub fn begin_snapshot(&mut self, now: Now) -> rdb::Context {
        self.data.last_load = LastLoad::default();
        self.snapshot_context(now)
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

    /// Adds one key of a snapshot. `now` is the time of loading, by which the key may have expired.
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
            self.data.last_load.expired += 1;
            return;
        }
        self.data.last_load.keys += 1;
        // Nothing depends on it at the start; later a reload may take in what is not yet durable.
        let changed = self.data.log.last();
        let record = Record::new(key, value, expires_at, changed, now.unix());
        self.data.packing.note(database, &record, now);
        let hash = self.data.keyspace.hash(record.key());
        self.data.keyspace.put(database, hash, record);
    }

    /// Runs whole requests of a journal.
    ///
    /// # Errors
    /// [`ReplayError`] if the bytes are not requests, or a request is refused. What comes before it
    /// has been done.
    pub fn replay(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
    ) -> Result<(), ReplayError> {
        self.data.retention = match author {
            Author::Weir => Retention::DEFAULT,
            Author::Other => self.server.config.retention,
        };
        let result = self.replay_requests(replay, bytes, author);
        self.data.retention = self.server.config.retention;
        self.data.added = Added::Now;
        // Nobody is served meanwhile, so nobody has to wait for that.
        drop(self.take_dropped());
        replay.plain_bytes += bytes.len() as u64;
        if replay.plain_bytes > LOADED_PLAIN_BYTES_MAX {
            replay.plain_bytes = 0;
            self.pack_all();
        }
        result
    }

    fn replay_requests(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
    ) -> Result<(), ReplayError> {
        let limits = Limits {
            // An effect may be a little longer than the request that was accepted.
            request_bytes_max: usize::MAX,
            ..Limits::default()
        };
        let mut parser = Parser::new();
        let mut offset = 0;
        let session = self.server.sessions.take(replay.session);
        let mut session = session.expect("the session of a replay ends with it");
        let mut reply = Reply::new(session.protocol);
        let mut result = Ok(());
        self.data.added = replay.clock.added(author);
        while offset < bytes.len() {
            if bytes[offset] == b'#' {
                let rest = &bytes[offset..];
                let line = rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(rest, |at| &rest[..=at]);
                replay.clock.annotated(line);
                self.data.added = replay.clock.added(author);
                offset += line.len();
                continue;
            }
            match parser.parse(&bytes[offset..], &limits) {
                Ok(Some(request)) => {
                    let now = replay.clock.now(author);
                    let run = match author {
                        Author::Weir => Ok(Run::AsItIs),
                        Author::Other => self.look(&mut replay.unknown, request.argv),
                    };
                    let mut run_one = |argv| {
                        let _ = self.dispatch(&mut session, argv, now, &mut reply, Mode::Replay);
                    };
                    match run {
                        Ok(Run::AsItIs) => run_one(request.argv),
                        Ok(Run::Instead(requests)) => {
                            for request in &requests {
                                run_one(request.as_argv());
                            }
                        }
                        Err(what) => {
                            result = Err(ReplayError::Unknown { offset, what });
                            break;
                        }
                    }
                    replay.requests += 1;
                    if let Some(Refusal { request, reply }) = self.server.refused_in_replay.take() {
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
        self.server.sessions.put_back(session);
        result
    }

    /// Checks whether weir has what a request of another server is about.
    fn look(&self, unknown: &mut Unknown, argv: Argv<'_>) -> Result<Run, Refused> {
        let row = argv.get(0).and_then(|name| self.server.commands.find(name));
        unknown.request(argv, row)
    }

    /// The engine has its state, up to the batch `last`. From now on effects are numbered from
    /// there, and encoded if a log takes them. Returns what was left out.
    pub fn end_replay(&mut self, replay: Replay, last: Lsn, journalling: Journalling) -> LeftOut {
        self.disconnect(replay.session);
        self.data.log.set_last(last);
        self.data.log.set_journalling(journalling);
        self.server.command_stats = replay.counters.commands;
        self.server.errors = replay.counters.errors;
        self.data.stats = replay.counters.keyspace;
        replay.unknown.finish(&self.data.keyspace)
    }
}
