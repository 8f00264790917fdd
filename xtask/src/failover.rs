//! `failover`: a group of servers on a shared log suffers faults under load, and is audited.

use anyhow::Result;
use clap::Args;

use crate::command::build;
use crate::crash;

#[derive(Debug, Args)]
pub(crate) struct Failover {
    /// How many faults there are, one after another.
    #[arg(long, default_value_t = 100)]
    faults: u32,
    /// Producers, besides those of real clients.
    #[arg(long, default_value_t = 30)]
    producers: u64,
    /// Chooses the faults and their moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clients find the leader as in a cluster.
    #[arg(long)]
    cluster: bool,
}

impl Failover {
    pub(crate) fn run(&self) -> Result<()> {
        let &Failover {
            faults,
            producers,
            seed,
            cluster,
        } = self;
        build("weir-tests", &["--release", "--bin", "group_redis_rs"])?;
        let by = if cluster { "cluster" } else { "sentinel" };
        crash::audit(
            "failover",
            &[
                ("faults", faults.to_string()),
                ("producers", producers.to_string()),
                ("seed", seed.to_string()),
                ("by", by.to_owned()),
            ],
        )
    }
}
