//! `MEMORY`: what keys cost.

mod stats;

use engine::args::Args;
use engine::command::{Command, Ctx, Entry, Flow, PlainCommand, container, entry};
use engine::error::CmdError;
use engine::server::ShellFigures;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};

use crate::help::{Help, Helped};

/// `MEMORY`
pub(super) const MEMORY: Entry = container(
    Spec {
        summary: "Tells what keys cost.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        ..Spec::named("memory")
    },
    &[
        entry::<Doctor>(),
        entry::<Help<Memory>>(),
        entry::<stats::MallocStats>(),
        entry::<stats::Purge>(),
        entry::<stats::Stats>(),
        entry::<Usage>(),
    ],
);

/// `MEMORY USAGE key [SAMPLES count]`
pub(super) struct Usage;

impl Command for Usage {
    const SPEC: Spec = Spec {
        summary: "Tells how many bytes a key takes, its value and bookkeeping included.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of samples.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").token("SAMPLES").optional(),
        ],
        ..Spec::named("usage")
    };
    type Parsed<'a> = (&'a [u8], usize);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let mut samples = SAMPLES_DEFAULT;
        while args.left() > 0 {
            if !args.keyword_with_value("SAMPLES") {
                return Err(CmdError::Syntax);
            }
            samples = usize::try_from(args.integer()?).map_err(|_| CmdError::Syntax)?;
        }
        Ok((key, samples))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, samples) = cmd;
        let is_there = ctx.store.peek(key).is_some();
        let (keyspace, database) = (ctx.store.keyspace(), ctx.store.database);
        match keyspace.memory_bytes(database, key, samples) {
            Some(bytes) if is_there => ctx.reply.count(bytes),
            Some(_) | None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

/// `MEMORY DOCTOR`
pub(super) struct Doctor;

impl PlainCommand for Doctor {
    const SPEC: Spec = Spec {
        summary: "Says in words how the memory is doing.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        compat: Compat::Differs("The words are weir's own, and it looks for other things."),
        ..Spec::named("doctor")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let text = diagnosis(&ctx.server.shell, ctx.server.config.memory_bytes_max);
        ctx.reply.verbatim("txt", text.as_bytes());
        Ok(Flow::Done)
    }
}

/// Below this many bytes, shares of the memory say nothing.
const SMALL_BYTES: u64 = 5 << 20;

fn diagnosis(figures: &ShellFigures, limit: u64) -> String {
    let used = figures.used_memory;
    let mut findings = Vec::new();
    if limit > 0 && used > limit / 10 * 9 {
        findings
            .push("More than 90 % of maxmemory is used: then keys are evicted or writes refused.");
    }
    if used >= SMALL_BYTES {
        if figures.used_memory_peak > used.saturating_mul(3) / 2 {
            findings.push("The peak was more than 1.5 times what is used now.");
        }
        if figures.resident_memory > used.saturating_mul(7) / 5 {
            findings.push("The process holds more than 1.4 times what is used: fragmentation.");
        }
    }
    if findings.is_empty() {
        format!("{used} bytes are used. Nothing stands out.\n")
    } else {
        format!("{used} bytes are used.\n* {}\n", findings.join("\n* "))
    }
}

struct Memory;

impl Helped for Memory {
    const SINCE: &'static str = "4.0.0";
    const GROUP: Group = Group::Server;
}

/// Parts of a value that are looked at by default.
const SAMPLES_DEFAULT: usize = 5;
