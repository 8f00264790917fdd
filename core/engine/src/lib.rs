//! The deterministic heart of weir: keyspace, clients, requests, transactions, blocking, effects.
//!
//! An [`Engine`] is a plain value without clock, randomness, thread, file or socket. Requests,
//! times and deliveries go in and out through a handful of methods: [`Engine::request`] runs a
//! command, [`Engine::timer`] does what is due, [`Engine::next_deadline`] says when,
//! [`Engine::replay`] runs a journal. The owner of the engine drives it: the server under one lock
//! for each shard, the simulator from an event queue, a test by hand.
//!
//! Read on in [`command`] (what a command is), [`store::effect`] (what can happen) and
//! [`store::apply`] (where it happens). The commands themselves are a crate above this one, whose
//! table an engine is given.

pub mod address;
pub mod args;
pub mod clients;
pub mod command;
pub mod config;
pub mod error;
mod fold;
pub mod glob;
pub mod limits;
pub mod observe;
pub mod recover;
mod request;
mod rng;
pub mod scripting;
pub mod server;
pub mod store;
pub mod table;
mod time;
pub mod topology;
pub mod upkeep;
pub mod users;

use std::collections::BTreeSet;

use collections::hash::NameHasher;
use resp::{Protocol, Sender};
use stream::{IdText, Unpacked};

pub use crate::config::OnUnknown;
pub use crate::recover::reload::Contents;
pub use crate::recover::replay::{
    Author, Expired, LeftOut, LeftOutKey, Refused, Replay, ReplayError, Unknown,
};
pub use crate::request::prepared::Unwritten;
pub use crate::store::dropped::Dropped;
pub use batch::{Encoded, Lsn};
pub use rng::Rng;
pub use time::{Mono, Now, UnixMs};

use crate::clients::channels::Channels;
use crate::clients::delivery::{Delivery, Outgoing};
use crate::clients::monitor::Monitors;
use crate::clients::pattern_reads::PatternReads;
use crate::clients::pause::Pause;
use crate::clients::session::{IoFigures, SessionId, Sessions};
use crate::clients::tracking::Tracking;
use crate::clients::waiting::Blocking;
use crate::clients::watch::Watches;
use crate::command::CommandTable;
use crate::config::{Config, OutputLimits, Settings};
use crate::error::CmdError;
use crate::observe::slow_log::{Latencies, SlowLog, Unmeasured};
use crate::observe::stages::Stages;
use crate::observe::stats::{CommandStats, ErrorStats, KeyspaceStats, LastLoad, Rate};
use crate::scripting::{Functions, Scripts};
use crate::server::migrations::Migrations;
use crate::server::{Order, Server, ShellFigures};
use crate::store::apply::Data;
use crate::store::dropped::{Discard, What};
use crate::store::eviction::Pool;
use crate::store::keyspace::{Frozen, Keyspace, Usage};
use crate::store::libraries::Libraries;
use crate::store::log::{EffectLog, Journalling};
use crate::store::notifications::{Classes, Notification, Notifications};
use crate::store::packing::PackingQueue;
use crate::table::CommandIndex;
use crate::users::Users;

/// A shard: its keyspace, its clients, and everything that commands do to them.
#[derive(Debug)]
pub struct Engine {
    data: Data,
    commands: &'static CommandTable,
    seed: u64,
    /// All that is not keyspace.
    pub server: Server,
}

/// The version of Redis that clients are told.
pub const REDIS_VERSION: &str = "8.6.3";

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// The batch that must be durable before the reply leaves.
    pub depends_on: Lsn,
    /// What happens to the connection.
    pub then: Next,
    /// What the client may send from now on.
    pub sender: Sender,
}

/// How requests of a client are to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The protocol for its replies.
    pub protocol: Protocol,
    /// What it may send.
    pub sender: Sender,
    /// It has sent more than may wait to be run; the shell then closes its connection.
    pub is_above_query_limit: bool,
    /// How much may wait to be sent to it.
    pub output_limits: OutputLimits,
}

/// What happens to a connection after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It continues.
    Continue,
    /// It waits; a [`Delivery`] with [`clients::delivery::Then::Resume`] ends that.
    Wait,
    /// It is closed after the reply.
    Close,
    /// It is closed at once, and what was written for it is dropped: it speaks another protocol.
    Abandon,
}

