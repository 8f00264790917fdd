//! The group that a client of Sentinels names.

use engine::args::Args;
use engine::error::{CmdError, TopologyError};
use engine::server::Server;
use engine::topology::Topology;

/// The group, if its name is the next argument.
///
/// # Errors
/// There is none of this name.
pub(super) fn named<'t>(args: &mut Args<'_>, server: &'t Server) -> Result<&'t Topology, CmdError> {
    let name = args.required()?;
    let topology = server.topology();
    let topology = topology.filter(|topology| topology.name.as_bytes() == name);
    topology.ok_or_else(|| TopologyError::NoSuchMaster.into())
}
