//! `cargo xtask CHORE`: one command for each chore.
//!
//! A chore is a file: a struct of its arguments with a `run`. To add one, write the file and name
//! it here three times: as a module, as a variant, and in `main`. `ci` decides which chores
//! continuous integration runs.

mod bench;
mod check;
mod ci;
mod cluster;
mod command;
mod crash;
mod deny;
mod docs;
mod failover;
mod package;
mod page;
mod sim;
mod test;
#[cfg(test)]
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    about = "One command for each chore of the house"
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Formatting and lints, over the whole workspace.
    Check(check::Check),
    /// All tests, against a weir built from this tree.
    Test(test::Test),
    /// The same work on weir and on real peers; `bench --list` names the works.
    Bench(bench::Bench),
    /// Kills a loaded server again and again, and audits what it kept.
    Crash(crash::Crash),
    /// Three weirs that share a log on three NATS servers, all on this machine, until Ctrl-C.
    Cluster(cluster::Cluster),
    /// Does every fault to a group of servers on a shared log, and audits what they kept.
    Failover(failover::Failover),
    /// Runs engine and journal in a simulated world, crashing again and again.
    Sim(sim::Sim),
    /// Licences, sources and bans of dependencies.
    Deny(deny::Deny),
    /// A Debian package, with manual page, completions and service.
    Package(package::Package),
    /// Writes the reference pages that are made from the tables of commands and settings.
    Docs(docs::Docs),
    /// Builds the console's page from its sources, with npm.
    Page(page::Page),
    /// What continuous integration runs.
    Ci(ci::Ci),
}

fn main() -> Result<()> {
    match Arguments::parse().chore {
        Chore::Check(check) => check.run(),
        Chore::Test(test) => test.run(),
        Chore::Bench(bench) => bench.run(),
        Chore::Crash(crash) => crash.run(),
        Chore::Cluster(cluster) => cluster.run(),
        Chore::Failover(failover) => failover.run(),
        Chore::Sim(sim) => sim.run(),
        Chore::Deny(deny) => deny.run(),
        Chore::Docs(docs) => docs.run(),
        Chore::Package(package) => package.run(),
        Chore::Page(page) => page.run(),
        Chore::Ci(ci) => ci.run(),
    }
}
