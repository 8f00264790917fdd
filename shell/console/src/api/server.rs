//! The server as a whole: at a glance, its disk, its clients, what was slow.

use std::collections::BTreeMap;

use engine::config::Percentile;
use engine::observe::stages::{Stage, StageStats};
use engine::server::Writes;
use schemars::JsonSchema;
use serde::Serialize;
use server::Shard;

use super::{COUNT, Text, answer, count};
use crate::health;
use crate::http::{Answer, Fault};
use crate::query::Parameter;
use crate::reply::Value;
use crate::routes::Asked;
use crate::survey::{Sums, Survey, key_count};

/// Parameters of the slow log.
pub(crate) const SLOW_LOG: &[Parameter] = &[COUNT];

/// The server at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Overview {
    version: &'static str,
    uptime_seconds: u64,
    /// It has its data, and accepts writes or is a follower that answers reads.
    ready: bool,
    /// Why it is not ready; null if it is.
    not_ready_because: Option<String>,
    /// What it does among servers that share a log; null if it is alone.
    cluster_role: Option<&'static str>,
    clients: u64,
    /// Clients that wait in a blocking command.
    clients_blocked: u64,
    commands_per_second: u64,
    /// Memory that is allocated.
    memory_bytes: u64,
    /// Memory that may be allocated; 0: no limit.
    memory_limit_bytes: u64,
    /// Keys of all databases.
    keys: u64,
    /// Commands in the slow log.
    slow_commands: u64,
    /// The LSN of the last change.
    last_lsn: u64,
    streams: AllStreams,
}

/// Sums over all streams.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AllStreams {
    streams: u64,
    entries: u64,
    bytes: u64,
    groups: u64,
    pending: u64,
    /// Entries that wait to be appended.
    delayed: u64,
    /// Producers of which idempotent IDs are remembered.
    producers: u64,
    /// Idempotent IDs that are remembered.
    iids: u64,
    /// Idempotent appends that were duplicates.
    duplicates: u64,
    /// How old these sums are.
    age_seconds: f64,
}

/// How changes reach the disk.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Durability {
    /// Changes go to a journal.
    journal: bool,
    /// Its health in a word; empty without a journal.
    health: &'static str,
    /// Why writes are refused; null if they are not.
    writes_refused_because: Option<String>,
    last_lsn: u64,
    /// The LSN of the last change that survives a power cut, as it was a moment ago; 0 without a
    /// journal.
    durable_lsn: u64,
    /// Groups of changes that were written at once.
    commits: u64,
    /// Requests and transactions in them.
    batches: u64,
    /// How many groups have at most so many batches: powers of two.
    commits_by_batches: Vec<Bucket>,
    journal_bytes: u64,
    /// Bytes that wait to be written.
    backlog_bytes: u64,
    /// Writes of the journal.
    writes: Times,
    /// Syncs for which replies waited.
    syncs: Times,
    /// Syncs while writes went on.
    background_syncs: Times,
    rewriting: bool,
    rewrites: u64,
    /// Rewrites that failed since one succeeded.
    rewrite_failures: u64,
    snapshotting: bool,
    snapshots: u64,
    /// Snapshots that failed since one succeeded.
    snapshot_failures: u64,
    /// When the last snapshot was written, in seconds since the epoch; 0 if never.
    last_snapshot_seconds: i64,
    recovery: Recovery,
}

/// What the data was loaded from when the server began.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Recovery {
    /// Bytes of the journal, or of the snapshot where there is no journal.
    bytes: u64,
    /// Batches of the journal beyond its base.
    batches: u64,
    /// Bytes of torn ends that were cut off, as a crash leaves them.
    cut_bytes: u64,
    took_ms: u64,
}

/// A part of a histogram.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Bucket {
    /// The upper bound.
    up_to: u64,
    /// How many are within it.
    count: u64,
}

/// How often something happened, and how long it took.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Times {
    count: u64,
    /// A bound that half of them stayed under.
    median_us: u64,
    /// A bound that 99 % of them stayed under.
    p99_us: u64,
    longest_us: u64,
    /// How many took less than so many microseconds: powers of two.
    by_us: Vec<Bucket>,
}

/// Clients that are connected, each with what `CLIENT LIST` tells of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Clients {
    clients: Vec<BTreeMap<String, String>>,
}

/// Commands that took long.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SlowLog {
    commands: Vec<SlowCommand>,
}

/// A command that took long.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SlowCommand {
    id: u64,
    /// When it ran, in seconds since the epoch.
    at_seconds: u64,
    took_us: u64,
    /// The command and its arguments; long ones are cut.
    arguments: Vec<Text>,
    address: Text,
    client_name: Text,
}

impl Overview {
    /// Looks at the server.
    pub(crate) fn of(shard: &Shard, survey: &Survey) -> Overview {
        let not_ready = health::readiness(shard).err();
        shard.look(|engine, now| {
            let server = &engine.server;
            Overview {
                version: env!("CARGO_PKG_VERSION"),
                uptime_seconds: now.mono.0.saturating_sub(server.started.mono.0) / 1000,
                ready: not_ready.is_none(),
                not_ready_because: not_ready.map(|why| why.reason()),
                cluster_role: server.topology().map(|topology| topology.role.name()),
                clients: server.sessions.len() as u64,
                clients_blocked: engine.blocking().clients() as u64,
                commands_per_second: server.command_rate.per_second(),
                memory_bytes: server.shell.used_memory,
                memory_limit_bytes: server.config.memory_bytes_max,
                keys: key_count(engine) as u64,
                slow_commands: server.slow_log.len() as u64,
                last_lsn: engine.log().last().number(),
                streams: AllStreams::of(&survey.sums, survey.age().as_secs_f64()),
            }
        })
    }
}

