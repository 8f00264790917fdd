//! Sections about what the server is.

use engine::Mono;
use engine::REDIS_VERSION;
use engine::command::Ctx;
use engine::config::Percentile;
use engine::observe::stages::{Stage, StageStats};
use engine::server::{Server, ShellFigures, Writes};

use values::SizeKind;

use super::sheet::Sheet;

pub(super) fn server(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let shell = &ctx.server.shell;
    let uptime_s = (ctx.now.mono.0 - ctx.server.started.mono.0) / 1000;
    sheet.section("Server");
    sheet.line("redis_version", REDIS_VERSION);
    sheet.line("redis_git_sha1", "00000000");
    sheet.line("redis_git_dirty", 0);
    sheet.line("redis_build_id", 0);
    sheet.line("redis_mode", ctx.server.mode());
    sheet.line("server_name", "weir");
    sheet.line("weir_version", env!("CARGO_PKG_VERSION"));
    sheet.line("os", &shell.system);
    sheet.line("arch_bits", usize::BITS);
    sheet.line("multiplexing_api", "epoll");
    sheet.line("monotonic_clock", "POSIX clock_gettime");
    sheet.line("process_id", shell.process_id);
    sheet.line("process_supervised", "no");
    sheet.line("run_id", &shell.run_id);
    sheet.line("tcp_port", shell.port);
    sheet.line("server_time_usec", ctx.now.unix_us);
    sheet.line("uptime_in_seconds", uptime_s);
    sheet.line("uptime_in_days", uptime_s / 86_400);
    sheet.line("hz", 10);
    sheet.line("configured_hz", 10);
    sheet.line("lru_clock", (ctx.now.unix_us / 1_000_000) & 0xff_ffff);
    sheet.line("executable", &shell.executable);
    sheet.line("config_file", &shell.config_file);
    sheet.flag("io_threads_active", shell.io_threads > 1);
    for (number, listener) in shell.listeners.iter().enumerate() {
        sheet.line(&format!("listener{number}"), listener);
    }
}

fn scripting(sheet: &mut Sheet, server: &Server, (libraries, code_bytes): (usize, usize)) {
    let (scripts, functions) = (&server.scripts, &server.functions);
    let functions_bytes = code_bytes + functions.bytes();
    sheet.bytes("used_memory_lua", scripts.host_bytes());
    sheet.line("used_memory_vm_eval", scripts.host_bytes());
    sheet.line("used_memory_scripts_eval", scripts.bytes());
    sheet.line("number_of_cached_scripts", scripts.len());
    sheet.line("number_of_functions", functions.len());
    sheet.line("number_of_libraries", libraries);
    sheet.line("used_memory_vm_functions", functions.host_bytes());
    let machines = scripts.host_bytes() + functions.host_bytes();
    sheet.bytes("used_memory_vm_total", machines);
    sheet.line("used_memory_functions", functions_bytes);
    let bytes = (scripts.bytes() + functions_bytes) as u64;
    sheet.bytes("used_memory_scripts", bytes);
}

pub(super) fn clients(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let sessions = &ctx.server.sessions;
    let with_self = || sessions.iter().chain([&*ctx.session]);
    let watching = with_self().filter(|session| !session.watched.keys().is_empty());
    let watched = with_self().map(|session| session.watched.keys().len());
    let with_deadline = sessions.iter().filter(|session| {
        let wait = session.wait.as_ref();
        wait.is_some_and(|wait| wait.deadline.is_some())
    });
    sheet.section("Clients");
    sheet.line("connected_clients", sessions.len());
    sheet.line("cluster_connections", 0);
    sheet.line("maxclients", ctx.server.config.clients_max);
    sheet.line(
        "client_recent_max_input_buffer",
        with_self()
            .map(|session| session.io.query_bytes)
            .max()
            .unwrap_or(0),
    );
    sheet.line(
        "client_recent_max_output_buffer",
        with_self()
            .map(|session| session.io.output_bytes)
            .max()
            .unwrap_or(0),
    );
    sheet.line("blocked_clients", ctx.store.blocking().clients());
    sheet.line("pattern_clients", ctx.store.blocking().pattern_clients());
    sheet.line("pattern_reads", ctx.store.pattern_reads().len());
    sheet.line("tracking_clients", ctx.store.tracking().clients());
    sheet.line("pubsub_clients", ctx.server.channels.clients());
    sheet.line("watching_clients", watching.count());
    sheet.line("clients_in_timeout_table", with_deadline.count());
    sheet.line("total_watched_keys", watched.sum::<usize>());
    sheet.line("total_blocking_keys", ctx.store.blocking().keys());
    sheet.line("total_blocking_keys_on_nokey", 0);
}

