//! `HOTKEYS GET`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::observe::hot_keys::{Heaviest, HotKeys};
use engine::table::Spec;
use resp::Reply;

/// `HOTKEYS GET`
pub(super) struct Get;

/// Fields that are always there, and those of each metric.
const FIELDS: usize = 7;
const FIELDS_OF_TIME: usize = 3;
const FIELDS_OF_BYTES: usize = 2;

/// The last of all slots: a single server has them all.
const SLOT_MAX: i64 = 16_383;

impl PlainCommand for Get {
    const SPEC: Spec = Spec {
        summary: "Tells the keys that took the most.",
        complexity: "O(K) where K is the number of hotkeys returned.",
        tips: &[
            "nondeterministic_output",
            "request_policy:special",
            "response_policy:special",
        ],
        name: "get",
        ..super::SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(hot) = &ctx.server.hot_keys else {
            ctx.reply.null();
            return Ok(Flow::Done);
        };
        let HotKeys { wanted, begun, .. } = **hot;
        let mut fields = FIELDS;
        fields += if wanted.by_time { FIELDS_OF_TIME } else { 0 };
        fields += if wanted.by_bytes { FIELDS_OF_BYTES } else { 0 };
        let reply = &mut *ctx.reply;
        let field = |reply: &mut Reply, name: &str, number: i64| {
            reply.bulk(name.as_bytes());
            reply.int(number);
        };
        reply.array(1);
        reply.map(fields);
        field(reply, "tracking-active", i64::from(hot.is_active(ctx.now)));
        field(reply, "sample-ratio", wanted.sample as i64);
        reply.bulk(b"selected-slots");
        reply.array(1);
        reply.array(2);
        reply.int(0);
        reply.int(SLOT_MAX);
        let all_us = (hot.all_ns / 1000) as i64;
        field(reply, "all-commands-all-slots-us", all_us);
        let all_bytes = hot.all_bytes as i64;
        field(reply, "net-bytes-all-commands-all-slots", all_bytes);
        field(reply, "collection-start-time-unix-ms", begun.unix().0);
        let lasted_ms = hot.lasted_ms(ctx.now) as i64;
        field(reply, "collection-duration-ms", lasted_ms);
        if wanted.by_time {
            let shell = &ctx.server.shell;
            let (user_s, system_s) = hot.cpu_s_before;
            let ms = |now_s: f64, before_s: f64| ((now_s - before_s) * 1000.0) as i64;
            let user_ms = ms(shell.cpu_user_s, user_s);
            field(reply, "total-cpu-time-user-ms", user_ms);
            let system_ms = ms(shell.cpu_system_s, system_s);
            field(reply, "total-cpu-time-sys-ms", system_ms);
        }
        if wanted.by_bytes {
            field(reply, "total-net-bytes", hot.counted_bytes as i64);
        }
        if wanted.by_time {
            reply.bulk(b"by-cpu-time-us");
            write(reply, &hot.by_time, wanted.count, 1000);
        }
        if wanted.by_bytes {
            reply.bulk(b"by-net-bytes");
            write(reply, &hot.by_bytes, wanted.count, 1);
        }
        Ok(Flow::Done)
    }
}

/// Writes the heaviest keys, with weights in this unit.
fn write(reply: &mut Reply, heaviest: &Heaviest, count: usize, unit: u64) {
    let keys = heaviest.iter().take(count);
    reply.array(2 * keys.clone().count());
    for (key, weight) in keys {
        reply.bulk(key);
        reply.int((weight / unit) as i64);
    }
}
