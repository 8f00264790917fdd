//! `FLUSHALL` and `FLUSHDB`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{DatabaseChange, Effect, ServerChange, event};
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};

/// `FLUSHALL [ASYNC | SYNC]`
pub(super) struct FlushAll;

/// `FLUSHDB [ASYNC | SYNC]`
pub(super) struct FlushDb;

const WAY: &[Arg] = &[Arg::one_of(
    "flush-type",
    &[
        Arg::word("async", "ASYNC").since("4.0.0"),
        Arg::word("sync", "SYNC").since("6.2.0"),
    ],
)
.optional()];

impl Command for FlushAll {
    const SPEC: Spec = Spec {
        summary: "Removes all keys of all databases.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the total number of keys in all databases",
        arity: Arity::AtLeast(1),
        flags: Flags::WRITE,
        frees: true,
        categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        history: &[("4.0.0", "ASYNC was added."), ("6.2.0", "SYNC was added.")],
        args: WAY,
        ..Spec::named("flushall")
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        parse_way(args);
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let flush = Effect::Server(ServerChange::Flush);
        ctx.store.apply(&flush, event::FLUSHALL);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

impl Command for FlushDb {
    const SPEC: Spec = Spec {
        summary: "Removes all keys of the selected database.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of keys in the selected database",
        arity: Arity::AtLeast(1),
        flags: Flags::WRITE,
        frees: true,
        categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        history: &[("4.0.0", "ASYNC was added."), ("6.2.0", "SYNC was added.")],
        args: WAY,
        ..Spec::named("flushdb")
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        parse_way(args);
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let flush = Effect::Database(DatabaseChange::Flush);
        ctx.store.apply(&flush, event::FLUSHDB);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// Both ways are the same here: the keys are gone at once, and their memory is freed without the
/// shard's lock.
fn parse_way(args: &mut Args<'_>) {
    if !args.keyword("ASYNC") {
        args.keyword("SYNC");
    }
}
