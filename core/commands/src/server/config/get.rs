//! `CONFIG GET`.

use std::collections::BTreeSet;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::glob;
use engine::glob::Letters;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};
use resp::Argv;

/// `CONFIG GET parameter [parameter …]`
pub(super) struct Get;

impl PlainCommand for Get {
    const SPEC: Spec = Spec {
        summary: "Answers the settings whose names match any of the patterns.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        arity: Arity::AtLeast(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[("7.0.0", "Several patterns can be given.")],
        args: &[Arg::string("parameter").multiple()],
        compat: Compat::Differs("Of `notify-keyspace-events` every flag that is on is told."),
        ..Spec::named("get")
    };
    type Args<'a> = Argv<'a>;

    fn execute(patterns: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let mut told = BTreeSet::new();
        let start = ctx.reply.mark();
        for pattern in patterns.iter() {
            let is_name = !pattern.iter().any(|byte| b"*?[".contains(byte));
            for (setting, value) in ctx.server.settings.iter() {
                for name in setting.names() {
                    if !glob::matches(pattern, name.as_bytes(), Letters::AnyCase)
                        || !told.insert(name)
                    {
                        continue;
                    }
                    // A name comes back as it was spelled.
                    ctx.reply
                        .bulk(if is_name { pattern } else { name.as_bytes() });
                    ctx.reply.bulk(value.as_bytes());
                }
            }
        }
        let count = told.len();
        ctx.reply.map_since(start, count);
        Ok(Flow::Done)
    }
}
