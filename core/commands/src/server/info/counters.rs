//! Sections about what the server has done.

use engine::clients::channels::Listening;
use engine::command::Ctx;
use engine::observe::stages::Stage;
use engine::server::{Server, ThreadFigures};

use super::sheet::Sheet;

pub(super) fn stats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let server = &*ctx.server;
    let shell = &server.shell;
    let keys = ctx.store.stats();
    let kilobits = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    sheet.section("Stats");
    sheet.line("total_connections_received", shell.connections_received);
    sheet.line("total_commands_processed", server.commands_run());
    sheet.line(
        "instantaneous_ops_per_sec",
        server.command_rate.per_second(),
    );
    sheet.line("total_net_input_bytes", shell.received_bytes);
    sheet.line("total_net_output_bytes", shell.sent_bytes);
    sheet.line("total_net_repl_input_bytes", 0);
    sheet.line("total_net_repl_output_bytes", 0);
    sheet.line(
        "instantaneous_input_kbps",
        kilobits(server.input_rate.per_second()),
    );
    sheet.line(
        "instantaneous_output_kbps",
        kilobits(server.output_rate.per_second()),
    );
    sheet.line("rejected_connections", shell.connections_rejected);
    sheet.line("sync_full", 0);
    sheet.line("sync_partial_ok", 0);
    sheet.line("sync_partial_err", 0);
    sheet.line("expired_subkeys", keys.expired_fields);
    sheet.line("expired_subkeys_active", keys.expired_fields_by_timer);
    sheet.line("expired_keys", keys.expired);
    sheet.line("expired_keys_active", keys.expired_by_timer);
    sheet.line("expired_time_cap_reached_count", keys.expiry_cut_short);
    let expiry_ms = server.stages.of(Stage::Expiry).nanoseconds / 1_000_000;
    sheet.line("expire_cycle_cpu_milliseconds", expiry_ms);
    sheet.line("evicted_keys", keys.evicted);
    sheet.line("evicted_clients", shell.evicted_clients);
    sheet.line("evicted_scripts", ctx.server.scripts.evicted);
    sheet.line(
        "client_query_buffer_limit_disconnections",
        shell.query_limit_disconnections,
    );
    sheet.line(
        "client_output_buffer_limit_disconnections",
        shell.output_limit_disconnections,
    );
    sheet.line("keyspace_hits", keys.hits);
    sheet.line("keyspace_misses", keys.misses);
    let channels = &server.channels;
    sheet.line("pubsub_channels", channels.len(Listening::Channel));
    sheet.line("pubsub_patterns", channels.len(Listening::Pattern));
    sheet.line("pubsubshard_channels", channels.len(Listening::Shard));
    sheet.line("latest_fork_usec", 0);
    sheet.line("total_forks", 0);
    let tracking = ctx.store.tracking();
    sheet.line("tracking_total_keys", tracking.keys());
    sheet.line("tracking_total_items", tracking.items());
    sheet.line("tracking_total_prefixes", tracking.prefixes());
    sheet.line("total_error_replies", server.errors.total());
    let denials = &server.users.denials;
    sheet.line("acl_access_denied_auth", denials.auth);
    sheet.line("acl_access_denied_cmd", denials.commands);
    sheet.line("acl_access_denied_key", denials.keys);
    sheet.line("acl_access_denied_channel", denials.channels);
    sheet.line("acl_access_denied_tls_cert", denials.certificates);
    traffic(sheet, ctx.server);
    sheet.line("total_effects_applied", keys.effects);
    sheet.line("idmp_duplicates", keys.iids_duplicates);
    sheet.line("idmp_dropped", keys.iids_dropped);
    sheet.line("idmp_evicted", keys.producers_evicted);
}

/// What the threads did: reads, writes, holds of the lock.
fn traffic(sheet: &mut Sheet, server: &Server) {
    let threads = &server.shell.threads;
    let sum = |of: fn(&ThreadFigures) -> u64| threads.iter().map(of).sum::<u64>();
    // The first one also looks after what is due and takes connections in, as the main thread of
    // Redis does.
    let aside = |of: fn(&ThreadFigures) -> u64| threads.iter().skip(1).map(of).sum::<u64>();
    sheet.line("total_reads_processed", sum(|thread| thread.reads));
    sheet.line("total_writes_processed", sum(|thread| thread.writes));
    sheet.line("io_threaded_reads_processed", aside(|thread| thread.reads));
    sheet.line(
        "io_threaded_writes_processed",
        aside(|thread| thread.writes),
    );
    sheet.line(
        "io_threaded_total_prefetch_entries",
        server.shell.keys_looked_ahead,
    );
    let (cycles, busy_ns) = server.stages.cycles();
    let commands_ns = server.command_stats.iter().map(|stats| stats.nanoseconds);
    sheet.line("eventloop_cycles", cycles);
    sheet.line("eventloop_duration_sum", busy_ns / 1000);
    sheet.line(
        "eventloop_duration_cmd_sum",
        commands_ns.sum::<u64>() / 1000,
    );
    let cycles = server.cycle_rate.per_second();
    sheet.line("instantaneous_eventloop_cycles_per_sec", cycles);
    let each_us = server.busy_rate.per_second() / cycles.max(1) / 1000;
    sheet.line("instantaneous_eventloop_duration_usec", each_us);
}

pub(super) fn commandstats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Commandstats");
    for found in ctx.server.commands.iter() {
        let stats = &ctx.server.command_stats[usize::from(found.number)];
        if stats.calls == 0 && stats.rejected == 0 {
            continue;
        }
        let us = stats.nanoseconds / 1000;
        let us_each = stats.nanoseconds as f64 / 1000.0 / stats.calls.max(1) as f64;
        sheet.line(
            &format!("cmdstat_{}", found.full_name()),
            format_args!(
                "calls={},usec={us},usec_per_call={us_each:.2},rejected_calls={},failed_calls={}",
                stats.calls, stats.rejected, stats.failed
            ),
        );
    }
}

pub(super) fn errorstats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Errorstats");
    for (code, count) in ctx.server.errors.iter() {
        sheet.line(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

pub(super) fn latencystats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Latencystats");
    for found in ctx.server.commands.iter() {
        let durations = &ctx.server.command_stats[usize::from(found.number)].durations;
        if durations.count() == 0 {
            continue;
        }
        let percentiles = ctx.server.config.percentiles.iter();
        let percentiles: Vec<String> = percentiles
            .map(|share| format!("p{share}={}.000", durations.percentile_us(*share)))
            .collect();
        sheet.line(
            &format!("latency_percentiles_usec_{}", found.full_name()),
            format_args!("{}", percentiles.join(",")),
        );
    }
}
