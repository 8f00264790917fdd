//! Sends random commands to two servers, and prints the first difference between their replies.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use weir_tests::differential::{self, Focus, Outcome, Plan};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

#[derive(Debug, Parser)]
#[command(about = "Sends random commands to two servers, and prints the first difference")]
struct Arguments {
    /// What is drawn depends on it; without it, one is made up.
    #[arg(long)]
    seed: Option<u64>,
    /// What is drawn most.
    #[arg(long, value_enum, default_value = "all")]
    focus: Focus,
    /// Commands in all.
    #[arg(long, default_value_t = 100_000)]
    commands: usize,
    /// With clients that wait, instead of one client in pipelines.
    #[arg(long)]
    waiting: bool,
    /// The reference: a server that is running on this port. Without it, Redis is started.
    #[arg(long)]
    port_a: Option<u16>,
    /// The tested one: a server that is running on this port. Without it, weir is started.
    #[arg(long)]
    port_b: Option<u16>,
    /// The reference: a server to start.
    #[arg(long)]
    server_a: Option<PathBuf>,
    /// The tested one: a server to start.
    #[arg(long)]
    server_b: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let (_reference, reference) = side(
        arguments.port_a,
        arguments.server_a,
        || match Peers::binary("redis86-server")? {
            Some(binary) => Ok(binary),
            None => bail!("this machine cannot have Redis 8.6: name a server with --server-a"),
        },
    )?;
    let (_tested, tested) = side(arguments.port_b, arguments.server_b, peers::weir)?;
    let seed = arguments.seed.unwrap_or_else(made_up_seed);
    writeln!(out, "seed {seed}")?;
    let plan = Plan {
        seed,
        focus: arguments.focus,
        commands: arguments.commands,
        reference,
        tested,
    };
    let outcome = if arguments.waiting {
        differential::run_waiting(&plan)?
    } else {
        differential::run(&plan)?
    };
    match outcome {
        Outcome::Same(summary) => {
            writeln!(out, "{summary}")?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Different(difference) => {
            writeln!(out, "{difference}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A server that is running, or one to start.
fn side(
    port: Option<u16>,
    binary: Option<PathBuf>,
    usual: impl FnOnce() -> Result<PathBuf>,
) -> Result<(Option<Server>, SocketAddr)> {
    if let Some(port) = port {
        return Ok((None, SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    }
    let binary = match binary {
        Some(binary) => binary,
        None => usual()?,
    };
    let server = Server::start(&binary)?;
    let address = server.address();
    Ok((Some(server), address))
}

fn made_up_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |elapsed| u64::from(elapsed.subsec_nanos()))
}
