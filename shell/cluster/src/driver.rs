//! The thread that runs the protocol: it tells the [`Node`] what has happened, and does what that
//! says.
//!
//! The owner has a [`Driver`], which may be used from all threads. What it hands in waits in a
//! queue; what it asks is answered from what the thread has left there after its last step, so
//! nobody waits for the log.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use batch::{Encoded, Lsn};
use parking_lot::Mutex;
use replication::{
    Action, Epoch, Event, GroupError, Identity, Mark, Node, NodeId, Position, Settings,
    SettingsError, Status, Steady, StopReason,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::clock;
use crate::config::ServiceConfig;
use crate::error::OpenError;
use crate::gathered::Gathered;
use crate::limits::PRESENCE_EVERY;
use crate::presence::{Nodes, Presence};
use crate::replica::{Beginning, Halt, Replica};
use crate::service::LogService;

/// What a driver is started with.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// The log.
    pub service: ServiceConfig,
    /// How long what may take. Records are made shorter if the servers take none that long.
    pub settings: Settings,
    /// This node's number in the group.
    pub id: NodeId,
    /// What this node says of itself, such as its address.
    pub greeting: String,
    /// The version of this node, for the others to know.
    pub version: String,
}

/// Why a driver does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system gives no thread or no random numbers.
    #[error("the thread of the log cannot be started: {0}")]
    System(#[from] io::Error),
}

/// What a node is, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is doing.
    pub status: Status,
    /// How far it knows the log.
    pub position: Position,
    /// What it has seen of the log, to be kept on its disk from time to time.
    pub mark: Mark,
    /// Whether it has read all that it has ever seen, and once all that there was. Before, it
    /// answers nobody.
    pub has_caught_up: bool,
    /// Whether the lead is being handed over: nothing may be executed.
    pub is_handing_over: bool,
    /// Records of a leader that are on their way.
    pub under_way: usize,
    /// When a follower last had all that a replica of the log had; none before that.
    pub reached_end: Option<Steady>,
    may_answer_until: Option<Steady>,
}

impl Standing {
    fn of(node: &Node) -> Standing {
        Standing {
            status: node.status(),
            position: *node.position(),
            mark: node.mark(),
            has_caught_up: node.has_caught_up() && node.reached_end().is_some(),
            is_handing_over: node.is_handing_over(),
            under_way: node.under_way(),
            reached_end: node.reached_end(),
            may_answer_until: node.may_answer_until(),
        }
    }

    /// Whether it has read all that there was: a leader, or a follower that has been at the end.
    pub fn has_read_all(&self) -> bool {
        self.has_caught_up || self.may_answer_until.is_some()
    }

    /// Whether a leader may answer clients now, after it has executed what they asked.
    pub fn may_answer(&self) -> bool {
        self.may_answer_until
            .is_some_and(|until| clock::now() < until)
    }

    /// Until when it may, by [`steady_now`](crate::steady_now); none if it does not lead.
    pub fn may_answer_until(&self) -> Option<Steady> {
        self.may_answer_until
    }
}

/// A node of a group, at work on a thread of its own. Dropping it ends the thread, without handing
/// over.
#[derive(Debug)]
pub struct Driver {
    orders: UnboundedSender<Order>,
    standing: Arc<Mutex<Standing>>,
    thread: Option<JoinHandle<()>>,
}

/// The right to append, which a replica gets when its node begins to lead. It ends with the lead:
/// what is handed in after that is dropped, and the replica is told to step down.
#[derive(Clone, Debug)]
pub struct Lead {
    epoch: Epoch,
    orders: UnboundedSender<Order>,
}

impl Lead {
    /// The epoch in which it began, however many the leader goes through until it stops leading.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Hands in batches that this node has executed. They follow those that were handed in before.
    /// Waits for nothing.
    pub fn append(&self, first: Lsn, last: Lsn, batches: Encoded) {
        // The thread has ended if the log cannot be trusted. The replica was told.
        let _ = self.orders.send(Order::Append {
            since: self.epoch,
            first,
            last,
            batches,
        });
    }
}

/// What the owner wants.
#[derive(Debug)]
enum Order {
    Append {
        since: Epoch,
        first: Lsn,
        last: Lsn,
        batches: Encoded,
    },
    HandOver(NodeId),
    End,
}

