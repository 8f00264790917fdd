//! `HRANDFIELD`.

use std::collections::BTreeSet;

use collections::map::Entry;
use engine::Rng;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::limits::LISTED_MAX;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Protocol, Reply};
use values::Fields;

use crate::element::reply_element;

/// `HRANDFIELD key [count [WITHVALUES]]`
pub(super) struct HRandField;

impl Command for HRandField {
    const SPEC: Spec = Spec {
        summary: "Answers fields of a hash that are chosen at random.",
        since: "6.2.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields returned",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[
                    Arg::integer("count"),
                    Arg::word("withvalues", "WITHVALUES").optional(),
                ],
            )
            .optional(),
        ],
        ..Spec::named("hrandfield")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        if args.left() == 0 {
            return Ok(Parsed { key, many: None });
        }
        let count = args.integer()?;
        if count == i64::MIN {
            return Err(CmdError::NotNegatable);
        }
        let with_values = args.keyword("WITHVALUES");
        if args.left() > 0 {
            return Err(CmdError::Syntax);
        }
        // The reply has twice as many elements.
        if with_values && count.unsigned_abs() > (i64::MAX / 2).unsigned_abs() {
            return Err(CmdError::OutOfRange);
        }
        let many = Some(Many { count, with_values });
        Ok(Parsed { key, many })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields(cmd.key)?.unwrap_or(Fields::NONE);
        let rng = &mut ctx.server.rng;
        let Some(many) = cmd.many else {
            let chosen = fields.random(rng.next());
            reply_element(chosen.map(|entry| entry.name()), ctx.reply);
            return Ok(Flow::Done);
        };
        let count = usize::try_from(many.count.unsigned_abs()).unwrap_or(usize::MAX);
        let count = if fields.is_empty() { 0 } else { count };
        if many.count < 0 {
            many.begin(count, ctx.reply);
            // As many as are wanted, or as the reply can hold.
            let mut each = Draw::new(fields, count);
            ctx.reply.each(0..count, |reply, _| {
                many.reply(each.next(rng), reply);
            });
        } else if count >= fields.len() {
            many.begin(fields.len(), ctx.reply);
            ctx.reply.each(fields.iter(), |reply, entry| {
                many.reply(Some(entry), reply);
            });
        } else if count > fields.len() / FEW || fields.stored_len() > fields.len() {
            many.begin(count, ctx.reply);
            let (mut needed, mut left) = (count as u64, fields.len() as u64);
            let chosen = fields.iter().filter(|_| {
                let is_chosen = rng.below(left) < needed;
                left -= 1;
                needed -= u64::from(is_chosen);
                is_chosen
            });
            ctx.reply
                .each(chosen, |reply, entry| many.reply(Some(entry), reply));
        } else {
            many.begin(count, ctx.reply);
            let mut known = BTreeSet::new();
            let chosen = std::iter::from_fn(|| fields.random(rng.next()));
            let chosen = chosen.filter(|entry| known.insert(entry.place()));
            ctx.reply.each(chosen.take(count), |reply, entry| {
                many.reply(Some(entry), reply);
            });
        }
        Ok(Flow::Done)
    }
}

/// If less than one in this many fields is wanted, they are drawn until enough differ. Otherwise
/// all are looked at.
const FEW: usize = 8;

/// Draws fields again and again.
struct Draw<'a> {
    fields: Fields<'a>,
    /// All fields, if drawing one takes a look at each because some that are still there are over,
    /// or if so many are wanted that a list of all is worth it.
    all: Vec<Entry<'a, 2>>,
}

impl<'a> Draw<'a> {
    fn new(fields: Fields<'a>, count: usize) -> Draw<'a> {
        let is_worth_it = count >= fields.len() && fields.len() <= LISTED_MAX;
        let all = match is_worth_it || fields.stored_len() > fields.len() {
            true => fields.iter().collect(),
            false => Vec::new(),
        };
        Draw { fields, all }
    }

    fn next(&mut self, rng: &mut Rng) -> Option<Entry<'a, 2>> {
        match self.all.len() {
            0 => self.fields.random(rng.next()),
            len => self.all.get(rng.below(len as u64) as usize).copied(),
        }
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    many: Option<Many>,
}

/// How many fields are wanted, and of which form the reply is.
#[derive(Clone, Copy)]
struct Many {
    /// If it is negative, fields may come several times.
    count: i64,
    with_values: bool,
}

impl Many {
    /// Begins the reply of `len` fields. With RESP3, each field and its value are an array.
    fn begin(self, len: usize, reply: &mut Reply) {
        match self.with_values && reply.protocol() == Protocol::Resp2 {
            true => reply.array(len.saturating_mul(2)),
            false => reply.array(len),
        }
    }

    fn reply(self, entry: Option<Entry<'_, 2>>, reply: &mut Reply) {
        if self.with_values && reply.protocol() == Protocol::Resp3 {
            reply.array(2);
        }
        reply_element(entry.map(|entry| entry.name()), reply);
        if self.with_values {
            reply_element(entry.map(|entry| entry.value()), reply);
        }
    }
}
