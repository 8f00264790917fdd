//! `XGROUP DELCONSUMER`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{GivenBack, PendingEntry, StreamId};

use super::required_group;
use crate::stream::backoff::not_before;
use crate::stream::group_key::GroupKey;

/// `XGROUP DELCONSUMER key group consumer [KEEPPENDING]`
pub(super) struct DelConsumer;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    consumer: &'a [u8],
    pending: Pending,
}

/// What becomes of the entries that the consumer has pending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// They are pending no longer.
    Dropped,
    /// They are given back to the group.
    Kept,
}

impl Command for DelConsumer {
    const SPEC: Spec = Spec {
        summary: "Removes a consumer, and tells how many entries it had pending.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::word("keeppending", "KEEPPENDING").optional(),
        ],
        compat: Compat::Differs("KEEPPENDING is weir's own."),
        ..Spec::named("delconsumer")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (place, consumer) = (GroupKey::parse(args)?, args.required()?);
        let pending = match args.keyword("KEEPPENDING") {
            true => Pending::Kept,
            false => Pending::Dropped,
        };
        match args.left() {
            0 => Ok(Parsed {
                place,
                consumer,
                pending,
            }),
            _ => Err(CmdError::Arity("xgroup|delconsumer".to_owned())),
        }
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            place, consumer, ..
        } = cmd;
        let now_ms = ctx.now.stream_ms();
        let (_, group) = required_group(place, &mut ctx.store)?;
        let found = group.consumer(consumer);
        let pending = found.and_then(|handle| group.consumer_at(handle));
        let pending = pending.map_or(0, |consumer| consumer.pending_count());
        if let Some(handle) = found.filter(|_| cmd.pending == Pending::Kept && pending > 0) {
            let entries = group.pending_range_of(handle, StreamId::MIN, StreamId::MAX);
            let entries = entries.map(
                |PendingEntry {
                     id, delivery_count, ..
                 }| GivenBack {
                    id,
                    delivery_count,
                    not_before_ms: not_before(group, id, delivery_count, (now_ms, now_ms)),
                },
            );
            let entries: Vec<_> = entries.collect();
            let give_back = GroupChange::GiveBack { entries: &entries };
            let give_back = Effect::on_group(place.key, place.group, give_back);
            ctx.store.apply(&give_back, event::GIVEN_BACK);
        }
        let delete = GroupChange::DeleteConsumers {
            consumers: &[consumer],
        };
        let delete = Effect::on_group(place.key, place.group, delete);
        ctx.store.apply(&delete, event::XGROUP_DELCONSUMER);
        ctx.reply.count(pending);
        Ok(Flow::Done)
    }
}
