//! Figures of the server, copied under the lock.

use engine::observe::stages::Stages;
use engine::observe::stats::{CommandStats, KeyspaceStats};
use engine::server::ShellFigures;
use engine::table::Row;
use engine::topology::Topology;
use engine::{Engine, Now};

use crate::health;

/// A copy of what the engine counts.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) now: Now,
    pub(super) uptime_ms: u64,
    /// None if the server is alone.
    pub(super) topology: Option<Topology>,
    pub(super) shell: ShellFigures,
    pub(super) stages: Stages,
    pub(super) stats: KeyspaceStats,
    /// Each command that was asked for, and what is counted of it.
    pub(super) commands: Vec<(&'static Row, CommandStats)>,
    /// Codes of errors, and how often each was answered.
    pub(super) errors: Vec<(String, u64)>,
    pub(super) error_total: u64,
    pub(super) is_loading: bool,
    /// It accepts writes, or answers reads as a follower.
    pub(super) is_ready: bool,
    pub(super) last_lsn: u64,
    pub(super) clients: u64,
    pub(super) clients_max: u64,
    pub(super) blocked_clients: u64,
    pub(super) blocking_keys: u64,
    pub(super) tracking_clients: u64,
    pub(super) subscribed_clients: u64,
    /// Clients for which output waits, and how many bytes.
    pub(super) held_back: (u64, u64),
    pub(super) slow_log_len: u64,
    pub(super) memory_max: u64,
    pub(super) scripts_bytes: u64,
    pub(super) functions_bytes: u64,
    pub(super) dropped_bytes: u64,
    /// Of each database that has keys: its number, keys, and keys that expire.
    pub(super) databases: Vec<(u16, u64, u64)>,
}

impl Figures {
    /// Copies them.
    pub(super) fn of(engine: &Engine, now: Now) -> Figures {
        let server = &engine.server;
        let asked_for = |stats: &CommandStats| stats.calls + stats.rejected + stats.failed > 0;
        let commands = server.commands.iter().filter_map(|row| {
            let stats = server.command_stats.get(usize::from(row.number))?;
            asked_for(stats).then_some((row, *stats))
        });
        let errors = server.errors.iter();
        let waiting = server
            .sessions
            .iter()
            .map(|client| client.io.output_bytes as u64);
        let waiting = waiting.filter(|bytes| *bytes > 0);
        let keyspace = engine.keyspace();
        let databases = (0..keyspace.database_count()).map(|database| {
            let (keys, expiring) = (keyspace.len(database), keyspace.expiring(database));
            (database, keys as u64, expiring as u64)
        });
        let (scripts, functions) = (&server.scripts, &server.functions);
        Figures {
            now,
            topology: server.topology().cloned(),
            uptime_ms: now.mono.0.saturating_sub(server.started.mono.0),
            shell: server.shell.clone(),
            stages: server.stages.clone(),
            stats: *engine.stats(),
            commands: commands.collect(),
            errors: errors
                .map(|(code, count)| (code.to_owned(), count))
                .collect(),
            error_total: server.errors.total(),
            is_loading: server.loading.is_some(),
            is_ready: health::of_engine(engine, now).is_ok(),
            last_lsn: engine.log().last().number(),
            clients: server.sessions.len() as u64,
            clients_max: server.config.clients_max as u64,
            blocked_clients: engine.blocking().clients() as u64,
            blocking_keys: engine.blocking().keys() as u64,
            tracking_clients: engine.tracking().clients() as u64,
            subscribed_clients: server.channels.clients() as u64,
            held_back: waiting.fold((0, 0), |(clients, sum), bytes| (clients + 1, sum + bytes)),
            slow_log_len: server.slow_log.len() as u64,
            memory_max: server.config.memory_bytes_max,
            scripts_bytes: scripts.host_bytes() + scripts.bytes() as u64,
            functions_bytes: functions.host_bytes() + functions.bytes() as u64,
            dropped_bytes: engine.dropped_bytes(),
            databases: databases.filter(|(_, keys, _)| *keys > 0).collect(),
        }
    }
}
