//! Every family of metrics: a row each. `docs/metrics.md` has the same rows, and a test compares it
//! with what a server exports.

mod cluster;

use std::fmt;
use std::time::Duration;

use engine::observe::stages::Stage;
use engine::observe::stats::CommandStats;
use engine::server::JournalFigures;
use stream::Counted;

use super::Snapshot;
use super::samples::{Family, In, Kind, Samples};
use super::streams::{GroupFigures, StreamFigures};
use crate::survey::{Sums, Survey};

/// All of them, in the order in which they are written.
pub(super) const ALL: &[&[Family]] = &[
    SERVER,
    COMMANDS,
    COMMITS,
    cluster::CLUSTER,
    MEMORY,
    KEYSPACE,
    ALL_STREAMS,
    STREAMS,
    GROUPS,
];

type Take = fn(&Snapshot, &mut Samples<'_>) -> fmt::Result;

const fn gauge(name: &'static str, unit: In, help: &'static str, samples: Take) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        unit,
        help,
        samples,
    }
}

const fn counter(name: &'static str, unit: In, help: &'static str, samples: Take) -> Family {
    Family {
        name,
        kind: Kind::Counter,
        unit,
        help,
        samples,
    }
}

const fn histogram(name: &'static str, unit: In, help: &'static str, samples: Take) -> Family {
    Family {
        name,
        kind: Kind::Histogram,
        unit,
        help,
        samples,
    }
}

/// The server and its clients.
const SERVER: &[Family] = &[
    gauge(
        "weir_build",
        In::Numbers,
        "The version of the server, in a label; always 1",
        |_, f| f.labelled(&[("version", env!("CARGO_PKG_VERSION").into())], 1),
    ),
    gauge(
        "weir_uptime",
        In::Seconds,
        "How long the server has run",
        |s, f| f.one_f64(seconds(s.figures.uptime_ms)),
    ),
    gauge(
        "weir_ready",
        In::Numbers,
        "1 if the server has its data, and accepts writes or is a follower that answers reads",
        |s, f| f.one(u64::from(s.figures.is_ready)),
    ),
    gauge(
        "weir_loading",
        In::Numbers,
        "1 while the server reads its data",
        |s, f| f.one(u64::from(s.figures.is_loading)),
    ),
    counter(
        "weir_cpu",
        In::Seconds,
        "CPU time of the process, by mode (user, system)",
        cpu,
    ),
    counter(
        "weir_connections",
        In::Numbers,
        "Connections that were accepted",
        |s, f| f.one(s.figures.shell.connections_received),
    ),
    counter(
        "weir_connections_rejected",
        In::Numbers,
        "Connections that were refused because of maxclients",
        |s, f| f.one(s.figures.shell.connections_rejected),
    ),
    gauge(
        "weir_clients",
        In::Numbers,
        "Clients that are connected, those of this page included",
        |s, f| f.one(s.figures.clients),
    ),
    gauge(
        "weir_clients_limit",
        In::Numbers,
        "Clients that may be connected (maxclients)",
        |s, f| f.one(s.figures.clients_max),
    ),
    gauge(
        "weir_clients_blocked",
        In::Numbers,
        "Clients that wait in a blocking command",
        |s, f| f.one(s.figures.blocked_clients),
    ),
    gauge(
        "weir_blocking_keys",
        In::Numbers,
        "Keys that clients wait for",
        |s, f| f.one(s.figures.blocking_keys),
    ),
    gauge(
        "weir_clients_tracking",
        In::Numbers,
        "Clients that are told of changed keys (CLIENT TRACKING)",
        |s, f| f.one(s.figures.tracking_clients),
    ),
    gauge(
        "weir_clients_subscribed",
        In::Numbers,
        "Clients that listen to channels",
        |s, f| f.one(s.figures.subscribed_clients),
    ),
    counter(
        "weir_clients_disconnected",
        In::Numbers,
        "Clients that were disconnected for what they took, by reason: output (client-output-buffer-limit: they read too slowly), query (client-query-buffer-limit), memory (maxmemory-clients)",
        disconnected,
    ),
    gauge(
        "weir_clients_held_back",
        In::Numbers,
        "Clients for which output waits because they read slowly",
        |s, f| f.one(s.figures.held_back.0),
    ),
    gauge(
        "weir_clients_output",
        In::Bytes,
        "Bytes that wait to be sent to them",
        |s, f| f.one(s.figures.held_back.1),
    ),
    counter(
        "weir_received",
        In::Bytes,
        "Bytes that clients have sent",
        |s, f| f.one(s.figures.shell.received_bytes),
    ),
    counter(
        "weir_sent",
        In::Bytes,
        "Bytes that were sent to clients",
        |s, f| f.one(s.figures.shell.sent_bytes),
    ),
];

