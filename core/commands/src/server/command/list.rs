//! `COMMAND LIST`.

use std::iter;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::glob;
use engine::glob::Letters;
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};

/// `COMMAND LIST [FILTERBY MODULE name | FILTERBY ACLCAT category | FILTERBY PATTERN pattern]`
pub(super) struct List;

pub(super) enum Filter<'a> {
    None,
    /// weir has no modules.
    Module,
    Category(&'a [u8]),
    Pattern(&'a [u8]),
}

impl Command for List {
    const SPEC: Spec = Spec {
        summary: "Tells the names of commands.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the total number of Redis commands",
        arity: Arity::AtLeast(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        args: &[Arg::one_of(
            "filterby",
            &[
                Arg::string("module-name").token("MODULE"),
                Arg::string("category").token("ACLCAT"),
                Arg::pattern("pattern").token("PATTERN"),
            ],
        )
        .token("FILTERBY")
        .optional()],
        ..Spec::named("list")
    };
    type Parsed<'a> = Filter<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Filter<'a>, CmdError> {
        if args.left() == 0 {
            return Ok(Filter::None);
        }
        if args.left() != 3 || !args.keyword("FILTERBY") {
            return Err(CmdError::Syntax);
        }
        if args.keyword("MODULE") {
            args.required()?;
            Ok(Filter::Module)
        } else if args.keyword("ACLCAT") {
            Ok(Filter::Category(args.required()?))
        } else if args.keyword("PATTERN") {
            Ok(Filter::Pattern(args.required()?))
        } else {
            Err(CmdError::Syntax)
        }
    }

    fn execute(filter: Filter<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let start = ctx.reply.mark();
        let mut count = 0;
        let commands = &ctx.server.commands;
        let called = commands.commands();
        for found in called.flat_map(|row| iter::once(row).chain(commands.subcommands(row))) {
            let name = found.full_name();
            let wanted = match filter {
                Filter::None => true,
                Filter::Module => false,
                Filter::Category(category) => {
                    let mut names = found.acl_categories().names();
                    names.any(|name| name.as_bytes()[1..].eq_ignore_ascii_case(category))
                }
                Filter::Pattern(pattern) => {
                    glob::matches(pattern, name.as_bytes(), Letters::AnyCase)
                }
            };
            if wanted {
                count += 1;
                ctx.reply.bulk(name.as_bytes());
            }
        }
        ctx.reply.array_since(start, count);
        Ok(Flow::Done)
    }
}