impl Engine {
    /// An empty engine that knows these commands. The same settings, seed and calls give the same
    /// engine, byte for byte.
    pub fn new(settings: Settings, seed: u64, now: Now, commands: &'static CommandTable) -> Engine {
        let config = Config::resolve(&settings);
        // Clients see some random numbers, and may work out from them what the generator began
        // with.
        let secret = NameHasher::new([seed, 0]);
        let hash_key = [secret.hash(b"keys, first"), secret.hash(b"keys, second")];
        let mut usage = Usage::new(Rng::new(secret.hash(b"uses")));
        usage.settings_changed(&config.eviction);
        let mut notifications = Notifications::default();
        notifications.publish_as_said(config.keyspace_events);
        let index = CommandIndex::new(commands.rows());
        Engine {
            data: Data {
                keyspace: Keyspace::new(config.databases, hash_key),
                libraries: Libraries::default(),
                log: EffectLog::new(Journalling::Off, Lsn::ZERO),
                watches: Watches::default(),
                tracking: Tracking::new(secret.hash(b"tracking"), config.tracked_keys_max),
                blocking: Blocking::default(),
                pattern_reads: PatternReads::default(),
                stats: KeyspaceStats::default(),
                retention: config.retention,
                added: store::apply::Added::Now,
                producer_seed: secret.hash(b"producers"),
                node_limits: config.node_limits,
                thresholds: config.thresholds,
                packing: PackingQueue::default(),
                stream_compress: config.stream_compress,
                hll_sparse_bytes_max: config.hll_sparse_bytes_max,
                prepared: None,
                payload: None,
                dropped: Discard::default(),
                usage,
                pool: Pool::default(),
                notifications,
                last_load: LastLoad::default(),
            },
            commands,
            seed,
            server: Server {
                command_stats: vec![CommandStats::default(); commands.rows().len()],
                sessions: Sessions::default(),
                users: Users::new(&index, &config, secret.hash(b"passwords")),
                commands: index,
                rng: Rng::new(secret.hash(b"random numbers")),
                unpacked: Unpacked::default(),
                id_text: IdText::new(),
                started: now,
                monitors: Monitors::default(),
                channels: Channels::default(),
                topology: None,
                wait_for_replicas: BTreeSet::new(),
                loading: None,
                writes: server::Writes::Accepted,
                room: server::Room::default(),
                held_bytes: 0,
                refused_in_replay: None,
                unmeasured: Unmeasured::default(),
                slow_log: SlowLog::default(),
                latencies: Latencies::default(),
                hot_keys: None,
                errors: ErrorStats::default(),
                command_rate: Rate::default(),
                input_rate: Rate::default(),
                output_rate: Rate::default(),
                cycle_rate: Rate::default(),
                busy_rate: Rate::default(),
                stages: Stages::default(),
                pause: Pause::default(),
                scripts: Scripts::default(),
                functions: Functions::default(),
                afterwards: Vec::new(),
                clients_bytes: 0,
                idle_looked: now.mono,
                outbox: Vec::new(),
                orders: Vec::new(),
                migrations: Migrations::default(),
                shell: ShellFigures::default(),
                config,
                settings,
            },
        }
    }

    /// Adds a client that connected.
    pub fn connect(&mut self, address: String, local_address: String, now: Now) -> SessionId {
        let Server {
            sessions, users, ..
        } = &mut self.server;
        sessions.connect(address, local_address, users, now)
    }

    /// A client has shown a certificate with this common name, which an authority has signed.
    pub fn certificate_shown(&mut self, id: SessionId, name: &[u8], now: Now) {
        let watches = &self.data.watches;
        self.server.certificate_shown(id, watches, name, now);
    }

    /// Removes a client: its watches, its subscriptions, its tracking, its queued commands and its
    /// wait end.
    pub fn disconnect(&mut self, id: SessionId) {
        let Some(mut session) = self.server.sessions.take(id) else {
            return;
        };
        self.server.channels.unsubscribe_all(&mut session);
        self.data.watches.remove(id, session.watched.keys());
        self.data.forget_tracker(&mut session);
        if let Some(wait) = &session.wait {
            self.data.blocking.remove(id, wait);
        }
        if session.monitor {
            self.server.monitors.remove(id);
        }
        self.server.migrations.client_gone(id);
        self.server.sessions.disconnect(&session);
        self.data.dropped.take(What::Session(session));
    }

