//! `RESTORE-ASKING`: `RESTORE` as the servers of a cluster send it.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Categories, Flags, Group, Spec};

use crate::key::dump::{RESTORING, Restore};

/// `RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(super) struct RestoreAsking;

impl Command for RestoreAsking {
    const SPEC: Spec = Spec {
        name: "restore-asking",
        summary: "The same as RESTORE, as the servers of a cluster send it when a slot moves.",
        since: "3.0.0",
        group: Group::Server,
        flags: RESTORING.flags.and(Flags::ASKING),
        categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
        ..RESTORING
    };
    type Parsed<'a> = <Restore as Command>::Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Restore::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        Restore::execute(cmd, ctx)
    }
}
