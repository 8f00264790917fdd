//! `DEL`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

/// `DEL key [key …]`
pub(super) struct Del;

impl PlainCommand for Del {
    const SPEC: Spec = Spec {
        summary: "Deletes keys, and tells how many there were.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::range(
            1,
            KeyFlags::RM.and(KeyFlags::DELETE),
            -1,
            1,
            0,
        )],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("del")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        delete(keys, ctx)
    }
}

/// Deletes keys, and answers how many there were.
pub(super) fn delete(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let (mut deleted, mut until_look) = (0, usize::from(keys.len() == 1));
    for (index, key) in keys.iter().enumerate() {
        if until_look == 0 {
            until_look = match ctx.store.look_ahead(keys.skip(index).iter()) {
                0 => usize::MAX,
                looked => looked,
            };
        }
        until_look -= 1;
        if ctx.store.peek(key).is_some() {
            deleted += ctx
                .store
                .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
        }
    }
    ctx.reply.int(deleted as i64);
    Ok(Flow::Done)
}
