//! `CLUSTER`: which of its subcommands there are, and what answers each.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, TopologyError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arity, Compat, Flags, Group, Spec};
use resp::Argv;

use super::{failover, help, identity, keys, nodes, slot_stats, slots};

/// `CLUSTER subcommand [arg …]`
pub(super) struct Cluster;

/// Answers a subcommand; it is given what follows its name.
type Answer = fn(&mut Args<'_>, &mut Ctx<'_>) -> Result<(), CmdError>;

/// What there is in a cluster, how many arguments it takes, and what answers it.
const SUBCOMMANDS: &[(&str, Arity, Answer)] = &[
    ("addslots", Arity::AtLeast(3), refuse),
    ("addslotsrange", Arity::AtLeast(4), refuse),
    ("bumpepoch", Arity::Exactly(2), refuse),
    (
        "count-failure-reports",
        Arity::Exactly(3),
        nodes::failure_reports,
    ),
    ("countkeysinslot", Arity::Exactly(3), keys::count),
    ("delslots", Arity::AtLeast(3), refuse),
    ("delslotsrange", Arity::AtLeast(4), refuse),
    ("failover", Arity::AtLeast(2), failover::answer),
    ("flushslots", Arity::Exactly(2), refuse),
    ("forget", Arity::Exactly(3), refuse),
    ("getkeysinslot", Arity::Exactly(4), keys::list),
    ("help", Arity::Exactly(2), help::answer),
    ("info", Arity::Exactly(2), identity::info),
    ("keyslot", Arity::Exactly(3), keys::slot),
    ("links", Arity::Exactly(2), nodes::links),
    ("meet", Arity::AtLeast(4), refuse),
    ("migration", Arity::AtLeast(4), refuse),
    ("myid", Arity::Exactly(2), identity::node),
    ("myshardid", Arity::Exactly(2), identity::shard),
    ("nodes", Arity::Exactly(2), nodes::list),
    ("replicas", Arity::Exactly(3), nodes::replicas),
    ("replicate", Arity::Exactly(3), refuse),
    ("reset", Arity::AtLeast(2), refuse),
    ("saveconfig", Arity::Exactly(2), refuse),
    ("set-config-epoch", Arity::Exactly(3), refuse),
    ("setslot", Arity::AtLeast(4), refuse),
    ("shards", Arity::Exactly(2), slots::shards),
    ("slaves", Arity::Exactly(3), nodes::replicas),
    ("slot-stats", Arity::AtLeast(4), slot_stats::answer),
    ("slots", Arity::Exactly(2), slots::slots),
    ("syncslots", Arity::AtLeast(3), refuse),
];

pub(super) struct Parsed<'a> {
    answer: Answer,
    args: Argv<'a>,
}

impl Command for Cluster {
    const SPEC: Spec = Spec {
        summary: "Tells clients of a group of nodes, as a cluster would, that its leader has all slots.",
        since: "3.0.0",
        group: Group::Cluster,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        flags: Flags::LOADING.and(Flags::STALE),
        compat: Compat::Differs(
            "Nothing can be changed by hand. To COMMAND and ACL the subcommands are one command.",
        ),
        ..Spec::named("cluster")
    };
    type Parsed<'a> = Parsed<'a>;

    /// Arguments are looked at only in a cluster: elsewhere each subcommand is refused as it is.
    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let len = args.whole().len();
        let sub = args.required()?;
        let args = args.rest();
        let found = SUBCOMMANDS
            .iter()
            .find(|(name, ..)| sub.eq_ignore_ascii_case(name.as_bytes()));
        match found {
            Some((_, arity, answer)) if arity.accepts(len) => Ok(Parsed {
                answer: *answer,
                args,
            }),
            Some((name, ..)) => Err(CmdError::Arity(format!("cluster|{name}"))),
            None => {
                let sub = &sub[..sub.len().min(ERROR_ECHO_BYTES_MAX)];
                Err(CmdError::UnknownSubcommand {
                    sub: String::from_utf8_lossy(sub).into_owned(),
                    command: "CLUSTER".to_owned(),
                })
            }
        }
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.cluster()?;
        let mut args = Args::new(cmd.args, 0);
        (cmd.answer)(&mut args, ctx)?;
        Ok(Flow::Done)
    }
}

/// Refuses what would change the cluster.
fn refuse(_: &mut Args<'_>, _: &mut Ctx<'_>) -> Result<(), CmdError> {
    Err(TopologyError::NotByHand.into())
}
