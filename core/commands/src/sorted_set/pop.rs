//! What the commands that take members from an end of a sorted set have in common.

use std::ops::Range;

use engine::args::{Args, parse_i64};
use engine::command::Ctx;
use engine::error::CmdError;
use engine::store::effect::sorted_set::{SortedSetChange, events};
use engine::store::effect::{Effect, Event};
use engine::table::{Arg, FindKeys, KeyFlags, KeySpec};
use resp::{Argv, Protocol, Reply};
use values::SortedSet;

use crate::element::reply_element;

/// From which end members are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Lowest,
    Highest,
}

impl End {
    /// The events of some members and of all.
    fn events(self) -> [&'static Event; 2] {
        match self {
            End::Lowest => events::ZPOPMIN,
            End::Highest => events::ZPOPMAX,
        }
    }

    /// The ranks of so many members at this end.
    fn ranks(self, count: usize, len: usize) -> Range<usize> {
        let count = count.min(len);
        match self {
            End::Lowest => 0..count,
            End::Highest => len - count..len,
        }
    }
}

/// How popped members are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One after the other with its score.
    Flat,
    /// Each with its score in an array of two.
    Pairs,
}

/// What happens to the key that members are taken from.
pub(super) const KEY_FLAGS: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE);

/// What follows the timeout in `ZMPOP` and `BZMPOP`.
pub(super) const KEYS_AND_END: [Arg; 4] = [
    Arg::integer("numkeys"),
    Arg::key("key", 0).multiple(),
    Arg::one_of("where", &[Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
    Arg::integer("count").token("COUNT").optional(),
];

/// Keys behind their number, which is at `index`.
pub(super) const fn counted_keys(index: u8) -> KeySpec {
    KeySpec {
        find: FindKeys::KeyNum {
            count: 0,
            first: 1,
            step: 1,
        },
        ..KeySpec::at(index, KEY_FLAGS)
    }
}

/// Removes members, so many of `len`, if there are any.
pub(super) fn remove_ranks(
    key: &[u8],
    ranks: Range<usize>,
    len: usize,
    [some, all]: [&'static Event; 2],
    ctx: &mut Ctx<'_>,
) {
    if ranks.is_empty() {
        return;
    }
    let event = if ranks.len() == len { all } else { some };
    let (from, to) = (ranks.start, ranks.end);
    let remove = Effect::on(key, SortedSetChange::RemoveRanks { from, to });
    ctx.store.apply(&remove, event);
}

/// Answers up to `count` members at an end and removes them. `begin` answers what comes before
/// them. Does nothing and returns false if there is no such set.
pub(super) fn pop(
    key: &[u8],
    end: End,
    count: usize,
    form: Form,
    ctx: &mut Ctx<'_>,
    begin: impl FnOnce(&mut Reply, usize),
) -> Result<bool, CmdError> {
    let Some(set) = ctx.store.get::<SortedSet>(key)? else {
        return Ok(false);
    };
    let len = set.len();
    let ranks = end.ranks(count, len);
    begin(ctx.reply, ranks.len());
    let write = |reply: &mut Reply, (member, score)| {
        if form == Form::Pairs {
            reply.array(2);
        }
        reply_element(Some(member), reply);
        reply.double(score);
    };
    let members = set.range(ranks.start, ranks.end).elements();
    match end {
        End::Lowest => ctx.reply.each(members, write),
        End::Highest => ctx.reply.each(members.rev(), write),
    };
    remove_ranks(key, ranks, len, end.events(), ctx);
    Ok(true)
}

/// Members are taken out of the first of several sorted sets that there is.
#[derive(Clone, Copy)]
pub(super) struct Pop<'a> {
    pub(super) keys: Argv<'a>,
    end: End,
    count: usize,
}

impl<'a> Pop<'a> {
    /// Reads `numkeys key [key …] MIN | MAX [COUNT count]`.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Pop<'a>, CmdError> {
        let numkeys = positive(args.required()?).ok_or(CmdError::NotPositive("numkeys"))?;
        // An end follows.
        if numkeys >= args.left() {
            return Err(CmdError::Syntax);
        }
        let keys = args.take(numkeys)?;
        let end = if args.keyword("MIN") {
            End::Lowest
        } else if args.keyword("MAX") {
            End::Highest
        } else {
            return Err(CmdError::Syntax);
        };
        let mut count = None;
        while args.left() > 0 {
            if count.is_some() || !args.keyword_with_value("COUNT") {
                return Err(CmdError::Syntax);
            }
            count = Some(positive(args.required()?).ok_or(CmdError::NotPositive("count"))?);
        }
        let count = count.unwrap_or(1);
        Ok(Pop { keys, end, count })
    }

    /// Takes members out of the first sorted set that there is, and answers them. Does nothing and
    /// returns false if there is none.
    pub(super) fn try_on(self, ctx: &mut Ctx<'_>) -> Result<bool, CmdError> {
        for key in self.keys.iter() {
            let begin = |reply: &mut Reply, len: usize| {
                reply.array(2);
                reply.bulk(key);
                reply.array(len);
            };
            if pop(key, self.end, self.count, Form::Pairs, ctx, begin)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn positive(text: &[u8]) -> Option<usize> {
    let number = parse_i64(text).and_then(|number| usize::try_from(number).ok());
    number.filter(|number| *number > 0)
}

/// How members are answered that `ZPOPMIN` with a count takes.
pub(super) fn form_of_many(reply: &Reply) -> Form {
    match reply.protocol() {
        Protocol::Resp2 => Form::Flat,
        Protocol::Resp3 => Form::Pairs,
    }
}
