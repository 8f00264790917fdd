//! `COMMAND`: what the server knows of its commands, all of it from their rows.

mod count;
mod docs;
mod getkeys;
mod getkeysandflags;
mod info;
mod list;
mod row;

use engine::command::{Ctx, Entry, Flow, PlainCommand, entry, entry_with_subcommands};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `COMMAND`.
pub(super) const COMMAND: Entry = entry_with_subcommands::<All>(&[
    entry::<count::Count>(),
    entry::<docs::Docs>(),
    entry::<getkeys::GetKeys>(),
    entry::<getkeysandflags::GetKeysAndFlags>(),
    entry::<Help<OfCommand>>(),
    entry::<info::Info>(),
    entry::<list::List>(),
]);

/// `COMMAND`
struct All;

impl PlainCommand for All {
    const SPEC: Spec = Spec {
        summary: "Describes every command.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the total number of Redis commands",
        arity: Arity::AtLeast(1),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        ..Spec::named("command")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        row::write_all(ctx.reply, &ctx.server.commands);
        Ok(Flow::Done)
    }
}

struct OfCommand;

impl Helped for OfCommand {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Server;
    const CATEGORIES: Categories = Categories::CONNECTION;
}