pub(super) fn memory(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    ctx.read_libraries();
    let libraries = ctx.store.libraries();
    let libraries = (libraries.len(), libraries.bytes());
    let shell = &ctx.server.shell;
    let config = &ctx.server.config;
    let peak = shell.used_memory_peak.max(1);
    let used = shell.used_memory.max(1);
    sheet.section("Memory");
    sheet.bytes("used_memory", shell.used_memory);
    sheet.bytes("used_memory_rss", shell.resident_memory);
    sheet.bytes("used_memory_peak", shell.used_memory_peak);
    let percent = shell.used_memory as f64 * 100.0 / peak as f64;
    sheet.line("used_memory_peak_perc", format_args!("{percent:.2}%"));
    sheet.line("used_memory_peak_time", shell.used_memory_peak_at_s);
    let dataset = shell.used_memory.saturating_sub(shell.used_memory_startup);
    sheet.line("used_memory_overhead", shell.used_memory - dataset);
    sheet.line("used_memory_startup", shell.used_memory_startup);
    sheet.line("used_memory_dataset", dataset);
    let percent = dataset as f64 * 100.0 / used as f64;
    sheet.line("used_memory_dataset_perc", format_args!("{percent:.2}%"));
    allocator(sheet, shell);
    sheet.bytes("total_system_memory", shell.system_memory);
    scripting(sheet, ctx.server, libraries);
    sheet.bytes("maxmemory", config.memory_bytes_max);
    sheet.line("maxmemory_policy", config.eviction.name);
    let ratio = shell.resident_memory as f64 / used as f64;
    sheet.line("mem_fragmentation_ratio", format_args!("{ratio:.2}"));
    sheet.line(
        "mem_fragmentation_bytes",
        shell.resident_memory as i64 - shell.used_memory as i64,
    );
    let sessions = ctx.server.sessions.iter().chain([&*ctx.session]);
    let buffered = sessions.map(|session| session.io.query_bytes + session.io.output_bytes);
    sheet.line("mem_clients_normal", buffered.sum::<usize>());
    let waiting = shell.persistence.journal.backlog_bytes + ctx.store.log().encoded().len() as u64;
    sheet.line("mem_aof_buffer", waiting);
    sheet.line("mem_allocator", "jemalloc");
    sheet.line("active_defrag_running", 0);
    sheet.line("lazyfree_pending_objects", 0);
    sheet.line("lazyfreed_objects", 0);
}

/// What the allocator has beyond what is allocated, and the process beyond the allocator.
fn allocator(sheet: &mut Sheet, shell: &ShellFigures) {
    let (allocated, active, resident) = (
        shell.allocator_allocated,
        shell.allocator_active,
        shell.allocator_resident,
    );
    sheet.line("allocator_allocated", allocated);
    sheet.line("allocator_active", active);
    sheet.line("allocator_resident", resident);
    sheet.excess("allocator_frag", active, allocated);
    sheet.excess("allocator_rss", resident, active);
    sheet.excess("rss_overhead", shell.resident_memory, resident);
}

