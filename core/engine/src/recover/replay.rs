//! Running a journal and loading a snapshot: how an engine gets its state back.
//!
//! The commands of a file go through the same table as those of clients, under [`Mode::Replay`]: no
//! limits, no waiting, only the expiry that the file contains, time from the file. weir's own files
//! hold effects, so that replay decides nothing; files of Redis hold what Redis wrote, with its
//! meaning. Times that these do not contain are that of the load; `unknown` deals with what they
//! hold that weir lacks.
//!
//! Batches keep the numbers that they have in the log. So an engine that follows a log knows how
//! far it is (`EffectLog::last`), and its replies to reads say on which batch they depend, as those
//! of the engine that wrote the log do.

mod error;
mod place;
mod unknown;

use resp::{Argv, Limits, Parser, Reply};
use stream::Retention;
use values::hyperloglog::SparseBytesMax;

use crate::Engine;
use crate::clients::session::{Session, SessionId};
use crate::command::Mode;
use crate::config::OnUnknown;
use crate::error::CmdError;
use crate::limits::{LOADED_PLAIN_BYTES_MAX, PACKING_DELAY_MS};
use crate::observe::stats::{CommandStats, ErrorStats, KeyspaceStats, LastLoad};
use crate::store::apply::Added;
use crate::store::keyspace::Record;
use crate::store::log::Journalling;
use crate::store::packing::wait_for_packing_of;
use crate::table::Flags;
use crate::time::{Mono, Now, UnixMs};
use batch::Lsn;

