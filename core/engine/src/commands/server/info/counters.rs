//! Sections about what the server has done.

use super::sheet::Sheet;
use crate::ctx::Ctx;

pub(super) fn stats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    let node = &*ctx.node;
    let shell = &node.shell;
    let keys = ctx.tx.stats();
    let kilobits = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    sheet.section("Stats");
    sheet.line("total_connections_received", shell.connections_received);
    sheet.line("total_commands_processed", node.commands_run());
    sheet.line("instantaneous_ops_per_sec", node.command_rate.per_second());
    sheet.line("total_net_input_bytes", shell.received_bytes);
    sheet.line("total_net_output_bytes", shell.sent_bytes);
    sheet.line("total_net_repl_input_bytes", 0);
    sheet.line("total_net_repl_output_bytes", 0);
    sheet.line(
        "instantaneous_input_kbps",
        kilobits(node.input_rate.per_second()),
    );
    sheet.line(
        "instantaneous_output_kbps",
        kilobits(node.output_rate.per_second()),
    );
    sheet.line("rejected_connections", shell.connections_rejected);
    sheet.line("sync_full", 0);
    sheet.line("sync_partial_ok", 0);
    sheet.line("sync_partial_err", 0);
    sheet.line("expired_keys", keys.expired);
    sheet.line("evicted_keys", 0);
    sheet.line("evicted_clients", shell.evicted_clients);
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
    sheet.line("pubsub_channels", 0);
    sheet.line("pubsub_patterns", 0);
    sheet.line("pubsubshard_channels", 0);
    sheet.line("latest_fork_usec", 0);
    sheet.line("total_forks", 0);
    sheet.line("tracking_total_keys", 0);
    sheet.line("tracking_total_items", 0);
    sheet.line("tracking_total_prefixes", 0);
    sheet.line("total_error_replies", node.errors.total());
    sheet.line("total_effects_applied", keys.effects);
}

pub(super) fn commandstats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Commandstats");
    for found in ctx.node.commands.iter() {
        let stats = &ctx.node.command_stats[usize::from(found.number)];
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
    for (code, count) in ctx.node.errors.iter() {
        sheet.line(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

pub(super) fn latencystats(sheet: &mut Sheet, ctx: &mut Ctx<'_>) {
    sheet.section("Latencystats");
    for found in ctx.node.commands.iter() {
        let durations = &ctx.node.command_stats[usize::from(found.number)].durations;
        if durations.count() == 0 {
            continue;
        }
        sheet.line(
            &format!("latency_percentiles_usec_{}", found.full_name()),
            format_args!(
                "p50={}.000,p99={}.000,p99.9={}.000",
                durations.quantile_us(500),
                durations.quantile_us(990),
                durations.quantile_us(999)
            ),
        );
    }
}
