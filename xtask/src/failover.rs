//! `failover`: a group of servers on a shared log suffers faults under load, and is audited.

use anyhow::Result;
use clap::Args;

use crate::crash;

#[derive(Debug, Args)]
pub(crate) struct Failover {
    /// How many faults there are, one after another.
    #[arg(long, default_value_t = 100)]
    faults: u64,
    /// Clients that append.
    #[arg(long, default_value_t = 50)]
    producers: u64,
    /// Chooses the faults and their moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Failover {
    pub(crate) fn run(&self) -> Result<()> {
        let &Failover {
            faults,
            producers,
            seed,
        } = self;
        crash::audit(
            "failover",
            &[("faults", faults), ("producers", producers), ("seed", seed)],
        )
    }
}