pub use self::error::ReplayError;
use self::error::Stop;
use self::place::Place;
pub use self::unknown::{LeftOut, LeftOutKey, Refused, Run, Unknown};

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
    place: Place,
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

    /// Reads a line `#t:<ms>` of weir or `#TS:<s>` of Redis; other lines contain no time. Returns
    /// whether it had one.
    fn annotated(&mut self, line: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(line) else {
            return false;
        };
        let text = text.trim_end();
        let at = |number: &str, us: i64| {
            let unix_us = number.parse::<i64>().ok()?.saturating_mul(us);
            let mono = Mono(0);
            Some(Now { unix_us, mono })
        };
        if let Some(now) = text.strip_prefix("#t:").and_then(|ms| at(ms, 1000)) {
            self.weir = now;
            true
        } else if let Some(now) = text.strip_prefix("#TS:").and_then(|s| at(s, 1_000_000)) {
            self.other = now;
            self.other_is_told = true;
            true
        } else {
            false
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
        self.begin_replay_at(Place::BEGIN, now)
    }

    /// The same for an engine that is to follow a log from the midst: it will be given the state
    /// after batch `has`, and then groups, of which the first may have batches up to there.
    pub fn begin_replay_after(&mut self, has: Lsn, now: Now) -> Replay {
        self.data.log.set_last(has);
        self.begin_replay_at(Place::after(has), now)
    }

    fn begin_replay_at(&mut self, place: Place, now: Now) -> Replay {
        self.data.log.set_journalling(Journalling::Replaying);
        let session = self.connect("journal".to_owned(), String::new(), Now::default());
        if let Some(session) = self.server.sessions.find_mut(session) {
            session.trust();
        }
        Replay {
            session,
            clock: Clock {
                weir: now,
                other: now,
                other_is_told: false,
            },
            place,
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
    pub fn load(&mut self, database: u16, loaded: rdb::Record, expired: Expired, now: Now) {
        let rdb::Record {
            key,
            mut value,
            expires_at_ms,
            usage,
        } = loaded;
        let expires_at = expires_at_ms.map(UnixMs);
        let is_past = expires_at.is_some_and(|at| at <= now.unix());
        // Fields of a hash that have expired, but not all, are hidden, and the engine removes them.
        let is_gone = is_past || value.is_over(now.stream_ms());
        if expired == Expired::LeftOut && is_gone {
            self.data.last_load.expired += 1;
            return;
        }
        self.data.last_load.keys += 1;
        // Nothing depends on it at the start; later a reload may take in what is not yet durable.
        let changed = self.data.log.last();
        if self.data.stream_compress {
            wait_for_packing_of(&mut value, now);
        }
        let record = Record::new(key, value, expires_at, changed, now.unix());
        self.data.usage.note_told(&record, usage, now.unix());
        let hash = self.data.keyspace.hash(record.key());
        self.data.keyspace.put(database, hash, record);
    }

    /// Adds a library of functions of a snapshot. Nothing runs it yet.
    ///
    /// # Errors
    /// It does not say what it is.
    pub fn load_library(&mut self, code: Vec<u8>) -> Result<(), CmdError> {
        let changed = self.data.log.last();
        self.data.libraries.load(code, changed)
    }

    /// Runs whole requests that have no numbers, as those of a base.
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
        self.replay_all(replay, bytes, author, None)
    }

    /// Runs a group of a log: whole batches, numbered from `first` to `last`.
    ///
    /// # Errors
    /// The same, or if there are more or fewer batches.
    pub fn replay_group(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
        (first, last): (Lsn, Lsn),
    ) -> Result<(), ReplayError> {
        replay.place.comes_to(first);
        self.replay_all(replay, bytes, author, Some(last))
    }

    fn replay_all(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
        last: Option<Lsn>,
    ) -> Result<(), ReplayError> {
        let config = &self.server.config;
        (self.data.retention, self.data.hll_sparse_bytes_max) = match author {
            Author::Weir => (Retention::DEFAULT, SparseBytesMax::NONE),
            Author::Other => (config.retention, config.hll_sparse_bytes_max),
        };
        let result = self.replay_requests(replay, bytes, author, last);
        self.data.retention = self.server.config.retention;
        self.data.hll_sparse_bytes_max = self.server.config.hll_sparse_bytes_max;
        self.data.added = Added::Now;
        // Nobody is served meanwhile, so nobody has to wait for that.
        drop(self.take_dropped());
        replay.plain_bytes += bytes.len() as u64;
        if replay.plain_bytes > LOADED_PLAIN_BYTES_MAX {
            replay.plain_bytes = 0;
            let now = replay.clock.now(author);
            self.pack_all(now.unix().plus(PACKING_DELAY_MS as i64));
        }
        result
    }

    fn replay_requests(
        &mut self,
        replay: &mut Replay,
        bytes: &[u8],
        author: Author,
        last: Option<Lsn>,
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
                if replay.clock.annotated(line) {
                    replay.place.hears_time();
                }
                self.data.added = replay.clock.added(author);
                offset += line.len();
                continue;
            }
            match parser.parse(&bytes[offset..], &limits) {
                Ok(Some(request)) => {
                    let next = last.map_or(Lsn::ZERO, |_| replay.place.last().next());
                    self.data.log.replay_as(next);
                    let run =
                        self.replay_one(replay, &mut session, request.argv, author, &mut reply);
                    let selects = match run {
                        Ok(flags) => flags.has(Flags::SELECTS_DATABASE),
                        Err(stop) => {
                            result = Err(stop.at(offset));
                            break;
                        }
                    };
                    reply.clear();
                    self.data.notifications.forget();
                    offset += request.consumed;
                    // weir's batches say as part of them in which database they happen; for Redis a
                    // request is a batch, whatever it does.
                    let is_batch = author == Author::Other || !selects;
                    if last.is_some() && is_batch && session.transaction.is_none() {
                        let has_it = replay.place.has_next();
                        let number = replay.place.pass();
                        if !has_it {
                            self.data.log.set_last(number);
                        }
                    }
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
        self.data.log.replay_as(Lsn::ZERO);
        result?;
        let found = replay.place.last();
        match (last, author) {
            (Some(expected), Author::Weir) if found != expected => Err(ReplayError::Misnumbered {
                offset,
                expected,
                found,
            }),
            // What is a batch of another author, the log decides.
            (Some(last), _) => {
                replay.place.pass_to(last);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// Runs a request. Returns the traits of its command.
    fn replay_one(
        &mut self,
        replay: &mut Replay,
        session: &mut Session,
        argv: Argv<'_>,
        author: Author,
        reply: &mut Reply,
    ) -> Result<Flags, Stop> {
        let now = replay.clock.now(author);
        if !replay.place.is_settled() {
            let row = argv.get(0).and_then(|name| self.server.commands.find(name));
            let flags = row.map_or(Flags::NONE, |row| row.spec.flags);
            if !replay.place.hears(flags, author) {
                return Err(Stop::NotSelfContained);
            }
            if replay.place.has_next() {
                self.pass_over(session, flags, argv, now, reply);
                return Ok(flags);
            }
        }
        let run = match author {
            Author::Weir => Run::AsItIs,
            Author::Other => self
                .look(&mut replay.unknown, argv)
                .map_err(Stop::Unknown)?,
        };
        let mut run_one = |argv| {
            let _ = self.dispatch_apart(session, argv, now, reply, Mode::Replay);
        };
        match run {
            Run::AsItIs => run_one(argv),
            Run::Instead(requests) => {
                for request in &requests {
                    run_one(request.as_argv());
                }
            }
        }
        replay.requests += 1;
        match self.server.refused_in_replay.take() {
            Some(refusal) => Err(Stop::Refused(refusal)),
            None => Ok(session
                .last_command
                .map_or(Flags::NONE, |row| row.spec.flags)),
        }
    }

    /// Takes from a request of a batch that the state has only what later ones rely on.
    fn pass_over(
        &mut self,
        session: &mut Session,
        flags: Flags,
        argv: Argv<'_>,
        now: Now,
        reply: &mut Reply,
    ) {
        if flags.has(Flags::SELECTS_DATABASE) {
            let queue = session.transaction.take();
            let _ = self.dispatch_apart(session, argv, now, reply, Mode::Replay);
            session.transaction = queue;
        } else if flags.has(Flags::RUNS_QUEUE) {
            session.transaction = None;
        } else if flags.has(Flags::CONTROLS_MULTI) {
            let _ = self.dispatch_apart(session, argv, now, reply, Mode::Replay);
        }
    }

    /// Checks whether weir has what a request of another server is about.
    fn look(&self, unknown: &mut Unknown, argv: Argv<'_>) -> Result<Run, Refused> {
        unknown.request(argv, self.server.commands.find_for(argv))
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
