//! `SPOP`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::{Member, Set, SetForm};

use crate::element::reply_element;

/// `SPOP key [count]`
pub(super) struct SPop;

impl Command for SPop {
    const SPEC: Spec = Spec {
        summary: "Removes members of a set, drawn at random, and answers them.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
        )],
        tips: &["nondeterministic_output"],
        history: &[("3.2.0", "`count` was added.")],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count").since("3.2.0").optional(),
        ],
        ..Spec::named("spop")
    };
    type Parsed<'a> = (&'a [u8], Option<u64>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        if args.left() != 1 {
            return Ok((key, None));
        }
        let count = parse_i64(args.required()?).and_then(|count| u64::try_from(count).ok());
        Ok((key, Some(count.ok_or(CmdError::MustBePositive)?)))
    }

    fn execute((key, count): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let random = ctx.server.rng.next();
        let set = ctx.store.get::<Set>(key)?;
        let Some(count) = count else {
            let Some(set) = set else {
                ctx.reply.null();
                return Ok(Flow::Done);
            };
            let is_last = set.len() == 1;
            let member = set.random(random).map(Member::from);
            reply_element(member.as_ref().map(Member::as_element), ctx.reply);
            remove(key, member.as_slice(), is_last, ctx);
            return Ok(Flow::Done);
        };
        // The clone shares the members, which are let go before the set changes.
        let set = set.cloned().unwrap_or_default();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let left = set.len().saturating_sub(count);
        ctx.reply.set(set.len() - left);
        if count == 0 {
            return Ok(Flow::Done);
        }
        if left == 0 && !set.is_empty() {
            ctx.reply.each(set.iter(), |reply, member| {
                reply_element(Some(member), reply);
            });
            let delete = Effect::on(key, KeyChange::Delete);
            drop(set);
            ctx.store.apply(&delete, set::events::SPOP_ALL);
            return Ok(Flow::Done);
        }
        let rng = &mut ctx.server.rng;
        if left.saturating_mul(FEW_LEFT) <= count && set.form() == SetForm::Hashtable {
            // The few that stay are drawn.
            let drawn = set.sample(left, || rng.next());
            let kept: Vec<Member> = drawn.into_iter().map(Member::from).collect();
            let mut stays = Set::new();
            let thresholds = ctx.store.thresholds();
            for member in &kept {
                stays.add_element(member.as_element(), ctx.store.set_growth(&thresholds));
            }
            let goes = set.iter().filter(|member| !stays.has(*member));
            ctx.reply.each(goes, |reply, member| {
                reply_element(Some(member), reply);
            });
            let at = ctx
                .store
                .peek(key)
                .and_then(engine::store::keyspace::Record::expires_at);
            let members = kept.as_slice();
            let keep = set::SetChange::Keep { members, at };
            drop(set);
            ctx.store.apply(&Effect::on(key, keep), set::events::SPOP);
            return Ok(Flow::Done);
        }
        let drawn = set.sample(count, || rng.next());
        let drawn: Vec<Member> = drawn.into_iter().map(Member::from).collect();
        drop(set);
        ctx.reply.each(&drawn, |reply, member| {
            reply_element(Some(member.as_element()), reply);
        });
        remove(key, &drawn, false, ctx);
        Ok(Flow::Done)
    }
}

fn remove(key: &[u8], members: &[Member], are_all: bool, ctx: &mut Ctx<'_>) {
    let event = match are_all {
        true => set::events::SPOP_ALL,
        false => set::events::SPOP,
    };
    let members = set::Members::Drawn(members);
    let remove = set::SetChange::Remove { members };
    ctx.store.apply(&Effect::on(key, remove), event);
}

/// If so many times as many go as stay, those that stay are put into a set of their own.
const FEW_LEFT: usize = 5;
