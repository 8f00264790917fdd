//! Everything in a shard that is neither keyspace nor one client: settings, clients, counters,
//! output.

pub mod migrations;
mod users;

use std::collections::BTreeSet;
use std::sync::Arc;

use batch::{GroupSizes, Lsn};
use collections::Key;
use stream::{IdText, Unpacked};

use crate::clients::channels::Channels;
use crate::clients::delivery::Outgoing;
use crate::clients::monitor::Monitors;
use crate::clients::pause::Pause;
use crate::clients::session::{SessionId, Sessions};
use crate::clients::waiting::GiveUp;
use crate::config::{Config, Settings};
use crate::error::{CmdError, TopologyError};
use crate::observe::hot_keys::HotKeys;
use crate::observe::slow_log::{Latencies, SlowLog, Unmeasured};
use crate::observe::stages::Stages;
use crate::observe::stats::{CommandStats, ErrorStats, Rate};
use crate::rng::Rng;
use crate::scripting::{Functions, LogLevel, Scripts};
use crate::server::migrations::{Migrations, Transfer};
use crate::table::CommandIndex;
use crate::time::{Mono, Now};
use crate::topology::{NodeId, Topology};
use crate::users::Users;

/// The progress of a load. Set by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading {
    /// When it began.
    pub begun: Now,
    /// Bytes of the files that are loaded; 0 while unknown.
    pub total_bytes: u64,
    /// Bytes that were read of them.
    pub loaded_bytes: u64,
}

impl Loading {
    /// A load that begins.
    pub fn begin(now: Now) -> Loading {
        Loading {
            begun: now,
            total_bytes: 0,
            loaded_bytes: 0,
        }
    }

    /// Returns how long it will still take, in seconds, at the rate so far; 1 while that is
    /// unknown.
    pub fn eta_s(&self, now: Now) -> u64 {
        let elapsed_s = now.mono.0.saturating_sub(self.begun.mono.0) / 1000;
        let left = u128::from(self.total_bytes.saturating_sub(self.loaded_bytes));
        let eta_s = u128::from(elapsed_s) * left / u128::from(self.loaded_bytes.max(1));
        match self.loaded_bytes {
            0 => 1,
            _ => u64::try_from(eta_s).unwrap_or(u64::MAX),
        }
    }
}

/// The state around the keyspace.
#[derive(Debug)]
pub struct Server {
    /// The value given for each setting.
    pub settings: Settings,
    /// What the settings mean.
    pub config: Config,
    /// The connected clients, without the one whose command runs.
    pub sessions: Sessions,
    /// Who may do what.
    pub users: Users,
    /// Lookup of commands by name.
    pub commands: CommandIndex,
    /// Counters by command, see [`CommandIndex`].
    pub command_stats: Vec<CommandStats>,
    /// Random numbers.
    pub rng: Rng,
    /// Chunks of streams that were unpacked to be read.
    pub unpacked: Unpacked,
    /// The text of the last ID in a reply.
    pub id_text: IdText,
    /// When the engine was made.
    pub started: Now,
    /// The clients that see all commands.
    pub monitors: Monitors,
    /// The channels that clients listen to.
    pub channels: Channels,
    /// What this node knows of its group; `None` if the server is alone.
    pub(crate) topology: Option<Box<Topology>>,
    /// Clients that wait for replicas, and some that no longer do.
    pub(crate) wait_for_replicas: BTreeSet<SessionId>,
    /// The progress of the load, until all data is there.
    pub loading: Option<Loading>,
    /// Which writes the shell accepts now.
    pub writes: Writes,
    /// Whether there is room for more once memory is used up.
    pub(crate) room: Room,
    /// About how many bytes were evicted that a view of the keyspace, which is being written, may
    /// still hold: they are free once it is written.
    pub(crate) held_bytes: u64,
    /// The first request that a replay could not run, even in a transaction.
    pub(crate) refused_in_replay: Option<Refusal>,
    /// Commands that ran and were not measured yet.
    pub(crate) unmeasured: Unmeasured,
    /// Commands that took long.
    pub slow_log: SlowLog,
    /// Events that took long.
    pub latencies: Latencies,
    /// The keys that take the most, since `HOTKEYS START`.
    pub hot_keys: Option<Box<HotKeys>>,
    /// Errors that were sent.
    pub errors: ErrorStats,
    /// Commands a second.
    pub command_rate: Rate,
    /// Bytes received a second.
    pub input_rate: Rate,
    /// Bytes sent a second.
    pub output_rate: Rate,
    /// Holds of the lock a second.
    pub cycle_rate: Rate,
    /// Nanoseconds a second for which it is held.
    pub busy_rate: Rate,
    /// Where the time went, stage by stage.
    pub stages: Stages,
    /// Requests held back by `CLIENT PAUSE`.
    pub pause: Pause,
    /// The scripts that are known, and what runs them.
    pub scripts: Scripts,
    /// What functions there are, and what runs them.
    pub functions: Functions,
    /// What a command wants done to other clients once it has ended.
    pub afterwards: Vec<Afterwards>,
    /// The memory of all clients, as last counted plus its growth since; not kept without
    /// `maxmemory-clients`.
    pub(crate) clients_bytes: u64,
    /// When idle clients were last looked for.
    pub(crate) idle_looked: Mono,
    /// What goes to clients other than the one whose request runs.
    pub outbox: Vec<Outgoing>,
    /// Work that commands ask of the shell.
    pub orders: Vec<Order>,
    /// Keys on their way to other servers.
    pub migrations: Migrations,
    /// Figures that only the shell knows, for `INFO`.
    pub shell: ShellFigures,
}

