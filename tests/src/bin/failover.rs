//! Does everything to a group of servers that a night can do, under load, and audits what they
//! have kept ([`faults`]).

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use weir_tests::faults::{self, FAULTS, Options};
use weir_tests::real_clients::{self, Mode};

/// How long a fault lasts at most: longer than a lease, and until another one leads.
const LONGEST: Duration = Duration::from_millis(5500);

/// Does one fault after another to a group of servers under load, and audits what they have kept.
///
/// A line for each fault says for how long no append was accepted, and a table at the end sums that
/// up. A run that finds something wrong leaves all that servers have kept and logged, and says
/// where. It may take two minutes and 30 seconds a fault; most faults take about ten.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary of the server.
    #[arg(long)]
    server: PathBuf,
    /// How many faults there are: all kinds in turn, each time in another order.
    #[arg(long, default_value_t = FAULTS.len() as u32)]
    faults: u32,
    /// Only kinds whose names begin with this, such as KillLeader.
    #[arg(long, default_value = "")]
    only: String,
    /// Producers, besides the four of each program with a real client.
    #[arg(long, default_value_t = 30)]
    producers: u64,
    /// How clients find the leader.
    #[arg(long, value_enum, default_value_t = By::Sentinel)]
    by: By,
    /// Chooses the order of faults, and their moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// After how many records of the log there is another snapshot.
    #[arg(long, default_value_t = 2000)]
    snapshot_records: u64,
    /// The folder in which servers keep what they have.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// They ask Sentinels.
    Sentinel,
    /// They ask nodes of a cluster.
    Cluster,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Arguments { faults, seed, .. } = arguments;
    let mut out = std::io::stdout();
    let limit = faults::time_limit(faults).as_secs();
    writeln!(out, "{faults} faults (seed {seed}), at most {limit} s")?;
    let outcome = faults::run(arguments.options()?, &mut out)?;
    let outcome = outcome.context("this machine has no NATS servers")?;
    writeln!(out, "{outcome}\n{faults} faults (seed {seed})")?;
    Ok(())
}

impl Arguments {
    fn options(self) -> Result<Options> {
        let server = self.server;
        ensure!(server.exists(), "--server must name the binary to test");
        // It is built beside this program.
        let redis_rs = std::env::current_exe()?.with_file_name("group_redis_rs");
        ensure!(redis_rs.exists(), "{} is not built", redis_rs.display());
        Ok(Options {
            server,
            faults: self.faults,
            only: self.only,
            producers: self.producers,
            programs: real_clients::all(&redis_rs)?,
            mode: match self.by {
                By::Sentinel => Mode::Sentinel,
                By::Cluster => Mode::Cluster,
            },
            seed: self.seed,
            longest: LONGEST,
            snapshot_records: self.snapshot_records,
            parent: self.dir,
        })
    }
}