/// Commands, by name.
const COMMANDS: &[Family] = &[
    counter(
        "weir_commands",
        In::Numbers,
        "Commands that ran, by command",
        |s, f| commands(s, f, |of| of.calls),
    ),
    counter(
        "weir_commands_rejected",
        In::Numbers,
        "Commands that were refused before they ran, by command",
        |s, f| commands(s, f, |of| of.rejected),
    ),
    counter(
        "weir_commands_failed",
        In::Numbers,
        "Commands that ran and answered with an error, by command",
        |s, f| commands(s, f, |of| of.failed),
    ),
    histogram(
        "weir_command_duration",
        In::Seconds,
        "How long commands ran, by command; waiting for the disk or for data is not part of it",
        durations,
    ),
    counter(
        "weir_errors",
        In::Numbers,
        "Errors that were answered, by the first word",
        errors,
    ),
    gauge(
        "weir_slow_log_length",
        In::Numbers,
        "Commands in the slow log",
        |s, f| f.one(s.figures.slow_log_len),
    ),
    histogram(
        "weir_lock_hold",
        In::Seconds,
        "How long the engine was held at once, by what it did (requests, timer)",
        |s, f| {
            stages(
                s,
                f,
                &[("requests", Stage::Requests), ("timer", Stage::Timer)],
            )
        },
    ),
];

/// How changes reach the disk.
const COMMITS: &[Family] = &[
    gauge(
        "weir_journal_enabled",
        In::Numbers,
        "1 if changes go to a journal",
        |s, f| f.one(u64::from(s.figures.shell.persistence.journalling)),
    ),
    gauge(
        "weir_journal_healthy",
        In::Numbers,
        "1 if the journal takes writes as it should; the label has its health in a word",
        journal_health,
    ),
    gauge(
        "weir_last_lsn",
        In::Numbers,
        "The LSN of the last change",
        |s, f| f.one(s.figures.last_lsn),
    ),
    gauge(
        "weir_durable_lsn",
        In::Numbers,
        "The LSN of the last change that survives a power cut, or that the log of the group has, as it was within the last tenth of a second; none without either",
        durable_lsn,
    ),
    counter(
        "weir_journal_commits",
        In::Numbers,
        "Groups of changes that were written at once",
        |s, f| f.one(journal(s).groups),
    ),
    counter(
        "weir_journal_batches",
        In::Numbers,
        "Requests and transactions that changed something, in these groups",
        |s, f| f.one(journal(s).batches),
    ),
    histogram(
        "weir_journal_commit_batches",
        In::Numbers,
        "How many batches were written at once",
        |s, f| {
            f.sizes(
                journal(s).groups,
                journal(s).batches,
                &journal(s).group_sizes,
            )
        },
    ),
    counter(
        "weir_journal_written",
        In::Bytes,
        "Bytes that were written to the journal",
        |s, f| f.one(journal(s).bytes),
    ),
    gauge(
        "weir_journal_backlog",
        In::Bytes,
        "Bytes that wait to be written to the journal",
        |s, f| f.one(journal(s).backlog_bytes),
    ),
    histogram(
        "weir_journal_write_duration",
        In::Seconds,
        "How long writes of the journal took",
        |s, f| stage(s, f, Stage::JournalWrite),
    ),
    histogram(
        "weir_journal_sync_duration",
        In::Seconds,
        "How long syncs took for which replies waited",
        |s, f| stage(s, f, Stage::JournalSync),
    ),
    histogram(
        "weir_journal_background_sync_duration",
        In::Seconds,
        "How long syncs took while writes went on (appendfsync everysec)",
        |s, f| stage(s, f, Stage::BackgroundSync),
    ),
    counter(
        "weir_journal_delayed_syncs",
        In::Numbers,
        "How often writes had to wait because a sync was late",
        |s, f| f.one(journal(s).delayed_syncs),
    ),
    gauge(
        "weir_journal_size",
        In::Bytes,
        "The size of the journal, its base included",
        |s, f| f.one(s.figures.shell.persistence.journal_bytes),
    ),
    counter(
        "weir_journal_rewrites",
        In::Numbers,
        "Rewrites of the journal that succeeded",
        |s, f| f.one(s.figures.shell.persistence.rewrites),
    ),
    gauge(
        "weir_journal_rewrite_failures",
        In::Numbers,
        "Rewrites of the journal that failed since one succeeded",
        |s, f| f.one(s.figures.shell.persistence.rewrite_failures),
    ),
    counter(
        "weir_snapshots",
        In::Numbers,
        "Snapshots that were written",
        |s, f| f.one(s.figures.shell.persistence.snapshots),
    ),
    gauge(
        "weir_snapshot_failures",
        In::Numbers,
        "Snapshots that failed since one succeeded",
        |s, f| f.one(s.figures.shell.persistence.snapshot_failures),
    ),
    gauge(
        "weir_last_snapshot_timestamp",
        In::Seconds,
        "When the last snapshot was written, since the epoch; 0 if never",
        |s, f| f.one_f64(s.figures.shell.persistence.snapshot_at_s as f64),
    ),
];