/// Whether there is room for more although memory is used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is not, since no key may be evicted.
    #[default]
    UsedUp,
    /// Keys were evicted, and more of them will be.
    ToCome,
    /// Enough keys were evicted.
    Enough,
}

/// Which writes are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Writes {
    /// All.
    #[default]
    Accepted,
    /// Those that only free memory ([`crate::table::Spec::frees`]), and why no others.
    Freeing(String),
    /// None, and why.
    Refused(String),
    /// None: another server leads, and this one follows.
    Elsewhere,
}

impl Writes {
    /// Why a command that writes is refused; `None` if it is not.
    #[inline]
    pub(crate) fn refusal(&self, frees: bool) -> Option<CmdError> {
        match self {
            Writes::Accepted => None,
            Writes::Freeing(_) if frees => None,
            Writes::Freeing(reason) | Writes::Refused(reason) => {
                Some(CmdError::Misconfigured(reason.clone()))
            }
            Writes::Elsewhere => Some(TopologyError::ReadOnlyReplica.into()),
        }
    }
}

/// A request of a journal that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The request's name.
    pub(crate) request: String,
    /// The error.
    pub(crate) reply: String,
}

/// What a command does to other clients, once it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    /// `CLIENT UNBLOCK`.
    EndWait(SessionId, GiveUp),
    /// `CLIENT KILL`.
    Disconnect(SessionId),
    /// `CLIENT UNPAUSE`.
    EndPause,
    /// `SCRIPT KILL`, `FUNCTION KILL`.
    EndUnfinished(GiveUp),
}

impl Server {
    /// Returns whether a snapshot is being written, or was just ordered.
    pub fn is_snapshotting(&self) -> bool {
        let orders = |order: &Order| {
            matches!(
                order,
                Order::Snapshot { .. } | Order::Shutdown { save: true, .. }
            )
        };
        self.shell.persistence.snapshotting || self.orders.iter().any(orders)
    }

    /// A client waits for replicas. Without a group there are none, and only its time ends that.
    pub fn wait_for_replicas(&mut self, id: SessionId) {
        if self.topology.is_some() {
            self.wait_for_replicas.insert(id);
        }
    }

    /// Returns whether the journal is being rewritten, or that was just ordered.
    pub fn is_rewriting(&self) -> bool {
        let orders = |order: &Order| *order == Order::RewriteJournal;
        self.shell.persistence.rewriting || self.orders.iter().any(orders)
    }

