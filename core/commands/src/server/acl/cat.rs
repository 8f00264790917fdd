//! `ACL CAT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, UserError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arg, Arity, Categories, Group, Row, Spec};

use super::OF_EVERYBODY;
use crate::help::usage_error;

/// `ACL CAT [category]`
pub(super) struct Cat;

impl Command for Cat {
    const SPEC: Spec = Spec {
        summary: "Lists the categories of commands, or the commands of a category.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1) since the categories and commands are a fixed set.",
        arity: Arity::AtLeast(2),
        flags: OF_EVERYBODY,
        args: &[Arg::string("category").optional()],
        ..Spec::named("cat")
    };
    type Parsed<'a> = Option<&'a [u8]>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Option<&'a [u8]>, CmdError> {
        if args.left() > 1 {
            return Err(usage_error(args.whole(), "ACL"));
        }
        Ok(args.next())
    }

    fn execute(category: Option<&[u8]>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(name) = category else {
            let names = Categories::all_names();
            ctx.reply.array(names.clone().count());
            for name in names {
                ctx.reply.bulk(name.as_bytes());
            }
            return Ok(Flow::Done);
        };
        let name = &name[..name.len().min(ERROR_ECHO_BYTES_MAX)];
        let name = String::from_utf8_lossy(name);
        let category = Categories::named(&format!("@{name}"));
        let category = category
            .ok_or_else(|| CmdError::User(UserError::UnknownCategory(name.into_owned())))?;
        let commands = ctx.server.commands.iter();
        let is_in_it = |row: &&Row| !row.is_container() && row.acl_categories().has(category);
        let names: Vec<String> = commands.filter(is_in_it).map(Row::full_name).collect();
        ctx.reply.array(names.len());
        for name in names {
            ctx.reply.bulk(name.as_bytes());
        }
        Ok(Flow::Done)
    }
}