pub(super) fn persistence(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let figures = &ctx.server.shell.persistence;
    let status = |failed: bool| if failed { "err" } else { "ok" };
    let saved_at_s = match figures.snapshot_at_s {
        0 => ctx.server.started.unix().0 / 1000,
        at_s => at_s,
    };
    let changes = ctx.store.stats().changes - figures.snapshot_changes;
    let now = ctx.now.mono;
    let running_s = |begun: Option<Mono>| begun.map(|begun| now.0.saturating_sub(begun.0) / 1000);
    let seconds = |time: Option<u64>| time.map_or(-1, u64::cast_signed);
    sheet.section("Persistence");
    let loading = ctx.server.loading;
    sheet.flag("loading", loading.is_some());
    sheet.line("async_loading", 0);
    let (written, of) = (figures.keys_written, figures.keys_to_write);
    let percent = 100.0 * written as f64 / of.max(1) as f64;
    sheet.line("current_fork_perc", format_args!("{percent:.2}"));
    sheet.line("current_save_keys_processed", written);
    sheet.line("current_save_keys_total", of);
    sheet.line("rdb_changes_since_last_save", changes);
    sheet.flag("rdb_bgsave_in_progress", ctx.server.is_snapshotting());
    sheet.line("rdb_last_save_time", saved_at_s);
    sheet.line("rdb_last_bgsave_status", status(figures.snapshot_failed));
    sheet.line("rdb_last_bgsave_time_sec", seconds(figures.snapshot_took_s));
    sheet.line(
        "rdb_current_bgsave_time_sec",
        seconds(running_s(figures.snapshot_begun)),
    );
    sheet.line("rdb_saves", figures.snapshots);
    sheet.line("rdb_saves_consecutive_failures", figures.snapshot_failures);
    let loaded = ctx.store.last_load();
    sheet.line("rdb_last_load_keys_expired", loaded.expired);
    sheet.line("rdb_last_load_keys_loaded", loaded.keys);
    sheet.flag("aof_enabled", figures.journalling || figures.journal_begins);
    sheet.flag("aof_rewrite_in_progress", ctx.server.is_rewriting());
    sheet.line("aof_rewrite_scheduled", 0);
    sheet.line("aof_last_rewrite_time_sec", seconds(figures.rewrite_took_s));
    sheet.line(
        "aof_current_rewrite_time_sec",
        seconds(running_s(figures.rewrite_begun)),
    );
    sheet.line("aof_last_bgrewrite_status", status(figures.rewrite_failed));
    sheet.line("aof_rewrites", figures.rewrites);
    sheet.line(
        "aof_rewrites_consecutive_failures",
        figures.rewrite_failures,
    );
    let refused = matches!(ctx.server.writes, Writes::Freeing(_) | Writes::Refused(_));
    sheet.line("aof_last_write_status", status(refused));
    if figures.journalling {
        sheet.line("journal_health", figures.journal_health);
        sheet.line("aof_current_size", figures.journal_bytes);
        sheet.line("aof_base_size", figures.journal_base_bytes);
        sheet.line("aof_pending_rewrite", 0);
        sheet.line("aof_buffer_length", ctx.store.log().encoded().len());
        sheet.line("last_lsn", ctx.store.log().last().number());
        journal(sheet, ctx.server);
    }
    if let Some(loading) = loading {
        let percent = 100.0 * loading.loaded_bytes as f64 / loading.total_bytes.max(1) as f64;
        sheet.line("loading_start_time", loading.begun.unix().0 / 1000);
        sheet.line("loading_total_bytes", loading.total_bytes);
        sheet.line("loading_loaded_bytes", loading.loaded_bytes);
        sheet.line("loading_loaded_perc", format_args!("{percent:.2}"));
        sheet.line("loading_eta_seconds", loading.eta_s(ctx.now));
    }
}

/// What the journal did, and how long its writes and syncs took.
fn journal(sheet: &mut Sheet, server: &Server) {
    let figures = &server.shell.persistence.journal;
    sheet.flag("aof_pending_bio_fsync", figures.syncing);
    sheet.line("aof_delayed_fsync", figures.delayed_syncs);
    sheet.line("journal_groups", figures.groups);
    sheet.line("journal_batches", figures.batches);
    sheet.line("journal_written_bytes", figures.bytes);
    sheet.line("journal_syncs", figures.syncs);
    let each = figures.batches as f64 / figures.syncs.max(1) as f64;
    sheet.line("journal_batches_per_sync", format_args!("{each:.2}"));
    for (name, stage) in [
        ("journal_write", Stage::JournalWrite),
        ("journal_sync", Stage::JournalSync),
        ("journal_background_sync", Stage::BackgroundSync),
    ] {
        times(sheet, name, server.stages.of(stage));
    }
}

