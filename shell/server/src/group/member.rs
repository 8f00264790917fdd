//! What the driver of the log does to the shard.
//!
//! Until all that is in the log was applied once, a second engine is filled, without the lock and
//! while clients are told to wait. Then the shard takes its data over, and the lock is taken for
//! each group. Whenever this server stops being what it was, it is silent first: every thread
//! answers what waits, and only then does it become something else. So no reply that was made
//! before leaves after.

use std::mem;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use cluster::{Beginning, Halt, Inapplicable, Lead, LogServers, Presence, Replica, Standing};
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now, Replay, ReplayError};
use journal::PanicEndsProcess;
use persistence::SharedLog;
use replication::{Deposed, Epoch, Mark, Position, ReadGroup, Status, Stop, StopReason};

use crate::memory::{Allocator, Meter};
use crate::shard::{Shard, State};

use super::snapshots::{GroupSnapshots, View};
use super::view;

/// A shard as the replica of a log.
pub(super) struct Member {
    shard: Arc<Shard>,
    meter: Meter,
    node: Node,
    has: Has,
    /// What was seen of the log in an earlier life of this node.
    mark: Option<Mark>,
    /// The snapshots of the group; none if no place is named for them.
    snapshots: Option<Arc<GroupSnapshots>>,
    /// Who waits for the first moment at which this server can serve clients.
    joined: Option<mpsc::Sender<()>>,
}

/// What this server is in its group, and what it knows of the others.
struct Node {
    log: Arc<SharedLog>,
    /// Whether the shard executes.
    leads: bool,
    /// Whether the shard has the data.
    shows: bool,
    /// What the node is, as the driver last said.
    standing: Option<Standing>,
    view: view::View,
    /// When the engine was last told of the group.
    told: Mono,
}

/// Where the data is.
enum Has {
    /// In an engine that nobody is served from yet.
    Filling(Box<(Engine, Replay)>),
    /// In the shard's.
    Shard,
}

/// How often the engine is told of the group if nothing has happened, in milliseconds.
const TELL_EVERY_MS: u64 = 250;

impl Member {
    pub(super) fn new(
        shard: Arc<Shard>,
        (log, view): (Arc<SharedLog>, view::View),
        mark: Option<Mark>,
        snapshots: Option<Arc<GroupSnapshots>>,
        allocator: Allocator,
        joined: mpsc::Sender<()>,
    ) -> Member {
        let has = Has::nothing(&shard);
        Member {
            shard,
            meter: Meter::new(allocator),
            node: Node {
                log,
                leads: false,
                shows: false,
                standing: None,
                view,
                told: Mono(0),
            },
            has,
            mark,
            snapshots,
            joined: Some(joined),
        }
    }

    /// Loads the snapshot that this node begins with, if there is one; otherwise it begins at the
    /// start of the log.
    pub(super) fn begin(&mut self) -> Beginning {
        let mark = self.node.standing.map_or(self.mark, |it| Some(it.mark));
        let loaded = match &self.snapshots {
            Some(snapshots) => snapshots.load(&self.shard, mark),
            None => Ok(None),
        };
        let loaded = loaded.unwrap_or_else(|error| {
            tracing::error!(%error, "this node begins without a snapshot");
            None
        });
        Beginning {
            at: self.begin_with(loaded),
            mark,
        }
    }

    /// Begins with what was loaded, if anything was. Returns where in the log that is.
    fn begin_with(&mut self, loaded: Option<(Engine, Position)>) -> Position {
        let Some((mut engine, at)) = loaded else {
            self.has = Has::nothing(&self.shard);
            return Position::default();
        };
        let replay = engine.begin_replay_after(at.lsn, self.shard.clock.now());
        self.has = Has::Filling(Box::new((engine, replay)));
        at
    }