    /// Returns whether the memory limit is reached.
    #[inline]
    pub fn is_memory_used_up(&self) -> bool {
        self.config.memory_bytes_max > 0 && self.surplus_bytes() > 0
    }

    /// Returns whether commands that need more memory are refused: the limit is reached, and no key
    /// may be evicted.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.is_memory_used_up() && self.room == Room::UsedUp
    }

    /// How many bytes are used beyond the limit.
    pub(crate) fn surplus_bytes(&self) -> u64 {
        let limit = self.config.memory_bytes_max;
        let used = self.shell.used_memory.saturating_sub(self.held_bytes);
        used.saturating_sub(limit)
    }

    /// Counts an error that the shell sends, this many times.
    #[cold]
    pub fn note_errors(&mut self, error: &CmdError, times: u64) {
        for _ in 0..times {
            self.errors.note(error);
        }
    }

    /// Commands that ran since the counters were reset.
    pub fn commands_run(&self) -> u64 {
        self.command_stats.iter().map(|stats| stats.calls).sum()
    }
}

/// Work that a command asks of the shell, done after the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A client was disconnected because clients take too much memory; the shell logs it.
    ClientEvicted {
        /// `CLIENT ID`.
        client: u64,
        /// The memory it took, in bytes.
        bytes: usize,
    },
    /// A command takes so long that others are told so; the shell logs it.
    TellBusy {
        /// `CLIENT ID` of whose it is.
        client: u64,
    },
    /// A script writes a line to the log.
    LogOfScript(LogLevel, String),
    /// Settings changed; whatever depends on them must look again.
    SettingsChanged,
    /// `CONFIG SET` of settings that depend on the world ([`crate::config::When::ByShell`]): all of
    /// them, or none. [`crate::Engine::say_settings`] lets them count.
    ChangeSettings {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
        /// Names and values that fit their rows, in the order in which they were given.
        pairs: Vec<(String, String)>,
    },
    /// `SHUTDOWN`.
    Shutdown {
        /// A snapshot is written before the server stops.
        save: bool,
        /// Who asked; [`crate::Engine::end_wait`] tells it why the server continues.
        waiting: SessionId,
    },
    /// `BGSAVE`, or `SAVE` of a client that waits for the end.
    Snapshot {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: Option<SessionId>,
    },
    /// `MEMORY PURGE`: the allocator gives back what is free.
    GiveBackMemory,
    /// A command is going to fill much memory, which is made ready first.
    PrepareMemory {
        /// Who waits; [`crate::Engine::memory_prepared`] lets its request run.
        waiting: SessionId,
        /// How much.
        bytes: usize,
    },
    /// A command answers a large value as a payload, which is made first.
    PreparePayload {
        /// Who waits; [`crate::Engine::payload_prepared`] lets its request run.
        waiting: SessionId,
        /// Where the value is; [`crate::Engine::value_at`] takes it.
        place: Place,
    },
    /// `MIGRATE`: keys go to another server; [`crate::Engine::migration_ended`] goes on.
    Migrate(Arc<Transfer>),
    /// `BGREWRITEAOF`.
    RewriteJournal,
    /// `FAILOVER`: the leader hands over to another node. Nobody waits for it.
    HandOver {
        /// The node that is to lead.
        to: NodeId,
    },
    /// `ACL SAVE`.
    SaveUsers {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
    },
    /// `ACL LOAD`: [`crate::Engine::load_users`] takes the text of the file.
    LoadUsers {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
    },
    /// `CONFIG REWRITE`.
    RewriteConfiguration {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
    },
    /// `DEBUG RELOAD`.
    Reload {
        /// What to do.
        reload: Reload,
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
    },
    /// `DEBUG LOADAOF`.
    ReloadJournal {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: SessionId,
    },
}

