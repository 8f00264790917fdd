//! `CLUSTER HELP`.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::CmdError;

const LINES: &[&str] = &[
    "CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Returns 0: nodes do not report one another.",
    "COUNTKEYSINSLOT <slot>",
    "    Returns the number of keys in the slot.",
    "FAILOVER [FORCE|TAKEOVER]",
    "    Says which node to ask: the leader hands over.",
    "GETKEYSINSLOT <slot> <count>",
    "    Returns up to that many keys of the slot.",
    "INFO",
    "    Returns how the cluster is.",
    "KEYSLOT <key>",
    "    Returns the slot of the key.",
    "LINKS",
    "    Returns nothing: nodes speak through their log.",
    "MYID",
    "    Returns the name of this node.",
    "MYSHARDID",
    "    Returns the name of the shard, the only one.",
    "NODES",
    "    Returns a line for each node:",
    "    <id> <host:port@0> <flags> <leader> <pings> <pongs> <epoch> <link> <slots>",
    "REPLICAS <node-id>",
    "    Returns the lines of those that follow the node.",
    "SHARDS",
    "    Returns the nodes, and that the slots are the leader's.",
    "SLOT-STATS",
    "    Returns how many keys slots have.",
    "SLOTS",
    "    Returns the leader, which has all slots, and its followers.",
    "HELP",
    "    Prints this.",
];

/// `CLUSTER HELP`
pub(super) fn answer(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    ctx.reply.array(LINES.len());
    for line in LINES {
        ctx.reply.simple(line);
    }
    Ok(())
}
