//! `XACKDEL`.

use std::collections::BTreeMap;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, StreamChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Group as StreamGroup, References, Stream, StreamId, ascending};

use super::deletion::{DELETED, Deletion, NOT_FOUND, STILL_REFERENCED, reply_each, reply_none};
use super::flow_control::acknowledged;
use super::group_key::GroupKey;
use super::ids_block::{IDS, parse_ids};
use super::references_option::REFERENCES;

/// `XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id …]`
pub(super) struct XAckDel;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    /// Errors in here come after that of a wrong type.
    deletion: Result<Deletion<'a>, CmdError>,
}

impl Command for XAckDel {
    const SPEC: Spec = Spec {
        summary: "Acknowledges entries of a group, and deletes them.",
        since: "8.2.0",
        group: Group::Stream,
        complexity: "O(1) for each message ID processed.",
        arity: Arity::AtLeast(6),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::UPDATE).and(KeyFlags::DELETE),
        )],
        args: &[Arg::key("key", 0), Arg::string("group"), REFERENCES, IDS],
        ..Spec::named("xackdel")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            place: GroupKey::parse(args)?,
            deletion: Deletion::parse(args),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let GroupKey { key, group } = cmd.place;
        if let Ok(Deletion { references, ids }) = &cmd.deletion {
            ctx.store.prepare_stream(key, *references, |stream| {
                stream.groups_mut().expect_questions(ids.len());
            });
        }
        let found = cmd.place.find(ctx.store.reading())?;
        let Deletion { references, ids } = cmd.deletion?;
        let Some((stream, own)) = found else {
            reply_none(ids, ctx.reply);
            return Ok(Flow::Done);
        };
        let plan = Plan::new(stream, own, cmd.place, references, &parse_ids(ids)?);
        let event = acknowledged(own);
        let mut acknowledge = |group, ids, event| {
            let acknowledge = GroupChange::Acknowledge { ids };
            let acknowledge = Effect::on_group(key, group, acknowledge);
            ctx.store.apply(&acknowledge, event);
        };
        acknowledge(group, &plan.acknowledged, event);
        for (other, ids) in &plan.forgotten {
            acknowledge(other, ids, event::PENDING);
        }
        if !plan.deleted.is_empty() {
            let delete = StreamChange::Delete {
                ids: &plan.deleted,
                references: Deletion::decided(references),
            };
            ctx.store.apply(&Effect::on(key, delete), event::XDEL);
        }
        reply_each(plan.replies.into_iter(), ctx.reply);
        Ok(Flow::Done)
    }
}

/// What is done and answered, decided before anything is changed.
struct Plan {
    acknowledged: Vec<StreamId>,
    /// Entries that are gone already and yet pending in other groups, which `DELREF` ends.
    forgotten: Vec<(Vec<u8>, Vec<StreamId>)>,
    deleted: Vec<StreamId>,
    replies: Vec<i64>,
}

impl Plan {
    fn new(
        stream: &Stream,
        own: &StreamGroup,
        place: GroupKey<'_>,
        references: References,
        ids: &[StreamId],
    ) -> Plan {
        let mut plan = Plan {
            acknowledged: Vec::new(),
            forgotten: Vec::new(),
            deleted: Vec::new(),
            replies: vec![NOT_FOUND; ids.len()],
        };
        let mut gone = Vec::new();
        let (mut pending, mut look) = (own.look_up_pending(), stream.entries().look_up());
        // An ID that comes again finds nothing: the first has acknowledged it.
        for same in ascending(ids).chunk_by(|one, next| one.0 == next.0) {
            let &[(id, number), ..] = same else { continue };
            if pending.find(id).is_none() {
                continue;
            }
            plan.acknowledged.push(id);
            let reply = &mut plan.replies[number as usize];
            if references == References::Acknowledged && !others_are_done(stream, place, id) {
                *reply = STILL_REFERENCED;
                continue;
            }
            *reply = DELETED;
            if look.contains(id) {
                plan.deleted.push(id);
            } else {
                gone.push(id);
            }
        }
        if references == References::Delete {
            plan.forget(stream, place, &gone);
        }
        plan
    }

    fn forget(&mut self, stream: &Stream, place: GroupKey<'_>, gone: &[StreamId]) {
        let mut by_group: BTreeMap<&[u8], Vec<StreamId>> = BTreeMap::new();
        for &id in gone {
            let others = stream.groups().referring_to(id);
            for other in others.filter(|name| *name != place.group) {
                by_group.entry(other).or_default().push(id);
            }
        }
        let by_group = by_group.into_iter();
        self.forgotten = by_group.map(|(name, ids)| (name.to_vec(), ids)).collect();
    }
}

/// Returns whether every group has an entry behind it, once this one acknowledges it.
fn others_are_done(stream: &Stream, place: GroupKey<'_>, id: StreamId) -> bool {
    let groups = stream.groups();
    let mut referring = groups.referring_to(id);
    groups.delivered_to_all(id) && referring.all(|name| name == place.group)
}