/// Memory.
const MEMORY: &[Family] = &[
    gauge(
        "weir_memory_used",
        In::Bytes,
        "Memory that is allocated",
        |s, f| f.one(s.figures.shell.used_memory),
    ),
    gauge(
        "weir_memory_peak",
        In::Bytes,
        "The most memory that was allocated",
        |s, f| f.one(s.figures.shell.used_memory_peak),
    ),
    gauge(
        "weir_memory_limit",
        In::Bytes,
        "Memory that may be allocated (maxmemory); 0: no limit",
        |s, f| f.one(s.figures.memory_max),
    ),
    gauge(
        "weir_memory_resident",
        In::Bytes,
        "Memory of the process as the system counts it",
        |s, f| f.one(s.figures.shell.resident_memory),
    ),
    gauge(
        "weir_memory_by_kind",
        In::Bytes,
        "Memory by what it is for: startup (before any data), data (beyond that, all that is allocated), scripts, functions, dropped (waits to be freed), journal (waits to be written), unused (in pages of the allocator)",
        memory,
    ),
];

/// Keys.
const KEYSPACE: &[Family] = &[
    gauge("weir_keys", In::Numbers, "Keys, by database", |s, f| {
        databases(s, f, |(_, keys, _)| keys)
    }),
    gauge(
        "weir_keys_expiring",
        In::Numbers,
        "Keys that expire, by database",
        |s, f| databases(s, f, |(_, _, expiring)| expiring),
    ),
    counter(
        "weir_keyspace_hits",
        In::Numbers,
        "Reads that found their key",
        |s, f| f.one(s.figures.stats.hits),
    ),
    counter(
        "weir_keyspace_misses",
        In::Numbers,
        "Reads that did not",
        |s, f| f.one(s.figures.stats.misses),
    ),
    counter(
        "weir_keys_expired",
        In::Numbers,
        "Keys that were removed because they had expired",
        |s, f| f.one(s.figures.stats.expired),
    ),
    counter(
        "weir_keys_evicted",
        In::Numbers,
        "Keys that were removed because memory was used up",
        |s, f| f.one(s.figures.stats.evicted),
    ),
    counter(
        "weir_changes",
        In::Numbers,
        "Keys, entries and the like that were changed",
        |s, f| f.one(s.figures.stats.changes),
    ),
];