    /// Takes the view that a snapshot is to be made of, if the engine is where the node is. A
    /// follower always is. A leader executes ahead of the log; it makes one only if nobody else
    /// could, in a moment in which all that it has executed is in the log.
    fn take_view(&mut self, standing: &Standing, snapshots: &GroupSnapshots) {
        let now = self.shard.clock.now();
        let is_alone = self.node.view.live(now).is_empty();
        let may = match standing.status {
            Status::Following => standing.has_caught_up,
            Status::Leading(_) => is_alone,
            Status::Candidate | Status::InDoubt(_) | Status::Ended => false,
        };
        if !may || !matches!(self.has, Has::Shard) {
            return;
        }
        let at = standing.position;
        let view = self.with_shard(|_, State { engine, .. }, now| {
            let is_there = engine.log().last() == at.lsn && engine.is_data_whole();
            is_there.then(|| View {
                frozen: engine.freeze(),
                at,
                empty: engine.empty_like(now),
                now,
            })
        });
        if let Some(view) = view {
            snapshots.hand_in(view);
        }
    }

    /// Serves nobody, and has nothing any more.
    fn drop_all(&mut self) {
        self.end_lead(|node, state, now| {
            node.shows = false;
            state.engine.drop_data(now);
        });
    }

    /// Changes the shard under its lock, and delivers what follows for clients.
    fn with_shard<T>(&mut self, change: impl FnOnce(&mut Node, &mut State, Now) -> T) -> T {
        let node = &mut self.node;
        self.shard
            .with_state(&mut self.meter, |state, now| change(node, state, now))
    }

    /// Gives the shard the data that were loaded, if it does not have them yet.
    fn hand_in(&mut self) {
        let Has::Filling(filled) = mem::replace(&mut self.has, Has::Shard) else {
            return;
        };
        let (mut engine, replay) = *filled;
        let last = engine.log().last();
        // weir leaves nothing out that it wrote itself.
        drop(engine.end_replay(replay, last, Journalling::Replaying));
        let (keys, streams) = engine.keyspace().counts();
        tracing::info!(
            lsn = last.number(),
            keys,
            streams,
            "the log was read to its end"
        );
        self.with_shard(|node, state, now| {
            node.shows = true;
            node.log.note_durable(last);
            state.persistence.take_over(&mut state.engine, engine, now);
            node.tell(state, now);
        });
        if let Some(joined) = self.joined.take() {
            // If nobody waits, the server stops.
            joined.send(()).ok();
        }
    }

    /// The shard is no leader any more, as `change` sees to. Replies of the leader are answered
    /// before it is anything else.
    fn end_lead(&mut self, change: impl FnOnce(&mut Node, &mut State, Now)) {
        self.with_shard(|node, state, now| {
            node.leads = false;
            node.log.be_silent();
            state.engine.server.pause.hand_over(false);
            change(node, state, now);
            state.persistence.look(&mut state.engine, now);
        });
        self.shard.answer_all();
        self.with_shard(|node, state, now| {
            node.log.follow();
            state.persistence.look(&mut state.engine, now);
            // Clients that wait are told, and ordinary ones disconnected: not before they may be
            // told anything.
            node.tell(state, now);
            state.engine.end_what_is_due(now);
        });
    }
}

impl Node {
    /// Until when a leader may answer, by the clock of the log.
    fn may_answer_until(&self) -> Option<Duration> {
        let standing = self.standing.as_ref()?;
        standing.may_answer_until().map(|until| until.0)
    }

    /// Tells the engine what is known of the group.
    fn tell(&mut self, state: &mut State, now: Now) {
        let Some(standing) = self.standing else {
            return;
        };
        self.told = now.mono;
        let is = (self.leads, self.shows);
        let topology = self.view.topology(&standing, &self.log, is, now);
        state.engine.set_topology(Some(topology));
    }
}

impl Has {
    /// An engine at the start of the log.
    fn nothing(shard: &Shard) -> Has {
        let now = shard.clock.now();
        let mut engine = shard.lock().engine.empty_like(now);
        let replay = engine.begin_replay(now);
        Has::Filling(Box::new((engine, replay)))
    }
}

impl Replica for Member {
    fn apply(&mut self, group: ReadGroup) -> Result<(), Inapplicable> {
        let _guard = PanicEndsProcess::with(
            "a group of the log could not be applied: this is an error of weir; nothing in the log \
             was changed",
        );
        let ReadGroup { first, last, bytes } = group;
        let applied = match &mut self.has {
            Has::Filling(filled) => {
                let (engine, replay) = &mut **filled;
                engine.replay_group(replay, &bytes, Author::Weir, (first, last))
            }
            Has::Shard => self.with_shard(|node, state, now| {
                let applied = apply(&mut state.engine, &bytes, (first, last), now);
                node.log.note_durable(last);
                applied
            }),
        };
        applied.map_err(|error| Inapplicable {
            first,
            last,
            reason: error.to_string(),
        })
    }