impl Driver {
    /// Opens the log, and begins to follow it behind what the replica has.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(
        config: DriverConfig,
        beginning: Beginning,
        replica: impl Replica,
    ) -> Result<Driver, StartError> {
        let settings = config.settings.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let service = runtime.block_on(LogService::open(&config.service))?;
        let nodes = runtime.block_on(service.nodes(&config.service.group))?;
        let settings = Settings {
            body_bytes_max: settings.body_bytes_max.min(service.body_bytes_max()),
            ..settings
        };
        let entropy = getrandom::u64().map_err(io::Error::from)?;
        let identity = Identity {
            id: config.id,
            entropy,
            greeting: config.greeting.clone().into_bytes(),
        };
        let (orders, received) = unbounded_channel();
        let node = follower(settings, identity.clone(), beginning);
        let standing = Arc::new(Mutex::new(Standing::of(&node)));
        let work = Work {
            settings,
            identity,
            node,
            service,
            nodes,
            card: (config.greeting, config.version),
            say_at: clock::now(),
            replica,
            orders: orders.clone(),
            received,
            standing: standing.clone(),
            is_handing_over: false,
            lead: None,
        };
        let thread = thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || runtime.block_on(work.run()))?;
        Ok(Driver {
            orders,
            standing,
            thread: Some(thread),
        })
    }

    /// Has this node hand over to another one, if it leads. Everything that was executed must have
    /// been handed in, and nothing may be executed until the replica is told to hand over, or to go
    /// on.
    pub fn hand_over(&self, to: NodeId) {
        self.order(Order::HandOver(to));
    }

    /// What this node is, and how far it is.
    pub fn standing(&self) -> Standing {
        *self.standing.lock()
    }

    fn order(&self, order: Order) {
        // The thread has ended if the log cannot be trusted. The replica was told.
        let _ = self.orders.send(order);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.order(Order::End);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the thread of the log has panicked");
        }
    }
}

/// A node that begins to follow.
fn follower(settings: Settings, identity: Identity, beginning: Beginning) -> Node {
    Node::new(
        settings,
        identity,
        beginning.at,
        beginning.mark,
        clock::now(),
    )
}

/// What the thread works with.
struct Work<R> {
    settings: Settings,
    identity: Identity,
    node: Node,
    service: LogService,
    nodes: Nodes,
    /// What this node says of itself, and its version.
    card: (String, String),
    /// When it says so next.
    say_at: Steady,
    replica: R,
    /// What the replica gets to append with.
    orders: UnboundedSender<Order>,
    received: UnboundedReceiver<Order>,
    standing: Arc<Mutex<Standing>>,
    /// Whether the lead was being handed over after the last step.
    is_handing_over: bool,
    /// While this node leads.
    lead: Option<Leading>,
}

/// What there is while a node leads.
struct Leading {
    /// The epoch in which it began to.
    since: Epoch,
    /// What was handed in, and waits for room.
    gathered: Gathered,
}

/// What the thread wakes for.
#[derive(Debug)]
enum Woken {
    Event(Event),
    Order(Order),
    Heard(Presence),
}

impl<R: Replica> Work<R> {
    async fn run(mut self) {
        let why = match self.follow_orders().await {
            Ok(()) => return,
            Err(why) => why,
        };
        error!(%why, "this node serves nobody any more");
        self.lead = None;
        self.note_standing();
        self.replica.halt(why);
    }

    /// Works until the owner wants no more.
    async fn follow_orders(&mut self) -> Result<(), Halt> {
        self.node.apply(clock::now(), Event::Tick);
        loop {
            self.act().await?;
            match self.wait().await {
                Woken::Order(Order::End) => return Ok(()),
                Woken::Order(order) => self.follow(order)?,
                Woken::Event(event) => self.node.apply(clock::now(), event),
                Woken::Heard(presence) => self.replica.heard(presence),
            }
            // All that the engine has done by now goes into one group.
            for _ in 0..self.received.len() {
                match self.received.try_recv() {
                    Ok(Order::End) => return Ok(()),
                    Ok(order) => self.follow(order)?,
                    Err(_) => break,
                }
            }
            self.say().await;
        }
    }

    fn follow(&mut self, order: Order) -> Result<(), GroupError> {
        match order {
            Order::Append {
                since,
                first,
                last,
                batches,
            } => {
                // Others were executed by an engine that is gone.
                match self.lead.as_mut().filter(|lead| lead.since == since) {
                    Some(lead) => lead.gathered.add(first, last, batches),
                    None => Ok(()),
                }
            }
            Order::HandOver(to) => self.hand_over(to),
            Order::End => Ok(()),
        }
    }

