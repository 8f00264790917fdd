//! `EXISTS` and `TOUCH`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

/// `EXISTS key [key …]`
pub(super) struct Exists;

impl PlainCommand for Exists {
    const SPEC: Spec = Spec {
        summary: "Tells how many of the keys exist.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) where N is the number of keys to check.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::range(1, KeyFlags::RO, -1, 1, 0)],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        history: &[("3.0.3", "Several keys can be given.")],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("exists")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let exists = |key: &&[u8]| ctx.store.reading().peek(key).is_some();
        let found = keys.iter().filter(exists).count();
        ctx.reply.count(found);
        Ok(Flow::Done)
    }
}

/// `TOUCH key [key …]`
pub(super) struct Touch;

impl PlainCommand for Touch {
    const SPEC: Spec = Spec {
        summary: "Counts as a use of keys, and tells how many exist.",
        since: "3.2.1",
        group: Group::Generic,
        complexity: "O(N) where N is the number of keys that will be touched.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::range(1, KeyFlags::RO, -1, 1, 0)],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("touch")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.count_uses();
        let found = keys.iter().filter(|key| ctx.store.exists(key)).count();
        ctx.reply.count(found);
        Ok(Flow::Done)
    }
}