/// Sums over all streams.
const ALL_STREAMS: &[Family] = &[
    gauge("weir_streams", In::Numbers, "Streams", |s, f| {
        sum(s, f, |of| of.streams)
    }),
    gauge(
        "weir_streams_entries",
        In::Numbers,
        "Entries of all streams",
        |s, f| sum(s, f, |of| of.entries),
    ),
    gauge(
        "weir_streams_size",
        In::Bytes,
        "About how much memory all streams take",
        |s, f| sum(s, f, |of| of.bytes),
    ),
    gauge(
        "weir_streams_groups",
        In::Numbers,
        "Consumer groups of all streams",
        |s, f| sum(s, f, |of| of.groups),
    ),
    gauge(
        "weir_streams_pending",
        In::Numbers,
        "Pending entries of all groups",
        |s, f| sum(s, f, |of| of.pending),
    ),
    gauge(
        "weir_idempotence_producers",
        In::Numbers,
        "Producers of all streams of which idempotent IDs are remembered",
        |s, f| sum(s, f, |of| of.producers),
    ),
    gauge(
        "weir_idempotence_iids",
        In::Numbers,
        "Idempotent IDs that are remembered, of all streams",
        |s, f| sum(s, f, |of| of.iids),
    ),
    gauge(
        "weir_idempotence_added",
        In::Numbers,
        "Idempotent appends that added an entry, to all streams that are there now",
        |s, f| sum(s, f, |of| of.iids_added),
    ),
    gauge(
        "weir_idempotence_duplicates",
        In::Numbers,
        "Idempotent appends that were duplicates, to all streams that are there now",
        |s, f| sum(s, f, |of| of.iids_duplicates),
    ),
    counter(
        "weir_idempotence_caught",
        In::Numbers,
        "Appends that were found to be duplicates, since the server began",
        |s, f| f.one(s.figures.stats.iids_duplicates),
    ),
    counter(
        "weir_idempotence_dropped",
        In::Numbers,
        "Idempotent IDs that were dropped before their time because a window was full, since the server began",
        |s, f| f.one(s.figures.stats.iids_dropped),
    ),
    counter(
        "weir_idempotence_evicted",
        In::Numbers,
        "Producers that were forgotten because their streams had too many (IDMP-PIDS), since the server began",
        |s, f| f.one(s.figures.stats.producers_evicted),
    ),
    counter(
        "weir_groups_redelivered",
        In::Numbers,
        "Entries that groups delivered again, since the server began",
        |s, f| f.one(s.figures.stats.redelivered),
    ),
    counter(
        "weir_groups_dead_lettered",
        In::Numbers,
        "Entries that groups moved to a dead-letter stream, since the server began",
        |s, f| f.one(s.figures.stats.dead_letters),
    ),
    gauge(
        "weir_streams_delayed",
        In::Numbers,
        "Entries of all streams that wait to be appended",
        |s, f| sum(s, f, |of| of.delayed),
    ),
    gauge(
        "weir_survey_age",
        In::Seconds,
        "How old the figures of all streams are, and which streams are the largest",
        |s, f| walk(s, f, |of| of.age()),
    ),
    gauge(
        "weir_survey_duration",
        In::Seconds,
        "How long it took to look at all keys for them",
        |s, f| walk(s, f, |of| of.took),
    ),
];

