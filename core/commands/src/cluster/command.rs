//! `CLUSTER`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arity, Compat, Group, Spec};

/// `CLUSTER subcommand [arg …]`
pub(super) struct Cluster;

/// What there is in a cluster, and how many arguments it takes.
const SUBCOMMANDS: &[(&str, Arity)] = &[
    ("addslots", Arity::AtLeast(3)),
    ("addslotsrange", Arity::AtLeast(4)),
    ("bumpepoch", Arity::Exactly(2)),
    ("count-failure-reports", Arity::Exactly(3)),
    ("countkeysinslot", Arity::Exactly(3)),
    ("delslots", Arity::AtLeast(3)),
    ("delslotsrange", Arity::AtLeast(4)),
    ("failover", Arity::AtLeast(2)),
    ("flushslots", Arity::Exactly(2)),
    ("forget", Arity::Exactly(3)),
    ("getkeysinslot", Arity::Exactly(4)),
    ("help", Arity::Exactly(2)),
    ("info", Arity::Exactly(2)),
    ("keyslot", Arity::Exactly(3)),
    ("links", Arity::Exactly(2)),
    ("meet", Arity::AtLeast(4)),
    ("migration", Arity::AtLeast(4)),
    ("myid", Arity::Exactly(2)),
    ("myshardid", Arity::Exactly(2)),
    ("nodes", Arity::Exactly(2)),
    ("replicas", Arity::Exactly(3)),
    ("replicate", Arity::Exactly(3)),
    ("reset", Arity::AtLeast(2)),
    ("saveconfig", Arity::Exactly(2)),
    ("set-config-epoch", Arity::Exactly(3)),
    ("setslot", Arity::AtLeast(4)),
    ("shards", Arity::Exactly(2)),
    ("slaves", Arity::Exactly(3)),
    ("slot-stats", Arity::AtLeast(4)),
    ("slots", Arity::Exactly(2)),
    ("syncslots", Arity::AtLeast(3)),
];

impl Command for Cluster {
    const SPEC: Spec = Spec {
        summary: "Answers that the server is in no cluster.",
        since: "3.0.0",
        group: Group::Cluster,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        compat: Compat::Differs(
            "A single server refuses all of its subcommands, as in Redis; to COMMAND and ACL they \
             are one command.",
        ),
        ..Spec::named("cluster")
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        let len = args.whole().len();
        let sub = args.required()?;
        let _ = args.rest();
        let found = SUBCOMMANDS
            .iter()
            .find(|(name, _)| sub.eq_ignore_ascii_case(name.as_bytes()));
        match found {
            Some((_, arity)) if arity.accepts(len) => Err(CmdError::NoCluster),
            Some((name, _)) => Err(CmdError::Arity(format!("cluster|{name}"))),
            None => {
                let sub = &sub[..sub.len().min(ERROR_ECHO_BYTES_MAX)];
                Err(CmdError::UnknownSubcommand {
                    sub: String::from_utf8_lossy(sub).into_owned(),
                    command: "CLUSTER".to_owned(),
                })
            }
        }
    }

    fn execute((): (), _ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        Err(CmdError::NoCluster)
    }
}
