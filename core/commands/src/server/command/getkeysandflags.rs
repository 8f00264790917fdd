//! `COMMAND GETKEYSANDFLAGS`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};
use resp::Argv;

use super::getkeys::keys_of;
use super::row::write_words;

/// `COMMAND GETKEYSANDFLAGS command [arg …]`
pub(super) struct GetKeysAndFlags;

impl Command for GetKeysAndFlags {
    const SPEC: Spec = Spec {
        summary: "Tells the keys of a request, and what happens to them.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        arity: Arity::AtLeast(3),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        args: &[
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..Spec::named("getkeysandflags")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }

    fn execute(request: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let keys = keys_of(ctx, request)?;
        ctx.reply.array(keys.count);
        ctx.reply.each(keys.iter(), |reply, key| {
            reply.array(2);
            reply.bulk(key.key);
            write_words(reply, key.flags.names());
        });
        Ok(Flow::Done)
    }
}