/// The largest streams, one sample each.
const STREAMS: &[Family] = &[
    gauge(
        "weir_stream_length",
        In::Numbers,
        "Entries of a stream",
        |s, f| streams(s, f, |of| of.length),
    ),
    counter(
        "weir_stream_added",
        In::Numbers,
        "Entries that were ever added to a stream",
        |s, f| streams(s, f, |of| of.added),
    ),
    gauge(
        "weir_stream_size",
        In::Bytes,
        "About how much memory a stream takes",
        |s, f| streams(s, f, |of| of.bytes),
    ),
    gauge(
        "weir_stream_oldest_entry_age",
        In::Seconds,
        "How old the first entry of a stream is, by its ID",
        ages,
    ),
    gauge(
        "weir_stream_last_id_timestamp",
        In::Seconds,
        "The time in the last ID of a stream, since the epoch",
        last_ids,
    ),
    gauge(
        "weir_stream_groups",
        In::Numbers,
        "Consumer groups of a stream",
        |s, f| streams(s, f, |of| of.groups),
    ),
    gauge(
        "weir_stream_producers",
        In::Numbers,
        "Producers of a stream of which idempotent IDs are remembered",
        |s, f| streams(s, f, |of| of.tracked.producers as u64),
    ),
    gauge(
        "weir_stream_iids",
        In::Numbers,
        "Idempotent IDs that a stream remembers",
        |s, f| streams(s, f, |of| of.tracked.iids as u64),
    ),
    counter(
        "weir_stream_iids_added",
        In::Numbers,
        "Idempotent appends to a stream that added an entry",
        |s, f| streams(s, f, |of| of.iids_added),
    ),
    counter(
        "weir_stream_iids_duplicates",
        In::Numbers,
        "Idempotent appends to a stream that were duplicates",
        |s, f| streams(s, f, |of| of.iids_duplicates),
    ),
    counter(
        "weir_stream_iids_conflicts",
        In::Numbers,
        "Idempotent appends to a stream that were refused for other fields; of streams that count it (IDMP-STATS)",
        |s, f| counted(s, f, Counted::Conflict),
    ),
    counter(
        "weir_stream_iids_dropped",
        In::Numbers,
        "Idempotent IDs of a stream that were dropped before their time; of streams that count it (IDMP-STATS)",
        |s, f| counted(s, f, Counted::Dropped),
    ),
    gauge(
        "weir_stream_delayed",
        In::Numbers,
        "Entries of a stream that wait to be appended",
        |s, f| streams(s, f, |of| of.delayed),
    ),
];

/// The groups that have most to do, one sample each.
const GROUPS: &[Family] = &[
    gauge(
        "weir_group_lag",
        In::Numbers,
        "Entries that a group has yet to read",
        |s, f| groups(s, f, |of| of.lag),
    ),
    gauge(
        "weir_group_pending",
        In::Numbers,
        "Entries of a group that were delivered and not acknowledged",
        |s, f| groups(s, f, |of| of.pending),
    ),
    gauge(
        "weir_group_oldest_pending_age",
        In::Seconds,
        "How long ago the pending entry was delivered that a consumer has had for longest",
        oldest_pending,
    ),
    gauge(
        "weir_group_redelivered",
        In::Numbers,
        "Pending entries of a group that were delivered more than once, among its first 1000",
        |s, f| groups(s, f, |of| of.redelivered),
    ),
    gauge(
        "weir_group_consumers",
        In::Numbers,
        "Consumers of a group",
        |s, f| groups(s, f, |of| of.consumers),
    ),
];

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

fn cpu(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let shell = &s.figures.shell;
    f.labelled_f64(&[("mode", "user".into())], shell.cpu_user_s)?;
    f.labelled_f64(&[("mode", "system".into())], shell.cpu_system_s)
}

fn disconnected(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let shell = &s.figures.shell;
    let mut by_reason =
        |reason: &'static str, count| f.labelled(&[("reason", reason.into())], count);
    by_reason("output", shell.output_limit_disconnections)?;
    by_reason("query", shell.query_limit_disconnections)?;
    by_reason("memory", shell.evicted_clients)
}

fn commands(s: &Snapshot, f: &mut Samples<'_>, of: fn(&CommandStats) -> u64) -> fmt::Result {
    let mut commands = s.figures.commands.iter();
    commands
        .try_for_each(|(row, stats)| f.labelled(&[("command", row.full_name().into())], of(stats)))
}

fn durations(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let ran = s
        .figures
        .commands
        .iter()
        .filter(|(_, stats)| stats.durations.count() > 0);
    let mut ran = ran.map(|(row, stats)| (row.full_name(), stats));
    ran.try_for_each(|(name, stats)| {
        let labels = &[("command", name.into())];
        f.durations(labels, stats.nanoseconds, &stats.durations)
    })
}

fn errors(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let mut known = 0;
    for (code, count) in &s.figures.errors {
        known += count;
        f.labelled(&[("code", code.into())], *count)?;
    }
    // Codes beyond a bound are counted together.
    f.labelled(
        &[("code", "".into())],
        s.figures.error_total.saturating_sub(known),
    )
}

