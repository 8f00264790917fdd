//! `CLUSTER FAILOVER`: which node hands the lead over.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::topology::Topology;

/// `CLUSTER FAILOVER [FORCE | TAKEOVER]`: a follower cannot take the lead, the leader gives it.
pub(super) fn answer(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let _ = args.keyword("FORCE") || args.keyword("TAKEOVER");
    args.finish()?;
    let topology = ctx.server.cluster()?;
    match topology.leads() {
        true => Err(TopologyError::LeaderWantsToLead.into()),
        false => Err(ask_the_leader(topology).into()),
    }
}

/// The answer of a follower to what only the leader does.
pub(super) fn ask_the_leader(topology: &Topology) -> TopologyError {
    match topology.leader().filter(|leader| !leader.is_down) {
        Some(leader) => TopologyError::AskTheLeader {
            host: leader.host.clone(),
            port: leader.port,
        },
        None => TopologyError::NobodyLeads,
    }
}