    /// Announces requests of a client, with the figures of its connection. Returns how they are to
    /// be served, unless it is gone.
    #[inline]
    pub fn begin_requests(&mut self, id: SessionId, io: IoFigures) -> Option<Terms> {
        if self.server.config.clients_bytes_max > 0 {
            self.set_io_figures(id, io);
        }
        let session = self.server.sessions.find_mut(id)?;
        session.io = io;
        let config = &self.server.config;
        Some(Terms {
            protocol: session.protocol,
            sender: session.sender(&self.server.users),
            is_above_query_limit: session.request_bytes() > config.query_bytes_max,
            output_limits: config.output_limits.of(session.class),
        })
    }

    /// Tells how many bytes of a client have come and not run, once what was complete has run: what
    /// is queued or waits is counted where it is, and must not count here too. Returns how much may
    /// wait to be sent to the client, unless it is gone: its class may have changed.
    #[inline]
    pub fn end_requests(&mut self, id: SessionId, query_bytes: usize) -> Option<OutputLimits> {
        let session = self.server.sessions.find_mut(id)?;
        session.io.query_bytes = query_bytes;
        Some(self.server.config.output_limits.of(session.class))
    }

    /// How much may wait to be sent to a client, by its class as it is now.
    pub fn output_limits(&self, id: SessionId) -> OutputLimits {
        let session = self.server.sessions.find(id);
        let class = session.map(|session| session.class).unwrap_or_default();
        self.server.config.output_limits.of(class)
    }

    /// Returns whether messages to channels are among what goes out. They have to leave before the
    /// replies to any request that runs later, or a client that no longer listens would get one.
    #[inline]
    pub fn has_messages(&self) -> bool {
        self.server.channels.news.is_posted()
    }

    /// Takes what goes to clients other than the one whose request ran.
    pub fn take_outbox(&mut self) -> Vec<Outgoing> {
        self.server.channels.news.taken();
        self.server.monitors.hand_out(&mut self.server.outbox);
        if self.has_invalidations() {
            let Server {
                sessions, outbox, ..
            } = &mut self.server;
            let depends_on = self.data.log.last();
            self.data.tracking.hand_out(sessions, depends_on, outbox);
        }
        std::mem::take(&mut self.server.outbox)
    }

    /// Returns whether clients are to be told of keys that have changed. What a script has changed
    /// that is not finished is told when it is.
    fn has_invalidations(&self) -> bool {
        self.data.tracking.has_untold() && !self.data.log.has_aside()
    }

