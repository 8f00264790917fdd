//! `TTL`, `PTTL`, `EXPIRETIME` and `PEXPIRETIME`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

/// What the rows of the family share.
const FAMILY: Spec = Spec {
    group: Group::Generic,
    complexity: "O(1)",
    arity: Arity::Exactly(2),
    flags: Flags::FAST.and(Flags::READONLY),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    args: &[Arg::key("key", 0)],
    ..Spec::named("")
};

/// `TTL key`
pub(super) struct Ttl;

impl PlainCommand for Ttl {
    const SPEC: Spec = Spec {
        name: "ttl",
        summary: "Tells in how many seconds a key expires.",
        since: "1.0.0",
        tips: &["nondeterministic_output"],
        history: &[("2.8.0", "The reply for a key that does not exist is -2.")],
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(key, ctx, |at, now| seconds(at.saturating_sub(now)))
    }
}

/// `PTTL key`
pub(super) struct PTtl;

impl PlainCommand for PTtl {
    const SPEC: Spec = Spec {
        name: "pttl",
        summary: "Tells in how many milliseconds a key expires.",
        since: "2.6.0",
        tips: &["nondeterministic_output"],
        history: &[("2.8.0", "The reply for a key that does not exist is -2.")],
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(key, ctx, |at, now| at.saturating_sub(now))
    }
}

/// `EXPIRETIME key`
pub(super) struct ExpireTime;

impl PlainCommand for ExpireTime {
    const SPEC: Spec = Spec {
        name: "expiretime",
        summary: "Tells when a key expires, in seconds since 1970.",
        since: "7.0.0",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(key, ctx, |at, _| seconds(at))
    }
}

/// `PEXPIRETIME key`
pub(super) struct PExpireTime;

impl PlainCommand for PExpireTime {
    const SPEC: Spec = Spec {
        name: "pexpiretime",
        summary: "Tells when a key expires, in milliseconds since 1970.",
        since: "7.0.0",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(key, ctx, |at, _| at)
    }
}

/// The reply for a key that does not exist.
const MISSING: i64 = -2;

/// The reply for a key without an expiry.
const NEVER: i64 = -1;

/// Milliseconds in whole seconds, the nearest.
fn seconds(ms: i64) -> i64 {
    ms.saturating_add(500).div_euclid(1000)
}

/// Answers a number computed from the expiry and the time, both in Unix milliseconds.
fn answer(
    key: &[u8],
    ctx: &mut Ctx<'_>,
    number: impl Fn(i64, i64) -> i64,
) -> Result<Flow, CmdError> {
    let now = ctx.now.unix().0;
    let answer = match ctx.store.reading().peek(key) {
        None => MISSING,
        Some(record) => record.expires_at().map_or(NEVER, |at| number(at.0, now)),
    };
    ctx.reply.int(answer);
    Ok(Flow::Done)
}
