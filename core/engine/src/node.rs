//! All of a shard that is neither keyspace nor one client: settings, clients, counters, what goes out.

use crate::commands::CommandIndex;
use crate::config::{Config, Settings};
use crate::lsn::Lsn;
use crate::rng::Rng;
use crate::session::{SessionId, Sessions};
use crate::stats::CommandStats;
use crate::time::Now;

/// The state around the keyspace.
#[derive(Debug)]
pub struct Node {
    /// What was said of each setting.
    pub settings: Settings,
    /// What the settings mean.
    pub config: Config,
    /// The connected clients, without the one whose command runs.
    pub sessions: Sessions,
    /// Lookup of commands by name.
    pub commands: CommandIndex,
    /// Counters by command, see [`CommandIndex`].
    pub command_stats: Vec<CommandStats>,
    /// Random numbers.
    pub rng: Rng,
    /// When the engine was made.
    pub started: Now,
    /// How many clients see all commands.
    pub monitors: usize,
    /// Why writes are refused, if they are: the log failed. Set by the shell.
    pub writes_refused: Option<String>,
    /// What goes to clients other than the one whose request runs.
    pub outbox: Vec<Delivery>,
    /// Work that commands ask of the shell.
    pub orders: Vec<Order>,
    /// Figures that only the shell knows, for `INFO`.
    pub shell: ShellFigures,
}

/// Bytes for a client that did not just ask for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub session: SessionId,
    /// What, ready for the wire.
    pub bytes: Vec<u8>,
    /// The batch that must be durable before it leaves.
    pub depends_on: Lsn,
    /// What else happens to the client.
    pub then: Then,
}

/// What happens to a client with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Continue,
    /// It was blocked and goes on with its next request.
    Resume,
    /// Its connection is closed after the bytes.
    Close,
}

/// Work that a command asks of the shell, done after the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Settings changed; whoever depends on them looks again.
    SettingsChanged,
    /// `SHUTDOWN`.
    Shutdown {
        /// Whether a snapshot is written first; as the save points say if `None`.
        save: Option<bool>,
    },
    /// `BGSAVE`, or `SAVE` of a client that waits for the end.
    Snapshot {
        /// Who waits; [`crate::Engine::end_wait`] answers.
        waiting: Option<SessionId>,
    },
    /// `BGREWRITEAOF`.
    RewriteJournal,
}

/// How data reaches the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PersistenceFigures {
    /// Effects go to a journal.
    pub journalling: bool,
    /// Bytes of the journal, its base included.
    pub journal_bytes: u64,
    /// Bytes of the journal's base.
    pub journal_base_bytes: u64,
    /// The journal is being rewritten.
    pub rewriting: bool,
    /// A snapshot is being written.
    pub snapshotting: bool,
    /// The last snapshot failed.
    pub snapshot_failed: bool,
    /// When the last snapshot was written, in seconds since the epoch; 0: never by this process.
    pub snapshot_at_s: i64,
    /// Effects applied when the last snapshot was begun.
    pub snapshot_effects: u64,
}

/// Figures that only the shell knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShellFigures {
    /// TCP port, 0 if none.
    pub port: u16,
    /// Process number.
    pub process_id: u32,
    /// The run's name: 40 hexadecimal digits.
    pub run_id: String,
    /// Bytes allocated.
    pub used_memory: u64,
    /// Greatest number of bytes allocated.
    pub used_memory_peak: u64,
    /// Resident memory in bytes.
    pub resident_memory: u64,
    /// Threads that serve connections.
    pub io_threads: u32,
    /// The configuration file; empty if none.
    pub config_file: String,
    /// The program's path.
    pub executable: String,
    /// Connections accepted.
    pub connections_received: u64,
    /// Connections refused because of `maxclients`.
    pub connections_rejected: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// How data reaches the disk.
    pub persistence: PersistenceFigures,
    /// User and system CPU seconds of the process.
    pub cpu_user_s: f64,
    /// System CPU seconds of the process.
    pub cpu_system_s: f64,
}
