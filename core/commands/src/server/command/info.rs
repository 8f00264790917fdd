//! `COMMAND INFO`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};
use resp::Argv;

use super::row;
use crate::server::written::{Keeping, write_rows};

/// `COMMAND INFO [command …]`
pub(super) struct Info;

impl PlainCommand for Info {
    const SPEC: Spec = Spec {
        summary: "Describes commands: their arguments, flags, keys and subcommands.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        arity: Arity::AtLeast(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        history: &[("7.0.0", "Without names, it tells of all commands.")],
        args: &[Arg::string("command-name").optional().multiple()],
        ..Spec::named("info")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if names.is_empty() {
            row::write_all(ctx.reply, &ctx.server.commands);
            return Ok(Flow::Done);
        }
        let commands = &ctx.server.commands;
        let found: Vec<_> = names.iter().map(|name| commands.find_full(name)).collect();
        ctx.reply.array(found.len());
        let rows = commands.rows();
        write_rows(ctx.reply, found, Keeping::Nothing, move |reply, found| {
            row::write(reply, rows, found);
        });
        Ok(Flow::Done)
    }
}