    /// The same, client by client.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        let outbox = self.take_outbox().into_iter();
        outbox.flat_map(Outgoing::into_deliveries).collect()
    }

    /// Returns whether anything goes to clients other than the one whose request ran.
    pub fn has_outbox(&self) -> bool {
        !self.server.outbox.is_empty()
            || self.server.monitors.has_lines()
            || self.has_invalidations()
    }

    /// Returns whether commands asked for work of the shell.
    pub fn has_orders(&self) -> bool {
        !self.server.orders.is_empty()
    }

    /// Returns whether a client that sent something that is not a request wants a reply to it.
    pub fn wants_answer(&mut self, id: SessionId) -> bool {
        let session = self.server.sessions.find_mut(id);
        session.is_none_or(|session| session.wants_answer(session.replies))
    }

    /// Takes the work that commands asked of the shell. What needs whole data waits until it is
    /// ([`Engine::is_data_whole`]).
    pub fn take_orders(&mut self) -> Vec<Order> {
        match self.is_data_whole() {
            true => std::mem::take(&mut self.server.orders),
            false => self.take_orders_for_later(),
        }
    }

    #[cold]
    fn take_orders_for_later(&mut self) -> Vec<Order> {
        let orders = std::mem::take(&mut self.server.orders).into_iter();
        let (later, now) = orders.partition(Order::needs_whole_data);
        self.server.orders = later;
        now
    }

    /// Returns whether everything that was done to the data is in complete batches. Otherwise a
    /// script that is not finished has written: whoever takes the data as they are takes half of
    /// what it does.
    #[inline]
    pub fn is_data_whole(&self) -> bool {
        !self.data.log.has_aside()
    }

    /// From now on keyspace notifications of these classes are kept; whoever asks for them takes
    /// them after each request.
    pub fn listen_to(&mut self, classes: Classes) {
        self.data.notifications.listen_to(classes);
    }

    /// Takes the keyspace notifications of what happened since they were taken last.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.data.notifications.take()
    }

    /// Takes large values that are no longer part of the keyspace. The caller drops them where
    /// nobody waits for it.
    pub fn take_dropped(&mut self) -> Vec<Dropped> {
        self.data.dropped.take_all()
    }

    /// About how many bytes wait to be dropped.
    #[inline]
    pub fn dropped_bytes(&self) -> u64 {
        self.data.dropped.bytes() as u64
    }

    /// Returns whether something waits to be dropped.
    pub fn has_dropped(&self) -> bool {
        !self.data.dropped.is_empty()
    }

    /// Applies new settings: resolves the config again, and passes on what the keyspace needs of
    /// it.
    pub fn settings_changed(&mut self) {
        let settings = self.server.settings.clone();
        self.server.take_settings(settings, None);
        self.data.settings_changed(&self.server.config);
    }

    /// Puts settings into effect that a client asked for, after the shell has done its part.
    ///
    /// # Errors
    /// A value does not fit its row; nothing has changed then.
    pub fn say_settings(&mut self, pairs: &[(String, String)]) -> Result<(), CmdError> {
        let mut settings = self.server.settings.clone();
        for (name, value) in pairs {
            settings
                .set(name, value)
                .map_err(|error| error.refusal(name))?;
        }
        self.server.take_settings(settings, None);
        self.data.settings_changed(&self.server.config);
        Ok(())
    }

    /// Takes the users that the settings name; the server has not begun to serve.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn configure_users(&mut self) -> Result<(), String> {
        let Server {
            users,
            commands,
            config,
            settings,
            ..
        } = &mut self.server;
        users.add_lines(settings.users(), commands, config)
    }

    /// Replaces all users by those of a file. Clients whose user is gone are disconnected.
    ///
    /// # Errors
    /// What is wrong with the file; nothing has changed then.
    pub fn load_users(&mut self, path: &str, text: &[u8]) -> Result<(), String> {
        let Server {
            users,
            commands,
            config,
            ..
        } = &mut self.server;
        users.load_file(path, text, commands, config)?;
        for id in self.server.sessions_follow_users(None) {
            self.disconnect_other(id);
        }
        Ok(())
    }

    /// The keyspace, to look at.
    pub fn keyspace(&self) -> &Keyspace {
        &self.data.keyspace
    }

    /// The libraries of functions, to look at.
    pub fn libraries(&self) -> &Libraries {
        &self.data.libraries
    }

    /// All databases and libraries as they are now, for a thread that serialises them. They have to
    /// be whole ([`Engine::is_data_whole`]).
    pub fn freeze(&self) -> Frozen {
        let Data {
            keyspace,
            libraries,
            usage,
            ..
        } = &self.data;
        keyspace.freeze(libraries, usage)
    }

    /// Who tracks which keys.
    pub fn tracking(&self) -> &Tracking {
        &self.data.tracking
    }

    /// Reads of many streams by a pattern.
    pub fn pattern_reads(&self) -> &PatternReads {
        &self.data.pattern_reads
    }

    /// Who waits for which keys.
    pub fn blocking(&self) -> &Blocking {
        &self.data.blocking
    }

    /// Counters of the keyspace.
    pub fn stats(&self) -> &KeyspaceStats {
        &self.data.stats
    }

    /// The effects that no log has taken yet.
    pub fn log(&self) -> &EffectLog {
        &self.data.log
    }

    /// The encoded effects, for a log that takes them and leaves nothing.
    pub fn effects(&mut self) -> &mut Encoded {
        self.data.log.encoded_mut()
    }

    /// Forgets the encoded effects, once a log has them. What comes next can be read without them.
    pub fn effects_taken(&mut self) {
        self.data.log.clear();
    }

    /// Begins or ends the encoding of effects for a log.
    pub fn set_journalling(&mut self, journalling: Journalling) {
        self.data.log.set_journalling(journalling);
    }
}