    fn begun(&mut self, epoch: Epoch, greeting: &[u8]) {
        let leader = String::from_utf8_lossy(greeting);
        tracing::info!(epoch = epoch.number, %leader, "another server leads");
        self.with_shard(|node, state, now| {
            node.view.begun(epoch, &leader, now);
            node.tell(state, now);
        });
    }

    fn durable(&mut self, lsn: Lsn) {
        self.node.log.note_durable(lsn);
    }

    fn stands(&mut self, standing: &Standing) {
        let status = self.node.standing.map(|before| before.status);
        self.node.standing = Some(*standing);
        self.node.view.stands(standing);
        if self.node.leads {
            self.node.log.extend_lease(self.node.may_answer_until());
        } else if standing.has_caught_up {
            self.hand_in();
        }
        let now = self.shard.clock.now();
        let is_news = status != Some(standing.status);
        let snapshots = self.snapshots.clone();
        if let Some(snapshots) = &snapshots {
            snapshots.note_followed();
            if snapshots.is_wanted() {
                self.take_view(standing, snapshots);
            }
        }
        if is_news || now.mono >= self.node.told.plus(TELL_EVERY_MS) {
            self.with_shard(|node, state, now| node.tell(state, now));
            if let Some(snapshots) = &snapshots {
                snapshots.note_heard(self.node.view.live(now));
            }
            let mut successors = self.shard.group.successors.lock();
            *successors = self.node.view.successors(now);
        }
    }

    fn heard(&mut self, presence: Presence) {
        let now = self.shard.clock.now();
        self.node.view.heard(presence, now);
    }

    fn kept_by(&mut self, servers: LogServers) {
        let now = self.shard.clock.now();
        self.node.view.kept_by(servers, now);
    }

    fn lead(&mut self, lead: Lead) {
        self.hand_in();
        self.with_shard(|node, state, now| {
            node.leads = true;
            node.view.leads(lead.epoch());
            let last = state.engine.log().last();
            node.log.extend_lease(node.may_answer_until());
            let outlet = move |first, last, batches| lead.append(first, last, batches);
            node.log.lead(last, Box::new(outlet));
            state.engine.set_journalling(Journalling::On);
            state.persistence.look(&mut state.engine, now);
            node.tell(state, now);
        });
    }

    fn go_on(&mut self) {
        tracing::warn!("the lead was not handed over; this server goes on");
        self.with_shard(|_, state, now| {
            state.engine.server.pause.hand_over(false);
            state.engine.end_what_is_due(now);
        });
    }

    fn hand_over(&mut self) {
        self.end_lead(|_, state, _| state.engine.set_journalling(Journalling::Replaying));
    }

    fn step_down(&mut self, _: Deposed) -> Beginning {
        self.drop_all();
        self.begin()
    }

    fn left_behind(&mut self, stop: &Stop) -> Option<Beginning> {
        let snapshots = self.snapshots.clone()?;
        let StopReason::Trimmed { first } = stop.reason else {
            return None;
        };
        self.drop_all();
        let loaded = snapshots.load_from(&self.shard, first)?;
        Some(Beginning {
            at: self.begin_with(Some(loaded)),
            mark: self.mark,
        })
    }

    fn halt(&mut self, why: Halt) {
        self.node.leads = false;
        self.shard.halt(why);
        self.joined = None;
    }
}

/// Applies a group to an engine from which clients are served.
fn apply(
    engine: &mut Engine,
    bytes: &[u8],
    (first, last): (Lsn, Lsn),
    now: Now,
) -> Result<(), ReplayError> {
    let has = engine.log().last();
    let mut replay = engine.begin_replay_after(has, now);
    let applied = engine.replay_group(&mut replay, bytes, Author::Weir, (first, last));
    let last = engine.log().last();
    drop(engine.end_replay(replay, last, Journalling::Replaying));
    // Clients that wait for what has come.
    engine.run_schedule(now);
    applied
}
