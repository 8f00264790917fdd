//! Does everything to a group of servers that a night can do, under load, and audits what they
//! have kept ([`faults`]).
//!
//! usage: failover --server BINARY [--faults N] [--only NAME] [--producers N] [--seed N]
//! [--cluster 0|1]
//!
//! `--only KillLeader` does one kind of fault only, to see how long appends do not go on.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use weir_tests::faults::{self, FAULTS, Options};
use weir_tests::real_clients::{self, Mode};

/// How long a fault lasts at most: longer than a lease, and until another one leads.
const LONGEST: Duration = Duration::from_millis(5500);

fn main() -> Result<()> {
    let options = options()?;
    let (faults, seed) = (options.faults, options.seed);
    let outcome = faults::run(options)?.context("this machine has no NATS servers")?;
    let mut out = std::io::stdout();
    writeln!(out, "{outcome}{faults} faults (seed {seed})")?;
    Ok(())
}

fn options() -> Result<Options> {
    let mut options = Options {
        server: PathBuf::new(),
        faults: FAULTS.len() as u64,
        only: String::new(),
        producers: 30,
        programs: Vec::new(),
        mode: Mode::Sentinel,
        seed: 1,
        longest: LONGEST,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--server" => options.server = value.into(),
            "--faults" => options.faults = value.parse()?,
            "--only" => options.only = value,
            "--producers" => options.producers = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--cluster" => {
                options.mode = match value.as_str() {
                    "0" => Mode::Sentinel,
                    _ => Mode::Cluster,
                };
            }
            _ => bail!("unknown option {arg}"),
        }
    }
    ensure!(
        options.server.exists(),
        "--server must name the binary to test"
    );
    // It is built beside this program.
    let redis_rs = std::env::current_exe()?.with_file_name("group_redis_rs");
    ensure!(redis_rs.exists(), "{} is not built", redis_rs.display());
    options.programs = real_clients::all(&redis_rs)?;
    Ok(options)
}