impl Order {
    /// Returns whether it takes the data as they are, or replaces them.
    pub fn needs_whole_data(&self) -> bool {
        match self {
            Order::Shutdown { save, .. } => *save,
            Order::Snapshot { .. }
            | Order::RewriteJournal
            | Order::Reload { .. }
            | Order::ReloadJournal { .. } => true,
            Order::ClientEvicted { .. }
            | Order::TellBusy { .. }
            | Order::LogOfScript(..)
            | Order::SettingsChanged
            | Order::ChangeSettings { .. }
            | Order::GiveBackMemory
            | Order::PrepareMemory { .. }
            | Order::PreparePayload { .. }
            | Order::Migrate(_)
            | Order::HandOver { .. }
            | Order::SaveUsers { .. }
            | Order::LoadUsers { .. }
            | Order::RewriteConfiguration { .. } => false,
        }
    }
}

/// A key of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) database: u16,
    pub(crate) key: Key,
}

/// How the snapshot file is loaded into a running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// A snapshot that is written for it, or the file as it is.
    pub source: ReloadSource,
    /// What it is loaded into.
    pub before: ReloadInto,
    /// Which value a key keeps that is already there.
    pub conflicts: Conflicts,
}

/// What `DEBUG RELOAD` loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadSource {
    /// A new snapshot.
    NewSnapshot,
    /// The file that is there (`NOSAVE`).
    File,
}

/// What `DEBUG RELOAD` loads into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadInto {
    /// Empty databases.
    Emptied,
    /// The databases as they are (`NOFLUSH`).
    Existing,
}

/// What happens to keys that are already there when a snapshot is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// Nothing is loaded then.
    Refused,
    /// Those of the file replace them (`MERGE`).
    Replaced,
}

/// How data reaches the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PersistenceFigures {
    /// Effects go to a journal.
    pub journalling: bool,
    /// The journal is being turned on: it does not have everything yet.
    pub journal_begins: bool,
    /// The journal's health in a word; empty if there is none.
    pub journal_health: &'static str,
    /// Bytes of the journal, its base included.
    pub journal_bytes: u64,
    /// Bytes of the journal's base.
    pub journal_base_bytes: u64,
    /// The journal is being rewritten.
    pub rewriting: bool,
    /// A snapshot is being written.
    pub snapshotting: bool,
    /// The last rewrite of the journal failed.
    pub rewrite_failed: bool,
    /// Rewrites of the journal that succeeded.
    pub rewrites: u64,
    /// Snapshots that were written.
    pub snapshots: u64,
    /// The last snapshot failed.
    pub snapshot_failed: bool,
    /// When the last snapshot was written, in seconds since the epoch; 0: never by this process.
    pub snapshot_at_s: i64,
    /// Snapshots that failed since one succeeded.
    pub snapshot_failures: u64,
    /// Changes made when the last snapshot was begun.
    pub snapshot_changes: u64,
    /// When the snapshot that is being written was begun.
    pub snapshot_begun: Option<Mono>,
    /// How long the last snapshot took, in seconds.
    pub snapshot_took_s: Option<u64>,
    /// Rewrites of the journal that failed since one succeeded.
    pub rewrite_failures: u64,
    /// When the running rewrite was begun.
    pub rewrite_begun: Option<Mono>,
    /// How long the last rewrite took, in seconds.
    pub rewrite_took_s: Option<u64>,
    /// What the journal did since the start.
    pub journal: JournalFigures,
    /// What the data was loaded from.
    pub recovery: RecoveryFigures,
    /// Keys that running snapshots and rewrites have written.
    pub keys_written: u64,
    /// Keys that running snapshots and rewrites will have written in the end.
    pub keys_to_write: u64,
}

/// What the journal did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalFigures {
    /// Groups written.
    pub groups: u64,
    /// Batches in them: requests or transactions that changed something.
    pub batches: u64,
    /// How many batches each has.
    pub group_sizes: GroupSizes,
    /// Bytes in them.
    pub bytes: u64,
    /// Syncs that succeeded.
    pub syncs: u64,
    /// How often batches had to wait because a sync was late.
    pub delayed_syncs: u64,
    /// A sync runs while writes go on.
    pub syncing: bool,
    /// Bytes that wait to be written.
    pub backlog_bytes: u64,
    /// The last batch that survives a power cut.
    pub durable: Lsn,
}

