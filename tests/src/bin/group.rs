//! Three servers that share a log on three NATS servers, all on this machine, until Ctrl-C.
//!
//! For looking at a group, and for trying clients. What it keeps is in a folder that goes when it
//! ends.
//!
//! usage: group --server BINARY

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use weir_tests::group::{Group, SERVERS};

/// How often it is looked whether another server leads.
const LOOK_EVERY: Duration = Duration::from_millis(500);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--server"), Some(server)) => PathBuf::from(server),
        _ => bail!("usage: group --server BINARY"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    say("three NATS servers and three weirs start; this takes some seconds")?;
    let Some(group) = Group::start(&server)? else {
        bail!("this machine has no NATS server: tests/peers fetches one");
    };
    let addresses: Vec<_> = (0..SERVERS)
        .map(|server| group.address(server))
        .collect::<Result<_>>()?;
    for (server, address) in addresses.iter().enumerate() {
        let http = group.http(server)?;
        say(&format!("redis-cli -p {}, http://{http}/", address.port()))?;
    }
    let mut leader = None;
    runtime.block_on(async {
        loop {
            let now = (0..SERVERS).find(|server| group.takes_writes(*server));
            if now != leader {
                leader = now;
                match now.and_then(|leader| addresses.get(leader)) {
                    Some(address) => say(&format!("{address} leads; Ctrl-C ends all of it"))?,
                    None => say("nobody leads")?,
                }
            }
            tokio::select! {
                ended = tokio::signal::ctrl_c() => return ended.context("waiting for Ctrl-C"),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    })
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
