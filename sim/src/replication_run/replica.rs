//! The engine of a machine: it follows the log, or executes what clients ask.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::{Context, Result, bail, ensure};
use batch::{Encoded, Lsn};
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::server::Writes;
use engine::store::keyspace::Frozen;
use engine::store::log::Journalling;
use engine::{Author, Engine, Next, Now, Replay};
use persistence::snapshot::{self, Contents, Progress};
use replication::{Position, ReadGroup};
use resp::{ArgvBuf, Protocol, Reply};

/// An engine with the connections of clients.
pub(super) struct Replica {
    engine: Engine,
    /// While it follows.
    replay: Option<Replay>,
    sessions: BTreeMap<usize, SessionId>,
}

/// What became of requests that one client sent together.
pub(super) struct Executed {
    pub(super) bytes: Vec<u8>,
    /// The batch that must be durable before the replies leave.
    pub(super) depends_on: Lsn,
    /// The last request waits for something to read.
    pub(super) is_blocked: bool,
}

impl Replica {
    /// An empty engine that follows from the start of the log.
    pub(super) fn new(now: Now) -> Result<Replica> {
        Ok(Replica::after(Lsn::ZERO, empty_engine(now)?, now))
    }

    /// An engine that has a snapshot and follows from there. Returns where that is, too.
    pub(super) fn load(bytes: &[u8], now: Now) -> Result<(Position, Replica)> {
        let mut engine = empty_engine(now)?;
        let at = snapshot::load_at(&mut engine, "of a group", Cursor::new(bytes), now)?;
        Ok((at, Replica::after(at.lsn, engine, now)))
    }

    fn after(at: Lsn, mut engine: Engine, now: Now) -> Replica {
        engine.server.writes = follows();
        let replay = Some(engine.begin_replay_after(at, now));
        Replica {
            engine,
            replay,
            sessions: BTreeMap::new(),
        }
    }

    /// Takes the number of a batch that it does not have.
    pub(super) fn pretend(&mut self, lsn: Lsn, now: Now) {
        self.lead();
        self.replay = Some(self.engine.begin_replay_after(lsn, now));
        self.engine.server.writes = follows();
    }

    /// Applies a group from the log. What is in it has been decided.
    pub(super) fn apply(&mut self, group: &ReadGroup) -> Result<()> {
        let (first, last) = (group.first, group.last);
        ensure!(
            first == self.lsn().next(),
            "group {first} to {last} is applied to {}",
            self.lsn()
        );
        let replay = self.replay.as_mut().context("a leader is given a group")?;
        self.engine
            .replay_group(replay, &group.bytes, Author::Weir, (first, last))?;
        ensure!(self.lsn() == last, "a group is not whole");
        Ok(())
    }

    /// Applies effects, whatever their place.
    pub(super) fn apply_unchecked(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(replay) = &mut self.replay {
            self.engine.replay(replay, bytes, Author::Weir)?;
        }
        Ok(())
    }

    /// Executes from here on.
    pub(super) fn lead(&mut self) {
        let last = self.lsn();
        if let Some(replay) = self.replay.take() {
            self.engine.end_replay(replay, last, Journalling::On);
        }
        self.engine.server.writes = Writes::Accepted;
    }

    /// Follows from here on. All clients lose their connections.
    pub(super) fn follow(&mut self, now: Now) {
        for (_, session) in std::mem::take(&mut self.sessions) {
            self.engine.disconnect(session);
        }
        drop(self.engine.take_deliveries());
        self.replay = Some(self.engine.begin_replay_after(self.lsn(), now));
        self.engine.server.writes = follows();
    }

    /// The last batch that it has.
    pub(super) fn lsn(&self) -> Lsn {
        self.engine.log().last()
    }

    /// All that it has, as it is now.
    pub(super) fn freeze(&self) -> Frozen {
        self.engine.freeze()
    }

    /// Runs requests as one connection sends them.
    pub(super) fn execute(
        &mut self,
        client: usize,
        requests: &[ArgvBuf],
        now: Now,
    ) -> Result<Executed> {
        let engine = &mut self.engine;
        let session = *self
            .sessions
            .entry(client)
            .or_insert_with(|| engine.connect(format!("client:{client}"), String::new(), now));
        let mut reply = Reply::new(Protocol::Resp2);
        let mut executed = Executed {
            bytes: Vec::new(),
            depends_on: Lsn::ZERO,
            is_blocked: false,
        };
        for request in requests {
            let outcome = engine.request(session, request.as_argv(), now, &mut reply);
            executed.depends_on = executed.depends_on.max(outcome.depends_on);
            executed.is_blocked = match outcome.then {
                Next::Continue => false,
                Next::Wait => true,
                Next::Close | Next::Abandon => bail!("the server closes a connection"),
            };
        }
        executed.bytes = reply.into_bytes();
        Ok(executed)
    }

    /// How many appends were there already when they came.
    pub(super) fn duplicates(&self) -> u64 {
        self.engine.stats().iids_duplicates
    }

    /// A client has lost its connection.
    pub(super) fn disconnect(&mut self, client: usize) {
        if let Some(session) = self.sessions.remove(&client) {
            self.engine.disconnect(session);
        }
    }

    /// Does what is due.
    pub(super) fn timer(&mut self, now: Now) {
        self.engine.timer(now);
    }

    /// The replies to clients that have waited for something to read.
    pub(super) fn take_deliveries(&mut self) -> Vec<(usize, Executed)> {
        let deliveries = self.engine.take_deliveries();
        let to_client = deliveries.into_iter().filter_map(|delivery| {
            let mut sessions = self.sessions.iter();
            let (client, _) = sessions.find(|(_, session)| **session == delivery.session)?;
            Some((
                *client,
                Executed {
                    bytes: delivery.bytes.into_bytes(),
                    depends_on: delivery.depends_on,
                    is_blocked: false,
                },
            ))
        });
        to_client.collect()
    }

    /// The effects of all batches that no log has taken yet, if there are any.
    pub(super) fn take_effects(&mut self) -> Option<Encoded> {
        drop(self.engine.take_dropped());
        drop(self.engine.take_orders());
        if !self.engine.log().has_bytes() {
            return None;
        }
        let effects = std::mem::take(self.engine.effects());
        self.engine.effects_taken();
        Some(effects)
    }
}

/// Writes a snapshot of a state at a position of the log.
pub(super) fn snapshot_of(view: &Frozen, at: &Position, now: Now) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    snapshot::write_at(view, at, &mut bytes, now, &Progress::default())?;
    Ok(bytes)
}

/// Reads a snapshot back, and compares it with what it was made of.
pub(super) fn check_snapshot(
    bytes: &[u8],
    at: &Position,
    contents: &Contents,
    now: Now,
) -> Result<()> {
    Ok(snapshot::check(
        empty_engine(now)?,
        "of a group",
        Cursor::new(bytes),
        at,
        contents,
        now,
    )?)
}

fn empty_engine(now: Now) -> Result<Engine> {
    let mut settings = Settings::default();
    settings.set("stream-idmp-duration", "300")?;
    let mut engine = Engine::new(settings, 1, now, &commands::TABLE);
    engine.server.shell.persistence.journalling = true;
    Ok(engine)
}

fn follows() -> Writes {
    Writes::Refused("This one follows another.".to_owned())
}