impl AllStreams {
    fn of(sums: &Sums, age_seconds: f64) -> AllStreams {
        AllStreams {
            streams: sums.streams,
            entries: sums.entries,
            bytes: sums.bytes,
            groups: sums.groups,
            pending: sums.pending,
            delayed: sums.delayed,
            producers: sums.producers,
            iids: sums.iids,
            duplicates: sums.iids_duplicates,
            age_seconds,
        }
    }
}

/// The parts of a histogram up to the one that has everything.
fn buckets(cumulative: impl Iterator<Item = (u64, u64)>) -> Vec<Bucket> {
    let mut parts: Vec<Bucket> = cumulative
        .map(|(up_to, count)| Bucket { up_to, count })
        .collect();
    let all = parts.last().map_or(0, |last| last.count);
    let needed = parts.partition_point(|part| part.count < all);
    parts.truncate(needed + 1);
    parts
}

impl Times {
    pub(super) fn of(stats: &StageStats) -> Times {
        Times {
            count: stats.count,
            median_us: stats.durations.percentile_us(Percentile::P50),
            p99_us: stats.durations.percentile_us(Percentile::P99),
            longest_us: stats.longest_ns / 1000,
            by_us: buckets(stats.durations.cumulative()),
        }
    }
}

pub(crate) async fn overview(asked: Asked<'_>) -> Result<Answer, Fault> {
    let caller = asked.caller;
    caller.rights().await?.sees_server()?;
    let survey = caller.served.surveys.latest().await;
    answer(&Overview::of(&caller.served.shard, &survey))
}

pub(crate) async fn durability(asked: Asked<'_>) -> Result<Answer, Fault> {
    let caller = asked.caller;
    caller.rights().await?.sees_server()?;
    let durability = caller.served.shard.look(|engine, _| {
        let server = &engine.server;
        let figures = &server.shell.persistence;
        let times = |stage| Times::of(server.stages.of(stage));
        Durability {
            journal: figures.journalling,
            health: figures.journal_health,
            writes_refused_because: match &server.writes {
                Writes::Accepted => None,
                Writes::Freeing(reason) | Writes::Refused(reason) => Some(reason.clone()),
                Writes::Elsewhere => Some("another server leads".to_owned()),
            },
            last_lsn: engine.log().last().number(),
            durable_lsn: figures.journal.durable.number(),
            commits: figures.journal.groups,
            batches: figures.journal.batches,
            commits_by_batches: buckets(figures.journal.group_sizes.cumulative()),
            journal_bytes: figures.journal_bytes,
            backlog_bytes: figures.journal.backlog_bytes,
            writes: times(Stage::JournalWrite),
            syncs: times(Stage::JournalSync),
            background_syncs: times(Stage::BackgroundSync),
            rewriting: figures.rewriting,
            rewrites: figures.rewrites,
            rewrite_failures: figures.rewrite_failures,
            snapshotting: figures.snapshotting,
            snapshots: figures.snapshots,
            snapshot_failures: figures.snapshot_failures,
            last_snapshot_seconds: figures.snapshot_at_s,
            recovery: Recovery {
                bytes: figures.recovery.bytes,
                batches: figures.recovery.batches,
                cut_bytes: figures.recovery.cut_bytes,
                took_ms: figures.recovery.took_ms,
            },
        }
    });
    answer(&durability)
}

pub(crate) async fn clients(asked: Asked<'_>) -> Result<Answer, Fault> {
    let client = asked.caller.client().await?;
    let told = client.ask(&[b"CLIENT", b"LIST"]).await?;
    let text = String::from_utf8_lossy(told.text().unwrap_or_default());
    let clients = text.lines().map(|line| {
        let fields = line.split(' ').filter_map(|field| field.split_once('='));
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        fields.collect()
    });
    answer(&Clients {
        clients: clients.collect(),
    })
}

pub(crate) async fn slow_log(asked: Asked<'_>) -> Result<Answer, Fault> {
    let count = count(&asked.query).to_string();
    let client = asked.caller.client().await?;
    let told = client.ask(&[b"SLOWLOG", b"GET", count.as_bytes()]).await?;
    let commands = told.items().iter().map(|told| {
        let part = |index: usize| told.items().get(index);
        let number = |index| part(index).and_then(Value::number).unwrap_or_default();
        let text = |index| part(index).and_then(Value::text).unwrap_or_default().into();
        let arguments = part(3).map(Value::items).unwrap_or_default();
        SlowCommand {
            id: number(0),
            at_seconds: number(1),
            took_us: number(2),
            arguments: (arguments.iter())
                .map(|argument| argument.text().unwrap_or_default().into())
                .collect(),
            address: text(4),
            client_name: text(5),
        }
    });
    answer(&SlowLog {
        commands: commands.collect(),
    })
}