/// What was read when the data was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryFigures {
    /// Bytes of the journal, or of the snapshot where there is no journal.
    pub bytes: u64,
    /// Batches of the journal beyond its base.
    pub batches: u64,
    /// Bytes of torn ends that were cut off, as a crash leaves them.
    pub cut_bytes: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What a thread that serves clients has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadFigures {
    /// Clients that it serves.
    pub clients: u64,
    /// Reads of sockets that found something.
    pub reads: u64,
    /// Writes to sockets that took something.
    pub writes: u64,
}

/// What was found about a log that several servers share, by looking at it in the background.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogGuardFigures {
    /// Why those who keep the log cannot be trusted any more; empty if they can.
    pub alarm: String,
    /// The last record up to which this pass has found the log whole; 0: none yet.
    pub verified_seq: u64,
}

/// Snapshots of a log that several servers share, as this one sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSnapshotFigures {
    /// The last record that the newest has; 0 if there is none.
    pub newest_seq: u64,
    /// How many this process has made.
    pub made: u64,
    /// One is being made.
    pub is_making: bool,
    /// How long the last one took that was made, in milliseconds.
    pub took_ms: u64,
    /// The first record that the log has kept when this process last trimmed it; 0: it never did.
    pub trimmed_to: u64,
    /// What went wrong last, and has not gone well since; empty if nothing.
    pub error: String,
}

/// Figures that only the shell knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShellFigures {
    /// TCP port, 0 if none.
    pub port: u16,
    /// The ID of the process.
    pub process_id: u32,
    /// The run's name: 40 hexadecimal digits.
    pub run_id: String,
    /// The shell makes ready what takes commands long: much memory, and payloads.
    pub prepares: bool,
    /// Bytes allocated.
    pub used_memory: u64,
    /// The most bytes ever allocated.
    pub used_memory_peak: u64,
    /// Bytes allocated before the first key was there.
    pub used_memory_startup: u64,
    /// Memory of the machine, in bytes.
    pub system_memory: u64,
    /// The operating system: name, release and machine.
    pub system: String,
    /// Resident memory in bytes.
    pub resident_memory: u64,
    /// The number of I/O threads.
    pub io_threads: u32,
    /// The configuration file; empty if none.
    pub config_file: String,
    /// The program's path.
    pub executable: String,
    /// Connections accepted.
    pub connections_received: u64,
    /// Connections refused because of `maxclients`.
    pub connections_rejected: u64,
    /// Clients disconnected because of `maxmemory-clients`.
    pub evicted_clients: u64,
    /// Clients disconnected because of `client-query-buffer-limit`.
    pub query_limit_disconnections: u64,
    /// Clients disconnected because of `client-output-buffer-limit`.
    pub output_limit_disconnections: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// How data reaches the disk.
    pub persistence: PersistenceFigures,
    /// The snapshots of the group; none if no place is named for them.
    pub log_snapshots: Option<LogSnapshotFigures>,
    /// What is known of the log that several servers share; nothing without one.
    pub log_guard: LogGuardFigures,
    /// Where clients can connect, a line of `INFO` each.
    pub listeners: Vec<String>,
    /// What each I/O thread has done.
    pub threads: Vec<ThreadFigures>,
    /// Keys that were looked up before their requests ran.
    pub keys_looked_ahead: u64,
    /// The peak that the next field dates.
    pub used_memory_peak_noted: u64,
    /// When memory was at its peak, in seconds since the epoch.
    pub used_memory_peak_at_s: i64,
    /// Bytes allocated as the allocator counts them, what waits to be freed included.
    pub allocator_allocated: u64,
    /// Bytes of pages in which something is allocated.
    pub allocator_active: u64,
    /// Resident bytes of the allocator's pages.
    pub allocator_resident: u64,
    /// User CPU seconds of the thread that also does what is due.
    pub cpu_user_main_s: f64,
    /// System CPU seconds of it.
    pub cpu_system_main_s: f64,
    /// User CPU seconds of the process.
    pub cpu_user_s: f64,
    /// System CPU seconds of the process.
    pub cpu_system_s: f64,
}