fn stages(s: &Snapshot, f: &mut Samples<'_>, wanted: &[(&'static str, Stage)]) -> fmt::Result {
    wanted.iter().try_for_each(|(name, stage)| {
        let stats = s.figures.stages.of(*stage);
        f.durations(
            &[("stage", (*name).into())],
            stats.nanoseconds,
            &stats.durations,
        )
    })
}

fn stage(s: &Snapshot, f: &mut Samples<'_>, stage: Stage) -> fmt::Result {
    let stats = s.figures.stages.of(stage);
    f.durations(&[], stats.nanoseconds, &stats.durations)
}

fn journal(s: &Snapshot) -> &JournalFigures {
    &s.figures.shell.persistence.journal
}

fn durable_lsn(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    match s.figures.shell.persistence.journalling || s.figures.topology.is_some() {
        true => f.one(journal(s).durable.number()),
        false => Ok(()),
    }
}

fn journal_health(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let persistence = &s.figures.shell.persistence;
    if !persistence.journalling {
        return Ok(());
    }
    let health = persistence.journal_health;
    f.labelled(&[("health", health.into())], u64::from(health == "good"))
}

fn memory(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let (figures, shell) = (&s.figures, &s.figures.shell);
    let data = shell.used_memory.saturating_sub(shell.used_memory_startup);
    let unused = shell
        .allocator_resident
        .saturating_sub(shell.allocator_allocated);
    for (kind, bytes) in [
        ("startup", shell.used_memory_startup),
        ("data", data),
        ("scripts", figures.scripts_bytes),
        ("functions", figures.functions_bytes),
        ("dropped", figures.dropped_bytes),
        ("journal", journal(s).backlog_bytes),
        ("unused", unused),
    ] {
        f.labelled(&[("kind", kind.into())], bytes)?;
    }
    Ok(())
}

fn databases(s: &Snapshot, f: &mut Samples<'_>, of: fn((u16, u64, u64)) -> u64) -> fmt::Result {
    let mut databases = s.figures.databases.iter();
    databases.try_for_each(|database| {
        f.labelled(&[("db", database.0.to_string().into())], of(*database))
    })
}

fn sum(s: &Snapshot, f: &mut Samples<'_>, of: fn(&Sums) -> u64) -> fmt::Result {
    let survey = s.survey.as_ref();
    survey.map_or(Ok(()), |survey| f.one(of(&survey.sums)))
}

fn walk(s: &Snapshot, f: &mut Samples<'_>, of: fn(&Survey) -> Duration) -> fmt::Result {
    let survey = s.survey.as_ref();
    survey.map_or(Ok(()), |survey| f.one_f64(of(survey).as_secs_f64()))
}

fn streams(s: &Snapshot, f: &mut Samples<'_>, of: fn(&StreamFigures) -> u64) -> fmt::Result {
    let mut streams = s.streams.iter();
    streams.try_for_each(|stream| f.labelled(stream.labels(), of(stream)))
}

fn counted(s: &Snapshot, f: &mut Samples<'_>, what: Counted) -> fmt::Result {
    let mut with = s
        .streams
        .iter()
        .filter_map(|stream| Some((stream, stream.counted?)));
    with.try_for_each(|(stream, tally)| f.labelled(stream.labels(), tally.get(what)))
}

fn ages(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let mut with = s
        .streams
        .iter()
        .filter_map(|stream| Some((stream, stream.oldest_age_ms?)));
    with.try_for_each(|(stream, ms)| f.labelled_f64(stream.labels(), seconds(ms)))
}

fn last_ids(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let mut streams = s.streams.iter();
    streams.try_for_each(|stream| f.labelled_f64(stream.labels(), seconds(stream.last_id.ms)))
}

fn groups(s: &Snapshot, f: &mut Samples<'_>, of: fn(&GroupFigures) -> u64) -> fmt::Result {
    let mut groups = s.groups.iter();
    groups.try_for_each(|group| f.labelled(group.labels(), of(group)))
}

fn oldest_pending(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let mut with = s
        .groups
        .iter()
        .filter_map(|group| Some((group, group.oldest_pending_ms?)));
    with.try_for_each(|(group, ms)| f.labelled_f64(group.labels(), seconds(ms)))
}
