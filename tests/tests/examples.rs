//! The programs in `examples/` keep what the guides promise: if server, producer or consumer is
//! killed, each message is still in the stream once, and so is each result.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use weir_tests::audit::{field, length, until};
use weir_tests::client::{Client, Protocol};
use weir_tests::documents::root;
use weir_tests::left_out;
use weir_tests::peers;
use weir_tests::programs::{Prepared, go_program, node_program, python_program};
use weir_tests::running::Running;
use weir_tests::server::Server;
use weir_tests::value::Value;

const MESSAGES: usize = 1200;

/// How often it is tried to kill a producer before it is done, which a fast one may be first.
const ATTEMPTS: usize = 10;

/// A server with default settings: on the disk before anything is acknowledged.
const DURABLE: &[(&str, &str)] = &[("appendonly", "yes")];

/// How a run of the programs went.
#[derive(PartialEq, Eq)]
enum Run {
    /// Everything that was to be killed was, and nothing was lost or doubled.
    Audited,
    /// The producer was done before it, or the server, could be killed.
    TooFast,
    /// The programs cannot be had on this machine.
    LeftOut,
}

/// How one of the programs is started.
type Program<'a> = &'a dyn Fn(&str) -> Result<Prepared>;

/// Runs producer and consumers, kills each of them and the server in the middle, and looks at what
/// is there.
fn keep_exactly_once(program: Program<'_>) -> Result<()> {
    for _ in 0..ATTEMPTS {
        if run_and_kill(program)? != Run::TooFast {
            return Ok(());
        }
    }
    bail!("in {ATTEMPTS} runs the producer was done before it could be killed")
}

fn run_and_kill(program: Program<'_>) -> Result<Run> {
    let start = |name: &str, arguments: &[&str], output: &Path| match program(name)? {
        Ok(command) => Running::start(command, arguments, output).map(Some),
        Err(why) => {
            left_out::note("WEIR_REQUIRE_CLIENTS", &why)?;
            Ok(None)
        }
    };
    let weir = peers::weir()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)?;
    let outbox = folder.path().join("till-7");
    let lines: Vec<String> = (1..=MESSAGES).map(|n| format!("sale {n}")).collect();
    std::fs::write(&outbox, lines.join("\n") + "\n")?;
    let outbox = outbox.to_str().context("a folder with an odd name")?;

    let mut server = Server::start_in(&weir, &data, DURABLE)?;
    let address = server.address().to_string();
    let log = |name: &str| folder.path().join(name);
    let produce = || {
        start(
            "producer",
            &[&address, "sales", outbox],
            &log("producer.log"),
        )
    };
    let consume = |name: &str| start("consumer", &[&address, "sales", name], &log(name));

    let Some(mut producer) = produce()? else {
        return Ok(Run::LeftOut);
    };
    let Some(mut ann) = consume("ann")? else {
        return Ok(Run::LeftOut);
    };
    let mut client = server.connect(Protocol::Resp2)?;
    let reaches = |client: &mut Client, stream: &str, count: usize, who: &mut Running| {
        until(&format!("{count} in {stream}: {}", who.said()), || {
            who.is_done()?;
            Ok(length(client, stream)? >= count)
        })
    };

    // The producer, in the middle of its file.
    reaches(&mut client, "sales", MESSAGES / 6, &mut producer)?;
    if producer.is_done()? {
        return Ok(Run::TooFast);
    }
    producer.kill()?;
    let mut producer = produce()?.context("it was there before")?;
    // The server, while both have requests on the way.
    reaches(&mut client, "sales", MESSAGES / 3, &mut producer)?;
    if producer.is_done()? {
        return Ok(Run::TooFast);
    }
    server = server.kill_and_restart(&weir, &data, DURABLE)?;
    client = server.connect(Protocol::Resp2)?;
    // The consumer, with messages that it was given and has not acknowledged.
    reaches(&mut client, "sales:done", MESSAGES / 2, &mut ann)?;
    ann.kill()?;
    let crashed = [
        "XREADGROUP",
        "GROUP",
        "workers",
        "ann",
        "COUNT",
        "5",
        "STREAMS",
        "sales",
        ">",
    ];
    reaches(&mut client, "sales", MESSAGES / 2 + 50, &mut producer)?;
    until("ann is given something", || {
        Ok(matches!(client.command(&crashed)?, Value::Array(_)))
    })?;
    let mut bob = consume("bob")?.context("it was there before")?;
    // And the server once more.
    reaches(&mut client, "sales", 5 * MESSAGES / 6, &mut producer)?;
    server = server.kill_and_restart(&weir, &data, DURABLE)?;
    client = server.connect(Protocol::Resp2)?;
    until("the producer is done", || producer.is_done())?;
    reaches(&mut client, "sales:done", MESSAGES, &mut bob)?;
    let pending = |client: &mut Client| client.command(&["XPENDING", "sales", "workers"]);
    until("nothing is pending", || {
        let summary = pending(&mut client)?;
        Ok(matches!(&summary, Value::Array(parts) if parts.first() == Some(&Value::Int(0))))
    })?;

    ensure!(
        field(&mut client, "sales", "text")? == lines,
        "not each message once and in order"
    );
    let done = field(&mut client, "sales:done", "text")?;
    let expected: BTreeSet<String> = lines.iter().map(|line| line.to_uppercase()).collect();
    ensure!(
        done.len() == MESSAGES,
        "{} results of {MESSAGES}",
        done.len()
    );
    ensure!(
        done.into_iter().collect::<BTreeSet<_>>() == expected,
        "not each result once"
    );
    server.stop()?;
    Ok(Run::Audited)
}

fn example(folder: &str, file: &str) -> std::path::PathBuf {
    root().join("examples").join(folder).join(file)
}

#[test]
fn the_python_programs_keep_each_message_exactly_once() {
    keep_exactly_once(&|name| python_program(&example("python", &format!("{name}.py")))).unwrap();
}

#[test]
fn the_node_programs_keep_each_message_exactly_once() {
    keep_exactly_once(&|name| node_program(&example("node", &format!("{name}.js")))).unwrap();
}

#[test]
fn the_ioredis_programs_keep_each_message_exactly_once() {
    keep_exactly_once(&|name| node_program(&example("node/ioredis", &format!("{name}.js"))))
        .unwrap();
}

#[test]
fn the_go_programs_keep_each_message_exactly_once() {
    keep_exactly_once(&|name| go_program(&example("go", name))).unwrap();
}

#[test]
fn the_rust_programs_keep_each_message_exactly_once() {
    keep_exactly_once(&|name| {
        let program = match name {
            "producer" => env!("CARGO_BIN_EXE_producer"),
            _ => env!("CARGO_BIN_EXE_consumer"),
        };
        Ok(Ok(Command::new(program)))
    })
    .unwrap();
}
