//! `XTRIM`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{References, Stream};

use super::references_option::{REFERENCES, parse_references};
use super::trim_option::{LIMIT, OPERATOR, STRATEGY, THRESHOLD, TrimClause};

/// `XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]`
pub(super) struct XTrim;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    trim: TrimClause,
    references: References,
}

impl Command for XTrim {
    const SPEC: Spec = Spec {
        summary: "Removes the first entries of a stream, down to a length or an ID.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        tips: &["nondeterministic_output"],
        history: &[
            ("6.2.0", "MINID and LIMIT were added."),
            ("8.2.0", "KEEPREF, DELREF and ACKED were added."),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::block("trim", &[STRATEGY, OPERATOR, THRESHOLD, LIMIT, REFERENCES]),
        ],
        compat: Compat::Differs(
            "With DELREF, entries below what stays that were deleted before are pending no longer either; in Redis they stay so for ever.",
        ),
        ..Spec::named("xtrim")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let mut trim = TrimClause::default();
        let mut references = None;
        while args.left() > 0 {
            if trim.parse(args)? {
                continue;
            }
            let policy = parse_references(args).ok_or(CmdError::Syntax)?;
            if references.replace(policy).is_some() {
                return Err(CmdError::Syntax);
            }
        }
        Ok(Parsed {
            key,
            trim: trim.finish()?.ok_or(CmdError::Syntax)?,
            references: references.unwrap_or_default(),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.get::<Stream>(cmd.key)?;
        let removed = cmd.trim.apply(cmd.key, cmd.references, ctx);
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}