    /// Tells the other nodes of this one, and asks who keeps the log, if it is time.
    async fn say(&mut self) {
        let now = clock::now();
        if now < self.say_at {
            return;
        }
        self.say_at = now.plus(PRESENCE_EVERY);
        let position = self.node.position();
        let (greeting, version) = self.card.clone();
        let presence = Presence {
            id: self.identity.id,
            greeting,
            lsn: position.lsn,
            chain: position.chain.to_string(),
            version,
            leads: match self.node.status() {
                Status::Leading(epoch) | Status::InDoubt(epoch) => Some(epoch.number),
                Status::Following | Status::Candidate | Status::Ended => None,
            },
        };
        self.nodes.say(&presence).await;
        let servers = self.service.ask_for_servers().await;
        self.replica.kept_by(servers);
    }

    async fn wait(&mut self) -> Woken {
        let deadline = self.node.next_deadline().into_iter();
        let deadline = deadline.chain([self.say_at]).min();
        let tick = sleep(deadline.map_or(self.settings.beat, clock::until));
        tokio::select! {
            event = self.service.next() => Woken::Event(event),
            presence = self.nodes.next() => Woken::Heard(presence),
            order = self.received.recv() => Woken::Order(order.unwrap_or(Order::End)),
            () = tick => Woken::Event(Event::Tick),
        }
    }

    /// Does everything that is to be done now.
    async fn act(&mut self) -> Result<(), Halt> {
        loop {
            self.commit()?;
            let actions = self.node.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                self.perform(action).await?;
            }
        }
        self.note_standing();
        let was_handing_over = self.is_handing_over;
        self.is_handing_over = self.node.is_handing_over();
        if was_handing_over && !self.is_handing_over && self.lead.is_some() {
            self.replica.go_on();
        }
        Ok(())
    }

    async fn perform(&mut self, action: Action) -> Result<(), Halt> {
        match action {
            Action::Publish(publish) => self.service.publish(publish).await,
            Action::Read(read) => self.service.read(read),
            Action::Apply(group) => self.replica.apply(group)?,
            Action::Begun { epoch, greeting } => self.replica.begun(epoch, &greeting),
            Action::Durable(lsn) => self.replica.durable(lsn),
            Action::Lead(epoch) => {
                info!(epoch = epoch.number, "this node leads");
                self.lead = Some(Leading {
                    since: epoch,
                    gathered: Gathered::behind(self.node.position().lsn),
                });
                self.note_standing();
                self.replica.lead(Lead {
                    epoch,
                    orders: self.orders.clone(),
                });
            }
            Action::HandedOver => {
                info!("the lead was handed over");
                self.lead = None;
                self.note_standing();
                self.replica.hand_over();
            }
            Action::StepDown(deposed) => {
                warn!(epoch = deposed.by.number, "another node leads");
                self.lead = None;
                self.note_standing();
                let beginning = self.replica.step_down(deposed);
                self.begin_again(beginning);
            }
            Action::Stop(stop) => {
                let is_left_behind = matches!(stop.reason, StopReason::Trimmed { .. });
                if !is_left_behind {
                    return Err(Halt::Log(stop));
                }
                warn!(%stop, "this node was left behind");
                self.lead = None;
                self.note_standing();
                let beginning = self.replica.left_behind(&stop);
                self.begin_again(beginning.ok_or(Halt::Log(stop))?);
            }
        }
        Ok(())
    }

    /// Follows behind what the replica has, as a node that was just started.
    fn begin_again(&mut self, beginning: Beginning) {
        self.identity.entropy = self.identity.entropy.wrapping_add(NONCES_PER_LIFE);
        self.node = follower(self.settings, self.identity.clone(), beginning);
        self.node.apply(clock::now(), Event::Tick);
    }

    /// Hands what has gathered to the protocol, if it wants it.
    fn commit(&mut self) -> Result<(), GroupError> {
        match &self.lead {
            Some(lead) if self.node.wants_commit(lead.gathered.bytes()) => self.commit_now(),
            Some(_) | None => Ok(()),
        }
    }

    fn commit_now(&mut self) -> Result<(), GroupError> {
        let Some(lead) = &mut self.lead else {
            return Ok(());
        };
        match lead.gathered.take(self.settings.body_bytes_max)? {
            Some(group) => self.node.commit(clock::now(), group),
            None => Ok(()),
        }
    }

    fn hand_over(&mut self, to: NodeId) -> Result<(), GroupError> {
        if self.lead.is_some() && !self.node.is_handing_over() {
            self.commit_now()?;
            self.node.hand_over(clock::now(), to);
            // Not while it is in doubt.
            if !self.node.is_handing_over() {
                self.replica.go_on();
            }
        }
        Ok(())
    }

    fn note_standing(&mut self) {
        let standing = Standing::of(&self.node);
        *self.standing.lock() = standing;
        self.replica.stands(&standing);
    }
}

/// A node counts its nonces from its entropy on, so another life of it needs other ones.
const NONCES_PER_LIFE: u64 = 1 << 32;
