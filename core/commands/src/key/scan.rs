//! `SCAN`, `KEYS` and `RANDOMKEY`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::glob::{Letters, matches};
use engine::store::keyspace::Record;
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};

use crate::cursor::{COUNT_DEFAULT, parse_count, parse_cursor, reply_step};

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub(super) struct Scan;

impl Command for Scan {
    const SPEC: Spec = Spec {
        summary: "Iterates over the keys of a database, a few at a time.",
        since: "2.8.0",
        group: Group::Generic,
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        tips: &[
            "nondeterministic_output",
            "request_policy:special",
            "response_policy:special",
        ],
        history: &[("6.0.0", "TYPE was added.")],
        args: &[
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
            Arg::string("type").token("TYPE").since("6.0.0").optional(),
        ],
        ..Spec::named("scan")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let cursor = parse_cursor(args.required()?).ok_or(CmdError::InvalidCursor)?;
        let mut parsed = Parsed {
            cursor,
            pattern: None,
            count: COUNT_DEFAULT,
            type_name: None,
        };
        while args.left() > 0 {
            if args.keyword_with_value("MATCH") {
                parsed.pattern = Some(args.required()?);
            } else if args.keyword_with_value("COUNT") {
                parsed.count = parse_count(args)?;
            } else if args.keyword_with_value("TYPE") {
                parsed.type_name = Some(args.required()?);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.depend_on_all();
        let now = ctx.now.unix();
        let mut overdue = Vec::new();
        let database = ctx.store.database;
        let keyspace = ctx.store.keyspace();
        reply_step(
            ctx.reply,
            (cmd.cursor, cmd.count),
            |reply, from, looks, len| {
                keyspace.scan(database, from, looks, |record| {
                    if !cmd.matches(record) {
                    } else if record.is_expired(now) {
                        overdue.push(record.key().to_vec());
                    } else if cmd.wants_type_of(record) {
                        reply.bulk(record.key());
                        *len += 1;
                    }
                })
            },
        );
        for key in &overdue {
            ctx.store.pass_over_overdue_in(database, key);
        }
        Ok(Flow::Done)
    }
}

/// `KEYS pattern`
pub(super) struct Keys;

impl PlainCommand for Keys {
    const SPEC: Spec = Spec {
        summary: "Lists the keys that match a pattern.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        categories: Categories::DANGEROUS,
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        args: &[Arg::pattern("pattern")],
        ..Spec::named("keys")
    };
    type Args<'a> = &'a [u8];

    fn execute(pattern: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.depend_on_all();
        let now = ctx.now.unix();
        let mark = ctx.reply.begin();
        let records = ctx.store.keyspace().records(ctx.store.database);
        let wanted = records.filter(|record| {
            !record.is_expired(now) && matches(pattern, record.key(), Letters::Exact)
        });
        let len = ctx
            .reply
            .each(wanted, |reply, record| reply.bulk(record.key()));
        ctx.reply.array_since(mark, len);
        Ok(Flow::Done)
    }
}

/// `RANDOMKEY`
pub(super) struct RandomKey;

impl PlainCommand for RandomKey {
    const SPEC: Spec = Spec {
        summary: "Answers a key of the database, any one.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::READONLY,
        tips: &[
            "request_policy:all_shards",
            "response_policy:special",
            "nondeterministic_output",
        ],
        ..Spec::named("randomkey")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.depend_on_all();
        let now = ctx.now.unix();
        for _ in 0..RANDOM_TRIES_MAX {
            let random = ctx.server.rng.next();
            match ctx.store.keyspace().random(ctx.store.database, random) {
                Some(record) if record.is_expired(now) => {}
                Some(record) => {
                    ctx.reply.bulk(record.key());
                    return Ok(Flow::Done);
                }
                None => break,
            }
        }
        ctx.reply.null();
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    cursor: u64,
    pattern: Option<&'a [u8]>,
    count: usize,
    type_name: Option<&'a [u8]>,
}

impl Parsed<'_> {
    fn matches(&self, record: &Record) -> bool {
        self.pattern
            .is_none_or(|pattern| matches(pattern, record.key(), Letters::Exact))
    }

    fn wants_type_of(&self, record: &Record) -> bool {
        let type_name = record.value().type_name().as_bytes();
        self.type_name
            .is_none_or(|name| name.eq_ignore_ascii_case(type_name))
    }
}

/// How often another key is picked instead of an expired one.
const RANDOM_TRIES_MAX: usize = 100;
