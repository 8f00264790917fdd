//! What the commands that combine sets have in common.

use std::ops::ControlFlow;

use collections::Seen;
use engine::command::{Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, Event, KeyChange, event, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, Texts};
use values::hyperloglog::Registers;
use values::{Combination, Set};

use crate::element::write_element;

/// What the rows have in common that answer a combination.
pub(super) const ANSWERING: Spec = Spec {
    since: "1.0.0",
    group: Group::Set,
    arity: Arity::AtLeast(2),
    flags: Flags::READONLY,
    keys: &[KeySpec::range(
        1,
        KeyFlags::RO.and(KeyFlags::ACCESS),
        -1,
        1,
        0,
    )],
    tips: &["nondeterministic_output_order"],
    args: &[Arg::key("key", 0).multiple()],
    ..Spec::named("")
};

/// What the rows have in common that store one.
pub(super) const STORING: Spec = Spec {
    since: "1.0.0",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: Flags::DENY_OOM.and(Flags::WRITE),
    keys: &[
        KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
        KeySpec::range(2, KeyFlags::RO.and(KeyFlags::ACCESS), -1, 1, 0),
    ],
    args: &[Arg::key("destination", 0), Arg::key("key", 1).multiple()],
    ..Spec::named("")
};

/// Answers a combination of sets.
pub(super) fn answer(
    combination: Combination,
    keys: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let sets = sources(keys, ctx)?;
    let hasher = hasher(ctx);
    let start = ctx.reply.begin();
    let (mut texts, mut len) = (Texts::new(ctx.reply), 0);
    let _ = combination.for_each(&sets, hasher, |member| {
        if texts.is_full() {
            return ControlFlow::Break(());
        }
        write_element(member, &mut texts);
        len += 1;
        ControlFlow::Continue(())
    });
    texts.finish();
    ctx.reply.set_since(start, len);
    Ok(Flow::Done)
}

/// Counts a combination of sets, up to a limit.
pub(super) fn count(
    combination: Combination,
    keys: Argv<'_>,
    limit: Option<u64>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let sets = sources(keys, ctx)?;
    let mut len = 0;
    let _ = combination.for_each(&sets, hasher(ctx), |_| {
        len += 1;
        match limit == Some(len) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    ctx.reply.int(len as i64);
    Ok(Flow::Done)
}

/// Estimates how many members sets have together, up to a limit.
pub(super) fn estimate_union(
    keys: Argv<'_>,
    limit: Option<u64>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let mut registers = Registers::new();
    for member in sources(keys, ctx)?.iter().flat_map(Set::iter) {
        member.with_bytes(|member| registers.add(member));
    }
    let estimate = registers.estimate().min(limit.unwrap_or(u64::MAX));
    ctx.reply.int(estimate as i64);
    Ok(Flow::Done)
}

/// Puts a combination of sets in the place of what a key held.
pub(super) fn store(
    combination: Combination,
    (to, keys): (&[u8], Argv<'_>),
    event: &'static Event,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let sets = sources(keys, ctx)?;
    let thresholds = ctx.store.thresholds();
    let result = combination.result(&sets, ctx.store.set_growth(&thresholds));
    drop(sets);
    let len = result.len();
    if len > 0 {
        let change = set::SetChange::Combine {
            combination,
            sources: keys,
            result,
        };
        ctx.store.apply(&Effect::on(to, change), event);
    } else if ctx.store.peek(to).is_some() {
        let delete = Effect::on(to, KeyChange::Delete);
        ctx.store.apply(&delete, event::DEL);
    }
    ctx.reply.count(len);
    Ok(Flow::Done)
}

fn hasher(ctx: &Ctx<'_>) -> collections::hash::NameHasher {
    ctx.store.set_growth(&ctx.store.thresholds()).hasher
}

/// The sets of these keys; one that is missing has no members. One that is named again, other than
/// the first, changes no result, and is there once: a request cannot make long work of few members.
fn sources(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Vec<Set>, CmdError> {
    let mut sets = Vec::with_capacity(keys.len());
    let mut others = Seen::new(hasher(ctx));
    for (index, key) in keys.iter().enumerate() {
        // A clone shares the members.
        let set = ctx.store.reading().get::<Set>(key)?.cloned();
        if index == 0 || keys.len() == 2 || others.insert(key, ()).is_none() {
            sets.push(set.unwrap_or_default());
        }
    }
    Ok(sets)
}
