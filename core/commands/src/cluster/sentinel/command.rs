//! `SENTINEL`: which of its subcommands there are, and what answers each.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, TopologyError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arity, Compat, Flags, Group, Spec};
use resp::Argv;

use super::{instances, master};

/// `SENTINEL subcommand [arg …]`
pub(in crate::cluster) struct Sentinel;

/// Answers a subcommand; it is given what follows its name.
type Answer = fn(&mut Args<'_>, &mut Ctx<'_>) -> Result<(), CmdError>;

/// What there is, how many arguments it takes, and what answers it.
const SUBCOMMANDS: &[(&str, Arity, Answer)] = &[
    ("ckquorum", Arity::Exactly(3), master::check_quorum),
    ("failover", Arity::Exactly(3), master::fail_over),
    ("flushconfig", Arity::Exactly(2), keep_nothing),
    (
        "get-master-addr-by-name",
        Arity::Exactly(3),
        master::address,
    ),
    ("help", Arity::Exactly(2), help),
    ("is-master-down-by-addr", Arity::Exactly(6), master::is_down),
    ("master", Arity::Exactly(3), instances::master),
    ("masters", Arity::Exactly(2), instances::masters),
    ("monitor", Arity::Exactly(6), refuse),
    ("myid", Arity::Exactly(2), own_id),
    ("remove", Arity::Exactly(3), refuse),
    ("replicas", Arity::Exactly(3), instances::replicas),
    ("reset", Arity::Exactly(3), refuse),
    ("sentinels", Arity::Exactly(3), instances::sentinels),
    ("set", Arity::AtLeast(5), refuse),
    ("slaves", Arity::Exactly(3), instances::replicas),
];

const HELP: &[&str] = &[
    "SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CKQUORUM <master-name>",
    "    Says whether another node could lead if the leader went.",
    "FAILOVER <master-name>",
    "    Has the leader hand over, if this is the leader.",
    "FLUSHCONFIG",
    "    Does nothing: there is nothing to be written.",
    "GET-MASTER-ADDR-BY-NAME <master-name>",
    "    Returns host and port of the leader.",
    "IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>",
    "    Says whether the leader, at this address, is silent.",
    "MASTER <master-name>",
    "    Returns what is known of the leader.",
    "MASTERS",
    "    Returns that as a list of one.",
    "MYID",
    "    Returns the name of this node.",
    "REPLICAS <master-name>",
    "    Returns what is known of the followers.",
    "SENTINELS <master-name>",
    "    Returns what is known of the other nodes as Sentinels.",
    "HELP",
    "    Prints this.",
];

pub(in crate::cluster) struct Parsed<'a> {
    request: Argv<'a>,
}

impl Command for Sentinel {
    const SPEC: Spec = Spec {
        summary: "Tells clients of a group of nodes, as a Sentinel would, which of them leads.",
        since: "2.8.4",
        group: Group::Cluster,
        complexity: "O(N) where N is the number of nodes",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        compat: Compat::Differs(
            "Each node of a group has it, besides all else. Nothing can be changed by hand.",
        ),
        ..Spec::named("sentinel")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        args.rest();
        Ok(Parsed {
            request: args.whole(),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { request } = cmd;
        // A server that is alone has no such command, as one of Redis that is no Sentinel.
        if ctx.server.topology().is_none() {
            return Err(CmdError::unknown_command(request));
        }
        let Some(sub) = request.get(1) else {
            return Err(CmdError::Arity("sentinel".to_owned()));
        };
        let found = SUBCOMMANDS
            .iter()
            .find(|(name, ..)| sub.eq_ignore_ascii_case(name.as_bytes()));
        let Some((name, arity, answer)) = found else {
            let sub = &sub[..sub.len().min(ERROR_ECHO_BYTES_MAX)];
            return Err(CmdError::UnknownSubcommand {
                sub: String::from_utf8_lossy(sub).into_owned(),
                command: "SENTINEL".to_owned(),
            });
        };
        if !arity.accepts(request.len()) {
            return Err(CmdError::Arity(format!("sentinel|{name}")));
        }
        answer(&mut Args::new(request, 2), ctx)?;
        Ok(Flow::Done)
    }
}

/// `SENTINEL MYID`
fn own_id(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    if let Some(topology) = ctx.server.topology() {
        ctx.reply.bulk(topology.own.as_bytes());
    }
    Ok(())
}

/// `SENTINEL FLUSHCONFIG`
fn keep_nothing(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    ctx.reply.ok();
    Ok(())
}

/// `SENTINEL HELP`
fn help(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    ctx.reply.array(HELP.len());
    for line in HELP {
        ctx.reply.simple(line);
    }
    Ok(())
}

/// Refuses what would change who is watched.
fn refuse(_: &mut Args<'_>, _: &mut Ctx<'_>) -> Result<(), CmdError> {
    Err(TopologyError::NotByHand.into())
}