/// How often a stage ran and how long it took, in microseconds, in all and as a histogram.
pub(super) fn times(sheet: &mut Sheet, name: &str, stats: &StageStats) {
    let durations = &stats.durations;
    sheet.line(
        &format!("{name}_usec"),
        format_args!(
            "count={},sum={},p50={},p99={},p99.9={},max={}",
            stats.count,
            stats.nanoseconds / 1000,
            durations.percentile_us(Percentile::P50),
            durations.percentile_us(Percentile::P99),
            durations.percentile_us(Percentile::P99_9),
            stats.longest_ns / 1000,
        ),
    );
    let mut before = 0;
    let steps = durations
        .cumulative()
        .filter(|(_, count)| std::mem::replace(&mut before, *count) < *count)
        .map(|(bound_us, count)| format!("{bound_us}={count}"));
    let steps: Vec<String> = steps.collect();
    sheet.line(&format!("{name}_histogram_usec"), steps.join(","));
}

pub(super) fn threads(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Threads");
    for (number, thread) in ctx.server.shell.threads.iter().enumerate() {
        sheet.line(
            &format!("io_thread_{number}"),
            format_args!(
                "clients={},reads={},writes={}",
                thread.clients, thread.reads, thread.writes
            ),
        );
    }
    sheet.line("io_threads", ctx.server.shell.io_threads);
}

pub(super) fn cpu(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let shell = &ctx.server.shell;
    sheet.section("CPU");
    sheet.line("used_cpu_sys", format_args!("{:.6}", shell.cpu_system_s));
    sheet.line("used_cpu_user", format_args!("{:.6}", shell.cpu_user_s));
    sheet.line("used_cpu_sys_children", "0.000000");
    sheet.line("used_cpu_user_children", "0.000000");
    let (system_s, user_s) = (shell.cpu_system_main_s, shell.cpu_user_main_s);
    sheet.line("used_cpu_sys_main_thread", format_args!("{system_s:.6}"));
    sheet.line("used_cpu_user_main_thread", format_args!("{user_s:.6}"));
}

pub(super) fn modules(sheet: &mut Sheet, _: &mut Ctx<'_>) {
    sheet.section("Modules");
}

pub(super) fn cluster(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Cluster");
    sheet.flag("cluster_enabled", ctx.server.is_in_cluster());
}

pub(super) fn keyspace(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Keyspace");
    let keyspace = ctx.store.keyspace();
    for database in 0..keyspace.database_count() {
        let (keys, expires) = (keyspace.len(database), keyspace.expiring(database));
        if keys > 0 {
            let subexpiry = keyspace.expiring_parts(database);
            let avg_ttl = keyspace.average_ttl_ms(database, ctx.now.unix());
            sheet.line(
                &format!("db{database}"),
                format_args!(
                    "keys={keys},expires={expires},avg_ttl={avg_ttl},subexpiry={subexpiry}"
                ),
            );
        }
    }
}

pub(super) fn keysizes(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Keysizes");
    let keyspace = ctx.store.keyspace();
    for database in 0..keyspace.database_count() {
        for kind in SizeKind::ALL {
            let classes = keyspace.sizes(database).classes(kind);
            let classes = classes.map(|(least, keys)| format!("{}={keys}", power(least)));
            let classes: Vec<_> = classes.collect();
            if !classes.is_empty() {
                let name = format!("db{database}_distrib_{}", kind.name());
                sheet.line(&name, classes.join(","));
            }
        }
    }
}

/// A power of two, or 0, in the largest unit of which it is at least one.
fn power(number: u64) -> String {
    const UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];
    let unit = (number.checked_ilog2().unwrap_or(0) / 10) as usize;
    match UNITS.get(unit) {
        Some(name) => format!("{}{name}", number >> (10 * unit)),
        None => number.to_string(),
    }
}
