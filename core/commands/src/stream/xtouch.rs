//! `XTOUCH`: a consumer says that it still works on entries.

use engine::REDIS_VERSION;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Claim, Effect, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::Activity;

use super::group_key::GroupKey;
use super::ids_block::parse_ids;
use super::write_id;

/// `XTOUCH key group consumer id [id …]`
pub(super) struct XTouch;

impl PlainCommand for XTouch {
    const SPEC: Spec = Spec {
        summary: "Renews a consumer's hold on entries, so that nobody else is given them.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(log N) for each ID, with N being the number of pending entries.",
        arity: Arity::AtLeast(5),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::string("id").multiple(),
        ],
        compat: Compat::Own,
        ..Spec::named("xtouch")
    };

    type Args<'a> = (GroupKey<'a>, &'a [u8], Argv<'a>);

    fn execute(
        (place, consumer, ids): (GroupKey<'_>, &[u8], Argv<'_>),
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let mut ids = parse_ids(ids)?;
        ids.sort_unstable();
        ids.dedup();
        let (stream, group) = place.required(ctx.store.reading())?;
        let Some(holder) = group.consumer(consumer) else {
            ctx.reply.array(0);
            return Ok(Flow::Done);
        };
        let (mut pending, mut look) = (group.look_up_pending(), stream.entries().look_up());
        let held = ids.iter().filter_map(|id| pending.find(*id));
        let held = held.filter(|entry| {
            entry.holder.is_some_and(|it| it.consumer == holder) && look.contains(entry.id)
        });
        let claims: Vec<Claim> = held
            .map(|entry| Claim {
                id: entry.id,
                delivered_at: ctx.now.unix(),
                delivery_count: entry.delivery_count,
            })
            .collect();
        let change = match claims.is_empty() {
            true => GroupChange::See {
                consumer,
                activity: Activity::Seen,
            },
            false => GroupChange::Claim {
                consumer,
                claims: &claims,
                activity: Activity::Active,
            },
        };
        let change = Effect::on_group(place.key, place.group, change);
        ctx.store.apply(&change, event::PENDING);
        ctx.reply.array(claims.len());
        ctx.reply
            .each(claims, |reply, claim| write_id(reply, claim.id));
        Ok(Flow::Done)
    }
}
