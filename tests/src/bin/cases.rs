//! Runs recorded cases against any server, and prints where its answers differ.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use weir_tests::server::Server;
use weir_tests::{case, known, peers, scenario};

#[derive(Debug, Parser)]
#[command(about = "Runs recorded cases against a server, and prints where it answers otherwise")]
struct Arguments {
    /// A server that is running on this port.
    #[arg(long)]
    port: Option<u16>,
    /// A server to start; without this and --port, weir.
    #[arg(long, conflicts_with = "port")]
    server: Option<PathBuf>,
    /// Compare with the recordings alone, whatever differences are known.
    #[arg(long)]
    strict: bool,
    /// Only the cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Files of cases, such as `xadd`; all of them where none is named.
    files: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let files = if arguments.files.is_empty() {
        case::names()?
    } else {
        arguments.files.clone()
    };
    let mut out = std::io::stdout().lock();
    let (mut run, mut failed) = (0, 0);
    for file in &files {
        let mut cases = case::load(file)?;
        if let Some(only) = &arguments.only {
            cases.retain(|case| case.name.contains(only));
        }
        let mut known = if arguments.strict {
            Vec::new()
        } else {
            known::load(file)?
        };
        known.retain(|known| {
            arguments.only.is_none()
                || cases
                    .iter()
                    .any(|case| known.is_about(&case.name, known.step))
        });
        // A server for each file: settings that a failing case leaves behind end with it.
        let server = match (arguments.port, &arguments.server) {
            (Some(_), _) => None,
            (None, Some(binary)) => Some(Server::start(binary)?),
            (None, None) => Some(Server::start(&peers::weir()?)?),
        };
        let address = match (&server, arguments.port) {
            (Some(server), _) => server.address(),
            (None, port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_default())),
        };
        let failures = scenario::run_all(address, &cases, &known);
        run += cases.len();
        failed += failures.len();
        for failure in &failures {
            writeln!(out, "{file}: {failure}")?;
        }
        writeln!(
            out,
            "{file}: {} cases, {} failed",
            cases.len(),
            failures.len()
        )?;
    }
    writeln!(out, "{run} cases, {failed} failed")?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
